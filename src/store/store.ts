import type { DeliveryOutcome } from "../delivery.ts";
import type { Protocol, ReadingFacts, TimeSource } from "../reading.ts";
import type { Activity } from "./activity.ts";
import type { AuditLog } from "./audit.ts";
import type { CopyStore, RecordStore } from "./copying.ts";
import type { Holdings } from "./holdings.ts";
import type { MessageAttempt, MessageFilter, QueuedMessage, QueueSummary } from "./messages.ts";
import type { Camera, Certificate, Endpoint, Registry } from "./registry.ts";
import type { TokenStore } from "./tokens.ts";
import type { TransferStore } from "./transfer.ts";
import type { Upkeep } from "./upkeep.ts";

/**
 * The queue and everything beside it. Crash order, which every implementation keeps:
 * image durable before row; reading and message in one transaction; SENDING committed before the first byte leaves;
 * rows gone before images; a sweep removes orphan images. Every method is one whole transaction that is durable when it
 * resolves (but `claim`); nobody holds one open across an await. Times are instants; how a store writes them is its own affair.
 */

/** A reading ready to be queued: its images are durable already. */
export interface NewReading {
  /** Keyed hash of the content; equal means the same reading again. */
  dedupeKey: Uint8Array;
  protocol: Protocol;
  cameraSerial: string;
  facts: ReadingFacts;
  capturedAt: Date;
  timeSource: TimeSource;
  receivedAt: Date;
  extra: Readonly<Record<string, string>>;
  rawText: string;
  imageOcrPath: string | null;
  imageCtxPath: string | null;
}

export type QuarantineKind = "unregistered" | "malformed";

/** A whole message that could not be queued, kept as a file. `reason` holds no plate. */
export interface NewQuarantined {
  kind: QuarantineKind;
  reason: string;
  cameraSerial: string | null;
  protocol: Protocol;
  /** Address of the sender. */
  peer: string;
  receivedAt: Date;
  sizeBytes: number;
  /** Path below the quarantine folder; null when the content was not kept (over the size limit). */
  path: string | null;
}

export interface Quarantined extends NewQuarantined {
  id: number;
}

/** One message's fate, to be written in the group's one transaction. */
export type IntakeEntry =
  | { kind: "reading"; reading: NewReading }
  /** Only counted, and the camera's last reading noted. */
  | { kind: "not-read" | "inactive" | "duplicate"; cameraSerial: string; receivedAt: Date }
  | { kind: "quarantine"; quarantined: NewQuarantined };

/**
 * What became of an entry. `duplicate`: same content within DEDUPE_DAYS, counted only. `inactive`: its camera is switched
 * off, counted only. `unregistered`: no camera of that serial, nothing written: the caller quarantines it.
 */
export type IntakeResult = "queued" | "duplicate" | "inactive" | "unregistered" | "not-read" | "quarantined";

/** Where a message goes and who signs for it. 0 stands for "none": the configured default endpoint, or no certificate. */
export interface Route {
  endpointId: number;
  certificateId: number;
}

export interface ClaimRequest {
  /** The claimant; see process-name. A message stays its own until it settles it or the lease ends. */
  owner: string;
  /** A lease lasts this long plus the endpoint's timeout (`defaultTimeoutMs` for the configured default). */
  leaseMs: number;
  defaultTimeoutMs: number;
  /** Most messages in all. */
  limit: number;
  /** How many messages of an endpoint may be taken now; an endpoint that is not in the map may have `slotsPerEndpoint`. 0: paused or full. */
  slots: ReadonlyMap<number, number>;
  slotsPerEndpoint: number;
  /** Endpoints of which one message is wanted as a probe: one that has not failed yet before one that has. */
  probedEndpoints: ReadonlySet<number>;
  /** Routes that are limited though their endpoint is not (0: paused, 1: probed); the key is routeKey(). */
  routeSlots: ReadonlyMap<string, number>;
}

export function routeKey(route: Route): string {
  return `${route.endpointId}/${route.certificateId}`;
}

/** A claimed message with all that its delivery needs; read in the claim's own transaction. */
export interface Claim {
  messageId: number;
  readingId: number;
  owner: string;
  leaseUntil: Date;
  /** Attempts spent so far. */
  attempts: number;
  /** When it last failed, spent or not; null when never. */
  lastFailedAt: Date | null;
  receivedAt: Date;
  capturedAt: Date;
  timeSource: TimeSource;
  facts: ReadingFacts;
  imageOcrPath: string | null;
  imageCtxPath: string | null;
  camera: Pick<Camera, "id" | "serial" | "readerCode" | "coordX" | "coordY">;
  municipality: { id: number; name: string };
  /** Null: none assigned, the configured default applies. */
  endpoint: Endpoint | null;
  certificate: Certificate | null;
  route: Route;
}

