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
});
