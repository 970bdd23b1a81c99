import { Database } from "bun:sqlite";
import { join } from "node:path";
import { openDiskStore } from "../../src/images/disk.ts";
import type { Pki } from "../../src/simulator/pki.ts";
import { OCR_BYTES, openGateway, startCameras, until } from "./gateway.ts";

/**
 * A process whose queue holds a million waiting messages for police that cannot be reached, while one reading a second comes
 * in: memory at its highest, and start to listening.
 */
export async function measureBacklog(root: string, pki: Pki, waiting: number, seconds: number) {
  await using stack = new AsyncDisposableStack();
  const gateway = await openGateway({
    root,
    task: "all",
    cameras: 4,
    // Nobody listens on the discard port: every connection is refused.
    endpoint: { url: "http://127.0.0.1:9/matr-ws", caPath: null },
    pki,
    prepare: async (_, data) => {
      const images = openDiskStore(join(data, "images"));
      await images.put(PICTURE_PATH, Buffer.alloc(OCR_BYTES, 7));
      images.close();
      fill(join(data, "tattile.db"), waiting);
    },
  });
  stack.defer(() => gateway.close());
  const cameras = startCameras(gateway, 4, seconds, ["--rate", "1", "--keep-open"]);
  stack.defer(() => cameras.stop());
  let highest = 0;
  const endsAt = performance.now() + seconds * 1000;
  await until(() => {
    highest = Math.max(highest, gateway.residentMegabytes());
    return performance.now() > endsAt;
  }, 2 * seconds);
  return { megabytes: highest, startMs: gateway.startMs ?? Number.NaN };
}

/** One picture serves them all: it is looked for before each delivery. */
const PICTURE_PATH = "x/2026/05/04/1_ocr.jpg";

/** Rows as queueing makes them, without the hours that it would take. */
function fill(path: string, count: number): void {
  const database = new Database(path);
  database.run(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
    INSERT INTO alpr_readings (id, camera_id, plate, timestamp_utc, created_at, protocol, time_source, image_ocr_path)
    SELECT i, (SELECT min(id) FROM cameras) + i % 4, 'T' || i, i, i, 'tattile-xml', 'camera', '${PICTURE_PATH}' FROM n`);
  database.run(`INSERT INTO messages_queue (id, reading_id, camera_id, created_at, updated_at, status)
    SELECT id, id, camera_id, created_at, created_at, 'PENDING' FROM alpr_readings`);
  database.run("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
}
