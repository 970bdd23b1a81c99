import { AppError, type ErrorCode } from "../errors.ts";

/** Why a request is not answered as asked, beyond what an AppError can say: the caller sees status, code, text and hint. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    text: string,
    options: { hint?: string; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(text);
    this.status = status;
    this.code = code;
    this.hint = options.hint;
    this.headers = options.headers ?? {};
  }
}

const STATUS: Readonly<Record<ErrorCode, number>> = {
  usage: 400,
  invalid: 400,
  config: 500,
  "not-found": 404,
  conflict: 409,
  unavailable: 503,
  "store-unreachable": 503,
  internal: 500,
};

/** Anything thrown, as it goes to the caller. What was not thrown on purpose keeps its text to itself. */
export function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (!(error instanceof AppError) || error.code === "internal") {
    return new Refusal(500, "internal", "something unexpected went wrong", {
      hint: "Look at the log of the service: it says more.",
    });
  }
  const options = error.hint === undefined ? {} : { hint: error.hint };
  return new Refusal(STATUS[error.code], error.code, error.message, options);
}

/** A value of a request that is not allowed. */
export function invalid(text: string, hint?: string): Refusal {
  return new Refusal(400, "invalid", text, hint === undefined ? {} : { hint });
}

/** What a request names. @throws Refusal 404 when it is not there */
export function mustFind<T>(found: T | null | undefined, name: string, hint?: string): T {
  if (found !== null && found !== undefined) return found;
  throw new Refusal(404, "not-found", `unknown ${name}`, hint === undefined ? {} : { hint });
}

/** What was saved a moment ago. @throws Refusal 409 when somebody else has removed it since */
export function mustRemain<T>(found: T | null | undefined): T {
  if (found !== null && found !== undefined) return found;
  throw new Refusal(409, "conflict", "somebody removed it at the same moment");
}
