import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, systemClock } from "../src/clock.ts";
import { loadConfig } from "../src/config.ts";
import { silentLog } from "../src/log.ts";
import { startService } from "../src/service.ts";
import { openSqlite } from "../src/store/sqlite.ts";
import { collectingLog } from "./support/api-fixture.ts";
import { addCameras, readingEntry } from "./support/store-fixture.ts";

/** Loops turn once: whoever sleeps for longer than a moment sleeps until it is stopped. */
const onceClock: Clock = {
  ...systemClock,
  sleep: (ms, signal) =>
    ms < 1000
      ? systemClock.sleep(ms, signal)
      : new Promise((resolve) => signal?.addEventListener("abort", () => resolve())),
};

test("cameras are not read from the first moment where the disk was nearly full at the first look", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tattile-service-"));
  const env = { DATA_DIR: folder, TRANSIT_PORT: "0", TRANSIT_HOST: "127.0.0.1" };
  const { config } = loadConfig({ env, installed: false });
  const logged: string[] = [];
  const service = await startService(
    ["ingest"],
    { ...config, diskMinFreeBytes: Number.MAX_SAFE_INTEGER },
    collectingLog(logged),
    onceClock,
  );
  const isHeld = (): boolean => logged.some((line) => line.startsWith("cameras are not being read"));
  for (let n = 0; n < 200 && !isHeld(); n += 1) await Bun.sleep(5);
  await service.stop();
  rmSync(folder, { recursive: true, force: true });
  expect(logged.filter((line) => line.startsWith("cameras are not being read"))).toEqual([
    expect.stringContaining("DISK_MIN_FREE_BYTES"),
  ]);
});

test("what was erased while the service ran is overwritten when it stops", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tattile-service-"));
  const env = { DATA_DIR: folder, TRANSIT_PORT: "0", TRANSIT_HOST: "127.0.0.1" };
  const { config } = loadConfig({ env, installed: false });
  // As long as somebody beside has the file open, its end does not empty the log by itself.
  const store = await openSqlite({ path: join(folder, "tattile.db"), clock: systemClock });
  await addCameras(store, "A");
  const erase = async (number: number): Promise<void> => {
    await store.enqueue([readingEntry(number, "A")], systemClock.now());
    await store.discardMessages({});
  };
  const isLeft = (plate: string): boolean => readFileSync(join(folder, "tattile.db-wal")).includes(plate);
  await erase(111_111);
  expect(isLeft("T111111")).toBe(true);
  const service = await startService(["ingest"], { ...config, diskMinFreeBytes: 0 }, silentLog, onceClock);
  // The loops have turned once, and do not again.
  for (let n = 0; n < 1000 && isLeft("T111111"); n += 1) await Bun.sleep(5);
  await erase(222_222);
  expect([isLeft("T111111"), isLeft("T222222")]).toEqual([false, true]);
  await service.stop();
  expect(isLeft("T222222")).toBe(false);
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});
