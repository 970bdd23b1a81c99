import type { AuditEntry } from "./audit.ts";
import type { RecordStore, StoredToken } from "./copying.ts";
import type { Pool } from "./postgres-connection.ts";
import { cut, instant, json } from "./postgres-rows.ts";
import { nameKey } from "./sqlite-rows.ts";

/** Each kind of record from a JSON array: its statement, in the order of the fields. */
const WRITES = {
  tokens: `INSERT INTO api_tokens (name, name_key, role, hash, created_at, expires_at, last_used_at)
    SELECT name, name_key, role, decode(hash, 'hex'), created_at, expires_at, last_used_at
    FROM json_to_recordset($1::text::json) AS g (ord integer, name text, name_key text, role text, hash text,
      created_at timestamptz, expires_at timestamptz, last_used_at timestamptz) ORDER BY ord ON CONFLICT DO NOTHING`,
  audit: `INSERT INTO audit_log (at, who, what, message_id, detail)
    SELECT at, who, what, message_id, detail
    FROM json_to_recordset($1::text::json) AS g (ord integer, at timestamptz, who text, what text, message_id bigint, detail text)
    ORDER BY ord`,
  minutes: `INSERT INTO minute_counts (minute, received, delivered)
    SELECT at, received, delivered FROM json_to_recordset($1::text::json) AS g (at timestamptz, received bigint, delivered bigint)`,
  cameraHours: `INSERT INTO camera_hours (hour, camera_serial, received, least_delay_ms)
    SELECT at, serial, received, least FROM json_to_recordset($1::text::json)
      AS g (at timestamptz, serial text, received bigint, least bigint)`,
  deliveryCounts: `INSERT INTO delivery_counts (endpoint_id, kind, label, count)
    SELECT endpoint, kind, label, count FROM json_to_recordset($1::text::json)
      AS g (endpoint integer, kind text, label text, count double precision)`,
} as const;

/** What is kept beside the queue, out of a store and into one. */
export function createRecords(pool: Pool): RecordStore {
  return {
    exportTokens: async () => {
      const rows = await pool.query<Omit<StoredToken, "hash"> & { hash: string }>(
        "copying tokens",
        `SELECT name, role, encode(hash, 'hex') AS hash, created_at AS "createdAt", expires_at AS "expiresAt",
           last_used_at AS "lastUsedAt" FROM api_tokens ORDER BY id`,
      );
      return rows.map((row) => ({ ...row, hash: Buffer.from(row.hash, "hex") }));
    },
    exportAudit: (afterId, limit) =>
      pool.query<AuditEntry>(
        "copying the audit log",
        `SELECT id, at, who, what, message_id AS "messageId", detail FROM audit_log
         WHERE id > $1::text::bigint ORDER BY id LIMIT $2::text::bigint`,
        [String(afterId), String(limit)],
      ),
    importRecords: (batchId, records, now) =>
      pool.transaction("writing copied records", async (run) => {
        const noted = await run(
          "INSERT INTO moved_batches (id, moved_at) VALUES ($1, $2::text::timestamptz) ON CONFLICT (id) DO NOTHING",
          [batchId, instant(now)],
        );
        if (noted.count === 0) return false;
        const { tokens = [], audit = [], minutes = [], cameraHours = [], deliveryCounts = [] } = records;
        const rows: Record<keyof typeof WRITES, readonly unknown[]> = {
          tokens: tokens.map(({ name, role, hash, createdAt, expiresAt, lastUsedAt }, ord) => ({
            ord,
            name,
            name_key: nameKey(name),
            role,
            hash: Buffer.from(hash).toString("hex"),
            created_at: instant(createdAt),
            expires_at: instant(expiresAt),
            last_used_at: instant(lastUsedAt),
          })),
          audit: audit.map(({ at, who, what, messageId, detail }, ord) => ({
            ord,
            at: instant(at),
            who: cut(who),
            what,
            message_id: messageId,
            detail: cut(detail),
          })),
          minutes: minutes.map((one) => ({ ...one, at: instant(one.at) })),
          cameraHours: cameraHours.map(({ at, cameraSerial, received, leastDelayMs }) => ({
            at: instant(at),
            serial: cameraSerial,
            received,
            least: leastDelayMs,
          })),
          deliveryCounts: deliveryCounts.map(({ endpointId, ...one }) => ({ ...one, endpoint: endpointId })),
        };
        for (const kind of Object.keys(WRITES) as (keyof typeof WRITES)[]) {
          if (rows[kind].length > 0) await run(WRITES[kind], [json(rows[kind])]);
        }
        return true;
      }),
  };
}
