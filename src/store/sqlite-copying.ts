import { AppError } from "../errors.ts";
import type { MessageStatus } from "../message.ts";
import type { Protocol, ReadingFacts, TimeSource } from "../reading.ts";
import type { CopyStore, StoredMessage } from "./copying.ts";
import type { MessageAttempt } from "./messages.ts";
import type { Connection } from "./sqlite-connection.ts";
import {
  bindReading,
  dateOrNull,
  READING_COLUMNS,
  type ReadingBinding,
  readFacts,
  SELECT_FACTS,
} from "./sqlite-rows.ts";

type MessageRow = ReadingFacts & {
  id: number;
  status: MessageStatus;
  attempts: number;
  reason: string | null;
  lastError: string | null;
  nextRetryMs: number | null;
  lastFailedMs: number | null;
  updatedMs: number;
  protocol: Protocol;
  serial: string;
  capturedMs: number;
  timeSource: TimeSource;
  receivedMs: number;
  extra: string | null;
  rawText: string | null;
  ocr: string | null;
  ctx: string | null;
};

const NO_KEY = new Uint8Array();

/** Whole messages out of a store and into one. */
export function createCopying(connection: Connection): CopyStore {
  const list = connection.prepare<MessageRow, [number, number]>(
    `SELECT q.id, q.status, q.attempts, q.reason, q.last_error AS lastError, q.next_retry_at AS nextRetryMs,
       q.last_failed_at AS lastFailedMs, q.updated_at AS updatedMs, r.protocol, r.device_sn AS serial,
       r.timestamp_utc AS capturedMs, r.time_source AS timeSource, r.created_at AS receivedMs, r.extra,
       r.raw_xml AS rawText, r.image_ocr_path AS ocr, r.image_ctx_path AS ctx, ${SELECT_FACTS}
     FROM messages_queue q JOIN alpr_readings r ON r.id = q.reading_id WHERE q.id > ? ORDER BY q.id LIMIT ?`,
  );
  const listAttempts = connection.prepare<
    { at: number; kind: MessageAttempt["kind"]; detail: string; durationMs: number },
    [number]
  >("SELECT at, kind, detail, duration_ms AS durationMs FROM message_attempts WHERE message_id = ? ORDER BY number");
  const note = connection.prepare<never, [string, number]>(
    "INSERT INTO moved_batches (id, moved_at) VALUES (?, ?) ON CONFLICT (id) DO NOTHING",
  );
  const findCamera = connection.prepare<{ id: number }, [string]>("SELECT id FROM cameras WHERE serial_number = ?");
  const insertReading = connection.prepare<never, ReadingBinding>(
    `INSERT INTO alpr_readings (${READING_COLUMNS.join(", ")}) VALUES (${READING_COLUMNS.map(() => "?").join(", ")})`,
  );
  const insertMessage = connection.prepare<never, Record<string, string | number | null>[]>(
    `INSERT INTO messages_queue (id, reading_id, camera_id, created_at, updated_at, status, attempts, reason, last_error,
       next_retry_at, last_failed_at)
     VALUES ($id, $id, $camera, $received, $updated, $status, $attempts, $reason, $lastError, $nextRetry, $lastFailed)`,
  );
  const insertAttempt = connection.prepare<never, [number, number, number, string, string, number]>(
    "INSERT INTO message_attempts (message_id, number, at, kind, detail, duration_ms) VALUES (?, ?, ?, ?, ?, ?)",
  );
  const addQueued = connection.prepare<never, [number]>("UPDATE balance SET count = count + ? WHERE part = 'queued'");
  const hashes = connection.prepare<{ key: Uint8Array; seenMs: number }, [Uint8Array, number]>(
    "SELECT key, seen_at AS seenMs FROM dedupe WHERE key > ? ORDER BY key LIMIT ?",
  );
  const addHash = connection.prepare<never, [Uint8Array, number]>(
    "INSERT INTO dedupe (key, seen_at) VALUES (?, ?) ON CONFLICT (key) DO NOTHING",
  );

  const insert = (message: StoredMessage): void => {
    const { reading, history } = message;
    const camera = findCamera.get(reading.cameraSerial);
    if (camera === null) throw missingCamera(reading.cameraSerial);
    const binding = bindReading({ ...reading, dedupeKey: NO_KEY }, camera.id);
    const id = Number(insertReading.run(...binding).lastInsertRowid);
    insertMessage.run({
      id,
      camera: camera.id,
      received: reading.receivedAt.getTime(),
      updated: message.updatedAt.getTime(),
      status: settledStatus(message.status),
      attempts: message.attempts,
      reason: message.reason,
      lastError: message.lastError,
      nextRetry: message.nextRetryAt?.getTime() ?? null,
      lastFailed: message.lastFailedAt?.getTime() ?? null,
    });
    for (const [index, { at, kind, detail, durationMs }] of history.entries()) {
      insertAttempt.run(id, index + 1, at.getTime(), kind, detail, durationMs);
    }
  };

  return {
    exportMessages: async (afterId, limit) =>
      connection.read("copying messages", () =>
        list.all(afterId, limit).map((row) => readStored(row, listAttempts.all(row.id))),
      ),
    importMessages: async (batchId, messages, now) =>
      connection.write("writing copied messages", () => {
        if (note.run(batchId, now.getTime()).changes === 0) return false;
        for (const message of messages) insert(message);
        addQueued.run(messages.length);
        return true;
      }),
    listHashes: async (afterKey, limit) =>
      connection.read("copying hashes", () =>
        hashes.all(afterKey ?? NO_KEY, limit).map(({ key, seenMs }) => ({ key, seenAt: new Date(seenMs) })),
      ),
    addHashes: async (given) =>
      connection.write("writing copied hashes", () => {
        for (const { key, seenAt } of given) addHash.run(key, seenAt.getTime());
      }),
  };
}

/** Nobody sends it any more: whoever did was stopped before the copy. */
export function settledStatus(status: MessageStatus): MessageStatus {
  return status === "SENDING" ? "PENDING" : status;
}

export function missingCamera(serial: string): AppError {
  return new AppError("conflict", `writing copied messages: no camera of this serial is registered (${serial})`);
}

function readStored(
  row: MessageRow,
  history: readonly { at: number; kind: MessageAttempt["kind"]; detail: string; durationMs: number }[],
): StoredMessage {
  return {
    id: row.id,
    reading: {
      protocol: row.protocol,
      cameraSerial: row.serial,
      facts: readFacts(row),
      capturedAt: new Date(row.capturedMs),
      timeSource: row.timeSource,
      receivedAt: new Date(row.receivedMs),
      extra: row.extra === null ? {} : JSON.parse(row.extra),
      rawText: row.rawText ?? "",
      imageOcrPath: row.ocr,
      imageCtxPath: row.ctx,
    },
    status: row.status,
    attempts: row.attempts,
    reason: row.reason,
    lastError: row.lastError,
    nextRetryAt: dateOrNull(row.nextRetryMs),
    lastFailedAt: dateOrNull(row.lastFailedMs),
    updatedAt: new Date(row.updatedMs),
    history: history.map((attempt) => ({ ...attempt, at: new Date(attempt.at) })),
  };
}
