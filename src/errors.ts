/**
 * What kind of trouble it is; the exit code and the HTTP status follow from it. `store-unreachable`: the store is away for
 * now, nothing is known to have been written, and whoever asked tries again; never thrown for what a retry cannot cure.
 */
export type ErrorCode =
  | "usage"
  | "config"
  | "not-found"
  | "conflict"
  | "invalid"
  | "unavailable"
  | "store-unreachable"
  | "internal";

/**
 * The one error that is thrown on purpose. Text: `doing what: what was wrong (value, where)`, lower case.
 * Never put a plate, a password or image bytes in it.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  /** One imperative sentence for the operator: what to try. */
  readonly hint: string | undefined;

  constructor(code: ErrorCode, text: string, options: { hint?: string; cause?: unknown } = {}) {
    super(text, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "AppError";
    this.code = code;
    this.hint = options.hint;
  }
}

/** The message of anything thrown, with the messages of its causes behind it. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${errorText(error.cause)}`;
}

/** The `code` of a system or library error (`ECONNREFUSED`, `ENOSPC`, …), also of its first cause that has one. */
export function systemCode(error: unknown): string | undefined {
  for (let e: unknown = error; e instanceof Error; e = e.cause) {
    if (!(e instanceof AppError) && "code" in e && typeof e.code === "string") return e.code;
  }
  return undefined;
}

/** The store is away for now: nothing is wrong with what was asked of it, and it is asked again. */
export function isStoreAway(error: unknown): boolean {
  return error instanceof AppError && error.code === "store-unreachable";
}
