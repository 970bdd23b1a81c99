import type { MessageStatus } from "../message.ts";
import type { Protocol, TimeSource } from "../reading.ts";
import type { CopyStore, StoredMessage } from "./copying.ts";
import type { Pool } from "./postgres-connection.ts";
import { READING_COLUMNS, writeReading } from "./postgres-intake.ts";
import { FACT_TYPES, instant, json, type Row, readFacts, SELECT_FACTS } from "./postgres-rows.ts";
import { SELECT_PICTURES } from "./postgres-settle.ts";
import { missingCamera, settledStatus } from "./sqlite-copying.ts";

const NO_KEY = new Uint8Array();

/** Readings and messages of a batch in one statement. */
const IMPORT = `WITH given AS MATERIALIZED (
    SELECT g.*, c.id AS camera_id, nextval('alpr_readings_id_seq') AS reading_id FROM (
      SELECT * FROM json_to_recordset($1::text::json) AS g (ord integer, serial text, received_at timestamptz,
        timestamp_utc timestamptz, time_source text, protocol text, raw_xml text, extra jsonb, exact jsonb, image_ocr_path text,
        image_ctx_path text, device_sn text, ${FACT_TYPES.join(", ")},
        status text, attempts integer, reason text, last_error text, next_retry_at timestamptz, last_failed_at timestamptz,
        updated_at timestamptz, attempt_log jsonb)
      ORDER BY ord) g
    JOIN cameras c ON c.serial_number = g.serial),
  readings AS (
    INSERT INTO alpr_readings (id, camera_id, created_at, has_image_ocr, has_image_ctx, ${READING_COLUMNS.join(", ")})
    SELECT reading_id, camera_id, received_at, image_ocr_path IS NOT NULL, image_ctx_path IS NOT NULL,
      ${READING_COLUMNS.join(", ")} FROM given ORDER BY ord),
  messages AS (
    INSERT INTO messages_queue (reading_id, camera_id, created_at, updated_at, status, attempts, reason, last_error,
      next_retry_at, last_failed_at, attempt_log)
    SELECT reading_id, camera_id, received_at, updated_at, status, attempts, reason, last_error, next_retry_at,
      last_failed_at, attempt_log FROM given ORDER BY ord)
  SELECT count(*) AS count FROM given`;

export function createCopying(pool: Pool): CopyStore {
  return {
    exportMessages: async (afterId, limit) => {
      const rows = await pool.query<Row>(
        "copying messages",
        `SELECT q.id AS "messageId", q.status, q.attempts, q.reason, q.last_error AS "lastError",
           q.next_retry_at AS "nextRetryAt", q.last_failed_at AS "lastFailedAt", q.updated_at AS "updatedAt",
           q.attempt_log AS log, r.protocol, r.device_sn AS serial, r.timestamp_utc AS "capturedAt",
           r.time_source AS "timeSource", r.created_at AS "receivedAt", r.extra, r.raw_xml AS "rawText",
           ${SELECT_PICTURES}, ${SELECT_FACTS}
         FROM messages_queue q JOIN alpr_readings r ON r.id = q.reading_id
         WHERE q.id > $1::text::bigint ORDER BY q.id LIMIT $2::text::bigint`,
        [String(afterId), String(limit)],
      );
      return rows.map(readStored);
    },
    importMessages: (batchId, messages, now) =>
      pool.transaction("writing copied messages", async (run) => {
        const noted = await run(
          "INSERT INTO moved_batches (id, moved_at) VALUES ($1, $2::text::timestamptz) ON CONFLICT (id) DO NOTHING",
          [batchId, instant(now)],
        );
        if (noted.count === 0) return false;
        const [written] = await run<{ count: number }>(IMPORT, [json(messages.map(writeStored))]);
        if (written?.count !== messages.length) {
          const known = new Set(
            (await run<{ serial: string }>("SELECT serial_number AS serial FROM cameras")).map((c) => c.serial),
          );
          const stranger = messages.find(({ reading }) => !known.has(reading.cameraSerial));
          throw missingCamera(stranger?.reading.cameraSerial ?? "");
        }
        return true;
      }),
    listHashes: async (afterKey, limit) => {
      const rows = await pool.query<{ key: string; seenAt: Date }>(
        "copying hashes",
        `SELECT encode(key, 'hex') AS key, seen_at AS "seenAt" FROM dedupe WHERE key > decode($1, 'hex')
         ORDER BY key LIMIT $2::text::bigint`,
        [Buffer.from(afterKey ?? NO_KEY).toString("hex"), String(limit)],
      );
      return rows.map(({ key, seenAt }) => ({ key: Buffer.from(key, "hex"), seenAt }));
    },
    addHashes: async (hashes) => {
      const given = hashes.map(({ key, seenAt }) => ({
        key: Buffer.from(key).toString("hex"),
        seen_at: instant(seenAt),
      }));
      await pool.query(
        "writing copied hashes",
        `INSERT INTO dedupe (key, seen_at)
         SELECT decode(key, 'hex'), seen_at FROM json_to_recordset($1::text::json) AS g (key text, seen_at timestamptz)
         ORDER BY 1 ON CONFLICT (key) DO NOTHING`,
        [json(given)],
      );
    },
  };
}

function writeStored(message: StoredMessage, ord: number): Record<string, unknown> {
  const { reading, history } = message;
  return {
    ...writeReading({ ...reading, dedupeKey: NO_KEY }, ord),
    status: settledStatus(message.status),
    attempts: message.attempts,
    reason: message.reason,
    last_error: message.lastError,
    next_retry_at: instant(message.nextRetryAt),
    last_failed_at: instant(message.lastFailedAt),
    updated_at: instant(message.updatedAt),
    attempt_log: history.length === 0 ? null : history.map((attempt) => ({ ...attempt, at: instant(attempt.at) })),
  };
}

function readStored(row: Row): StoredMessage {
  const log = (row["log"] ?? []) as {
    at: string;
    kind: StoredMessage["history"][number]["kind"];
    detail: string;
    durationMs: number;
  }[];
  return {
    id: Number(row["messageId"]),
    reading: {
      protocol: (row["protocol"] ?? "tattile-xml") as Protocol,
      cameraSerial: String(row["serial"] ?? ""),
      facts: readFacts(row),
      capturedAt: (row["capturedAt"] ?? row["receivedAt"]) as Date,
      timeSource: (row["timeSource"] ?? "camera") as TimeSource,
      receivedAt: row["receivedAt"] as Date,
      extra: (row["extra"] ?? {}) as Record<string, string>,
      rawText: String(row["rawText"] ?? ""),
      imageOcrPath: row["ocr"] as string | null,
      imageCtxPath: row["ctx"] as string | null,
    },
    status: row["status"] as MessageStatus,
    attempts: Number(row["attempts"]),
    reason: row["reason"] as string | null,
    lastError: row["lastError"] as string | null,
    nextRetryAt: row["nextRetryAt"] as Date | null,
    lastFailedAt: row["lastFailedAt"] as Date | null,
    updatedAt: (row["updatedAt"] ?? row["receivedAt"]) as Date,
    history: log.map((attempt) => ({ ...attempt, at: new Date(attempt.at) })),
  };
}
