import { formatDuration } from "../../format.ts";
import { ca } from "./texts/ca.ts";
import { en } from "./texts/en.ts";
import { es } from "./texts/es.ts";
import type { Facts, Texts } from "./texts/texts.ts";

export const LANGUAGES = { ca, es, en } as const;
export type Language = keyof typeof LANGUAGES;
const KEPT = "tattile-language";

let current: Texts = en;

/** What the page says, in the language chosen. */
export function t(): Texts {
  return current;
}

export function isLanguage(value: string | null): value is Language {
  return value !== null && Object.hasOwn(LANGUAGES, value);
}

/** The language chosen here before, else the first of the browser's that is there, else Catalan: it is where the cameras are. */
function findLanguage(kept: string | null, wanted: readonly string[]): Language {
  if (isLanguage(kept)) return kept;
  return wanted.map((tag) => tag.slice(0, 2).toLowerCase()).find(isLanguage) ?? "ca";
}

export function startLanguage(): Language {
  const language = findLanguage(localStorage.getItem(KEPT), navigator.languages);
  useLanguage(language);
  return language;
}

export function chooseLanguage(language: Language): void {
  localStorage.setItem(KEPT, language);
  useLanguage(language);
}

function useLanguage(language: Language): void {
  current = LANGUAGES[language];
  document.documentElement.lang = language;
  document.title = `tattile · ${current.app.title}`;
}

export function ago(at: string | null, now: number): string {
  return at === null ? current.app.never : current.app.ago(formatDuration(now - Date.parse(at)));
}

export function size(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = value < 10 && unit > 0 ? 1 : 0;
  return `${value.toLocaleString(current.tag, { maximumFractionDigits: digits })} ${units[unit]}`;
}

export function number(value: number): string {
  return value.toLocaleString(current.tag);
}

export function instant(at: string | null): string {
  if (at === null) return "–";
  return new Date(at).toLocaleString(current.tag, { dateStyle: "short", timeStyle: "medium" });
}

/** What a camera's clock showed, in no zone: these digits and no others. */
export function wallClock(text: string): string {
  return new Date(`${text}Z`).toLocaleString(current.tag, { timeZone: "UTC", dateStyle: "short", timeStyle: "medium" });
}

export function day(at: string | null): string {
  return at === null ? "–" : new Date(at).toLocaleDateString(current.tag, { dateStyle: "medium" });
}

/** The first three, and how many more. */
export function some(names: Facts[string] | undefined): string {
  const all = Array.isArray(names) ? names : [String(names)];
  const shown = all.slice(0, 3).join(", ");
  return all.length > 3 ? `${shown} ${current.others(all.length - 3)}` : shown;
}
