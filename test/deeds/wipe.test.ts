import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Auditor } from "../../src/api/audit.ts";
import { deedRoutes } from "../../src/api/deed-routes.ts";
import type { ApiDeps, Deeds } from "../../src/api/deps.ts";
import { loadConfig } from "../../src/config.ts";
import { createDeeds } from "../../src/deeds/deeds.ts";
import { countWipe, runWipe } from "../../src/deeds/wipe.ts";
import { openDiskStore } from "../../src/images/disk.ts";
import type { ImageStore } from "../../src/images/image-store.ts";
import type { NewQuarantined, Store } from "../../src/store/store.ts";
import { SpoolUnderTest, takeIn } from "../support/spool-fixture.ts";
import {
  addCameras,
  after,
  claimRequest,
  readingEntry,
  SqliteUnderTest,
  START,
  standingClock,
} from "../support/store-fixture.ts";

test("a wipe that somebody waits for stops between two steps, and the next one goes on", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tattile-wipe-"));
  await using under = await SqliteUnderTest.open();
  const { store } = under;
  const images = openDiskStore(join(folder, "images"));
  const quarantine = openDiskStore(join(folder, "quarantine"));
  await addCameras(store, "A");
  await store.enqueue(
    Array.from({ length: 1500 }, (_, n) => readingEntry(n + 1, "A")),
    START,
  );
  const deps = { store, images, quarantine, config: { dataDir: folder }, clock: standingClock(), isOver: () => true };
  expect(await runWipe("readings", deps)).toMatchObject({ erased: { reading: 1000, "held message": 0 }, more: true });
  expect((await store.summarize()).readings).toBe(500);
  expect(await runWipe("readings", deps)).toMatchObject({ erased: { reading: 500 }, more: false });
  await store.enqueue(
    Array.from({ length: 1500 }, (_, n) => readingEntry(n + 2001, "A")),
    START,
  );
  expect(await countWipe("images", store)).toEqual({ "stored reading with images": 1500 });
  expect(await runWipe("images", deps)).toMatchObject({ erased: { reading: 1000 }, more: true });
  expect(await countWipe("images", store)).toEqual({ "stored reading with images": 500 });
  expect(await runWipe("images", deps)).toMatchObject({ erased: { reading: 500 }, more: false });
  expect((await store.summarize()).readings).toBe(1500);
  images.close();
  quarantine.close();
  rmSync(folder, { recursive: true, force: true });
});

test("a wipe of held messages stops between two steps too, rows before files in each", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tattile-wipe-"));
  await using under = await SqliteUnderTest.open();
  const images = openDiskStore(join(folder, "images"));
  const quarantine = openDiskStore(join(folder, "quarantine"));
  for (let n = 0; n < 1200; n += 1) {
    const path = `held/${n}.msg`;
    await quarantine.put(path, new Uint8Array([1]));
    const quarantined: NewQuarantined = {
      kind: "malformed",
      reason: "no message",
      cameraSerial: null,
      protocol: "tattile-xml",
      peer: "192.0.2.7",
      receivedAt: START,
      sizeBytes: 1,
      path,
    };
    await under.store.enqueue([{ kind: "quarantine", quarantined }], START);
  }
  const rows = async (): Promise<number> => (await under.store.listQuarantine({}, 5000)).length;
  const rowsAtErase: number[] = [];
  const noting: ImageStore = {
    ...quarantine,
    erase: async (paths) => {
      rowsAtErase.push(await rows());
      return quarantine.erase(paths);
    },
  };
  const { store } = under;
  const deps = { store, images, quarantine: noting, config: { dataDir: folder }, clock: standingClock() };
  const isOver = () => true;
  expect(await runWipe("readings", { ...deps, isOver })).toMatchObject({ erased: { "held message": 500 }, more: true });
  expect(await rows()).toBe(700);
  expect(await runWipe("readings", { ...deps, isOver: () => false })).toMatchObject({
    erased: { "held message": 700 },
    more: false,
  });
  expect(rowsAtErase).toEqual([700, 200, 0]);
  expect(readdirSync(join(folder, "quarantine"), { recursive: true }).filter((name) => /msg$/.test(`${name}`))).toEqual(
    [],
  );
  images.close();
  quarantine.close();
  rmSync(folder, { recursive: true, force: true });
});

