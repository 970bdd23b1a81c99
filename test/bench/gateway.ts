import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { findFreePorts } from "../../src/demo-service.ts";
import type { Pki } from "../../src/simulator/pki.ts";
import { openSqlite } from "../../src/store/sqlite.ts";
import type { Store } from "../../src/store/store.ts";
import { connectCamera } from "../support/camera-socket.ts";
import { addCamera, addMunicipality, newCertificate, newEndpoint } from "../support/store-fixture.ts";

const BINARY = new URL("../../dist/tattile", import.meta.url).pathname;
export const OCR_BYTES = 30_000;
export const CTX_BYTES = 200_000;
/** What `simulate camera` sends for each reading, of these sizes. */
export const SENT_BYTES = ((OCR_BYTES + CTX_BYTES) * 4) / 3 + 600;

/**
 * Readings or messages before anything is measured: a gateway runs for months, and what is compiled and what is not is
 * settled after its first seconds. The limits that are programs of their own go as far before they are measured.
 */
export const WARM_UP = 2000;

/** The compiled binary on a store of its own, and what the system says about its process. */
export interface Gateway {
  store: Store;
  port: number;
  folder: string;
  /** From the start of the process until its camera port answers; null: it has none. */
  startMs: number | null;
  cpuMs(): number;
  residentMegabytes(): number;
  /** Bytes the process made the disk write. */
  writtenBytes(): number;
  pid: number;
  close(): Promise<void>;
}

export interface GatewayOptions {
  root: string;
  task: "all" | "ingest" | "sender";
  cameras: number;
  endpoint: { url: string; caPath: string | null } | null;
  pki: Pki;
  /** Before the process starts. */
  prepare?(store: Store, data: string): Promise<void>;
}

export function serialsOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(3001000000 + index));
}

/** Leaves its folder where it is: a file system that has just erased thousands of files creates new ones slowly. */
export async function openGateway({ root, task, cameras, endpoint, pki, prepare }: GatewayOptions): Promise<Gateway> {
  const folder = mkdtempSync(join(root, "gateway-"));
  const data = join(folder, "data");
  const [port = 0, apiPort = 0] = await findFreePorts(2);
  const envFile = join(folder, "tattile.env");
  const settings = { DATA_DIR: data, TRANSIT_HOST: "127.0.0.1", TRANSIT_PORT: port, API_PORT: apiPort };
  writeFileSync(
    envFile,
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(""),
  );
  mkdirSync(data);
  const store = await openSqlite({ path: join(data, "tattile.db"), clock: systemClock });
  await register(store, folder, cameras, endpoint, pki);
  await prepare?.(store, data);
  const startedAt = performance.now();
  const child = Bun.spawn([BINARY, "run", task, "--env-file", envFile], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: Bun.file(join(folder, "log")),
  });
  const startMs = task === "sender" ? null : await answered(port, startedAt);
  const readProc = (name: string): string => readFileSync(`/proc/${child.pid}/${name}`, "utf8");
  return {
    store,
    port,
    folder,
    startMs,
    pid: child.pid,
    cpuMs() {
      const fields = readProc("stat").split(") ")[1]?.split(" ") ?? [];
      return (Number(fields[11]) + Number(fields[12])) * 10;
    },
    residentMegabytes: () => Number(/VmRSS:\s+(\d+)/.exec(readProc("status"))?.[1]) / 1024,
    writtenBytes: () => Number(/^write_bytes: (\d+)/m.exec(readProc("io"))?.[1]),
    async close() {
      child.kill("SIGTERM");
      await child.exited;
      await store.close();
    },
  };
}

async function answered(port: number, startedAt: number): Promise<number> {
  for (;;) {
    const camera = await connectCamera(port).catch(() => null);
    if (camera !== null) {
      await camera[Symbol.asyncDispose]();
      return performance.now() - startedAt;
    }
    if (performance.now() - startedAt > 60_000) throw new Error("the gateway does not listen");
    await Bun.sleep(2);
  }
}

async function register(
  store: Store,
  folder: string,
  cameras: number,
  endpoint: GatewayOptions["endpoint"],
  pki: Pki,
): Promise<void> {
  const client = await pki.issueClient({ organization: "Bench" });
  writeFileSync(join(folder, "cert.pem"), client.certPem);
  writeFileSync(join(folder, "key.pem"), client.keyPem);
  if (endpoint !== null) await store.saveEndpoint(newEndpoint("Sink", { ...endpoint, timeoutMs: 10_000 }));
  const endpointId = (await store.findEndpoint("Sink"))?.id ?? null;
  await store.saveMunicipality({ name: "Bench", code: null, endpointId, certificateId: null, active: true });
  const municipalityId = (await store.findMunicipality("Bench"))?.id ?? 0;
  await store.addCertificate(
    newCertificate("Bench", {
      municipalityId,
      clientCertPath: join(folder, "cert.pem"),
      keyPath: join(folder, "key.pem"),
    }),
  );
  await registerCameras(store, cameras, municipalityId);
}

/** @param municipalityId null: of a municipality of their own */
export async function registerCameras(store: Store, cameras: number, municipalityId: number | null): Promise<void> {
  const id = municipalityId ?? (await addMunicipality(store, "Bare", null));
  for (const serial of serialsOf(cameras)) await addCamera(store, serial, id);
}

/** Cameras in a process of their own. @param pace flags of `simulate camera`. @returns what stops them, or waits for their end */
export function startCameras(
  gateway: Pick<Gateway, "port" | "folder">,
  cameras: number,
  count: number,
  pace: readonly string[],
) {
  const [serial = ""] = serialsOf(1);
  const words = ["simulate", "camera", "--port", gateway.port, "--serial", serial, "--cameras", cameras];
  const sizes = ["--ocr-bytes", OCR_BYTES, "--ctx-bytes", CTX_BYTES];
  const settings = ["--env-file", join(gateway.folder, "tattile.env")];
  const child = Bun.spawn([BINARY, ...[...words, "--count", count, ...pace, ...sizes, ...settings].map(String)], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: Bun.file(join(gateway.folder, "cameras.log")),
  });
  return {
    /** Their exit code, once they have sent everything. */
    done: child.exited,
    /** CPU they took, once they have ended. */
    cpuMs: (): number => Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1000,
    async stop(): Promise<void> {
      child.kill("SIGTERM");
      await child.exited;
    },
  };
}

/** Waits until `reached`, at most `seconds`. @returns ms it took */
export async function until(reached: () => Promise<boolean> | boolean, seconds: number): Promise<number> {
  const startedAt = performance.now();
  while (!(await reached())) {
    if (performance.now() - startedAt > seconds * 1000) throw new Error(`not reached within ${seconds} s`);
    await Bun.sleep(10);
  }
  return performance.now() - startedAt;
}

/** Readings that became durable so far. */
export async function queuedIn(store: Store): Promise<number> {
  return (await store.tallies()).filter(({ tally }) => tally === "queued").reduce((sum, { count }) => sum + count, 0);
}
