import { parseWallClockText } from "../capture-time.ts";
import type { ParsedMessage, ReadingFacts } from "../reading.ts";
import { cleanText, collectExtra, isNotRead, parseInteger, parseNumber, parseSerial, plateProblem } from "./fields.ts";
import { type DecodedImage, decodeImage, NO_IMAGE } from "./images.ts";

/** A reading of Lector Vision, or what keeps it from being one, with the field that is to blame. */
export interface LectorVisionItem {
  parsed: ParsedMessage;
  /** Null when nothing is wrong, or no single field is. */
  field: string | null;
}

const OCR_FIELDS = ["ImageOcr", "ImageOCR", "ImageOcrBase64", "ImageOCRBase64", "ImageOcrB64", "IMAGE_OCR"];
const CTX_FIELDS = ["ImageCtx", "ImageCTX", "ImageCtxBase64", "ImageCTXBase64", "ImageCtxB64", "IMAGE_CTX"];
const CHAR_HEIGHT_FIELDS = ["CharHeight", "PlateCharHeight", "PlateCharheight"];
const TRANSIT_FIELDS = ["IdTransit", "idTransit", "id"];
const MAX_DIRECTION = 32;
const MAX_COUNTRY_CODE = 16;
const MAX_PLATE = 32;
const MAX_RAW_TEXT = 65_536;
/** ISO 3166 numeric of the country whose letters the police know. Others go as numbers only: nothing says how they are wanted. */
const SPAIN = "724";
const DATA_URI = /^data:image\/jpe?g;base64,/i;

/** Understands one item of a Lector Vision message, as JSON gives it. Does not throw. */
export function parseLectorVision(value: unknown): LectorVisionItem {
  if (!isRecord(value)) return refuse(null, "a reading is not an object", null);
  const serialField = textOf(value["SerialNumber"]).trim() === "" ? "IdDevice" : "SerialNumber";
  const serial = parseSerial(textOf(value[serialField]));
  if ("problem" in serial) return refuse("SerialNumber", `SerialNumber ${serial.problem}`, null);
  const { serial: cameraSerial } = serial;
  if (value["Plate"] === undefined || value["Plate"] === null) {
    return refuse("Plate", "Plate is missing", cameraSerial);
  }
  const time = textOf(value["TimeStamp"]);
  if (time.trim() === "") return refuse("TimeStamp", "TimeStamp is missing", cameraSerial);
  const wallClock = parseWallClockText(time);
  if (wallClock === null) {
    return refuse("TimeStamp", `TimeStamp is not YYYY/MM/DD HH:MM:SS.mmm (${time.length} characters)`, cameraSerial);
  }
  const plate = textOf(value["Plate"]).trim();
  const notRead = isNotRead(plate, "");
  const problem = notRead ? null : plateProblem(plate);
  if (problem !== null) return refuse("Plate", problem.replace("PLATE_STRING", "Plate"), cameraSerial);
  const ocrField = findField(value, OCR_FIELDS);
  const ocrImage = notRead ? NO_IMAGE : readImage(value, ocrField);
  if (ocrField !== null && ocrImage.problem !== null) {
    return refuse(ocrField, `${ocrField} is ${ocrImage.problem}`, cameraSerial);
  }
  const ctxField = findField(value, CTX_FIELDS);
  const ctxImage = notRead ? NO_IMAGE : readImage(value, ctxField);

  const used = new Set<string>(["Plate", "TimeStamp", serialField, ...OCR_FIELDS, ...CTX_FIELDS]);
  const take = (names: readonly string[], limit?: number): string | null => {
    const name = names.find((one) => cleanText(textOf(value[one]), limit) !== "");
    if (name === undefined) return null;
    used.add(name);
    return cleanText(textOf(value[name]), limit);
  };
  const country = take(["Country"], MAX_COUNTRY_CODE);
  const isNumeric = country !== null && /^\d{1,3}$/.test(country);
  const corners = Array.isArray(value["PlateCoord"]) ? (value["PlateCoord"] as unknown[]) : [];
  if (corners.length === 4) used.add("PlateCoord");
  const corner = (index: number): number | null => (corners.length === 4 ? parseInteger(textOf(corners[index])) : null);
  const facts: ReadingFacts = {
    plate: notRead ? cleanText(plate, MAX_PLATE) : plate,
    deviceName: serialField === "SerialNumber" ? take(["IdDevice"]) : null,
    direction: take(["Direction"], MAX_DIRECTION),
    laneId: parseInteger(take(["LaneNumber"])),
    laneDescription: take(["LaneName"]),
    ocrScore: parseNumber(take(["Fiability"])),
    country: isNumeric ? (Number(country) === Number(SPAIN) ? "ES" : null) : country,
    countryCode: isNumeric ? country : null,
    plateMinX: corner(0),
    plateMinY: corner(1),
    plateMaxX: corner(2),
    plateMaxY: corner(3),
    charHeight: parseInteger(take(CHAR_HEIGHT_FIELDS)),
    transitId: take(TRANSIT_FIELDS),
    brand: null,
    model: null,
    color: null,
    vehicleType: null,
  };
  const notes: [string, string][] =
    ctxImage.problem === null ? [] : [["IMAGE_CTX", `IMAGE_CTX is ${ctxImage.problem}`]];
  const others = Object.entries(value).filter(([name]) => !used.has(name));
  return {
    field: null,
    parsed: {
      kind: "reading",
      reading: {
        protocol: "lector-vision",
        cameraSerial,
        facts,
        wallClock,
        extra: collectExtra([...notes, ...others.map(([name, one]) => [name, textOf(one)] as const)]),
        rawText: withoutPictures(value),
        ocrImage: ocrImage.bytes,
        ctxImage: ctxImage.bytes,
        notRead,
      },
    },
  };
}

/** The same for the text of one item, as it is held in quarantine. */
export function parseLectorVisionText(bytes: Buffer): ParsedMessage {
  try {
    return parseLectorVision(JSON.parse(bytes.toString("utf8"))).parsed;
  } catch {
    return { kind: "malformed", reason: "not JSON", cameraSerial: null };
  }
}

function refuse(field: string | null, reason: string, cameraSerial: string | null): LectorVisionItem {
  return { field, parsed: { kind: "malformed", reason, cameraSerial } };
}

function findField(value: Record<string, unknown>, names: readonly string[]): string | null {
  return names.find((name) => textOf(value[name]).trim() !== "") ?? null;
}

function readImage(value: Record<string, unknown>, field: string | null): DecodedImage {
  if (field === null) return NO_IMAGE;
  const base64 = textOf(value[field]).replace(DATA_URI, "");
  return decodeImage(base64, Buffer.allocUnsafe(Math.ceil((base64.length * 3) / 4)));
}

function withoutPictures(value: Record<string, unknown>): string {
  const rest = Object.entries(value).filter(([name]) => !OCR_FIELDS.includes(name) && !CTX_FIELDS.includes(name));
  return JSON.stringify(Object.fromEntries(rest)).slice(0, MAX_RAW_TEXT).replaceAll("\0", " ").toWellFormed();
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return value === undefined || value === null ? "" : JSON.stringify(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
