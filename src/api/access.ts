import { hashToken, isTokenText } from "../api-token.ts";
import type { Clock } from "../clock.ts";
import { errorText } from "../errors.ts";
import type { Log } from "../log.ts";
import { type ApiToken, TOKEN_ROLES, type TokenRole, type TokenStore } from "../store/tokens.ts";
import { createFailureLimit } from "./failures.ts";
import { Refusal } from "./refusal.ts";
import type { Caller } from "./route.ts";

export const SESSION_COOKIE = "tattile_session";
/** A page of another site cannot send this without being asked for leave first, which nobody gives. */
const REQUEST_HEADER = "x-tattile-request";

const MOST_FAILURES = 10;
const FAILURE_WINDOW_MS = 15 * 60_000;
/** A token's last use is written at most so often: it is for an operator's eyes. */
const TOUCH_EVERY_MS = 60_000;

export interface Access {
  /** Who asks. Null without credentials. @throws Refusal 401 or 429 for credentials that are not valid, 403 for a forged request */
  identify(request: Request, peer: string): Promise<Caller | null>;
  /** @throws Refusal 401 when nobody is there, 403 when the role is too small */
  require(caller: Caller | null, role: TokenRole): void;
  /** The token of a login. @throws Refusal 401, or 429 after too many failures from this address */
  logIn(text: string, request: Request, peer: string): Promise<ApiToken>;
}

export interface AccessDeps {
  store: Pick<TokenStore, "findToken" | "findSession" | "touchToken">;
  clock: Clock;
  log: Log;
}

/** Who may do what: bearer tokens for programs, a session cookie for the dashboard. */
export function createAccess({ store, clock, log }: AccessDeps): Access {
  const limit = () =>
    createFailureLimit({ most: MOST_FAILURES, windowMs: FAILURE_WINDOW_MS, nowMs: clock.monotonicMs });
  // Apart, so that a program with an old token does not keep people of the same address from logging in.
  const logins = limit();
  const bearers = limit();
  const touched = new Map<number, number>();

  async function touch(token: ApiToken): Promise<void> {
    const nowMs = clock.monotonicMs();
    if (nowMs - (touched.get(token.id) ?? Number.NEGATIVE_INFINITY) < TOUCH_EVERY_MS) return;
    touched.set(token.id, nowMs);
    // For an operator's eyes only: a full disk must not keep anybody from seeing that it is full.
    await store.touchToken(token.id, clock.now()).catch((error: unknown) => {
      log.debug("the use of a token was not noted", { error: errorText(error) });
    });
  }

  async function byBearer(text: string, peer: string): Promise<Caller> {
    const token = isTokenText(text) ? await store.findToken(hashToken(text), clock.now()) : null;
    if (token !== null) {
      await touch(token);
      return { token, via: "token", endsAt: token.expiresAt };
    }
    refuseBlocked(bearers.blockedSeconds(peer));
    bearers.note(peer);
    log.warn("a request with an unknown token was refused", { peer });
    throw unauthorized("the token is not known, was revoked, or its time is over");
  }

  return {
    async identify(request, peer) {
      const authorization = request.headers.get("authorization");
      if (authorization !== null) {
        const bearer = /^bearer +(\S+)$/i.exec(authorization)?.[1];
        if (bearer === undefined) throw unauthorized("the Authorization header is not `Bearer TOKEN`");
        return byBearer(bearer, peer);
      }
      const cookie = readCookie(request, SESSION_COOKIE);
      if (cookie === null) return null;
      const session = await store.findSession(hashToken(cookie), clock.now());
      // An old cookie is nobody's fault: the same as none.
      if (session === null) return null;
      requireOwnPage(request);
      await touch(session.token);
      return { ...session, via: "session" };
    },
    require(caller, role) {
      if (caller === null) throw unauthorized("a token is needed");
      if (TOKEN_ROLES.indexOf(caller.token.role) >= TOKEN_ROLES.indexOf(role)) return;
      throw new Refusal(403, "forbidden", `this needs the role ${role}; the token has ${caller.token.role}`, {
        hint: `Use a token made with --role ${role}.`,
      });
    },
    async logIn(text, request, peer) {
      requireOwnPage(request);
      refuseBlocked(logins.blockedSeconds(peer));
      const token = isTokenText(text) ? await store.findToken(hashToken(text), clock.now()) : null;
      if (token === null) {
        logins.note(peer);
        log.warn("a login was refused: unknown token", { peer });
        throw unauthorized("the token is not known, was revoked, or its time is over");
      }
      logins.clear(peer);
      log.info("logged in", { token: token.name, role: token.role, peer });
      await touch(token);
      return token;
    },
  };
}

function unauthorized(text: string): Refusal {
  return new Refusal(401, "unauthorized", text, {
    hint: "Make a token on the machine: tattile token create NAME --role admin",
    headers: { "www-authenticate": 'Bearer realm="tattile"' },
  });
}

function refuseBlocked(seconds: number | null): void {
  if (seconds === null) return;
  throw new Refusal(429, "too-many-failures", `too many failures from this address; wait ${seconds} s`, {
    headers: { "retry-after": `${seconds}` },
  });
}

/**
 * A cookie goes along with whatever page makes the browser ask, so what changes something must come from our own page:
 * the browser says so (Sec-Fetch-Site), or, an old one, the page sent a header that only it can send.
 */
function requireOwnPage(request: Request): void {
  if (["GET", "HEAD", "OPTIONS"].includes(request.method)) return;
  const site = request.headers.get("sec-fetch-site");
  if (site === null ? request.headers.get(REQUEST_HEADER) !== null : site === "same-origin") return;
  throw new Refusal(403, "foreign-page", "the request does not come from this dashboard's own page", {
    hint: `Send the header ${REQUEST_HEADER}: 1, or use a token in the Authorization header.`,
  });
}

export function readCookie(request: Request, name: string): string | null {
  for (const pair of (request.headers.get("cookie") ?? "").split(";")) {
    const at = pair.indexOf("=");
    if (at >= 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return null;
}
