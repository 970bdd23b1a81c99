import { captureTime } from "./capture-time.ts";
import { formatBytes, formatDuration, maskPlate } from "./format.ts";
import type { ParsedMessage } from "./reading.ts";
import type { Camera } from "./store/registry.ts";

/** What a technician wants to know of one message, without the message. */
export interface Heard {
  at: Date;
  peer: string;
  bytes: number;
  serial: string | null;
  /** Null: not registered. */
  registered: string | null;
  /** Why it could not be understood; null: it could. */
  malformed: string | null;
  notRead: boolean;
  plate: string | null;
  score: number | null;
  ocrBytes: number | null;
  ctxBytes: number | null;
  /** The camera's clock minus ours; null: the message has no usable time. */
  clockMs: number | null;
  direction: string | null;
  lane: number | null;
  /** Tags that tattile keeps but has no use for. */
  unknownTags: readonly string[];
}

/** A camera's message as it came, put in the words of a listener. */
export function describeHeard(
  message: { parsed: ParsedMessage; bytes: number; peer: string; receivedAt: Date },
  camera: Pick<Camera, "description" | "timezone" | "readerCode"> | null,
  defaultZone: string,
): Heard {
  const { parsed, bytes, peer, receivedAt } = message;
  const registered = camera === null ? null : (camera.description ?? `reader ${camera.readerCode}`);
  const base = { at: receivedAt, peer, bytes, registered, malformed: null };
  if (parsed.kind === "malformed") {
    return { ...base, ...NOTHING, malformed: parsed.reason, serial: parsed.cameraSerial };
  }
  const { reading } = parsed;
  const { capturedAt, timeSource } = captureTime(reading.wallClock, camera?.timezone ?? defaultZone, receivedAt);
  return {
    ...base,
    serial: reading.cameraSerial,
    notRead: reading.notRead,
    plate: reading.facts.plate === "" ? null : reading.facts.plate,
    score: reading.facts.ocrScore,
    ocrBytes: reading.ocrImage?.length ?? null,
    ctxBytes: reading.ctxImage?.length ?? null,
    clockMs: timeSource === "arrival" ? null : capturedAt.getTime() - receivedAt.getTime(),
    direction: reading.facts.direction,
    lane: reading.facts.laneId,
    unknownTags: Object.keys(reading.extra).filter((tag) => !VOCABULARY.has(tag)),
  };
}

/** Tags of the cameras' own vocabulary that are kept with the reading and go nowhere; and a note of ours. */
const VOCABULARY = new Set(
  (
    "PLATE DATE TIME SPEED CLASS CLASS_STRING VEHICLE_TYPE NREAD PLATE_REGION PLATE_PROVINCE PLATE_ADR PLATE_TRL " +
    "PLATE_COLOR DIAG_STATUS DIAG_STRING SITE_ADDRESS EVENT_DESC CHAR_HEIGHT PLATE_CHAR_HEIGHT IMAGE_CTX"
  ).split(" "),
);

const NOTHING = {
  notRead: false,
  plate: null,
  score: null,
  ocrBytes: null,
  ctxBytes: null,
  clockMs: null,
  direction: null,
  lane: null,
  unknownTags: [],
} as const;

/** A few seconds may be the way here; the police refuse a minute of future. */
const CLOCK_MS = 10_000;

/** What should be mended in the camera; empty: nothing. */
export function findRemarks(heard: Heard): readonly string[] {
  if (heard.malformed !== null) return [`not understood: ${heard.malformed}`];
  const remarks: string[] = [];
  if (heard.registered === null) remarks.push("not registered: its readings would be held");
  if (!heard.notRead && heard.ocrBytes === null) remarks.push("no picture of the plate: switch IMAGE_OCR on");
  if (!heard.notRead && heard.ctxBytes === null) remarks.push("no picture of the scene (IMAGE_CTX)");
  if (heard.clockMs === null) remarks.push("no usable time: switch DATE and TIME on");
  else if (Math.abs(heard.clockMs) > CLOCK_MS) {
    remarks.push(`its clock is ${describeClock(heard.clockMs)}: set NTP and its zone (a replay is behind too)`);
  }
  if (heard.unknownTags.length > 0) remarks.push(`tags not known: ${heard.unknownTags.join(", ")}`);
  return remarks;
}

/** The parts of one line of at most some 80 characters. */
export function summarizeHeard(heard: Heard, showPlate: boolean): readonly string[] {
  const plate = heard.plate === null ? "no plate" : showPlate ? heard.plate : maskPlate(heard.plate);
  return [
    heard.serial ?? "(no serial)",
    ...(heard.malformed === null ? [heard.notRead ? "not read" : plate] : []),
    ...(heard.score === null ? [] : [`score ${heard.score}`]),
    ...(heard.ocrBytes === null ? [] : [`plate ${formatBytes(heard.ocrBytes)}`]),
    ...(heard.ctxBytes === null ? [] : [`scene ${formatBytes(heard.ctxBytes)}`]),
    ...(heard.malformed === null ? [] : [formatBytes(heard.bytes)]),
    ...(heard.clockMs === null ? [] : [`clock ${describeClock(heard.clockMs)}`]),
    ...(heard.lane === null ? [] : [`lane ${heard.lane}`]),
    ...(heard.direction === null ? [] : [heard.direction.toLowerCase()]),
  ];
}

function describeClock(ms: number): string {
  const size = Math.abs(ms);
  if (size < 1000) return "right";
  return `${size < 100_000 ? `${(size / 1000).toFixed(1)} s` : formatDuration(size)} ${ms > 0 ? "ahead" : "behind"}`;
}
