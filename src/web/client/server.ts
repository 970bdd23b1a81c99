/** Why the server did not do what was asked, in its words. */
export class ServerFailure extends Error {
  /** 0: it was not reached. */
  readonly status: number;
  readonly hint: string | null;

  constructor(status: number, text: string, hint: string | null) {
    super(text);
    this.status = status;
    this.hint = hint;
  }
}

/** For what is only looked at. */
const LOOK_MS = 30_000;
/** What is done to a whole town may take as long as the server keeps its silent connection open (255 s). */
const DEED_MS = 260_000;

/** Asks the server. @throws ServerFailure */
export async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers: { "x-tattile-request": "1", ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(method === "GET" ? LOOK_MS : DEED_MS),
    });
  } catch (error) {
    throw new ServerFailure(0, error instanceof Error ? error.message : String(error), null);
  }
  if (response.status === 204) return undefined as T;
  const value = await response.json().catch(() => null);
  if (response.ok) return value as T;
  const failure = (value ?? {}) as { error?: string; hint?: string };
  if (response.status === 401 && path !== "/api/v1/session") dispatchEvent(new Event("tattile-logged-out"));
  throw new ServerFailure(response.status, failure.error ?? response.statusText, failure.hint ?? null);
}
