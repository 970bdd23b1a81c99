import type { Pool, Run } from "./postgres-connection.ts";
import { instant, json } from "./postgres-rows.ts";
import type { OperatorStore, Quarantined, QueueStore } from "./store.ts";

type Quarantine = Pick<
  OperatorStore,
  "listQuarantine" | "countQuarantine" | "findQuarantined" | "listAdoptable" | "dropQuarantined" | "trimQuarantine"
> &
  Pick<QueueStore, "findHeld">;

/** Rows that one look at what is to be trimmed brings into memory. */
const TRIM_STEP_ROWS = 1000;
const SELECT = `q.id, q.kind, q.reason, q.camera_serial AS "cameraSerial", q.protocol, q.peer, q.received_at AS "receivedAt",
  q.size_bytes AS "sizeBytes", q.path FROM quarantine q`;

/** The node of held messages whose content lies where every machine can read it. */
export const SHARED_NODE = "shared";
const OWN = "q.node = ANY (ARRAY(SELECT value FROM json_array_elements_text($1::text::json)))";

/**
 * Messages that could not be queued. On a disk their content is a file of the machine they came to, so each node sees and judges
 * its own only: another's would look as if its content were gone, and be dropped. In a bucket it is everyone's.
 */
export function createQuarantine(pool: Pool, nodes: readonly string[]): Quarantine {
  const node = json(nodes);
  return {
    listQuarantine: async ({ kind, cameraSerial }, limit, after = 0) =>
      pool.query<Quarantined>(
        "listing the quarantine",
        `SELECT ${SELECT} WHERE ${OWN} AND ($2::text IS NULL OR q.kind = $2) AND ($3::text IS NULL OR q.camera_serial = $3)
           AND q.id > $5::text::bigint ORDER BY q.id LIMIT $4::text::bigint`,
        [node, kind ?? null, cameraSerial ?? null, String(Math.max(0, limit)), String(after)],
      ),
    countQuarantine: async () =>
      (await pool.transaction("measuring the quarantine", (run) => measure(run, node))).count,
    findQuarantined: async (id) => {
      const [row] = await pool.query<Quarantined>(
        "finding a held message",
        `SELECT ${SELECT} WHERE ${OWN} AND q.id = $2::text::bigint`,
        [node, String(id)],
      );
      return row ?? null;
    },
    // A camera that is switched off takes nothing up: its held messages would only be counted and lost.
    listAdoptable: async (limit, after = 0) =>
      pool.query<Quarantined>(
        "listing the quarantine",
        `SELECT ${SELECT} JOIN cameras c ON c.serial_number = q.camera_serial AND c.active
         WHERE ${OWN} AND q.kind = 'unregistered' AND q.path IS NOT NULL AND q.id > $3::text::bigint
         ORDER BY q.id LIMIT $2::text::bigint`,
        [node, String(Math.max(0, limit)), String(after)],
      ),
    findHeld: async (paths) => {
      const rows = await pool.query<{ path: string }>(
        "looking for held messages",
        `SELECT q.path FROM quarantine q WHERE ${OWN}
           AND q.path = ANY (ARRAY(SELECT value FROM json_array_elements_text($2::text::json)))`,
        [node, json(paths)],
      );
      return new Set(rows.map(({ path }) => path));
    },
    dropQuarantined: async (ids) => {
      const rows = await pool.query<{ id: number; path: string | null }>(
        "dropping held messages",
        `DELETE FROM quarantine q WHERE ${OWN}
           AND id = ANY (ARRAY(SELECT value::bigint FROM json_array_elements_text($2::text::json))) RETURNING id, path`,
        [node, json(ids)],
      );
      const paths = new Map(rows.map(({ id, path }) => [id, path]));
      return ids.map((id) => paths.get(id) ?? null).filter((path) => path !== null);
    },
    trimQuarantine: async ({ count, bytes, before }) => {
      const isWithin = (held: Held): boolean => held.count <= count && held.bytes <= bytes;
      const old = (run: Run, limit: number) =>
        run<Quarantined>(
          `SELECT ${SELECT} WHERE ${OWN} AND q.received_at < $2::text::timestamptz ORDER BY q.id LIMIT $3::text::bigint`,
          [node, instant(before), String(limit)],
        );
      const isFine = await pool.transaction("measuring the quarantine", async (run) => {
        return isWithin(await measure(run, node)) && (await old(run, 1)).length === 0;
      });
      if (isFine) return [];
      return pool.transaction("trimming the quarantine", async (run) => {
        const drop = (rows: readonly Quarantined[]) =>
          run(
            "DELETE FROM quarantine WHERE id = ANY (ARRAY(SELECT value::bigint FROM json_array_elements_text($1::text::json)))",
            [json(rows.map(({ id }) => id))],
          );
        const gone: Quarantined[] = [...(await old(run, Number.MAX_SAFE_INTEGER))];
        await drop(gone);
        let held = await measure(run, node);
        while (!isWithin(held)) {
          // "malformed" sorts before "unregistered", and goes first: of the others a registration can still make readings.
          const first = await run<Quarantined>(
            `SELECT ${SELECT} WHERE ${OWN} ORDER BY q.kind, q.id LIMIT ${TRIM_STEP_ROWS}`,
            [node],
          );
          if (first.length === 0) break;
          const surplus: Quarantined[] = [];
          for (const row of first) {
            if (isWithin(held)) break;
            surplus.push(row);
            held = { count: held.count - 1, bytes: held.bytes - (row.path === null ? 0 : row.sizeBytes) };
          }
          await drop(surplus);
          gone.push(...surplus);
          held = await measure(run, node);
        }
        return gone;
      });
    },
  };
}

interface Held {
  count: number;
  bytes: number;
}

async function measure(run: Run, node: string): Promise<Held> {
  const [held] = await run<Held>(
    `SELECT count(*) AS count, coalesce(sum(size_bytes) FILTER (WHERE path IS NOT NULL), 0)::bigint AS bytes FROM quarantine q
     WHERE ${OWN}`,
    [node],
  );
  return held ?? { count: 0, bytes: 0 };
}
