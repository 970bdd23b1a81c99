import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { loadConfig } from "../../src/config.ts";
import { findFreePorts } from "../../src/demo-service.ts";
import { type CameraOptions, type ManifestEntry, runCameras } from "../../src/simulator/camera.ts";
import { compareRecords } from "../../src/simulator/comparison.ts";
import { type MossosServer, startMossos } from "../../src/simulator/mossos.ts";
import { createPki, type Pki } from "../../src/simulator/pki.ts";
import { openStore } from "../../src/store/open.ts";

/** The compiled binary; `npm test` builds it first. */
const BINARY = new URL("../../dist/tattile", import.meta.url).pathname;

export interface ServiceProcess {
  pid: number;
  kill(): Promise<void>;
  /** SIGTERM. @returns exit code and how long it took */
  stop(): Promise<{ exitCode: number | null; ms: number }>;
}

/** One gateway in a temporary folder: the compiled binary, its settings, and strict simulated police over HTTPS. */
export interface Site extends AsyncDisposable {
  folder: string;
  mossos: MossosServer;
  /** Whose clients the police trust. */
  pki: Pki;
  transitPort: number;
  /** Of the dashboard and the API. */
  url: string;
  manifest: ManifestEntry[];
  /** Runs a command of the binary with this site's settings. */
  run(...words: string[]): Promise<{ exitCode: number | null; stdout: string; stderr: string }>;
  addCameras(...serials: string[]): Promise<void>;
  /**
   * Starts `run TASK` and waits until it listens.
   * @param settings that differ from the site's: another machine of it
   * @param words before the command, which replace themselves by it: where it runs
   */
  start(
    task?: "all" | "ingest" | "sender" | "api",
    settings?: Readonly<Record<string, string>>,
    words?: readonly string[],
  ): Promise<ServiceProcess>;
  /** Sends as cameras do; what was sent goes to the manifest. */
  send(change: Partial<CameraOptions> & { serials: readonly string[]; total: number }): ReturnType<typeof runCameras>;
  /** Waits until the health report is so. */
  until(condition: (health: Record<string, number>) => boolean, timeoutMs?: number): Promise<void>;
  compare(): ReturnType<typeof compareRecords>;
  log(): string;
}

const readerOf = (serial: string): string => `R-${serial.slice(-8)}`;

/**
 * @param settings lines of the settings file that differ from the site's own
 * @param before what is done first, in place of registering a municipality with its endpoint and certificate
 * @param policeHost where the police listen, and what their certificate says
 */
