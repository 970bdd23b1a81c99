import type { Clock } from "../clock.ts";
import { describeOutcome } from "../delivery.ts";
import { countsOf, minuteOf } from "./postgres-activity.ts";
import type { Pool } from "./postgres-connection.ts";
import { clean, cut, imagePath, instant, json } from "./postgres-rows.ts";
import { imagePathsOf } from "./sqlite-settle.ts";
import type { Claim, QueueStore, Settled } from "./store.ts";

/** Of a message's attempts the newest so many are kept. */
const ATTEMPTS_KEPT = 20;
const MAX_REASON_CHARS = 500;
const LEASE_ENDED = "the lease ended before an outcome was known";

type Settling = Pick<
  QueueStore,
  | "settle"
  | "bringForward"
  | "releaseExpired"
  | "listOwners"
  | "releaseOwner"
  | "takeBack"
  | "purgeDead"
  | "findReferenced"
>;

/** The picture columns of reading `r`, named `ocr` and `ctx`. */
export const SELECT_PICTURES = `${imagePath("r.image_ocr_path")} AS ocr, ${imagePath("r.image_ctx_path")} AS ctx`;

/**
 * A group of settlements in one statement. Only what is still held under the very lease it was claimed with is touched: a
 * lease that was lost, even to the same owner again, settles nothing. Locks are taken messages first, then cameras, each by id.
 */
const SETTLE = `/* tattile: settle */
  WITH given AS MATERIALIZED (
    SELECT * FROM json_to_recordset($1::text::json) AS g (ord integer, id bigint, owner text, until timestamptz, kind text,
      due timestamptz, spent integer, error text, reason text, attempt jsonb, attempt_at timestamptz,
      endpoint integer, counts json)),
  held AS MATERIALIZED (
    SELECT g.*, own.reading_id, own.camera_id FROM (SELECT * FROM given ORDER BY id) g CROSS JOIN LATERAL (
      SELECT q.reading_id, q.camera_id FROM messages_queue q
      WHERE q.id = g.id AND q.status = 'SENDING' AND q.lease_owner = g.owner AND q.lease_until = g.until FOR UPDATE) own),
  erased AS (
    DELETE FROM messages_queue q WHERE q.id = ANY (ARRAY(SELECT id FROM held WHERE kind = 'delivered'))),
  readings AS (
    DELETE FROM alpr_readings r WHERE r.id = ANY (ARRAY(
      SELECT h.reading_id FROM held h WHERE h.kind = 'delivered'
        AND NOT EXISTS (SELECT 1 FROM messages_queue o WHERE o.reading_id = h.reading_id AND o.id <> h.id)))),
  changed AS (
    UPDATE messages_queue q SET (status, next_retry_at, last_failed_at, attempts, last_error, reason, last_sent_at, attempt_log,
        lease_owner, lease_until, updated_at) = (
      SELECT CASE h.kind WHEN 'retry' THEN 'FAILED' WHEN 'dead' THEN 'DEAD' ELSE 'PENDING' END,
        CASE WHEN h.kind = 'retry' THEN h.due END,
        CASE WHEN h.kind = 'release' THEN q.last_failed_at ELSE $2::text::timestamptz END,
        q.attempts + h.spent,
        CASE WHEN h.kind = 'release' THEN q.last_error ELSE h.error END,
        CASE WHEN h.kind = 'dead' THEN h.reason END,
        coalesce(h.attempt_at, q.last_sent_at),
        CASE WHEN h.attempt IS NULL THEN q.attempt_log
          WHEN jsonb_array_length(coalesce(q.attempt_log, '[]')) >= ${ATTEMPTS_KEPT} THEN (q.attempt_log - 0) || h.attempt
          ELSE coalesce(q.attempt_log, '[]') || h.attempt END,
        NULL::text, NULL::timestamptz, $2::text::timestamptz
      FROM held h WHERE h.id = q.id)
    WHERE q.id = ANY (ARRAY(SELECT id FROM held WHERE kind <> 'delivered'))),
  sent AS MATERIALIZED (
    SELECT c.id FROM cameras c WHERE c.id = ANY (ARRAY(SELECT camera_id FROM held WHERE kind = 'delivered'))
    ORDER BY c.id FOR NO KEY UPDATE),
  touched AS (
    UPDATE cameras c SET last_sent_at = $2::text::timestamptz WHERE c.id = ANY (ARRAY(SELECT id FROM sent))),
  tallied AS (
    INSERT INTO tallies (camera_serial, tally, count)
    SELECT (SELECT c.serial_number FROM cameras c WHERE c.id = h.camera_id), h.kind, count(*) FROM held h
    WHERE h.kind IN ('delivered', 'dead') GROUP BY h.camera_id, h.kind),
  balanced AS (
    INSERT INTO balance (part, count) SELECT 'delivered', count(*) FROM held WHERE kind = 'delivered' HAVING count(*) > 0),
  minutes AS (
    INSERT INTO minute_counts (minute, received, delivered)
    SELECT $3::text::timestamptz, 0, count(*) FROM held WHERE kind = 'delivered' HAVING count(*) > 0),
  measured AS (
    INSERT INTO delivery_counts (endpoint_id, kind, label, count)
    SELECT h.endpoint, x.kind, x.label, sum(x.count)
    FROM held h CROSS JOIN LATERAL json_to_recordset(h.counts) AS x (kind text, label text, count double precision)
    GROUP BY 1, 2, 3)
  SELECT ord FROM held`;

