import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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

/** A store with one claimed message, on a disk that syncs the log as `datasync` says. */
async function openWithClaim(datasync: () => Promise<void>) {
  const folder = mkdtempSync(join(tmpdir(), "tattile-sync-"));
  const store = await openSqlite({ path: join(folder, "tattile.db"), clock: systemClock, datasync });
  await addCamera(store, "A", await addMunicipality(store, "Town", null));
  await store.enqueue([readingEntry(1, "A")], LATER);
  const [claim] = await store.claim(claimRequest(), LATER);
  if (claim === undefined) throw new Error("nothing was claimed");
  return {
    store,
    claim,
    async [Symbol.asyncDispose]() {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
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

test("a disk that does not take it fails the settlement, and whoever would erase what is not referred to", async () => {
  const path = "A/1_ocr.jpg";
  let isBroken = true;
  await using under = await openWithClaim(async () => {
    if (isBroken) throw Object.assign(new Error("i/o error"), { code: "EIO" });
  });
  const failed = { code: "unavailable", message: expect.stringContaining("the disk did not take it (EIO)") };
  await expect(under.store.settle([settled(under.claim, DELIVERED)], LATER)).rejects.toMatchObject(failed);
  await expect(under.store.findReferenced([path])).rejects.toMatchObject(failed);
  isBroken = false;
  expect(await under.store.findReferenced([path])).toEqual(new Set());
});

test("a reading that is queued is durable when that is told, also between claims and settlements, which are lazy", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tattile-sync-"));
  const levels: unknown[] = [];
  const store = await openSqlite({
    path: join(folder, "tattile.db"),
    clock: systemClock,
    onQueued:
      ({ database }) =>
      () =>
        levels.push(database.query("PRAGMA synchronous").get()),
  });
  await addCamera(store, "A", await addMunicipality(store, "Town", null));
  for (const number of [1, 2, 3]) {
    await store.enqueue([readingEntry(number, "A")], LATER);
    const claims = await store.claim(claimRequest(), LATER);
    await store.settle(
      claims.map((claim) => settled(claim, DELIVERED)),
      LATER,
    );
  }
  expect(levels).toEqual([{ synchronous: 2 }, { synchronous: 2 }, { synchronous: 2 }]);
  await store.close();
  rmSync(folder, { recursive: true, force: true });
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
