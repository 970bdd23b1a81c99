import { Database } from "bun:sqlite";
import { closeSync, mkdtempSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { createFilesystemSync } from "../../src/images/filesystem-sync.ts";
import type { Pki } from "../../src/simulator/pki.ts";
import { CTX_BYTES, OCR_BYTES, openGateway, queuedIn, startCameras, until } from "./gateway.ts";

/** What `simulate camera` sends for each reading, of these sizes. */
const SENT_BYTES = ((OCR_BYTES + CTX_BYTES) * 4) / 3 + 600;

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
    writtenPerByte: (gateway.writtenBytes() - before.written) / (SENT_BYTES * total),
    cpuMs: (gateway.cpuMs() - before.cpuMs) / total,
    syncsPerReading: syncs === null ? null : (await syncs()) / total,
  };
}

/** The same bytes and rows in groups, with nothing around them: readings a second. */
export async function measureBareLoop(root: string, group: number, total: number): Promise<number> {
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
  return perSecond;
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
