import { expect, test } from "bun:test";
import { parseLectorVision, parseLectorVisionText } from "../../src/camera/lectorvision.ts";
import { CTX_JPEG, OCR_JPEG } from "../support/messages.ts";
import { seededRandom } from "../support/random.ts";

const USUAL = {
  Plate: "1234BCD",
  TimeStamp: "2026/01/23 09:25:57.123",
  SerialNumber: "LV-0042",
  Fiability: 92.5,
  Direction: "GOAWAY",
  LaneNumber: 2,
  LaneName: "Entrada nord",
  PlateCoord: [10, 20, 110, 60],
  Country: 724,
  CharHeight: "31",
  IdTransit: 778,
  ImageOcr: OCR_JPEG.toString("base64"),
  ImageCtx: CTX_JPEG.toString("base64"),
};

function readingOf(item: object) {
  const { parsed } = parseLectorVision(item);
  if (parsed.kind !== "reading") throw new Error(parsed.reason);
  return parsed.reading;
}

test("every field becomes what it means, and both pictures come out bit for bit", () => {
  const { ocrImage, ctxImage, rawText, ...rest } = readingOf({ ...USUAL, Speed: 48, Zone: { id: 3 } });
  expect(rest).toEqual({
    protocol: "lector-vision",
    cameraSerial: "LV-0042",
    facts: {
      plate: "1234BCD",
      deviceName: null,
      direction: "GOAWAY",
      laneId: 2,
      laneDescription: "Entrada nord",
      ocrScore: 92.5,
      country: "ES",
      countryCode: "724",
      plateMinX: 10,
      plateMinY: 20,
      plateMaxX: 110,
      plateMaxY: 60,
      charHeight: 31,
      transitId: "778",
      brand: null,
      model: null,
      color: null,
      vehicleType: null,
    },
    wallClock: { year: 2026, month: 1, day: 23, hour: 9, minute: 25, second: 57, millisecond: 123 },
    extra: { Speed: "48", Zone: '{"id":3}' },
    notRead: false,
  });
  expect(OCR_JPEG.equals(ocrImage ?? new Uint8Array())).toBe(true);
  expect(CTX_JPEG.equals(ctxImage ?? new Uint8Array())).toBe(true);
  expect(JSON.parse(rawText)).not.toHaveProperty("ImageOcr");
});

test.each([
  ["ImageOcr", "ImageCtx"],
  ["ImageOCR", "ImageCTX"],
  ["ImageOcrBase64", "ImageCtxBase64"],
  ["ImageOCRBase64", "ImageCTXBase64"],
  ["ImageOcrB64", "ImageCtxB64"],
  ["IMAGE_OCR", "IMAGE_CTX"],
])("pictures are found as %s and %s", (ocr, ctx) => {
  const { ImageOcr, ImageCtx, ...rest } = USUAL;
  const reading = readingOf({ ...rest, [ocr]: ImageOcr, [ctx]: `data:image/jpeg;base64,${ImageCtx}` });
  expect([reading.ocrImage?.byteLength, reading.ctxImage?.byteLength]).toEqual([
    OCR_JPEG.byteLength,
    CTX_JPEG.byteLength,
  ]);
});

test.each<[string, object, object]>([
  ["IdDevice stands in for a serial", { SerialNumber: undefined, IdDevice: 77 }, { cameraSerial: "77" }],
  ["an empty serial too", { SerialNumber: " ", IdDevice: "D7" }, { cameraSerial: "D7" }],
  ["IdDevice beside a serial is a name", { IdDevice: "Nord" }, { facts: { deviceName: "Nord" } }],
  ["PlateCharHeight", { CharHeight: undefined, PlateCharHeight: 29 }, { facts: { charHeight: 29 } }],
  ["PlateCharheight", { CharHeight: undefined, PlateCharheight: 28 }, { facts: { charHeight: 28 } }],
  ["idTransit", { IdTransit: undefined, idTransit: "a-1" }, { facts: { transitId: "a-1" } }],
  ["id", { IdTransit: undefined, id: "a-2" }, { facts: { transitId: "a-2" } }],
  ["another country stays a number", { Country: "250" }, { facts: { country: null, countryCode: "250" } }],
  ["a country in letters stays as it is", { Country: "FRA" }, { facts: { country: "FRA", countryCode: null } }],
  ["corners that are not four are none", { PlateCoord: [1, 2] }, { facts: { plateMinX: null } }],
  [
    "a number that is none is null",
    { Fiability: "good", LaneNumber: "x" },
    { facts: { ocrScore: null, laneId: null } },
  ],
  ["no picture is a reading without one", { ImageOcr: undefined, ImageCtx: "" }, { ocrImage: null, ctxImage: null }],
  [
    "a broken context picture is noted",
    { ImageCtx: "!!" },
    { ctxImage: null, extra: { IMAGE_CTX: expect.any(String) } },
  ],
  ["an empty plate is not read", { Plate: "" }, { notRead: true, ocrImage: null }],
  ["a partial plate is not read", { Plate: "12?4" }, { notRead: true }],
])("%s", (_what, change, expected) => {
  expect(readingOf({ ...USUAL, ...change })).toMatchObject(expected);
});

