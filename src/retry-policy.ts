import type { DeliveryOutcome } from "./delivery.ts";
import { REASON } from "./message.ts";
import type { Settlement } from "./store/store.ts";

export interface RetryPolicy {
  /** Spent attempts after which a message is DEAD. */
  retryMax: number;
  /** Wait after the first spent attempt; doubles with each. */
  retryBackoffMs: number;
}

/** However often it failed, a message is tried again within the hour. */
export const MAX_BACKOFF_MS = 3_600_000;
/** Spread, so that messages that failed together do not come back together. */
const JITTER = 0.2;

/**
 * The outcome in the light of what became of others: an answer that speaks of a wrong address, while the endpoint accepted
 * another message since this one last failed, can only be about this message.
 */
export function inCompany(outcome: DeliveryOutcome, endpointWorks: boolean): DeliveryOutcome {
  const isOfMessage = outcome.kind === "misconfigured" && outcome.scope === "endpoint-or-message" && endpointWorks;
  return isOfMessage ? { kind: "unanswered", detail: outcome.detail } : outcome;
}

/**
 * What becomes of a message after one POST. An attempt is spent only when the message is known to be at fault: it was
 * not answered although the endpoint accepted others since it last failed. The wrong direction that is worse: spending
 * attempts in an outage ends in DEAD and erasure, not spending them only costs another try.
 * @param attempts spent so far; @param endpointWorks the endpoint accepted another message since this one last failed
 * @param random in [0, 1)
 */
export function settle(
  outcome: DeliveryOutcome,
  attempts: number,
  endpointWorks: boolean,
  policy: RetryPolicy,
  now: Date,
  random: number,
): Settlement {
  switch (outcome.kind) {
    case "accepted":
      return { kind: "delivered" };
    case "rejected":
      return { kind: "dead", reason: `codiRetorn=${outcome.returnCode}`, detail: outcome.detail, spent: true };
    case "unreachable":
    case "misconfigured":
      return { kind: "retry", at: dueAt(policy, attempts, now, random), spent: false, error: outcome.detail };
    case "unanswered": {
      if (!endpointWorks) {
        return { kind: "retry", at: dueAt(policy, attempts, now, random), spent: false, error: outcome.detail };
      }
      const spent = attempts + 1;
      if (spent >= policy.retryMax) {
        return { kind: "dead", reason: REASON.attemptsExhausted, detail: outcome.detail, spent: true };
      }
      return { kind: "retry", at: dueAt(policy, spent, now, random), spent: true, error: outcome.detail };
    }
  }
}

/** Exponential in the spent attempts, capped, with jitter. */
function dueAt(policy: RetryPolicy, spent: number, now: Date, random: number): Date {
  const wait = Math.min(MAX_BACKOFF_MS, policy.retryBackoffMs * 2 ** Math.min(Math.max(spent - 1, 0), 30));
  return new Date(now.getTime() + Math.round(wait * (1 - JITTER + 2 * JITTER * random)));
}
