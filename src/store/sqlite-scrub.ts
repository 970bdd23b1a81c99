import { type Connection, sqliteCode } from "./sqlite-connection.ts";
import { READING_COLUMNS } from "./sqlite-rows.ts";
import type { Store } from "./store.ts";

/** Scrubbing is never urgent: a store that another process uses right now is left for the next call. */
const PATIENCE_MS = 50;
/** The largest table that is written anew (about 10 MB); with more rows it blocks the process for too long. */
const MOST_ROWS = 5000;
/** A table is written anew once a quarter of it was erased, or after one call for every so many rows: flash wears out. */
const ROWS_PER_CALL = 50;

/**
 * Overwrites plates that are erased but still readable. `secure_delete` zeroes what it deletes; two copies escape it:
 * old pages in the WAL, cured by a checkpoint that empties it, and cells that SQLite moved when it split or merged pages,
 * left in the gap of a page (measured: about one erased plate in a thousand). Emptying a whole table zeroes all its pages,
 * gaps too: an empty table is emptied again, and a small one is taken into memory, emptied and put back.
 * In a table of more than 5,000 rows the gaps stay as they are until it has shrunk.
 */
export function createScrubber(connection: Connection, busyTimeoutMs: number): Pick<Store, "scrub"> {
  const measure = connection.prepare<{ erased: number; rows: number }, []>(
    "SELECT sum(count) FILTER (WHERE status = 'ERASED') AS erased, sum(count) FILTER (WHERE status <> 'ERASED') AS rows FROM queue_counts",
  );
  const hasReading = connection.prepare<{ found: number }, []>("SELECT 1 AS found FROM alpr_readings LIMIT 1");
  // Without a condition: only so is it an emptying and not a delete row by row. Stands between the two copies, in one transaction.
  const empty = connection.prepare<never, []>("DELETE FROM alpr_readings");
  const checkpoint = connection.prepare<{ busy: number }, []>("PRAGMA wal_checkpoint(TRUNCATE)");
  // How many rows had ever been erased when gaps and WAL were last clean. Unknown at the start: an earlier process may have been killed.
  let cleanGaps = -1;
  let cleanWal = -1;
  let calls = 0;

  const rewrite = (): void => {
    if (hasReading.get() === null) {
      empty.run();
      return;
    }
    const columns = ["id", ...READING_COLUMNS].join(", ");
    connection.database.run(`CREATE TEMP TABLE held_readings AS SELECT ${columns} FROM alpr_readings`);
    empty.run();
    connection.database.run(`INSERT INTO alpr_readings (${columns}) SELECT ${columns} FROM held_readings ORDER BY id`);
    connection.database.run("DROP TABLE held_readings");
  };

  const cleanUp = (): void => {
    const { erased, rows } = connection.read("scrubbing the store", () => measure.get()) ?? { erased: 0, rows: 0 };
    if (erased !== cleanGaps) {
      calls += 1;
      const isTime = (erased - cleanGaps) * 4 >= rows || calls * ROWS_PER_CALL >= rows;
      if (rows <= MOST_ROWS && isTime) {
        connection.write("scrubbing the store", rewrite);
        cleanGaps = erased;
        cleanWal = -1;
        calls = 0;
      }
    }
    if (erased !== cleanWal && checkpoint.get()?.busy === 0) cleanWal = erased;
  };

  return {
    scrub: async () => {
      connection.database.run(`PRAGMA busy_timeout = ${PATIENCE_MS}`);
      try {
        cleanUp();
      } catch (error) {
        if (!isBusy(error)) throw error;
      } finally {
        connection.database.run(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
      }
    },
  };
}

function isBusy(error: unknown): boolean {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return sqliteCode(cause)?.startsWith("SQLITE_BUSY") ?? false;
}
