import { AppError } from "../errors.ts";
import { coordinate, isUnprotected, name, readerCode, type ValueKind } from "../registry-values.ts";
import { instantOf } from "../time-zone.ts";

/** Checks of what an operator types; every one names the flag, the value and what is allowed. */

function refuse(flag: string, value: string, allowed: string): AppError {
  return new AppError("usage", `${flag} is ${JSON.stringify(value)}, allowed is ${allowed}`);
}

export function parseWhole(flag: string, value: string, least: number, most: number): number {
  const number = /^\d{1,15}$/.test(value.trim()) ? Number(value) : Number.NaN;
  if (Number.isNaN(number) || number < least || number > most) {
    throw refuse(flag, value, `a whole number from ${least} to ${most}`);
  }
  return number;
}

function parseKind(flag: string, value: string, kind: ValueKind): string {
  const parsed = kind.parse(value.trim());
  if ("value" in parsed) return parsed.value;
  throw refuse(flag, value, parsed.allowed);
}

/** A name of 1 to `most` characters without control characters. */
export function parseName(flag: string, value: string, most: number): string {
  return parseKind(flag, value, name(most));
}

/** `codiLector`: at most 16 characters, as the police gave it. */
export function parseReaderCode(value: string): string {
  return parseKind("--reader", value, readerCode);
}

/** UTM 31N ETRS89 with exactly two decimals; kept as text, since a float would change it. */
export function parseCoordinate(flag: string, value: string): string {
  return parseKind(flag, value, coordinate);
}

/** An IANA zone this machine knows. */
export function parseTimezone(value: string): string {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: value.trim() }).resolvedOptions().timeZone;
  } catch {
    throw refuse("--timezone", value, "a zone name such as Europe/Madrid or UTC");
  }
}

/** @returns the address, and whether what is sent to it can be read on the way. */
export function parseEndpointUrl(value: string): { url: string; unprotected: boolean } {
  const url = URL.canParse(value.trim()) ? new URL(value.trim()) : null;
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw refuse("URL", value, "https://host[:port]/path");
  }
  if (url.username !== "" || url.password !== "") {
    throw new AppError("usage", "URL holds a user or password, allowed is https://host[:port]/path");
  }
  return { url: value.trim(), unprotected: isUnprotected(value.trim()) };
}

/** Message and quarantine ids: `12`, `#12`, `12,13`. */
export function parseIds(words: readonly string[]): readonly number[] {
  return words
    .flatMap((word) => word.split(","))
    .filter((word) => word !== "")
    .map((word) => parseWhole("ID", word.replace(/^#/, ""), 1, Number.MAX_SAFE_INTEGER));
}

/** An id at which a list goes on; it need not be there any more. */
export function parseAfter(value: string | undefined, flag = "--after"): number | undefined {
  return value === undefined ? undefined : parseWhole(flag, value.trim().replace(/^#/, ""), 1, Number.MAX_SAFE_INTEGER);
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 };

/** An instant an operator means: so long ago (`45min`, `12h`, `7d`), or a day or minute as a clock in `zone` shows it. */
export function parseSince(value: string, now: Date, zone: string): Date {
  const text = value.trim();
  const ago = /^(\d{1,6}) ?(s|min|h|d)$/.exec(text);
  // Nothing of ours is older than 1970, and a store may not take years before Christ.
  if (ago !== null) return new Date(Math.max(0, now.getTime() - Number(ago[1]) * (UNIT_MS[ago[2] ?? ""] ?? 0)));
  const wall = /^(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(text);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] =
    wall?.slice(1).map((n) => Number(n ?? 0)) ?? [];
  const date = new Date(Date.UTC(year, month - 1, day));
  if (wall === null || date.getUTCMonth() !== month - 1 || hour > 23 || minute > 59 || second > 59) {
    throw refuse("--since", value, 'so long ago as 45min, 12h or 7d, or a time as 2026-01-23 or "2026-01-23 10:30"');
  }
  return instantOf({ year, month, day, hour, minute, second, millisecond: 0 }, zone).at;
}
