import type { AuditEntry } from "./audit.ts";
import type { RecordStore, StoredToken } from "./copying.ts";
import type { Connection } from "./sqlite-connection.ts";
import { dateOrNull, MAX_DETAIL_CHARS, nameKey } from "./sqlite-rows.ts";

type TokenRow = Omit<StoredToken, "createdAt" | "expiresAt" | "lastUsedAt"> & {
  createdMs: number;
  expiresMs: number | null;
  lastUsedMs: number | null;
};

/** What is kept beside the queue, out of a store and into one. */
export function createRecords(connection: Connection): RecordStore {
  const listTokens = connection.prepare<TokenRow, []>(
    `SELECT name, role, hash, created_at AS createdMs, expires_at AS expiresMs, last_used_at AS lastUsedMs
     FROM api_tokens ORDER BY id`,
  );
  const listAudit = connection.prepare<Omit<AuditEntry, "at"> & { at: number }, [number, number]>(
    "SELECT id, at, who, what, message_id AS messageId, detail FROM audit_log WHERE id > ? ORDER BY id LIMIT ?",
  );
  const note = connection.prepare<never, [string, number]>(
    "INSERT INTO moved_batches (id, moved_at) VALUES (?, ?) ON CONFLICT (id) DO NOTHING",
  );
  const addToken = connection.prepare<never, (string | number | null | Uint8Array)[]>(
    `INSERT INTO api_tokens (name, name_key, role, hash, created_at, expires_at, last_used_at) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
  );
  const addAudit = connection.prepare<never, (string | number | null)[]>(
    "INSERT INTO audit_log (at, who, what, message_id, detail) VALUES (?, ?, ?, ?, ?)",
  );
  const addMinute = connection.prepare<never, [number, number, number]>(
    `INSERT INTO minute_counts (minute, received, delivered) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET received = received + excluded.received, delivered = delivered + excluded.delivered`,
  );
  const addHour = connection.prepare<never, [number, string, number, number | null]>(
    `INSERT INTO camera_hours (hour, camera_serial, received, least_delay_ms) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET received = received + excluded.received,
       least_delay_ms = min(coalesce(least_delay_ms, excluded.least_delay_ms), coalesce(excluded.least_delay_ms, least_delay_ms))`,
  );
  const addDelivery = connection.prepare<never, [number, string, string, number]>(
    `INSERT INTO delivery_counts (endpoint_id, kind, label, count) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET count = count + excluded.count`,
  );

  return {
    exportTokens: async () =>
      connection.read("copying tokens", () =>
        listTokens.all().map(({ createdMs, expiresMs, lastUsedMs, ...token }) => ({
          ...token,
          createdAt: new Date(createdMs),
          expiresAt: dateOrNull(expiresMs),
          lastUsedAt: dateOrNull(lastUsedMs),
        })),
      ),
    exportAudit: async (afterId, limit) =>
      connection.read("copying the audit log", () =>
        listAudit.all(afterId, limit).map((row) => ({ ...row, at: new Date(row.at) })),
      ),
    importRecords: async (
      batchId,
      { tokens = [], audit = [], minutes = [], cameraHours = [], deliveryCounts = [] },
      now,
    ) =>
      connection.write("writing copied records", () => {
        if (note.run(batchId, now.getTime()).changes === 0) return false;
        for (const { name, role, hash, createdAt, expiresAt, lastUsedAt } of tokens) {
          const times = [createdAt.getTime(), expiresAt?.getTime() ?? null, lastUsedAt?.getTime() ?? null];
          addToken.run(name, nameKey(name), role, hash, ...times);
        }
        for (const { at, who, what, messageId, detail } of audit) {
          addAudit.run(at.getTime(), who, what, messageId, [...detail].slice(0, MAX_DETAIL_CHARS).join(""));
        }
        for (const { at, received, delivered } of minutes) addMinute.run(at.getTime(), received, delivered);
        for (const { at, cameraSerial, received, leastDelayMs } of cameraHours) {
          addHour.run(at.getTime(), cameraSerial, received, leastDelayMs);
        }
        for (const { endpointId, kind, label, count } of deliveryCounts)
          addDelivery.run(endpointId, kind, label, count);
        return true;
      }),
  };
}
