import { describe, expect, test } from "bun:test";
import { parseTattileXml } from "../../src/camera/tattile-xml.ts";
import type { CameraReading } from "../../src/reading.ts";
import { CTX_JPEG, OCR_JPEG, xmlMessage } from "../support/messages.ts";
import { sample, sampleMessage } from "../support/samples.ts";

function readingOf(bytes: Buffer | string): CameraReading {
  const parsed = parseTattileXml(typeof bytes === "string" ? Buffer.from(bytes) : bytes);
  if (parsed.kind === "malformed") throw new Error(parsed.reason);
  return parsed.reading;
}

function reasonOf(bytes: Buffer | string): string {
  const parsed = parseTattileXml(typeof bytes === "string" ? Buffer.from(bytes) : bytes);
  return parsed.kind === "malformed" ? parsed.reason : "a reading";
}

/** Pictures by size and hash: a red test shall not print them. */
function fingerprint(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : `${bytes.length} ${Bun.hash(bytes)}`;
}

describe("real messages", () => {
  test("a full one gives every fact and both pictures, bit by bit", () => {
    const { ocrImage, ctxImage, rawText, ...reading } = readingOf(sampleMessage("read-full.xml"));
    expect(reading).toEqual({
      protocol: "tattile-xml",
      cameraSerial: "2001008851",
      facts: {
        plate: "1234BCD",
        deviceName: "Pont Nord",
        direction: "GOAWAY",
        laneId: 1,
        laneDescription: "Carril 1",
        ocrScore: 93,
        country: "ESP",
        countryCode: "724",
        plateMinX: 545,
        plateMinY: 505,
        plateMaxX: 755,
        plateMaxY: 555,
        charHeight: 30,
        transitId: "48211",
        brand: null,
        model: null,
        color: null,
        vehicleType: "CAR",
      },
      wallClock: { year: 2026, month: 1, day: 23, hour: 9, minute: 25, second: 57, millisecond: 123 },
      extra: { PLATE: "1234BCD-ESP", SPEED: "47" },
      notRead: false,
    });
    expect(fingerprint(ocrImage)).toBe(fingerprint(sample("car-a-ocr.jpg")));
    expect(fingerprint(ctxImage)).toBe(fingerprint(sample("car-a-ctx.jpg")));
    expect(rawText).toContain("<PLATE_STRING>1234BCD</PLATE_STRING>");
    expect(rawText).toContain("<IMAGE_OCR></IMAGE_OCR>\n<IMAGE_CTX></IMAGE_CTX>\n</root>");
    expect(rawText.length).toBeLessThan(1000);
  });

  test("one without context, one without pictures, and one that was not read", () => {
    const noContext = readingOf(sampleMessage("read-no-context.xml"));
    expect([noContext.facts.plate, noContext.ocrImage?.length, noContext.ctxImage]).toEqual(["0007LSD", 8043, null]);
    const noImages = readingOf(sampleMessage("no-images.xml"));
    expect([noImages.ocrImage, noImages.ctxImage, noImages.notRead]).toEqual([null, null, false]);
    const notRead = readingOf(sampleMessage("not-read.xml"));
    expect([notRead.notRead, notRead.facts.plate, notRead.cameraSerial]).toEqual([true, "", "2001008851"]);
  });

  test("nothing of the reading refers to the received bytes", () => {
    const bytes = Buffer.from(sampleMessage("read-full.xml"));
    const reading = readingOf(bytes);
    const before = [fingerprint(reading.ocrImage), fingerprint(reading.ctxImage), reading.rawText];
    bytes.fill(0);
    expect([fingerprint(reading.ocrImage), fingerprint(reading.ctxImage), reading.rawText]).toEqual(before);
  });
});