test("a wipe of readings reaches those that the replaced system left without a message, in steps too", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tattile-wipe-"));
  await using under = await SqliteUnderTest.open();
  const images = openDiskStore(join(folder, "images"));
  const quarantine = openDiskStore(join(folder, "quarantine"));
  await images.put("A/left_ocr.jpg", new Uint8Array([1]));
  await images.flush();
  let left = 1200;
  const store: Store = {
    ...under.store,
    discardUnqueued: async (cameraSerial, limit = left) => {
      expect(cameraSerial).toBeNull();
      const readings = Math.min(left, limit);
      left -= readings;
      return { readings, imagePaths: left === 0 ? ["A/left_ocr.jpg"] : [] };
    },
  };
  const deps = { store, images, quarantine, config: { dataDir: folder }, clock: standingClock(), isOver: () => true };
  expect(await runWipe("readings", deps)).toMatchObject({ erased: { reading: 1000 }, more: true });
  expect(await runWipe("readings", deps)).toMatchObject({ erased: { reading: 200, image: 1 }, more: false });
  expect(await images.has("A/left_ocr.jpg")).toBe(false);
  images.close();
  quarantine.close();
  rmSync(folder, { recursive: true, force: true });
});

test("orphans that a wipe finds are erased in steps too, and what is referred to stays", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tattile-wipe-"));
  await using under = await SqliteUnderTest.open();
  const images = openDiskStore(join(folder, "images"));
  await addCameras(under.store, "A");
  await under.store.enqueue([readingEntry(1, "A")], START);
  await under.store.claim(claimRequest(), after(1000));
  const kept = (await under.store.listImagePaths([1]))[0] ?? "";
  const orphans = Array.from({ length: 1200 }, (_, n) => `A/2026/05/04/left${n}_ocr.jpg`);
  for (const path of [kept, ...orphans]) await images.put(path, new Uint8Array([1]));
  await images.flush();
  const clock = { ...standingClock(), now: () => new Date(Date.now() + 3_600_000) };
  const deps = {
    store: under.store,
    images,
    quarantine: images,
    config: { dataDir: folder },
    clock,
    isOver: () => true,
  };
  const counts: number[] = [];
  for (let more = true; more; ) {
    const step = await runWipe("images", deps);
    counts.push(step.erased["image"] ?? 0);
    more = step.more;
  }
  expect(counts.length).toBeGreaterThan(2);
  expect(counts.reduce((sum, count) => sum + count)).toBe(1200);
  expect(await images.has(kept)).toBe(true);
  images.close();
  rmSync(folder, { recursive: true, force: true });
});

test("what is discarded beside cameras that are served goes part by part, rows before pictures in each", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tattile-wipe-"));
  await using under = await SqliteUnderTest.open();
  const images = openDiskStore(join(folder, "images"));
  await addCameras(under.store, "A", "B");
  for (const [serial, first] of [
    ["A", 0],
    ["B", 2000],
  ] as const) {
    const entries = Array.from({ length: 1500 }, (_, n) => readingEntry(first + n + 1, serial));
    await under.store.enqueue(entries, START);
  }
  const steps: string[] = [];
  const store: Store = {
    ...under.store,
    discardMessages: async (filter, limit) => {
      const gone = await under.store.discardMessages(filter, limit);
      steps.push(`${gone.messages} rows`);
      return gone;
    },
  };
  const noting: ImageStore = {
    ...images,
    erase: async (paths) => {
      if (steps.at(-1) !== "pictures") steps.push("pictures");
      return images.erase(paths);
    },
  };
  const clock = standingClock();
  const { config } = loadConfig({ env: { DATA_DIR: folder }, installed: false });
  const deeds = createDeeds({ store, images: noting, quarantine: noting, config, clock });
  expect(await deeds.discard({ cameraSerial: "A" })).toMatchObject({ readings: 1500, failure: null });
  const [, camera] = await store.listCameras();
  expect(await deeds.eraseCameras(camera === undefined ? [] : [camera])).toMatchObject({ readings: 1500 });
  expect(steps).toEqual([
    "1000 rows",
    "pictures",
    "500 rows",
    "pictures",
    "1000 rows",
    "pictures",
    "500 rows",
    "pictures",
  ]);
  images.close();
  rmSync(folder, { recursive: true, force: true });
});

