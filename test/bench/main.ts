import { Database } from "bun:sqlite";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { findFreePorts } from "../../src/demo-service.ts";
import { createFilesystemSync } from "../../src/images/filesystem-sync.ts";
import { runCameras } from "../../src/simulator/camera.ts";
import { buildTattileXml } from "../../src/simulator/camera-message.ts";
import { createPictures } from "../../src/simulator/picture.ts";
import { createPki } from "../../src/simulator/pki.ts";
import { buildFields } from "../../src/soap/envelope.ts";
import { loadIdentity, signEnvelope } from "../../src/soap/sign.ts";
import { builtinContract } from "../../src/soap/wsdl.ts";
import { openSqlite } from "../../src/store/sqlite.ts";
import type { Store } from "../../src/store/store.ts";
import { connectCamera } from "../support/camera-socket.ts";

/** Each figure beside its limit on this machine in this run. Nothing here passes or fails. */

const BINARY = new URL("../../dist/tattile", import.meta.url).pathname;
const OCR_BYTES = 30_000;
const CTX_BYTES = 200_000;
const root = mkdtempSync(join(tmpdir(), "tattile-bench-"));
const rows: [what: string, figure: string, limit: string, ratio: string][] = [];

interface Gateway {
  store: Store;
  port: number;
  pid: number;
  startMs: number;
  folder: string;
  close(): Promise<void>;
}

