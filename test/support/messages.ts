import { sample } from "./samples.ts";

export const OCR_JPEG = sample("car-a-ocr.jpg");
export const CTX_JPEG = sample("car-b-ctx.jpg");

/** Tags of an ordinary reading; a test changes or removes (`null`) the ones it is about. */
const USUAL: Readonly<Record<string, string>> = {
  PLATE_STRING: "1234BCD",
  DATE: "2026-01-23",
  TIME: "09-25-57-123",
  DEVICE_SN: "2001008851",
  IMAGE_OCR: OCR_JPEG.toString("base64"),
};

/** An XML message; values are put in as they are, unescaped. */
export function xmlMessage(tags: Readonly<Record<string, string | null>> = {}, prolog = ""): Buffer {
  const elements = Object.entries({ ...USUAL, ...tags }).filter(([, value]) => value !== null);
  return Buffer.from(`${prolog}<root>${elements.map(([tag, value]) => `<${tag}>${value}</${tag}>`).join("")}</root>`);
}
