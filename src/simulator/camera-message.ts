import type { Picture } from "./picture.ts";

/** One thing a camera saw, before it is put into a protocol. */
export interface SimulatedReading {
  serial: string;
  /** Empty: not read. */
  plate: string;
  /** `YYYY-MM-DD` and a time in one of the forms of `formatTime`, as the camera's clock shows them. */
  date: string;
  time: string;
  transitId: number;
  ocr: Picture | null;
  ctx: Picture | null;
}

/** How an XML message is written; every one of these is met in the field. */
export interface XmlManner {
  /** Name of the root element. */
  root: string;
  prolog: "none" | "utf-8" | "iso-8859-1";
  bom: boolean;
  /** Base64 is broken into lines of so many characters; null: one line. */
  base64Line: number | null;
  /** What stands behind the message: blanks, line ends or NULs. */
  separator: string;
}

/** Two spellings of what is wrong with a message; its end can still be found, so that what follows it is not lost. */
export type Defect = "no-serial" | "crossed-tags";

export const PLAIN_MANNER: XmlManner = {
  root: "root",
  prolog: "utf-8",
  bom: false,
  base64Line: null,
  separator: "\n",
};

/** Accents, to see what becomes of the declared encoding. */
const LANE = "Cruïlla d'Àger";

/** One Tattile XML message in pieces; the pictures are not copied unless lines must be broken. */
export function buildTattileXml(
  reading: SimulatedReading,
  manner: XmlManner = PLAIN_MANNER,
  defect: Defect | null = null,
): readonly Buffer[] {
  const { serial, plate, date, time, transitId, ocr, ctx } = reading;
  const latin1 = manner.prolog === "iso-8859-1";
  const encode = (text: string): Buffer => Buffer.from(text, latin1 ? "latin1" : "utf8");
  const read = plate !== "";
  const head = [
    manner.bom && !latin1 ? "\ufeff" : "",
    manner.prolog === "none" ? "" : `<?xml version='1.0' encoding='${manner.prolog.toUpperCase()}' standalone='no'?>\n`,
    `<${manner.root}>\n`,
    `<PLATE_STRING>${escapeText(plate)}</PLATE_STRING>\n<PLATE>${escapeText(plate)}-ESP</PLATE>\n`,
    `<DATE>${date}</DATE>\n<TIME>${time}</TIME>\n`,
    defect === "no-serial" ? "" : `<DEVICE_SN>${serial}</DEVICE_SN>\n`,
    defect === "crossed-tags"
      ? "<DEVICE_NAME>crossed</SITE_ADDRESS>\n"
      : `<DEVICE_NAME>Camera ${serial}</DEVICE_NAME>\n`,
    `<OCRSCORE>${read ? "093" : "000"}</OCRSCORE>\n<DIRECTION>APROACH</DIRECTION>\n`,
    `<LANE_ID>1</LANE_ID>\n<LANE_DESCR>${LANE}</LANE_DESCR>\n`,
    "<ORIG_PLATE_MIN_X>545</ORIG_PLATE_MIN_X>\n<ORIG_PLATE_MIN_Y>505</ORIG_PLATE_MIN_Y>\n",
    "<ORIG_PLATE_MAX_X>755</ORIG_PLATE_MAX_X>\n<ORIG_PLATE_MAX_Y>555</ORIG_PLATE_MAX_Y>\n<CHAR_HEIGHT>30</CHAR_HEIGHT>\n",
    "<PLATE_COUNTRY_CODE>724</PLATE_COUNTRY_CODE>\n<PLATE_COUNTRY>ESP</PLATE_COUNTRY>\n",
    `<TRANSIT_ID>${transitId}</TRANSIT_ID>\n<IMAGE_OCR>`,
  ].join("");
  return [
    encode(head),
    ...base64Of(ocr, manner),
    Buffer.from("</IMAGE_OCR>\n<IMAGE_CTX>"),
    ...base64Of(ctx, manner),
    Buffer.from(`</IMAGE_CTX>\n</${manner.root}>${manner.separator}`),
  ];
}

function base64Of(picture: Picture | null, manner: XmlManner): readonly Buffer[] {
  if (picture === null) return [];
  if (manner.base64Line === null) return picture.base64;
  const text = Buffer.concat(picture.base64).toString("latin1");
  const lines = text.match(new RegExp(`.{1,${manner.base64Line}}`, "g")) ?? [];
  return [Buffer.from(`\n${lines.join("\n")}\n`, "latin1")];
}

function escapeText(text: string): string {
  return text.replace(/[&<>]/g, (sign) => (sign === "&" ? "&amp;" : sign === "<" ? "&lt;" : "&gt;"));
}

/** Milliseconds may be missing or stand behind `-` or `.`; the parts behind `-` or `:`. */
export const TIME_FORMS = ["HH-MM-SS-mmm", "HH-MM-SS", "HH:MM:SS", "HH:MM:SS.mmm"] as const;
export type TimeForm = (typeof TIME_FORMS)[number];

/** @param time `HH:MM:SS.mmm` */
export function formatTime(time: string, form: TimeForm): string {
  const whole = time.slice(0, 8);
  switch (form) {
    case "HH-MM-SS-mmm":
      return time.replace(/[:.]/g, "-");
    case "HH-MM-SS":
      return whole.replaceAll(":", "-");
    case "HH:MM:SS":
      return whole;
    case "HH:MM:SS.mmm":
      return time;
  }
}

/**
 * One binary message (older Vega) in pieces: little-endian int32 throughout, header 24 bytes, then tag, length, data padded
 * to four. Independent of src/camera, whose parser it is to test. The serial must fit an int32.
 */
export function buildTlvMessage(reading: SimulatedReading, defect: Defect | null = null): readonly Buffer[] {
  const records: Buffer[] = [
    // A tag that no table has: it must be skipped.
    ...record(14999, [Buffer.from("abc")]),
    ...textRecord(14000, reading.date),
    ...textRecord(14001, reading.time),
    ...textRecord(14004, reading.plate),
    ...textRecord(14005, "ESP"),
    ...numberRecord(14009, reading.transitId),
    ...(defect === null ? numberRecord(14017, Number(reading.serial)) : []),
    ...textRecord(14018, "APROACH"),
    ...numberRecord(14022, reading.plate === "" ? 0 : 93),
    ...(reading.ocr === null ? [] : record(14020, reading.ocr.bytes)),
    ...(reading.ctx === null ? [] : record(14021, reading.ctx.bytes)),
  ];
  const header = Buffer.alloc(24);
  header.writeInt32LE(24, 0);
  header.writeInt32LE(40_000, 4);
  header.writeInt32LE(countBytes(records), 20);
  return [header, ...records];
}

function textRecord(tag: number, text: string): Buffer[] {
  return record(tag, [Buffer.from(`${text}\0`, "utf8")]);
}

function numberRecord(tag: number, value: number): Buffer[] {
  const data = Buffer.alloc(4);
  data.writeInt32LE(value);
  return record(tag, [data]);
}

function record(tag: number, data: readonly Buffer[]): Buffer[] {
  const head = Buffer.alloc(8);
  const length = countBytes(data);
  head.writeInt32LE(tag, 0);
  head.writeInt32LE(length, 4);
  return [head, ...data, Buffer.alloc((4 - (length % 4)) % 4)];
}

export function countBytes(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}
