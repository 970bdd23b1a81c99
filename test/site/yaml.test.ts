import { expect, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import { parseSiteText, writeSiteText } from "../../src/site/yaml.ts";

function refusal(text: string): string {
  try {
    parseSiteText(text, "site.yaml");
    return "taken";
  } catch (error) {
    return error instanceof AppError ? error.message : String(error);
  }
}

test("an unquoted number keeps every digit, as text", () => {
  const text = "cameras:\n  - serial: 02001008851 # pont\n    reader: 00012\n    x: 431234.50\n    y: 4588123.00\n";
  expect(parseSiteText(text, "s")).toEqual({
    cameras: [{ serial: "02001008851", reader: "00012", x: "431234.50", y: "4588123.00" }],
  });
});

test("JSON is read too, with its numbers as they are", () => {
  expect(parseSiteText('{"version": 1, "cameras": [{"serial": "00012"}]}', "s")).toEqual({
    version: 1,
    cameras: [{ serial: "00012" }],
  });
});

test.each([
  ["of the file", "cameras: []\nendpoints: []\ncameras: []\n", "cameras stands twice (site.yaml, line 3)"],
  ["of a record", "cameras:\n  - serial: a\n    reader: b\n    reader: c\n", "reader stands twice (site.yaml, line 4)"],
  ["of a record at the margin", "cameras:\n- serial: a\n  serial: b\n", "serial stands twice (site.yaml, line 3)"],
])("a key that stands twice in the mapping %s is refused with its line", (_what, text, problem) => {
  expect(refusal(text)).toBe(`reading the site: ${problem}`);
});

test("the same key in neighbouring records is no repetition", () => {
  const text = "a:\n  - serial: x\n    more:\n      serial: y\n  - serial: z\nb:\n- serial: x\n- serial: y\n";
  expect(parseSiteText(text, "s")).toEqual({
    a: [{ serial: "x", more: { serial: "y" } }, { serial: "z" }],
    b: [{ serial: "x" }, { serial: "y" }],
  });
});

test("flow style over several lines has keys of its own", () => {
  const value = {
    version: 1,
    cameras: [
      { serial: "a]", reader: "1" },
      { serial: "b", reader: "2" },
    ],
  };
  expect(parseSiteText(JSON.stringify(value, null, 2), "s")).toEqual(value);
  const text = `version: 1\ncameras: ${JSON.stringify(value.cameras, null, 2)}\nendpoints: []\n`;
  expect(parseSiteText(text, "s")).toEqual({ ...value, version: "1", endpoints: [] });
  expect(refusal(`${text}version: 1\n`)).toContain("version stands twice");
});

test("flow style behind a dash may go on over the next lines, and what comes after is looked at again", () => {
  const text = `cameras:
  - { serial: "1",
    reader: "2" }
  - { serial: "3", # }
    reader: "4" }
  - serial: "5"
    reader: 0006
sets:
  - - ["a",
      "b"]
    - { reader: "7" }
version: 1
`;
  expect(parseSiteText(text, "s")).toEqual({
    cameras: [
      { serial: "1", reader: "2" },
      { serial: "3", reader: "4" },
      { serial: "5", reader: "0006" },
    ],
    sets: [[["a", "b"], { reader: "7" }]],
    version: "1",
  });
  expect(refusal(`${text}version: 1\n`)).toContain("version stands twice");
});

test("text over several lines is left as it is", () => {
  expect(parseSiteText("a: |\n  x: 1\n  x: 2\nb: 2\n", "s")).toEqual({ a: "x: 1\nx: 2\n", b: "2" });
});

test("a mistake is told with the line where it begins", () => {
  expect(refusal("version: 1\nendpoints:\n  - name: a\n   url: b\nmunicipalities: []\ncameras: []\n")).toContain(
    "line 4",
  );
  expect(refusal("x".repeat(3_000_000))).toContain("over 2097152 characters");
});

test("what is written is read back, whatever its texts look like", () => {
  const texts = [
    "00012",
    "1e5",
    "no",
    "null",
    "~",
    "a: b",
    "# x",
    "- y",
    "Òdena",
    'it\'s "so"',
    "431234.50",
    "0x1F",
    " a ",
    "{",
    "2026-01-01",
  ];
  const value = { cameras: texts.map((text, at) => ({ serial: text, x: `${at}.50`, n: null, on: true })) };
  expect(parseSiteText(writeSiteText(value, ["of a test"]), "s")).toEqual(value);
});