/** What is to be done with a message after an attempt. `error` and `reason` hold no plate. */
export type Settlement =
  /** Erase reading and message; the camera's last_sent_at is set. */
  | { kind: "delivered" }
  /** FAILED, due at `at`; `spent` adds one to the attempts. */
  | { kind: "retry"; at: Date; spent: boolean; error: string }
  | { kind: "dead"; reason: string; detail: string; spent: boolean }
  /** Never tried: back to PENDING as it was. */
  | { kind: "release" };

export interface Settled {
  claim: Claim;
  settlement: Settlement;
  /** For the message's history; null when nothing was sent. */
  attempt: { at: Date; outcome: DeliveryOutcome; durationMs: number } | null;
}

/** What a step of the retention erased. */
export interface Purged {
  /** Those that were DEAD. */
  messages: number;
  /** To erase after. */
  imagePaths: readonly string[];
  /** There may be more, of one kind or the other. */
  more: boolean;
}

export interface QueueStore {
  /** Writes a whole group in one commit: all or nothing. Results in the order of the entries. */
  enqueue(entries: readonly IntakeEntry[], now: Date): Promise<readonly IntakeResult[]>;
  /** True when a reading of this content was queued within DEDUPE_DAYS; a hint that saves writing its images. */
  isKnown(dedupeKey: Uint8Array): Promise<boolean>;
  /**
   * Notes the fingerprint of the key under which contents are hashed from now on. False: it was another before, here or on another
   * gateway, and what was hashed under that one is not recognised under this one.
   */
  noteDedupeKey(fingerprint: string): Promise<boolean>;
  /**
   * Takes due messages: fair across endpoints and cameras, oldest first within a camera. Cost does not grow with the backlog.
   * Seen by everyone when it resolves; a power cut may take it back, and then the message is sent again as if never claimed.
   */
  claim(request: ClaimRequest, now: Date): Promise<readonly Claim[]>;
  /** Writes a group of settlements in one commit, durable when it resolves; others may see it a moment before. False: the lease was lost meanwhile, and nothing was written for that one. */
  settle(settled: readonly Settled[], now: Date): Promise<readonly boolean[]>;
  /** Soonest instant after `now` at which a FAILED message falls due, or null. */
  nextDueAt(now: Date): Promise<Date | null>;
  /** FAILED messages that fall due later than `now` fall due at `now`, at most `limit`: the clock was set back. @returns how many. */
  bringForward(now: Date, limit: number): Promise<number>;
  /** Messages whose lease is over: FAILED, due now, no attempt spent. @returns how many. */
  releaseExpired(now: Date): Promise<number>;
  /** Owners that hold messages now, and freeing those of an owner that is known to be dead (back to PENDING). */
  listOwners(): Promise<readonly string[]>;
  releaseOwner(owner: string, now: Date): Promise<number>;
  /**
   * What a living owner leases but does not have, because the answer to its claim was lost: back to PENDING. `held`: the messages
   * it is at work on. Only what was claimed before `now`: a call that reaches the store late takes nothing claimed since.
   * @returns how many
   */
  takeBack(owner: string, held: ReadonlySet<number>, now: Date): Promise<number>;
  /** DEAD for want of something that is there now: back to PENDING. `hasDefaultEndpoint`: MOSSOS_ENDPOINT_URL is set. */
  revive(hasDefaultEndpoint: boolean, usableCertificateIds: ReadonlySet<number>, now: Date): Promise<number>;
  /**
   * Rows of DEAD messages older than `before`, at most `limit`, erased and counted as expired; and as many of those that the
   * replaced system delivered and left.
   */
  purgeDead(before: Date, limit: number): Promise<Purged>;
  /** Forgets content hashes older than `before`, at most `limit`. */
  purgeDedupe(before: Date, limit: number): Promise<number>;
  /** Of these relative paths, those that a reading still refers to; that no reading refers to the others is durable. */
  findReferenced(paths: readonly string[]): Promise<ReadonlySet<string>>;
  /** Of these paths below the quarantine folder, those that a held message still has. */
  findHeld(paths: readonly string[]): Promise<ReadonlySet<string>>;
}

