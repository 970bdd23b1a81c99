import { AppError } from "../errors.ts";
import type { Connection } from "./sqlite-connection.ts";
import { dateOrNull, nameKey } from "./sqlite-rows.ts";
import { type ApiToken, MAX_SESSIONS_PER_TOKEN, type TokenStore } from "./tokens.ts";

type TokenRow = Pick<ApiToken, "id" | "name" | "role"> & {
  createdAt: number;
  expiresAt: number | null;
  lastUsedAt: number | null;
};

const SELECT = `t.id, t.name, t.role, t.created_at AS createdAt, t.expires_at AS expiresAt, t.last_used_at AS lastUsedAt
  FROM api_tokens t`;
const LIVES = "(t.expires_at IS NULL OR t.expires_at > $now)";

export function createTokens(connection: Connection): TokenStore {
  const isTaken = connection.prepare<{ id: number }, [string]>("SELECT id FROM api_tokens WHERE name_key = ?");
  const insert = connection.prepare<never, [string, string, string, Uint8Array, number, number | null]>(
    "INSERT INTO api_tokens (name, name_key, role, hash, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
  );
  const list = connection.prepare<TokenRow, []>(`SELECT ${SELECT} ORDER BY t.id`);
  const find = connection.prepare<TokenRow, { hash: Uint8Array; now: number }[]>(
    `SELECT ${SELECT} WHERE t.hash = $hash AND ${LIVES}`,
  );
  const touch = connection.prepare<never, [number, number]>("UPDATE api_tokens SET last_used_at = ? WHERE id = ?");
  const remove = connection.prepare<never, [number]>("DELETE FROM api_tokens WHERE id = ?");
  const endOld = connection.prepare<never, [number]>("DELETE FROM api_sessions WHERE expires_at <= ?");
  const endSurplus = connection.prepare<never, { token: number }[]>(
    `DELETE FROM api_sessions WHERE hash IN (SELECT hash FROM api_sessions WHERE token_id = $token
       ORDER BY expires_at DESC, hash LIMIT -1 OFFSET ${MAX_SESSIONS_PER_TOKEN - 1})`,
  );
  const insertSession = connection.prepare<never, [Uint8Array, number, number]>(
    "INSERT INTO api_sessions (hash, token_id, expires_at) VALUES (?, ?, ?)",
  );
  const findSession = connection.prepare<TokenRow & { endsAt: number }, { hash: Uint8Array; now: number }[]>(
    `SELECT s.expires_at AS endsAt, ${SELECT} JOIN api_sessions s ON s.token_id = t.id WHERE s.hash = $hash AND s.expires_at > $now AND ${LIVES}`,
  );
  const endSession = connection.prepare<never, [Uint8Array]>("DELETE FROM api_sessions WHERE hash = ?");

  return {
    addToken: async ({ name, role, hash, createdAt, expiresAt }) =>
      connection.write("adding a token", () => {
        const key = nameKey(name);
        if (isTaken.get(key) !== null) {
          throw new AppError("conflict", `adding a token: there is one of that name (${name})`, {
            hint: "Give it another name, or revoke that one first.",
          });
        }
        const ends = expiresAt?.getTime() ?? null;
        return Number(insert.run(name, key, role, hash, createdAt.getTime(), ends).lastInsertRowid);
      }),
    listTokens: async () => connection.read("listing tokens", () => list.all().map(readToken)),
    findToken: async (hash, now) =>
      connection.read("looking for a token", () => orNull(find.get({ hash, now: now.getTime() }))),
    touchToken: async (id, at) =>
      connection.write("noting the use of a token", () => {
        touch.run(at.getTime(), id);
      }),
    removeToken: async (id) => connection.write("revoking a token", () => remove.run(id).changes > 0),
    addSession: async ({ hash, tokenId, expiresAt }, now) =>
      connection.write("opening a session", () => {
        endOld.run(now.getTime());
        endSurplus.run({ token: tokenId });
        insertSession.run(hash, tokenId, expiresAt.getTime());
      }),
    findSession: async (hash, now) =>
      connection.read("looking for a session", () => {
        const found = findSession.get({ hash, now: now.getTime() });
        if (found === null) return null;
        const { endsAt, ...row } = found;
        return { token: readToken(row), endsAt: new Date(endsAt) };
      }),
    removeSession: async (hash) =>
      connection.write("ending a session", () => {
        endSession.run(hash);
      }),
  };
}

function orNull(row: TokenRow | null): ApiToken | null {
  return row === null ? null : readToken(row);
}

function readToken(row: TokenRow): ApiToken {
  return {
    ...row,
    createdAt: new Date(row.createdAt),
    expiresAt: dateOrNull(row.expiresAt),
    lastUsedAt: dateOrNull(row.lastUsedAt),
  };
}
