import type { ParsedMessage } from "../reading.ts";
import { buildReading, DEFAULT_TAG_ALIASES, parseSerial, type TagAliases } from "./fields.ts";
import { TLV_HEADER_BYTES, TLV_LENGTH_OFFSET, TLV_MAGIC } from "./frame.ts";
import { checkJpeg, type DecodedImage, NO_IMAGE } from "./images.ts";

/**
 * The binary messages of older Vega cameras: a header of six little-endian int32 (header size 24, command 40000, sender,
 * receiver, error, data length), then records `tag length data`, the data padded to four bytes. Each tag with the XML tag
 * that means the same (observed; the order is free).
 */
const RECORDS = [
  [14000, "DATE", "text"],
  [14001, "TIME", "text"],
  [14002, "DEVICE_NAME", "text"],
  [14003, "PLATE", "text"],
  [14004, "PLATE_STRING", "text"],
  [14005, "PLATE_COUNTRY", "text"],
  [14006, "NREAD", "number"],
  [14009, "TRANSIT_ID", "number"],
  [14010, "ORIG_PLATE_MIN_X", "number"],
  [14011, "ORIG_PLATE_MIN_Y", "number"],
  [14012, "ORIG_PLATE_MAX_X", "number"],
  [14013, "ORIG_PLATE_MAX_Y", "number"],
  [14014, "SPEED", "number"],
  [14015, "CLASS", "number"],
  [14016, "CLASS_STRING", "text"],
  [14017, "DEVICE_SN", "number"],
  [14018, "DIRECTION", "text"],
  [14020, "IMAGE_OCR", "image"],
  [14021, "IMAGE_CTX", "image"],
  [14022, "OCRSCORE", "number"],
] as const;

type RecordName = (typeof RECORDS)[number][1];

const BY_TAG = new Map<number, (typeof RECORDS)[number]>(RECORDS.map((record) => [record[0], record]));
const BY_NAME = new Map<string, (typeof RECORDS)[number]>(RECORDS.map((record) => [record[1], record]));
const SENDER_OFFSET = 8;
const ERROR_OFFSET = 16;
const RECORD_HEADER_BYTES = 8;
/** More tags than this are not kept; the protocol has twenty. */
const MAX_TAGS = 128;
/** An unknown record is shown as text up to this length, beyond it only counted. */
const MAX_UNKNOWN_TEXT_BYTES = 4096;

/**
 * Understands one whole binary message, as the framer cut it out. Same rules as for XML. Does not throw. The pictures are
 * views of `bytes`; nothing else of the result refers to them.
 */
export function parseTattileTlv(bytes: Buffer, aliases: TagAliases = DEFAULT_TAG_ALIASES): ParsedMessage {
  const problem = headerProblem(bytes);
  if (problem !== null) return { kind: "malformed", reason: problem, cameraSerial: null };
  const texts = new Map<string, string>();
  const images = new Map<string, DecodedImage>();
  const malformed = (reason: string): ParsedMessage => {
    const serial = parseSerial(texts.get("DEVICE_SN") ?? "");
    return { kind: "malformed", reason, cameraSerial: "serial" in serial ? serial.serial : null };
  };
  for (let at = TLV_HEADER_BYTES; at < bytes.length; ) {
    if (bytes.length - at < RECORD_HEADER_BYTES) return malformed(`${bytes.length - at} bytes behind the last record`);
    const tag = bytes.readInt32LE(at);
    const length = bytes.readInt32LE(at + 4);
    const from = at + RECORD_HEADER_BYTES;
    if (length < 0 || length > bytes.length - from) {
      return malformed(`record ${tag} has ${length} bytes where the message has ${bytes.length - from} left`);
    }
    const data = bytes.subarray(from, from + length);
    const [, name, type] = BY_TAG.get(tag) ?? [tag, `TLV_${tag}`, "unknown" as const];
    if (type === "image") {
      if (!images.has(name)) images.set(name, checkJpeg(data));
    } else if (!texts.has(name) && texts.size < MAX_TAGS) {
      texts.set(name, recordText(name, type, data));
    }
    at = from + length + (-length & 3);
  }
  return buildReading(
    {
      protocol: "tattile-tlv",
      texts,
      ocrImage: images.get("IMAGE_OCR") ?? NO_IMAGE,
      ctxImage: images.get("IMAGE_CTX") ?? NO_IMAGE,
      rawText: [...texts].map(([name, text]) => `${name}=${text}\n`).join(""),
    },
    aliases,
  );
}

/** What a message is to hold, by XML tag; a `number` for what travels as one, JPEG bytes for the pictures. */
export type TlvContent = Partial<Record<RecordName, string | number | Uint8Array>>;

/**
 * Builds a message, as a camera would send it; for the simulated camera and for tests. Records stand in the order of
 * `content`, then `others` as they are.
 * @throws RangeError for a number beyond 32 bits.
 */
export function buildTattileTlv(
  content: TlvContent,
  others: readonly (readonly [tag: number, data: Buffer])[] = [],
): Buffer {
  const records: Buffer[] = [];
  for (const [name, value] of Object.entries(content)) {
    const tag = BY_NAME.get(name)?.[0];
    if (tag !== undefined) records.push(buildRecord(tag, recordData(value)));
  }
  for (const [tag, data] of others) records.push(buildRecord(tag, data));
  const body = Buffer.concat(records);
  const header = Buffer.alloc(TLV_HEADER_BYTES);
  TLV_MAGIC.copy(header);
  header.writeInt32LE(1, SENDER_OFFSET);
  header.writeInt32LE(body.length, TLV_LENGTH_OFFSET);
  return Buffer.concat([header, body]);
}

function headerProblem(bytes: Buffer): string | null {
  if (bytes.length < TLV_HEADER_BYTES || !bytes.subarray(0, TLV_MAGIC.length).equals(TLV_MAGIC)) {
    return "not a binary Tattile message";
  }
  const length = bytes.readInt32LE(TLV_LENGTH_OFFSET);
  if (length !== bytes.length - TLV_HEADER_BYTES) {
    return `the header says ${length} bytes of data, there are ${bytes.length - TLV_HEADER_BYTES}`;
  }
  const error = bytes.readInt32LE(ERROR_OFFSET);
  return error === 0 ? null : `the camera reports error ${error}`;
}

function recordText(name: string, type: "text" | "number" | "unknown", data: Buffer): string {
  if (type === "number" && data.length === 4) {
    // A serial number is a count of devices and never negative, though it travels as a signed number.
    return String(name === "DEVICE_SN" ? data.readUInt32LE() : data.readInt32LE());
  }
  const end = data.indexOf(0);
  const text = decodeText(end < 0 ? data : data.subarray(0, end));
  if (type !== "unknown") return text;
  const isText = data.length <= MAX_UNKNOWN_TEXT_BYTES && /^[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]+$/u.test(text);
  return isText ? text : `${data.length} bytes`;
}

function decodeText(data: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(data);
  } catch {
    return new TextDecoder("windows-1252").decode(data);
  }
}

function recordData(value: string | number | Uint8Array): Buffer {
  if (typeof value === "string") return Buffer.from(`${value}\0`, "utf8");
  if (typeof value !== "number") return Buffer.from(value);
  const data = Buffer.alloc(4);
  data.writeInt32LE(value);
  return data;
}

function buildRecord(tag: number, data: Buffer): Buffer {
  const record = Buffer.alloc(RECORD_HEADER_BYTES + data.length + (-data.length & 3));
  record.writeInt32LE(tag);
  record.writeInt32LE(data.length, 4);
  data.copy(record, RECORD_HEADER_BYTES);
  return record;
}
