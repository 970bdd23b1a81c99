import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { openRunFile } from "../../src/run-file.ts";
import { openSqlite } from "../../src/store/sqlite.ts";
import { usePostgres } from "../support/postgres-server.ts";
import { messageOf, takeIn, withStore } from "../support/queued-readings.ts";
import { claimRequest } from "../support/store-fixture.ts";
import { type CommandFolder, openCommandFolder } from "../support/tattile-command.ts";

const server = usePostgres();
const SERIAL = "2001008851";

async function openTown(readings: number): Promise<CommandFolder> {
  const cli = await openCommandFolder();
  await cli.run("municipality", "add", "Vila");
  await cli.run("camera", "add", SERIAL, "--reader", "R1", "--municipality", "Vila");
  await takeIn(
    cli.dataDir,
    Array.from({ length: readings }, (_, i) => messageOf(SERIAL, `${1000 + i}BCD`, i)),
  );
  return cli;
}

interface Check {
  good: boolean;
  faults: string[];
  files: { checked: number; missing: { count: number; readings: number[] }; orphans: { images: number } };
}

async function check(cli: CommandFolder): Promise<Check & { code: number }> {
  const { code, stdout } = await cli.run("db", "check", "--json");
  return { code, ...JSON.parse(stdout) };
}

async function imagePaths(cli: CommandFolder): Promise<string[]> {
  const store = await openSqlite({ path: join(cli.dataDir, "tattile.db"), clock: systemClock });
  const pictured = await store.listPictured(0, 100);
  await store.close();
  return pictured.flatMap(({ paths }) => paths);
}

/** Runs statements in the file itself, as damage does. */
async function damage(cli: CommandFolder, sql: string): Promise<void> {
  const { Database } = await import("bun:sqlite");
  const database = new Database(join(cli.dataDir, "tattile.db"));
  database.run(sql);
  database.close();
}

describe("db check", () => {
  test("finds nothing wrong where nothing is", async () => {
    await using cli = await openTown(3);
    const found = await check(cli);
    expect(found).toMatchObject({ code: 0, good: true, faults: [] });
    expect(found.files.checked).toBeGreaterThanOrEqual(3);
    const { stdout } = await cli.run("db", "check");
    expect(stdout).toContain("Nothing is wrong.");
  });

  test("names readings whose picture is gone, counts files without a reading, and shows no plate", async () => {
    await using cli = await openTown(3);
    const [first = ""] = await imagePaths(cli);
    rmSync(join(cli.dataDir, "images", first));
    const orphan = join(cli.dataDir, "images", "orphan.jpg");
    writeFileSync(orphan, "x");
    utimesSync(orphan, 1000, 1000);
    expect(await check(cli)).toMatchObject({
      code: 1,
      good: false,
      faults: [],
      files: { missing: { count: 1, readings: [1] }, orphans: { images: 1 } },
    });
    const { code, stdout } = await cli.run("db", "check");
    expect(code).toBe(1);
    expect(stdout).toContain("pictures are missing of the readings 1");
    expect(stdout).not.toContain("BCD");
    expect(existsSync(orphan)).toBe(true);
  });

  test.each([
    ["DELETE FROM messages_queue WHERE id = 2", "readings without a message: 1"],
    ["DELETE FROM alpr_readings WHERE id = 2", "messages without a reading: 1"],
    ["UPDATE queue_counts SET count = count + 1 WHERE status = 'PENDING'", "messages more or fewer than counted: 1"],
    [
      "PRAGMA foreign_keys = OFF; UPDATE cameras SET municipality_id = 99",
      "a reference to municipalities leads nowhere",
    ],
  ])("tells what does not fit together: %s", async (sql, text) => {
    await using cli = await openTown(3);
    await damage(cli, sql);
    const { code, faults } = await check(cli);
    expect(code).toBe(1);
    expect(faults.join("\n")).toContain(text);
  });

  test("finds damaged pages", async () => {
    await using cli = await openTown(3);
    await damage(cli, "PRAGMA wal_checkpoint(TRUNCATE)");
    const path = join(cli.dataDir, "tattile.db");
    const bytes = readFileSync(path);
    const at = bytes.indexOf("1001BCD");
    bytes.fill(0xff, at - 200, at + 50);
    writeFileSync(path, bytes);
    const { code, stdout, stderr } = await cli.run("db", "check");
    expect(code).toBe(1);
    expect(stdout + stderr).toMatch(/FAULT|damaged/);
  });
});