async function openGateway(task: "all" | "ingest", cameras: number, endpointUrl: string | null): Promise<Gateway> {
  const folder = mkdtempSync(join(root, "gateway-"));
  const [port = 0, apiPort = 0] = await findFreePorts(2);
  const envFile = join(folder, "tattile.env");
  const settings = { DATA_DIR: join(folder, "data"), TRANSIT_HOST: "127.0.0.1", TRANSIT_PORT: port, API_PORT: apiPort };
  writeFileSync(
    envFile,
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(""),
  );
  mkdirSync(settings.DATA_DIR);
  const store = await openSqlite({ path: join(folder, "data/tattile.db"), clock: systemClock });
  const pki = await createPki({ now: new Date() });
  const client = await pki.issueClient({ organization: "Bench" });
  writeFileSync(join(folder, "cert.pem"), client.certPem);
  writeFileSync(join(folder, "key.pem"), client.keyPem);
  if (endpointUrl !== null) {
    await store.saveEndpoint({
      name: "sink",
      url: endpointUrl,
      timeoutMs: 10_000,
      retryMax: 3,
      retryBackoffMs: 1000,
      profile: "compat",
      soapAction: null,
      caPath: null,
      timezone: null,
      wsdl: null,
      tlsClientCertificate: false,
    });
  }
  const endpointId = (await store.findEndpoint("sink"))?.id ?? null;
  await store.saveMunicipality({ name: "Bench", code: null, endpointId, certificateId: null, active: true });
  const municipalityId = (await store.findMunicipality("Bench"))?.id ?? 0;
  await store.addCertificate({
    name: "Bench",
    alias: null,
    municipalityId,
    clientCertPath: join(folder, "cert.pem"),
    keyPath: join(folder, "key.pem"),
    privpubPath: null,
    subject: null,
    serialNumber: null,
    fingerprint: null,
    validFrom: null,
    validTo: null,
    active: true,
  });
  for (const serial of serialsOf(cameras)) {
    await store.saveCamera({
      serial,
      readerCode: `R${serial.slice(-8)}`,
      description: null,
      municipalityId,
      endpointId: null,
      coordX: null,
      coordY: null,
      timezone: null,
      active: true,
    });
  }
  const startedAt = performance.now();
  const child = Bun.spawn([BINARY, "run", task, "--env-file", envFile], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  for (;;) {
    const camera = await connectCamera(port).catch(() => null);
    if (camera !== null) {
      await camera[Symbol.asyncDispose]();
      break;
    }
    await Bun.sleep(2);
  }
  const startMs = performance.now() - startedAt;
  return {
    store,
    port,
    pid: child.pid,
    startMs,
    folder,
    async close() {
      child.kill("SIGTERM");
      await child.exited;
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function serialsOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(3001000000 + index));
}

async function queued(store: Store): Promise<number> {
  return (await store.tallies()).filter(({ tally }) => tally === "queued").reduce((sum, { count }) => sum + count, 0);
}

/** Durable readings a second, and bytes written for each byte received. */
async function measureIngest(connections: number, total: number) {
  const gateway = await openGateway("ingest", connections, null);
  const syncs = connections === 16 ? countSyncs(gateway.pid) : null;
  await Bun.sleep(syncs === null ? 0 : 500);
  const writtenBefore = writtenBytes(gateway.pid);
  const startedAt = performance.now();
  const sending = runCameras({
    host: "127.0.0.1",
    port: gateway.port,
    serials: serialsOf(connections),
    seed: 1,
    total,
    ratePerSecond: null,
    protocol: "xml",
    acknowledged: false,
    keepOpen: true,
    batch: 1,
    split: false,
    pauseMs: 0,
    shares: {},
    images: { ocrBytes: OCR_BYTES, ctxBytes: CTX_BYTES },
    distinctImages: false,
    giveUpAfterMs: 60_000,
    timezone: "Europe/Madrid",
    clock: systemClock,
    signal: AbortSignal.timeout(120_000),
  });
  while ((await queued(gateway.store)) < total && performance.now() - startedAt < 120_000) await Bun.sleep(5);
  const seconds = (performance.now() - startedAt) / 1000;
  const { bytes } = await sending;
  const written = (writtenBytes(gateway.pid) - writtenBefore) / bytes;
  const syncCount = (await syncs?.()) ?? null;
  await gateway.close();
  return { perSecond: total / seconds, written, syncsPerReading: syncCount === null ? null : syncCount / total };
}

/** The same bytes and rows in groups, with nothing around them. */
async function measureBareLoop(group: number, total: number): Promise<number> {
  const folder = mkdtempSync(join(root, "bare-"));
  const sync = createFilesystemSync(folder, "6.1.0");
  const database = new Database(join(folder, "bare.db"));
  database.run("PRAGMA journal_mode = WAL");
  database.run("PRAGMA synchronous = FULL");
  database.run("CREATE TABLE reading (id INTEGER PRIMARY KEY, text TEXT)");
  const insert = database.prepare("INSERT INTO reading (text) VALUES (?)");
  const [ocr, ctx] = [Buffer.alloc(OCR_BYTES, 7), Buffer.alloc(CTX_BYTES, 7)];
  const startedAt = performance.now();
  for (let done = 0; done < total; done += group) {
    for (let n = 0; n < group; n++) {
      for (const [kind, bytes] of [["ocr", ocr] as const, ["ctx", ctx] as const]) {
        const file = openSync(join(folder, `${done + n}_${kind}.jpg`), "wx");
        writeSync(file, bytes);
        closeSync(file);
      }
    }
    await sync.sync(["all"]);
    database.transaction(() => {
      for (let n = 0; n < group; n++) insert.run("x".repeat(1000));
    })();
  }
  const perSecond = total / ((performance.now() - startedAt) / 1000);
  database.close();
  sync.close();
  rmSync(folder, { recursive: true, force: true });
  return perSecond;
}

function countSyncs(pid: number): () => Promise<number> {
  const log = join(root, "strace.log");
  const tracer = Bun.spawn(["strace", "-f", "-qq", "-e", "trace=fsync,fdatasync,syncfs", "-o", log, "-p", String(pid)]);
  return async () => {
    tracer.kill("SIGINT");
    await tracer.exited;
    return readFileSync(log, "utf8")
      .split("\n")
      .filter((line) => line.includes("= 0")).length;
  };
}

function writtenBytes(pid: number): number {
  return Number(/^write_bytes: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, "utf8"))?.[1]);
}

function rssMegabytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

