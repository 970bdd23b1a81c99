import type { ManifestEntry } from "./manifest.ts";
import type { AcceptedRecord } from "./mossos-records.ts";

/** What the cameras sent against what the police have. */
export interface Comparison {
  /** Readings of the manifest; a replay is the same reading again and not counted. */
  sent: number;
  /** Of these, the ones that the police have at least once, bit for bit. */
  delivered: number;
  /** Times one came again. */
  duplicates: number;
  /** The police do not have it: lost, or not confirmed to the camera, which would still keep it (`confirmed` says which). */
  missing: readonly ManifestEntry[];
  /** At the police, and nobody sent it. */
  invented: readonly AcceptedRecord[];
  /** Sent, but with another picture. */
  differing: readonly AcceptedRecord[];
}

/** A reading that was sent, and whether it was found. */
interface Expected {
  entry: ManifestEntry;
  found: boolean;
}

/**
 * Matches by reader code, plate, date, time and both pictures. A message that was not to be delivered (no plate, malformed,
 * unregistered) and was counts as invented.
 * @param readerOf reader code of a camera's serial
 */
export function compareRecords(
  manifest: Iterable<ManifestEntry>,
  records: Iterable<AcceptedRecord>,
  readerOf: (serial: string) => string,
): Comparison {
  // Two readings of one plate in one second differ only in their pictures: hence a list.
  const expected = new Map<string, Expected[]>();
  let sent = 0;
  for (const entry of manifest) {
    if (entry.kind !== "reading" && entry.kind !== "replay") continue;
    const key = identity(entry, readerOf(entry.serial));
    const same = expected.get(key) ?? [];
    const known = same.find((candidate) => hasPicturesOf(candidate.entry, entry));
    if (known === undefined) {
      expected.set(key, [...same, { entry, found: false }]);
      sent += 1;
    } else if (entry.confirmed && !known.entry.confirmed) {
      // One of its copies was confirmed: from then on the camera relies on it.
      known.entry = entry;
    }
  }
  const invented: AcceptedRecord[] = [];
  const differing: AcceptedRecord[] = [];
  let delivered = 0;
  let duplicates = 0;
  for (const record of records) {
    const same = expected.get(identity(record, record.readerCode));
    const match = same?.find((candidate) => hasPicturesOf(candidate.entry, record));
    if (same === undefined) invented.push(record);
    else if (match === undefined) differing.push(record);
    else if (match.found) duplicates += 1;
    else {
      match.found = true;
      delivered += 1;
    }
  }
  const missing = [...expected.values()]
    .flat()
    .filter(({ found }) => !found)
    .map(({ entry }) => entry);
  return { sent, delivered, duplicates, missing, invented, differing };
}

function identity(of: { plate: string; date: string; time: string }, readerCode: string): string {
  return [readerCode, of.plate, of.date, of.time].join(" ");
}

type Pictures = Pick<ManifestEntry, "ocrSha256" | "ctxSha256">;

function hasPicturesOf(one: Pictures, other: Pictures): boolean {
  return one.ocrSha256 === other.ocrSha256 && one.ctxSha256 === other.ctxSha256;
}
