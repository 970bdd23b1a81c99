import { describe, expect, test } from "bun:test";
import { afterOutcome, allowance, type Breaker, CLOSED, mend, setBack, tryNow } from "../src/breaker.ts";
import type { DeliveryOutcome } from "../src/delivery.ts";

const policy = { threshold: 3, firstMs: 1000, maxMs: 60_000 };
const at = (seconds: number): Date => new Date(Date.UTC(2026, 2, 1) + seconds * 1000);
const unanswered: DeliveryOutcome = { kind: "unanswered", detail: "HTTP 503" };
const unreachable: DeliveryOutcome = { kind: "unreachable", detail: "ECONNREFUSED" };
const misconfigured: DeliveryOutcome = { kind: "misconfigured", detail: "HTTP 404", scope: "endpoint" };
const accepted: DeliveryOutcome = { kind: "accepted", returnCode: "1" };
const rejected: DeliveryOutcome = { kind: "rejected", returnCode: "7", detail: "no" };

function after(breaker: Breaker, outcome: DeliveryOutcome, seconds: number, startedSeconds = seconds) {
  return afterOutcome(breaker, outcome, at(startedSeconds), policy, at(seconds), 0.5);
}

describe("an endpoint's pause", () => {
  test("starts at once when it cannot be reached or is misconfigured", () => {
    for (const outcome of [unreachable, misconfigured]) {
      const { breaker, change } = after(CLOSED, outcome, 10);
      expect(change).toBe("paused");
      expect(breaker.pausedUntil).toEqual(at(11));
      expect(allowance(breaker, 0, at(10.5))).toBe(0);
    }
  });

  test("starts only after several unanswered in a row, since one may be the message's own fault", () => {
    let state = CLOSED;
    for (const n of [1, 2]) {
      const step = after(state, unanswered, n);
      expect(step.change).toBeNull();
      expect(allowance(step.breaker, 5, at(n))).toBeNull();
      state = step.breaker;
    }
    expect(after(state, unanswered, 3).change).toBe("paused");
    expect(after(after(state, accepted, 3).breaker, unanswered, 4).change).toBeNull();
  });

  test("lets one probe through when it is over, and none beside it", () => {
    const { breaker } = after(CLOSED, unreachable, 0);
    expect(allowance(breaker, 0, at(1))).toBe(1);
    expect(allowance(breaker, 1, at(1))).toBe(0);
  });

  test("grows with each failed probe up to the cap", () => {
    let state = CLOSED;
    const waits: number[] = [];
    let now = 0;
    for (let n = 0; n < 9; n++) {
      state = after(state, n % 2 === 0 ? unreachable : unanswered, now).breaker;
      const until = (state.pausedUntil ?? at(0)).getTime() / 1000 - at(0).getTime() / 1000;
      waits.push(until - now);
      now = until;
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });

  test("ends with the first message that is accepted, or refused: whoever refuses is there", () => {
    for (const outcome of [accepted, rejected]) {
      const paused = after(CLOSED, unreachable, 0).breaker;
      expect(after(paused, outcome, 2)).toEqual({ breaker: CLOSED, change: "resumed" });
    }
  });

  test("is not made longer by answers to what was sent before it began", () => {
    const paused = after(CLOSED, unreachable, 10).breaker;
    expect(after(paused, unreachable, 12, 9)).toEqual({ breaker: paused, change: null });
    expect(after(paused, accepted, 12, 9).change).toBe("resumed");
  });

  test("is over at once when the operator has mended something", () => {
    const paused = after(CLOSED, misconfigured, 10).breaker;
    expect(allowance(mend(paused, at(10.1)), 0, at(10.1))).toBe(1);
    expect(mend(CLOSED, at(1))).toBe(CLOSED);
  });

  test("is over at once when the clock was set back, and counts from the new time", () => {
    const paused = after(CLOSED, unreachable, 7200).breaker;
    const back = setBack(paused, at(10));
    expect(allowance(back, 0, at(10))).toBe(1);
    // A try of the new time is not taken for one from before the pause.
    expect(after(back, unreachable, 11, 10).breaker).toMatchObject({
      pauses: 2,
      pausedAt: at(11),
      pausedUntil: at(13),
    });
    expect(setBack(back, at(20))).toBe(back);
    expect(setBack(CLOSED, at(1))).toBe(CLOSED);
  });

  test("is over at once when the operator wants it tried, and the next one is as long as it would have been", () => {
    let state = CLOSED;
    for (let n = 0; n < 4; n++) state = after(state, unreachable, 10 * n).breaker;
    expect(allowance(state, 0, at(31))).toBe(0);
    const tried = tryNow(state, at(31));
    expect(allowance(tried, 0, at(31))).toBe(1);
    const again = after(tried, unreachable, 31).breaker;
    expect(again).toEqual(after(state, unreachable, 31).breaker);
    expect(again.pauses).toBe(5);
    expect(tryNow(CLOSED, at(1))).toBe(CLOSED);
    expect(tryNow(state, at(500))).toBe(state);
  });
});