async function measureSigning(): Promise<{ perSecond: number; openssl: number }> {
  const pki = await createPki({ now: new Date() });
  const client = await pki.issueClient({ organization: "Bench" });
  const identity = loadIdentity(client.certPem, client.keyPem);
  const fields = buildFields({
    readerCode: "R1",
    wall: { year: 2026, month: 1, day: 23, hour: 9, minute: 25, second: 57, millisecond: 0 },
    coordX: "430124.45",
    coordY: "4578123.45",
    reading: { plate: "1234BCD", brand: null, model: null, color: null, vehicleType: null, country: "ESP" },
  });
  const [ocrImage, ctxImage] = [Buffer.alloc(OCR_BYTES, 7), Buffer.alloc(CTX_BYTES, 7)];
  let signed = 0;
  const startedAt = performance.now();
  const work = async (): Promise<void> => {
    while (performance.now() - startedAt < 3000) {
      await signEnvelope({
        contract: builtinContract,
        fields,
        ocrImage,
        ctxImage,
        identity,
        profile: "compat",
        createdAt: new Date(),
        randomId: () => crypto.randomUUID(),
      });
      signed += 1;
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
  const perSecond = signed / ((performance.now() - startedAt) / 1000);
  const said = Bun.spawnSync(["openssl", "speed", "-seconds", "2", "rsa2048"]).stdout.toString();
  return { perSecond, openssl: Number(/rsa 2048 bits\s+\S+\s+\S+\s+([\d.]+)/.exec(said)?.[1]) };
}

/** From the camera's last byte to the first byte at the police, one reading a second. */
async function measureLatency(count: number) {
  const arrivals: number[] = [];
  const answer =
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><m:matriculaResponse xmlns:m="http://dgp.gencat.cat/matricules"><m:codiRetorn>1</m:codiRetorn></m:matriculaResponse></s:Body></s:Envelope>';
  const server = createServer((request, response) => {
    arrivals.push(performance.now());
    request.resume();
    request.on("end", () => response.writeHead(200, { "content-type": "text/xml" }).end(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const gateway = await openGateway("all", 1, `http://127.0.0.1:${port}/matr-ws`);
  const [serial = ""] = serialsOf(1);
  const pictures = createPictures({ ocrBytes: OCR_BYTES, ctxBytes: CTX_BYTES }, 1, true);
  await Bun.sleep(1500);
  const idleMegabytes = rssMegabytes(gateway.pid);
  const waits: number[] = [];
  for (let n = 0; n < count; n++) {
    const pieces = buildTattileXml({
      serial,
      plate: `${1000 + n}BCD`,
      date: "2026-01-23",
      time: `09-25-57-${100 + n}`,
      transitId: n,
      ...pictures(n),
    });
    await using camera = await connectCamera(gateway.port);
    await camera.write(Buffer.concat(pieces));
    const sentAt = performance.now();
    await Bun.sleep(1000);
    const arrived = arrivals[n];
    if (arrived !== undefined) waits.push(arrived - sentAt);
  }
  const cpu = readFileSync(`/proc/${gateway.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  const cpuMs = (Number(cpu[11]) + Number(cpu[12])) * 10;
  await gateway.close();
  server.close();
  waits.sort((a, b) => a - b);
  const at = (share: number): number =>
    waits[Math.min(waits.length - 1, Math.floor(waits.length * share))] ?? Number.NaN;
  return {
    median: at(0.5),
    worst: at(0.99),
    idleMegabytes,
    startMs: gateway.startMs,
    cpuMs: cpuMs / count,
    arrived: waits.length,
  };
}

function add(what: string, figure: string, limit = "", ratio = ""): void {
  rows.push([what, figure, limit, ratio]);
  console.error(`${what}: ${figure} ${limit} ${ratio}`);
}

try {
  for (const [connections, group, total] of [
    [1, 8, 600],
    [16, 16, 2400],
    [200, 64, 2400],
  ] as const) {
    const bare = await measureBareLoop(group, total);
    const { perSecond, written, syncsPerReading } = await measureIngest(connections, total);
    const name = `ingest flat out, ${connections} connection${connections === 1 ? "" : "s"}`;
    add(
      name,
      `${perSecond.toFixed(0)} readings/s`,
      `${bare.toFixed(0)}/s bare, groups of ${group}`,
      (perSecond / bare).toFixed(2),
    );
    add(`${name}: bytes written per byte received`, written.toFixed(2));
    if (syncsPerReading !== null) add(`${name}: syncs per reading`, syncsPerReading.toFixed(2));
  }
  const signing = await measureSigning();
  add(
    "signing",
    `${signing.perSecond.toFixed(0)} messages/s`,
    `${signing.openssl.toFixed(0)}/s RSA-2048 alone`,
    (signing.perSecond / signing.openssl).toFixed(2),
  );
  const latency = await measureLatency(30);
  add("last byte in to first byte out, 1 reading/s: median", `${latency.median.toFixed(1)} ms`);
  add("the same: slowest of 30", `${latency.worst.toFixed(1)} ms`);
  add("resident memory, idle", `${latency.idleMegabytes.toFixed(0)} MB`);
  add("start to listening", `${latency.startMs.toFixed(0)} ms`);
  add("CPU per reading, whole way, start included", `${latency.cpuMs.toFixed(1)} ms`);
  console.log("| what | figure | limit in the same run | ratio |\n|---|---|---|---|");
  for (const row of rows) console.log(`| ${row.join(" | ")} |`);
} finally {
  rmSync(root, { recursive: true, force: true });
}
