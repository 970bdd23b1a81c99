import type { Clock } from "../clock.ts";
import type { Pool } from "./postgres-connection.ts";
import { MAX_UNKNOWN_SERIALS, RECOUNT_AFTER_MS, UNKNOWN_SERIAL } from "./sqlite-tallies.ts";
import type { Tally } from "./store.ts";

/** Rows that are only added are folded together once there are so many more of them than sums. */
const FOLD_AFTER_ROWS = 200;
const FOLD_STEP_ROWS = 20_000;

/** Counts that many processes add to without waiting for each other: every statement adds rows, sums are read. */
export interface Tallies {
  list(): Promise<{ cameraSerial: string; tally: Tally; count: number }[]>;
  /** So many serials that no camera has may still be counted by name. */
  roomForStrangers(): Promise<number>;
  /** So many of them were counted just now. */
  noteStrangers(count: number): void;
  /** Forgets all. @returns how many there were */
  forget(): Promise<number>;
  /** Folds the added rows of every table of counts together. */
  fold(): Promise<void>;
}

/** The statement's part that writes tallies from `counted(serial, tally, count)`; `strangers` holds the new names. */
export const WRITE_TALLIES = `
  named AS MATERIALIZED (
    SELECT s.serial, s.serial = '${UNKNOWN_SERIAL}' OR EXISTS (SELECT 1 FROM tallies t WHERE t.camera_serial = s.serial)
      OR EXISTS (SELECT 1 FROM cameras c WHERE c.serial_number = s.serial) AS listed
    FROM (SELECT DISTINCT serial FROM counted) s),
  strangers AS MATERIALIZED (
    SELECT serial, row_number() OVER (ORDER BY serial) AS number FROM named WHERE NOT listed),
  tallied AS (
    INSERT INTO tallies (camera_serial, tally, count)
    SELECT CASE WHEN (SELECT s.number FROM strangers s WHERE s.serial = c.serial) > $room::text::bigint THEN '${UNKNOWN_SERIAL}'
      ELSE c.serial END, c.tally, c.count FROM counted c)`;

export function createTallies(pool: Pool, clock: Clock): Tallies {
  // Counting the serials costs a pass over the table: kept between, and counted anew now and then since others write too.
  let unknown = { count: 0, countedAtMs: Number.NEGATIVE_INFINITY };

  const foldTable = async (
    table: string,
    keys: string,
    sums: readonly string[] = ["count"],
    least: readonly string[] = [],
  ): Promise<void> => {
    const [size] = await pool.query<{ all: number; surplus: number }>(
      "folding counts",
      `SELECT count(*) AS all, count(*) - count(DISTINCT (${keys})) AS surplus FROM ${table}`,
    );
    if ((size?.surplus ?? 0) < FOLD_AFTER_ROWS) return;
    const folded = [...sums.map((sum) => `sum(${sum}) AS ${sum}`), ...least.map((one) => `min(${one}) AS ${one}`)];
    // As many steps as the rows that were there need, and no further: there may be more sums than one step takes.
    for (let left = size?.all ?? 0; left > 0; left -= FOLD_STEP_ROWS) {
      const [step] = await pool.query<{ gone: number }>(
        "folding counts",
        `WITH gone AS (
           DELETE FROM ${table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${table} LIMIT ${FOLD_STEP_ROWS} FOR UPDATE SKIP LOCKED))
           RETURNING *),
         added AS (
           INSERT INTO ${table} (${keys}, ${[...sums, ...least].join(", ")})
           SELECT * FROM (SELECT ${keys}, ${folded.join(", ")} FROM gone GROUP BY ${keys}) f WHERE ${sums.map((sum) => `f.${sum} <> 0`).join(" OR ")})
         SELECT count(*) AS gone FROM gone`,
      );
      if ((step?.gone ?? 0) < FOLD_STEP_ROWS) return;
    }
  };

  return {
    list: async () => {
      const rows = await pool.query<{ cameraSerial: string; tally: Tally; count: number }>(
        "reading the tallies",
        `SELECT camera_serial AS "cameraSerial", tally, sum(count)::bigint AS count FROM tallies
         GROUP BY 1, 2 ORDER BY 1, 2`,
      );
      return [...rows];
    },
    roomForStrangers: async () => {
      const nowMs = clock.monotonicMs();
      if (nowMs - unknown.countedAtMs >= RECOUNT_AFTER_MS) {
        const [row] = await pool.query<{ count: number }>(
          "counting strangers",
          `SELECT count(DISTINCT camera_serial) AS count FROM tallies t
           WHERE NOT EXISTS (SELECT 1 FROM cameras c WHERE c.serial_number = t.camera_serial)`,
        );
        unknown = { count: row?.count ?? 0, countedAtMs: nowMs };
      }
      return Math.max(0, MAX_UNKNOWN_SERIALS - unknown.count);
    },
    noteStrangers: (count) => {
      unknown.count += count;
    },
    forget: async () => {
      const forgotten = await pool.transaction("forgetting the counts", async (run) => {
        await run("DELETE FROM minute_counts");
        await run("DELETE FROM camera_hours");
        await run("DELETE FROM delivery_counts");
        // What waits was received. Both in one statement, for one moment.
        await run(
          `WITH gone AS (DELETE FROM balance) INSERT INTO balance SELECT 'queued', sum(count) FROM queue_counts HAVING sum(count) > 0`,
        );
        const [row] = await run<{ count: number }>(
          `WITH gone AS (DELETE FROM tallies RETURNING camera_serial, tally)
           SELECT count(DISTINCT (camera_serial, tally)) AS count FROM gone`,
        );
        return row?.count ?? 0;
      });
      unknown = { count: 0, countedAtMs: Number.NEGATIVE_INFINITY };
      return forgotten;
    },
    fold: async () => {
      await foldTable("tallies", "camera_serial, tally");
      await foldTable("queue_counts", "status, reason");
      await foldTable("balance", "part");
      await foldTable("minute_counts", "minute", ["received", "delivered"]);
      await foldTable("camera_hours", "hour, camera_serial", ["received"], ["least_delay_ms"]);
      await foldTable("delivery_counts", "endpoint_id, kind, label");
    },
  };
}
