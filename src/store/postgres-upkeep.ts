import type { Pool } from "./postgres-connection.ts";
import { SELECT_PICTURES } from "./postgres-settle.ts";
import { imagePathsOf } from "./sqlite-settle.ts";
import { MISMATCHES } from "./sqlite-upkeep.ts";
import type { Upkeep } from "./upkeep.ts";

const MAX_INTEGER = 2_147_483_647;

/** Damaged pages are PostgreSQL's own to find (amcheck, checksums); what is ours is whether the rows fit together. */
export function createUpkeep(pool: Pool): Upkeep {
  return {
    findFaults: () =>
      pool.patiently("checking the store", async (run) => {
        const faults: string[] = [];
        for (const [what, sql] of MISMATCHES) {
          const [row] = await run<{ count: number }>(sql);
          if (Number(row?.count ?? 0) > 0) faults.push(`${what}: ${row?.count}`);
        }
        // Of what the replaced system numbered in integer: time to widen it, long before the last number.
        const numbers = await run<{ name: string; used: number }>(
          `SELECT sequencename AS name, last_value AS used FROM pg_catalog.pg_sequences
           WHERE schemaname = current_schema() AND data_type = 'integer'::regtype AND last_value > ${MAX_INTEGER / 2} ORDER BY 1`,
        );
        for (const { name, used } of numbers) {
          faults.push(
            `numbers used up: ${name} is at ${used} of ${MAX_INTEGER} (docs/postgresql.md says how to widen it)`,
          );
        }
        return faults;
      }),
    listPictured: async (afterId, limit) => {
      const rows = await pool.query<{ id: number; ocr: string | null; ctx: string | null }>(
        "listing images",
        `SELECT r.id, ${SELECT_PICTURES} FROM alpr_readings r
         WHERE r.id > $1::text::bigint AND (r.image_ocr_path IS NOT NULL OR r.image_ctx_path IS NOT NULL)
         ORDER BY r.id LIMIT $2::text::bigint`,
        [String(afterId), String(limit)],
      );
      return rows.map((row) => ({ readingId: Number(row.id), paths: imagePathsOf([row]) }));
    },
  };
}