describe("the plate", () => {
  test.each([
    ["1234E5", "1234E5"],
    ["0012", "0012"],
    ["1E5", "1E5"],
    ["0x1F", "0x1F"],
    ["true", "true"],
    [" 1234 BCD ", "1234 BCD"],
    ["<![CDATA[AB&12]]>", "AB&12"],
    ["A/B", "A/B"],
    ["&#209;1234&amp;", "Ñ1234&"],
    ["Ñ1234", "Ñ1234"],
    ["A".repeat(32), "A".repeat(32)],
  ])("%s is kept as the camera wrote it", (written, plate) => {
    const reading = readingOf(xmlMessage({ PLATE_STRING: written }));
    expect([reading.facts.plate, reading.notRead]).toEqual([plate, false]);
  });

  test.each(["", "  ", "-", "---", "?", "12?4BCD", "12*4", "1234_CD", null])("%j means not read", (written) => {
    const reading = readingOf(xmlMessage({ PLATE_STRING: written, PLATE: "1234BCD-ESP" }));
    expect([reading.notRead, reading.cameraSerial]).toEqual([true, "2001008851"]);
  });

  test.each([
    ["OCR NOT READ", true],
    ["ocr_not_read", true],
    ["NOT_READ", true],
    ["OcrNotRead", true],
    ["NOREAD", true],
    ["No plate", true],
    ["NO_PLATE", true],
    ["NoPlate", true],
    ["OCR READ", false],
    ["TRANSIT", false],
    ["CASINO PLATE", false],
  ])("with the event %j: not read is %p", (event, notRead) => {
    expect(readingOf(xmlMessage({ EVENT_DESC: event })).notRead).toBe(notRead);
  });

  test("over 32 characters, or with control characters, is malformed and not quoted", () => {
    expect(reasonOf(xmlMessage({ PLATE_STRING: "A".repeat(33) }))).toBe("PLATE_STRING has 33 characters (at most 32)");
    expect(reasonOf(xmlMessage({ PLATE_STRING: "12\x0734" }))).toBe("PLATE_STRING holds control characters");
  });
});

describe("the camera's serial", () => {
  test.each([
    [null, "DEVICE_SN is missing"],
    ["", "DEVICE_SN is missing"],
    ["  ", "DEVICE_SN is missing"],
    ["1".repeat(65), "DEVICE_SN has 65 characters (at most 64)"],
    ["12&#10;34", "DEVICE_SN holds control characters"],
  ])("%j is malformed", (serial, reason) => {
    expect(reasonOf(xmlMessage({ DEVICE_SN: serial }))).toBe(reason);
  });

  test("keeps zeros and anything printable", () => {
    expect(readingOf(xmlMessage({ DEVICE_SN: " 0012/A " })).cameraSerial).toBe("0012/A");
  });

  test("is given with a malformed message where it can be found", () => {
    const parsed = parseTattileXml(Buffer.from("<root><DEVICE_SN>2001</DEVICE_SN><A></root>"));
    expect(parsed).toEqual({
      kind: "malformed",
      reason: "not well-formed XML (InvalidTag, line 1)",
      cameraSerial: "2001",
    });
    expect(parseTattileXml(xmlMessage({ PLATE_STRING: "A".repeat(40) }))).toMatchObject({ cameraSerial: "2001008851" });
  });
});

