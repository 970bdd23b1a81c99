import { AppError, errorText } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Access } from "./access.ts";
import { readBody } from "./body.ts";
import { checkPart } from "./check.ts";
import type { Answer, Asked } from "./listener.ts";
import { Refusal, toRefusal } from "./refusal.ts";
import { type Route, WithHeaders } from "./route.ts";

const BODY_TIMEOUT_MS = 30_000;

export interface DispatchDeps {
  routes: readonly Route[];
  access: Access;
  log: Log;
}

/** Answers one request by the table: who asks, what it says, what comes of it. Never rejects. */
export function createDispatch(deps: DispatchDeps): Answer {
  const { access, log } = deps;
  const table = deps.routes.map((route) => ({ route, parts: route.path.split("/") }));

  async function answer({ request, url, peer, wait }: Asked): Promise<Response> {
    const { pathname, searchParams } = url;
    const method = request.method === "HEAD" ? "GET" : request.method;
    const found = table.flatMap(({ route, parts }) => {
      const params = matchPath(parts, pathname);
      return params === null ? [] : [{ route, params }];
    });
    const match = found.find(({ route }) => route.method === method);
    if (match === undefined) {
      if (found.length === 0) throw new Refusal(404, "not-found", "not found");
      const allow = found.map(({ route }) => route.method).join(", ");
      throw new Refusal(405, "method", `${request.method} is not possible here, but ${allow}`, { headers: { allow } });
    }
    const { route, params } = match;
    const caller = route.access === "public" ? null : await access.identify(request, peer);
    if (route.access !== "public") access.require(caller, route.access);
    // Sound: what the schema of the route let through is what its handler was written for.
    const value = await route.handle({
      params: (route.params === null ? {} : checkPart("path", route.params, params)) as never,
      query: readQuery(route, searchParams) as never,
      body: (await readJson(route, request)) as never,
      caller,
      peer,
      request,
      wait,
    });
    return toResponse(route, value);
  }

  return async (asked) => {
    try {
      return await answer(asked);
    } catch (error) {
      const refusal = toRefusal(error);
      if (refusal.status >= 500) {
        const path = routePath(table, asked.url.pathname);
        const known = error instanceof AppError || error instanceof Refusal;
        log[known ? "warn" : "error"]("a request could not be answered", {
          method: asked.request.method,
          path,
          error: errorText(error),
        });
      }
      const { status, code, hint, headers } = refusal;
      return Response.json(
        { code, error: refusal.message, ...(hint === undefined ? {} : { hint }) },
        { status, headers: { ...headers } },
      );
    }
  };
}

/** The path as the table has it: what a caller wrote there goes into no log. */
function routePath(table: readonly { route: Route; parts: readonly string[] }[], pathname: string): string {
  return table.find(({ parts }) => matchPath(parts, pathname) !== null)?.route.path ?? "(unknown)";
}

/** The values of the parts in braces, or null when the path is another. */
function matchPath(parts: readonly string[], pathname: string): Record<string, string> | null {
  const given = pathname.split("/");
  if (given.length !== parts.length) return null;
  const params: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const text = given[index] ?? "";
    if (!part.startsWith("{")) {
      if (part !== text) return null;
      continue;
    }
    if (text === "") return null;
    try {
      params[part.slice(1, -1)] = decodeURIComponent(text);
    } catch {
      return null;
    }
  }
  return params;
}

function readQuery(route: Route, search: URLSearchParams): object {
  if (route.query === null) return {};
  const query: Record<string, string> = {};
  for (const [name, value] of search) {
    if (query[name] !== undefined) throw new Refusal(400, "invalid", `query.${name} is given twice`);
    query[name] = value;
  }
  return checkPart("query", route.query, query) as object;
}

async function readJson(route: Route, request: Request): Promise<unknown> {
  if (route.body === null) return {};
  const type = request.headers.get("content-type") ?? "";
  // A form of another site can send text, but not JSON without being asked.
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new Refusal(415, "media-type", "the body is not JSON", { hint: "Send content-type: application/json." });
  }
  const bytes = await readBody(request, { maxBytes: route.maxBodyBytes, timeoutMs: BODY_TIMEOUT_MS });
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch {
    throw new Refusal(400, "invalid", "the body is not JSON");
  }
  return checkPart("body", route.body, value);
}

function toResponse(route: Route, answer: unknown): Response {
  if (answer instanceof Response) return answer;
  const headers = answer instanceof WithHeaders ? { ...answer.headers } : {};
  if (route.answer === null) return new Response(null, { status: 204, headers });
  const value: unknown = answer instanceof WithHeaders ? answer.value : answer;
  return Response.json(value, { status: route.status, headers });
}
