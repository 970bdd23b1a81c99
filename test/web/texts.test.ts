import { expect, test } from "bun:test";
import { ATTENTION_CODES, type Attention, findAttention, findSpoolAttention } from "../../src/attention.ts";
import { REASON } from "../../src/message.ts";
import { ca } from "../../src/web/client/texts/ca.ts";
import { en } from "../../src/web/client/texts/en.ts";
import { es } from "../../src/web/client/texts/es.ts";
import type { Facts, Texts } from "../../src/web/client/texts/texts.ts";
import { fine, troubles } from "../support/status-fixture.ts";

/** Everything that the service can say needs somebody, each with the facts it says it with. */
const EVERYTHING: readonly Attention[] = [
  ...troubles.flatMap(([, change]) => findAttention({ ...fine, ...change })),
  ...findAttention({
    ...fine,
    queue: {
      ...fine.queue,
      deadByReason: ["1", "2", "3", "4"].map((code) => ({ reason: `codiRetorn=${code}`, count: 1 })),
    },
  }),
  ...findSpoolAttention({ waiting: 2, heldMessages: 1, heldBack: 1 }),
];

const ALL: readonly [string, Texts][] = [
  ["Catalan", ca],
  ["Spanish", es],
  ["English", en],
];

const FACTS: Facts = {
  task: "ingest",
  pid: 12,
  difference: 2,
  silentMs: 90_000,
  freeBytes: 1000,
  offsetMs: 45_000,
  endpoint: "police",
  certificateId: 3,
  kind: "misconfigured",
  detail: "FailedAuthentication",
  municipality: "Olot",
  daysLeft: 12,
  reason: "codiRetorn=12",
  count: 3,
  reasons: 2,
  ageMs: 3_600_000,
  serials: ["2001008851"],
  messages: 4,
};

const say = (texts: Texts, code: (typeof ATTENTION_CODES)[number], facts: Facts) =>
  texts.attention[code](
    facts,
    (ms) => `${ms} ms`,
    (bytes) => `${bytes} B`,
    (names) => String(names),
  );

/** Every text of a catalogue by its place, functions called with numbers or words alike. */
function flatten(value: unknown, path: string): [string, string][] {
  if (typeof value === "string") return [[path, value]];
  if (typeof value === "function") return [[path, String(value(7, 7))]];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => flatten(inner, `${path}.${key}`));
}

function words(texts: Texts): Map<string, string> {
  const { attention: _attention, reason: _reason, ...rest } = texts;
  return new Map(flatten(rest, ""));
}

test.each(ALL)("%s says everything, and nothing is left undefined", (_name, texts) => {
  for (const [path, text] of words(texts)) {
    expect([path, text.trim()]).not.toEqual([path, ""]);
    expect([path, text]).not.toEqual([path, expect.stringMatching(/undefined|NaN|\[object/)]);
  }
});

test("the languages are three: no sentence of one stands in another by oversight", () => {
  const [catalan, spanish, english] = [words(ca), words(es), words(en)];
  const alike = new Set(["Foto de la matrícula"]);
  const isSentence = (text: string): boolean => text.includes(" ") && text.length > 14 && !alike.has(text);
  const twins = [...english].filter(
    ([path, text]) => isSentence(text) && (catalan.get(path) === text || spanish.get(path) === text),
  );
  const neighbours = [...spanish].filter(([path, text]) => isSentence(text) && catalan.get(path) === text);
  expect([...twins, ...neighbours]).toEqual([]);
});

test("everything that can need somebody is among what is said here", () => {
  expect([...new Set(EVERYTHING.map(({ code }) => code))].toSorted()).toEqual([...ATTENTION_CODES].toSorted());
});

test.each(ALL)("%s has a sentence and a cure for everything that can need somebody", (_name, texts) => {
  for (const { code, facts } of EVERYTHING) {
    const { text, mend } = say(texts, code, facts);
    expect(text).toMatch(/[.!]$/);
    expect(mend).toMatch(/[.!]$/);
    expect(text + mend).not.toMatch(/undefined|NaN|\[object/);
  }
});

test.each(ALL)(
  "%s explains every reason for which a reading is given up, also one it never heard of",
  (_name, texts) => {
    const codes = [...Object.values(REASON), "codiRetorn=99", "CAMPO_NO_VALIDO: codiLector"];
    const said = codes.map((reason) => texts.reason(reason));
    for (const [index, { text, mend }] of said.entries()) {
      expect(text).not.toBe(codes[index] ?? "");
      expect(mend).toMatch(/\.$/);
    }
    expect(said[codes.indexOf("codiRetorn=99")]?.text).toContain("99");
    expect(said.at(-1)?.text).toContain("codiLector");
    expect(texts.reason("SOMETHING_NEW").text).toContain("SOMETHING_NEW");
  },
);

test.each(ALL)("%s has one and many", (_name, texts) => {
  for (const code of [
    "dead",
    "held-malformed",
    "certificate-ends",
    "dead-others",
    "spool-waiting",
    "spool-held-back",
  ] as const) {
    const one = say(texts, code, { ...FACTS, count: 1, messages: 1, daysLeft: 1, reasons: 1, readings: 1 }).text;
    const many = say(texts, code, { ...FACTS, count: 2, messages: 2, daysLeft: 2, reasons: 2, readings: 2 }).text;
    expect(one.replaceAll("1", "2")).not.toBe(many);
  }
  expect(texts.verdict.dead(1).replace("1", "2")).not.toBe(texts.verdict.dead(2));
});