describe("numbers and texts", () => {
  test.each([
    ["093", 93],
    ["92.5", 92.5],
    ["92,5", 92.5],
    [" 75 ", 75],
    ["0", 0],
    ["", null],
    ["high", null],
    ["1e3", null],
    ["Infinity", null],
    ["12%", null],
  ])("OCRSCORE %j is %p", (written, score) => {
    expect(readingOf(xmlMessage({ OCRSCORE: written })).facts.ocrScore).toBe(score);
  });

  test.each([
    ["1", 1],
    ["01", 1],
    ["-1", -1],
    ["1.6", 2],
    ["2147483647", 2147483647],
    ["2147483648", null],
    ["A", null],
  ])("LANE_ID %j is %p", (written, lane) => {
    expect(readingOf(xmlMessage({ LANE_ID: written })).facts.laneId).toBe(lane);
  });

  test("second names stand in for first ones", () => {
    const { facts } = readingOf(xmlMessage({ PLATE_CHAR_HEIGHT: "28", CLASS_STRING: "TRUCK" }));
    expect([facts.charHeight, facts.vehicleType]).toEqual([28, "TRUCK"]);
    const both = readingOf(
      xmlMessage({ PLATE_CHAR_HEIGHT: "28", CHAR_HEIGHT: "30", CLASS_STRING: "TRUCK", VEHICLE_TYPE: "VAN" }),
    );
    expect([both.facts.charHeight, both.facts.vehicleType]).toEqual([30, "VAN"]);
    expect(both.extra).toEqual({ PLATE_CHAR_HEIGHT: "28", CLASS_STRING: "TRUCK" });
  });

  test("brand, model and colour come from the tags that are set", () => {
    const message = xmlMessage({ BRAND: "SEAT", MODEL: "Ibiza", COLOR: "red", MARCA: "Seat", PLATE_COLOR: "white" });
    expect(readingOf(message).facts).toMatchObject({ brand: "SEAT", model: "Ibiza", color: "red" });
    const parsed = parseTattileXml(message, {
      brandTags: ["X", "MARCA"],
      modelTags: [],
      colorTags: ["PLATE_COLOR"],
    });
    expect(parsed).toMatchObject({
      reading: {
        facts: { brand: "Seat", model: null, color: "white" },
        extra: { BRAND: "SEAT", MODEL: "Ibiza", COLOR: "red" },
      },
    });
  });

  test("texts are cut to what a store takes and hold no control characters", () => {
    const { facts } = readingOf(
      xmlMessage({
        DEVICE_NAME: "x".repeat(300),
        DIRECTION: "y".repeat(40),
        LANE_DESCR: "a&#0;b&#xD800;",
        PLATE_COUNTRY_CODE: "1".repeat(20),
      }),
    );
    expect([facts.deviceName?.length, facts.direction?.length, facts.countryCode?.length]).toEqual([255, 32, 16]);
    expect(facts.laneDescription?.isWellFormed()).toBe(true);
    expect(facts.laneDescription).not.toContain("\0");
  });

  test("a time that is missing or broken is null, and what was written stays readable", () => {
    expect(readingOf(xmlMessage({ TIME: null })).wallClock).toBeNull();
    const broken = readingOf(xmlMessage({ DATE: "2026-02-30", TIME: "25:00:00" }));
    expect([broken.wallClock, broken.extra]).toEqual([null, { DATE: "2026-02-30", TIME: "25:00:00" }]);
  });
});

describe("unknown tags", () => {
  test("are kept, the first of duplicates, bounded in number and length", () => {
    const { extra } = readingOf("<root><DEVICE_SN>1</DEVICE_SN><FOO>1</FOO><FOO>2</FOO><n:BAR>b</n:BAR><E/></root>");
    expect(extra).toEqual({ FOO: "1", BAR: "b", E: "" });
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`T${i}`, "v".repeat(i === 0 ? 9000 : 5)]));
    const bounded = readingOf(xmlMessage(many)).extra;
    expect([Object.keys(bounded).length, bounded["T0"]?.length]).toEqual([64, 4096]);
    expect(Object.keys(readingOf(xmlMessage({ [`L${"x".repeat(200)}`]: "1" })).extra)).toEqual([`L${"x".repeat(63)}`]);
  });

  test("the first of duplicates counts for known ones too", () => {
    expect(readingOf("<r><DEVICE_SN>1</DEVICE_SN><DEVICE_SN>2</DEVICE_SN></r>").cameraSerial).toBe("1");
  });

  test("names that mean something to JavaScript do no harm", () => {
    for (const tag of ["__proto__", "constructor", "hasOwnProperty", "toString"]) {
      const parsed = parseTattileXml(xmlMessage({ [tag]: "x" }));
      expect(parsed.kind === "reading" ? parsed.reading.cameraSerial : parsed.cameraSerial).toBe("2001008851");
    }
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
  });

  test("elements inside elements are kept as JSON", () => {
    expect(readingOf(xmlMessage({ LIST: "<A>1</A><A>2</A>" })).extra["LIST"]).toBe('{"A":["1","2"]}');
  });
});

