import type { Pool } from "./postgres-connection.ts";
import { imagePathsOf } from "./sqlite-settle.ts";
import { MISMATCHES } from "./sqlite-upkeep.ts";
import type { Upkeep } from "./upkeep.ts";

/** Damaged pages are PostgreSQL's own to find (amcheck, checksums); what is ours is whether the rows fit together. */
export function createUpkeep(pool: Pool): Upkeep {
  return {
    findFaults: async () => {
      const faults: string[] = [];
      for (const [what, sql] of MISMATCHES) {
        const [row] = await pool.query<{ count: number }>("checking the store", sql);
        if (Number(row?.count ?? 0) > 0) faults.push(`${what}: ${row?.count}`);
      }
      return faults;
    },
    listPictured: async (afterId, limit) => {
      const rows = await pool.query<{ id: number; ocr: string | null; ctx: string | null }>(
        "listing images",
        `SELECT id, image_ocr_path AS ocr, image_ctx_path AS ctx FROM alpr_readings
         WHERE id > $1::text::bigint AND (image_ocr_path IS NOT NULL OR image_ctx_path IS NOT NULL)
         ORDER BY id LIMIT $2::text::bigint`,
        [String(afterId), String(limit)],
      );
      return rows.map((row) => ({ readingId: Number(row.id), paths: imagePathsOf([row]) }));
    },
  };
}
