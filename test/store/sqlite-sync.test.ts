import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { copyFileSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { openSqlite } from "../../src/store/sqlite.ts";
import { createConnection } from "../../src/store/sqlite-connection.ts";
import {
  addCamera,
  addMunicipality,
  after,
  claimRequest,
  DELIVERED,
  readingEntry,
  settled,
} from "../support/store-fixture.ts";

const LATER = after(100_000);

/** A store with camera A and no message, on a disk that syncs the log as `datasync` says. */
async function openEmpty(datasync: () => Promise<void>) {
  const folder = mkdtempSync(join(tmpdir(), "tattile-sync-"));
  const path = join(folder, "tattile.db");
  const store = await openSqlite({ path, clock: systemClock, datasync, busyTimeoutMs: 100 });
  await addCamera(store, "A", await addMunicipality(store, "Town", null));
  return {
    store,
    path,
    async [Symbol.asyncDispose]() {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The same with one claimed message; `datasync` is not asked before that. */
async function openWithClaim(datasync: () => Promise<void>) {
  let isReady = false;
  const under = await openEmpty(async () => {
    if (isReady) await datasync();
  });
  await under.store.enqueue([readingEntry(1, "A")], LATER);
  const [claim] = await under.store.claim(claimRequest(), LATER);
  if (claim === undefined) throw new Error("nothing was claimed");
  isReady = true;
  return { ...under, claim };
}

test("a settlement is told of once the disk has it, and the loop goes on meanwhile", async () => {
  const disk = Promise.withResolvers<void>();
  await using under = await openWithClaim(() => disk.promise);
  let isTold = false;
  const settling = under.store.settle([settled(under.claim, DELIVERED)], LATER).then((kept) => {
    isTold = true;
    return kept;
  });
  await Bun.sleep(20);
  expect([(await under.store.summarize()).readings, isTold]).toEqual([0, false]);
  disk.resolve();
  expect(await settling).toEqual([true]);
});

/** Whoever reads keeps the log from being emptied. */
function openReader(path: string): Disposable {
  const reader = new Database(path, { readonly: true });
  reader.run("BEGIN");
  reader.query("SELECT count(*) FROM alpr_readings").get();
  return {
    [Symbol.dispose]() {
      reader.run("ROLLBACK");
      reader.close();
    },
  };
}

test("a disk that does not take it fails the settlement, and whoever would erase what is not referred to", async () => {
  await using under = await openWithClaim(() => Promise.reject(Object.assign(new Error("i/o error"), { code: "EIO" })));
  {
    using _ = openReader(under.path);
    const failed = { code: "unavailable", message: "settling messages: the disk did not take it (EIO)" };
    await expect(under.store.settle([settled(under.claim, DELIVERED)], LATER)).rejects.toMatchObject(failed);
    const inTheWay = { code: "unavailable", message: expect.stringContaining("another process") };
    await expect(under.store.findReferenced(["A/1_ocr.jpg"])).rejects.toMatchObject(inTheWay);
  }
  expect(await under.store.findReferenced(["A/1_ocr.jpg"])).toEqual(new Set());
});

test("a reading that is queued is told of once the disk has it, also between claims and settlements", async () => {
  const disk: { promise: Promise<void>; resolve: () => void }[] = [];
  await using under = await openEmpty(() => {
    const sync = Promise.withResolvers<void>();
    disk.push(sync);
    return sync.promise;
  });
  const { store } = under;
  const told: string[] = [];
  const tell = (what: string) => () => void told.push(what);
  const first = store.enqueue([readingEntry(1, "A")], LATER).then(tell("first queued"));
  await Bun.sleep(5);
  // These come while the disk is at work on the first: only the next sync is sure to hold them.
  const [claim] = await store.claim(claimRequest(), LATER);
  if (claim === undefined) throw new Error("nothing was claimed");
  const second = store.enqueue([readingEntry(2, "A")], LATER).then(tell("second queued"));
  const settling = store.settle([settled(claim, DELIVERED)], LATER).then(tell("settled"));
  await Bun.sleep(5);
  expect([disk.length, told]).toEqual([1, []]);
  disk[0]?.resolve();
  await first;
  await Bun.sleep(5);
  expect([disk.length, told]).toEqual([2, ["first queued"]]);
  disk[1]?.resolve();
  await Promise.all([second, settling]);
  expect(disk.length).toBe(2);
});

test("after a sync that failed nothing is durable before all of the log was carried into the database", async () => {
  let broken = 0;
  await using under = await openEmpty(async () => {
    broken -= 1;
    if (broken >= 0) throw Object.assign(new Error("i/o error"), { code: "EIO" });
  });
  const { store, path } = under;
  /** What a power cut leaves of it where the log cannot be read any more. */
  const withoutLog = (): unknown => {
    const copy = join(mkdtempSync(join(tmpdir(), "tattile-sync-")), "copy.db");
    copyFileSync(path, copy);
    const database = new Database(copy);
    const { count } = database.query<{ count: number }, []>("SELECT count(*) AS count FROM alpr_readings").get() ?? {};
    database.close();
    rmSync(dirname(copy), { recursive: true });
    return count;
  };
  const other = new Database(path);
  other.run("PRAGMA wal_checkpoint(TRUNCATE)");
  other.close();
  broken = 1;
  const failed = { code: "unavailable", message: "queueing readings: the disk did not take it (EIO)" };
  await expect(store.enqueue([readingEntry(1, "A")], LATER)).rejects.toMatchObject(failed);
  expect(withoutLog()).toBe(0);

  {
    using _ = openReader(path);
    const inTheWay = { code: "unavailable", message: expect.stringContaining("another process") };
    await expect(store.enqueue([readingEntry(1, "A")], LATER)).rejects.toMatchObject(inTheWay);
    await expect(store.findReferenced(["none"])).rejects.toMatchObject(inTheWay);
  }
  expect(await store.enqueue([readingEntry(1, "A"), readingEntry(2, "A")], LATER)).toEqual(["duplicate", "queued"]);
  expect(withoutLog()).toBe(1);
});

/** A connection to a database of its own, in a folder of its own. */
function openConnection() {
  const folder = mkdtempSync(join(tmpdir(), "tattile-sync-"));
  const database = new Database(join(folder, "some.db"), { create: true });
  database.run("PRAGMA synchronous = FULL");
  const connection = createConnection(database);
  return {
    connection,
    log: `${database.filename}-wal`,
    /** 1: a power cut may take a commit back; 2: a commit is durable when it returns. */
    level: () => database.query<{ synchronous: number }, []>("PRAGMA synchronous").get()?.synchronous,
    [Symbol.dispose]() {
      connection.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

test("only what is written lazily is not durable at once: whatever is written after it is, also when it failed", () => {
  using under = openConnection();
  const { connection, level } = under;
  expect(connection.writeLazily("writing", level)).toBe(1);
  expect([level(), connection.write("writing", level)]).toEqual([2, 2]);
  const fail = (): never => {
    throw new Error("a failure");
  };
  expect(() => connection.writeLazily("writing", fail)).toThrow("a failure");
  expect([level(), connection.write("writing", level)]).toEqual([2, 2]);
});

test("what is synced is the log, by the system: where that cannot be done it is said", async () => {
  using under = openConnection();
  // Of all that has no sync(2), this one can be opened by everybody.
  symlinkSync("/dev/null", under.log);
  await expect(under.connection.sync("settling messages")).rejects.toMatchObject({
    code: "unavailable",
    message: "settling messages: the disk did not take it (EINVAL)",
  });
});
