import { closeSync, openSync, writeSync } from "node:fs";
import type { SignatureProfile } from "../store/registry.ts";

/** A message that the simulated police took. Holds the plate: a file of them is as private as the readings. */
export interface AcceptedRecord {
  /** Counts from 1 in the order of acceptance. */
  number: number;
  receivedAt: string;
  readerCode: string;
  plate: string;
  date: string;
  time: string;
  /** SHA-256 of the JPEG files, hex. */
  ocrSha256: string;
  ctxSha256: string | null;
  fields: Readonly<Record<string, string>>;
  certificateSubject: string;
  certificateFingerprint: string;
  profile: SignatureProfile;
  /** False: taken, but the sender was not told; it will come again. */
  answered: boolean;
}

/** An attempt that was not taken, by the checks or by a behaviour. `reason` holds no plate. */
export interface RefusedRecord {
  receivedAt: string;
  /** Kind of fault, or of behaviour (`behaviour:hang`). */
  kind: string;
  reason: string;
}

export interface RecordBook {
  accept(record: Omit<AcceptedRecord, "number">): void;
  refuse(record: RefusedRecord): void;
  /** In order; the oldest are gone once there are more than the bound. */
  accepted(): readonly AcceptedRecord[];
  refused(): readonly RefusedRecord[];
  /** Counts of all, also of those gone from memory. */
  counts(): { accepted: number; refused: number };
  clear(): void;
  close(): void;
}

/**
 * @param path a JSONL file that accepted records are appended to (created 0600) before the sender gets its answer; null: none.
 * @param bound records of each kind kept in memory; beyond it the oldest are forgotten there, never in the file.
 */
export function openRecordBook(path: string | null, bound: number): RecordBook {
  const file = path === null ? null : openSync(path, "a", 0o600);
  let accepted: AcceptedRecord[] = [];
  let refused: RefusedRecord[] = [];
  let acceptedCount = 0;
  let refusedCount = 0;
  let open = true;
  return {
    accept: (record) => {
      acceptedCount += 1;
      const numbered = { number: acceptedCount, ...record };
      accepted.push(numbered);
      // Halves are dropped, not single ones: shifting a long array for every record costs more than memory does.
      if (accepted.length > bound * 2) accepted = accepted.slice(-bound);
      if (file !== null && open) writeSync(file, `${JSON.stringify(numbered)}\n`);
    },
    refuse: (record) => {
      refusedCount += 1;
      refused.push(record);
      if (refused.length > bound * 2) refused = refused.slice(-bound);
    },
    accepted: () => accepted.slice(-bound),
    refused: () => refused.slice(-bound),
    counts: () => ({ accepted: acceptedCount, refused: refusedCount }),
    clear: () => {
      accepted = [];
      refused = [];
      acceptedCount = 0;
      refusedCount = 0;
    },
    close: () => {
      if (file !== null && open) closeSync(file);
      open = false;
    },
  };
}
