import { isIP } from "node:net";
import { isAbsolute, resolve } from "node:path";
import { type DatabaseAddress, parseDatabaseAddress, SSL_MODES, type SslMode } from "./database-address.ts";
import { LANGUAGES, type Language, languageOf } from "./i18n/language.ts";
import { LOG_LEVELS, type LogLevel } from "./log.ts";

/** A value that was understood, or in words what would be. */
export type ParsedSetting<T> = { value: T } | { allowed: string };

/** What the text of one setting may be, and how it is read. */
export interface SettingKind<T> {
  /** For the operator: what is allowed, with unit and range. */
  allowed: string;
  /** Takes text without blanks at its ends, never empty. `folder`: what a relative path counts from. */
  parse(text: string, folder: string): ParsedSetting<T>;
  /** The text that parses to `value`; for the documents. */
  show(value: T): string;
  /** Its text may hold a password: no error quotes it. */
  secret?: true;
}

export const KIB = 1024;
export const MIB = 1024 * KIB;
export const GIB = 1024 * MIB;
const UNITS: readonly (readonly [string, number])[] = [
  ["GiB", GIB],
  ["MiB", MIB],
  ["KiB", KIB],
];

/** A whole number of `unit`, turned into `unit * factor` (seconds into ms). */
export function whole(min: number, max: number, unit = "", factor = 1): SettingKind<number> {
  const allowed = `a whole number${unit === "" ? "" : ` of ${unit}`} from ${min} to ${max}`;
  return {
    allowed,
    parse: (text) => {
      const value = Number(text);
      return /^\d+$/.test(text) && value >= min && value <= max ? { value: value * factor } : { allowed };
    },
    show: (value) => String(value / factor),
  };
}

/** A TCP port; null: none. */
export const port: SettingKind<number | null> = {
  ...whole(0, 65_535),
  show: (value) => String(value ?? ""),
};

/** Seconds, fractions allowed, turned into whole milliseconds. */
export function seconds(min: number, max: number): SettingKind<number> {
  const allowed = `a number of seconds from ${min} to ${max}, such as 30 or 2.5`;
  return {
    allowed,
    parse: (text) => {
      const value = Number(text);
      const good = /^\d+(\.\d{1,3})?$/.test(text) && value >= min && value <= max;
      return good ? { value: Math.round(value * 1000) } : { allowed };
    },
    show: (value) => String(value / 1000),
  };
}

/** A size in bytes, plain or with KiB, MiB or GiB behind it (K, M and G mean the same: powers of 1024). */
export function size(min: number, max: number): SettingKind<number> {
  const allowed = `a size from ${showSize(min)} to ${showSize(max)}, in bytes or with KiB, MiB or GiB, such as 8MiB`;
  return {
    allowed,
    parse: (text) => {
      const match = /^(\d+(?:\.\d+)?)\s*(?:([kmg])(?:ib)?|b)?$/i.exec(text);
      const unit = match?.[2]?.toUpperCase();
      const factor = UNITS.find(([name]) => name.startsWith(unit ?? "-"))?.[1] ?? 1;
      const value = Number(match?.[1] ?? Number.NaN) * factor;
      return Number.isInteger(value) && value >= min && value <= max ? { value } : { allowed };
    },
    show: showSize,
  };
}

function showSize(bytes: number): string {
  const unit = UNITS.find(([, factor]) => bytes !== 0 && bytes % factor === 0);
  return unit === undefined ? String(bytes) : `${bytes / unit[1]}${unit[0]}`;
}

const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  "1": true,
  false: false,
  no: false,
  off: false,
  "0": false,
};

export const flag: SettingKind<boolean> = {
  allowed: "true or false (also yes/no, on/off, 1/0)",
  parse: (text) => {
    const value = BOOLEANS[text.toLowerCase()];
    return value === undefined ? { allowed: flag.allowed } : { value };
  },
  show: String,
};

/** Words that the replaced system used for the same levels. */
const LEVEL_WORDS: Readonly<Record<string, LogLevel>> = { warning: "warn", critical: "error", fatal: "error" };

export const level: SettingKind<LogLevel> = {
  allowed: `one of ${LOG_LEVELS.join(", ")}`,
  parse: (text) => {
    const word = text.toLowerCase();
    const value = LEVEL_WORDS[word] ?? LOG_LEVELS.find((name) => name === word);
    return value === undefined ? { allowed: level.allowed } : { value };
  },
  show: String,
};

/** A language of the menu, also as a locale names it; null: the system's. */
export const language: SettingKind<Language | null> = {
  allowed: `one of ${LANGUAGES.join(", ")}`,
  parse: (text) => {
    const value = languageOf(text);
    return value === null ? { allowed: language.allowed } : { value };
  },
  show: (value) => value ?? "",
};

/** A folder; null: the default, which depends on DATA_DIR. */
export const folder: SettingKind<string | null> = {
  allowed: "the path of a folder",
  parse: (text, from) =>
    text.includes("\0")
      ? { allowed: folder.allowed }
      : { value: isAbsolute(text) ? resolve(text) : resolve(from, text) },
  show: (value) => value ?? "",
};

export const databaseAddress: SettingKind<DatabaseAddress | null> = {
  allowed: `postgresql://user:password@host:port/database, with ?sslmode=${SSL_MODES.join("|")} and sslrootcert= behind it; host=/folder for a unix socket`,
  parse: (text) => {
    const value = parseDatabaseAddress(text);
    return value === null ? { allowed: databaseAddress.allowed } : { value };
  },
  show: () => "",
  secret: true,
};

