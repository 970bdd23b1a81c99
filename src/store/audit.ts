/** Who did what on purpose: looked at plates, erased, sent again, changed keys. Never a plate in it. */

/** Deeds that are written down; the first word is what they were done to. A further one is added here. */
export const AUDITED_DEEDS = [
  "plates show",
  "queue retry",
  "queue discard",
  "quarantine retry",
  "quarantine drop",
  "certificate import",
  "certificate assign",
  "certificate rotate",
  "certificate remove",
  "endpoint save",
  "municipality save",
  "camera save",
  "endpoint remove",
  "endpoint try",
  "municipality remove",
  "camera remove",
  "readings wipe",
  "queue wipe",
  "images wipe",
  "everything wipe",
  "database restore",
  "registry apply",
  "message send",
  "token add",
  "token remove",
  "image show",
] as const;
export type AuditedDeed = (typeof AUDITED_DEEDS)[number];

export interface NewAuditEntry {
  /** A person as this machine knows one, and the way that was used: `jordi (cli)`, `token dashboard (api)`. */
  who: string;
  what: AuditedDeed;
  /** The message concerned where it is a single one. */
  messageId: number | null;
  /** What was meant and how much: names, serials, filters, counts. Cut at 1,000 characters. */
  detail: string;
}

export interface AuditEntry extends Omit<NewAuditEntry, "what"> {
  id: number;
  at: Date;
  /** A word this version may not know: another wrote it. */
  what: string;
}

export interface AuditFilter {
  since?: Date | undefined;
  before?: number | undefined;
  who?: string | undefined;
  what?: string | undefined;
  messageId?: number | undefined;
}

export interface AuditLog {
  /**
   * Durable when it resolves. Called before the deed, so that none is without an entry: an entry of a deed that did not
   * come about is the smaller evil, and gets a second one that says so.
   */
  recordAudit(entry: NewAuditEntry, now: Date): Promise<void>;
  /**
   * The newest `limit` entries of the filter, in the order they were written. `since`: not older. `before`: an id. `who` and
   * `what`: that text is in it, upper and lower case apart. `messageId`: of that message.
   */
  listAudit(filter: AuditFilter & { limit: number }): Promise<readonly AuditEntry[]>;
  /** Forgets entries older than `before` and the oldest beyond `count`, at most `limit` of each. @returns how many. */
  trimAudit(bounds: { before: Date; count: number }, limit: number): Promise<number>;
}
