import { AppError } from "../errors.ts";
import { coordinate, isUnprotected, name, readerCode, type ValueKind } from "../registry-values.ts";

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
