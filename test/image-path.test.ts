import { describe, expect, test } from "bun:test";
import { join, normalize } from "node:path";
import { AppError } from "../src/errors.ts";
import { imagePath, imageStem, maskImagePath, resolveImagePath } from "../src/image-path.ts";

const AT = new Date("2026-01-23T08:05:07.009Z");

describe("the path of a picture", () => {
  test("has serial, day, time to the millisecond in UTC, and plate", () => {
    const stem = imageStem("2001008851", AT, "1234BCD");
    expect(stem).toBe("2001008851/2026/01/23/20260123T080507009Z_plate-1234BCD");
    expect(imagePath(stem, 1, "ocr")).toBe(`${stem}_ocr.jpg`);
    expect(imagePath(stem, 1, "ctx")).toBe(`${stem}_ctx.jpg`);
    expect(imagePath(stem, 2, "ocr")).toBe(`${stem}-2_ocr.jpg`);
    expect(imagePath(stem, 13, "ctx")).toBe(`${stem}-13_ctx.jpg`);
  });

  const hostile = [
    "../../x",
    "..",
    ".",
    "",
    "/",
    "//",
    "A/B",
    "A\\B",
    "A_B",
    "A B",
    "Ñ1234",
    "N1234",
    "\u0000",
    "a\u0000b",
    ".hidden",
    "_hidden",
    "../../../../../../etc/passwd",
    "車123",
    "車124",
    "x".repeat(300),
    `${"x".repeat(299)}y`,
    "x".repeat(64),
    "x".repeat(65),
    "%2e%2e%2f",
    "-rf",
    "a\nb",
  ];

  test.each(hostile)("of plate or serial %j stays inside", (text) => {
    for (const path of [
      imagePath(imageStem(text, AT, "1234BCD"), 1, "ocr"),
      imagePath(imageStem("2001008851", AT, text), 3, "ctx"),
      imagePath(imageStem(text, AT, text), 1, "ocr"),
    ]) {
      expect(path).toMatch(/^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/\d+){3}\/[A-Za-z0-9._-]+\.jpg$/);
      expect(normalize(path)).toBe(path);
      expect(join("/images", path).startsWith("/images/")).toBe(true);
      for (const part of path.split("/")) expect(part.length).toBeLessThanOrEqual(160);
      expect(resolveImagePath("/images", path)).toBe(`/images/${path}`);
    }
  });

  test("differs where serials or plates differ", () => {
    expect(new Set(hostile.map((text) => imageStem("1", AT, text))).size).toBe(hostile.length);
    expect(new Set(hostile.map((text) => imageStem(text, AT, "1"))).size).toBe(hostile.length);
  });
});

test.each([
  ["1234BCD", 1],
  ["1234BCD", 2],
  ["B-1234", 1],
  ["B-1234_ocr.jpg", 3],
  ["a\nb", 1],
])("the path of plate %j, file %d of its name, is shown without any part of it", (plate, attempt) => {
  const shown = maskImagePath(imagePath(imageStem("2001008851", AT, plate), attempt, "ocr"));
  expect(shown).toBe("2001008851/2026/01/23/20260123T080507009Z_plate-•••_ocr.jpg");
  expect(maskImagePath(`/mnt/x_plate-${plate}_ctx.jpg`)).toBe("/mnt/x_plate-•••_ctx.jpg");
});

describe("a stored path", () => {
  test.each([
    ["2001/2026/01/23/a_ocr.jpg", "/var/images/2001/2026/01/23/a_ocr.jpg"],
    ["/mnt/old/a_ocr.jpg", "/mnt/old/a_ocr.jpg"],
    ["data/images/2001/a_ocr.jpg", "/var/images/2001/a_ocr.jpg"],
    ["./data/images/2001/a_ocr.jpg", "/var/images/2001/a_ocr.jpg"],
    ["data/other/a.jpg", "/var/images/data/other/a.jpg"],
    ["a/../b.jpg", "/var/images/b.jpg"],
    ["..a/b.jpg", "/var/images/..a/b.jpg"],
  ])("%s lies at %s", (stored, expected) => {
    expect(resolveImagePath("/var/images", stored)).toBe(expected);
  });

  test.each([
    "../a.jpg",
    "..",
    "a/../../b.jpg",
    "data/images/../b.jpg",
    "data/images//../../b.jpg",
    "",
    ".",
    "data/images/",
    "a\u0000b",
  ])("%j is refused without being quoted", (stored) => {
    try {
      resolveImagePath("/var/images", stored);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(AppError);
      expect((error as AppError).code).toBe("invalid");
      if (stored.length > 2) expect((error as AppError).message).not.toContain(stored);
    }
  });
});
