import type { TimeSource, WallClock } from "./reading.ts";
import { instantOf } from "./time-zone.ts";

const DATE = /^(\d{4})[-/.:](\d{1,2})[-/.:](\d{1,2})$/;
const TIME = /^(\d{1,2})[-:.](\d{1,2})[-:.](\d{1,2})(?:[-:.,](\d{0,6}))?$/;
const DATE_AND_TIME = /^(\S+)[ T]+(\S+)$/;

/**
 * A camera's date and time. Date: year, month, day, between them `-`, `/`, `.` or `:`; time: hour, minute, second and
 * at most six digits of fraction (cut to milliseconds), between them `-`, `:` or `.` (a comma too before the fraction).
 * @returns null for anything else, for a day that no calendar has, and for years outside 2000 to 2099: a camera that lost
 * its clock says 1970, and a reading with the time of its arrival is worth more than one with that.
 */
export function parseWallClock(date: string, time: string): WallClock | null {
  const day = DATE.exec(date.trim());
  const clock = TIME.exec(time.trim());
  if (day === null || clock === null) return null;
  const wall: WallClock = {
    year: Number(day[1]),
    month: Number(day[2]),
    day: Number(day[3]),
    hour: Number(clock[1]),
    minute: Number(clock[2]),
    second: Number(clock[3]),
    millisecond: Number((clock[4] ?? "").padEnd(3, "0").slice(0, 3)),
  };
  return isReal(wall) ? wall : null;
}

/** The same for both in one text with a blank or `T` between: Lector Vision's `YYYY/MM/DD HH:MM:SS.mmm`. */
export function parseWallClockText(text: string): WallClock | null {
  const parts = DATE_AND_TIME.exec(text.trim());
  return parts === null ? null : parseWallClock(parts[1] ?? "", parts[2] ?? "");
}

/** When a reading was taken, and how that is known: without a usable camera time, the time of arrival. */
export function captureTime(
  wall: WallClock | null,
  zone: string,
  receivedAt: Date,
): { capturedAt: Date; timeSource: TimeSource } {
  if (wall === null) return { capturedAt: receivedAt, timeSource: "arrival" };
  const { at, ambiguous } = instantOf(wall, zone);
  return { capturedAt: at, timeSource: ambiguous ? "ambiguous" : "camera" };
}

function isReal(wall: WallClock): boolean {
  if (wall.year < 2000 || wall.year > 2099) return false;
  if (wall.hour > 23 || wall.minute > 59 || wall.second > 59) return false;
  const calendar = new Date(Date.UTC(wall.year, wall.month - 1, wall.day));
  return calendar.getUTCMonth() === wall.month - 1 && calendar.getUTCDate() === wall.day;
}
