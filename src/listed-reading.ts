import type { captured } from "./format.ts";
import type { QueuedMessage } from "./store/messages.ts";

/** A message as somebody may see it: its plate whole, masked or not at all. */
export type ShownMessage = Omit<QueuedMessage, "plate" | "capturedAt"> &
  ReturnType<typeof captured> & { plate: string | null };

/** What a list of readings says of each: what was seen, not what becomes of it. */
export function listedReading(message: ShownMessage) {
  return {
    id: message.messageId,
    capturedAt: message.capturedAt,
    capturedWallClock: message.capturedWallClock,
    timeSource: message.timeSource,
    receivedAt: message.receivedAt,
    camera: message.cameraSerial,
    municipality: message.municipality,
    plate: message.plate,
    country: message.countryCode,
    direction: message.direction,
    lane: message.laneId,
    score: message.ocrScore,
    images: { ocr: message.hasOcrImage, ctx: message.hasCtxImage },
    state: message.status,
  };
}
