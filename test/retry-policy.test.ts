import { describe, expect, test } from "bun:test";
import type { DeliveryOutcome } from "../src/delivery.ts";
import { inCompany, MAX_BACKOFF_MS, settle } from "../src/retry-policy.ts";

const now = new Date("2026-03-01T12:00:00Z");
const policy = { retryMax: 3, retryBackoffMs: 1000 };
const unanswered: DeliveryOutcome = { kind: "unanswered", detail: "HTTP 503" };

describe("an answer that speaks of a wrong address", () => {
  const refused: DeliveryOutcome = { kind: "misconfigured", detail: "HTTP 403", scope: "endpoint-or-message" };

  test("is about the message where the endpoint takes others, and about the endpoint where it takes none", () => {
    expect(inCompany(refused, true)).toEqual({ kind: "unanswered", detail: "HTTP 403" });
    expect(inCompany(refused, false)).toBe(refused);
  });

  test("no other outcome changes in company", () => {
    for (const outcome of [
      { kind: "accepted", returnCode: "1" },
      { kind: "unreachable", detail: "ECONNREFUSED" },
      { kind: "misconfigured", detail: "the certificate is not trusted", scope: "endpoint" },
      { kind: "misconfigured", detail: "FailedAuthentication", scope: "certificate" },
    ] as const) {
      expect(inCompany(outcome, true)).toBe(outcome);
    }
  });
});

describe("what becomes of a message after one POST", () => {
  test("accepted is erased", () => {
    expect(settle({ kind: "accepted", returnCode: "1" }, 2, true, policy, now, 0.5)).toEqual({ kind: "delivered" });
  });

  test("refused is DEAD with the police's code, whatever attempts are left", () => {
    expect(settle({ kind: "rejected", returnCode: "7", detail: "codiRetorn=7" }, 0, false, policy, now, 0.5)).toEqual({
      kind: "dead",
      reason: "codiRetorn=7",
      detail: "codiRetorn=7",
      spent: true,
    });
  });

  for (const outcome of [
    { kind: "unreachable", detail: "ECONNREFUSED" },
    { kind: "misconfigured", detail: "HTTP 404", scope: "endpoint" },
  ] as const) {
    test(`${outcome.kind} spends no attempt, even where others are accepted`, () => {
      const settlement = settle(outcome, 2, true, policy, now, 0.5);
      expect(settlement).toMatchObject({ kind: "retry", spent: false, error: outcome.detail });
    });
  }

  test("unanswered spends no attempt while the endpoint accepts nothing", () => {
    for (const attempts of [0, 1, 2, 50]) {
      expect(settle(unanswered, attempts, false, policy, now, 0.5)).toMatchObject({ kind: "retry", spent: false });
    }
  });

  test("unanswered where others are accepted is DEAD with the last attempt and not before", () => {
    expect(settle(unanswered, 0, true, policy, now, 0.5)).toMatchObject({ kind: "retry", spent: true });
    expect(settle(unanswered, 1, true, policy, now, 0.5)).toMatchObject({ kind: "retry", spent: true });
    expect(settle(unanswered, 2, true, policy, now, 0.5)).toMatchObject({
      kind: "dead",
      reason: "MAX_REINTENTOS_AGOTADOS",
    });
  });

  test("the wait doubles with each spent attempt, is capped at an hour, and jitters by a fifth", () => {
    const wait = (attempts: number, random: number, retryMax = 99): number => {
      const settlement = settle(unanswered, attempts, true, { retryMax, retryBackoffMs: 1000 }, now, random);
      return settlement.kind === "retry" ? settlement.at.getTime() - now.getTime() : Number.NaN;
    };
    expect([0, 1, 2, 3].map((n) => wait(n, 0.5))).toEqual([1000, 2000, 4000, 8000]);
    expect(wait(60, 0.5)).toBe(MAX_BACKOFF_MS);
    expect(wait(0, 0)).toBe(800);
    expect(wait(0, 0.999999)).toBeLessThanOrEqual(1200);
  });
});
