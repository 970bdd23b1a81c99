import type { CameraHour, MinuteCount } from "../store/activity.ts";
import type { Camera } from "../store/registry.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const DAYS_COMPARED = 7;
const DAYS = Array.from({ length: DAYS_COMPARED }, (_, index) => index + 1);

/** What can be looked at: so much, in steps so long. */
export const SPANS = {
  hour: { lengthMs: HOUR_MS, stepMs: MINUTE_MS },
  day: { lengthMs: DAY_MS, stepMs: 15 * MINUTE_MS },
  week: { lengthMs: 7 * DAY_MS, stepMs: HOUR_MS },
} as const;
export type Span = keyof typeof SPANS;

export interface SeriesPoint {
  at: Date;
  received: number;
  delivered: number;
}

/** The first instant of a span that ends with the step that `now` is in. */
export function seriesStart(span: Span, now: Date): Date {
  const { lengthMs, stepMs } = SPANS[span];
  return new Date(floorTo(now.getTime(), stepMs) + stepMs - lengthMs);
}

/** Minutes summed into steps; every step is there, also an empty one. The last one is still going on. */
export function buildSeries(span: Span, minutes: readonly MinuteCount[], now: Date): readonly SeriesPoint[] {
  const { lengthMs, stepMs } = SPANS[span];
  const start = seriesStart(span, now).getTime();
  const points = Array.from({ length: lengthMs / stepMs }, (_, index) => ({
    at: new Date(start + index * stepMs),
    received: 0,
    delivered: 0,
  }));
  for (const { at, received, delivered } of minutes) {
    const point = points[Math.floor((at.getTime() - start) / stepMs)];
    if (point === undefined) continue;
    point.received += received;
    point.delivered += delivered;
  }
  return points;
}

export interface CameraRate {
  serial: string;
  /** Readings in the hour that is going on, and in the whole hour before it. */
  thisHour: number;
  lastHour: number;
  /**
   * About how many in the last sixty minutes: this hour so far, and of the hour before the part that falls into them. A few
   * minutes past the hour neither of the two alone says anything.
   */
  lastSixty: number;
  /** The same part of the same two hours on average of up to seven days; null: no such day is known yet. */
  usualSixty: number | null;
  /**
   * The shortest time from taking to receipt in these two hours: what the camera's clock is behind ours, less than 0 when it
   * is ahead. Null: not known.
   */
  clockDelayMs: number | null;
}

/** From where on the hours are needed that `cameraRates` looks at. */
export function ratesStart(now: Date): Date {
  return new Date(floorTo(now.getTime(), HOUR_MS) - HOUR_MS - DAYS_COMPARED * DAY_MS);
}

/** What each camera sends against what it usually sends at this time of day. A day counts from the camera's first known hour on. */
export function cameraRates(
  cameras: readonly Pick<Camera, "serial">[],
  hours: readonly CameraHour[],
  now: Date,
): readonly CameraRate[] {
  const thisHourMs = floorTo(now.getTime(), HOUR_MS);
  const lastHourMs = thisHourMs - HOUR_MS;
  const elapsed = (now.getTime() - thisHourMs) / HOUR_MS;
  const bySerial = new Map<string, Map<number, number>>();
  const delays = new Map<string, number>();
  for (const { cameraSerial, at, received, leastDelayMs } of hours) {
    if (leastDelayMs !== null && at.getTime() >= lastHourMs) {
      delays.set(cameraSerial, Math.min(delays.get(cameraSerial) ?? leastDelayMs, leastDelayMs));
    }
    const own = bySerial.get(cameraSerial) ?? new Map<number, number>();
    own.set(at.getTime(), received);
    bySerial.set(cameraSerial, own);
  }
  return cameras.map(({ serial }) => {
    const own = bySerial.get(serial) ?? new Map<number, number>();
    const first = Math.min(...own.keys());
    const sixtyBefore = (backMs: number): number =>
      (own.get(thisHourMs - backMs) ?? 0) * elapsed + (own.get(lastHourMs - backMs) ?? 0) * (1 - elapsed);
    const compared = DAYS.map((day) => day * DAY_MS).filter((backMs) => lastHourMs - backMs >= first);
    // Of today this hour has only what came so far: that counts whole.
    const thisHour = own.get(thisHourMs) ?? 0;
    const lastHour = own.get(lastHourMs) ?? 0;
    return {
      serial,
      thisHour,
      lastHour,
      lastSixty: Math.round(thisHour + lastHour * (1 - elapsed)),
      usualSixty: compared.length === 0 ? null : roundTenth(sum(compared.map(sixtyBefore)) / compared.length),
      clockDelayMs: delays.get(serial) ?? null,
    };
  });
}

function floorTo(ms: number, stepMs: number): number {
  return ms - (ms % stepMs);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function roundTenth(value: number): number {
  return Math.round(value * 10) / 10;
}
