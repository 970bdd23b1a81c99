import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseTattileXml } from "../../src/camera/tattile-xml.ts";
import { systemClock } from "../../src/clock.ts";
import { openDiskStore } from "../../src/images/disk.ts";
import { createIntake } from "../../src/intake.ts";
import { silentLog } from "../../src/log.ts";
import { openStore } from "../../src/store/open.ts";
import type { IntakeResult, Store } from "../../src/store/store.ts";

const SAMPLE = readFileSync(new URL("../fixtures/samples/read-full.xml", import.meta.url), "latin1");

/** A real message of a camera, of another serial, plate and time than the sample. */
export function messageOf(serial: string, plate: string, second: number): Buffer {
  const text = SAMPLE.replace(/<DEVICE_SN>[^<]*/, `<DEVICE_SN>${serial}`)
    .replace(/<PLATE_STRING>[^<]*/, `<PLATE_STRING>${plate}`)
    .replace(
      /<TIME>[^<]*/,
      `<TIME>10-${String(Math.floor(second / 60)).padStart(2, "0")}-${String(second % 60).padStart(2, "0")}-000`,
    );
  return Buffer.from(text, "latin1");
}

/** Takes messages in by the real intake, as the service would, below `dataDir`. */
export async function takeIn(dataDir: string, messages: readonly Buffer[]): Promise<readonly IntakeResult[]> {
  return withStore(dataDir, async (store) => {
    const images = openDiskStore(join(dataDir, "images"));
    const quarantine = openDiskStore(join(dataDir, "quarantine"));
    let number = 0;
    const intake = createIntake({
      store,
      images,
      quarantine,
      cameraTimezone: "Europe/Madrid",
      dedupeSecret: new Uint8Array(32),
      clock: systemClock,
      log: silentLog,
      randomId: () => `held-${++number}-${process.hrtime.bigint()}`,
      onQueued() {},
    });
    // One after the other: only a camera's own messages keep their order by themselves.
    const results: IntakeResult[] = [];
    for (const bytes of messages) {
      results.push(
        await intake.accept({
          protocol: "tattile-xml",
          parsed: parseTattileXml(bytes),
          bytes,
          peer: "192.0.2.7",
          receivedAt: new Date(),
          release() {},
        }),
      );
    }
    await intake.drain();
    images.close();
    quarantine.close();
    return results;
  });
}

export async function withStore<T>(dataDir: string, use: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore({ databasePath: join(dataDir, "tattile.db") });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}
