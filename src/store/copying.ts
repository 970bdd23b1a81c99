import type { MessageStatus } from "../message.ts";
import type { CameraHour, DeliveryCount, MinuteCount } from "./activity.ts";
import type { AuditEntry } from "./audit.ts";
import type { MessageAttempt } from "./messages.ts";
import type { NewReading } from "./store.ts";
import type { NewApiToken } from "./tokens.ts";

/** A message with everything that is stored of it. */
export interface StoredMessage {
  /** In the store that it was read from. */
  id: number;
  reading: Omit<NewReading, "dedupeKey">;
  status: MessageStatus;
  attempts: number;
  reason: string | null;
  lastError: string | null;
  nextRetryAt: Date | null;
  lastFailedAt: Date | null;
  /** Since when it is in its state: for how long DEAD ones are kept counts from here. */
  updatedAt: Date;
  history: readonly MessageAttempt[];
}

/** A reading that is remembered, by its hash only. */
export interface RememberedHash {
  key: Uint8Array;
  seenAt: Date;
}

/** Moving a whole store into another one. */
export interface CopyStore {
  /** Messages in the order of their ids, those after `afterId` first. */
  exportMessages(afterId: number, limit: number): Promise<readonly StoredMessage[]>;
  /**
   * Writes messages as they are in one commit; what was being sent waits again. Their cameras must be there. Nothing is
   * counted as received, and nothing compared with what is remembered.
   * @returns false when this batch was written before: then nothing was. @throws AppError `conflict` for a camera that is not there
   */
  importMessages(batchId: string, messages: readonly StoredMessage[], now: Date): Promise<boolean>;
  /** What is remembered, in the order of the hashes, those after `afterKey` first. */
  listHashes(afterKey: Uint8Array | null, limit: number): Promise<readonly RememberedHash[]>;
  /** Adds to what is remembered; what is there already stays as it is. */
  addHashes(hashes: readonly RememberedHash[]): Promise<void>;
}

/** A token of the API, with what proves it. */
export interface StoredToken extends NewApiToken {
  lastUsedAt: Date | null;
}

/** What is kept beside the queue: who may use the API, who did what, and how much went through. */
export interface StoredRecords {
  /** One whose name or hash is there already is left out. */
  tokens: readonly StoredToken[];
  audit: readonly Omit<AuditEntry, "id">[];
  /** Added to what is there. */
  minutes: readonly MinuteCount[];
  cameraHours: readonly CameraHour[];
  deliveryCounts: readonly DeliveryCount[];
}

/** Moving it into another store. */
export interface RecordStore {
  exportTokens(): Promise<readonly StoredToken[]>;
  /** Entries of the audit log in the order they were written, those after `afterId` first. */
  exportAudit(afterId: number, limit: number): Promise<readonly AuditEntry[]>;
  /** Writes records as they are in one commit. @returns false when this batch was written before: then nothing was */
  importRecords(batchId: string, records: Partial<StoredRecords>, now: Date): Promise<boolean>;
}
