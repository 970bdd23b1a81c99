import { createHmac } from "node:crypto";
import type { CameraReading } from "./reading.ts";

/** Half of a SHA-256: enough for 10^12 readings, and half the index. */
export const DEDUPE_KEY_BYTES = 16;

/**
 * What makes two readings the same: camera, the camera's own time, plate, transit id, every other fact, and the pictures.
 * A replay from the SD card is equal in all of it; whatever differs in anything is another reading, since losing one is
 * worse than delivering it twice. Keyed, because what remains after erasure must not tell which plate it was.
 * @param secret the installation's own key
 */
export function createDedupeKey(secret: Uint8Array): (reading: CameraReading) => Uint8Array {
  const seeds = createHmac("sha256", secret).update("pictures").digest();
  const [first, second] = [seeds.readBigUInt64LE(0), seeds.readBigUInt64LE(8)];

  // Two seeded 64-bit hashes, not SHA-256: that would be a third of a small gateway's work for a reading. They only have
  // to tell apart pictures of one camera, millisecond and plate, and no one can aim at them without the seeds.
  const pictureMark = (image: Uint8Array | null): unknown =>
    image === null
      ? null
      : [image.byteLength, `${Bun.hash.xxHash3(image, first)}`, `${Bun.hash.xxHash3(image, second)}`];

  return ({ cameraSerial, wallClock, facts, ocrImage, ctxImage }) => {
    // JSON keeps the values apart: no two lists of values give the same text.
    const content = JSON.stringify([
      cameraSerial,
      wallClock === null ? null : Object.values(wallClock),
      factList(facts),
      pictureMark(ocrImage),
      pictureMark(ctxImage),
    ]);
    return createHmac("sha256", secret).update(content).digest().subarray(0, DEDUPE_KEY_BYTES);
  };
}

function factList(facts: CameraReading["facts"]): unknown[] {
  return Object.entries(facts).sort(([a], [b]) => (a < b ? -1 : 1));
}
