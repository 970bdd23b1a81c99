import { XMLParser, XMLValidator } from "fast-xml-parser";
import type { ParsedMessage } from "../reading.ts";
import { buildReading, DEFAULT_TAG_ALIASES, parseSerial, type TagAliases } from "./fields.ts";
import { readFlatElements } from "./flat-elements.ts";
import { type DecodedImage, decodeImage, type ImageMemory, NO_IMAGE } from "./images.ts";
import { isBlank, nameEnd, startsWith } from "./xml-scan.ts";

/** A message is a dozen short tags beside its pictures; an XML parser gets no more than this to chew on. */
const MAX_TEXT_BYTES = 262_144;

const LT = 0x3c;
const BANG = 0x21;
const COMMENT = { open: Buffer.from("<!--"), close: Buffer.from("-->") };
const CDATA = { open: Buffer.from("<![CDATA["), close: Buffer.from("]]>") };
const ENCODING = /^<\?xml\s[^>]*?\bencoding\s*=\s*["']([^"'<>]{1,40})["']/;
const SERIAL_ELEMENT = /<(?:[\w.-]+:)?DEVICE_SN(?:\s[^<>]*)?>([^<&]{1,80})</;

const DECODERS = {
  "utf-8": new TextDecoder("utf-8", { fatal: true }),
  "windows-1252": new TextDecoder("windows-1252"),
  "iso-8859-15": new TextDecoder("iso-8859-15"),
};

/** Declared names and how to read them; ASCII is a part of UTF-8. */
const ENCODINGS: ReadonlyMap<string, keyof typeof DECODERS> = new Map([
  ["utf-8", "utf-8"],
  ["utf8", "utf-8"],
  ["us-ascii", "utf-8"],
  ["ascii", "utf-8"],
  ["iso-8859-1", "windows-1252"],
  ["iso8859-1", "windows-1252"],
  ["iso_8859-1", "windows-1252"],
  ["latin1", "windows-1252"],
  ["windows-1252", "windows-1252"],
  ["cp1252", "windows-1252"],
  ["iso-8859-15", "iso-8859-15"],
  ["iso8859-15", "iso-8859-15"],
  ["latin9", "iso-8859-15"],
]);

const parser = new XMLParser({
  parseTagValue: false,
  parseAttributeValue: false,
  ignoreAttributes: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  removeNSPrefix: true,
  htmlEntities: true,
  // Nobody asks for an element's path as text, which would be made for each.
  jPath: false,
});

/**
 * Understands one whole XML message of a Tattile camera, as the framer cut it out. The pictures never pass through the XML
 * parser. Tags by name, in any order, all but DEVICE_SN optional (no PLATE_STRING: not read); of duplicates the first counts.
 * Does not throw; nothing of the result refers to `bytes`.
 * @param memory where the pictures go: asked at most once, for both
 */
export function parseTattileXml(
  bytes: Buffer,
  aliases: TagAliases = DEFAULT_TAG_ALIASES,
  memory: ImageMemory = Buffer.allocUnsafeSlow,
): ParsedMessage {
  const { rest, images } = cutImages(bytes, memory);
  const malformed = (reason: string, text: string): ParsedMessage => {
    const serial = parseSerial(SERIAL_ELEMENT.exec(text)?.[1] ?? "");
    return { kind: "malformed", reason, cameraSerial: "serial" in serial ? serial.serial : null };
  };
  if (rest.length > MAX_TEXT_BYTES) {
    const reason = `${rest.length} bytes without the pictures (at most ${MAX_TEXT_BYTES})`;
    return malformed(reason, rest.toString("latin1", 0, MAX_TEXT_BYTES));
  }
  const decoded = decodeText(rest);
  if ("problem" in decoded) return malformed(decoded.problem, rest.toString("latin1"));
  const { text } = decoded;
  if (/<!(?:DOCTYPE|ENTITY)/i.test(text)) return malformed("a document type or entity is declared", text);
  const texts = parseElements(text);
  if ("problem" in texts) return malformed(texts.problem, text);
  return buildReading(
    {
      protocol: "tattile-xml",
      texts: texts.elements,
      ocrImage: images.get("IMAGE_OCR") ?? NO_IMAGE,
      ctxImage: images.get("IMAGE_CTX") ?? NO_IMAGE,
      rawText: text,
    },
    aliases,
  );
}

/**
 * Takes the pictures' base64 out of a message; comments and CDATA sections are no place to find any. Stops where there is
 * more text than may be, and at the first picture that is not closed: `rest` is refused then, and hostile bytes cost little.
 */
