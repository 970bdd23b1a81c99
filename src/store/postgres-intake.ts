import type { Clock } from "../clock.ts";
import { createActivityTrimmer, hourOf, minuteOf } from "./postgres-activity.ts";
import type { Parameter, Pool } from "./postgres-connection.ts";
import { clean, FACT_COLUMNS, FACT_TYPES, instant, json, writeFacts } from "./postgres-rows.ts";
import { type Tallies, WRITE_TALLIES } from "./postgres-tallies.ts";
import { UNKNOWN_SERIAL } from "./sqlite-tallies.ts";
import type { IntakeEntry, IntakeResult, NewQuarantined, NewReading, QueueStore } from "./store.ts";

type Intake = Pick<QueueStore, "enqueue" | "isKnown" | "purgeDedupe">;

/** Said after every commit that queued something, for whoever listens; a hint that may get lost. */
export const QUEUED_CHANNEL = "tattile_queued";

export const READING_COLUMNS = [
  "device_sn",
  "timestamp_utc",
  "time_source",
  "protocol",
  "raw_xml",
  "extra",
  "exact",
  "image_ocr_path",
  "image_ctx_path",
  ...FACT_COLUMNS,
];

/**
 * A whole group in one statement. The order in which rows are locked is the same in every process: hashes by key, then
 * cameras by id; what many processes count into is only added to. So two groups wait for each other, but never in a circle.
 */
export const ENQUEUE = `/* tattile: enqueue */
  WITH given AS MATERIALIZED (
    SELECT g.*, decode(g.key, 'hex') AS dedupe_key, c.id AS camera_id, c.active,
      g.kind = 'reading' AND c.active IS TRUE
        AND row_number() OVER (PARTITION BY g.key, g.kind = 'reading' AND c.active IS TRUE ORDER BY g.ord) = 1 AS candidate
    FROM json_to_recordset($1::text::json) AS g (ord integer, kind text, serial text, key text, received_at timestamptz,
      timestamp_utc timestamptz, time_source text, protocol text, raw_xml text, extra jsonb, exact jsonb, image_ocr_path text,
      image_ctx_path text, device_sn text, ${FACT_TYPES.join(", ")},
      held_kind text, reason text, held_serial text, peer text, size_bytes bigint, path text)
    LEFT JOIN cameras c ON c.serial_number = g.serial),
  remembered AS (
    INSERT INTO dedupe (key, seen_at)
    SELECT dedupe_key, $2::text::timestamptz FROM given WHERE candidate ORDER BY dedupe_key
    ON CONFLICT (key) DO NOTHING RETURNING key),
  fresh AS MATERIALIZED (
    SELECT o.*, nextval('alpr_readings_id_seq') AS reading_id FROM (
      SELECT * FROM given WHERE candidate AND (dedupe_key IN (SELECT key FROM remembered)) IS TRUE ORDER BY ord) o),
  readings AS (
    INSERT INTO alpr_readings (id, camera_id, created_at, has_image_ocr, has_image_ctx, ${READING_COLUMNS.join(", ")})
    SELECT reading_id, camera_id, received_at, image_ocr_path IS NOT NULL, image_ctx_path IS NOT NULL,
      ${READING_COLUMNS.join(", ")} FROM fresh),
  messages AS (
    INSERT INTO messages_queue (reading_id, camera_id, created_at, updated_at)
    SELECT reading_id, camera_id, received_at, $2::text::timestamptz FROM fresh ORDER BY ord),
  held AS (
    INSERT INTO quarantine (node, kind, reason, camera_serial, protocol, peer, received_at, size_bytes, path)
    SELECT $3, held_kind, reason, held_serial, protocol, peer, received_at, size_bytes, path
    FROM given WHERE kind = 'quarantine' ORDER BY ord),
  result AS MATERIALIZED (
    SELECT g.ord, g.serial, g.camera_id, g.received_at, CASE
      WHEN g.kind = 'quarantine' THEN 'quarantined'
      WHEN g.kind <> 'reading' THEN g.kind
      WHEN g.camera_id IS NULL THEN 'unregistered'
      WHEN NOT g.active THEN 'inactive'
      WHEN (g.ord IN (SELECT ord FROM fresh)) IS TRUE THEN 'queued'
      ELSE 'duplicate' END AS result, g.kind, g.held_kind
    FROM given g),
  heard AS MATERIALIZED (
    SELECT camera_id, max(received_at) AS at FROM result
    WHERE camera_id IS NOT NULL AND kind <> 'quarantine' AND NOT (kind = 'reading' AND result = 'inactive') GROUP BY camera_id),
  older AS MATERIALIZED (
    SELECT c.id FROM cameras c WHERE c.id = ANY (ARRAY(SELECT camera_id FROM heard))
      AND (c.last_reading_at IS NULL OR c.last_reading_at < (SELECT h.at FROM heard h WHERE h.camera_id = c.id))
      AND (SELECT count(*) FROM fresh) >= 0
    ORDER BY c.id FOR NO KEY UPDATE),
  touched AS (
    UPDATE cameras c SET last_reading_at = greatest(c.last_reading_at, (SELECT h.at FROM heard h WHERE h.camera_id = c.id))
    WHERE c.id = ANY (ARRAY(SELECT id FROM older))),
  counted AS MATERIALIZED (
    SELECT CASE WHEN kind = 'quarantine' THEN coalesce(serial, '${UNKNOWN_SERIAL}') ELSE serial END AS serial,
      CASE WHEN kind = 'quarantine' THEN held_kind ELSE result END AS tally, count(*) AS count
    FROM result WHERE result <> 'unregistered' GROUP BY 1, 2),
  minutes AS (
    INSERT INTO minute_counts (minute, received, delivered)
    SELECT $5::text::timestamptz, count(*), 0 FROM fresh HAVING count(*) > 0),
  hours AS (
    INSERT INTO camera_hours (hour, camera_serial, received, least_delay_ms)
    SELECT $6::text::timestamptz, serial, count(*),
      (min(extract(epoch FROM received_at - timestamp_utc) * 1000) FILTER (WHERE time_source = 'camera'))::bigint
    FROM fresh GROUP BY serial),
  ${WRITE_TALLIES.replace("$room", "$4")}
  SELECT r.ord, r.result, (SELECT count(*) FROM strangers WHERE number <= $4::text::bigint) AS strangers,
    CASE WHEN r.ord = 0 AND EXISTS (SELECT 1 FROM fresh) THEN pg_notify('${QUEUED_CHANNEL}', '')::text END AS told
  FROM result r ORDER BY r.ord`;

