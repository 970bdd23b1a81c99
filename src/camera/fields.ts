import { parseWallClock } from "../capture-time.ts";
import type { ParsedMessage, Protocol, ReadingFacts } from "../reading.ts";
import type { DecodedImage } from "./images.ts";

/** Tags that mean the vehicle's brand, model and colour: no public document names them, so they can be configured. */
export interface TagAliases {
  brandTags: readonly string[];
  modelTags: readonly string[];
  colorTags: readonly string[];
}

export const DEFAULT_TAG_ALIASES: TagAliases = {
  brandTags: ["BRAND", "VEHICLE_BRAND", "MAKE", "VEHICLE_MAKE"],
  modelTags: ["MODEL", "VEHICLE_MODEL"],
  colorTags: ["COLOR", "VEHICLE_COLOR", "COLOUR", "VEHICLE_COLOUR"],
};

/** A Tattile message taken apart, whichever form it came in: texts by their XML tag, as they were. */
export interface TattileFields {
  protocol: Protocol;
  texts: ReadonlyMap<string, string>;
  ocrImage: DecodedImage;
  ctxImage: DecodedImage;
  /** The message without its pictures. */
  rawText: string;
}

const MAX_SERIAL = 64;
const MAX_PLATE = 32;
/** What a text column of the replaced system holds; its narrower ones have their own below. */
const MAX_TEXT = 255;
const MAX_DIRECTION = 32;
const MAX_COUNTRY_CODE = 16;
const MAX_EXTRA_TAGS = 64;
const MAX_EXTRA_TEXT = 4096;
const MAX_RAW_TEXT = 65_536;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
const CONTROLS = new RegExp(CONTROL.source, "g");
const LETTER_OR_DIGIT = /[\p{L}\p{N}]/u;
const PLACEHOLDER = /[?*_]/;
const NOT_READ_EVENT = /not[\s_-]*read|unread|(?<![a-z])no[\s_-]*(?:read|plate)/i;

/** Tags that became facts; what is not here is kept as it is. */
const KNOWN_TAGS = new Set(
  (
    "PLATE_STRING DEVICE_SN DEVICE_NAME OCRSCORE DIRECTION LANE_ID LANE_DESCR ORIG_PLATE_MIN_X ORIG_PLATE_MIN_Y " +
    "ORIG_PLATE_MAX_X ORIG_PLATE_MAX_Y PLATE_COUNTRY PLATE_COUNTRY_CODE TRANSIT_ID IMAGE_OCR IMAGE_CTX"
  ).split(" "),
);

/** Makes a reading of the fields, or says what keeps them from being one. */
export function buildReading(fields: TattileFields, aliases: TagAliases): ParsedMessage {
  const { texts } = fields;
  const serial = parseSerial(texts.get("DEVICE_SN") ?? "");
  if ("problem" in serial) return { kind: "malformed", reason: `DEVICE_SN ${serial.problem}`, cameraSerial: null };
  const plate = (texts.get("PLATE_STRING") ?? "").trim();
  const notRead = isNotRead(plate, texts.get("EVENT_DESC") ?? "");
  // The picture of a message that is only counted does not matter.
  const problem = notRead ? null : (plateProblem(plate) ?? namedProblem("IMAGE_OCR", fields.ocrImage));
  if (problem !== null) return { kind: "malformed", reason: problem, cameraSerial: serial.serial };

  const used = new Set(KNOWN_TAGS);
  const take = (tags: readonly string[], limit = MAX_TEXT): string | null => {
    for (const tag of tags) {
      const text = cleanText(texts.get(tag) ?? "", limit);
      if (text === "") continue;
      used.add(tag);
      return text;
    }
    return null;
  };
  const facts: ReadingFacts = {
    plate: notRead ? cleanText(plate, MAX_PLATE) : plate,
    deviceName: take(["DEVICE_NAME"]),
    direction: take(["DIRECTION"], MAX_DIRECTION),
    laneId: parseInteger(texts.get("LANE_ID")),
    laneDescription: take(["LANE_DESCR"]),
    ocrScore: parseNumber(texts.get("OCRSCORE")),
    country: take(["PLATE_COUNTRY"]),
    countryCode: take(["PLATE_COUNTRY_CODE"], MAX_COUNTRY_CODE),
    plateMinX: parseInteger(texts.get("ORIG_PLATE_MIN_X")),
    plateMinY: parseInteger(texts.get("ORIG_PLATE_MIN_Y")),
    plateMaxX: parseInteger(texts.get("ORIG_PLATE_MAX_X")),
    plateMaxY: parseInteger(texts.get("ORIG_PLATE_MAX_Y")),
    charHeight: parseInteger(take(["CHAR_HEIGHT", "PLATE_CHAR_HEIGHT"])),
    transitId: take(["TRANSIT_ID"]),
    brand: take(aliases.brandTags),
    model: take(aliases.modelTags),
    color: take(aliases.colorTags),
    vehicleType: take(["VEHICLE_TYPE", "CLASS_STRING"]),
  };
  const wallClock = parseWallClock(texts.get("DATE") ?? "", texts.get("TIME") ?? "");
  if (wallClock !== null) used.add("DATE").add("TIME");
  const ctxProblem = namedProblem("IMAGE_CTX", fields.ctxImage);
  const notes: [string, string][] = ctxProblem === null ? [] : [["IMAGE_CTX", ctxProblem]];
  return {
    kind: "reading",
    reading: {
      protocol: fields.protocol,
      cameraSerial: serial.serial,
      facts,
      wallClock,
      extra: collectExtra([...notes, ...[...texts].filter(([tag]) => !used.has(tag))]),
      rawText: fields.rawText.slice(0, MAX_RAW_TEXT).replaceAll("\0", " ").toWellFormed(),
      ocrImage: fields.ocrImage.bytes,
      ctxImage: fields.ctxImage.bytes,
      notRead,
    },
  };
}

