import { describe, expect, test } from "bun:test";
import { buildTattileTlv, parseTattileTlv } from "../../src/camera/tattile-tlv.ts";
import type { CameraReading } from "../../src/reading.ts";
import { CTX_JPEG, OCR_JPEG } from "../support/messages.ts";

const FULL = {
  DATE: "2026-01-23",
  TIME: "09-25-57-123",
  DEVICE_NAME: "Plaça",
  PLATE: "1234BCD-ESP",
  PLATE_STRING: "1234BCD",
  PLATE_COUNTRY: "ESP",
  NREAD: 7,
  TRANSIT_ID: 48211,
  ORIG_PLATE_MIN_X: 545,
  ORIG_PLATE_MIN_Y: 505,
  ORIG_PLATE_MAX_X: 755,
  ORIG_PLATE_MAX_Y: 555,
  SPEED: 47,
  CLASS: 2,
  CLASS_STRING: "CAR",
  DEVICE_SN: 2001008851,
  DIRECTION: "GOAWAY",
  IMAGE_OCR: OCR_JPEG,
  IMAGE_CTX: CTX_JPEG,
  OCRSCORE: 93,
};

function readingOf(bytes: Buffer): CameraReading {
  const parsed = parseTattileTlv(bytes);
  if (parsed.kind === "malformed") throw new Error(parsed.reason);
  return parsed.reading;
}

function record(tag: number, data: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeInt32LE(tag, 0);
  header.writeInt32LE(data.length, 4);
  return Buffer.concat([header, data]);
}

