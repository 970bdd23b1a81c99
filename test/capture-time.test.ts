import { describe, expect, test } from "bun:test";
import { captureTime, parseWallClock, parseWallClockText } from "../src/capture-time.ts";

const parts = (year: number, month: number, day: number, hour: number, minute: number, second: number, ms: number) => ({
  year,
  month,
  day,
  hour,
  minute,
  second,
  millisecond: ms,
});

describe("date and time of a camera", () => {
  test.each([
    ["2026-01-23", "09-25-57-123", parts(2026, 1, 23, 9, 25, 57, 123)],
    ["2026-01-23", "09:25:57", parts(2026, 1, 23, 9, 25, 57, 0)],
    ["2026-01-23", "09.25.57.5", parts(2026, 1, 23, 9, 25, 57, 500)],
    ["2026-01-23", "09:25:57,12", parts(2026, 1, 23, 9, 25, 57, 120)],
    ["2026-01-23", "09:25:57.", parts(2026, 1, 23, 9, 25, 57, 0)],
    ["2026-01-23", "10:11:12.999999", parts(2026, 1, 23, 10, 11, 12, 999)],
    ["2026-01-23", "9:5:7", parts(2026, 1, 23, 9, 5, 7, 0)],
    ["2026/01/23", "00-00-00", parts(2026, 1, 23, 0, 0, 0, 0)],
    [" 2024-02-29 ", " 23-59-59-999 ", parts(2024, 2, 29, 23, 59, 59, 999)],
  ])("%s %s is understood", (date, time, expected) => {
    expect(parseWallClock(date, time)).toEqual(expected);
  });

  test.each([
    ["2025-02-29", "00:00:00"],
    ["2026-04-31", "00:00:00"],
    ["2026-13-01", "00:00:00"],
    ["2026-00-10", "00:00:00"],
    ["2026-01-00", "00:00:00"],
    ["1970-01-01", "00:00:00"],
    ["1999-12-31", "23:59:59"],
    ["2100-01-01", "00:00:00"],
    ["2026-01-23", "24:00:00"],
    ["2026-01-23", "23:60:00"],
    ["2026-01-23", "23:59:60"],
    ["2026-01-23", "23:59"],
    ["2026-01-23", "09:25:57.1234567"],
    ["2026-01-23", "09:25:57 PM"],
    ["2026-01-23", "-1:25:57"],
    ["23-01-2026", "09:25:57"],
    ["20260123", "092557"],
    ["", ""],
  ])("%j %j is not a time", (date, time) => {
    expect(parseWallClock(date, time)).toBeNull();
  });

  test.each([
    ["2026/01/23 09:25:57.123", parts(2026, 1, 23, 9, 25, 57, 123)],
    ["2026-01-23T09:25:57", parts(2026, 1, 23, 9, 25, 57, 0)],
    ["2026/01/23", null],
    ["2026/02/30 09:25:57", null],
    ["", null],
  ])("%j in one text", (text, expected) => {
    expect(parseWallClockText(text)).toEqual(expected);
  });
});

describe("capture time", () => {
  const receivedAt = new Date("2026-01-23T20:00:00.000Z");

  test("is the camera's, in the camera's zone", () => {
    expect(captureTime(parseWallClock("2026-01-23", "09-25-57-123"), "Europe/Madrid", receivedAt)).toEqual({
      capturedAt: new Date("2026-01-23T08:25:57.123Z"),
      timeSource: "camera",
    });
  });

  test("says so when the hour happens twice", () => {
    expect(captureTime(parseWallClock("2026-10-25", "02-30-00"), "Europe/Madrid", receivedAt)).toEqual({
      capturedAt: new Date("2026-10-25T00:30:00.000Z"),
      timeSource: "ambiguous",
    });
  });

  test("is the arrival when the camera gives none", () => {
    expect(captureTime(null, "Europe/Madrid", receivedAt)).toEqual({ capturedAt: receivedAt, timeSource: "arrival" });
  });
});