export const sslMode: SettingKind<SslMode | null> = {
  allowed: `one of ${SSL_MODES.join(", ")}`,
  parse: (text) => {
    const value = SSL_MODES.find((mode) => mode === text.toLowerCase());
    return value === undefined ? { allowed: sslMode.allowed } : { value };
  },
  show: (value) => value ?? "",
};

/** An address to listen on. Names are refused but for localhost: a listener must not hang on a name server. */
export const listenAddress: SettingKind<string> = {
  allowed: "an IPv4 or IPv6 address of this machine, or localhost",
  parse: (text) => {
    const bare = text.replace(/^\[(.*)\]$/, "$1");
    if (text.toLowerCase() === "localhost") return { value: "127.0.0.1" };
    return isIP(bare) === 0 ? { allowed: listenAddress.allowed } : { value: bare };
  },
  show: String,
};

/** An IANA zone that this binary's own tables know. */
export const zone: SettingKind<string> = {
  allowed: "the name of a time zone, such as Europe/Madrid or UTC",
  parse: (text) => {
    try {
      // Offsets such as +01:00 are known to Intl too, but have no summer time: the wrong hour for half the year.
      if (/^[+-]/.test(text)) return { allowed: zone.allowed };
      return { value: new Intl.DateTimeFormat("en", { timeZone: text }).resolvedOptions().timeZone };
    } catch {
      return { allowed: zone.allowed };
    }
  },
  show: String,
};

const WEB_ADDRESS = "an address that begins with https:// or http://, without user name and password";

export const webAddress: SettingKind<string | null> = {
  allowed: WEB_ADDRESS,
  parse: (text) => (isWebAddress(text) ? { value: text } : { allowed: WEB_ADDRESS }),
  show: (value) => value ?? "",
};

/** Where a document can be read: an address, or a file of this machine. */
export const webAddressOrFile: SettingKind<string | null> = {
  allowed: `${WEB_ADDRESS}, or the path of a file`,
  parse: (text, from) => {
    if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return { value: resolve(from, text) };
    return isWebAddress(text) ? { value: text } : { allowed: webAddressOrFile.allowed };
  },
  show: (value) => value ?? "",
};

/** A bucket of an object store and where in it; `prefix` is empty or ends in a slash. */
export const bucketAddress: SettingKind<{ bucket: string; prefix: string } | null> = {
  allowed: "s3:// with the name of a bucket and where in it, such as s3://tattile/girona",
  parse: (text) => {
    const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:\/[A-Za-z0-9._-]+)*)\/*$/.exec(text);
    const [, bucket, path = ""] = match ?? [];
    if (bucket === undefined || path.split("/").some((part) => part === "." || part === "..")) {
      return { allowed: bucketAddress.allowed };
    }
    return { value: { bucket, prefix: path === "" ? "" : `${path.slice(1)}/` } };
  },
  show: (value) => (value === null ? "" : `s3://${value.bucket}/${value.prefix}`),
};

/** The path of a file; null: none. */
export const filePath: SettingKind<string | null> = { ...folder, allowed: "the path of a file" };

/** A key or password: any text, never shown. */
export const secret: SettingKind<string | null> = {
  allowed: "any text",
  parse: (text) => ({ value: text }),
  show: () => "",
  secret: true,
};

function isWebAddress(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "";
}

/**
 * Return codes that mean "taken". `0` is refused: at the police it says "service not operational", and a reading taken
 * for delivered on it would be erased.
 */
export const returnCodes: SettingKind<readonly string[]> = {
  allowed: "return codes separated by commas, such as 1,0000,OK,1.0, and never 0, which says that the service is down",
  parse: (text) => {
    const codes = splitList(text);
    const good = codes.length > 0 && codes.every((code) => /^[\w.-]{1,32}$/.test(code) && code !== "0");
    return good ? { value: codes } : { allowed: returnCodes.allowed };
  },
  show: (value) => value.join(","),
};

/** Names of XML tags. */
export const tagNames: SettingKind<readonly string[]> = {
  allowed: "names of XML tags separated by commas, such as BRAND,VEHICLE_BRAND (at most 16)",
  parse: (text) => {
    const names = splitList(text);
    const good = names.length > 0 && names.length <= 16 && names.every((name) => /^[A-Za-z_][\w.-]{0,79}$/.test(name));
    return good ? { value: names } : { allowed: tagNames.allowed };
  },
  show: (value) => value.join(","),
};

/** Addresses and CIDRs of the cameras. */
export const networks: SettingKind<readonly string[]> = {
  allowed: "addresses or networks separated by commas, such as 10.0.3.7,192.168.20.0/24",
  parse: (text) => {
    const list = splitList(text);
    return list.length > 0 && list.every(isNetwork) ? { value: list } : { allowed: networks.allowed };
  },
  show: (value) => value.join(","),
};

function isNetwork(text: string): boolean {
  const [address = "", prefix, rest] = text.split("/");
  const version = isIP(address);
  if (version === 0 || rest !== undefined) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128));
}

/** A time server, with its port where that is not 123; null: none. */
export const timeServer: SettingKind<string | null> = {
  allowed: "a host name or address, with :port behind it where that is not 123, or none",
  parse: (text) => {
    if (text.toLowerCase() === "none") return { value: null };
    return /^(\[[0-9a-f:]+\]|[\w.-]+)(:\d{1,5})?$/i.test(text) ? { value: text } : { allowed: timeServer.allowed };
  },
  show: (value) => value ?? "none",
};

export const word: SettingKind<string> = {
  allowed: "any text",
  parse: (text) => ({ value: text }),
  show: String,
};

function splitList(text: string): string[] {
  return text.split(/[\s,]+/).filter((part) => part !== "");
}
