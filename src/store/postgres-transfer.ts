import type { Clock } from "../clock.ts";
import type { Pool, Run } from "./postgres-connection.ts";
import { ENQUEUE, type EnqueuedRow, enqueueParameters } from "./postgres-intake.ts";
import { instant, json } from "./postgres-rows.ts";
import type { Tallies } from "./postgres-tallies.ts";
import { BATCH_KNOWN_MS, refusedSerials } from "./sqlite-transfer.ts";
import type { TallyCount, Transferred, TransferStore } from "./transfer.ts";

/** Rolls the transaction back; never leaves this file. */
class Refused extends Error {
  readonly cameraSerials: readonly string[];
  constructor(cameraSerials: readonly string[]) {
    super("refused");
    this.cameraSerials = cameraSerials;
  }
}

/** Takes over batches of another store. @param node whose folder held messages lie in */
export function createTransfer(pool: Pool, tallies: Tallies, node: string, clock: Clock): TransferStore {
  return {
    transfer: async (batchId, { entries, tallies: counts }, now) => {
      const room = await tallies.roomForStrangers();
      try {
        return await pool.transaction("taking over readings", async (run): Promise<Transferred> => {
          // Two movers of one batch: the second waits here for the first, and then writes nothing.
          const noted = await run(
            `INSERT INTO moved_batches (id, moved_at) VALUES ($1, $2::text::timestamptz) ON CONFLICT (id) DO NOTHING`,
            [batchId, instant(now)],
          );
          if (noted.count === 0) return { kind: "already" };
          const rows =
            entries.length === 0
              ? []
              : await run<EnqueuedRow>(ENQUEUE, enqueueParameters(entries, now, { node, room, clock }));
          const results = rows.map(({ result }) => result);
          const refused = refusedSerials(entries, results);
          if (refused.length > 0) throw new Refused(refused);
          await addTallies(run, counts);
          await run("DELETE FROM moved_batches WHERE moved_at < $1::text::timestamptz", [
            instant(new Date(now.getTime() - BATCH_KNOWN_MS)),
          ]);
          return { kind: "moved", results };
        });
      } catch (error) {
        if (error instanceof Refused) return { kind: "refused", cameraSerials: error.cameraSerials };
        throw error;
      }
    },
    isTransferred: async (batchId) => {
      const rows = await pool.query("looking for a batch", "SELECT 1 FROM moved_batches WHERE id = $1", [batchId]);
      return rows.length > 0;
    },
  };
}

async function addTallies(run: Run, counts: readonly TallyCount[]): Promise<void> {
  if (counts.length === 0) return;
  await run(
    `INSERT INTO tallies (camera_serial, tally, count)
     SELECT serial, tally, count FROM json_to_recordset($1::text::json) AS g (serial text, tally text, count bigint)`,
    [json(counts.map(({ cameraSerial, tally, count }) => ({ serial: cameraSerial, tally, count })))],
  );
}
