import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startAdoption } from "../src/adoption.ts";
import { DEFAULT_TAG_ALIASES } from "../src/camera/fields.ts";
import { AppError } from "../src/errors.ts";
import { openDiskStore } from "../src/images/disk.ts";
import type { ImageStore } from "../src/images/image-store.ts";
import { createIntake } from "../src/intake.ts";
import { type Log, silentLog } from "../src/log.ts";
import type { NewQuarantined } from "../src/store/store.ts";
import { createFakeClock } from "./support/fake-clock.ts";
import { messageOf } from "./support/queued-readings.ts";
import { addCameras, SqliteUnderTest, START } from "./support/store-fixture.ts";

const SERIAL = "2001008851";

/** Held messages of one camera that is registered by now, and an adoption that looks at them when the clock goes on. */
async function openHeld(count: number) {
  const clock = createFakeClock(START);
  const under = await SqliteUnderTest.open();
  const { store } = under;
  const folder = mkdtempSync(join(tmpdir(), "tattile-adoption-"));
  const images = openDiskStore(join(folder, "images"));
  const quarantine = openDiskStore(join(folder, "quarantine"));
  let number = 0;
  const intake = createIntake({
    store,
    images,
    quarantine,
    cameraTimezone: "Europe/Madrid",
    dedupeSecret: new Uint8Array(32),
    clock,
    log: silentLog,
    randomId: () => `${++number}`,
    onQueued() {},
  });
  for (let n = 1; n <= count; n += 1) {
    const bytes = messageOf(SERIAL, `${1000 + n}BCD`, n);
    await quarantine.put(`held/${n}`, bytes);
    const quarantined: NewQuarantined = {
      kind: "unregistered",
      reason: "no camera of this serial is registered",
      cameraSerial: SERIAL,
      protocol: "tattile-xml",
      peer: "192.0.2.7",
      receivedAt: START,
      sizeBytes: bytes.byteLength,
      path: `held/${n}`,
    };
    await store.enqueue([{ kind: "quarantine", quarantined }], START);
  }
  await addCameras(store, SERIAL);
  const said: string[] = [];
  const log: Log = { ...silentLog, warn: (text, fields) => said.push(`${text} ${JSON.stringify(fields)}`) };
  const reads: string[] = [];
  return {
    store,
    clock,
    said,
    reads,
    start(read: ImageStore["read"]) {
      const counted: ImageStore = {
        ...quarantine,
        read: (path) => {
          reads.push(path);
          return read(path);
        },
      };
      return startAdoption({
        store,
        quarantine: counted,
        intake,
        tagAliases: DEFAULT_TAG_ALIASES,
        onTurn() {},
        log,
        clock,
      });
    },
    quarantine,
    async waiting(): Promise<number> {
      return (await store.summarize()).byStatus.PENDING;
    },
    async [Symbol.asyncDispose]() {
      images.close();
      quarantine.close();
      await under[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function until(done: () => Promise<boolean>): Promise<void> {
  for (let n = 0; n < 1000 && !(await done()); n += 1) await Bun.sleep(5);
}

test("held messages that cannot be read keep none of the others back, and are told of once each", async () => {
  await using held = await openHeld(30);
  // A whole page of the list and more.
  const bad = Array.from({ length: 25 }, (_, n) => `held/${n + 1}`);
  const stop = held.start(async (path) => {
    if (bad.includes(path)) throw new AppError("unavailable", "reading an image: EIO");
    return held.quarantine.read(path);
  });
  await until(async () => (await held.waiting()) === 5);
  expect(await held.waiting()).toBe(5);
  for (let n = 0; n < 10; n += 1) {
    await held.clock.advance(3000);
    await Bun.sleep(5);
  }
  await stop();
  expect(held.said).toHaveLength(25);
  expect(held.said[0]).toContain('{"id":1,"error":"reading an image: EIO"}');
  expect((await held.store.listQuarantine({}, 100)).map(({ id }) => id)).toEqual(bad.map((_, n) => n + 1));
});

test("a message that failed is tried again, ever later, until it is taken up", async () => {
  await using held = await openHeld(1);
  let broken = true;
  const stop = held.start(async (path) => {
    if (broken) throw new TypeError("cannot read 1001BCD");
    return held.quarantine.read(path);
  });
  for (let n = 0; n < 20; n += 1) {
    await held.clock.advance(3000);
    await Bun.sleep(2);
  }
  const { length } = held.reads;
  expect(length).toBeGreaterThan(2);
  expect(length).toBeLessThan(10);
  broken = false;
  await until(async () => {
    await held.clock.advance(3000);
    return (await held.waiting()) === 1;
  });
  await stop();
  expect(await held.waiting()).toBe(1);
  expect(await held.store.listQuarantine({}, 10)).toEqual([]);
  // Whatever else the error says: the plate is not in the log.
  expect(held.said).toEqual([
    'a held message could not be taken up yet; it is tried again {"id":1,"error":"TypeError"}',
  ]);
});
