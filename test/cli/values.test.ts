import { expect, test } from "bun:test";
import { didYouMean, findNearest } from "../../src/cli/nearest.ts";
import { formatTable } from "../../src/cli/output.ts";
import {
  parseCoordinate,
  parseEndpointUrl,
  parseIds,
  parseName,
  parseReaderCode,
  parseTimezone,
  parseWhole,
} from "../../src/cli/values.ts";
import { formatDuration, maskPlate, nameIds } from "../../src/format.ts";

test.each(["431234.50", "0.00", "12345678.99"])("coordinate %s is kept as it is written", (text) => {
  expect(parseCoordinate("--x", text)).toBe(text);
});

test.each(["431234.5", "431234", "431234.505", "123456789.00", "-1.00", "431234,50", "1e5", ".50", ""])(
  "coordinate %p is refused with flag, value and what is allowed",
  (text) => {
    expect(() => parseCoordinate("--x", text)).toThrow(`--x is ${JSON.stringify(text)}, allowed is UTM 31N`);
  },
);

test("a reader code has at most 16 characters and no blanks", () => {
  expect(parseReaderCode("0123456789ABCDEF")).toBe("0123456789ABCDEF");
  expect(() => parseReaderCode("0123456789ABCDEFG")).toThrow("--reader");
  expect(() => parseReaderCode("A B")).toThrow("--reader");
  expect(() => parseReaderCode(" ")).toThrow("--reader");
});

test("a whole number outside its limits, or no number at all, is refused", () => {
  expect(parseWhole("--retry-max", "5", 1, 10)).toBe(5);
  for (const text of ["0", "11", "5.5", "", "-1", "0x5", "5 0"]) {
    expect(() => parseWhole("--retry-max", text, 1, 10)).toThrow("--retry-max");
  }
});

test("an address must be http or https and hold no password", () => {
  expect(parseEndpointUrl("https://police.example/matr-ws")).toEqual({
    url: "https://police.example/matr-ws",
    unprotected: false,
  });
  expect(parseEndpointUrl("http://127.0.0.1:8080/").unprotected).toBe(false);
  expect(parseEndpointUrl("http://10.0.0.1/").unprotected).toBe(true);
  expect(() => parseEndpointUrl("ftp://police.example/")).toThrow("https://host");
  expect(() => parseEndpointUrl("police.example")).toThrow("https://host");
  const secret = "https://user:hunter2@police.example/";
  expect(() => parseEndpointUrl(secret)).toThrow("password");
  expect(() => parseEndpointUrl(secret)).not.toThrow("hunter2");
});

test("zones are those of IANA", () => {
  expect(parseTimezone("Europe/Madrid")).toBe("Europe/Madrid");
  expect(() => parseTimezone("Europe/Barcelona")).toThrow("--timezone");
});

test("names hold no control characters", () => {
  expect(parseName("NAME", " Sant Cugat ", 20)).toBe("Sant Cugat");
  expect(() => parseName("NAME", "a\nb", 20)).toThrow("NAME");
});

test("ids may be separated by blanks or commas and carry a #", () => {
  expect(parseIds(["12", "#13,14"])).toEqual([12, 13, 14]);
  expect(() => parseIds(["12x"])).toThrow("ID");
});

test("the nearest name is found through a missing, swapped or wrong letter, and nothing far is guessed", () => {
  const serials = ["2001008851", "2001008852", "9990000001"];
  expect(didYouMean("200100885", serials)).toContain("2001008851");
  expect(findNearest("9990000010", serials)).toBe("9990000001");
  expect(findNearest("statsu", ["status", "run"])).toBe("status");
  expect(findNearest("LECTIO", ["lectio-test", "other"])).toBe("lectio-test");
  expect(findNearest("Mun", ["camera", "municipality"])).toBe("municipality");
  expect(findNearest("Mun", ["camera", "municipality", "municipalities"])).toBeNull();
  expect(findNearest("Mu", ["camera", "municipality"])).toBeNull();
  expect(findNearest("zzzzzz", ["status", "run"])).toBeNull();
  expect(didYouMean("zzzzzz", ["status"])).toBe("");
});

test("a masked plate shows two letters at each end, and nothing of a short one", () => {
  expect(maskPlate("1234BCD")).toBe("12•••CD");
  expect(maskPlate("12345678")).toBe("12•••78");
  expect(maskPlate("12CD")).toBe("•••");
});

test("durations are said in the unit a person would use", () => {
  expect([45_000, 600_000, 7_300_000, 400_000_000].map(formatDuration)).toEqual(["45 s", "10 min", "2 h", "5 d"]);
});

test("a table that is too wide cuts its widest columns and never ids", () => {
  const columns = [{ title: "SERIAL", whole: true }, { title: "NAME" }, { title: "N", align: "right" }] as const;
  const rows = [
    ["2001008851", "x".repeat(200), "7"],
    ["2001008852", "Òdena", "12"],
  ];
  const lines = formatTable(columns, rows, 80).split("\n");
  for (const line of lines) expect([...line].length).toBeLessThanOrEqual(80);
  expect(lines[1]).toStartWith("2001008851  xxx");
  expect(lines[1]).toEndWith("…   7");
  expect(lines[2]).toEndWith(" 12");
});

test("ids are named in runs; of very many scattered ones the beginning, the last and how many", () => {
  expect(nameIds([])).toBe("(none)");
  expect(nameIds([9, 3, 1, 2, 7])).toBe("1-3, 7, 9");
  expect(nameIds(Array.from({ length: 1000 }, (_, n) => n + 1))).toBe("1-1000");
  const scattered = nameIds(Array.from({ length: 1000 }, (_, n) => 1_000_000 + n * 2));
  expect(scattered).toStartWith("1000000, 1000002, ");
  expect(scattered).toEndWith(" ... 1001998 (1000 in all)");
  expect(scattered.length).toBeLessThan(650);
});
