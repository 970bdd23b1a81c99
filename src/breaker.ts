import type { DeliveryOutcome } from "./delivery.ts";

/**
 * Whether an endpoint (or one certificate at it) is used, paused or probed. Paused, nothing is sent and nothing is spent;
 * when the pause is over one message at a time probes it, until one is accepted or understood.
 */
export interface Breaker {
  /** Answers that never came, in a row, with none accepted between them. */
  unanswered: number;
  /** Pauses in a row: the next one is longer. */
  pauses: number;
  pausedAt: Date | null;
  pausedUntil: Date | null;
  kind: "unreachable" | "unanswered" | "misconfigured" | null;
  detail: string | null;
}

export interface PausePolicy {
  /** Unanswered in a row before the endpoint, and not the message, is taken to be in trouble. */
  threshold: number;
  firstMs: number;
  maxMs: number;
}

export const CLOSED: Breaker = {
  unanswered: 0,
  pauses: 0,
  pausedAt: null,
  pausedUntil: null,
  kind: null,
  detail: null,
};

export type BreakerChange = "paused" | "resumed" | null;

/** How many messages may be sent now: all (null), one probe (1) or none (0). @param inFlight messages under way on this route */
export function allowance(breaker: Breaker, inFlight: number, now: Date): number | null {
  if (breaker.pausedUntil === null) return null;
  if (now < breaker.pausedUntil) return 0;
  return inFlight === 0 ? 1 : 0;
}

/**
 * The breaker after one outcome. An answer to something sent before the pause began says nothing new, unless it is good.
 * @param startedAt when that POST began; @param random in [0, 1)
 */
export function afterOutcome(
  breaker: Breaker,
  outcome: DeliveryOutcome,
  startedAt: Date,
  policy: PausePolicy,
  now: Date,
  random: number,
): { breaker: Breaker; change: BreakerChange } {
  const { pausedAt } = breaker;
  switch (outcome.kind) {
    case "accepted":
    case "rejected":
      return { breaker: CLOSED, change: pausedAt === null ? null : "resumed" };
    case "unreachable":
    case "misconfigured":
    case "unanswered": {
      if (pausedAt !== null && startedAt < pausedAt) return { breaker, change: null };
      const unanswered = outcome.kind === "unanswered" ? breaker.unanswered + 1 : breaker.unanswered;
      if (outcome.kind === "unanswered" && pausedAt === null && unanswered < policy.threshold) {
        return { breaker: { ...breaker, unanswered }, change: null };
      }
      const next = { unanswered, kind: outcome.kind, detail: outcome.detail };
      return { breaker: { ...breaker, ...next, ...pause(breaker.pauses, policy, now, random) }, change: "paused" };
    }
  }
}

/** After the operator mended something: probe at once. */
export function mend(breaker: Breaker, now: Date): Breaker {
  return breaker.pausedUntil === null ? breaker : { ...breaker, pauses: 0, pausedUntil: now };
}

/** An operator wants it tried: probe at once. Nothing was mended, so the next pause is as long as it would have been. */
export function tryNow(breaker: Breaker, now: Date): Breaker {
  return breaker.pausedUntil === null || breaker.pausedUntil <= now ? breaker : { ...breaker, pausedUntil: now };
}

/** The clock was set back to `now`: a pause that began or ends later is one of another time, and probed at once. */
export function setBack(breaker: Breaker, now: Date): Breaker {
  const { pausedAt, pausedUntil } = breaker;
  if (pausedAt === null || pausedUntil === null || (pausedAt <= now && pausedUntil <= now)) return breaker;
  return { ...breaker, pausedAt: now, pausedUntil: now };
}

function pause(pauses: number, policy: PausePolicy, now: Date, random: number) {
  const wait = Math.min(policy.maxMs, policy.firstMs * 2 ** Math.min(pauses, 30));
  return {
    pauses: pauses + 1,
    pausedAt: now,
    pausedUntil: new Date(now.getTime() + Math.round(wait * (0.8 + 0.4 * random))),
  };
}
