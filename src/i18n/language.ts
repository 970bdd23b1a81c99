import { AppError } from "../errors.ts";
import { ca } from "./ca.ts";
import { en } from "./en.ts";
import { es } from "./es.ts";

/** The same keys in every language; where a text takes values, the same ones. */
type Widened<T> = T extends (...values: infer Values) => string
  ? (...values: Values) => string
  : T extends string
    ? string
    : { readonly [Key in keyof T]: Widened<T[Key]> };
export type Catalogue = Widened<typeof en>;

export const LANGUAGES = ["ca", "es", "en"] as const;
export type Language = (typeof LANGUAGES)[number];

export const CATALOGUES: Readonly<Record<Language, Catalogue>> = { ca, es, en };

/**
 * TATTILE_LANG, else what the system speaks, else English.
 * @throws AppError `config` for a TATTILE_LANG that is none of ours: one who sets it means it
 */
export function chooseLanguage(env: Readonly<Record<string, string | undefined>>): Language {
  const wanted = env["TATTILE_LANG"]?.trim() ?? "";
  if (wanted !== "") {
    const found = languageOf(wanted);
    if (found !== null) return found;
    throw new AppError("config", `TATTILE_LANG is ${JSON.stringify(wanted)}, allowed are ${LANGUAGES.join(", ")}`);
  }
  // As the C library ranks them.
  const spoken = [env["LC_ALL"], env["LC_MESSAGES"], env["LANG"]].find((value) => (value ?? "") !== "");
  return languageOf(spoken ?? "") ?? "en";
}

/** `ca_ES.UTF-8` is `ca`. */
function languageOf(locale: string): Language | null {
  const code = locale.toLowerCase().split(/[_.@-]/)[0];
  return LANGUAGES.find((language) => language === code) ?? null;
}
