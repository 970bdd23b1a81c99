import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { openSqlite } from "../../src/store/sqlite.ts";
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
