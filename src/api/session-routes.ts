import { Type } from "typebox";
import { hashToken } from "../api-token.ts";
import type { Clock } from "../clock.ts";
import type { TokenStore } from "../store/tokens.ts";
import { version } from "../version.ts";
import { type Access, readCookie, SESSION_COOKIE } from "./access.ts";
import { Refusal } from "./refusal.ts";
import { defineRoute, defineSilentRoute, type Route, WithHeaders } from "./route.ts";
import { exactly, Session, Setup } from "./schemas.ts";

export interface SessionDeps {
  store: Pick<TokenStore, "listTokens" | "addSession" | "removeSession">;
  access: Access;
  sessionMs: number;
  isTls: boolean;
  clock: Clock;
  randomText(): string;
}

/** Logging in and out, and what the first page must know before anybody can. */
export function sessionRoutes(deps: SessionDeps): readonly Route[] {
  const { store, access, clock } = deps;
  const cookie = (value: string, seconds: number): Record<string, string> => ({
    "set-cookie":
      `${SESSION_COOKIE}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict` +
      (deps.isTls ? "; Secure" : ""),
  });

  return [
    defineRoute({
      method: "GET",
      path: "/api/v1/setup",
      tag: "session",
      summary: "whether anybody can log in yet, and how the first token is made",
      access: "public",
      answer: Setup,
      handle: async () => {
        const now = clock.now();
        const tokens = await store.listTokens();
        return {
          hasToken: tokens.some(({ expiresAt }) => expiresAt === null || expiresAt > now),
          command: "sudo tattile token create NAME --role admin",
          version,
        };
      },
    }),
    defineRoute({
      method: "POST",
      path: "/api/v1/session",
      tag: "session",
      summary: "log in with a token: sets a cookie for the dashboard",
      access: "public",
      body: exactly({
        token: Type.String({ minLength: 1, maxLength: 200, writeOnly: true, description: "a token" }),
      }),
      answer: Session,
      handle: async ({ body, request, peer }) => {
        const token = await access.logIn(body.token, request, peer);
        const now = clock.now();
        const lasting = new Date(now.getTime() + deps.sessionMs);
        const expiresAt = token.expiresAt !== null && token.expiresAt < lasting ? token.expiresAt : lasting;
        const text = deps.randomText();
        await store.addSession({ hash: hashToken(text), tokenId: token.id, expiresAt }, now);
        const seconds = Math.floor((expiresAt.getTime() - now.getTime()) / 1000);
        return new WithHeaders(
          { name: token.name, role: token.role, via: "session" as const, expiresAt },
          cookie(text, seconds),
        );
      },
    }),
    defineRoute({
      method: "GET",
      path: "/api/v1/session",
      tag: "session",
      summary: "who I am",
      access: "viewer",
      answer: Session,
      handle: async ({ caller }) => {
        if (caller === null) throw new Refusal(401, "unauthorized", "a token is needed");
        const { name, role } = caller.token;
        return { name, role, via: caller.via, expiresAt: caller.endsAt };
      },
    }),
    defineSilentRoute({
      method: "DELETE",
      path: "/api/v1/session",
      tag: "session",
      summary: "log out",
      access: "viewer",
      handle: async ({ request }) => {
        const text = readCookie(request, SESSION_COOKIE);
        if (text !== null) await store.removeSession(hashToken(text));
        return new WithHeaders(undefined, cookie("", 0));
      },
    }),
  ];
}
