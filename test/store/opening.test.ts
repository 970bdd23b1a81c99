import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Migration, SQLITE_MIGRATIONS } from "../../src/store/migrate.ts";
import { openStore } from "../../src/store/open.ts";
import { openSqlite, requireSqlite } from "../../src/store/sqlite.ts";
import { addCameras, readingEntry, SqliteUnderTest, START, standingClock } from "../support/store-fixture.ts";

async function inFolder(work: (path: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "tattile-open-"));
  try {
    await work(join(folder, "data", "tattile.db"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const NEWEST = SQLITE_MIGRATIONS.length;

const open = (path: string, migrations?: readonly Migration[]) =>
  openSqlite({ path, clock: standingClock(), ...(migrations === undefined ? {} : { migrations }) });

describe("opening the SQLite store", () => {
  test("makes folder and files that only the service's group may read, also where they were open to all", async () => {
    await inFolder(async (path) => {
      const store = await openStore({ databasePath: path });
      await store.check();
      expect(modes(path)).toEqual({ folder: "750", db: "640", wal: "640", shm: "640" });
      await store.close();
      expect(existsSync(`${path}-wal`)).toBe(false);
    });
    await inFolder(async (path) => {
      mkdirSync(join(path, ".."));
      writeFileSync(path, "", { mode: 0o666 });
      const store = await open(path);
      await store.check();
      expect(modes(path)).toMatchObject({ db: "640", wal: "640", shm: "640" });
      await store.close();
    });
  });

  for (const [version, accepted] of [
    ["3.51.3", true],
    ["3.51.10", true],
    ["3.52.0", true],
    ["4.0.0", true],
    ["3.51.2", false],
    ["3.9.9", false],
    ["2.99.99", false],
  ] as const) {
    test(`${accepted ? "takes" : "refuses"} SQLite ${version}`, () => {
      if (accepted) requireSqlite(version);
      else expect(() => requireSqlite(version)).toThrow(`(${version}, needed 3.51.3)`);
    });
  }

  test("refuses a schema from a newer tattile and names both versions, leaving the file as it is", async () => {
    await inFolder(async (path) => {
      const newer = [
        ...SQLITE_MIGRATIONS,
        ...[NEWEST + 1, NEWEST + 2].map((version) => ({ version, sql: `CREATE TABLE later_${version} (a)` })),
      ];
      const store = await open(path, newer);
      expect(store.info().schemaVersion).toBe(NEWEST + 2);
      await store.close();
      await expect(open(path)).rejects.toMatchObject({
        code: "conflict",
        message: expect.stringContaining(`database has schema ${NEWEST + 2}, this tattile knows up to ${NEWEST}`),
      });
      await (await open(path, newer)).close();
    });
  });

  test("brings an older schema up to date and keeps what is in it", async () => {
    await inFolder(async (path) => {
      const before = await open(path);
      await addCameras(before, "A");
      await before.enqueue([readingEntry(1, "A")], START);
      await before.close();
      const next = { version: NEWEST + 1, sql: "ALTER TABLE cameras ADD COLUMN extra_note TEXT" };
      const after = await open(path, [...SQLITE_MIGRATIONS, next]);
      expect(after.info().schemaVersion).toBe(NEWEST + 1);
      expect((await after.summarize()).byStatus.PENDING).toBe(1);
      await after.close();
    });
  });

  test("undoes a migration that breaks in the middle", async () => {
    await inFolder(async (path) => {
      await (await open(path)).close();
      const broken = { version: NEWEST + 1, sql: "CREATE TABLE half (a); CREATE TABLE cameras (a);" };
      await expect(open(path, [...SQLITE_MIGRATIONS, broken])).rejects.toThrow("migrating the store");
      const database = new Database(path);
      expect(database.query("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'half'").get()).toEqual({ n: 0 });
      expect(database.query("PRAGMA user_version").get()).toEqual({ user_version: NEWEST });
      database.close();
    });
  });

  test("says that a file is not a database, is damaged, or is another program's", async () => {
    await inFolder(async (path) => {
      mkdirSync(join(path, ".."));
      writeFileSync(path, "this is no database ".repeat(1000));
      await expect(open(path)).rejects.toMatchObject({
        code: "unavailable",
        message: expect.stringContaining("not a database or is damaged"),
      });
      rmSync(path);
      const other = new Database(path);
      other.run("CREATE TABLE theirs (a)");
      other.close();
      await expect(open(path)).rejects.toMatchObject({
        code: "config",
        message: expect.stringContaining("belongs to another program"),
      });
      await expect(open(join(path, "below-a-file"))).rejects.toMatchObject({
        code: "unavailable",
        message: expect.stringContaining("cannot be made or opened"),
      });
    });
  });

  test("keeps the text and the unknown tags, and a WAL that stays small", async () => {
    await using under = await SqliteUnderTest.open();
    await addCameras(under.store, "A");
    await under.store.enqueue([readingEntry(1, "A", { extra: { NEW_TAG: "x" } })], START);
    const database = new Database(under.path, { readonly: true });
    expect(database.query("SELECT extra, raw_xml FROM alpr_readings").get()).toEqual({
      extra: '{"NEW_TAG":"x"}',
      raw_xml: "<root><PLATE_STRING>T1</PLATE_STRING></root>",
    });
    expect(database.query("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
    database.close();
    for (let i = 2; i < 400; i++) await under.store.enqueue([readingEntry(i, "A")], START);
    // 1,000 pages, and what one commit adds beyond; without checkpoints it would be some 16 MB here.
    expect(statSync(`${under.path}-wal`).size).toBeLessThan(5_000_000);
    await under.reopen();
    expect((await under.store.summarize()).readings).toBe(399);
  });
});

function modes(path: string): Record<string, string> {
  const mode = (file: string): string => (statSync(file).mode & 0o777).toString(8);
  return { folder: mode(join(path, "..")), db: mode(path), wal: mode(`${path}-wal`), shm: mode(`${path}-shm`) };
}
