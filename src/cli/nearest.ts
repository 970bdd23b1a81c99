import { nearestName } from "../name-distance.ts";

/** The same whatever the case of the letters. */
export function findNearest(wanted: string, known: readonly string[]): string | null {
  const lower = known.map((name) => name.toLowerCase());
  const near = nearestName(wanted.toLowerCase(), lower);
  return near === null ? null : (known[lower.indexOf(near)] ?? null);
}

/** `; did you mean X?`, or nothing. */
export function didYouMean(wanted: string, known: readonly string[]): string {
  const nearest = findNearest(wanted, known);
  return nearest === null ? "" : `; did you mean ${nearest}?`;
}
