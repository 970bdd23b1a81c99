import { expect, test } from "bun:test";
import { buildSeries, cameraRates, ratesStart, seriesStart } from "../../src/api/series.ts";

const NOW = new Date("2026-05-11T10:20:30.000Z");
const minutesAgo = (minutes: number): Date => {
  const ms = NOW.getTime() - minutes * 60_000;
  return new Date(ms - (ms % 60_000));
};

test.each([
  ["hour", 60, "2026-05-11T09:21:00.000Z"],
  ["day", 96, "2026-05-10T10:30:00.000Z"],
  ["week", 168, "2026-05-04T11:00:00.000Z"],
] as const)("the %s has %i steps, the last of them going on", (span, steps, start) => {
  expect(seriesStart(span, NOW)).toEqual(new Date(start));
  const points = buildSeries(span, [], NOW);
  expect(points).toHaveLength(steps);
  expect(points[0]?.at).toEqual(new Date(start));
  expect(points.at(-1)?.at.getTime()).toBeLessThanOrEqual(NOW.getTime());
});

test("minutes are summed into their step, and what lies outside is left out", () => {
  const minutes = [
    { at: minutesAgo(0), received: 3, delivered: 1 },
    { at: minutesAgo(14), received: 2, delivered: 2 },
    { at: minutesAgo(26 * 60), received: 9, delivered: 9 },
    { at: new Date(NOW.getTime() + 3_600_000), received: 9, delivered: 9 },
  ];
  const points = buildSeries("day", minutes, NOW);
  expect(points.at(-1)).toMatchObject({ received: 3, delivered: 1 });
  expect(points.at(-2)).toMatchObject({ received: 2, delivered: 2 });
  expect(points.reduce((sum, point) => sum + point.received, 0)).toBe(5);
});

test("a camera's last sixty minutes are compared with the same ones of the days that are known, and its clock with ours", () => {
  const at = (day: number, hour: number): Date => new Date(Date.UTC(2026, 4, day, hour));
  const hours = [
    { at: at(8, 9), cameraSerial: "A", received: 30, leastDelayMs: 5 },
    { at: at(10, 9), cameraSerial: "A", received: 60, leastDelayMs: 5 },
    { at: at(10, 15), cameraSerial: "A", received: 500, leastDelayMs: 5 },
    { at: at(11, 9), cameraSerial: "A", received: 12, leastDelayMs: 700 },
    { at: at(11, 10), cameraSerial: "A", received: 4, leastDelayMs: 900 },
    { at: at(11, 9), cameraSerial: "B", received: 7, leastDelayMs: null },
  ];
  expect(ratesStart(NOW)).toEqual(at(4, 9));
  expect(cameraRates([{ serial: "A" }, { serial: "B" }, { serial: "C" }], hours, NOW)).toEqual([
    // The 9th had none, and counts: three days.
    { serial: "A", thisHour: 4, lastHour: 12, lastSixty: 12, usualSixty: 19.8, clockDelayMs: 700 },
    { serial: "B", thisHour: 0, lastHour: 7, lastSixty: 5, usualSixty: null, clockDelayMs: null },
    { serial: "C", thisHour: 0, lastHour: 0, lastSixty: 0, usualSixty: null, clockDelayMs: null },
  ]);
});

test.each([0, 5, 30, 59])(
  "at %i minutes past the hour a steady camera is as usual, and one that stopped an hour ago is not",
  (minute) => {
    const hour = (back: number): Date => new Date(Date.UTC(2026, 4, 11, 10 - back));
    const now = new Date(hour(0).getTime() + minute * 60_000);
    const past = Array.from({ length: 72 }, (_, back) =>
      ["steady", "stopped"].map((cameraSerial) => {
        const received =
          back > 0 ? (cameraSerial === "stopped" && back === 1 ? minute : 60) : cameraSerial === "stopped" ? 0 : minute;
        return { at: hour(back), cameraSerial, received, leastDelayMs: null };
      }),
    ).flat();
    const [steady, stopped] = cameraRates([{ serial: "steady" }, { serial: "stopped" }], past, now);
    expect(steady).toMatchObject({ lastSixty: 60, usualSixty: 60 });
    expect(stopped?.usualSixty).toBe(60);
    expect(stopped?.lastSixty).toBeLessThanOrEqual(15);
  },
);
