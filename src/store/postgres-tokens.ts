import { AppError } from "../errors.ts";
import { codeOf, type Pool } from "./postgres-connection.ts";
import { clean, instant } from "./postgres-rows.ts";
import { nameKey } from "./sqlite-rows.ts";
import { type ApiToken, MAX_SESSIONS_PER_TOKEN, type TokenStore } from "./tokens.ts";

const SELECT = `t.id, t.name, t.role, t.created_at AS "createdAt", t.expires_at AS "expiresAt", t.last_used_at AS "lastUsedAt"
  FROM api_tokens t`;
const LIVES = "(t.expires_at IS NULL OR t.expires_at > $2::text::timestamptz)";
const UNIQUE_VIOLATION = "23505";

export function createTokens(pool: Pool): TokenStore {
  return {
    addToken: ({ name, role, hash, createdAt, expiresAt }) =>
      pool.transaction("adding a token", async (run) => {
        try {
          const [row] = await run<{ id: number }>(
            `INSERT INTO api_tokens (name, name_key, role, hash, created_at, expires_at)
             VALUES ($1, $2, $3, decode($4, 'hex'), $5::text::timestamptz, $6::text::timestamptz) RETURNING id`,
            [clean(name), clean(nameKey(name)), role, hex(hash), instant(createdAt), instant(expiresAt)],
          );
          return row?.id ?? 0;
        } catch (error) {
          if (codeOf(error) !== UNIQUE_VIOLATION) throw error;
          throw new AppError("conflict", `adding a token: there is one of that name (${name})`, {
            hint: "Give it another name, or revoke that one first.",
          });
        }
      }),
    listTokens: () => pool.query<ApiToken>("listing tokens", `SELECT ${SELECT} ORDER BY t.id`),
    findToken: async (hash, now) => {
      const sql = `SELECT ${SELECT} WHERE t.hash = decode($1, 'hex') AND ${LIVES}`;
      const [row] = await pool.query<ApiToken>("looking for a token", sql, [hex(hash), instant(now)]);
      return row ?? null;
    },
    touchToken: async (id, at) => {
      const sql = "UPDATE api_tokens SET last_used_at = $2::text::timestamptz WHERE id = $1::text::bigint";
      await pool.query("noting the use of a token", sql, [String(id), instant(at)]);
    },
    removeToken: async (id) => {
      const sql = "DELETE FROM api_tokens WHERE id = $1::text::bigint";
      return (await pool.query("revoking a token", sql, [String(id)])).count > 0;
    },
    addSession: ({ hash, tokenId, expiresAt }, now) =>
      pool.transaction("opening a session", async (run) => {
        await run("DELETE FROM api_sessions WHERE expires_at <= $1::text::timestamptz", [instant(now)]);
        await run(
          `DELETE FROM api_sessions WHERE hash = ANY (ARRAY(SELECT hash FROM api_sessions WHERE token_id = $1::text::integer
             ORDER BY expires_at DESC, hash OFFSET ${MAX_SESSIONS_PER_TOKEN - 1}))`,
          [String(tokenId)],
        );
        await run(
          "INSERT INTO api_sessions (hash, token_id, expires_at) VALUES (decode($1, 'hex'), $2::text::integer, $3::text::timestamptz)",
          [hex(hash), String(tokenId), instant(expiresAt)],
        );
      }),
    findSession: async (hash, now) => {
      const [row] = await pool.query<ApiToken & { endsAt: Date }>(
        "looking for a session",
        `SELECT s.expires_at AS "endsAt", ${SELECT} JOIN api_sessions s ON s.token_id = t.id
         WHERE s.hash = decode($1, 'hex') AND s.expires_at > $2::text::timestamptz AND ${LIVES}`,
        [hex(hash), instant(now)],
      );
      if (row === undefined) return null;
      const { endsAt, ...token } = row;
      return { token, endsAt };
    },
    removeSession: async (hash) => {
      await pool.query("ending a session", "DELETE FROM api_sessions WHERE hash = decode($1, 'hex')", [hex(hash)]);
    },
  };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
