import { Database } from "bun:sqlite";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { createFilesystemSync } from "../../src/images/filesystem-sync.ts";
import type { Pki } from "../../src/simulator/pki.ts";
import { openSqlite } from "../../src/store/sqlite.ts";
import { readingEntry } from "../support/store-fixture.ts";
import {
  CTX_BYTES,
  OCR_BYTES,
  openGateway,
  queuedIn,
  registerCameras,
  SENT_BYTES,
  serialsOf,
  startCameras,
  until,
} from "./gateway.ts";

/** Durable readings a second, as fast as cameras can send. */
export async function measureIngest(root: string, pki: Pki, connections: number, total: number, traced: boolean) {
  await using stack = new AsyncDisposableStack();
  const gateway = await openGateway({ root, task: "ingest", cameras: connections, endpoint: null, pki });
  stack.defer(() => gateway.close());
  const syncs = traced ? countSyncs(root, gateway.pid) : null;
  if (syncs !== null) await Bun.sleep(500);
  const before = { written: gateway.writtenBytes(), cpuMs: gateway.cpuMs() };
  const cameras = startCameras(gateway, connections, total, ["--flat-out", "--keep-open"]);
  stack.defer(() => cameras.stop());
  await until(async () => (await queuedIn(gateway.store)) > 0, 60);
  const [startedAt, already] = [performance.now(), await queuedIn(gateway.store)];
  await until(async () => (await queuedIn(gateway.store)) >= total, 180);
  const seconds = (performance.now() - startedAt) / 1000;
  return {
    perSecond: (total - already) / seconds,
    group: total / countGroups(join(gateway.folder, "data", "tattile.db")),
    writtenPerByte: (gateway.writtenBytes() - before.written) / (SENT_BYTES * total),
    cpuMs: (gateway.cpuMs() - before.cpuMs) / total,
    syncsPerReading: syncs === null ? null : (await syncs()) / total,
  };
}

/** How fast a part of the way goes alone, and what it costs. */
interface Part {
  perSecond: number;
  /** CPU of all processes for one reading. */
  cpuMs: number;
}

/** Of this process, ms. */
function cpuUsed(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** The same cameras at a server that throws everything away: nothing decoded, written or synced. */
export async function measureReceiving(root: string, connections: number, total: number): Promise<Part> {
  const cpuBefore = cpuUsed();
  let firstByteAt = 0;
  let bytes = 0;
  const server = createServer((socket) => {
    socket.on("data", (chunk) => {
      firstByteAt ||= performance.now();
      bytes += chunk.length;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const folder = mkdtempSync(join(root, "receiving-"));
  writeFileSync(join(folder, "tattile.env"), `DATA_DIR=${folder}\n`);
  const { port } = server.address() as AddressInfo;
  const cameras = startCameras({ port, folder }, connections, total, ["--flat-out", "--keep-open"]);
  const code = await cameras.done;
  const seconds = (performance.now() - firstByteAt) / 1000;
  server.close();
  if (code !== 0 || bytes < SENT_BYTES * total * 0.9) throw new Error("the cameras did not send everything");
  return { perSecond: total / seconds, cpuMs: (cpuUsed() - cpuBefore + cameras.cpuMs()) / total };
}

/** The same bytes in as many folders, and the same rows in the same tables, synced in the same groups, with nothing around them. */
export async function measureBareLoop(root: string, connections: number, group: number, total: number): Promise<Part> {
  const folder = mkdtempSync(join(root, "bare-"));
  const sync = createFilesystemSync(folder, "6.1.0");
  const store = await openSqlite({ path: join(folder, "bare.db"), clock: systemClock });
  const serials = serialsOf(connections);
  await registerCameras(store, connections, null);
  for (const serial of serials) mkdirSync(join(folder, serial));
  const [ocr, ctx] = [Buffer.alloc(OCR_BYTES, 7), Buffer.alloc(CTX_BYTES, 7)];
  const [startedAt, cpuBefore] = [performance.now(), cpuUsed()];
  for (let done = 0; done < total; done += group) {
    const entries = Array.from({ length: group }, (_, n) => {
      const serial = serials[(done + n) % connections] ?? "";
      for (const [kind, bytes] of [["ocr", ocr] as const, ["ctx", ctx] as const]) {
        const file = openSync(join(folder, serial, `${done + n}_${kind}.jpg`), "wx");
        writeSync(file, bytes);
        closeSync(file);
      }
      return readingEntry(done + n, serial, { rawText: "x".repeat(600) });
    });
    await sync.sync(["all"]);
    await store.enqueue(entries, new Date());
  }
  const perSecond = total / ((performance.now() - startedAt) / 1000);
  const cpuMs = (cpuUsed() - cpuBefore) / total;
  await store.close();
  sync.close();
  return { perSecond, cpuMs };
}

/** Commits that queued something: each gives its messages one moment. */
function countGroups(path: string): number {
  using database = new Database(path, { readonly: true });
  return (
    database.query<{ count: number }, []>("SELECT count(DISTINCT updated_at) AS count FROM messages_queue").get()
      ?.count ?? 1
  );
}

function countSyncs(root: string, pid: number): () => Promise<number> {
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
