import { expect, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import { parseCameraTable, writeCameraTable } from "../../src/site/csv.ts";

const PLAIN = { description: null, endpoint: null, x: null, y: null, timezone: null, active: true };

function refusal(text: string): string {
  try {
    parseCameraTable(text, "c.csv");
    return "taken";
  } catch (error) {
    return error instanceof AppError ? error.message : String(error);
  }
}

test("what is written is read back, quotes, separators and line breaks in it", () => {
  const cameras = [
    { ...PLAIN, serial: "2001008851", reader: "00012", municipality: "Òdena, la vila", description: 'el "pont"\nvell' },
    { ...PLAIN, serial: "2", reader: "3", municipality: "Vic", x: "431234.50", y: "4588123.00", active: false },
  ];
  const text = writeCameraTable(cameras);
  expect(text).toStartWith("\uFEFFserial,reader,municipality,");
  expect(parseCameraTable(text, "c.csv")).toEqual({ version: 1, cameras });
});

test("a spreadsheet's semicolons are understood, empty lines and columns in another order", () => {
  const text = "Reader;Serial;Municipality;active\r\n00012;2001;Vic;no\r\n\r\n;;;\r\n00013;2002;Vic;\r\n";
  expect(parseCameraTable(text, "c.csv").cameras).toEqual([
    { reader: "00012", serial: "2001", municipality: "Vic", active: false },
    { reader: "00013", serial: "2002", municipality: "Vic", active: undefined },
  ]);
});

test.each([
  ["serial,reader,town\n", "town is not a column"],
  ["serial,raeder,municipality\n", "raeder is not a column; did you mean reader?"],
  ["serial,reader\n", "the column municipality is missing (c.csv, line 1)"],
  ["serial,reader,municipality,serial\n", "a column stands twice"],
  ['serial,reader,municipality\n1,2,"a\nb"\n1,2\n', "2 cells, 3 are needed (c.csv, line 4)"],
  ['serial,reader,municipality\n1,2,"a\n', "a quote is not closed (c.csv, line 2)"],
])("%j is refused with its line", (text, problem) => {
  expect(refusal(text)).toContain(problem);
});
