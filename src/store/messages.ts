import type { DeliveryOutcome } from "../delivery.ts";
import type { MessageStatus } from "../message.ts";
import type { TimeSource } from "../reading.ts";

/** The queue as an operator asks for it and sees it. */

/** Which messages an operator means. All that is given must hold. */
export interface MessageFilter {
  ids?: readonly number[];
  statuses?: readonly MessageStatus[];
  /** What the reason or the last error begins with, up to the end of a word. */
  reason?: string;
  cameraSerial?: string;
  municipalityId?: number;
  /** Readings taken at this moment or later. */
  capturedSince?: Date;
}

export interface QueuedMessage {
  messageId: number;
  status: MessageStatus;
  attempts: number;
  reason: string | null;
  lastError: string | null;
  cameraSerial: string;
  municipality: string;
  endpointName: string | null;
  /** Personal data: shown only where the operator asked for it. */
  plate: string;
  direction: string | null;
  laneId: number | null;
  ocrScore: number | null;
  countryCode: string | null;
  capturedAt: Date;
  timeSource: TimeSource;
  receivedAt: Date;
  nextRetryAt: Date | null;
  hasOcrImage: boolean;
  hasCtxImage: boolean;
  leaseOwner: string | null;
  leaseUntil: Date | null;
}

export interface MessageAttempt {
  at: Date;
  kind: DeliveryOutcome["kind"];
  detail: string;
  durationMs: number;
}

export interface QueueSummary {
  byStatus: Readonly<Record<MessageStatus, number>>;
  /** Receipt of the oldest message of each status that waits, or null. */
  oldestAt: Readonly<Record<MessageStatus, Date | null>>;
  deadByReason: readonly { reason: string; count: number }[];
  readings: number;
}

/** `codiRetorn=1` is not the beginning of `codiRetorn=12`: then what follows must not go on the word. */
export function endsInWord(beginning: string): boolean {
  return /[A-Za-z0-9]$/.test(beginning);
}