/** Why an endpoint, or one certificate at it (certificateId other than 0), is not being used. */
export interface RouteState extends Route {
  pausedUntil: Date | null;
  pauseKind: "unreachable" | "unanswered" | "misconfigured" | null;
  detail: string | null;
  /** Pauses in a row without an accepted message between them. */
  pauses: number;
  lastAcceptedAt: Date | null;
  /** The police's clock minus ours, from the Date header. */
  clockOffsetMs: number | null;
  latencyMs: number | null;
  /** When an operator last changed what this route depends on; a pause from before it is over. */
  mendedAt: Date | null;
  /** When an operator last asked that it be tried now; a pause from before it is due. */
  triedAt: Date | null;
}

/** Lasting counts, written in the transaction of what they count. For a serial no camera has, `(unknown)` beyond a bound. */
const TALLIES = [
  "queued",
  "duplicate",
  "not-read",
  "inactive",
  "unregistered",
  "malformed",
  "delivered",
  "dead",
  "expired",
  "discarded",
] as const;
export type Tally = (typeof TALLIES)[number];

export interface OperatorStore {
  /**
   * At most `limit` of them, the oldest or the newest, in that order; only those that come behind the id `after` in it, whether
   * that one is still there or not. What a page costs does not grow with what stands before it.
   */
  listMessages(
    filter: MessageFilter,
    limit: number,
    first?: "oldest" | "newest",
    after?: number,
  ): Promise<readonly QueuedMessage[]>;
  findMessage(id: number): Promise<{ message: QueuedMessage; attempts: readonly MessageAttempt[] } | null>;
  /** Where the pictures of a message lie; null when there is no such message. The paths hold the plate. */
  findMessageImages(id: number): Promise<{ ocr: string | null; ctx: string | null } | null>;
  /** FAILED and DEAD messages that the filter means: PENDING, attempts 0, due now. @returns how many. */
  retryMessages(filter: MessageFilter, now: Date): Promise<number>;
  /**
   * Erases what the filter means, but not what is being sent; counted as discarded. At most `limit`: so
   * that the paths of a long queue need not be held at once. @returns images to erase after.
   */
  discardMessages(filter: MessageFilter, limit?: number): Promise<{ messages: number; imagePaths: readonly string[] }>;
  summarize(): Promise<QueueSummary>;
  tallies(): Promise<readonly { cameraSerial: string; tally: Tally; count: number }[]>;
  /** The oldest first; only those behind the id `after`. */
  listQuarantine(
    filter: { kind?: QuarantineKind; cameraSerial?: string },
    limit: number,
    after?: number,
  ): Promise<readonly Quarantined[]>;
  countQuarantine(): Promise<number>;
  findQuarantined(id: number): Promise<Quarantined | null>;
  /** Held messages whose camera is registered now, oldest first; only those behind the id `after`. */
  listAdoptable(limit: number, after?: number): Promise<readonly Quarantined[]>;
  /** Forgets rows (their files go after). @returns the paths. */
  dropQuarantined(ids: readonly number[]): Promise<readonly string[]>;
  /** The oldest rows beyond the bounds (malformed before unregistered), removed. @returns what went. */
  trimQuarantine(bounds: { count: number; bytes: number; before: Date }): Promise<readonly Quarantined[]>;
  listRouteStates(): Promise<readonly RouteState[]>;
  saveRouteState(state: RouteState): Promise<void>;
  /**
   * Every pause of the endpoint (0: the configured default) is due now, and so is of each of its cameras the FAILED message
   * that would be due first; the counts of pauses and attempts stay. @returns how many pauses there were
   */
  tryEndpoint(endpointId: number, now: Date): Promise<number>;
}

export interface StoreInfo {
  kind: "sqlite" | "postgres";
  version: string;
  schemaVersion: number;
  location: string;
}

export interface Store
  extends QueueStore,
    OperatorStore,
    TransferStore,
    CopyStore,
    RecordStore,
    Upkeep,
    Registry,
    AuditLog,
    Holdings,
    TokenStore,
    Activity {
  info(): StoreInfo;
  /**
   * Calls back when another process queued something. A hint that may get lost: whoever waits looks for itself now and then.
   * @returns how to stop
   */
  watchQueue(onQueued: () => void): () => Promise<void>;
  /** Writes and reads back; rejects when the store cannot take readings. */
  check(): Promise<void>;
  /** Overwrites what deleted rows may have left readable in the store's files. Cheap when there is nothing to do. */
  scrub(): Promise<void>;
  close(): Promise<void>;
}
