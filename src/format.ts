import type { TimeSource } from "./reading.ts";

/** `12•••CD`: enough to tell one reading from another on a screen, too little to know whose it is. */
export function maskPlate(plate: string): string {
  const characters = [...plate];
  return characters.length < 6 ? "•••" : `${characters.slice(0, 2).join("")}•••${characters.slice(-2).join("")}`;
}

/** `45 s`, `12 min`, `3 h`, `5 d`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 2 * 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 2 * 86_400) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** `3 min ago`, `never`. */
export function formatAge(at: Date | null, now: Date): string {
  return at === null ? "never" : `${formatDuration(now.getTime() - at.getTime())} ago`;
}

/** `2026-01-23 10:11:12` as a clock in `zone` shows it. */
export function formatInstant(at: Date | null, zone: string): string {
  if (at === null) return "-";
  return at.toLocaleString("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
}

/** When a reading was taken. The digits of the replaced system's readings are the camera's own, in no zone. */
export function formatCaptured(message: { capturedAt: Date; timeSource: TimeSource }, zone: string): string {
  return formatInstant(message.capturedAt, message.timeSource === "wall-clock" ? "UTC" : zone);
}

/**
 * The same as data: of the replaced system's readings no instant is known, but only what the camera's clock showed, in no zone;
 * the police get these digits.
 */
export function captured({ capturedAt, timeSource }: { capturedAt: Date; timeSource: TimeSource }): {
  capturedAt: Date | null;
  capturedWallClock: string | null;
} {
  if (timeSource !== "wall-clock") return { capturedAt, capturedWallClock: null };
  return { capturedAt: null, capturedWallClock: capturedAt.toISOString().slice(0, 19) };
}

export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** `1 reading`, `3 readings`. */
export function countOf(count: number, noun: string, plural = `${noun}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? noun : plural}`;
}

/** Whole days from `now` to `end`; negative when it is over. */
export function daysUntil(end: Date, now: Date): number {
  return Math.floor((end.getTime() - now.getTime()) / 86_400_000);
}

/** `2026-01-23`, in UTC. */
export function formatDay(at: Date): string {
  return at.toISOString().slice(0, 10);
}

/** Longer than this and only the beginning and the last are named. */
const MOST_ID_CHARACTERS = 600;

/** `1-3, 7`, in the order of the numbers; of very many scattered ones the first and the last, and how many: for the audit log. */
export function nameIds(ids: readonly number[]): string {
  if (ids.length === 0) return "(none)";
  const runs: [first: number, last: number][] = [];
  for (const id of ids.toSorted((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run !== undefined && id === run[1] + 1) run[1] = id;
    else runs.push([id, id]);
  }
  const names = runs.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`));
  const text = names.join(", ");
  if (text.length <= MOST_ID_CHARACTERS) return text;
  const fitting = text.slice(0, MOST_ID_CHARACTERS).replace(/, [^,]*$/, "");
  return `${fitting} ... ${runs.at(-1)?.[1]} (${ids.length} in all)`;
}