/** Erases messages and their readings, counted as `tally`. `picked` selects their ids; what comes back is for `readErased`. */
export function eraseSql(picked: string, tally: string): string {
  return `WITH picked AS MATERIALIZED (${picked}),
    gone AS (
      DELETE FROM messages_queue q WHERE q.id = ANY (ARRAY(SELECT id FROM picked))
      RETURNING q.id, q.reading_id, q.camera_id),
    readings AS (
      DELETE FROM alpr_readings r WHERE r.id = ANY (ARRAY(
        SELECT g.reading_id FROM gone g
        WHERE NOT EXISTS (SELECT 1 FROM messages_queue o WHERE o.reading_id = g.reading_id
          AND (o.id IN (SELECT id FROM gone)) IS NOT TRUE)))
      RETURNING r.id, ${SELECT_PICTURES}),
    tallied AS (
      INSERT INTO tallies (camera_serial, tally, count)
      SELECT coalesce((SELECT c.serial_number FROM cameras c WHERE c.id = g.camera_id), ''), '${tally}', count(*) FROM gone g
      GROUP BY g.camera_id),
    balanced AS (
      INSERT INTO balance (part, count) SELECT '${tally}', count(*) FROM gone HAVING count(*) > 0)
    SELECT g.id, NULL AS ocr, NULL AS ctx FROM gone g
    UNION ALL
    SELECT NULL, r.ocr, r.ctx FROM readings r WHERE r.ocr IS NOT NULL OR r.ctx IS NOT NULL`;
}

const PURGE = `/* tattile: purge */ ${eraseSql(
  `SELECT q.id FROM messages_queue q WHERE q.status = 'DEAD' AND q.updated_at < $1::text::timestamptz
   ORDER BY q.updated_at LIMIT $2::text::integer FOR UPDATE SKIP LOCKED`,
  "expired",
)}`;

/** What the replaced system delivered and left. */
const PURGE_DELIVERED = eraseSql(
  `SELECT q.id FROM messages_queue q WHERE q.status = 'SUCCESS' ORDER BY q.id LIMIT $1::text::integer FOR UPDATE SKIP LOCKED`,
  "delivered",
);

export type PictureRow = { id: number; ocr: string | null; ctx: string | null };
export type ErasedRow = Omit<PictureRow, "id"> & { id: number | null };

/** A row with an id is a message that went, one without the pictures of a reading. */
export function readErased(rows: readonly ErasedRow[]): { ids: readonly number[]; imagePaths: readonly string[] } {
  return { ids: rows.map(({ id }) => id).filter((id) => id !== null), imagePaths: imagePathsOf(rows) };
}