describe("pictures", () => {
  const base64 = OCR_JPEG.toString("base64");
  const wrapped = base64.replace(/.{76}/g, "$&\r\n");

  test.each([
    ["plain", `<IMAGE_OCR>${base64}</IMAGE_OCR>`],
    ["with line breaks and blanks", `<IMAGE_OCR>\n  ${wrapped}\t\n</IMAGE_OCR>`],
    ["with attributes and blanks in tags", `<IMAGE_OCR enc="base64" >${base64}</IMAGE_OCR  >`],
    ["in CDATA", `<IMAGE_OCR> <![CDATA[\n${wrapped}]]>\n</IMAGE_OCR>`],
    ["with a prefix", `<t:IMAGE_OCR>${base64}</t:IMAGE_OCR>`],
    ["behind a comment about one", `<!-- <IMAGE_OCR>AAAA</IMAGE_OCR> --><IMAGE_OCR>${base64}</IMAGE_OCR>`],
    ["the first of two", `<IMAGE_OCR>${base64}</IMAGE_OCR><IMAGE_OCR>AAAA</IMAGE_OCR>`],
  ])("%s is decoded bit by bit", (_what, element) => {
    const reading = readingOf(`<root><DEVICE_SN>1</DEVICE_SN><PLATE_STRING>1</PLATE_STRING>${element}</root>`);
    expect(fingerprint(reading.ocrImage)).toBe(fingerprint(OCR_JPEG));
    expect(reading.rawText).not.toContain(base64.slice(0, 40));
    expect(reading.extra).toEqual({});
  });

  test.each([
    "<IMAGE_OCR></IMAGE_OCR>",
    "<IMAGE_OCR/>",
    "<IMAGE_OCR />",
    "<IMAGE_OCR> \n</IMAGE_OCR>",
    "<IMAGE_OCR><![CDATA[]]></IMAGE_OCR>",
    "",
  ])("%s is none", (element) => {
    const reading = readingOf(`<root><DEVICE_SN>1</DEVICE_SN><PLATE_STRING>1</PLATE_STRING>${element}</root>`);
    expect([reading.ocrImage, reading.notRead]).toEqual([null, false]);
  });

  test("bytes of the camera's own inside and behind the JPEG are no fault", () => {
    const odd = Buffer.concat([OCR_JPEG, Buffer.from("VEGA\0\x01\x02")]);
    expect(fingerprint(readingOf(xmlMessage({ IMAGE_OCR: odd.toString("base64") })).ocrImage)).toBe(fingerprint(odd));
  });

  const broken: readonly (readonly [what: string, base64: string, problem: RegExp])[] = [
    ["garbage", "!!!not base64!!!", /^IMAGE_\w+ is not base64 \(16 characters\)$/],
    ["a foreign character in the middle", `${base64.slice(0, 4000)}*${base64.slice(4001)}`, /is not base64/],
    ["a piece missing", base64.slice(0, 4001), /is not base64/],
    ["no JPEG", Buffer.from("GIF89a").toString("base64"), /is not a JPEG \(6 bytes that do not begin with FF D8\)/],
    [
      "cut off",
      OCR_JPEG.subarray(0, 3000).toString("base64"),
      /is a JPEG that was cut off \(3000 bytes without FF D9\)/,
    ],
    ["an element inside", `${base64.slice(0, 4000)}<B/>${base64.slice(4000)}`, /is not base64/],
  ];

  test.each(broken)("%s in the OCR picture makes the message malformed", (_what, text, problem) => {
    const parsed = parseTattileXml(xmlMessage({ IMAGE_OCR: text }));
    expect(parsed).toMatchObject({ kind: "malformed", cameraSerial: "2001008851" });
    expect(reasonOf(xmlMessage({ IMAGE_OCR: text }))).toMatch(problem);
  });

  test.each(broken)("%s in the context picture costs only that", (_what, text, problem) => {
    const reading = readingOf(xmlMessage({ IMAGE_CTX: text }));
    expect([fingerprint(reading.ocrImage), reading.ctxImage]).toEqual([fingerprint(OCR_JPEG), null]);
    expect(reading.extra["IMAGE_CTX"]).toMatch(problem);
  });

  test("a broken picture of a vehicle without a plate does not matter", () => {
    expect(readingOf(xmlMessage({ PLATE_STRING: "", IMAGE_OCR: "!!!" }))).toMatchObject({
      notRead: true,
      ocrImage: null,
    });
  });

  test("both are found in whatever order", () => {
    const reading = readingOf(
      `<r><IMAGE_CTX>${CTX_JPEG.toString("base64")}</IMAGE_CTX><DEVICE_SN>1</DEVICE_SN><IMAGE_OCR>${base64}</IMAGE_OCR><PLATE_STRING>1</PLATE_STRING></r>`,
    );
    expect(fingerprint(reading.ctxImage)).toBe(fingerprint(CTX_JPEG));
    expect([fingerprint(reading.ocrImage), reading.facts.plate]).toEqual([fingerprint(OCR_JPEG), "1"]);
  });
});