test.each<[string, object, string]>([
  ["Plate", { Plate: undefined }, "Plate is missing"],
  ["Plate", { Plate: null }, "Plate is missing"],
  ["Plate", { Plate: "A".repeat(40) }, "Plate has 40 characters"],
  ["SerialNumber", { SerialNumber: undefined }, "SerialNumber is missing"],
  ["SerialNumber", { SerialNumber: "x".repeat(65) }, "SerialNumber has 65 characters"],
  ["TimeStamp", { TimeStamp: undefined }, "TimeStamp is missing"],
  ["TimeStamp", { TimeStamp: "yesterday" }, "TimeStamp is not YYYY/MM/DD"],
  ["TimeStamp", { TimeStamp: "2026/02/30 10:00:00.000" }, "TimeStamp is not"],
  ["ImageOcr", { ImageOcr: "not base64" }, "ImageOcr is not base64"],
  ["ImageOcr", { ImageOcr: Buffer.from("GIF89a").toString("base64") }, "ImageOcr is not a JPEG"],
])("a wrong %s is named, and no plate with it", (field, change, reason) => {
  const { parsed, field: named } = parseLectorVision({ ...USUAL, ...change });
  expect(parsed.kind).toBe("malformed");
  expect(named).toBe(field);
  if (parsed.kind === "malformed") {
    expect(parsed.reason).toContain(reason);
    expect(parsed.reason).not.toContain("1234BCD");
  }
});

test("what is no object is no reading", () => {
  for (const value of [null, 7, "x", [], true]) expect(parseLectorVision(value).parsed.kind).toBe("malformed");
  expect(parseLectorVisionText(Buffer.from("{")).kind).toBe("malformed");
  expect(parseLectorVisionText(Buffer.from(JSON.stringify(USUAL))).kind).toBe("reading");
});

test("whatever the fields hold, it is a reading or says what is wrong, without the plate", () => {
  const random = seededRandom("lector vision fields");
  const odd: readonly unknown[] = [
    null,
    true,
    -1,
    1e300,
    "",
    " ",
    "\0",
    "\ud800",
    "x".repeat(70_000),
    [],
    [1, "2", null, {}],
    { a: { b: [1] } },
    "2026/01/23 09:25:57.123",
    "1234BCD",
  ];
  const names = [...Object.keys(USUAL), "IdDevice", "__proto__", "constructor", "id", "Extra"];
  let readings = 0;
  for (let round = 0; round < 2000; round++) {
    const item: Record<string, unknown> = Object.assign(Object.create(null), USUAL);
    for (let change = 0; change <= random.below(4); change++) {
      const name = names[random.below(names.length)] ?? "";
      if (random.below(5) === 0) delete item[name];
      else item[name] = odd[random.below(odd.length)];
    }
    const { parsed, field } = parseLectorVision(item);
    if (parsed.kind === "malformed") {
      expect(parsed.reason).not.toContain("1234BCD");
      expect([null, ...names].includes(field)).toBe(true);
      continue;
    }
    readings += 1;
    const { facts, extra, rawText, cameraSerial } = parsed.reading;
    const texts = [cameraSerial, facts.plate, facts.direction ?? "", rawText, ...Object.values(extra)];
    expect(texts.every((text) => text.isWellFormed() && !text.includes("\0"))).toBe(true);
    expect(rawText.length).toBeLessThanOrEqual(65_536);
  }
  expect(readings).toBeGreaterThan(300);
});
