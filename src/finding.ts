/** good: as it should be. warning: somebody should look. bad: readings are not taken in, or not delivered, or soon will not be. */
export type Grade = "good" | "warning" | "bad";

/** What one check found, in words, and what to do about it. */
export interface Finding {
  /** What was looked at: `endpoint lectio, TLS`. */
  check: string;
  grade: Grade;
  text: string;
  /** A command or one imperative sentence; null where all is well. */
  cure: string | null;
}

export function good(check: string, text: string): Finding {
  return { check, grade: "good", text, cure: null };
}

export function warning(check: string, text: string, cure: string): Finding {
  return { check, grade: "warning", text, cure };
}

export function bad(check: string, text: string, cure: string): Finding {
  return { check, grade: "bad", text, cure };
}

/** What the worst of them makes of the whole, in the words of `status`. */
export const STATUS_OF: Readonly<Record<Grade, "fine" | "attention" | "down">> = {
  good: "fine",
  warning: "attention",
  bad: "down",
};

/** The worst of them; good when there is none. */
export function worstGrade(findings: readonly Finding[]): Grade {
  if (findings.some(({ grade }) => grade === "bad")) return "bad";
  return findings.some(({ grade }) => grade === "warning") ? "warning" : "good";
}

/** As a shell takes it for one word. */
export function quoted(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : `"${name.replace(/["\\$`]/g, "\\$&")}"`;
}
