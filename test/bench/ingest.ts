import { Database } from "bun:sqlite";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
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
  WARM_UP,
} from "./gateway.ts";

/** What one connection's buffers may hold: so many more are sent than measured, so that the cameras work as long as the gateway. */
const BUFFERED = 40;

const FLAT_OUT = ["--flat-out", "--keep-open"];

/** Durable readings a second, as fast as cameras can send. */
export async function measureIngest(root: string, pki: Pki, connections: number, count: number, traced: boolean) {
  await using stack = new AsyncDisposableStack();
  const total = WARM_UP + count;
  const gateway = await openGateway({ root, task: "ingest", cameras: connections, endpoint: null, pki });
  stack.defer(() => gateway.close());
  const syncs = traced ? countSyncs(root, gateway.pid) : null;
  if (syncs !== null) await Bun.sleep(500);
  const writtenBefore = gateway.writtenBytes();
  const cameras = startCameras(gateway, connections, total + BUFFERED * connections, FLAT_OUT);
  stack.defer(() => cameras.stop());
  await until(async () => (await queuedIn(gateway.store)) >= WARM_UP, 180);
  const [startedAt, already, cpuBefore] = [performance.now(), await queuedIn(gateway.store), gateway.cpuMs()];
  await until(async () => (await queuedIn(gateway.store)) >= total, 180);
  const seconds = (performance.now() - startedAt) / 1000;
  const cpuMs = (gateway.cpuMs() - cpuBefore) / (total - already);
  // What was received beyond the measurement is on its way to the disk: counted only when all of it is there.
  await cameras.stop();
  let all = await queuedIn(gateway.store);
  for (let before = 0; before < all; all = await queuedIn(gateway.store)) {
    before = all;
    await Bun.sleep(500);
  }
  return {
    perSecond: (total - already) / seconds,
    group: all / countGroups(join(gateway.folder, "data", "tattile.db")),
    writtenPerByte: (gateway.writtenBytes() - writtenBefore) / (SENT_BYTES * all),
    cpuMs,
    syncsPerReading: syncs === null ? null : (await syncs()) / all,
  };
}

/** The same cameras at a loop that writes and syncs, but does not look at what it gets: see receiving-loop.ts. Readings a second. */
export async function measureReceivingLoop(root: string, connections: number, group: number, count: number) {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(root, "receiving-"));
  writeFileSync(join(folder, "tattile.env"), `DATA_DIR=${folder}\n`);
  const words = [folder, connections, WARM_UP, count, group].map(String);
  const child = Bun.spawn([process.execPath, new URL("receiving-loop.ts", import.meta.url).pathname, ...words]);
  stack.defer(() => child.kill());
  const reader = child.stdout.getReader();
  const nextLine = async () => new TextDecoder().decode((await reader.read()).value).trim();
  const port = Number(await nextLine());
  const cameras = startCameras({ port, folder }, connections, WARM_UP + count + BUFFERED * connections, FLAT_OUT);
  stack.defer(() => cameras.stop());
  const perSecond = Number(await nextLine());
  if (!(perSecond > 0)) throw new Error("the loop that also receives ended without a figure");
  return perSecond;
}

/** The same bytes in as many folders, and the same rows in the same tables, synced in the same groups, with nothing around them. */
export async function measureBareLoop(
  root: string,
  connections: number,
  group: number,
  total: number,
): Promise<number> {
  const folder = mkdtempSync(join(root, "bare-"));
  const sync = createFilesystemSync(folder, "6.1.0");
  const store = await openSqlite({ path: join(folder, "bare.db"), clock: systemClock });
  const serials = serialsOf(connections);
  await registerCameras(store, connections, null);
  for (const serial of serials) mkdirSync(join(folder, serial));
  const [ocr, ctx] = [Buffer.alloc(OCR_BYTES, 7), Buffer.alloc(CTX_BYTES, 7)];
  const startedAt = performance.now();
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
  await store.close();
  sync.close();
  return perSecond;
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