/** What ENQUEUE answers for each entry, in their order. */
export interface EnqueuedRow {
  result: IntakeResult;
  /** New names of serials that no camera has, in all. */
  strangers: number;
}

/** @param parts `node`: whose folder held messages lie in; `room`: so many serials that no camera has may still be counted by name */
export function enqueueParameters(
  entries: readonly IntakeEntry[],
  now: Date,
  { node, room, clock }: { node: string; room: number; clock: Clock },
): Parameter[] {
  return [json(entries.map(writeEntry)), instant(now), node, String(room), minuteOf(clock.now()), hourOf(clock.now())];
}

/** Readings into the queue, each content once, a group in one round trip. @param node whose folder held messages lie in */
export function createIntake(pool: Pool, tallies: Tallies, node: string, clock: Clock): Intake {
  const trim = createActivityTrimmer(pool);
  return {
    enqueue: async (entries, now) => {
      if (entries.length === 0) return [];
      const parameters = enqueueParameters(entries, now, { node, room: await tallies.roomForStrangers(), clock });
      const rows = await pool.query<EnqueuedRow>("queueing readings", ENQUEUE, parameters);
      await trim(clock.now()).catch(() => {});
      tallies.noteStrangers(rows[0]?.strangers ?? 0);
      return rows.map(({ result }) => result);
    },
    isKnown: async (key) => {
      const rows = await pool.query(
        "looking for a reading",
        "/* tattile: known */ SELECT 1 FROM dedupe WHERE key = decode($1, 'hex')",
        [Buffer.from(key).toString("hex")],
      );
      return rows.length > 0;
    },
    purgeDedupe: async (before, limit) => {
      const rows = await pool.query(
        "forgetting old readings",
        `DELETE FROM dedupe WHERE key = ANY (ARRAY(
           SELECT key FROM dedupe WHERE seen_at < $1::text::timestamptz ORDER BY seen_at LIMIT $2::text::bigint FOR UPDATE SKIP LOCKED))`,
        [instant(before), String(limit)],
      );
      return rows.count;
    },
  };
}

function writeEntry(entry: IntakeEntry, ord: number): Record<string, unknown> {
  switch (entry.kind) {
    case "reading":
      return writeReading(entry.reading, ord);
    case "quarantine":
      return writeHeld(entry.quarantined, ord);
    case "not-read":
    case "inactive":
    case "duplicate":
      return { ord, kind: entry.kind, serial: entry.cameraSerial, received_at: instant(entry.receivedAt) };
  }
}

export function writeReading(reading: NewReading, ord: number): Record<string, unknown> {
  const { exact, ...facts } = writeFacts(reading.facts);
  return {
    ord,
    kind: "reading",
    serial: reading.cameraSerial,
    key: Buffer.from(reading.dedupeKey).toString("hex"),
    received_at: instant(reading.receivedAt),
    timestamp_utc: instant(reading.capturedAt),
    time_source: reading.timeSource,
    protocol: reading.protocol,
    raw_xml: reading.rawText,
    extra: Object.keys(reading.extra).length === 0 ? null : cleanRecord(reading.extra),
    exact: exact === null ? null : JSON.parse(exact),
    image_ocr_path: reading.imageOcrPath,
    image_ctx_path: reading.imageCtxPath,
    device_sn: reading.cameraSerial,
    ...facts,
  };
}

function writeHeld(held: NewQuarantined, ord: number): Record<string, unknown> {
  return {
    ord,
    kind: "quarantine",
    serial: held.cameraSerial,
    held_kind: held.kind,
    reason: held.reason,
    held_serial: held.cameraSerial,
    protocol: held.protocol,
    peer: held.peer,
    received_at: instant(held.receivedAt),
    size_bytes: held.sizeBytes,
    path: held.path,
  };
}

function cleanRecord(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [clean(name), value]));
}
