import { describe, expect, test } from "bun:test";
import { buildFields, checkFields, type DeliveryFacts } from "../../src/soap/envelope.ts";
import { builtinContract } from "../../src/soap/wsdl.ts";
import { xmlText } from "../../src/soap/xml.ts";

const facts: DeliveryFacts = {
  readerCode: "LEC-0001",
  wall: { year: 2026, month: 1, day: 3, hour: 9, minute: 5, second: 7, millisecond: 999 },
  coordX: "430124.45",
  coordY: null,
  reading: { plate: "1234BCD", brand: null, model: " ", color: "", vehicleType: " CAR ", country: "ESP" },
};
const withPlate = (plate: string): DeliveryFacts => ({ ...facts, reading: { ...facts.reading, plate } });

describe("the request's values", () => {
  test("are the facts, each under its wire name, and null where unset or blank", () => {
    expect(buildFields(facts)).toEqual({
      codiLector: "LEC-0001",
      matricula: "1234BCD",
      dataLectura: "2026-01-03",
      horaLectura: "09:05:07",
      coordenadaX: "430124.45",
      coordenadaY: null,
      marca: null,
      model: null,
      color: null,
      tipusVehicle: "CAR",
      pais: "ESP",
    });
  });

  test.each([
    ["1234 bcd", "1234BCD"],
    [" 12 34\tb\u00a0c\u2009d\n", "1234BCD"],
    ["b-1234-ñ", "B-1234-Ñ"],
    ["12\u000034BCD\ud800", "1234BCD"],
    ["0012", "0012"],
    ["1234E5", "1234E5"],
  ])("the plate %j is sent as %j", (plate, expected) => {
    expect(buildFields(withPlate(plate))["matricula"]).toBe(expected);
  });

  test.each([
    ["a & b < c > d", "a &amp; b &lt; c &gt; d"],
    ["\"quoted\" 'too'", "\"quoted\" 'too'"],
    ["a\r\nb\tc", "a&#xD;\nb\tc"],
    ["\u0000\u000b\ufffe\udc00ok\u{1f697}", "ok\u{1f697}"],
  ])("the text %j is written %j", (text, expected) => {
    expect(xmlText(text)).toBe(expected);
  });
});

describe("checking the values against the contract", () => {
  test("finds nothing wrong with a good reading", () => {
    expect(checkFields(builtinContract, buildFields(facts))).toEqual([]);
  });

  const cases: readonly [string, Partial<Record<string, string | null>>, string, string][] = [
    ["no plate", { matricula: null }, "matricula", "is missing"],
    ["a long plate", { matricula: "12345678901" }, "matricula", "has 11 characters, at most 10 are allowed"],
    ["a long reader code", { codiLector: "x".repeat(17) }, "codiLector", "has 17 characters, at most 16 are allowed"],
    ["an empty reader code", { codiLector: "" }, "codiLector", "has 0 characters, at least 1 are needed"],
    [
      "three decimals",
      { coordenadaX: "1.234" },
      "coordenadaX",
      'has not the form that the contract asks for ("1.234")',
    ],
    [
      "nine integer digits",
      { coordenadaY: "123456789.00" },
      "coordenadaY",
      'has not the form that the contract asks for ("123456789.00")',
    ],
  ];
  test.each(cases)("%s", (_what, override, field, problem) => {
    const fields = { ...buildFields(facts), ...override } as Record<string, string | null>;
    expect(checkFields(builtinContract, fields)).toEqual([{ field, problem }]);
  });

  test("counts characters, not code units", () => {
    expect(checkFields(builtinContract, { ...buildFields(facts), matricula: "\u{1f697}".repeat(10) })).toEqual([]);
  });

  test("never shows a plate", () => {
    const elements = builtinContract.elements.map((e) => ({ ...e, pattern: /^X$/u }));
    const problems = checkFields({ ...builtinContract, elements }, buildFields(facts));
    expect(problems.map((p) => p.field)).toContain("matricula");
    expect(JSON.stringify(problems)).not.toContain("1234BCD");
  });

  test("names every problem, in the contract's order", () => {
    const fields = { ...buildFields(facts), horaLectura: "9:05", codiLector: null };
    expect(checkFields(builtinContract, fields).map((p) => p.field)).toEqual(["codiLector", "horaLectura"]);
  });
});
