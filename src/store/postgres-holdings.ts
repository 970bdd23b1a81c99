import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import type { Holdings, QueueCount } from "./holdings.ts";
import type { Pool } from "./postgres-connection.ts";
import type { Removal } from "./postgres-removal.ts";
import { json } from "./postgres-rows.ts";
import { lockRegistry } from "./postgres-saving.ts";
import { type PictureRow, SELECT_PICTURES } from "./postgres-settle.ts";
import { anyOf } from "./postgres-table.ts";
import type { Tallies } from "./postgres-tallies.ts";
import type { Unqueued } from "./postgres-unqueued.ts";
import { imagePathsOf } from "./sqlite-settle.ts";

/** Rows that lose their pictures in one transaction; between two of them other writers have their turn. */
const STEP_ROWS = 2000;

/** Totals, and what is done to everything at once. */
export function createHoldings(
  pool: Pool,
  tallies: Tallies,
  unqueued: Unqueued,
  removal: Pick<Removal, "findWaiting" | "removeIdle">,
  clock: Clock,
): Holdings {
  const listRetiring = async (): Promise<number[]> => {
    const rows = await pool.query<{ id: number }>(
      "listing cameras",
      "SELECT camera_id AS id FROM retiring_cameras ORDER BY camera_id",
    );
    return rows.map(({ id }) => id);
  };

  return {
    countQueue: () =>
      pool.patiently("counting messages", (run) =>
        run<QueueCount>(`SELECT camera_id AS "cameraId", status, count(*) AS count, min(created_at) AS "oldestAt" FROM messages_queue
         GROUP BY camera_id, status ORDER BY camera_id, status COLLATE "C"`),
      ),
    countRows: () =>
      pool.patiently("counting rows", async (run) => {
        const tables = await run<{ name: string }>(
          `SELECT tablename AS name FROM pg_catalog.pg_tables WHERE schemaname = current_schema() ORDER BY tablename COLLATE "C"`,
        );
        const counts: { table: string; rows: number }[] = [];
        for (const { name } of tables) {
          const [row] = await run<{ rows: number }>(`SELECT count(*) AS rows FROM "${name.replaceAll('"', '""')}"`);
          counts.push({ table: name, rows: row?.rows ?? 0 });
        }
        return counts;
      }),
    listImagePaths: async (cameraIds) => {
      const rows = await pool.patiently("listing images", (run) =>
        run<PictureRow>(
          `SELECT r.id, ${SELECT_PICTURES} FROM alpr_readings r WHERE r.camera_id = ${anyOf("$1", "integer")} ORDER BY r.id`,
          [json(cameraIds)],
        ),
      );
      return imagePathsOf(rows);
    },
    countUnqueued: (cameraIds) => unqueued.count(cameraIds),
    countPictured: () =>
      pool.patiently("counting images", async (run) => {
        const [row] = await run<{ count: number }>(
          `SELECT count(*) AS count FROM alpr_readings r
           WHERE (r.image_ocr_path IS NOT NULL OR r.image_ctx_path IS NOT NULL)
             AND NOT EXISTS (SELECT 1 FROM messages_queue q WHERE q.reading_id = r.id AND q.status = 'SENDING')`,
        );
        return row?.count ?? 0;
      }),
    detachImages: async (limit = Number.POSITIVE_INFINITY, after = 0) => {
      const imagePaths: string[] = [];
      let readings = 0;
      let last = after;
      for (let full = true; full; ) {
        const most = Math.min(STEP_ROWS, limit - readings);
        const rows = await pool.query<PictureRow>(
          "forgetting images",
          `WITH picked AS MATERIALIZED (
             SELECT r.id, ${SELECT_PICTURES} FROM alpr_readings r JOIN messages_queue q ON q.reading_id = r.id
             WHERE r.id > $1::text::bigint AND q.status <> 'SENDING'
               AND (r.image_ocr_path IS NOT NULL OR r.image_ctx_path IS NOT NULL)
             ORDER BY r.id LIMIT $2::text::integer FOR UPDATE OF r, q),
           detached AS (
             UPDATE alpr_readings SET image_ocr_path = NULL, image_ctx_path = NULL, has_image_ocr = false, has_image_ctx = false
             WHERE id = ANY (ARRAY(SELECT id FROM picked)))
           SELECT * FROM picked ORDER BY id`,
          [String(last), String(most)],
        );
        imagePaths.push(...imagePathsOf(rows));
        readings += rows.length;
        last = rows.at(-1)?.id ?? last;
        full = rows.length === most && readings < limit;
        if (full) await clock.sleep(0);
      }
      const left = await unqueued.detachImages(limit - readings);
      return { readings: readings + left.readings, imagePaths: [...imagePaths, ...left.imagePaths], last };
    },
    discardUnqueued: (cameraSerial, limit) => unqueued.discard(cameraSerial, limit),
    forgetTallies: () => tallies.forget(),
    retireCamera: (id) =>
      pool.transaction("retiring a camera", async (run) => {
        const off = await run("UPDATE cameras SET active = false WHERE id = $1::text::bigint", [String(id)]);
        if (off.count === 0) throw new AppError("not-found", `retiring a camera: no camera with this id (${id})`);
        await run("INSERT INTO retiring_cameras (camera_id) VALUES ($1::text::integer) ON CONFLICT DO NOTHING", [
          String(id),
        ]);
      }),
    listRetiring,
    removeRetired: async () => {
      // Asked once a minute for ever: nothing is written where nothing is marked.
      if ((await listRetiring()).length === 0) return [];
      return pool.patiently("removing cameras", async (run) => {
        await lockRegistry(run);
        const marked = await run<{ id: number; serial: string }>(
          `WITH kept AS (DELETE FROM retiring_cameras WHERE camera_id IN (SELECT id FROM cameras WHERE active))
           SELECT c.id, c.serial_number AS serial FROM retiring_cameras t JOIN cameras c ON c.id = t.camera_id
           WHERE NOT c.active ORDER BY c.id`,
        );
        const keeping = await removal.findWaiting(
          run,
          marked.map(({ id }) => id),
        );
        const leaving = marked.filter(({ id }) => !keeping.has(id));
        const { waiting } = await removal.removeIdle(
          run,
          leaving.map(({ id }) => id),
        );
        return leaving.filter(({ id }) => !waiting.has(id)).map(({ serial }) => serial);
      });
    },
  };
}
