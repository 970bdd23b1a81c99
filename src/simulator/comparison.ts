import type { ManifestEntry } from "./camera.ts";
import type { AcceptedRecord } from "./mossos-records.ts";

/** What the cameras sent against what the police have. */
export interface Comparison {
  sent: number;
  /** Readings of the manifest that the police have at least once, bit for bit. */
  delivered: number;
  /** Times one came again. */
  duplicates: number;
  missing: readonly ManifestEntry[];
  /** At the police, and nobody sent it. */
  invented: readonly AcceptedRecord[];
  /** Sent, but with another picture. */
  differing: readonly AcceptedRecord[];
}

/** @param readerOf reader code of a camera's serial */
export function compareRecords(
  manifest: readonly ManifestEntry[],
  records: readonly AcceptedRecord[],
  readerOf: (serial: string) => string,
): Comparison {
  const expected = new Map<string, ManifestEntry>();
  for (const entry of manifest) {
    if (entry.kind === "reading" || entry.kind === "replay")
      expected.set(identity(entry, readerOf(entry.serial)), entry);
  }
  const found = new Set<string>();
  const invented: AcceptedRecord[] = [];
  const differing: AcceptedRecord[] = [];
  let duplicates = 0;
  for (const record of records) {
    const key = identity(record, record.readerCode);
    const entry = expected.get(key);
    if (entry === undefined) invented.push(record);
    else if (entry.ocrSha256 !== record.ocrSha256 || entry.ctxSha256 !== record.ctxSha256) differing.push(record);
    else if (found.has(key)) duplicates += 1;
    else found.add(key);
  }
  const missing = [...expected].filter(([key]) => !found.has(key)).map(([, entry]) => entry);
  return { sent: expected.size, delivered: found.size, duplicates, missing, invented, differing };
}

function identity(of: { plate: string; date: string; time: string }, readerCode: string): string {
  return [readerCode, of.plate, of.date, of.time].join(" ");
}
