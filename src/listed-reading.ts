import type { QueuedMessage } from "./store/store.ts";

/** What a list of readings says of each: what was seen, not what becomes of it. The plate is as the asker may see it. */
export function listedReading<P extends string | null>(message: Omit<QueuedMessage, "plate">, plate: P) {
  return {
    id: message.messageId,
    capturedAt: message.capturedAt,
    timeSource: message.timeSource,
    receivedAt: message.receivedAt,
    camera: message.cameraSerial,
    municipality: message.municipality,
    plate,
    country: message.countryCode,
    direction: message.direction,
    lane: message.laneId,
    score: message.ocrScore,
    images: { ocr: message.hasOcrImage, ctx: message.hasCtxImage },
    state: message.status,
  };
}
