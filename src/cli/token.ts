import { randomBytes } from "node:crypto";
import { buildTokenText, hashToken, TOKEN_BYTES } from "../api-token.ts";
import { AppError } from "../errors.ts";
import { formatAge, formatDay } from "../format.ts";
import { type ApiToken, TOKEN_ROLES, type TokenRole } from "../store/tokens.ts";
import { audited } from "./audited.ts";
import { defineGroup, defineTattileCommand } from "./command.ts";
import { didYouMean } from "./nearest.ts";
import { confirm } from "./prompt.ts";
import { JSON_ARG, REMOVE_ARGS } from "./registry-output.ts";
import { parseName, parseWhole } from "./values.ts";

const DAY_MS = 86_400_000;

const create = defineTattileCommand({
  name: "token create",
  summary: "make a token for the dashboard or the API; it is shown once",
  notes: [
    "viewer: how everything is, no plate and no picture. operator: messages with plate and picture, retry, discard.",
    "admin: everything, also cameras, endpoints and certificates.",
  ],
  examples: ["tattile token create Marta --role admin", "tattile token create wallboard --role viewer --days 365"],
  args: {
    name: { kind: "positional", required: true, about: "whose it is; stands in the audit log" },
    role: { kind: "value", hint: "ROLE", options: TOKEN_ROLES, required: true, about: TOKEN_ROLES.join(", ") },
    days: { kind: "value", hint: "N", about: "it ends after so many days (default: when it is revoked)" },
    ...JSON_ARG,
  },
  async run(args, context) {
    const { out } = context;
    const name = parseName("NAME", args.name, 64);
    const createdAt = context.now();
    const days = args.days === undefined ? null : parseWhole("--days", args.days, 1, 3650);
    const expiresAt = days === null ? null : new Date(createdAt.getTime() + days * DAY_MS);
    const role = args.role as TokenRole;
    const token = buildTokenText(randomBytes(TOKEN_BYTES));
    const store = await context.store();
    const id = await audited({ what: "token add", detail: `${name} (${role})` }, context, () =>
      store.addToken({ name, role, createdAt, expiresAt, hash: hashToken(token) }),
    );
    if (args.json) return out.json({ id, name, role, expiresAt, token });
    out.line(token);
    out.note(`token of ${name} (${role})${expiresAt === null ? "" : `, until ${formatDay(expiresAt)}`}`);
    out.note("Keep it now: it cannot be shown again.");
  },
});

const list = defineTattileCommand({
  name: "token list",
  summary: "list the tokens: whose, what they may, when last used",
  examples: ["tattile token list"],
  args: JSON_ARG,
  async run(args, { store: openStore, out, now }) {
    const tokens = await (await openStore()).listTokens();
    if (args.json) return out.json(tokens);
    if (tokens.length === 0) return out.line("No token yet. Make one: tattile token create NAME --role admin");
    const columns = [
      { title: "ID", whole: true },
      { title: "NAME" },
      { title: "ROLE", whole: true },
      { title: "MADE", whole: true },
      { title: "USED", whole: true, words: true },
      { title: "UNTIL", whole: true, words: true },
    ] as const;
    const rows = tokens.map((t) => [
      `${t.id}`,
      t.name,
      t.role,
      formatDay(t.createdAt),
      formatAge(t.lastUsedAt, now()),
      until(t, now()),
    ]);
    out.table(columns, rows);
  },
});

function until({ expiresAt }: ApiToken, now: Date): string {
  if (expiresAt === null) return "no end";
  return expiresAt > now ? formatDay(expiresAt) : `over (${formatDay(expiresAt)})`;
}

const revoke = defineTattileCommand({
  name: "token revoke",
  summary: "revoke a token; whoever is logged in with it is out at once",
  examples: ["tattile token revoke Marta", "tattile token revoke 3 --yes"],
  args: { token: { kind: "positional", required: true, about: "name or id" }, ...REMOVE_ARGS },
  async run(args, context) {
    const store = await context.store();
    const { id, name, role } = find(args.token, await store.listTokens());
    const what = `revoke the token of ${name} (${role})`;
    if (args["dry-run"]) return context.out.line(`would ${what}`);
    await confirm(what, args.yes, context);
    await audited({ what: "token remove", detail: `${name} (${role})` }, context, () => store.removeToken(id));
    context.out.line(`revoked the token of ${name}`);
  },
});

function find(wanted: string, tokens: readonly ApiToken[]): ApiToken {
  const name = wanted.trim().toLowerCase();
  const found =
    tokens.find((t) => t.name.toLowerCase() === name) ?? tokens.find((t) => `${t.id}` === name.replace(/^#/, ""));
  if (found !== undefined) return found;
  const near = didYouMean(
    wanted,
    tokens.map((t) => t.name),
  );
  throw new AppError("not-found", `unknown token ${wanted}${near}`, { hint: "tattile token list" });
}

export const tokenCommands = defineGroup("token", "say who may use the dashboard and the API", [create, list, revoke]);
