import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, systemClock } from "../src/clock.ts";
import { loadConfig } from "../src/config.ts";
import { startService } from "../src/service.ts";
import { collectingLog } from "./support/api-fixture.ts";

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
