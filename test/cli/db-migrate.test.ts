import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { usePostgres } from "../support/postgres-server.ts";
import { createReplacedTables } from "../support/replaced-system.ts";
import { openCommandFolder } from "../support/tattile-command.ts";

const server = usePostgres();

describe("db migrate", () => {
  test("says that an SQLite file is up to date", async () => {
    await using folder = await openCommandFolder();
    const said = await folder.run("db", "migrate");
    expect(said).toMatchObject({ code: 0, stderr: "" });
    expect(said.stdout).toContain("tattile.db: schema ");
  });

  test("makes the tables of an empty database, named by the variables of old, and only says so when it is to look", async () => {
    await server().createDatabase("fresh");
    await using folder = await openCommandFolder();
    const env = { DB_HOST: server().folder, DB_NAME: "fresh", DB_USER: "tattile" };
    const looked = await folder.runWith({ env }, "db", "migrate", "--dry-run", "--json");
    expect(JSON.parse(looked.stdout)).toMatchObject({ kind: "create", dryRun: true });
    expect(await server().run("fresh", "SELECT to_regclass('cameras') AS made")).toEqual([{ made: null }]);
    expect((await folder.runWith({ env }, "db", "migrate")).stdout).toContain("Done.");
    expect(JSON.parse((await folder.runWith({ env }, "db", "migrate", "--json")).stdout)).toMatchObject({
      kind: "current",
    });
    expect((await folder.runWith({ env }, "municipality", "add", "Vila")).code).toBe(0);
    expect(await server().run("fresh", "SELECT name FROM municipalities")).toEqual([{ name: "Vila" }]);
  });

  test("asks before it takes over, and warns of missing pictures, missing certificates and whoever is still connected", async () => {
    await server().createDatabase("asked");
    await createReplacedTables(server(), "asked");
    await server().run(
      "asked",
      `INSERT INTO endpoints (name, url) VALUES ('police', 'https://police.example/');
       INSERT INTO municipalities (name, endpoint_id) VALUES ('Vila', 1);
       INSERT INTO cameras (serial_number, codigo_lector, municipality_id) VALUES ('S1', 'R1', 1);
       INSERT INTO alpr_readings (camera_id, plate, image_ocr_path, image_ctx_path)
         VALUES (1, '1234BCD', 'S1/2026/1_plate-1234BCD_ocr.jpg', 'data/images/S1/2026/1_plate-1234BCD_ctx.jpg'), (1, 'LOOSE1', NULL, NULL);
       INSERT INTO messages_queue (reading_id, status) VALUES (1, 'PENDING')`,
    );
    await using folder = await openCommandFolder();
    const images = join(folder.dataDir, "images/S1/2026");
    mkdirSync(images, { recursive: true });
    writeFileSync(join(images, "1_plate-1234BCD_ctx.jpg"), "x");
    const env = { DATABASE_URL: server().url("asked") };
    // The replaced system's own connection, under its own name.
    const connected = server().run("asked", "SET application_name = 'uvicorn'; SELECT pg_sleep(4)");
    await Bun.sleep(300);
    const looked = await folder.runWith({ env }, "db", "migrate", "--dry-run");
    await connected;
    expect(looked.stdout).toContain("1 municipality, 1 endpoint, 1 camera, 0 certificates");
    expect(looked.stdout).toContain("Warning: 1 of the pictures are not there");
    expect(looked.stdout).toContain("1_plate-•••_ocr.jpg");
    expect(looked.stdout).not.toContain("1234BCD");
    expect(looked.stdout).toContain("without a message: 1 reading;");
    expect(looked.stdout).toContain("Warning: no certificate: Vila");
    expect(looked.stdout).toContain("others are connected to the database now: uvicorn");

    expect(await folder.runWith({ env }, "db", "migrate")).toMatchObject({ code: 2 });
    const refused = await folder.onTerminal({ env, answers: [["go ahead:", "no"]] }, "db", "migrate");
    expect(refused.code).toBe(2);
    expect(await server().run("asked", "SELECT to_regclass('dedupe') AS made")).toEqual([{ made: null }]);
    const done = await folder.onTerminal({ env, answers: [["go ahead:", "yes"]] }, "db", "migrate");
    expect(done.stdout).toContain("Taken over.");
    expect(done.code).toBe(0);
    expect((await folder.runWith({ env }, "camera", "list")).stdout).toContain("S1");
  });

  test("numbers what shares a name, says so, and a backup gives each camera its own municipality and service back", async () => {
    await server().createDatabase("twins");
    await createReplacedTables(server(), "twins");
    await server().run(
      "twins",
      `INSERT INTO endpoints (name, url) VALUES ('police', 'https://one.example/'), ('police', 'https://two.example/');
       INSERT INTO municipalities (name, code, endpoint_id) VALUES ('Òdena', '1', 1), ('ÒDENA', '2', 2), ('Òdena (2)', '3', 2);
       INSERT INTO certificates (name, path, key_path, municipality_id) VALUES ('c', '/1.pem', '/1.key', 1), ('c', '/2.pem', '/2.key', 2);
       INSERT INTO cameras (serial_number, codigo_lector, municipality_id, endpoint_id)
         VALUES ('S1', 'R1', 1, NULL), ('S2', 'R2', 2, NULL), ('S3', 'R3', 3, NULL), ('S4', 'R4', 1, 2)`,
    );
    await using folder = await openCommandFolder();
    const env = { DATABASE_URL: server().url("twins") };
    const done = async (database: string, ...words: string[]): Promise<string> => {
      const said = await folder.runWith({ env: { DATABASE_URL: server().url(database) } }, ...words);
      expect([words.join(" "), said.stderr, said.code]).toEqual([words.join(" "), "", 0]);
      return said.stdout;
    };
    const looked = await folder.runWith({ env }, "db", "migrate", "--dry-run");
    expect(looked.stdout).toContain("the municipality with the id 2 is called ÒDENA (3) from now on");
    expect(looked.stdout).toContain("the endpoint with the id 2 is called police (2) from now on");
    expect(looked.stdout).toContain("  ÒDENA (3) signs with the certificate c");
    expect(looked.stdout.match(/from now on/g)).toHaveLength(2);
    expect(JSON.parse((await folder.runWith({ env }, "db", "migrate", "--dry-run", "--json")).stdout)).toMatchObject({
      adoption: { renamings: [{ what: "municipality", id: 2, from: "ÒDENA", to: "ÒDENA (3)" }, { what: "endpoint" }] },
    });
    await done("twins", "db", "migrate", "--yes");
    // Of each camera: its municipality, that one's certificate, and the service that its readings go to.
    const ways = (database: string): Promise<unknown> =>
      server().run(
        database,
        `SELECT c.serial_number AS serial, m.name, m.code, coalesce(k.client_cert_path, k.path) AS certificate, e.url
         FROM cameras c JOIN municipalities m ON m.id = c.municipality_id
         JOIN endpoints e ON e.id = coalesce(c.endpoint_id, m.endpoint_id)
         LEFT JOIN certificates k ON k.id = m.certificate_id AND k.municipality_id = m.id ORDER BY c.serial_number`,
      );
    const expected = [
      { serial: "S1", name: "Òdena", code: "1", certificate: "/1.pem", url: "https://one.example/" },
      { serial: "S2", name: "ÒDENA (3)", code: "2", certificate: "/2.pem", url: "https://two.example/" },
      { serial: "S3", name: "Òdena (2)", code: "3", certificate: null, url: "https://two.example/" },
      { serial: "S4", name: "Òdena", code: "1", certificate: "/1.pem", url: "https://two.example/" },
    ];
    expect(await ways("twins")).toEqual(expected);

    const backup = join(folder.folder, "backup.db");
    await done("twins", "db", "backup", backup);
    await server().createDatabase("triplets");
    for (const database of ["twins", "triplets", "triplets"]) {
      await done(database, "db", "restore", backup, "--yes");
      expect(await ways(database)).toEqual(expected);
    }

    // The replaced system was started again for a while, and gave a name twice.
    await server().run(
      "twins",
      `INSERT INTO municipalities (name, code, endpoint_id) VALUES ('Òdena', '9', 1);
       UPDATE cameras SET municipality_id = 4 WHERE serial_number = 'S4'`,
    );
    const later = join(folder.folder, "later.db");
    await done("twins", "db", "backup", later);
    await done("triplets", "db", "restore", later, "--yes");
    expect(await ways("triplets")).toEqual([
      ...expected.slice(0, 3),
      { serial: "S4", name: "Òdena (4)", code: "9", certificate: null, url: "https://two.example/" },
    ] as never);
  }, 60_000);
});
