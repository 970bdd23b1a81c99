import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "./clock.ts";
import { cleanEnvironment, createDemoService, findFreePorts, ownCommand } from "./demo-service.ts";
import { findTraces, type Trace } from "./demo-traces.ts";
import { AppError } from "./errors.ts";
import { type ManifestEntry, runCameras } from "./simulator/camera.ts";
import { type Comparison, compareRecords } from "./simulator/comparison.ts";
import { type MossosServer, startMossos } from "./simulator/mossos.ts";
import { createPki } from "./simulator/pki.ts";

export interface DemoOptions {
  cameras: number;
  readings: number;
  ratePerSecond: number;
  /** Kill the service and take the police down in the middle. */
  stormy: boolean;
  keep: boolean;
  clock: Clock;
  signal: AbortSignal;
  /** A line of the story. */
  tell(text: string): void;
  /** Where the readings are, several times a second. */
  show(progress: DemoProgress): void;
}

export interface DemoProgress {
  sent: number;
  /** Confirmed to the cameras: durable. A replay from a camera's SD card is not counted again. */
  durable: number;
  delivered: number;
  erased: number;
}

export interface DemoReport {
  folder: string | null;
  comparison: Comparison;
  /** Readings that a camera sent a second time, as from its SD card. */
  replays: number;
  refused: number;
  erased: number;
  filesSearched: number;
  traces: readonly Trace[];
}

const MUNICIPALITY = "Vila de Prova";
const FIRST_SERIAL = 2001008800;
const DRAIN_MS = 120_000;
const OUTAGE_MS = 3000;
const SHOW_EVERY_MS = 100;

/** The whole way in a temporary folder: cameras, the real service as a process of its own, the strict simulated police. */
export async function runDemo(options: DemoOptions): Promise<DemoReport> {
  const { clock, tell } = options;
  const folder = await mkdtemp(join(tmpdir(), "tattile-demo-"));
  await chmod(folder, 0o700);
  const steps: (() => Promise<unknown>)[] = [];
  try {
    tell(`Everything happens in ${folder}: certificates, settings, database, images, log.`);
    const pki = await createPki({ now: clock.now() });
    const mossos = await startMossos({ tls: pki.server, trustedCa: [pki.caPem], profile: "compat", clock });
    steps.push(() => mossos.close());
    tell(`The simulated police check every signature at ${mossos.url}`);
    const [transitPort = 0, apiPort = 0] = await findFreePorts(2);
    const envFile = await writeSettings(folder, transitPort, apiPort);
    const serials = Array.from({ length: options.cameras }, (_, index) => String(FIRST_SERIAL + index));
    await register(folder, envFile, pki, mossos, serials, clock);
    tell(`Registered with the tattile commands: 1 endpoint, 1 municipality with its PFX, ${serials.length} cameras`);
    const service = createDemoService({ envFile, logPath: join(folder, "service.log"), apiPort, clock });
    await service.start();
    steps.push(() => service.kill());
    tell(`The service runs: cameras on port ${transitPort}, health at http://127.0.0.1:${apiPort}/health`);

    const manifest: ManifestEntry[] = [];
    let shown = true;
    const showing = (async () => {
      while (shown) {
        options.show(await progressOf(folder, manifest, mossos));
        await clock.sleep(SHOW_EVERY_MS);
      }
    })();
    steps.push(async () => {
      shown = false;
      await showing;
    });
    const weather = options.stormy ? storm(options, service, mossos, manifest) : Promise.resolve();
    // Both are awaited below; until then a rejection that nobody waits for would end the process before its folder is erased.
    for (const awaited of [showing, weather]) awaited.catch(() => {});
    await runCameras({
      host: "127.0.0.1",
      port: transitPort,
      serials,
      seed: clock.now().getTime() % 0xffff,
      total: options.readings,
      ratePerSecond: options.ratePerSecond,
      protocol: "mixed",
      acknowledged: true,
      keepOpen: false,
      batch: 1,
      split: false,
      pauseMs: 0,
      shares: { replay: 0.03 },
      images: { ocrBytes: 30_000, ctxBytes: 200_000 },
      distinctImages: true,
      giveUpAfterMs: DRAIN_MS,
      timezone: "Europe/Madrid",
      clock,
      signal: options.signal,
      onSettled: (entry) => manifest.push(entry()),
    });
    await weather;
    tell("All readings are with the service; now the rest is delivered");
    await waitForEmptyQueue(apiPort, options);
    const exitCode = await service.stop();
    if (exitCode !== 0) tell(`The service stopped with exit code ${exitCode}`);
    options.show(await progressOf(folder, manifest, mossos));
    shown = false;
    await showing;

    const comparison = compareRecords(manifest, mossos.records.accepted(), readerOf);
    const plates = [...new Set(manifest.map(({ plate }) => plate))];
    const { files, traces } = await findTraces(folder, plates);
    const erased = plates.length - (await countWaiting(folder, envFile));
    return {
      folder: options.keep ? folder : null,
      comparison,
      replays: manifest.filter(({ kind }) => kind === "replay").length,
      refused: mossos.records.counts().refused,
      erased,
      filesSearched: files,
      traces,
    };
  } finally {
    for (const step of steps.reverse()) await step().catch(() => {});
    if (!options.keep) await rm(folder, { recursive: true, force: true });
  }
}

function readerOf(serial: string): string {
  return `DEMO-${serial.slice(-4)}`;
}