test("while there is more to wipe each answer has the confirmation for going on, and a late one is refused", async () => {
  let left = 3;
  const clock = standingClock();
  const written: string[] = [];
  const auditor: Pick<Auditor, "around"> = {
    around: (_caller, { what, detail }, run) => {
      written.push(`${what}: ${detail}`);
      return run();
    },
  };
  const deeds: Pick<Deeds, "countWipe" | "runWipe"> = {
    countWipe: async () => ({ counts: { storedReadings: left }, text: `${left} readings` }),
    runWipe: async () => {
      left -= 1;
      return { counts: { readings: 1 }, more: left > 0 };
    },
  };
  const deps = { clock, deeds: async () => deeds } as unknown as ApiDeps;
  const route = deedRoutes(deps, auditor as Auditor).find(({ path }) => path === "/api/v1/wipe/{what}");
  const ask = async (confirm?: string | null) =>
    (await route?.handle({
      ...{ params: { what: "readings" }, query: {}, caller: { token: { id: 7 } }, peer: "", wait() {} },
      body: confirm == null ? {} : { confirm },
    } as never)) as { done: boolean; confirm: string | null; confirmUntil: Date };

  const late = await ask();
  clock.set(new Date(late.confirmUntil.getTime() + 1));
  await expect(ask(late.confirm)).rejects.toThrow("its two minutes are over");
  let answer = await ask();
  while (answer.confirm !== null) answer = await ask(answer.confirm);
  expect([left, answer.done]).toEqual([0, true]);
  expect(written).toEqual([
    "readings wipe: 3 readings",
    "readings wipe: what is left of 3 readings",
    "readings wipe: what is left of 3 readings",
  ]);
});

test("a wipe of readings reaches those that wait in the spool", async () => {
  await using spooling = await SpoolUnderTest.open();
  await addCameras(spooling.store, "A");
  const { spool, file, here } = await spooling.spool();
  await file.mirrorCameras(await spooling.store.listCameras());
  spooling.trouble = "before";
  await takeIn(spool, "A", 1, 2);
  const quarantine = openDiskStore(join(spooling.folder, "held"));
  const { store, images, clock, folder } = spooling;
  const deps = { store, images, quarantine, config: { dataDir: folder }, clock };
  expect(await runWipe("readings", deps)).toMatchObject({ erased: { reading: 2 }, more: false });
  expect(file.count().waiting).toBe(0);
  for await (const { files } of here.list()) expect(files).toEqual([]);
  quarantine.close();
});

test("what was wiped or discarded is overwritten once all of it is gone", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tattile-wipe-"));
  await using under = await SqliteUnderTest.open();
  const images = openDiskStore(join(folder, "images"));
  await addCameras(under.store, "A");
  const rowsAtScrub: number[] = [];
  const store: Store = {
    ...under.store,
    scrub: async () => {
      rowsAtScrub.push((await under.store.summarize()).readings);
      await under.store.scrub();
    },
  };
  const { config } = loadConfig({ env: { DATA_DIR: folder }, installed: false });
  const deeds = createDeeds({ store, images, quarantine: images, config, clock: standingClock() });
  await store.enqueue([readingEntry(1, "A")], START);
  await deeds.discard({});
  await store.enqueue(
    Array.from({ length: 1500 }, (_, n) => readingEntry(n + 2, "A")),
    START,
  );
  expect(await deeds.runWipe("queue", () => true)).toMatchObject({ more: true });
  expect(rowsAtScrub).toEqual([0]);
  expect(await deeds.runWipe("queue", () => true)).toMatchObject({ more: false });
  expect(rowsAtScrub).toEqual([0, 0]);
  images.close();
  rmSync(folder, { recursive: true, force: true });
});
