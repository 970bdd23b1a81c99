import { Type } from "typebox";
import { Next } from "./message-schemas.ts";
import { exactly, Id, Instant, listOf, named, nullable, Role } from "./schemas.ts";

export const Token = named(
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

export const AuditEntry = named(
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

export const AuditList = named("AuditList", exactly({ entries: listOf(AuditEntry), more: Type.Boolean(), next: Next }));

export const NewToken = named(
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

export const MadeToken = named(
  "MadeToken",
  exactly({
    id: Id,
    name: Type.String(),
    role: Role,
    expiresAt: nullable(Instant),
    token: Type.String({ readOnly: true, description: "to be kept now: it cannot be shown again" }),
  }),
);