function cutImages(bytes: Buffer, memory: ImageMemory): { rest: Buffer; images: Map<string, DecodedImage> } {
  const images = new Map<string, DecodedImage>();
  let room: Buffer | null = null;
  const pieces: Buffer[] = [];
  let kept = 0;
  let cutBytes = 0;
  for (let at = bytes.indexOf(LT); at >= 0; at = bytes.indexOf(LT, at)) {
    if (at - cutBytes > MAX_TEXT_BYTES) break;
    const section =
      bytes[at + 1] === BANG ? [COMMENT, CDATA].find(({ open }) => startsWith(bytes, at, open) === true) : undefined;
    if (section !== undefined) {
      const close = bytes.indexOf(section.close, at + section.open.length);
      if (close < 0) break;
      at = close + section.close.length;
      continue;
    }
    const name = elementAt(bytes, at);
    at++;
    if (name !== "IMAGE_OCR" && name !== "IMAGE_CTX") continue;
    const span = contentOf(bytes, at);
    if (span === "self-closed") continue;
    if (span === "unclosed") break;
    if (!images.has(name)) {
      // One piece of memory holds every picture of the message: base64 shrinks, and each name is decoded once.
      room ??= memory(Math.ceil(((bytes.length - span.from) * 3) / 4));
      const image = decodeImage(bytes.toString("latin1", span.from, span.to), room);
      images.set(name, image);
      room = room.subarray(image.bytes?.length ?? 0);
    }
    pieces.push(bytes.subarray(kept, span.outerFrom));
    kept = span.outerTo;
    cutBytes += span.outerTo - span.outerFrom;
    at = span.outerTo;
  }
  pieces.push(bytes.subarray(kept));
  return { rest: pieces.length === 1 ? bytes : Buffer.concat(pieces), images };
}

/** The name, without prefix, of the element whose open tag is at `lt`; null for anything else. */
function elementAt(bytes: Buffer, lt: number): string | null {
  const end = nameEnd(bytes, lt + 1);
  if (end <= 0) return null;
  const name = bytes.toString("latin1", lt + 1, end);
  return name.slice(name.indexOf(":") + 1);
}

/**
 * The content of the element whose name begins at `nameFrom`, up to its close tag: `outer` as it stands, and inside a CDATA
 * section if it is one.
 */
function contentOf(
  bytes: Buffer,
  nameFrom: number,
): { from: number; to: number; outerFrom: number; outerTo: number } | "self-closed" | "unclosed" {
  const tagEnd = bytes.indexOf(">", nameFrom);
  if (tagEnd < 0) return "unclosed";
  if (bytes[tagEnd - 1] === 0x2f) return "self-closed";
  const closeTag = `</${bytes.toString("latin1", nameFrom, nameEnd(bytes, nameFrom))}`;
  const outerFrom = tagEnd + 1;
  const outerTo = bytes.indexOf(closeTag, outerFrom, "latin1");
  if (outerTo < 0) return "unclosed";
  let [from, to] = [outerFrom, outerTo];
  while (from < to && isBlank(bytes[from])) from++;
  while (to > from && isBlank(bytes[to - 1])) to--;
  const wrapped =
    startsWith(bytes, from, CDATA.open) === true && startsWith(bytes, to - CDATA.close.length, CDATA.close) === true;
  if (wrapped) {
    from += CDATA.open.length;
    to -= CDATA.close.length;
  }
  return { from, to, outerFrom, outerTo };
}

function decodeText(rest: Buffer): { text: string } | { problem: string } {
  const declared = ENCODING.exec(rest.toString("latin1", 0, 256))?.[1];
  const encoding = declared === undefined ? "utf-8" : ENCODINGS.get(declared.toLowerCase());
  if (encoding === undefined) {
    const allowed = "UTF-8, ISO-8859-1, ISO-8859-15, windows-1252, US-ASCII";
    return { problem: `the declared encoding is not known (${JSON.stringify(declared)}; known are ${allowed})` };
  }
  if (encoding !== "utf-8") return { text: DECODERS[encoding].decode(rest) };
  try {
    return { text: DECODERS["utf-8"].decode(rest) };
  } catch {
    // Whatever was declared: better an odd accent in a street's name than a lost reading.
    return { text: DECODERS["windows-1252"].decode(rest) };
  }
}

function parseElements(text: string): { elements: Map<string, string> } | { problem: string } {
  const elements = readFlatElements(text);
  return elements === null ? parseAnyElements(text) : { elements };
}

/** The root's children by name. The library's own messages quote the document, so only their code and place go on. */
export function parseAnyElements(text: string): { elements: Map<string, string> } | { problem: string } {
  let document: unknown;
  try {
    const valid = XMLValidator.validate(text, { allowBooleanAttributes: true });
    if (valid !== true) return { problem: `not well-formed XML (${valid.err.code}, line ${valid.err.line})` };
    document = parser.parse(text);
  } catch {
    return { problem: "not XML that can be read" };
  }
  const elements = new Map<string, string>();
  const root = isRecord(document) ? Object.values(document)[0] : undefined;
  if (!isRecord(root)) return { elements };
  for (const [name, value] of Object.entries(root)) {
    if (name !== "#text") elements.set(name, textOf(Array.isArray(value) ? value[0] : value));
  }
  return { elements };
}

/** An element's text; one with elements of its own, of which the protocol has none, as JSON. */
function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
