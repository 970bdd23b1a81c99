import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import type { MessageStatus } from "../message.ts";
import type { Holdings } from "./holdings.ts";
import type { Connection } from "./sqlite-connection.ts";
import { imagePathsOf } from "./sqlite-settle.ts";
import type { Tallies } from "./sqlite-tallies.ts";

/** Rows that lose their pictures in one transaction; between two of them other writers have their turn. */
const STEP_ROWS = 2000;
/** Rows that are looked at at once; between two looks whoever shares this thread has his turn. */
const LOOK_ROWS = 10_000;

type PictureRow = { id: number; ocr: string | null; ctx: string | null };

/** Totals, and what is done to everything at once. */
export function createHoldings(connection: Connection, tallies: Tallies, clock: Clock): Holdings {
  const countQueue = connection.prepare<
    { cameraId: number; status: MessageStatus; count: number; oldestAt: number },
    []
  >(
    `SELECT camera_id AS cameraId, status, count(*) AS count, min(created_at) AS oldestAt FROM messages_queue
     GROUP BY camera_id, status ORDER BY camera_id, status`,
  );
  const listTables = connection.prepare<{ name: string }, []>(
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
  );
  const listPictures = connection.prepare<PictureRow, [number]>(
    `SELECT r.id, r.image_ocr_path AS ocr, r.image_ctx_path AS ctx FROM messages_queue q
     JOIN alpr_readings r ON r.id = q.reading_id WHERE q.camera_id = ? ORDER BY r.id`,
  );
  const lookForPictures = connection.prepare<{ last: number | null; rows: number; pictured: number }, [number]>(
    `SELECT max(id) AS last, count(*) AS rows, count(*) FILTER (WHERE pictured) AS pictured FROM (
       SELECT r.id, r.image_ocr_path IS NOT NULL OR r.image_ctx_path IS NOT NULL AS pictured FROM alpr_readings r
       JOIN messages_queue q ON q.id = r.id WHERE r.id > ? AND q.status <> 'SENDING' ORDER BY r.id LIMIT ${LOOK_ROWS})`,
  );
  const stepPictures = connection.prepare<PictureRow, [number, number]>(
    `SELECT r.id, r.image_ocr_path AS ocr, r.image_ctx_path AS ctx FROM alpr_readings r
     JOIN messages_queue q ON q.id = r.id
     WHERE r.id > ? AND q.status <> 'SENDING' AND (r.image_ocr_path IS NOT NULL OR r.image_ctx_path IS NOT NULL)
     ORDER BY r.id LIMIT ?`,
  );
  const detach = connection.prepare<never, [number]>(
    "UPDATE alpr_readings SET image_ocr_path = NULL, image_ctx_path = NULL WHERE id = ?",
  );
  const switchOff = connection.prepare<never, [number]>("UPDATE cameras SET active = 0 WHERE id = ?");
  const mark = connection.prepare<never, [number]>(
    "INSERT INTO retiring_cameras (camera_id) VALUES (?) ON CONFLICT DO NOTHING",
  );
  const listMarked = connection.prepare<{ id: number }, []>(
    "SELECT camera_id AS id FROM retiring_cameras ORDER BY camera_id",
  );
  const unmark = connection.prepare<never, []>(
    "DELETE FROM retiring_cameras WHERE camera_id IN (SELECT id FROM cameras WHERE active = 1)",
  );
  const remove = connection.prepare<{ serial: string }, []>(
    `DELETE FROM cameras WHERE id IN (SELECT camera_id FROM retiring_cameras)
       AND NOT EXISTS (SELECT 1 FROM messages_queue q WHERE q.camera_id = cameras.id)
     RETURNING serial_number AS serial`,
  );
  const listIds = (): number[] => listMarked.all().map(({ id }) => id);

  return {
    countQueue: async () =>
      connection.read("counting messages", () =>
        countQueue.all().map((row) => ({ ...row, oldestAt: new Date(row.oldestAt) })),
      ),
    countRows: async () =>
      connection.read("counting rows", () =>
        listTables.all().map(({ name }) => {
          const statement = connection.database.prepare<{ rows: number }, []>(`SELECT count(*) AS rows FROM "${name}"`);
          try {
            return { table: name, rows: statement.get()?.rows ?? 0 };
          } finally {
            statement.finalize();
          }
        }),
      ),
    listImagePaths: async (cameraIds) =>
      connection.read("listing images", () => cameraIds.flatMap((id) => imagePathsOf(listPictures.all(id)))),
    countPictured: async () => {
      let count = 0;
      for (let after = 0, full = true; full; ) {
        const found = connection.read("counting images", () => lookForPictures.get(after));
        count += found?.pictured ?? 0;
        after = found?.last ?? after;
        full = found?.rows === LOOK_ROWS;
        if (full) await clock.sleep(0);
      }
      return count;
    },
    detachImages: async (limit = Number.POSITIVE_INFINITY, after = 0) => {
      const imagePaths: string[] = [];
      let readings = 0;
      let last = after;
      for (let full = true; full; ) {
        const most = Math.min(STEP_ROWS, limit - readings);
        const rows = connection.write("forgetting images", () => {
          const found = stepPictures.all(last, most);
          for (const { id } of found) detach.run(id);
          return found;
        });
        imagePaths.push(...imagePathsOf(rows));
        readings += rows.length;
        last = rows.at(-1)?.id ?? last;
        full = rows.length === most && readings < limit;
        if (full) await clock.sleep(0);
      }
      return { readings, imagePaths, last };
    },
    // A reading and its message come and go in one transaction, and a file of another program is no store of ours.
    countUnqueued: async () => 0,
    discardUnqueued: async () => ({ readings: 0, imagePaths: [] }),
    forgetTallies: async () => connection.write("forgetting the counts", () => tallies.forget()),
    retireCamera: async (id) =>
      connection.write("retiring a camera", () => {
        if (switchOff.run(id).changes === 0) {
          throw new AppError("not-found", `retiring a camera: no camera with this id (${id})`);
        }
        mark.run(id);
      }),
    listRetiring: async () => connection.read("listing cameras", listIds),
    removeRetired: async () => {
      // Asked once a minute for ever: nothing is written where nothing is marked.
      if (connection.read("listing cameras", listIds).length === 0) return [];
      return connection.write("removing cameras", () => {
        unmark.run();
        return remove.all().map(({ serial }) => serial);
      });
    },
  };
}
