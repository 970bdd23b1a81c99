import { quoted } from "./finding.ts";
import { formatCaptured, formatDuration, formatInstant, maskPlate } from "./format.ts";
import { REASON, REVIVABLE_REASONS } from "./message.ts";
import type { MessageAttempt, QueuedMessage } from "./store/messages.ts";
import type { Camera, Certificate, Endpoint, Municipality } from "./store/registry.ts";
import type { RouteState } from "./store/store.ts";

/** Everything that bears on one message. */
export interface MessageLife {
  message: QueuedMessage;
  attempts: readonly MessageAttempt[];
  /** Null: removed meanwhile. */
  camera: Camera | null;
  municipality: Municipality | null;
  /** The camera's, else the municipality's; null: the configured default. */
  endpoint: Endpoint | null;
  certificate: Certificate | null;
  routes: readonly RouteState[];
  defaultUrl: string | null;
  retryMax: number;
  deadRetentionMs: number;
  senderEnabled: boolean;
  senderRuns: boolean;
}

export interface Explanation {
  /** What happened, in order. */
  story: readonly string[];
  /** What it waits for now. */
  waitsFor: string;
  /** What an operator can do; empty: nothing has to be done. */
  cures: readonly string[];
}

/** Attempts told in full; of more the first are left out. */
const TOLD = 8;

/** The life of one message in sentences. Pure. The plate is masked unless `showPlate`. */
export function explainMessage(life: MessageLife, now: Date, zone: string, showPlate: boolean): Explanation {
  const state = explainState(life, now, zone);
  return { story: [...arrival(life, zone, showPlate), ...destination(life), ...history(life, zone)], ...state };
}

function* arrival({ message, camera }: MessageLife, zone: string, showPlate: boolean): Generator<string> {
  const plate = showPlate ? message.plate : maskPlate(message.plate);
  const place = camera?.description == null ? "" : ` (${camera.description})`;
  const taken = formatCaptured(message, zone);
  yield `Camera ${message.cameraSerial}${place} read ${plate} at ${taken}${SOURCES[message.timeSource]}.`;
  const lateMs = message.receivedAt.getTime() - message.capturedAt.getTime();
  const late =
    Math.abs(lateMs) < 10_000
      ? "at once"
      : lateMs > 0
        ? `${formatDuration(lateMs)} later`
        : `${formatDuration(-lateMs)} before that, so the camera's clock is ahead`;
  const told = message.timeSource === "wall-clock" ? "" : `, ${late}`;
  yield `It came here at ${formatInstant(message.receivedAt, zone)}${told}.`;
  if (!message.hasOcrImage) yield "It came without the plate's picture.";
  else yield message.hasCtxImage ? "It has both pictures." : "It has the plate's picture, and none of the context.";
}

const SOURCES: Readonly<Record<QueuedMessage["timeSource"], string>> = {
  camera: " by its clock",
  ambiguous: " by its clock, in the hour that the clock change gives twice (the first was taken)",
  arrival: ", which is when it came: the message had no usable time",
  "wall-clock": " by its clock, as the replaced system wrote it down",
};

function* destination({ message, endpoint, certificate, defaultUrl }: MessageLife): Generator<string> {
  const where = endpoint !== null ? `endpoint ${endpoint.name} (${endpoint.url})` : defaultUrl;
  const signer =
    certificate === null
      ? "no certificate"
      : `certificate ${certificate.name}${certificate.validTo === null ? "" : `, valid until ${certificate.validTo.toISOString().slice(0, 10)}`}`;
  yield where === null
    ? `It belongs to ${message.municipality}, and neither its camera nor that has an endpoint.`
    : `It goes to ${where}, signed for ${message.municipality} with ${signer}.`;
}

function* history({ message, attempts }: MessageLife, zone: string): Generator<string> {
  if (attempts.length === 0) {
    yield "It was not sent yet.";
    return;
  }
  const told = attempts.slice(-TOLD);
  if (told.length < attempts.length)
    yield `The first ${attempts.length - told.length} known attempts are left out here.`;
  for (const { at, kind, detail, durationMs } of told) {
    const took = durationMs < 1000 ? `${Math.round(durationMs)} ms` : `${(durationMs / 1000).toFixed(1)} s`;
    yield `At ${formatInstant(at, zone)} it was sent and ${OUTCOMES[kind]} after ${took}${detail === "" ? "" : `: ${detail}`}.`;
  }
  const { attempts: spent } = message;
  const counted =
    spent === 0
      ? "None of its attempts is spent"
      : spent === 1
        ? "1 of its attempts is spent"
        : `${spent} of its attempts are spent`;
  yield `${counted}: only those count that were not answered while other messages were taken.`;
}

const OUTCOMES: Readonly<Record<MessageAttempt["kind"], string>> = {
  accepted: "taken by the police",
  rejected: "refused by the police",
  unreachable: "did not get there",
  unanswered: "not answered",
  misconfigured: "turned away for what only an operator mends",
};

function explainState(life: MessageLife, now: Date, zone: string): Pick<Explanation, "waitsFor" | "cures"> {
  const { message } = life;
  switch (message.status) {
    case "SUCCESS":
      return { waitsFor: "It was taken, and is erased.", cures: [] };
    case "SENDING": {
      const until =
        message.leaseUntil === null
          ? ""
          : ` If it dies, the message is due again at ${formatInstant(message.leaseUntil, zone)} at the latest.`;
      return { waitsFor: `It is being sent now by ${message.leaseOwner ?? "a process"}.${until}`, cures: [] };
    }
    case "DEAD":
      return explainDead(life);
    case "PENDING":
    case "FAILED":
      return explainWaiting(life, now, zone);
  }
}

