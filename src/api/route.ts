import { type Static, type TObject, type TSchema, Type } from "typebox";
import type { ApiToken, TokenRole } from "../store/tokens.ts";

export type Method = "GET" | "POST" | "PUT" | "DELETE";

/** Who asks; null on a public route without credentials. */
export interface Caller {
  token: ApiToken;
  via: "token" | "session";
  /** When the session is over, or the token without one; null: when it is revoked. */
  endsAt: Date | null;
}

/** For what is done to any number of rows: the longest that a silent connection can be kept open. */
export const LONG_SECONDS = 255;

export interface RouteInput<P, Q, B> {
  params: P;
  query: Q;
  body: B;
  /** Of a route that is not public always somebody. */
  caller: Caller | null;
  /** Address of the other side. */
  peer: string;
  request: Request;
  /** The answer may take so long: the connection is kept open meanwhile. */
  wait(seconds: number): void;
}

/** One line of the table: how the server answers and what the OpenAPI document says come from the same. */
export interface Route {
  method: Method;
  /** `/api/v1/messages/{id}`: parts in braces are in `params`. */
  path: string;
  tag: string;
  summary: string;
  access: "public" | TokenRole;
  params: TObject | null;
  query: TObject | null;
  body: TSchema | null;
  maxBodyBytes: number;
  /** A schema for JSON; the type of what else is sent; null: 204 without content. */
  answer: TSchema | { media: string } | null;
  status: number;
  /** What else it may answer with than `answer` and a Failure, by status. */
  otherwise: Readonly<Record<number, TSchema>>;
  handle(input: RouteInput<never, never, never>): Promise<unknown>;
}

const NOTHING = Type.Object({});
type Nothing = typeof NOTHING;

interface Definition<P extends TObject, Q extends TObject, B extends TSchema> {
  method: Method;
  path: string;
  tag: string;
  summary: string;
  access: "public" | TokenRole;
  params?: P;
  query?: Q;
  body?: B;
  maxBodyBytes?: number;
  otherwise?: Readonly<Record<number, TSchema>>;
}

/** Of a body that says nothing else. */
const USUAL_BODY_BYTES = 64 * 1024;

/** A route that answers with JSON of a schema. `handle` gives the value, or an Answer where there is more to say. */
export function defineRoute<
  A extends TSchema,
  P extends TObject = Nothing,
  Q extends TObject = Nothing,
  B extends TSchema = Nothing,
>(
  definition: Definition<P, Q, B> & {
    answer: A;
    status?: number;
    handle(input: RouteInput<Static<P>, Static<Q>, Static<B>>): Promise<Static<A> | WithHeaders<Static<A>> | Response>;
  },
): Route {
  return complete(definition, definition.answer, definition.status ?? 200);
}

/** A route that answers 204; of what `handle` gives only the headers of WithHeaders count. */
export function defineSilentRoute<
  P extends TObject = Nothing,
  Q extends TObject = Nothing,
  B extends TSchema = Nothing,
>(
  definition: Definition<P, Q, B> & {
    handle(input: RouteInput<Static<P>, Static<Q>, Static<B>>): Promise<unknown>;
  },
): Route {
  return complete(definition, null, 204);
}

/** A route that answers with something else than JSON. */
export function defineMediaRoute<P extends TObject = Nothing, Q extends TObject = Nothing>(
  definition: Definition<P, Q, Nothing> & {
    media: string;
    status?: number;
    handle(input: RouteInput<Static<P>, Static<Q>, Static<Nothing>>): Promise<Response>;
  },
): Route {
  return complete(definition, { media: definition.media }, definition.status ?? 200);
}

/** A value together with headers of its answer. */
export class WithHeaders<T> {
  readonly value: T;
  readonly headers: Readonly<Record<string, string>>;
  constructor(value: T, headers: Readonly<Record<string, string>>) {
    this.value = value;
    this.headers = headers;
  }
}

function complete<P extends TObject, Q extends TObject, B extends TSchema>(
  definition: Definition<P, Q, B> & { handle(input: never): Promise<unknown> },
  answer: Route["answer"],
  status: number,
): Route {
  const { method, path, tag, summary, access, params, query, body, maxBodyBytes, otherwise, handle } = definition;
  return {
    method,
    path,
    tag,
    summary,
    access,
    params: params ?? null,
    query: query ?? null,
    body: body ?? null,
    maxBodyBytes: maxBodyBytes ?? USUAL_BODY_BYTES,
    answer,
    status,
    otherwise: otherwise ?? {},
    handle,
  };
}
