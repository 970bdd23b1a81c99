import { expect, test } from "bun:test";
import { parseTattileXml } from "../src/camera/tattile-xml.ts";
import { describeHeard, findRemarks, type Heard, summarizeHeard } from "../src/listen.ts";

const NOW = new Date("2026-05-04T10:00:00Z");
const JPEG = Buffer.from([0xff, 0xd8, 1, 2, 0xff, 0xd9]).toString("base64");
const CAMERA = { description: "Pont", timezone: null, readerCode: "00012" };

function hear(tags: Record<string, string>, camera: typeof CAMERA | null = CAMERA): Heard {
  const xml = `<root>${Object.entries(tags)
    .map(([tag, text]) => `<${tag}>${text}</${tag}>`)
    .join("")}</root>`;
  const parsed = parseTattileXml(Buffer.from(xml));
  return describeHeard(
    { parsed, bytes: xml.length, peer: "::ffff:10.0.3.7", receivedAt: NOW },
    camera,
    "Europe/Madrid",
  );
}
const WHOLE = {
  DEVICE_SN: "2001008851",
  PLATE_STRING: "1234BCD",
  DATE: "2026-05-04",
  TIME: "12-00-00-400",
  OCRSCORE: "093",
  IMAGE_OCR: JPEG,
  IMAGE_CTX: JPEG,
};

test("a whole reading of a registered camera needs one line and no remark, its plate masked", () => {
  const heard = hear(WHOLE);
  expect(summarizeHeard(heard, false).join("  ")).toBe(
    "2001008851  12•••CD  score 93  plate 6 B  scene 6 B  clock right",
  );
  expect(summarizeHeard(heard, true).join("  ")).toContain("1234BCD");
  expect(heard.registered).toBe("Pont");
  expect(findRemarks(heard)).toEqual([]);
});

test.each<[string, Record<string, string>, RegExp]>([
  ["a clock that is ahead", { TIME: "12-02-00" }, /clock is 2 min ahead/],
  ["a clock in another zone", { TIME: "10-00-00" }, /clock is 2 h behind/],
  ["no time", { TIME: "" }, /no usable time/],
  ["no picture of the plate", { IMAGE_OCR: "" }, /switch IMAGE_OCR on/],
  ["no picture of the scene", { IMAGE_CTX: "" }, /IMAGE_CTX/],
  ["tags that are not known", { FOO_BAR: "1", SPEED: "50", X: "2" }, /tags not known: FOO_BAR, X$/],
])("%s is remarked on", (_what, change, remark) => {
  expect(findRemarks(hear({ ...WHOLE, ...change })).join("; ")).toMatch(remark);
});

test("a camera that is not registered, a vehicle without a plate, and what is not understood", () => {
  expect(findRemarks(hear(WHOLE, null))).toEqual(["not registered: its readings would be held"]);
  const notRead = hear({ ...WHOLE, PLATE_STRING: "", IMAGE_OCR: "" });
  expect(summarizeHeard(notRead, false).join("  ")).toStartWith("2001008851  not read");
  expect(findRemarks(notRead)).toEqual([]);
  const malformed = hear({ ...WHOLE, DEVICE_SN: "" });
  expect(summarizeHeard(malformed, false).join("  ")).toStartWith("(no serial)");
  expect(findRemarks(malformed)).toEqual(["not understood: DEVICE_SN is missing"]);
});