describe("encodings", () => {
  const named = (encoding: string | null, name: Buffer): Buffer =>
    Buffer.concat([
      Buffer.from(encoding === null ? "<r>" : `<?xml version="1.0" encoding='${encoding}'?><r>`),
      Buffer.from("<DEVICE_SN>1</DEVICE_SN><DEVICE_NAME>"),
      name,
      Buffer.from("</DEVICE_NAME></r>"),
    ]);
  const latin = (text: string): Buffer => Buffer.from(text, "latin1");

  test.each([
    ["UTF-8", Buffer.from("Plaça €"), "Plaça €"],
    ["utf-8", Buffer.from("Plaça"), "Plaça"],
    [null, Buffer.from("Plaça €"), "Plaça €"],
    [null, latin("Pla\xe7a"), "Plaça"],
    ["ISO-8859-1", latin("Pla\xe7a"), "Plaça"],
    ["iso-8859-15", latin("Pla\xe7a \xa4"), "Plaça €"],
    ["windows-1252", latin("Pla\xe7a \x80"), "Plaça €"],
    ["US-ASCII", Buffer.from("Placa"), "Placa"],
    ["US-ASCII", latin("Pla\xe7a"), "Plaça"],
    ["UTF-8", latin("Pla\xe7a"), "Plaça"],
  ])("declared %j", (encoding, name, expected) => {
    expect(readingOf(named(encoding, name)).facts.deviceName).toBe(expected);
  });

  test("not known, is malformed", () => {
    expect(reasonOf(named("UTF-16", Buffer.from("x")))).toStartWith(
      'the declared encoding is not known ("UTF-16"; known are UTF-8,',
    );
    expect(reasonOf(named("EBCDIC-ES", Buffer.from("x")))).toContain('"EBCDIC-ES"');
  });
});

describe("what is no message", () => {
  test.each([
    [
      "a document type",
      `<!DOCTYPE root><root><DEVICE_SN>1</DEVICE_SN></root>`,
      "a document type or entity is declared",
    ],
    [
      "entities",
      `<!DOCTYPE r [<!ENTITY a "x">]><r><DEVICE_SN>&a;</DEVICE_SN></r>`,
      "a document type or entity is declared",
    ],
    ["a doctype in small letters", `<!doctype html><html></html>`, "a document type or entity is declared"],
    ["an open element", "<root><DEVICE_SN>1</root>", "not well-formed XML (InvalidTag, line 1)"],
    ["an empty root", "<root/>", "DEVICE_SN is missing"],
    ["text alone", "<root>DEVICE_SN</root>", "DEVICE_SN is missing"],
    ["nothing", "", "not well-formed XML (InvalidXml, line 1)"],
    [
      "too much text",
      `<root><DEVICE_SN>1</DEVICE_SN><A>${"x".repeat(262_144)}</A></root>`,
      "262188 bytes without the pictures (at most 262144)",
    ],
    ["too deep", `<root>${"<a>".repeat(300)}${"</a>".repeat(300)}</root>`, "not XML that can be read"],
  ])("%s", (_what, text, reason) => {
    expect(reasonOf(text)).toBe(reason);
  });

  test("the text kept of a message is bounded and holds no NUL", () => {
    const { rawText } = readingOf(xmlMessage({ A: `\0${"x".repeat(200_000)}` }));
    expect([rawText.length, rawText.includes("\0")]).toEqual([65_536, false]);
  });

  test("pictures that are never closed cost no more than their bytes", () => {
    expect(reasonOf(`<root>${"<IMAGE_OCR>".repeat(300_000)}`)).toBe(
      "3300006 bytes without the pictures (at most 262144)",
    );
  });
});
