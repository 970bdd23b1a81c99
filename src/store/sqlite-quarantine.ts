import type { Connection } from "./sqlite-connection.ts";
import type { OperatorStore, Quarantined, QueueStore } from "./store.ts";

type Quarantine = Pick<
  OperatorStore,
  "listQuarantine" | "countQuarantine" | "findQuarantined" | "listAdoptable" | "dropQuarantined" | "trimQuarantine"
> &
  Pick<QueueStore, "findHeld">;
type QuarantinedRow = Omit<Quarantined, "receivedAt"> & { receivedAt: number };

/** Rows that one look at what is to be trimmed brings into memory. */
const TRIM_STEP_ROWS = 1000;
const SELECT = `q.id, q.kind, q.reason, q.camera_serial AS cameraSerial, q.protocol, q.peer, q.received_at AS receivedAt,
  q.size_bytes AS sizeBytes, q.path FROM quarantine q`;

/** Messages that could not be queued. The table is small: its bounds are kept by `trimQuarantine`. */
export function createQuarantine(connection: Connection): Quarantine {
  const list = connection.prepare<
    QuarantinedRow,
    { kind: string | null; serial: string | null; after: number; limit: number }[]
  >(
    `SELECT ${SELECT} WHERE q.id > $after AND ($kind IS NULL OR q.kind = $kind) AND ($serial IS NULL OR q.camera_serial = $serial)
     ORDER BY q.id LIMIT $limit`,
  );
  const find = connection.prepare<QuarantinedRow, [number]>(`SELECT ${SELECT} WHERE q.id = ?`);
  // A camera that is switched off takes nothing up: its held messages would only be counted and lost.
  const listAdoptable = connection.prepare<QuarantinedRow, [number, number]>(
    `SELECT ${SELECT} JOIN cameras c ON c.serial_number = q.camera_serial AND c.active = 1
     WHERE q.id > ? AND q.kind = 'unregistered' AND q.path IS NOT NULL ORDER BY q.id LIMIT ?`,
  );
  const drop = connection.prepare<{ path: string | null }, [number]>(
    "DELETE FROM quarantine WHERE id = ? RETURNING path",
  );
  const hasPath = connection.prepare<{ held: 1 }, [string]>("SELECT 1 AS held FROM quarantine WHERE path = ?");
  const measure = connection.prepare<{ count: number; bytes: number }, []>(
    "SELECT count(*) AS count, coalesce(sum(size_bytes) FILTER (WHERE path IS NOT NULL), 0) AS bytes FROM quarantine",
  );
  const listOld = connection.prepare<QuarantinedRow, [number]>(
    `SELECT ${SELECT} WHERE q.received_at < ? ORDER BY q.id`,
  );
  // "malformed" sorts before "unregistered", and goes first: of the others a registration can still make readings.
  const listFirst = connection.prepare<QuarantinedRow, [number]>(`SELECT ${SELECT} ORDER BY q.kind, q.id LIMIT ?`);

  return {
    listQuarantine: async ({ kind, cameraSerial }, limit, after = 0) =>
      connection.read("listing the quarantine", () =>
        list
          .all({ kind: kind ?? null, serial: cameraSerial ?? null, after, limit: Math.max(0, limit) })
          .map(readQuarantined),
      ),
    countQuarantine: async () => connection.read("measuring the quarantine", () => measure.get()?.count ?? 0),
    findQuarantined: async (id) =>
      connection.read("finding a held message", () => {
        const row = find.get(id);
        return row === null ? null : readQuarantined(row);
      }),
    listAdoptable: async (limit, after = 0) =>
      connection.read("listing the quarantine", () =>
        listAdoptable.all(after, Math.max(0, limit)).map(readQuarantined),
      ),
    findHeld: async (paths) =>
      connection.read("looking for held messages", () => new Set(paths.filter((path) => hasPath.get(path) !== null))),
    dropQuarantined: async (ids) =>
      connection.write("dropping held messages", () =>
        ids.map((id) => drop.get(id)?.path ?? null).filter((path) => path !== null),
      ),
    trimQuarantine: async ({ count, bytes, before }) => {
      const isWithin = (held: { count: number; bytes: number }): boolean => held.count <= count && held.bytes <= bytes;
      const measured = (): { count: number; bytes: number } => measure.get() ?? { count: 0, bytes: 0 };
      const nothingToDo = connection.read(
        "measuring the quarantine",
        () => isWithin(measured()) && listOld.get(before.getTime()) === null,
      );
      if (nothingToDo) return [];
      return connection.write("trimming the quarantine", () => {
        const gone = listOld.all(before.getTime());
        for (const { id } of gone) drop.get(id);
        let held = measured();
        while (!isWithin(held)) {
          for (const row of listFirst.all(TRIM_STEP_ROWS)) {
            if (isWithin(held)) break;
            drop.get(row.id);
            gone.push(row);
            held = { count: held.count - 1, bytes: held.bytes - (row.path === null ? 0 : row.sizeBytes) };
          }
          held = measured();
          if (held.count === 0) break;
        }
        return gone.map(readQuarantined);
      });
    },
  };
}

function readQuarantined(row: QuarantinedRow): Quarantined {
  return { ...row, receivedAt: new Date(row.receivedAt) };
}
