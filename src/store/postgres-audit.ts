import type { AuditEntry, AuditLog } from "./audit.ts";
import type { Pool } from "./postgres-connection.ts";
import { cut, instant } from "./postgres-rows.ts";

/** The audit log: a table that only grows at its end and is only cut at its beginning. */
export function createAuditLog(pool: Pool): AuditLog {
  return {
    recordAudit: async ({ who, what, messageId, detail }, now) => {
      await pool.query(
        "writing the audit log",
        `INSERT INTO audit_log (at, who, what, message_id, detail) VALUES ($1::text::timestamptz, $2, $3, $4::text::bigint, $5)`,
        [instant(now), cut(who), what, messageId === null ? null : String(messageId), cut(detail)],
      );
    },
    listAudit: async ({ since, before, who = "", what = "", messageId, limit }) => {
      const rows = await pool.query<AuditEntry>(
        "reading the audit log",
        `SELECT id, at, who, what, message_id AS "messageId", detail FROM audit_log
         WHERE at >= $1::text::timestamptz AND id < $3::text::bigint AND strpos(who, $4) > 0 AND strpos(what, $5) > 0
           AND ($6::text IS NULL OR message_id = $6::text::bigint) ORDER BY id DESC LIMIT $2::text::bigint`,
        [
          ...[instant(since ?? new Date(0)), String(Math.max(0, limit)), String(before ?? Number.MAX_SAFE_INTEGER)],
          ...[who, what, messageId === undefined ? null : String(messageId)],
        ],
      );
      return [...rows].reverse();
    },
    trimAudit: ({ before, count }, limit) =>
      pool.transaction("trimming the audit log", async (run) => {
        const old = await run(
          `DELETE FROM audit_log WHERE id = ANY (ARRAY(
             SELECT id FROM audit_log WHERE at < $1::text::timestamptz ORDER BY at LIMIT $2::text::bigint))`,
          [instant(before), String(limit)],
        );
        const many = await run(
          `DELETE FROM audit_log WHERE id = ANY (ARRAY(
             SELECT id FROM audit_log WHERE id <= (SELECT id FROM audit_log ORDER BY id DESC LIMIT 1 OFFSET $1::text::bigint)
             ORDER BY id LIMIT $2::text::bigint))`,
          [String(count), String(limit)],
        );
        return old.count + many.count;
      }),
  };
}
