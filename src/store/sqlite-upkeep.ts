import type { Connection } from "./sqlite-connection.ts";
import { imagePathsOf } from "./sqlite-settle.ts";
import type { Upkeep } from "./upkeep.ts";

/** Of a thoroughly damaged file only the first faults are told. */
const MOST_FAULTS = 20;

type Mismatches = readonly (readonly [what: string, sql: string])[];

/** Rows that miss each other, and counts that drifted; each query gives one number, which should be 0. */
const WITHIN_QUEUE: Mismatches = [
  [
    "readings without a message",
    "SELECT count(*) AS count FROM alpr_readings r WHERE NOT EXISTS (SELECT 1 FROM messages_queue q WHERE q.reading_id = r.id)",
  ],
  [
    "messages without a reading",
    "SELECT count(*) AS count FROM messages_queue q WHERE NOT EXISTS (SELECT 1 FROM alpr_readings r WHERE r.id = q.reading_id)",
  ],
  [
    "messages more or fewer than counted",
    `SELECT abs((SELECT count(*) FROM messages_queue)
       - (SELECT coalesce(sum(count), 0) FROM queue_counts WHERE status <> 'ERASED')) AS count`,
  ],
];

export const MISMATCHES: Mismatches = [
  ...WITHIN_QUEUE,
  [
    "messages of cameras that are not there",
    "SELECT count(*) AS count FROM messages_queue q WHERE NOT EXISTS (SELECT 1 FROM cameras c WHERE c.id = q.camera_id)",
  ],
];

/** Of a spool: its cameras are a copy that gets new ids each time, and each reading needs its hash to move. */
export const SPOOL_MISMATCHES: Mismatches = [
  ...WITHIN_QUEUE,
  [
    "readings without their hash",
    "SELECT count(*) AS count FROM alpr_readings r WHERE NOT EXISTS (SELECT 1 FROM spooled_keys k WHERE k.reading_id = r.id)",
  ],
];

export function createUpkeep(connection: Connection, mismatches: Mismatches = MISMATCHES): Upkeep {
  const listPictured = connection.prepare<{ id: number; ocr: string | null; ctx: string | null }, [number, number]>(
    `SELECT id, image_ocr_path AS ocr, image_ctx_path AS ctx FROM alpr_readings
     WHERE id > ? AND (image_ocr_path IS NOT NULL OR image_ctx_path IS NOT NULL) ORDER BY id LIMIT ?`,
  );
  const all = <T>(sql: string): T[] => {
    const statement = connection.database.prepare<T, []>(sql);
    try {
      return statement.all();
    } finally {
      statement.finalize();
    }
  };

  return {
    findFaults: async () =>
      connection.read("checking the store", () => {
        const faults = all<{ integrity_check: string }>(`PRAGMA integrity_check(${MOST_FAULTS})`)
          .map((row) => row.integrity_check)
          .filter((text) => text !== "ok");
        const references = all<{ table: string; parent: string }>("PRAGMA foreign_key_check").slice(0, MOST_FAULTS);
        faults.push(...references.map(({ table, parent }) => `${table}: a reference to ${parent} leads nowhere`));
        for (const [what, sql] of mismatches) {
          const count = all<{ count: number }>(sql)[0]?.count ?? 0;
          if (count > 0) faults.push(`${what}: ${count}`);
        }
        return faults;
      }),
    listPictured: async (afterId, limit) =>
      connection.read("listing images", () =>
        listPictured.all(afterId, limit).map((row) => ({ readingId: row.id, paths: imagePathsOf([row]) })),
      ),
  };
}
