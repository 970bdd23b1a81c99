import type { Connection } from "./sqlite-connection.ts";
import type { EnqueueWithin } from "./sqlite-intake.ts";
import type { Tallies } from "./sqlite-tallies.ts";
import type { IntakeResult } from "./store.ts";
import type { Transferred, TransferStore } from "./transfer.ts";

/** So long a batch is known; a mover that was switched off in the middle of it for longer would double it. */
export const BATCH_KNOWN_MS = 400 * 86_400_000;

/** Rolls the transaction back; never leaves this file. */
class Refused extends Error {
  readonly cameraSerials: readonly string[];
  constructor(cameraSerials: readonly string[]) {
    super("refused");
    this.cameraSerials = cameraSerials;
  }
}

/** Takes over batches of another store. */
export function createTransfer(connection: Connection, tallies: Tallies, enqueue: EnqueueWithin): TransferStore {
  const note = connection.prepare<never, [string, number]>(
    "INSERT INTO moved_batches (id, moved_at) VALUES (?, ?) ON CONFLICT (id) DO NOTHING",
  );
  const find = connection.prepare<{ found: number }, [string]>("SELECT 1 AS found FROM moved_batches WHERE id = ?");
  const forget = connection.prepare<never, [number]>("DELETE FROM moved_batches WHERE moved_at < ?");

  return {
    transfer: async (batchId, batch, now) => {
      try {
        return connection.write("taking over readings", (): Transferred => {
          if (note.run(batchId, now.getTime()).changes === 0) return { kind: "already" };
          const results = enqueue(batch.entries, now);
          const refused = refusedSerials(batch.entries, results);
          if (refused.length > 0) throw new Refused(refused);
          const sheet = tallies.open();
          for (const { cameraSerial, tally, count } of batch.tallies) sheet.add(cameraSerial, tally, count);
          sheet.write();
          forget.run(now.getTime() - BATCH_KNOWN_MS);
          return { kind: "moved", results };
        });
      } catch (error) {
        if (error instanceof Refused) return { kind: "refused", cameraSerials: error.cameraSerials };
        throw error;
      }
    },
    isTransferred: async (batchId) => connection.read("looking for a batch", () => find.get(batchId) !== null),
  };
}

/** Serials of readings that were not queued for want of a camera that is on. */
export function refusedSerials(
  entries: Parameters<EnqueueWithin>[0],
  results: readonly IntakeResult[],
): readonly string[] {
  const serials = new Set<string>();
  for (const [index, entry] of entries.entries()) {
    const result = results[index];
    if (entry.kind === "reading" && (result === "unregistered" || result === "inactive")) {
      serials.add(entry.reading.cameraSerial);
    }
  }
  return [...serials];
}
