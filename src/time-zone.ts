import type { WallClock } from "./reading.ts";

/** What a wall clock means in a zone. */
export interface ZonedInstant {
  at: Date;
  /** The wall clock showed this twice (clocks went back); `at` is the first time. */
  ambiguous: boolean;
  /** The wall clock never showed this (clocks went forward); `at` is moved forward by the gap. */
  shifted: boolean;
}

const DAY_MS = 86_400_000;
/** Since 1970 every change of every zone falls on a multiple of this, so one offset holds for the whole bucket. */
const BUCKET_MS = 900_000;
/** Offsets remembered per zone: 40 days' worth. Beyond it the cache starts afresh. */
const MAX_OFFSETS = 4096;
/** Zones remembered; there are about 600 names. */
const MAX_ZONES = 1024;

interface Zone {
  format: Intl.DateTimeFormat;
  offsets: Map<number, number>;
}

const zones = new Map<string, Zone>();

/** Whether `name` is an IANA zone (`Europe/Madrid`, `UTC`) that this runtime knows. */
export function isTimeZone(name: string): boolean {
  try {
    zoneOf(name);
    return true;
  } catch {
    return false;
  }
}

/**
 * The instant at which clocks in `zone` show `wall`. An hour that happens twice gives the first; one that does not exist
 * is moved forward by the gap, as a clock that was not put forward would be.
 * @throws RangeError when the zone is unknown: zones are checked where they are configured.
 */
export function instantOf(wall: WallClock, zone: string): ZonedInstant {
  const asUtc = utcOf(wall);
  // A day to either side lies beyond any offset, so these are the offsets before and after a change near this time.
  const before = offsetAt(asUtc - DAY_MS, zone);
  const after = offsetAt(asUtc + DAY_MS, zone);
  const first = asUtc - Math.max(before, after);
  if (before === after) return { at: new Date(first), ambiguous: false, shifted: false };
  const second = asUtc - Math.min(before, after);
  const firstHolds = first + offsetAt(first, zone) === asUtc;
  const secondHolds = second + offsetAt(second, zone) === asUtc;
  if (firstHolds || secondHolds) {
    return { at: new Date(firstHolds ? first : second), ambiguous: firstHolds && secondHolds, shifted: false };
  }
  return { at: new Date(asUtc - before), ambiguous: false, shifted: true };
}

/** What clocks in `zone` show at an instant. @throws RangeError when the zone is unknown. */
export function wallClockAt(at: Date, zone: string): WallClock {
  const shown = new Date(at.getTime() + offsetAt(at.getTime(), zone));
  return {
    year: shown.getUTCFullYear(),
    month: shown.getUTCMonth() + 1,
    day: shown.getUTCDate(),
    hour: shown.getUTCHours(),
    minute: shown.getUTCMinutes(),
    second: shown.getUTCSeconds(),
    millisecond: shown.getUTCMilliseconds(),
  };
}

function utcOf(wall: WallClock): number {
  return Date.UTC(wall.year, wall.month - 1, wall.day, wall.hour, wall.minute, wall.second, wall.millisecond);
}

function zoneOf(name: string): Zone {
  const known = zones.get(name);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: name,
    calendar: "gregory",
    numberingSystem: "latn",
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  if (zones.size >= MAX_ZONES) zones.clear();
  const zone = { format, offsets: new Map<number, number>() };
  zones.set(name, zone);
  return zone;
}

/** Zone time minus UTC in ms. Intl takes about 10 µs for it, hence the cache. */
function offsetAt(utcMs: number, name: string): number {
  const zone = zoneOf(name);
  const bucket = Math.floor(utcMs / BUCKET_MS);
  const cached = zone.offsets.get(bucket);
  if (cached !== undefined) return cached;
  const startMs = bucket * BUCKET_MS;
  const parts: Record<string, number> = {};
  for (const part of zone.format.formatToParts(startMs)) parts[part.type] = Number(part.value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  const offset = Date.UTC(year, month - 1, day, hour, minute, second) - startMs;
  if (zone.offsets.size >= MAX_OFFSETS) zone.offsets.clear();
  zone.offsets.set(bucket, offset);
  return offset;
}
