import { REASON } from "../../../message.ts";
import type { Advice } from "./texts.ts";

/** What a language says of the reasons for which a reading is given up; each text stands behind a colon. */
export interface ReasonWords {
  known: Readonly<Record<Exclude<(typeof REASON)[keyof typeof REASON], typeof REASON.invalidField>, Advice>>;
  /** The police answered with this code. */
  refused(code: string): Advice;
  /** What does not fit, as the reason says it. */
  invalidField(what: string): Advice;
  /** What to do about a reason that nothing else is known of. */
  mendOther: string;
}

const REFUSED = "codiRetorn=";

/** Understands a reason as the store has it, and says it in the words of a language. */
export function explainReasons(words: ReasonWords): (reason: string) => Advice {
  const known: Readonly<Record<string, Advice>> = words.known;
  return (reason) => {
    const [head = ""] = reason.split(/[:\s]/);
    if (Object.hasOwn(known, head) && known[head] !== undefined) return known[head];
    if (head.startsWith(REFUSED)) return words.refused(head.slice(REFUSED.length));
    if (head === REASON.invalidField) return words.invalidField(reason.slice(head.length + 1).trim());
    return { text: reason, mend: words.mendOther };
  };
}