function explainWaiting(life: MessageLife, now: Date, zone: string): Pick<Explanation, "waitsFor" | "cures"> {
  const { message, retryMax } = life;
  if (!life.senderEnabled) {
    return { waitsFor: "It waits: the sender is switched off.", cures: ["set SENDER_ENABLED=true and restart"] };
  }
  if (!life.senderRuns) return { waitsFor: "It waits: no sender is running.", cures: ["systemctl start tattile"] };
  const pause = findPause(life);
  if (pause !== null) {
    const until =
      pause.pausedUntil === null ? "" : `, until ${formatInstant(pause.pausedUntil, zone)}, when one message tries`;
    const what = pause.certificateId === 0 ? "Its endpoint is paused" : "Its certificate at this endpoint is paused";
    const waitsFor = `${what} (${pause.pauseKind ?? "unknown"}: ${pause.detail ?? "no detail"})${until}. A pause spends no attempt.`;
    return { waitsFor, cures: pauseCures(life, pause) };
  }
  const due = message.nextRetryAt;
  const last = message.lastError === null ? "" : ` The last error was: ${message.lastError}.`;
  if (due !== null && due > now) {
    const waitsFor = `It is tried again at ${formatInstant(due, zone)}, in ${formatDuration(due.getTime() - now.getTime())}.${last} After ${retryMax} spent attempts it is given up.`;
    return { waitsFor, cures: [`tattile queue retry ${message.messageId}   (now, with all its attempts)`] };
  }
  return { waitsFor: `It is due and waits for its turn; older ones of its camera go first.${last}`, cures: [] };
}

function findPause({ routes, endpoint, certificate }: MessageLife): RouteState | null {
  const endpointId = endpoint?.id ?? 0;
  const own = routes.filter((r) => r.endpointId === endpointId && r.pausedUntil !== null);
  return own.find((r) => r.certificateId === 0) ?? own.find((r) => r.certificateId === certificate?.id) ?? null;
}

function pauseCures({ endpoint, message }: MessageLife, pause: RouteState): readonly string[] {
  if (pause.pauseKind !== "misconfigured") return ["tattile doctor   (it is tried again by itself)"];
  if (pause.certificateId !== 0) return [`tattile cert import FILE.pfx --municipality ${quoted(message.municipality)}`];
  return ["tattile doctor", ...(endpoint === null ? [] : [`tattile endpoint set ${quoted(endpoint.name)} --url URL`])];
}

function explainDead({ message, endpoint, deadRetentionMs }: MessageLife): Pick<Explanation, "waitsFor" | "cures"> {
  const reason = message.reason ?? "";
  const word = reason.split(/[:=\s]/)[0] ?? "";
  const [why, cures] = DEAD_REASONS[word] ?? [`it was given up: ${reason}`, []];
  const itself = REVIVABLE_REASONS.includes(reason) ? " It goes out by itself once that is there." : "";
  const error =
    message.lastError === null || message.lastError === reason ? "" : ` What was said: ${message.lastError}.`;
  const fill = (text: string): string =>
    text
      .replace("ID", `${message.messageId}`)
      .replace("CAMERA", quoted(message.cameraSerial))
      .replace("MUNICIPALITY", quoted(message.municipality))
      .replace("ENDPOINT", endpoint === null ? "NAME" : quoted(endpoint.name));
  return {
    waitsFor: `It is DEAD (${reason}): ${why}.${itself}${error} DEAD messages are erased after ${formatDuration(deadRetentionMs)}.`,
    cures: [...cures.map(fill), `tattile queue discard ${message.messageId}   (erases it unsent)`],
  };
}

const RETRY = "tattile queue retry ID";
const DEAD_REASONS: Readonly<Record<string, readonly [why: string, cures: readonly string[]]>> = {
  [REASON.noCertificate]: [
    "its municipality has no certificate",
    ["tattile cert import FILE.pfx --municipality MUNICIPALITY"],
  ],
  [REASON.incompleteCertificate]: [
    "a file of its municipality's certificate is missing or does not fit",
    ["tattile cert check", "tattile cert import FILE.pfx --municipality MUNICIPALITY"],
  ],
  [REASON.noEndpoint]: ["it has nowhere to go", ["tattile municipality set MUNICIPALITY --endpoint NAME"]],
  [REASON.attemptsExhausted]: [
    "the police did not answer it several times while they took others, so something in it may be what they stumble over",
    [RETRY],
  ],
  [REASON.noOcrImage]: [
    "the camera sent no picture of the plate, without which the police take nothing",
    ["switch IMAGE_OCR on in the camera"],
  ],
  [REASON.noOcrFile]: ["its picture's file is gone", ["look who deletes below the folder of the pictures"]],
  [REASON.noCtxFile]: ["its context picture's file is gone", ["look who deletes below the folder of the pictures"]],
  [REASON.invalidField]: [
    "a value does not fit what the police allow",
    ["tattile camera show CAMERA   (reader code, coordinates)", `after mending: ${RETRY}`],
  ],
  codiRetorn: [
    "the police understood it and refused it",
    ["ask the police what the code means", `after mending: ${RETRY}`],
  ],
};
