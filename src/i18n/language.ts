/** What tattile's menu speaks. */
export const LANGUAGES = ["ca", "es", "en"] as const;
export type Language = (typeof LANGUAGES)[number];

/** `wanted` where it is set (TATTILE_LANG), else what the system speaks, else English. */
export function chooseLanguage(wanted: Language | null, env: Readonly<Record<string, string | undefined>>): Language {
  // As the C library ranks them.
  const spoken = [env["LC_ALL"], env["LC_MESSAGES"], env["LANG"]].find((value) => (value ?? "") !== "");
  return wanted ?? languageOf(spoken ?? "") ?? "en";
}

/** `ca_ES.UTF-8` is `ca`. */
export function languageOf(locale: string): Language | null {
  const code = locale.toLowerCase().split(/[_.@-]/)[0];
  return LANGUAGES.find((language) => language === code) ?? null;
}
