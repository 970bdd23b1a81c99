import type { Catalogue } from "../i18n/catalogue.ts";

/** What commands say with --json, in the operator's words. */

export function sayCounts(t: Catalogue, counts: Readonly<Record<string, number>>): string {
  const words: Readonly<Record<string, unknown>> = t.counts;
  const parts = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => {
      const word = words[name];
      return typeof word === "function" ? String(word(count)) : `${name} ${count}`;
    });
  return parts.join(", ") || t.counts.nothing;
}

/** `{ result: "added", what: "camera 2001008851" }`, and without a result: that it has been changed. */
export function saySaved(t: Catalogue): (said: { result: "added" | "changed" | "unchanged"; what: string }) => string {
  return ({ result, what }) => t.said[result](what.replace(/^\w+ /, ""));
}

export function sayCertificate(t: Catalogue): (said: { subject: string; validTo: string; daysLeft: number }) => string {
  return ({ subject, validTo, daysLeft }) => t.said.certificate(subject, validTo.slice(0, 10), daysLeft);
}

/** `now`: a certificate that is valid by then signs at once. */
export function sayRotation(t: Catalogue, now: Date): (said: { subject: string; validFrom: string }) => string {
  return ({ subject, validFrom }) =>
    new Date(validFrom) <= now ? t.said.rotated(subject) : t.said.staged(subject, validFrom.slice(0, 10));
}

/** What went with a camera or a municipality of this name. */
export function sayRemoved(t: Catalogue, name: string): (said: { readings?: number; images?: number }) => string {
  return ({ readings = 0, images = 0 }) => {
    const went = readings === 0 ? "" : ` ${t.said.erased(sayCounts(t, { readings, images }))}`;
    return `${t.said.removed(name)}${went}`;
  };
}
