import { nearestName } from "../name-distance.ts";

/** The name among `known` that was most likely meant: near in letters, or begun with `wanted`; null when there is none. */
export function findNearest(wanted: string, known: readonly string[]): string | null {
  const typed = wanted.toLowerCase();
  const lower = known.map((name) => name.toLowerCase());
  const near = nearestName(typed, lower);
  const at =
    near === null ? lower.findIndex((name) => typed.length >= 3 && name.startsWith(typed)) : lower.indexOf(near);
  return known[at] ?? null;
}

/** `; did you mean X?`, or nothing. */
export function didYouMean(wanted: string, known: readonly string[]): string {
  const nearest = findNearest(wanted, known);
  return nearest === null ? "" : `; did you mean ${nearest}?`;
}
