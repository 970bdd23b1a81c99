import { Type } from "typebox";
import { buildTokenText, hashToken, TOKEN_BYTES } from "../api-token.ts";
import type { Auditor } from "./audit.ts";
import type { ApiDeps } from "./deps.ts";
import { After, Next } from "./message-schemas.ts";
import { mustFind } from "./refusal.ts";
import { defineRoute, defineSilentRoute, type Route } from "./route.ts";
import { exactly, Id, Instant, listOf, named, nullable, Role } from "./schemas.ts";

const Token = named(
  "Token",
  exactly({
    id: Id,
    name: Type.String(),
    role: Role,
    createdAt: Instant,
    expiresAt: nullable(Instant),
    lastUsedAt: nullable(Instant),
  }),
);

const AuditEntry = named(
  "AuditEntry",
  exactly({
    id: Id,
    at: Instant,
    who: Type.String(),
    what: Type.String(),
    messageId: nullable(Type.Integer()),
    detail: Type.String(),
  }),
);

const AuditList = named("AuditList", exactly({ entries: listOf(AuditEntry), more: Type.Boolean(), next: Next }));

const NewToken = named(
  "NewToken",
  exactly({
    name: Type.String({
      minLength: 1,
      maxLength: 64,
      pattern: "^[^\\p{Cc}]+$",
      description: "1 to 64 characters without line breaks: whose it is; stands in the audit log",
    }),
    role: Role,
    days: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 3650, description: "it ends after so many; else when revoked" }),
    ),
  }),
);

const MadeToken = named(
  "MadeToken",
  exactly({
    id: Id,
    name: Type.String(),
    role: Role,
    expiresAt: nullable(Instant),
    token: Type.String({ readOnly: true, description: "to be kept now: it cannot be shown again" }),
  }),
);

const DAY_MS = 86_400_000;

/** Who may do what, and who did. The first token is made on the machine: nobody could ask for it here. */
export function adminRoutes(
  deps: ApiDeps & { randomBytes(length: number): Uint8Array },
  auditor: Auditor,
): readonly Route[] {
  const { store } = deps;
  return [
    defineRoute({
      method: "GET",
      path: "/api/v1/tokens",
      tag: "tokens",
      summary: "the tokens, without what they are",
      access: "admin",
      answer: listOf(Token),
      handle: () => store.listTokens(),
    }),
    defineRoute({
      method: "POST",
      path: "/api/v1/tokens",
      tag: "tokens",
      summary: "make a token; what it is stands in this one answer only",
      access: "admin",
      body: NewToken,
      answer: MadeToken,
      status: 201,
      handle: async ({ body: { name, role, days }, caller }) => {
        const token = buildTokenText(deps.randomBytes(TOKEN_BYTES));
        const createdAt = deps.clock.now();
        const expiresAt = days === undefined ? null : new Date(createdAt.getTime() + days * DAY_MS);
        const deed = { what: "token add" as const, detail: `${name} (${role})` };
        const id = await auditor.around(caller, deed, () =>
          store.addToken({ name, role, createdAt, expiresAt, hash: hashToken(token) }),
        );
        return { id, name, role, expiresAt, token };
      },
    }),
    defineSilentRoute({
      method: "DELETE",
      path: "/api/v1/tokens/{id}",
      tag: "tokens",
      summary: "revoke a token; whoever is logged in with it is out at once",
      access: "admin",
      params: exactly({ id: Id }),
      handle: async ({ params: { id }, caller }) => {
        const token = mustFind(
          (await store.listTokens()).find((one) => one.id === id),
          `token ${id}`,
        );
        const deed = { what: "token remove" as const, detail: `${token.name} (${token.role})` };
        await auditor.around(caller, deed, () => store.removeToken(id));
      },
    }),
    defineRoute({
      method: "GET",
      path: "/api/v1/audit",
      tag: "audit",
      summary: "who did what, the newest first",
      access: "admin",
      query: exactly({
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
        after: After,
        since: Type.Optional(Type.String({ format: "date-time", description: "an instant" })),
      }),
      answer: AuditList,
      handle: async ({ query: { limit = 100, since, after } }) => {
        const found = await store.listAudit({
          since: since === undefined ? undefined : new Date(since),
          before: after,
          limit: limit + 1,
        });
        const entries = found.toReversed().slice(0, limit);
        const more = found.length > limit;
        return { entries, more, next: more ? (entries.at(-1)?.id ?? null) : null };
      },
    }),
  ];
}
