import type { ParsedSetting } from "./setting-kinds.ts";

/** One value of a registration as an operator writes it, on a command line, in a site file or in a table. */
export interface ValueKind {
  /** For the operator: what is allowed. */
  allowed: string;
  /** Takes text without blanks at its ends. */
  parse(text: string): ParsedSetting<string>;
}

/** A name of 1 to `most` characters without control characters. */
export function name(most: number): ValueKind {
  const allowed = `1 to ${most} characters without line breaks`;
  return {
    allowed,
    parse: (text) => (text === "" || [...text].length > most || /\p{Cc}/u.test(text) ? { allowed } : { value: text }),
  };
}

/** `codiLector`: at most 16 characters. */
export const readerCode: ValueKind = {
  allowed: "1 to 16 characters without blanks, as the police gave it",
  parse: (text) =>
    text === "" || [...text].length > 16 || /[\s\p{Cc}]/u.test(text)
      ? { allowed: readerCode.allowed }
      : { value: text },
};

/** UTM 31N ETRS89 with exactly two decimals; kept as text, since a float would change it. */
export const coordinate: ValueKind = {
  allowed: "UTM 31N metres with exactly two decimals and at most 8 digits before them, as 431234.50",
  parse: (text) => (/^\d{1,8}\.\d{2}$/.test(text) ? { value: text } : { allowed: coordinate.allowed }),
};

/** Where readings go: an address without user or password, which would end up in lists and logs. */
export const endpointUrl: ValueKind = {
  allowed: "https://host[:port]/path without user and password",
  parse: (text) => {
    const url = URL.parse(text);
    const good = url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "";
    return good ? { value: text } : { allowed: endpointUrl.allowed };
  },
};

/** SHA-256 of a certificate, hex with or without colons. */
export const fingerprint: ValueKind = {
  allowed: "64 hex digits, as cert show prints them",
  parse: (text) => {
    const digits = text.replaceAll(":", "").toUpperCase();
    return /^[0-9A-F]{64}$/.test(digits)
      ? { value: digits.replace(/..(?=.)/g, "$&:") }
      : { allowed: fingerprint.allowed };
  },
};

/** True for an http address that is not this machine's own: what is sent there can be read on the way. */
export function isUnprotected(url: string): boolean {
  const parsed = URL.parse(url);
  const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(parsed?.hostname ?? "");
  return parsed?.protocol === "http:" && !loopback;
}