/** How a message leaves SENDING, and how it leaves the store. */
export function createSettling(pool: Pool, clock: Clock): Settling {
  return {
    settle: async (settled, now) => {
      // The second of two settlements of one claim finds it settled.
      const firsts = new Map<string, number>();
      for (const [index, { claim }] of settled.entries()) {
        const key = `${claim.messageId} ${claim.leaseUntil.getTime()} ${claim.owner}`;
        if (!firsts.has(key)) firsts.set(key, index);
      }
      const given = [...firsts.values()].map((index) => {
        const one = settled[index] as Settled;
        const { endpointId } = one.claim.route;
        return { ...writeSettlement(one, index), endpoint: endpointId, counts: countsOf(one, now) };
      });
      if (given.length === 0) return [];
      const parameters = [json(given), instant(now), minuteOf(clock.now())];
      const rows = await pool.query<{ ord: number }>("settling messages", SETTLE, parameters);
      const kept = new Set(rows.map(({ ord }) => ord));
      return settled.map((_, index) => kept.has(index));
    },
    bringForward: async (now, limit) => {
      const rows = await pool.query(
        "bringing messages forward",
        `/* tattile: bring forward */ UPDATE messages_queue SET next_retry_at = $1::text::timestamptz
         WHERE id = ANY (ARRAY(SELECT id FROM messages_queue WHERE status = 'FAILED' AND next_retry_at > $1::text::timestamptz
           LIMIT $2::text::integer FOR UPDATE SKIP LOCKED))`,
        [instant(now), String(limit)],
      );
      return rows.count;
    },
    releaseExpired: async (now) => {
      const rows = await pool.query(
        "ending leases",
        `/* tattile: expire */ UPDATE messages_queue SET status = 'FAILED', next_retry_at = $1::text::timestamptz, last_error = $2,
           lease_owner = NULL, lease_until = NULL, updated_at = $1::text::timestamptz
         WHERE id = ANY (ARRAY(SELECT id FROM messages_queue WHERE status = 'SENDING' AND lease_until <= $1::text::timestamptz
           ORDER BY lease_until FOR UPDATE SKIP LOCKED))`,
        [instant(now), LEASE_ENDED],
      );
      return rows.count;
    },
    listOwners: async () => {
      const rows = await pool.query<{ owner: string }>(
        "listing owners",
        `SELECT DISTINCT lease_owner COLLATE "C" AS owner FROM messages_queue WHERE status = 'SENDING' AND lease_until IS NOT NULL
         ORDER BY 1`,
      );
      return rows.map(({ owner }) => owner);
    },
    releaseOwner: async (owner, now) => {
      const rows = await pool.query(
        "freeing messages",
        `UPDATE messages_queue SET status = 'PENDING', lease_owner = NULL, lease_until = NULL, updated_at = $2::text::timestamptz
         WHERE id = ANY (ARRAY(SELECT id FROM messages_queue WHERE status = 'SENDING' AND lease_until IS NOT NULL
           AND lease_owner = $1 ORDER BY id FOR UPDATE))`,
        [owner, instant(now)],
      );
      return rows.count;
    },
    takeBack: async (owner, held, now) => {
      const rows = await pool.query(
        "freeing messages",
        `/* tattile: take back */
         UPDATE messages_queue SET status = 'PENDING', lease_owner = NULL, lease_until = NULL, updated_at = $2::text::timestamptz
         WHERE id = ANY (ARRAY(SELECT q.id FROM messages_queue q WHERE q.status = 'SENDING' AND q.lease_until IS NOT NULL
           AND q.lease_owner = $1 AND q.updated_at < $2::text::timestamptz
           AND NOT EXISTS (SELECT 1 FROM json_array_elements_text($3::text::json) AS h (id) WHERE h.id::bigint = q.id)
           ORDER BY q.id FOR UPDATE OF q))`,
        [owner, instant(now), json([...held])],
      );
      return rows.count;
    },
    purgeDead: async (before, limit) => {
      const rows = await pool.query<ErasedRow>("erasing dead messages", PURGE, [instant(before), String(limit)]);
      const delivered = await pool.query<ErasedRow>("erasing delivered messages", PURGE_DELIVERED, [String(limit)]);
      const [dead, left] = [readErased(rows), readErased(delivered)];
      return {
        messages: dead.ids.length,
        imagePaths: [...dead.imagePaths, ...left.imagePaths],
        more: dead.ids.length >= limit || left.ids.length >= limit,
      };
    },
    findReferenced: async (paths) => {
      if (paths.length === 0) return new Set();
      const rows = await pool.query<{ path: string }>(
        "looking for images",
        `/* tattile: referenced */ SELECT p.path FROM json_array_elements_text($1::text::json) AS p (path)
         WHERE EXISTS (SELECT 1 FROM alpr_readings r WHERE r.image_ocr_path IS NOT NULL AND ${imagePath("r.image_ocr_path")} = p.path)
           OR EXISTS (SELECT 1 FROM alpr_readings r WHERE r.image_ctx_path IS NOT NULL AND ${imagePath("r.image_ctx_path")} = p.path)`,
        [json(paths)],
      );
      return new Set(rows.map(({ path }) => path));
    },
  };
}

function writeSettlement({ claim, settlement, attempt }: Settled, ord: number): Record<string, unknown> {
  const lease = leaseOf(claim);
  const log =
    attempt === null || settlement.kind === "delivered"
      ? {}
      : {
          attempt: {
            at: instant(attempt.at),
            kind: attempt.outcome.kind,
            detail: cut(describeOutcome(attempt.outcome)),
            durationMs: attempt.durationMs,
          },
          attempt_at: instant(attempt.at),
        };
  switch (settlement.kind) {
    case "delivered":
    case "release":
      return { ord, ...lease, kind: settlement.kind, spent: 0, ...log };
    case "retry": {
      const { at, spent, error } = settlement;
      return { ord, ...lease, kind: "retry", due: instant(at), spent: spent ? 1 : 0, error: cut(error), ...log };
    }
    case "dead": {
      const { reason, detail, spent } = settlement;
      const kept = clean(reason.slice(0, MAX_REASON_CHARS));
      return { ord, ...lease, kind: "dead", reason: kept, spent: spent ? 1 : 0, error: cut(detail), ...log };
    }
  }
}

function leaseOf(claim: Claim): { id: number; owner: string; until: string | null } {
  return { id: claim.messageId, owner: claim.owner, until: instant(claim.leaseUntil) };
}
