import type { Pool } from "./postgres-connection.ts";
import { json } from "./postgres-rows.ts";
import { type PictureRow, SELECT_PICTURES } from "./postgres-settle.ts";
import { anyOf } from "./postgres-table.ts";
import { imagePathsOf } from "./sqlite-settle.ts";

/** No index can know them: a look for them is one pass over readings and queue, less than a second for a million of each. */
const IS_UNQUEUED = "NOT EXISTS (SELECT 1 FROM messages_queue q WHERE q.reading_id = r.id)";

/** Rows of one transaction; between two of them other writers have their turn. */
const STEP_ROWS = 5000;

const FORGET = "image_ocr_path = NULL, image_ctx_path = NULL, has_image_ocr = false, has_image_ctx = false";

/** Readings that the replaced system left behind without a message; tattile itself writes and erases both together. */
export interface Unqueued {
  /** How many of these cameras, or (null) of all. */
  count(cameraIds: readonly number[] | null): Promise<number>;
  /** They forget their pictures, at most `limit` of them. @returns pictures to erase after */
  detachImages(limit: number): Promise<{ readings: number; imagePaths: readonly string[] }>;
  /** Erases those of one camera, or all; at most `limit`. @returns pictures to erase after */
  discard(cameraSerial: string | null, limit?: number): Promise<{ readings: number; imagePaths: readonly string[] }>;
}

export function createUnqueued(pool: Pool): Unqueued {
  /** Step by step, in the order of their ids. */
  const change = async (
    doing: string,
    where: string,
    parameters: readonly string[],
    by: string,
    limit: number,
  ): Promise<{ readings: number; imagePaths: readonly string[] }> => {
    const imagePaths: string[] = [];
    let readings = 0;
    for (let after = 0, most = 0; readings < limit; ) {
      most = Math.min(STEP_ROWS, limit - readings);
      const rows = await pool.patiently(doing, (run) =>
        run<PictureRow>(
          `WITH picked AS MATERIALIZED (
             SELECT r.id, ${SELECT_PICTURES} FROM alpr_readings r
             WHERE r.id > $1::text::bigint AND ${IS_UNQUEUED} AND ${where}
             ORDER BY r.id LIMIT ${most} FOR UPDATE OF r),
           changed AS (${by} WHERE id = ANY (ARRAY(SELECT id FROM picked)))
           SELECT * FROM picked ORDER BY id`,
          [String(after), ...parameters],
        ),
      );
      imagePaths.push(...imagePathsOf(rows));
      readings += rows.length;
      after = rows.at(-1)?.id ?? after;
      if (rows.length < most) break;
    }
    return { readings, imagePaths };
  };

  return {
    count: (cameraIds) =>
      pool.patiently("counting readings without a message", async (run) => {
        const [row] = await run<{ count: number }>(
          `SELECT count(*) AS count FROM alpr_readings r
           WHERE ($1::text IS NULL OR r.camera_id = ${anyOf("$1", "integer")}) AND ${IS_UNQUEUED}`,
          [cameraIds === null ? null : json(cameraIds)],
        );
        return row?.count ?? 0;
      }),
    detachImages: (limit) =>
      change(
        "forgetting images",
        "(r.image_ocr_path IS NOT NULL OR r.image_ctx_path IS NOT NULL)",
        [],
        `UPDATE alpr_readings SET ${FORGET}`,
        limit,
      ),
    discard: (cameraSerial, limit = Number.POSITIVE_INFINITY) =>
      change(
        "erasing readings without a message",
        cameraSerial === null ? "true" : "r.camera_id = (SELECT id FROM cameras WHERE serial_number = $2)",
        cameraSerial === null ? [] : [cameraSerial],
        "DELETE FROM alpr_readings",
        limit,
      ),
  };
}