/** A camera's serial number: not empty, at most 64 characters, none of them a control character; blanks at the ends cut. */
export function parseSerial(text: string): { serial: string } | { problem: string } {
  const serial = text.trim();
  if (serial === "") return { problem: "is missing" };
  if (serial.length > MAX_SERIAL) return { problem: `has ${serial.length} characters (at most ${MAX_SERIAL})` };
  if (CONTROL.test(serial) || !serial.isWellFormed()) return { problem: "holds control characters" };
  return { serial };
}

/** What keeps a plate from being queued, or null. The text does not quote it. */
export function plateProblem(plate: string): string | null {
  if (plate.length > MAX_PLATE) return `PLATE_STRING has ${plate.length} characters (at most ${MAX_PLATE})`;
  return CONTROL.test(plate) || !plate.isWellFormed() ? "PLATE_STRING holds control characters" : null;
}

/** Whether the camera saw a vehicle but no plate: the event says so, or the plate is empty, partial or without a letter or digit. */
export function isNotRead(plate: string, eventDescription: string): boolean {
  return !LETTER_OR_DIGIT.test(plate) || PLACEHOLDER.test(plate) || NOT_READ_EVENT.test(eventDescription);
}

/** Text fit for any store: well-formed, control characters made blanks, ends trimmed, at most `limit` UTF-16 units. */
export function cleanText(text: string, limit = MAX_TEXT): string {
  return text.replace(CONTROLS, " ").trim().slice(0, limit).toWellFormed();
}

/** `093` → 93, `92.5` and `92,5` → 92.5; null for anything that is not a plain decimal number. */
export function parseNumber(text: string | null | undefined): number | null {
  const plain = (text ?? "").trim().replace(",", ".");
  return /^[+-]?\d{1,15}(\.\d{0,15})?$/.test(plain) ? Number(plain) : null;
}

/** As parseNumber, rounded; null beyond 32 bits, which is what a column holds. */
export function parseInteger(text: string | null | undefined): number | null {
  const value = parseNumber(text);
  if (value === null) return null;
  const rounded = Math.round(value);
  return rounded === (rounded | 0) ? rounded | 0 : null;
}

/** The first 64 tags, names and values bounded; of several with the same name the first. */
export function collectExtra(entries: Iterable<readonly [string, string]>): Readonly<Record<string, string>> {
  const extra = new Map<string, string>();
  for (const [tag, text] of entries) {
    if (extra.size >= MAX_EXTRA_TAGS) break;
    const name = cleanText(tag, MAX_SERIAL);
    if (!extra.has(name)) extra.set(name, cleanText(text, MAX_EXTRA_TEXT));
  }
  return Object.fromEntries(extra);
}

function namedProblem(tag: string, image: DecodedImage): string | null {
  return image.problem === null ? null : `${tag} is ${image.problem}`;
}
