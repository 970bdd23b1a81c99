import { ERRORS } from "./errors-said.ts";
import { FINDINGS } from "./findings-said.ts";
import { HEARD } from "./heard-said.ts";
import type { Language } from "./language.ts";
import { LIFE } from "./life-said.ts";
import { PHRASES } from "./phrases.ts";
import { RESULTS } from "./results-said.ts";
import { SENT } from "./sent-said.ts";
import { WORDS } from "./words.ts";

/** What one English text is in the other languages. */
export interface Translation {
  readonly ca: string;
  readonly es: string;
}

/**
 * Commands think and write English: what is piped, logged or asked for with --json stays so, whatever the language of the
 * machine. What goes to a person's screen is looked up here on its way out, by its English text, so that a text that comes
 * through another process is understood too. What has no translation stays English: better than not to be said.
 *
 * In the books `{1}` is a value and stays as it is, `{#1}` is a number, `{@1}` is one name of a list, and `{~1}` is words,
 * looked up in their turn.
 */
export function translate(text: string, language: Language): string {
  return language === "en" ? text : (find(text, SENTENCE, language) ?? text);
}

/** A title, a name, a state, an age: what is no sentence of its own. */
export function translateWords(text: string, language: Language): string {
  return language === "en" ? text : (find(text, WORD, language) ?? text);
}

/** What doctor looks at, found or advises. */
export function translateFinding(text: string, language: Language): string {
  return language === "en" ? text : (find(text, FINDING, language) ?? text);
}

/** An error, whose text may have the texts of its causes behind it: `doing: what was wrong: cause`. */
export function translateError(text: string, language: Language): string {
  if (language === "en" || text.length > LONGEST) return text;
  const whole = find(text, SENTENCE, language);
  if (whole !== null) return whole;
  for (let at = text.lastIndexOf(": "); at > 0; at = text.lastIndexOf(": ", at - 1)) {
    const begun = find(text.slice(0, at), SENTENCE, language);
    if (begun !== null) return `${begun}: ${translateError(text.slice(at + 2), language)}`;
  }
  return text;
}

interface Pattern {
  english: RegExp;
  holes: readonly string[];
  translation: Translation;
}
type Book = () => readonly Pattern[];

/** No sentence is longer; what is, is a listing, and would be long to compare. */
const LONGEST = 2000;
const HOLE = /\{[~#@]?\d\}/g;
const VALUES: Readonly<Record<string, string>> = { "#": "([\\d.,]+)", "@": "([^,;]+)" };
const SENTENCES = book(ERRORS, RESULTS, LIFE);
const PARTS = book(PHRASES, HEARD, SENT);
const FOUND = book(FINDINGS);
/** Where a text is looked up, and where the words in it. */
interface Kind {
  whole: readonly Book[];
  parts: readonly Book[];
}
const SENTENCE: Kind = { whole: [SENTENCES], parts: [PARTS, SENTENCES] };
const WORD: Kind = { whole: [PARTS], parts: [PARTS, SENTENCES] };
const FINDING: Kind = { whole: [FOUND, PARTS, SENTENCES], parts: [FOUND, PARTS, SENTENCES] };

function find(text: string, kind: Kind, language: "ca" | "es"): string | null {
  if (text.length > LONGEST) return null;
  for (const from of kind.whole) {
    if (from === PARTS && Object.hasOwn(WORDS, text)) return WORDS[text]?.[language] ?? null;
    for (const { english, holes, translation } of from()) {
      const values = english.exec(text)?.slice(1);
      if (values === undefined) continue;
      const given = new Map(holes.map((hole, at) => [hole, values[at] ?? ""]));
      return translation[language].replace(HOLE, (hole) => {
        const value = given.get(hole) ?? "";
        return hole.startsWith("{~") ? translateParts(value, kind, language) : value;
      });
    }
  }
  return null;
}

/** Words or a sentence, or several with `; ` or `, ` between them. */
function translateParts(text: string, { parts: whole, parts }: Kind, language: "ca" | "es"): string {
  const one = (part: string): string | null => find(part, { whole, parts }, language);
  // First: what is open at its end would take the next problem for its last value.
  const problems = text.split("; ").map(one);
  if (problems.length > 1 && problems.every((said) => said !== null)) return problems.join("; ");
  const pieces = text.split(", ");
  return one(text) ?? pieces.map((piece) => one(piece) ?? piece).join(", ");
}

/** Those with most text of their own first: the more exact one is meant. */
function book(...entries: readonly Readonly<Record<string, Translation>>[]): Book {
  let compiled: readonly Pattern[] | undefined;
  return () => (compiled ??= compile(Object.entries(Object.assign({}, ...entries))));
}

function compile(entries: readonly [string, Translation][]): readonly Pattern[] {
  return entries
    .toSorted(([a], [b]) => b.replace(HOLE, "").length - a.replace(HOLE, "").length)
    .map(([text, translation]) => {
      const source = text
        .replace(/[.*+?^$()|[\]\\]/g, "\\$&")
        .replace(HOLE, (hole) => VALUES[hole[1] ?? ""] ?? "(.+?)");
      return { english: new RegExp(`^${source}$`, "s"), holes: text.match(HOLE) ?? [], translation };
    });
}
