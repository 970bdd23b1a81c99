import { nameKey } from "./sqlite-rows.ts";

/** What the replaced system's column takes. */
const MOST_CHARS = 255;

/**
 * Names that differ, whatever their case: of several alike the first keeps its own, the others get a number behind it. The
 * replaced system let records share a name; what goes by names would only ever mean the first of them. Pure.
 * @returns the names by the records' ids
 */
export function uniqueNames(records: readonly { id: number; name: string }[]): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  const taken = new Set(records.map(({ name }) => nameKey(name)));
  const kept = new Set<string>();
  for (const { id, name } of records) {
    let unique = name;
    for (let number = 2; kept.has(nameKey(unique)) || (number > 2 && taken.has(nameKey(unique))); number += 1) {
      const end = ` (${number})`;
      unique = `${name.slice(0, MOST_CHARS - end.length)}${end}`;
    }
    kept.add(nameKey(unique));
    names.set(id, unique);
  }
  return names;
}
