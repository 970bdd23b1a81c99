import { createHash } from "node:crypto";
import { createRandom, mixSeed } from "./seeded.ts";

/** A picture with all that is asked of it, made once however often it is sent. */
export interface SimulatedImage {
  bytes: Uint8Array;
  base64: Buffer;
  /** Hex. */
  sha256: string;
}

/** One thing a camera saw, before it is put into a protocol. */
export interface SimulatedReading {
  serial: string;
  /** Empty: not read. */
  plate: string;
  /** `YYYY-MM-DD` and `HH-MM-SS-mmm`, as the camera's clock shows them. */
  date: string;
  time: string;
  transitId: number;
  ocr: SimulatedImage | null;
  ctx: SimulatedImage | null;
}

export function createImage(bytes: Uint8Array): SimulatedImage {
  return {
    bytes,
    base64: Buffer.from(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64"), "latin1"),
    sha256: createHash("sha256").update(bytes).digest("hex"),
  };
}

/** Bytes that pass for a JPEG of a camera (FF D8 … FF D9), from the seed alone, another picture for every number. */
export function createSyntheticImage(sizeBytes: number, seed: number, number: number): SimulatedImage {
  const bytes = Buffer.from(syntheticBody(sizeBytes, seed));
  bytes.writeUInt32BE(mixSeed(seed, number), 4);
  bytes.writeUInt32BE(number >>> 0, 8);
  return createImage(bytes);
}

const bodies = new Map<string, Buffer>();

function syntheticBody(sizeBytes: number, seed: number): Buffer {
  const key = `${sizeBytes}/${seed}`;
  let body = bodies.get(key);
  if (body === undefined) {
    const random = createRandom(seed);
    body = Buffer.alloc(Math.max(16, sizeBytes));
    for (let at = 0; at + 4 <= body.length; at += 4) body.writeUInt32LE((random() * 0x1_0000_0000) >>> 0, at);
    body.writeUInt16BE(0xffd8, 0);
    body.writeUInt16BE(0xffd9, body.length - 2);
    if (bodies.size >= 8) bodies.clear();
    bodies.set(key, body);
  }
  return body;
}

const LETTERS = "BCDFGHJKLMNPRSTVWXYZ";

/** A Spanish plate for each number; none twice within 80 million. */
export function plateOf(number: number): string {
  let rest = Math.floor(number / 10_000);
  let letters = "";
  for (let n = 0; n < 3; n++) {
    letters = `${LETTERS[rest % LETTERS.length]}${letters}`;
    rest = Math.floor(rest / LETTERS.length);
  }
  return `${String(number % 10_000).padStart(4, "0")}${letters}`;
}

export interface XmlManner {
  /** Name of the root element. */
  root: string;
  prolog: boolean;
  bom: boolean;
}

/** One Tattile XML message in pieces, the pictures as they are: nothing is joined. */
export function buildTattileXml(reading: SimulatedReading, manner: XmlManner): Buffer[] {
  const { serial, plate, date, time, transitId, ocr, ctx } = reading;
  const score = plate === "" ? "000" : "093";
  const head = [
    manner.bom ? "\ufeff" : "",
    manner.prolog ? "<?xml version='1.0' encoding='UTF-8' standalone='no'?>\n" : "",
    `<${manner.root}>\n`,
    `<PLATE_STRING>${plate}</PLATE_STRING>\n<PLATE>${plate}-ESP</PLATE>\n`,
    `<DATE>${date}</DATE>\n<TIME>${time}</TIME>\n`,
    `<DEVICE_SN>${serial}</DEVICE_SN>\n<DEVICE_NAME>Simulated ${serial}</DEVICE_NAME>\n`,
    `<OCRSCORE>${score}</OCRSCORE>\n<DIRECTION>APROACH</DIRECTION>\n<LANE_ID>1</LANE_ID>\n`,
    `<PLATE_COUNTRY_CODE>724</PLATE_COUNTRY_CODE>\n<PLATE_COUNTRY>ESP</PLATE_COUNTRY>\n`,
    `<TRANSIT_ID>${transitId}</TRANSIT_ID>\n<IMAGE_OCR>`,
  ].join("");
  const tail = `</IMAGE_CTX>\n</${manner.root}>\n`;
  return [
    Buffer.from(head, "utf8"),
    ocr?.base64 ?? Buffer.alloc(0),
    Buffer.from("</IMAGE_OCR>\n<IMAGE_CTX>", "latin1"),
    ctx?.base64 ?? Buffer.alloc(0),
    Buffer.from(tail, "latin1"),
  ];
}

/** One binary message (older Vega): an encoder of its own, independent of the parser it is to test. */
export function buildTlvMessage(reading: SimulatedReading): Buffer[] {
  const records: Buffer[] = [
    tlvText(14000, reading.date),
    tlvText(14001, reading.time),
    tlvText(14004, reading.plate),
    tlvText(14005, "ESP"),
    tlvNumber(14009, reading.transitId),
    tlvNumber(14017, Number(reading.serial)),
    tlvText(14018, "APROACH"),
    tlvNumber(14022, 93),
  ];
  if (reading.ocr !== null) records.push(...tlvBytes(14020, reading.ocr.bytes));
  if (reading.ctx !== null) records.push(...tlvBytes(14021, reading.ctx.bytes));
  const header = Buffer.alloc(24);
  header.writeInt32LE(24, 0);
  header.writeInt32LE(40_000, 4);
  header.writeInt32LE(
    records.reduce((sum, record) => sum + record.length, 0),
    20,
  );
  return [header, ...records];
}

function tlvText(tag: number, text: string): Buffer {
  return Buffer.concat(tlvBytes(tag, Buffer.from(`${text}\0`, "utf8")));
}

function tlvNumber(tag: number, value: number): Buffer {
  const data = Buffer.alloc(4);
  data.writeUInt32LE(value >>> 0);
  return Buffer.concat(tlvBytes(tag, data));
}

function tlvBytes(tag: number, data: Uint8Array): Buffer[] {
  const head = Buffer.alloc(8);
  head.writeInt32LE(tag, 0);
  head.writeInt32LE(data.length, 4);
  const padding = Buffer.alloc((4 - (data.length % 4)) % 4);
  return [head, Buffer.from(data.buffer, data.byteOffset, data.byteLength), padding];
}
