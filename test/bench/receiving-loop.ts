import { mkdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { createFilesystemSync } from "../../src/images/filesystem-sync.ts";
import { openSqlite } from "../../src/store/sqlite.ts";
import { readingEntry } from "../support/store-fixture.ts";
import { CTX_BYTES, OCR_BYTES, registerCameras, SENT_BYTES, serialsOf } from "./gateway.ts";

/**
 * A gateway that does not look at what it gets: for so many bytes received it writes two files and the rows of one reading,
 * and syncs them in groups, as many at once as came during the last sync. Arguments: folder, connections, readings before
 * and readings in the measurement, most in a group. Prints its port, then readings/s.
 */
const [folder = "", connections = "1", unmeasured = "0", measured = "1", mostInGroup = "1"] = process.argv.slice(2);
/** Readings of one connection that may wait, as in the gateway. */
const MOST_WAITING = 24;
const sync = createFilesystemSync(folder, "6.1.0");
const store = await openSqlite({ path: join(folder, "bare.db"), clock: systemClock });
const serials = serialsOf(Number(connections));
await registerCameras(store, serials.length, null);
for (const serial of serials) mkdirSync(join(folder, serial));
const [ocr, ctx] = [Buffer.alloc(OCR_BYTES, 7), Buffer.alloc(CTX_BYTES, 7)];

const total = Number(unmeasured) + Number(measured);
let arrived = 0;
let durable = 0;
let startedAt = 0;
let committing = false;
const group: { number: number; serial: string; done(): void }[] = [];

async function take(serial: string, done: () => void): Promise<void> {
  const number = arrived++;
  await writeFile(join(folder, serial, `${number}_ocr.jpg`), ocr, { flag: "wx" });
  await writeFile(join(folder, serial, `${number}_ctx.jpg`), ctx, { flag: "wx" });
  group.push({ number, serial, done });
  if (!committing) await commitGroups();
}

async function commitGroups(): Promise<void> {
  committing = true;
  while (group.length > 0) {
    const current = group.splice(0, Number(mostInGroup));
    await sync.sync(["all"]);
    await store.enqueue(
      current.map(({ number, serial }) => readingEntry(number, serial, { rawText: "x".repeat(600) })),
      new Date(),
    );
    durable += current.length;
    if (startedAt === 0 && durable >= Number(unmeasured)) startedAt = performance.now();
    for (const { done } of current) done();
    if (durable === total) {
      console.log(Number(measured) / ((performance.now() - startedAt) / 1000));
      process.exit();
    }
  }
  committing = false;
}

let connected = 0;
const server = createServer((socket: Socket) => {
  const serial = serials[connected++ % serials.length] ?? "";
  let bytes = 0;
  let waiting = 0;
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    bytes += chunk.length;
    while (bytes >= SENT_BYTES && arrived < total) {
      bytes -= SENT_BYTES;
      waiting += 1;
      void take(serial, () => {
        waiting -= 1;
        if (waiting < MOST_WAITING) socket.resume();
      });
    }
    if (waiting >= MOST_WAITING) socket.pause();
  });
});
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
