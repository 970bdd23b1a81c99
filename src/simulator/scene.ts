import { AppError } from "../errors.ts";
import { wallClockAt } from "../time-zone.ts";
import {
  buildTattileXml,
  buildTlvMessage,
  type Defect,
  formatTime,
  TIME_FORMS,
  type XmlManner,
} from "./camera-message.ts";
import type { ManifestEntry, MessageKind } from "./manifest.ts";
import { createPictures, type PictureChoice } from "./picture.ts";
import { createRandom, mixSeed } from "./seeded.ts";

/** What the cameras see and how they say it. */
export interface SceneOptions {
  /** Everything is derived from it: equal options give equal bytes. */
  seed: number;
  serials: readonly string[];
  /** `mixed`: every third camera is an old one that speaks the binary protocol. */
  protocol: "xml" | "tlv" | "mixed";
  /** Parts of all messages, 0 to 1, together at most 1. The rest are readings. */
  shares: Readonly<Partial<Record<Exclude<MessageKind, "reading">, number>>>;
  images: PictureChoice;
  /** Other pictures in every message; false is cheaper. */
  distinctImages: boolean;
  /** Zone of the cameras' clocks. */
  timezone: string;
  /** Capture of message 0, and the time from each message to the next. */
  startAt: Date;
  intervalMs: number;
}

export interface SceneMessage {
  kind: MessageKind;
  /** What a manifest says of it; costs the hashing of its pictures. */
  entry(): ManifestEntry;
  pieces: readonly Buffer[];
}

const ROOTS = ["root", "MESSAGE", "Msg", "tattile.event"];
const SEPARATORS = ["\n", "", "\r\n\r\n", "\0", " \n\0\0"];
const LETTERS = "BCDFGHJKLMNPRSTVWXYZ";
const PLATES = 10_000 * LETTERS.length ** 3;
const MAX_INT32 = 0x7fffffff;
/** A replay is looked for among so many of the camera's earlier messages, as an SD card sends them again. */
const REPLAY_DEPTH = 8;

/**
 * Message `number` of all, sent by camera `number % serials.length`: the same bytes whenever it is asked for.
 * @throws AppError `usage` when a serial cannot be written in the binary protocol
 */
export function createScene(options: SceneOptions): (number: number) => SceneMessage {
  const { seed, serials } = options;
  const pictures = createPictures(options.images, mixSeed(seed, 1), options.distinctImages);
  if (options.protocol !== "xml") serials.forEach(checkInt32);
  const strangers = serials.map((_, index) => strangerSerial(index, new Set(serials)));
  const isOld = (camera: number): boolean =>
    options.protocol === "tlv" || (options.protocol === "mixed" && (camera + mixSeed(seed, 3)) % 3 === 0);

  const kindOf = (number: number): MessageKind => {
    let at = createRandom(mixSeed(seed, number, 2))();
    for (const kind of ["replay", "not-read", "malformed", "unregistered"] as const) {
      at -= options.shares[kind] ?? 0;
      if (at < 0) return kind;
    }
    return "reading";
  };

  /** The reading that a replay repeats; -1: this camera has sent none of late. */
  const originalOf = (number: number): number => {
    const back = 1 + Math.floor(createRandom(mixSeed(seed, number, 4))() * REPLAY_DEPTH);
    for (let steps = 0; steps < REPLAY_DEPTH; steps += 1) {
      const candidate = number - serials.length * (1 + ((back + steps) % REPLAY_DEPTH));
      if (candidate >= 0 && kindOf(candidate) === "reading") return candidate;
    }
    return -1;
  };

  const buildMessage = (number: number, kind: MessageKind): SceneMessage => {
    const camera = number % serials.length;
    const random = createRandom(mixSeed(seed, number, 5));
    const serial = (kind === "unregistered" ? strangers[camera] : serials[camera]) ?? "";
    const { date, time } = captureOf(options, number);
    const form = TIME_FORMS[Math.floor(random() * TIME_FORMS.length)] ?? "HH-MM-SS";
    const { ocr, ctx } = pictures(number);
    const plate = kind === "not-read" ? "" : plateOf(seed, number);
    const reading = { serial, plate, date, time: formatTime(time, form), transitId: number + 1, ocr, ctx };
    const manner = drawManner(random);
    const defect: Defect | null = kind === "malformed" ? (random() < 0.5 ? "no-serial" : "crossed-tags") : null;
    const entry = (): ManifestEntry => ({
      kind,
      serial,
      plate,
      date,
      time: time.slice(0, 8),
      transitId: number + 1,
      ocrSha256: ocr.sha256,
      ctxSha256: ctx?.sha256 ?? null,
      confirmed: false,
    });
    return {
      kind,
      entry,
      pieces: isOld(camera) ? buildTlvMessage(reading, defect) : buildTattileXml(reading, manner, defect),
    };
  };

  return (number) => {
    const kind = kindOf(number);
    if (kind !== "replay") return buildMessage(number, kind);
    const original = originalOf(number);
    if (original < 0) return buildMessage(number, "reading");
    const message = buildMessage(original, "reading");
    return { ...message, kind, entry: () => ({ ...message.entry(), kind }) };
  };
}

function drawManner(random: () => number): XmlManner {
  const pick = <T>(values: readonly [T, ...T[]] | readonly T[], otherwise: T): T =>
    values[Math.floor(random() * values.length)] ?? otherwise;
  return {
    root: pick(ROOTS, "root"),
    prolog: pick(["none", "utf-8", "utf-8", "iso-8859-1"] as const, "none"),
    bom: random() < 0.1,
    base64Line: random() < 0.05 ? 76 : null,
    separator: pick(SEPARATORS, "\n"),
  };
}

/** A Spanish plate for each number, scattered by the seed; none twice within 80 million. */
export function plateOf(seed: number, number: number): string {
  // 7,919,999 and the number of plates have no common divisor, so every plate comes once.
  const place = ((number % PLATES) * 7_919_999 + (mixSeed(seed, 6) % PLATES)) % PLATES;
  let rest = Math.floor(place / 10_000);
  let letters = "";
  for (let n = 0; n < 3; n += 1) {
    letters = `${LETTERS[rest % LETTERS.length]}${letters}`;
    rest = Math.floor(rest / LETTERS.length);
  }
  return `${String(place % 10_000).padStart(4, "0")}${letters}`;
}

/** `YYYY-MM-DD` and `HH:MM:SS.mmm` on the camera's clock. */
function captureOf(options: SceneOptions, number: number): { date: string; time: string } {
  const wall = wallClockAt(
    new Date(options.startAt.getTime() + Math.floor(number * options.intervalMs)),
    options.timezone,
  );
  const pad = (value: number, digits = 2): string => String(value).padStart(digits, "0");
  return {
    date: `${pad(wall.year, 4)}-${pad(wall.month)}-${pad(wall.day)}`,
    time: `${pad(wall.hour)}:${pad(wall.minute)}:${pad(wall.second)}.${pad(wall.millisecond, 3)}`,
  };
}

function strangerSerial(index: number, known: ReadonlySet<string>): string {
  let serial = 1_900_000_000 + index;
  while (known.has(String(serial))) serial += 100_000;
  return String(serial);
}

function checkInt32(serial: string): void {
  if (/^\d{1,10}$/.test(serial) && Number(serial) <= MAX_INT32) return;
  throw new AppError("usage", `simulating cameras: serial ${serial} does not fit the binary protocol`, {
    hint: `Use a number up to ${MAX_INT32}, or the XML protocol.`,
  });
}