export async function openSite(
  settings: Readonly<Record<string, string>> = {},
  before?: (site: { folder: string; pki: Pki; mossosUrl: string }) => Promise<void>,
  policeHost = "127.0.0.1",
): Promise<Site> {
  if (!existsSync(BINARY)) throw new Error(`${BINARY} is missing: run scripts/build.sh`);
  const folder = mkdtempSync(join(tmpdir(), "tattile-e2e-"));
  const pki = await createPki({ now: new Date(), hosts: [policeHost, "localhost"] });
  const mossos = await startMossos({ host: policeHost, tls: pki.server, trustedCa: [pki.caPem], profile: "compat" });
  const [transitPort = 0, apiPort = 0] = await findFreePorts(2);
  const envFile = join(folder, "tattile.env");
  const lines = {
    DATA_DIR: join(folder, "data"),
    TRANSIT_HOST: "127.0.0.1",
    TRANSIT_PORT: String(transitPort),
    API_PORT: String(apiPort),
    SENDER_POLL_INTERVAL_SECONDS: "1",
    DISK_MIN_FREE_BYTES: "1048576",
    ...settings,
  };
  const text = Object.entries(lines).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(envFile, text.join(""));
  const environment = { PATH: process.env["PATH"] ?? "", TMPDIR: process.env["TMPDIR"] ?? "/tmp" };
  const running = new Set<Bun.Subprocess>();
  const logPath = join(folder, "service.log");
  const log = (): string => (existsSync(logPath) ? readFileSync(logPath, "utf8") : "");

  const run: Site["run"] = async (...words) => {
    const child = Bun.spawn([BINARY, ...words, "--env-file", envFile], {
      env: environment,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    return { exitCode: await child.exited, stdout, stderr };
  };
  const must = async (...words: string[]): Promise<void> => {
    const { exitCode, stderr } = await run(...words);
    if (exitCode !== 0) throw new Error(`tattile ${words.slice(0, 2).join(" ")}: exit ${exitCode}: ${stderr}`);
  };

  writeFileSync(join(folder, "ca.pem"), pki.caPem);
  if (before === undefined) await register();
  else await before({ folder, pki, mossosUrl: mossos.url });

  async function register(): Promise<void> {
    const client = await pki.issueClient({ organization: "Vila" });
    const file = (name: string): string => join(folder, name);
    writeFileSync(file("vila.pfx"), client.pfx("secret"));
    writeFileSync(file("pfx.txt"), "secret\n");
    const limits = ["--timeout-ms", "2000", "--retry-backoff-ms", "200"];
    await must("endpoint", "add", "police", mossos.url, "--ca", file("ca.pem"), ...limits);
    await must("municipality", "add", "Vila", "--endpoint", "police");
    await must("cert", "import", file("vila.pfx"), "--municipality", "Vila", "--password-file", file("pfx.txt"));
  }

  const site: Site = {
    folder,
    mossos,
    pki,
    transitPort,
    url: `http://127.0.0.1:${apiPort}`,
    manifest: [],
    run,
    async addCameras(...serials) {
      const store = await openStore(loadConfig({ env: {}, envFile }).config);
      const municipality = await store.findMunicipality("Vila");
      for (const serial of serials) {
        await store.saveCamera({
          serial,
          readerCode: readerOf(serial),
          description: null,
          municipalityId: municipality?.id ?? 0,
          endpointId: null,
          coordX: "430124.45",
          coordY: "4578123.45",
          timezone: null,
          active: true,
        });
      }
      await store.close();
    },
    async start(task = "all", different = {}, words = []) {
      const before = log().length;
      const descriptor = openSync(logPath, "a");
      const child = Bun.spawn([...words, BINARY, "run", task, "--env-file", envFile], {
        env: { ...environment, ...different },
        stdin: "ignore",
        stdout: descriptor,
        stderr: descriptor,
      });
      closeSync(descriptor);
      running.add(child);
      const ready = { all: "for HTTP", api: "for HTTP", ingest: "for cameras", sender: "tattile starts" }[task];
      for (let n = 0; !log().slice(before).includes(ready); n++) {
        if (child.exitCode !== null || n > 500) throw new Error(`the service did not start: ${log()}`);
        await Bun.sleep(20);
      }
      const end = async (signal: "SIGKILL" | "SIGTERM") => {
        const startedAt = performance.now();
        child.kill(signal);
        await child.exited;
        running.delete(child);
        return { exitCode: child.exitCode, ms: performance.now() - startedAt };
      };
      return { pid: child.pid, kill: async () => void (await end("SIGKILL")), stop: () => end("SIGTERM") };
    },
    send(change) {
      return runCameras({
        host: "127.0.0.1",
        port: transitPort,
        seed: 1,
        ratePerSecond: null,
        protocol: "xml",
        acknowledged: true,
        keepOpen: false,
        batch: 1,
        split: false,
        pauseMs: 0,
        shares: {},
        images: { ocrBytes: 3000, ctxBytes: 20_000 },
        distinctImages: true,
        giveUpAfterMs: 30_000,
        timezone: "Europe/Madrid",
        clock: systemClock,
        signal: AbortSignal.timeout(90_000),
        onSettled: (entry) => site.manifest.push(entry()),
        ...change,
      });
    },
    async until(condition, timeoutMs = 30_000) {
      const deadline = Date.now() + timeoutMs;
      let last: unknown = null;
      while (Date.now() < deadline) {
        try {
          const answer = await fetch(`http://127.0.0.1:${apiPort}/health`, { signal: AbortSignal.timeout(5000) });
          const health = (await answer.json()) as Record<string, number>;
          if (condition(health)) return;
          last = health;
        } catch (error) {
          last = String(error);
        }
        await Bun.sleep(50);
      }
      throw new Error(`still not so after ${timeoutMs} ms: ${JSON.stringify(last)}\n${log()}`);
    },
    compare: () => compareRecords(site.manifest, mossos.records.accepted(), readerOf),
    log,
    async [Symbol.asyncDispose]() {
      for (const child of running) {
        child.kill("SIGKILL");
        await child.exited;
      }
      await mossos.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return site;
}

/** Nothing is stored any more: all was delivered and erased. */
export const isEmpty = (health: Record<string, number>): boolean =>
  health["total_readings"] === 0 && health["spool_waiting"] === 0;
