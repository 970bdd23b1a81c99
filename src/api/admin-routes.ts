import { Type } from "typebox";
import { buildTokenText, hashToken, TOKEN_BYTES } from "../api-token.ts";
import { AuditList, MadeToken, NewToken, Token } from "./admin-schemas.ts";
import type { Auditor } from "./audit.ts";
import type { ApiDeps } from "./deps.ts";
import { After } from "./message-schemas.ts";
import { mustFind } from "./refusal.ts";
import { defineRoute, defineSilentRoute, type Route } from "./route.ts";
import { exactly, Id, listOf } from "./schemas.ts";

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
        who: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: "text that is in `who`" })),
        what: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: "text that is in `what`" })),
        message: Type.Optional(Id),
      }),
      answer: AuditList,
      handle: async ({ query: { limit = 100, since, after, who, what, message } }) => {
        const found = await store.listAudit({
          since: since === undefined ? undefined : new Date(since),
          before: after,
          who,
          what,
          messageId: message,
          limit: limit + 1,
        });
        const entries = found.toReversed().slice(0, limit);
        const more = found.length > limit;
        return { entries, more, next: more ? (entries.at(-1)?.id ?? null) : null };
      },
    }),
  ];
}
