import type { Attention } from "../attention.ts";
import { formatBytes, formatDuration } from "../format.ts";
import type { Language } from "../i18n/language.ts";
import type { Facts, Texts } from "../web/client/texts/texts.ts";

const NAMED = 3;

/** The same in the dashboard's sentence; what mends it stays as it is where it is a command. */
export async function sayAttention(
  attention: readonly Attention[],
  language: Language,
): Promise<readonly Pick<Attention, "level" | "text" | "mend">[]> {
  if (language === "en") return attention;
  const texts: Texts =
    language === "ca" ? (await import("../web/client/texts/ca.ts")).ca : (await import("../web/client/texts/es.ts")).es;
  const some = (names: Facts[string] | undefined): string => {
    const all = Array.isArray(names) ? names.map(String) : [String(names)];
    const more = all.length - NAMED;
    return [all.slice(0, NAMED).join(", "), ...(more > 0 ? [texts.others(more)] : [])].join(" ");
  };
  return attention.map(({ level, code, facts, mend }) => {
    const said = texts.attention[code](facts, formatDuration, formatBytes, some);
    return { level, text: said.text, mend: /^(sudo |tattile |systemctl |journalctl )/.test(mend) ? mend : said.mend };
  });
}
