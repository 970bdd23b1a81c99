import { describe, expect, test } from "bun:test";
import { parseTattileXml } from "../src/camera/tattile-xml.ts";
import { createDedupeKey, DEDUPE_KEY_BYTES } from "../src/dedupe-key.ts";
import type { CameraReading } from "../src/reading.ts";
import { CTX_JPEG, xmlMessage } from "./support/messages.ts";

const secret = Buffer.alloc(32, 7);
const key = createDedupeKey(secret);

function reading(): CameraReading {
  const parsed = parseTattileXml(xmlMessage({ IMAGE_CTX: CTX_JPEG.toString("base64") }));
  if (parsed.kind !== "reading") throw new Error(parsed.reason);
  return parsed.reading;
}

/** The picture with one bit turned. */
function turned(image: Uint8Array | null, at: number): Uint8Array {
  const copy = Uint8Array.from(image ?? []);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

describe("the mark of a reading", () => {
  test("is the same for the same content, however often and wherever it lies", () => {
    expect(key(reading())).toEqual(key(reading()));
    expect(createDedupeKey(Buffer.from(secret))(reading())).toEqual(key(reading()));
    expect(key(reading()).byteLength).toBe(DEDUPE_KEY_BYTES);
  });

  test("cannot be told without the installation's secret", () => {
    expect(createDedupeKey(Buffer.alloc(32, 8))(reading())).not.toEqual(key(reading()));
  });

  const one = reading();
  const { facts, wallClock, ocrImage, ctxImage } = one;
  const others: [what: string, other: CameraReading][] = [
    ["another camera", { ...one, cameraSerial: "2001008852" }],
    ["another plate", { ...one, facts: { ...facts, plate: `${facts.plate}X` } }],
    ["another transit", { ...one, facts: { ...facts, transitId: "another" } }],
    ["another score", { ...one, facts: { ...facts, ocrScore: 1 } }],
    ["no time", { ...one, wallClock: null }],
    [
      "a millisecond later",
      { ...one, wallClock: wallClock && { ...wallClock, millisecond: (wallClock.millisecond + 1) % 1000 } },
    ],
    ["one bit of the first picture", { ...one, ocrImage: turned(ocrImage, 5) }],
    ["one bit at the end of the second", { ...one, ctxImage: turned(ctxImage, (ctxImage?.length ?? 1) - 1) }],
    ["no second picture", { ...one, ctxImage: null }],
    ["the pictures exchanged", { ...one, ocrImage: ctxImage, ctxImage: ocrImage }],
  ];
  test.each(others)("differs for %s", (_, other) => {
    expect(key(other)).not.toEqual(key(one));
  });

  test("does not depend on tags without a column, nor on how the text was written", () => {
    expect(key({ ...one, extra: { OTHER: "1" }, rawText: "another" })).toEqual(key(one));
  });
});
