import { chooseLanguage, type Language, languageOf } from "../i18n/language.ts";

/** What is spoken here: TATTILE_LANG of the environment or of the settings file, else the system's language. */
export async function findLanguage(
  env: Readonly<Record<string, string | undefined>>,
  envFile: string | undefined,
): Promise<Language> {
  const wanted = env["TATTILE_LANG"] || (await readFromFile(env, envFile)) || "";
  return chooseLanguage(languageOf(wanted), env);
}

async function readFromFile(
  env: Readonly<Record<string, string | undefined>>,
  envFile: string | undefined,
): Promise<string | undefined> {
  const { readEnvFile } = await import("../setting-sources.ts");
  try {
    return readEnvFile({ env, envFile }, process.cwd())?.values.get("TATTILE_LANG");
  } catch {
    // What is wrong with the file is said by the command that needs it; this is only about how.
    return undefined;
  }
}
