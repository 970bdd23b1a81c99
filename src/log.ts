/** Severity names as operators write them in LOG_LEVEL. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** WARN: nothing was lost. ERROR: data was lost, or the operator is needed. Text constant, what varies in fields. */
export interface Log {
  debug(text: string, fields?: LogFields): void;
  info(text: string, fields?: LogFields): void;
  warn(text: string, fields?: LogFields): void;
  error(text: string, fields?: LogFields): void;
}

/** journald's priorities (sd-daemon(3)): the prefix `<N>` sets the priority of one line. */
const PRIORITY: Record<LogLevel, number> = { debug: 7, info: 6, warn: 4, error: 3 };
/** One source of trouble must not fill the disk: lines of the same text beyond this many a minute are only counted. */
const LINES_PER_MINUTE = 60;

export interface LogOptions {
  level: LogLevel;
  /** True when journald reads the output: priorities instead of times. */
  journal: boolean;
  write(line: string): void;
  now(): Date;
}

/** `key=value` lines, values quoted where they hold blanks; errors are given as text by the caller. */
export function createLog(options: LogOptions): Log {
  const least = LOG_LEVELS.indexOf(options.level);
  const seen = new Map<string, { minute: number; count: number }>();
  const emit = (level: LogLevel, text: string, fields: LogFields | undefined): void => {
    if (LOG_LEVELS.indexOf(level) < least) return;
    const minute = Math.floor(options.now().getTime() / 60_000);
    const entry = seen.get(text);
    let suppressed = 0;
    if (entry?.minute === minute) {
      entry.count += 1;
      if (entry.count > LINES_PER_MINUTE) return;
    } else {
      suppressed = Math.max(0, (entry?.count ?? 0) - LINES_PER_MINUTE);
      seen.set(text, { minute, count: 1 });
    }
    const prefix = options.journal
      ? `<${PRIORITY[level]}>`
      : `${options.now().toISOString()} ${level.toUpperCase().padEnd(5)} `;
    const all = suppressed > 0 ? { ...fields, suppressedBefore: suppressed } : fields;
    options.write(`${prefix}${text}${all === undefined ? "" : formatFields(all)}\n`);
  };
  return {
    debug: (text, fields) => emit("debug", text, fields),
    info: (text, fields) => emit("info", text, fields),
    warn: (text, fields) => emit("warn", text, fields),
    error: (text, fields) => emit("error", text, fields),
  };
}

function formatFields(fields: LogFields): string {
  let out = "";
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const text = String(value);
    out += ` ${key}=${/^[\w.:/@+-]+$/.test(text) ? text : JSON.stringify(text)}`;
  }
  return out;
}

/** A log that says nothing; for tests and for commands that only print their result. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
