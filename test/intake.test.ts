import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseTattileXml } from "../src/camera/tattile-xml.ts";
import { AppError } from "../src/errors.ts";
import { openDiskStore } from "../src/images/disk.ts";
import { createIntake, type Intake } from "../src/intake.ts";
import { silentLog } from "../src/log.ts";
import type { Store } from "../src/store/store.ts";
import { messageOf } from "./support/queued-readings.ts";
import { addCameras, SqliteUnderTest, START, standingClock } from "./support/store-fixture.ts";

const KNOWN = "2001008851";

/** An intake whose store fails as `enqueue` says. */
async function openFailing(enqueue: (store: Store) => Store["enqueue"]) {
  const under = await SqliteUnderTest.open();
  await addCameras(under.store, KNOWN);
  const folder = mkdtempSync(join(tmpdir(), "tattile-intake-"));
  const images = openDiskStore(join(folder, "images"));
  const quarantine = openDiskStore(join(folder, "quarantine"));
  let number = 0;
  const intake = createIntake({
    store: { ...under.store, enqueue: enqueue(under.store) },
    images,
    quarantine,
    cameraTimezone: "Europe/Madrid",
    dedupeSecret: new Uint8Array(32),
    clock: standingClock(),
    log: silentLog,
    randomId: () => `${++number}`,
    onQueued() {},
  });
  return {
    intake,
    store: under.store,
    files: () =>
      readdirSync(folder, { recursive: true })
        .map(String)
        .filter((name) => /\.(msg|jpg)$/.test(name)),
    async [Symbol.asyncDispose]() {
      images.close();
      quarantine.close();
      await under[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function send(intake: Intake, serial: string, n: number): Promise<string> {
  const bytes = messageOf(serial, `${1000 + n}BCD`, n);
  const parsed = parseTattileXml(bytes);
  return intake
    .accept({ protocol: "tattile-xml", parsed, bytes, peer: "192.0.2.7", receivedAt: START, release() {} })
    .catch((error: Error) => error.message);
}

test("while the store fails a camera may send again and again: neither pictures nor held messages pile up", async () => {
  await using failing = await openFailing(() => async () => {
    throw new AppError("unavailable", "storing readings: disk full");
  });
  for (let n = 0; n < 3; n += 1) {
    expect(await send(failing.intake, "2001009999", n)).toBe("storing readings: disk full");
    expect(await send(failing.intake, KNOWN, n)).toBe("storing readings: disk full");
  }
  await failing.intake.drain();
  expect(failing.files()).toEqual([]);
});

test("files whose commit happened after all stay when its answer was lost", async () => {
  await using failing = await openFailing((store) => async (entries, now) => {
    await store.enqueue(entries, now);
    throw new AppError("unavailable", "storing readings: the connection broke");
  });
  expect(await send(failing.intake, "2001009999", 1)).toBe("storing readings: the connection broke");
  expect(await send(failing.intake, KNOWN, 1)).toBe("storing readings: the connection broke");
  await failing.intake.drain();
  const [held] = await failing.store.listQuarantine({}, 10);
  expect(failing.files()).toContain(join("quarantine", held?.path ?? "none"));
  expect(failing.files().filter((name) => name.endsWith(".jpg")).length).toBeGreaterThan(0);
});