describe("db backup and restore", () => {
  test("bring back registrations and queue; the file is its owner's only, and never written over", async () => {
    await using cli = await openTown(3);
    const file = join(cli.folder, "backup.db");
    const made = await cli.run("db", "backup", file);
    expect(made).toMatchObject({ code: 0, stderr: "" });
    expect(made.stdout).toContain("1 camera, 3 waiting messages");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const again = await cli.run("db", "backup", file);
    expect(again).toMatchObject({ code: 1 });
    expect(again.stderr).toContain("the file is there already");

    await cli.run("queue", "discard", "--all", "--yes");
    await cli.run("camera", "add", "2001008852", "--reader", "R2", "--municipality", "Vila");
    const restored = await cli.run("db", "restore", file, "--yes", "--json");
    expect(restored.stderr).toBe("");
    expect(JSON.parse(restored.stdout)).toMatchObject({ cameras: 1, messages: 3, discarded: 0 });
    const log = JSON.parse((await cli.run("audit", "list", "--json")).stdout) as { what: string }[];
    expect(log.map(({ what }) => what)).toContain("database restore");
    expect(JSON.parse((await cli.run("queue", "list", "--json")).stdout)).toHaveLength(3);
    expect((await cli.run("camera", "list")).stdout).not.toContain("2001008852");
    expect(existsSync(join(cli.dataDir, "tattile.db.replaced"))).toBe(true);
    expect(statSync(join(cli.dataDir, "tattile.db")).mode & 0o777).toBe(0o640);
  });

  test("leave out what waited when they are told to, and what was being sent", async () => {
    await using cli = await openTown(3);
    const file = join(cli.folder, "backup.db");
    await withStore(cli.dataDir, (store) => store.claim(claimRequest({ limit: 1 }), new Date()));
    await cli.run("db", "backup", file);
    const { code, stdout } = await cli.run("db", "restore", file, "--yes", "--without-queue");
    expect(code).toBe(0);
    expect(stdout).toContain("3 messages were left out");
    expect(JSON.parse((await cli.run("queue", "list", "--json")).stdout)).toEqual([]);
    expect((await cli.run("camera", "list")).stdout).toContain(SERIAL);
  });

  test("take the place of a damaged database, whose log is not read into them", async () => {
    await using cli = await openTown(3);
    const file = join(cli.folder, "backup.db");
    await cli.run("db", "backup", file);
    const path = join(cli.dataDir, "tattile.db");
    writeFileSync(path, "not a database at all, not even in its first bytes");
    writeFileSync(`${path}-wal`, "rest of a log");
    expect((await cli.run("queue", "list")).code).toBe(1);
    expect(await cli.run("db", "restore", file, "--yes")).toMatchObject({ code: 0 });
    expect((await check(cli)).faults).toEqual([]);
  });

  test("take the place of a database that was moved away, whose log is not read into them", async () => {
    await using cli = await openTown(3);
    const file = join(cli.folder, "backup.db");
    await cli.run("db", "backup", file);
    const path = join(cli.dataDir, "tattile.db");
    // A process that dies leaves its log behind; here it holds the whole of another state.
    const { Database } = await import("bun:sqlite");
    const dying = new Database(path);
    dying.run("PRAGMA foreign_keys = OFF");
    dying.run("DELETE FROM messages_queue");
    dying.run("VACUUM");
    const log = readFileSync(`${path}-wal`);
    expect(log.byteLength).toBeGreaterThan(0);
    renameSync(path, join(cli.folder, "moved.db"));
    dying.close();
    writeFileSync(`${path}-wal`, log);
    rmSync(`${path}-shm`, { force: true });

    const restored = await cli.run("db", "restore", file, "--yes");
    expect(restored.code).toBe(0);
    expect(JSON.parse((await cli.run("queue", "list", "--json")).stdout)).toHaveLength(3);
    expect(restored.stdout).toContain(`what was there: ${path}.left-wal`);
    expect(readFileSync(`${path}.left-wal`)).toEqual(log);
  });

  test("are refused while a service runs, while another process has the file open, and without a yes", async () => {
    await using cli = await openTown(1);
    const file = join(cli.folder, "backup.db");
    await cli.run("db", "backup", file);
    const asked = await cli.run("db", "restore", file);
    expect(asked).toMatchObject({ code: 2 });
    const open = await openSqlite({ path: join(cli.dataDir, "tattile.db"), clock: systemClock });
    await open.listCameras();
    const held = await cli.run("db", "restore", file, "--yes");
    await open.close();
    expect(held.code).toBe(1);
    expect(held.stderr).toContain("another process has it open");
    const runFile = await openRunFile(cli.dataDir, "ingest", "1", new Date());
    const refused = await cli.run("db", "restore", file, "--yes");
    await runFile.remove();
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`a service runs here (ingest ${process.pid})`);
  });

  test("are refused when they are another program's, damaged, or of a newer tattile", async () => {
    await using cli = await openTown(1);
    const file = join(cli.folder, "backup.db");
    await cli.run("db", "backup", file);
    const { Database } = await import("bun:sqlite");
    const change = async (sql: string): Promise<string> => {
      const copy = join(cli.folder, "changed.db");
      writeFileSync(copy, readFileSync(file));
      const database = new Database(copy);
      database.run(sql);
      database.close();
      return (await cli.run("db", "restore", copy, "--yes")).stderr;
    };
    expect(await change("PRAGMA application_id = 1")).toContain("it is not a backup of tattile");
    expect(await change("PRAGMA user_version = 999")).toContain("it has schema 999, this tattile knows up to");
    writeFileSync(file, readFileSync(file).fill(0xff, 5000, 9000));
    expect((await cli.run("db", "restore", file, "--yes")).stderr).toContain("it is damaged");
    expect((await cli.run("db", "restore", join(cli.folder, "none.db"), "--yes")).stderr).toContain("no such file");
    expect(JSON.parse((await cli.run("queue", "list", "--json")).stdout)).toHaveLength(1);
  });

  test("of a PostgreSQL database hold what is registered, and register it again", async () => {
    await using cli = await openCommandFolder();
    await mkdir(cli.dataDir, { recursive: true });
    await server().createDatabase("backed");
    await server().createDatabase("fresh");
    const on = (database: string, ...words: string[]) =>
      cli.runWith({ env: { DATABASE_URL: server().url(database) } }, ...words);
    await on("backed", "endpoint", "add", "Police", "https://police.example/ws");
    await on("backed", "municipality", "add", "Òdena", "--endpoint", "police");
    await on("backed", "camera", "add", SERIAL, "--reader", "R1", "--municipality", "òdena");
    const file = join(cli.folder, "registry.db");
    expect((await on("backed", "db", "backup", file)).stdout).toContain("1 camera, 0 waiting messages");
    for (const _ of [1, 2]) expect(await on("fresh", "db", "restore", file, "--yes")).toMatchObject({ code: 0 });
    const cameras = JSON.parse((await on("fresh", "camera", "list", "--json")).stdout);
    expect(cameras).toMatchObject([{ serial: SERIAL, readerCode: "R1" }]);
    expect((await on("fresh", "municipality", "list")).stdout).toContain("Òdena");
    expect((await on("fresh", "db", "check")).stdout).toContain("Nothing is wrong.");
  });
});
