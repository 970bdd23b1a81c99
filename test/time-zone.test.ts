import { describe, expect, test } from "bun:test";
import type { WallClock } from "../src/reading.ts";
import { instantOf, isTimeZone, wallClockAt } from "../src/time-zone.ts";
import { seededRandom } from "./support/random.ts";

function wall(text: string): WallClock {
  const at = new Date(`${text}Z`);
  return wallClockAt(at, "UTC");
}

describe("the instant of a wall clock", () => {
  test.each([
    ["Europe/Madrid", "2026-01-23T09:25:57.123", "2026-01-23T08:25:57.123Z", false, false],
    ["Europe/Madrid", "2026-07-23T09:25:57.123", "2026-07-23T07:25:57.123Z", false, false],
    ["Europe/Madrid", "2026-03-29T01:59:59.999", "2026-03-29T00:59:59.999Z", false, false],
    ["Europe/Madrid", "2026-03-29T02:00:00.000", "2026-03-29T01:00:00.000Z", false, true],
    ["Europe/Madrid", "2026-03-29T02:30:00.000", "2026-03-29T01:30:00.000Z", false, true],
    ["Europe/Madrid", "2026-03-29T03:00:00.000", "2026-03-29T01:00:00.000Z", false, false],
    ["Europe/Madrid", "2026-10-25T01:59:59.999", "2026-10-24T23:59:59.999Z", false, false],
    ["Europe/Madrid", "2026-10-25T02:00:00.000", "2026-10-25T00:00:00.000Z", true, false],
    ["Europe/Madrid", "2026-10-25T02:59:59.999", "2026-10-25T00:59:59.999Z", true, false],
    ["Europe/Madrid", "2026-10-25T03:00:00.000", "2026-10-25T02:00:00.000Z", false, false],
    ["Atlantic/Canary", "2026-10-25T01:30:00.000", "2026-10-25T00:30:00.000Z", true, false],
    ["Atlantic/Canary", "2026-03-29T01:30:00.000", "2026-03-29T01:30:00.000Z", false, true],
    ["Atlantic/Canary", "2026-07-01T12:00:00.000", "2026-07-01T11:00:00.000Z", false, false],
    ["UTC", "2026-03-29T02:30:00.000", "2026-03-29T02:30:00.000Z", false, false],
    ["Asia/Kathmandu", "2026-01-01T00:00:00.000", "2025-12-31T18:15:00.000Z", false, false],
    ["Australia/Lord_Howe", "2026-04-05T01:45:00.000", "2026-04-04T14:45:00.000Z", true, false],
    ["Pacific/Apia", "2011-12-30T12:00:00.000", "2011-12-30T22:00:00.000Z", false, true],
  ])("in %s at %s is %s", (zone, text, instant, ambiguous, shifted) => {
    expect(instantOf(wall(text), zone)).toEqual({ at: new Date(instant), ambiguous, shifted });
  });

  test("comes back as the same wall clock everywhere but in a gap", () => {
    const random = seededRandom("time-zone");
    const zones = ["Europe/Madrid", "Atlantic/Canary", "UTC", "America/St_Johns", "Australia/Lord_Howe"];
    for (let i = 0; i < 4000; i++) {
      const zone = zones[random.below(zones.length)] ?? "UTC";
      const clock = wallClockAt(
        new Date(Date.UTC(2000, 0, 1) + random.below(3_155_000_000) * 1000 + (i % 1000)),
        "UTC",
      );
      const { at, shifted } = instantOf(clock, zone);
      const back = wallClockAt(at, zone);
      if (shifted) expect(back).not.toEqual(clock);
      else expect(back).toEqual(clock);
    }
  });

  test("is the first one of two in the hour that happens twice, minute by minute", () => {
    for (let minute = 0; minute < 60; minute++) {
      const clock = { ...wall("2025-10-26T02:00:00.000"), minute };
      const { at, ambiguous } = instantOf(clock, "Europe/Madrid");
      expect(ambiguous).toBe(true);
      expect(wallClockAt(at, "Europe/Madrid")).toEqual(clock);
      expect(wallClockAt(new Date(at.getTime() + 3_600_000), "Europe/Madrid")).toEqual(clock);
      expect(wallClockAt(new Date(at.getTime() - 3_600_000), "Europe/Madrid")).not.toEqual(clock);
    }
  });
});

test.each([
  ["Europe/Madrid", true],
  ["UTC", true],
  ["Atlantic/Canary", true],
  ["Europe/Barcelona", false],
  ["", false],
  ["Madrid", false],
])("%j is a time zone: %p", (name, expected) => {
  expect(isTimeZone(name)).toBe(expected);
});

test("an unknown zone is thrown at whoever uses it", () => {
  expect(() => instantOf(wall("2026-01-01T00:00:00.000"), "Europe/Barcelona")).toThrow(RangeError);
});
