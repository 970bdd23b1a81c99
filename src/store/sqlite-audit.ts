import type { AuditEntry, AuditLog } from "./audit.ts";
import type { Connection } from "./sqlite-connection.ts";
import { MAX_DETAIL_CHARS } from "./sqlite-rows.ts";

type AuditRow = Omit<AuditEntry, "at"> & { at: number };

/** The audit log: a table that only grows at its end and is only cut at its beginning. */
export function createAuditLog(connection: Connection): AuditLog {
  const insert = connection.prepare<never, [number, string, string, number | null, string]>(
    "INSERT INTO audit_log (at, who, what, message_id, detail) VALUES (?, ?, ?, ?, ?)",
  );
  const list = connection.prepare<AuditRow, Record<string, string | number | null>[]>(
    `SELECT id, at, who, what, message_id AS messageId, detail FROM audit_log
     WHERE at >= $since AND id < $before AND instr(who, $who) > 0 AND instr(what, $what) > 0
       AND ($message IS NULL OR message_id = $message) ORDER BY id DESC LIMIT $limit`,
  );
  const trimOld = connection.prepare<never, [number, number]>(
    "DELETE FROM audit_log WHERE id IN (SELECT id FROM audit_log WHERE at < ? ORDER BY at LIMIT ?)",
  );
  const trimMany = connection.prepare<never, { count: number; limit: number }[]>(
    `DELETE FROM audit_log WHERE id IN (SELECT id FROM audit_log
       WHERE id <= (SELECT id FROM audit_log ORDER BY id DESC LIMIT 1 OFFSET $count) ORDER BY id LIMIT $limit)`,
  );

  return {
    recordAudit: async ({ who, what, messageId, detail }, now) =>
      connection.write("writing the audit log", () => {
        const [shortWho, shortDetail] = [who, detail].map((text) => [...text].slice(0, MAX_DETAIL_CHARS).join(""));
        insert.run(now.getTime(), shortWho ?? "", what, messageId, shortDetail ?? "");
      }),
    listAudit: async ({ since, before, who = "", what = "", messageId, limit }) =>
      connection.read("reading the audit log", () =>
        list
          .all({
            ...{ since: since?.getTime() ?? 0, before: before ?? Number.MAX_SAFE_INTEGER },
            ...{ who, what, message: messageId ?? null, limit: Math.max(0, limit) },
          })
          .toReversed()
          .map((row) => ({ ...row, at: new Date(row.at) })),
      ),
    trimAudit: async ({ before, count }, limit) =>
      connection.write("trimming the audit log", () => {
        const old = trimOld.run(before.getTime(), limit).changes;
        return old + trimMany.run({ count, limit }).changes;
      }),
  };
}
