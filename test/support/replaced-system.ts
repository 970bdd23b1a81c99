import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createPictures } from "../../src/simulator/picture.ts";
import type { Pki } from "../../src/simulator/pki.ts";
import type { PostgresServer } from "./postgres-server.ts";

const DDL = readFileSync(new URL("../fixtures/replaced-system.sql", import.meta.url), "utf8");
const pictures = createPictures({ ocrBytes: 600, ctxBytes: 1500 }, 11, true);

/** What one queued reading of the replaced system must look like at the police. */
export interface ExpectedReading {
  plate: string;
  readerCode: string;
  /** The camera's own digits. */
  date: string;
  time: string;
  ocrSha256: string;
  ctxSha256: string | null;
}

/** The forms in which the replaced system wrote the path of a picture, over its years. */
const PATH_FORMS = ["", "data/images/", "./data/images/"];
const TOWNS = ["Vila", "Olot", "Òdena"];
/** Begins before an hour that does not exist in Madrid and goes on through it. */
const FIRST_SECOND = Date.UTC(2026, 2, 29, 1, 55, 0);

export function createReplacedTables(server: PostgresServer, database: string): Promise<unknown> {
  return server.run(database, DDL);
}

/**
 * A database as the replaced system leaves it when it is stopped with `count` readings in its queue, its pictures below
 * `folder`/data/images and its certificates below `folder`/data/certs. Three towns, each with its certificate written down in another way.
 */
export async function fillReplacedSystem(options: {
  server: PostgresServer;
  database: string;
  folder: string;
  pki: Pki;
  endpointUrl: string;
  count: number;
}): Promise<ExpectedReading[]> {
  const { server, database, folder, pki, endpointUrl, count } = options;
  await createReplacedTables(server, database);
  const certs = join(folder, "data/certs");
  const rows: string[] = [];
  for (const [index, town] of TOWNS.entries()) {
    const identity = await pki.issueClient({ organization: town });
    const home = join(certs, String(index + 1));
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, "key.pem"), identity.keyPem, { mode: 0o600 });
    // A bundle in the order in which it came out of the PFX: the leaf last.
    writeFileSync(join(home, "privpub.pem"), `${pki.caPem}\n${identity.certPem}`);
    const paths = [
      ["NULL", `'${home}/privpub.pem'`, `'${home}/key.pem'`],
      [`'${home}/privpub.pem'`, "'/nowhere.pem'", `'${home}/key.pem'`],
      ["NULL", `'data/certs/${index + 1}/privpub.pem'`, `'data/certs/${index + 1}/key.pem'`],
    ][index];
    const [clientCert, path, key] = paths ?? [];
    rows.push(`INSERT INTO municipalities (name, endpoint_id) VALUES ('${town}', 1);
      INSERT INTO certificates (name, type, client_cert_path, path, key_path, municipality_id)
        VALUES ('old ${town}', 'PEM', NULL, '/gone.pem', '/gone.key', ${index + 1});
      UPDATE certificates SET active = false WHERE name = 'old ${town}';
      INSERT INTO certificates (name, type, client_cert_path, path, key_path, municipality_id)
        VALUES ('${town}', 'PEM', ${clientCert}, ${path}, ${key}, ${index + 1});
      INSERT INTO cameras (serial_number, codigo_lector, municipality_id, utm_x, utm_y, coord_x, coord_y)
        VALUES ('20010088${index}0', 'R-${index}0', ${index + 1}, 430124.5, 4578123.45, NULL, NULL),
               ('20010088${index}1', 'R-${index}1', ${index + 1}, NULL, NULL, '430124.45', '4578123.45');`);
  }
  await server.run(
    database,
    `INSERT INTO endpoints (name, url, timeout_ms) VALUES ('police', '${endpointUrl}', 5000);${rows.join("")}`,
  );

  const expected: ExpectedReading[] = [];
  const readings: string[] = [];
  for (let n = 0; n < count; n++) {
    const at = new Date(FIRST_SECOND + n * 1000);
    const [date = "", time = ""] = at.toISOString().split(/[T.]/);
    const camera = n % 6;
    const plate = `${String(n).padStart(5, "0")}BCD`;
    const { ocr, ctx } = pictures(n);
    const stem = `20010088${Math.floor(camera / 2)}${camera % 2}/2026/03/29/${at.getTime()}_plate-${plate}`;
    const form = PATH_FORMS[n % PATH_FORMS.length] ?? "";
    for (const [kind, picture] of [
      ["ocr", ocr],
      ["ctx", ctx],
    ] as const) {
      const file = join(folder, "data/images", `${stem}_${kind}.jpg`);
      if (n < 12) mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, Buffer.concat((picture ?? ocr).bytes));
    }
    readings.push(
      `(${camera + 1}, '${plate}', '${date}T${time}Z', 95, true, true, '${form}${stem}_ocr.jpg', '${form}${stem}_ctx.jpg')`,
    );
    expected.push({
      plate,
      readerCode: `R-${Math.floor(camera / 2)}${camera % 2}`,
      date,
      time,
      ocrSha256: ocr.sha256,
      ctxSha256: ctx?.sha256 ?? null,
    });
  }
  for (let start = 0; start < readings.length; start += 2000) {
    await server.run(
      database,
      `INSERT INTO alpr_readings (camera_id, plate, timestamp_utc, ocr_score, has_image_ocr, has_image_ctx, image_ocr_path, image_ctx_path)
       VALUES ${readings.slice(start, start + 2000).join(",")}`,
    );
  }
  // In every state that can wait: being sent when it was stopped, failed and due, failed and never told when.
  await server.run(
    database,
    `INSERT INTO messages_queue (reading_id, status, attempts, next_retry_at, last_error)
     SELECT id, (ARRAY['PENDING', 'PENDING', 'PENDING', 'SENDING', 'FAILED', 'FAILED'])[1 + id % 6], CASE WHEN id % 6 > 3 THEN 1 ELSE 0 END,
       CASE WHEN id % 6 = 4 THEN now() - interval '1 minute' END, CASE WHEN id % 6 > 3 THEN 'timeout' END
     FROM alpr_readings ORDER BY id`,
  );
  chmodSync(folder, 0o755);
  return expected;
}
