import type { IntakeEntry, IntakeResult, Tally } from "./store.ts";

/** Lasting counts to be added. */
export interface TallyCount {
  cameraSerial: string;
  tally: Tally;
  count: number;
}

/** What moves into a store in one commit: readings and held messages whose files are durable there, and counts. */
export interface TransferBatch {
  entries: readonly IntakeEntry[];
  tallies: readonly TallyCount[];
}

/**
 * `moved`: all of it is in the store, results in the order of the entries. `already`: it was, from an earlier call; nothing
 * was written. `refused`: nothing was written, since readings of these cameras cannot be queued: no such camera, or off.
 */
export type Transferred =
  | { kind: "moved"; results: readonly IntakeResult[] }
  | { kind: "already" }
  | { kind: "refused"; cameraSerials: readonly string[] };

/** Taking over what another store held, once: the number of a batch is kept, with what it brought, longer than any hash. */
export interface TransferStore {
  /** Everything of a batch in one commit, or nothing. `batchId` names these entries for ever. */
  transfer(batchId: string, batch: TransferBatch, now: Date): Promise<Transferred>;
  isTransferred(batchId: string): Promise<boolean>;
}

/** What waits in the spool: in the local file, for as long as the store is away. `heldBack`: its camera is not registered any more. */
export interface SpoolCounts {
  waiting: number;
  heldBack: number;
  heldMessages: number;
}

export interface SpoolStatus extends SpoolCounts {
  /** Since when readings go to the spool; null: they go to the store. */
  since: Date | null;
  reason: string | null;
}