function withHeader(body: Buffer): Buffer {
  const header = Buffer.from([24, 0, 0, 0, 0x40, 0x9c, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  header.writeInt32LE(body.length, 20);
  return Buffer.concat([header, body]);
}

describe("a binary message", () => {
  test("gives every fact and both pictures, bit by bit", () => {
    const { ocrImage, ctxImage, ...reading } = readingOf(buildTattileTlv(FULL));
    expect(reading).toEqual({
      protocol: "tattile-tlv",
      cameraSerial: "2001008851",
      facts: {
        plate: "1234BCD",
        deviceName: "Plaça",
        direction: "GOAWAY",
        laneId: null,
        laneDescription: null,
        ocrScore: 93,
        country: "ESP",
        countryCode: null,
        plateMinX: 545,
        plateMinY: 505,
        plateMaxX: 755,
        plateMaxY: 555,
        charHeight: null,
        transitId: "48211",
        brand: null,
        model: null,
        color: null,
        vehicleType: "CAR",
      },
      wallClock: { year: 2026, month: 1, day: 23, hour: 9, minute: 25, second: 57, millisecond: 123 },
      extra: { PLATE: "1234BCD-ESP", NREAD: "7", SPEED: "47", CLASS: "2" },
      rawText:
        "DATE=2026-01-23\nTIME=09-25-57-123\nDEVICE_NAME=Plaça\nPLATE=1234BCD-ESP\nPLATE_STRING=1234BCD\n" +
        "PLATE_COUNTRY=ESP\nNREAD=7\nTRANSIT_ID=48211\nORIG_PLATE_MIN_X=545\nORIG_PLATE_MIN_Y=505\n" +
        "ORIG_PLATE_MAX_X=755\nORIG_PLATE_MAX_Y=555\nSPEED=47\nCLASS=2\nCLASS_STRING=CAR\nDEVICE_SN=2001008851\n" +
        "DIRECTION=GOAWAY\nOCRSCORE=93\n",
      notRead: false,
    });
    expect(OCR_JPEG.equals(ocrImage ?? Buffer.alloc(0))).toBe(true);
    expect(CTX_JPEG.equals(ctxImage ?? Buffer.alloc(0))).toBe(true);
  });

  test("is understood as the bytes on the wire say, in any order, padded or not at the end", () => {
    const sn = Buffer.alloc(4);
    sn.writeInt32LE(77);
    const bytes = withHeader(
      Buffer.concat([
        record(14004, Buffer.from("12AB\0")),
        Buffer.alloc(3),
        record(14017, sn),
        record(14018, Buffer.from("APROACH")),
      ]),
    );
    expect(readingOf(bytes)).toMatchObject({ cameraSerial: "77", facts: { plate: "12AB", direction: "APROACH" } });
  });

  test("is built byte for byte as the protocol says", () => {
    expect(buildTattileTlv({ DEVICE_SN: 77, PLATE_STRING: "AB" }).toString("hex")).toBe(
      "18000000409c000001000000000000000000000018000000" + // header: 24, 40000, sender, receiver, error, length
        "c1360000040000004d000000" + // 14017, 4 bytes: 77
        "b4360000030000004142000" + // 14004, 3 bytes: "AB" NUL
        "0",
    );
  });

  test("the pictures are views of the received bytes, and nothing else of the reading refers to them", () => {
    const bytes = buildTattileTlv(FULL);
    const reading = readingOf(bytes);
    expect(reading.ocrImage?.buffer).toBe(bytes.buffer);
    const facts = structuredClone(reading.facts);
    bytes.fill(0);
    expect(reading.facts).toEqual(facts);
    expect(reading.ocrImage?.every((byte) => byte === 0)).toBe(true);
  });

  test("a serial number over 2^31 is not negative", () => {
    expect(readingOf(buildTattileTlv({ ...FULL, DEVICE_SN: -1 })).cameraSerial).toBe("4294967295");
  });

  test("a text that is no UTF-8 is read as windows-1252", () => {
    const bytes = buildTattileTlv({ DEVICE_SN: 1, DEVICE_NAME: Buffer.from("Pla\xe7a\0rest", "latin1") });
    expect(readingOf(bytes).facts.deviceName).toBe("Plaça");
  });

  test("unknown tags are kept as text when they are text, else as their length; the first of duplicates", () => {
    const bytes = buildTattileTlv({ DEVICE_SN: 1, PLATE_STRING: "1A" }, [
      [14099, Buffer.from("hello €\0")],
      [14100, Buffer.from([1, 2, 3])],
      [14101, Buffer.alloc(5000, "x")],
      [-5, Buffer.alloc(0)],
      [14099, Buffer.from("again")],
    ]);
    expect(readingOf(bytes).extra).toEqual({
      TLV_14099: "hello €",
      TLV_14100: "3 bytes",
      TLV_14101: "5000 bytes",
      "TLV_-5": "0 bytes",
    });
  });

  test("without a plate it is not read; an empty picture is none", () => {
    const reading = readingOf(buildTattileTlv({ DEVICE_SN: 1, IMAGE_OCR: Buffer.alloc(0) }));
    expect([reading.notRead, reading.ocrImage]).toEqual([true, null]);
  });

  test("a broken OCR picture makes it malformed, a broken context picture costs only that", () => {
    expect(parseTattileTlv(buildTattileTlv({ ...FULL, IMAGE_OCR: Buffer.from("GIF89a") }))).toEqual({
      kind: "malformed",
      reason: "IMAGE_OCR is not a JPEG (6 bytes that do not begin with FF D8)",
      cameraSerial: "2001008851",
    });
    const reading = readingOf(buildTattileTlv({ ...FULL, IMAGE_CTX: CTX_JPEG.subarray(0, 500) }));
    expect([reading.ctxImage, reading.extra["IMAGE_CTX"]]).toEqual([
      null,
      "IMAGE_CTX is a JPEG that was cut off (500 bytes without FF D9)",
    ]);
  });
});

describe("no binary message", () => {
  const good = buildTattileTlv({ DEVICE_SN: 77, PLATE_STRING: "1234BCD", DATE: "2026-01-23" });
  const changed = (offset: number, value: number): Buffer => {
    const bytes = Buffer.from(good);
    bytes.writeInt32LE(value, offset);
    return bytes;
  };

  test.each([
    ["other first bytes", changed(4, 40001), "not a binary Tattile message", null],
    ["a short header", good.subarray(0, 20), "not a binary Tattile message", null],
    ["an error", changed(16, 5), "the camera reports error 5", null],
    ["a wrong length", changed(20, 3), "the header says 3 bytes of data, there are 48", null],
    ["a record that overruns", changed(40, 5000), "record 14004 has 5000 bytes where the message has 28 left", "77"],
    ["a negative record", changed(40, -8), "record 14004 has -8 bytes where the message has 28 left", "77"],
    ["bytes behind the last record", withHeader(Buffer.from([1, 2, 3])), "3 bytes behind the last record", null],
    ["no serial", buildTattileTlv({ PLATE_STRING: "1" }), "DEVICE_SN is missing", null],
    ["no records", withHeader(Buffer.alloc(0)), "DEVICE_SN is missing", null],
  ])("%s", (_what, bytes, reason, cameraSerial) => {
    expect(parseTattileTlv(bytes)).toEqual({ kind: "malformed", reason, cameraSerial });
  });

  test("of more than 128 tags the further ones are not kept", () => {
    const unknown = Array.from({ length: 200 }, (_, i) => record(90_000 + i, Buffer.from("abcd")));
    const known = buildTattileTlv(FULL).subarray(24);
    const padding = Buffer.alloc(-known.length & 3);
    const { rawText } = readingOf(withHeader(Buffer.concat([known, padding, ...unknown])));
    expect(rawText.trim().split("\n")).toHaveLength(128);
    expect(rawText).toContain("PLATE_STRING=1234BCD\n");
  });

  test("very many records cost no memory", () => {
    const records = Array.from({ length: 100_000 }, (_, i) => record(i, Buffer.alloc(0)));
    expect(parseTattileTlv(withHeader(Buffer.concat(records)))).toMatchObject({ kind: "malformed" });
  });
});