async function writeSettings(folder: string, transitPort: number, apiPort: number): Promise<string> {
  const path = join(folder, "tattile.env");
  // Root may not make it by a command where tattile is installed.
  await mkdir(join(folder, "data"), { mode: 0o750 });
  const lines = [
    `DATA_DIR=${folder}/data`,
    `TRANSIT_HOST=127.0.0.1`,
    `TRANSIT_PORT=${transitPort}`,
    `API_PORT=${apiPort}`,
    "SENDER_POLL_INTERVAL_SECONDS=1",
    // A demo on a nearly full disk should still show something.
    "DISK_MIN_FREE_BYTES=1048576",
    "LOG_LEVEL=info",
  ];
  await writeFile(path, `${lines.join("\n")}\n`, { mode: 0o600 });
  return path;
}

/** By the commands a technician would use, in processes of their own. */
async function register(
  folder: string,
  envFile: string,
  pki: Awaited<ReturnType<typeof createPki>>,
  mossos: MossosServer,
  serials: readonly string[],
  clock: Clock,
): Promise<void> {
  const client = await pki.issueClient({ organization: MUNICIPALITY });
  const password = `demo-${clock.now().getTime()}`;
  await writeFile(join(folder, "municipality.pfx"), client.pfx(password), { mode: 0o600 });
  await writeFile(join(folder, "pfx-password.txt"), `${password}\n`, { mode: 0o600 });
  await writeFile(join(folder, "ca.pem"), pki.caPem);
  const run = (...words: string[]): Promise<void> => runCommand(envFile, words);
  await run(
    "endpoint",
    "add",
    "police",
    mossos.url,
    "--ca",
    join(folder, "ca.pem"),
    "--wsdl",
    mossos.wsdlUrl,
    "--timeout-ms",
    "5000",
  );
  await run("municipality", "add", MUNICIPALITY, "--endpoint", "police");
  await run(
    "cert",
    "import",
    join(folder, "municipality.pfx"),
    "--municipality",
    MUNICIPALITY,
    "--password-file",
    join(folder, "pfx-password.txt"),
  );
  for (const serial of serials) {
    await run(
      "camera",
      "add",
      serial,
      "--reader",
      readerOf(serial),
      "--municipality",
      MUNICIPALITY,
      "--x",
      "430124.45",
      "--y",
      "4578123.45",
    );
  }
}

async function runCommand(envFile: string, words: readonly string[]): Promise<void> {
  const child = Bun.spawn([...ownCommand(), ...words, "--env-file", envFile], {
    env: cleanEnvironment(),
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const said = await new Response(child.stderr).text();
  if ((await child.exited) !== 0)
    throw new AppError("internal", `demo: tattile ${words.slice(0, 2).join(" ")}: ${said.trim()}`);
}

/** What a week on a roadside brings, in seconds: a third in, the power goes; two thirds in, the police are away. */
async function storm(
  options: DemoOptions,
  service: ReturnType<typeof createDemoService>,
  mossos: MossosServer,
  manifest: readonly ManifestEntry[],
): Promise<void> {
  const { clock, signal, tell } = options;
  const reached = async (share: number): Promise<boolean> => {
    while (!signal.aborted && manifest.length < options.readings * share) await clock.sleep(20, signal);
    return !signal.aborted;
  };
  if (!(await reached(1 / 3))) return;
  await service.kill();
  tell(
    `kill -9: the service is gone in mid-flight after ${manifest.length} messages; the cameras keep what was not confirmed`,
  );
  await clock.sleep(500, signal);
  await service.start();
  tell("The service is back");
  if (!(await reached(2 / 3))) return;
  await mossos.goDown(OUTAGE_MS);
  tell(`The police are away for ${OUTAGE_MS / 1000} s; readings wait, no attempt is spent`);
  await clock.sleep(OUTAGE_MS, signal);
  tell("The police are back");
}

async function waitForEmptyQueue(apiPort: number, { clock, signal }: DemoOptions): Promise<void> {
  const deadline = clock.monotonicMs() + DRAIN_MS;
  while (!signal.aborted && clock.monotonicMs() < deadline) {
    const health = await fetch(`http://127.0.0.1:${apiPort}/health`, { signal: AbortSignal.timeout(2000) })
      .then((answer) => answer.json() as Promise<Record<string, unknown>>)
      .catch(() => null);
    if (health !== null && health["total_readings"] === 0) return;
    await clock.sleep(200, signal);
  }
}

async function progressOf(
  folder: string,
  manifest: readonly ManifestEntry[],
  mossos: MossosServer,
): Promise<DemoProgress> {
  const durable = manifest.filter(({ kind, confirmed }) => kind === "reading" && confirmed).length;
  const { accepted } = mossos.records.counts();
  const waiting = await countImages(join(folder, "data/images"));
  const sent = manifest.filter(({ kind }) => kind === "reading").length;
  return { sent, durable, delivered: accepted, erased: Math.max(0, durable - waiting) };
}

/** Readings whose pictures are still there. */
async function countImages(folder: string): Promise<number> {
  const { readdir } = await import("node:fs/promises");
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  return names.filter((name) => name.endsWith("_ocr.jpg")).length;
}

async function countWaiting(folder: string, envFile: string): Promise<number> {
  const out = join(folder, "status.json");
  const child = Bun.spawn([...ownCommand(), "status", "--json", "--env-file", envFile], {
    env: cleanEnvironment(),
    stdin: "ignore",
    stdout: Bun.file(out),
    stderr: "ignore",
  });
  await child.exited;
  const status = JSON.parse(await readFile(out, "utf8")) as { queue?: { readings?: number } };
  return status.queue?.readings ?? 0;
}
