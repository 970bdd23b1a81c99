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
export function dedupeKey(reading: CameraReading, secret: Uint8Array): Uint8Array {
  const { wallClock, facts } = reading;
  const hmac = createHmac("sha256", secret);
  // JSON keeps the values apart: no two lists of values give the same text.
  hmac.update(
    JSON.stringify([reading.cameraSerial, wallClock === null ? null : Object.values(wallClock), factList(facts)]),
  );
  for (const image of [reading.ocrImage, reading.ctxImage]) {
    hmac.update(image === null ? "-" : `${image.byteLength}:`);
    if (image !== null) hmac.update(image);
  }
  return hmac.digest().subarray(0, DEDUPE_KEY_BYTES);
}

function factList(facts: CameraReading["facts"]): unknown[] {
  return Object.entries(facts).sort(([a], [b]) => (a < b ? -1 : 1));
}
