import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Cleanup, type CleanupDeps, createCleanup, listOrphans } from "../src/cleanup.ts";
import { openDiskStore } from "../src/images/disk.ts";
import type { ImageStore } from "../src/images/image-store.ts";
import { REASON } from "../src/message.ts";
import type { NewQuarantined } from "../src/store/store.ts";
import { collectingLog } from "./support/api-fixture.ts";
import {
  addCameras,
  after,
  claimRequest,
  DELIVERED,
  dead,
  readingEntry,
  SqliteUnderTest,
  START,
  settleAll,
  standingClock,
} from "./support/store-fixture.ts";

const DAY_MS = 86_400_000;

interface Housekeeping extends AsyncDisposable {
  under: SqliteUnderTest;
  images: ImageStore;
  quarantine: ImageStore;
  /** Lines of the log. */
  logged: string[];
  clock: ReturnType<typeof standingClock>;
  cleanup: Cleanup;
}

async function openHousekeeping(
  audit: { maxCount: number; maxDays: number },
  change: (deps: CleanupDeps) => Partial<CleanupDeps> = () => ({}),
): Promise<Housekeeping> {
  const clock = standingClock();
  const under = await SqliteUnderTest.open(clock);
  const folder = await mkdtemp(join(tmpdir(), "tattile-cleanup-"));
  const disks = [openDiskStore(join(folder, "images")), openDiskStore(join(folder, "quarantine"))];
  const [images, quarantine] = disks;
  if (images === undefined || quarantine === undefined) throw new Error("no disk");
  const logged: string[] = [];
  const deps: CleanupDeps = {
    store: under.store,
    images,
    quarantine,
    config: {
      audit,
      quarantine: { maxCount: 100, maxBytes: 1_000_000, maxDays: 30 },
      diskMinFreeBytes: 0,
      sender: { deadRetentionMs: DAY_MS },
      transit: { dedupeDays: 30 },
      mossos: { endpointUrl: null },
    },
    orphansBefore: null,
    usableCertificates: async () => new Set(),
    onDisk() {},
    onRevived() {},
    clock,
    log: collectingLog(logged),
  };
  const cleanup = createCleanup({ ...deps, ...change(deps) });
  return {
    under,
    images,
    quarantine,
    logged,
    clock,
    cleanup,
    async [Symbol.asyncDispose]() {
      for (const disk of disks) disk.close();
      await under[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

test("a round goes on erasing while the store says that there is more, also when nothing of it was DEAD", async () => {
  const answers = [true, true, false, true];
  await using house = await openHousekeeping({ maxCount: 1, maxDays: 1 }, ({ store }) => ({
    store: {
      ...store,
      purgeDead: async () => ({ messages: 0, imagePaths: [], more: answers.shift() ?? false }),
    },
  }));
  await house.cleanup.runOnce();
  expect(answers).toEqual([true]);
});

test("a round forgets what the audit log may not keep: too many entries, and too old ones", async () => {
  await using house = await openHousekeeping({ maxCount: 1200, maxDays: 10 });
  const { store } = house.under;
  for (let n = 0; n < 1800; n += 1) {
    await store.recordAudit({ who: "a", what: "queue retry", messageId: n, detail: "" }, after(n));
  }
  await house.cleanup.runOnce();
  const kept = await store.listAudit({ limit: 5000 });
  expect([kept.length, kept[0]?.messageId, kept.at(-1)?.messageId]).toEqual([1200, 600, 1799]);
  house.clock.set(after(10 * DAY_MS + 1000));
  await house.cleanup.runOnce();
  expect((await store.listAudit({ limit: 5000 }))[0]?.messageId).toBe(1000);
  house.clock.set(after(10 * DAY_MS + 1800));
  await house.cleanup.runOnce();
  expect(await store.listAudit({ limit: 5000 })).toEqual([]);
});

test("a round removes the cameras that were to go, once nothing of theirs is left", async () => {
  await using house = await openHousekeeping({ maxCount: 100, maxDays: 10 });
  const { store } = house.under;
  await addCameras(store, "A", "B");
  await store.enqueue([readingEntry(1, "A")], START);
  await store.retireCamera(1);
  await house.cleanup.runOnce();
  expect((await store.listCameras()).map(({ serial }) => serial)).toEqual(["A", "B"]);
  await settleAll(store, DELIVERED);
  await house.cleanup.runOnce();
  expect((await store.listCameras()).map(({ serial }) => serial)).toEqual(["B"]);
});

/** More folders than a sweep gets through within a test. */
async function* endlessFolders(onFolder: () => void): ReturnType<CleanupDeps["images"]["list"]> & AsyncGenerator {
  for (let n = 0; n < 100_000; n += 1) {
    onFolder();
    await new Promise((resolve) => setImmediate(resolve));
    yield { folder: `f${n}`, files: [{ name: "a_ocr.jpg", modifiedAt: new Date(0) }] };
  }
}

test("stopping does not wait for the end of a sweep", async () => {
  let folders = 0;
  await using house = await openHousekeeping({ maxCount: 100, maxDays: 10 }, ({ images }) => ({
    images: { ...images, list: () => endlessFolders(() => (folders += 1)) },
  }));
  house.cleanup.start();
  while (folders < 3) await Bun.sleep(1);
  await house.cleanup.stop();
  expect(folders).toBeLessThan(100_000);
});

test("the disk, other machines' messages and the watchdog do not wait for the end of a sweep", async () => {
  let folders = 0;
  let freeBytes = 2;
  let reason: string | null = null;
  const turns = new Map<string, number>();
  await using house = await openHousekeeping({ maxCount: 100, maxDays: 10 }, ({ images, config }) => ({
    config: { ...config, diskMinFreeBytes: 2 },
    images: {
      ...images,
      list: () => endlessFolders(() => (folders += 1)),
      space: async () => ({ freeBytes, totalBytes: 10, folder: "/disk" }),
    },
    onDisk: (told) => {
      reason = told;
    },
    watchLoop: (loop) => () => turns.set(loop, (turns.get(loop) ?? 0) + 1),
  }));
  const { store } = house.under;
  await addCameras(store, "A");
  await store.enqueue([readingEntry(1, "A")], START);
  await store.claim(claimRequest(), START);
  // Both are due at every look.
  const clock = house.clock;
  let monotonicMs = 0;
  clock.monotonicMs = () => (monotonicMs += 10_000);
  house.cleanup.start();
  while (folders < 3) await Bun.sleep(1);
  freeBytes = 1;
  clock.set(after(DAY_MS));
  const until = async (done: () => Promise<boolean>): Promise<void> => {
    while (folders < 50_000 && !(await done())) await Bun.sleep(1);
  };
  await until(async () => reason !== null && (await store.summarize()).byStatus.FAILED === 1);
  const turned = turns.get("cleanup") ?? 0;
  await until(async () => (turns.get("cleanup") ?? 0) > turned + 10);
  const state = [reason, house.cleanup.diskReason(), (await store.summarize()).byStatus.FAILED];
  const seen = [...turns.keys()].toSorted();
  await house.cleanup.stop();
  expect(state).toEqual([expect.stringContaining("DISK_MIN_FREE_BYTES=2 bytes free below /disk"), reason, 1]);
  expect(seen).toEqual(["cleanup", "disk", "leases"]);
  expect((turns.get("cleanup") ?? 0) > turned + 10).toBe(true);
});

test("between two looks at the files of a folder whoever shares the thread has his turn", async () => {
  const modifiedAt = new Date(0);
  const files = Array.from({ length: 2000 }, (_, n) => ({ name: `${n}.jpg`, modifiedAt }));
  async function* list() {
    yield { folder: "A", files };
  }
  const turns: number[] = [];
  let turn = 0;
  const count = (): void => {
    turn += 1;
    if (turns.length < 4) setImmediate(count);
  };
  setImmediate(count);
  const look = async (paths: readonly string[]): Promise<ReadonlySet<string>> => {
    turns.push(turn);
    return new Set(paths);
  };
  for await (const orphans of listOrphans({ list }, look, new Date(1))) expect(orphans).toEqual([]);
  expect(turns).toHaveLength(4);
  expect(turns).toEqual([...new Set(turns)]);
});

const MINUTE_MS = 60_000;

/** The names of all files, put by the moment of their last writing. */
async function names(files: ImageStore): Promise<string[]> {
  const all: string[] = [];
  for await (const { files: some } of files.list()) all.push(...some.map(({ name }) => name));
  return all.toSorted();
}

/** A store whose files are as old as the test says. */
function agedBy(files: ImageStore, ages: ReadonlyMap<string, Date>): ImageStore {
  return {
    ...files,
    async *list() {
      for await (const { folder, files: some } of files.list()) {
        yield { folder, files: some.map((one) => ({ ...one, modifiedAt: ages.get(one.name) ?? one.modifiedAt })) };
      }
    },
  };
}

const held = (path: string, receivedAt = START): NewQuarantined => ({
  kind: "unregistered",
  reason: "no camera of this serial is registered",
  cameraSerial: "B",
  protocol: "tattile-xml",
  peer: "192.0.2.7",
  receivedAt,
  sizeBytes: 1,
  path,
});

for (const [orphansBefore, left, why] of [
  [null, ["fresh_ocr.jpg", "row_ctx.jpg", "row_ocr.jpg"], "no commit can be on its way to it any more"],
  [after(-5 * MINUTE_MS), ["row_ctx.jpg", "row_ocr.jpg"], "nobody else was writing when this process started"],
] as const) {
  test(`a picture or held message without a row goes when ${why}, and one with a row stays`, async () => {
    const ages = new Map([
      ["row_ocr.jpg", new Date(0)],
      ["row_ctx.jpg", new Date(0)],
      ["row.msg", new Date(0)],
      ["fresh_ocr.jpg", after(-10 * MINUTE_MS)],
      ["old_ocr.jpg", after(-10 * MINUTE_MS - 1)],
      ["fresh.msg", after(-10 * MINUTE_MS)],
      ["old.msg", after(-10 * MINUTE_MS - 1)],
    ]);
    await using house = await openHousekeeping({ maxCount: 100, maxDays: 10 }, ({ images, quarantine }) => ({
      orphansBefore,
      images: agedBy(images, ages),
      quarantine: agedBy(quarantine, ages),
    }));
    const { store } = house.under;
    await addCameras(store, "A");
    for (const name of ages.keys()) {
      await (name.endsWith(".msg") ? house.quarantine : house.images).put(`A/${name}`, new Uint8Array([1]));
    }
    const paths = { imageOcrPath: "A/row_ocr.jpg", imageCtxPath: "A/row_ctx.jpg" };
    await store.enqueue([readingEntry(1, "A", paths), { kind: "quarantine", quarantined: held("A/row.msg") }], START);
    await house.cleanup.runOnce();
    expect(await names(house.images)).toEqual([...left]);
    expect(await names(house.quarantine)).toEqual(orphansBefore === null ? ["fresh.msg", "row.msg"] : ["row.msg"]);
    // The knowledge of the start is good for the first sweep only: others may have come since.
    await house.images.put("A/new_ocr.jpg", new Uint8Array([1]));
    ages.set("new_ocr.jpg", after(-10 * MINUTE_MS));
    await house.cleanup.runOnce();
    expect(await names(house.images)).toContain("new_ocr.jpg");
  });
}

test("what was DEAD for its time goes with its pictures, and is an error in the log; nothing else goes", async () => {
  await using house = await openHousekeeping({ maxCount: 100, maxDays: 10 });
  const { store } = house.under;
  await addCameras(store, "A");
  for (const n of [1, 2, 3]) await house.images.put(`A/${n}_ocr.jpg`, new Uint8Array([1]));
  const entry = (n: number) => readingEntry(n, "A", { imageOcrPath: `A/${n}_ocr.jpg`, imageCtxPath: null });
  await store.enqueue([entry(1)], START);
  await settleAll(store, dead("X"), START);
  await store.enqueue([entry(2)], START);
  await settleAll(store, dead("X"), after(1));
  await store.enqueue([entry(3)], START);
  house.clock.set(after(DAY_MS));
  await house.cleanup.runOnce();
  expect((await store.summarize()).readings).toBe(3);
  house.clock.set(after(DAY_MS + 1));
  await house.cleanup.runOnce();
  expect((await store.listMessages({}, 9)).map(({ messageId }) => messageId)).toEqual([2, 3]);
  expect(await names(house.images)).toEqual(["2_ocr.jpg", "3_ocr.jpg"]);
  expect(house.logged.filter((line) => line.includes("SENDER_DEAD_RETENTION_MINUTES"))).toHaveLength(1);
});

test("what leaves the quarantine at its bounds goes with its file, and is an error in the log", async () => {
  await using house = await openHousekeeping({ maxCount: 100, maxDays: 10 });
  const { store } = house.under;
  for (const [n, receivedAt] of [START, after(1)].entries()) {
    await house.quarantine.put(`held/${n}.msg`, new Uint8Array([1]));
    await store.enqueue([{ kind: "quarantine", quarantined: held(`held/${n}.msg`, receivedAt) }], receivedAt);
  }
  house.clock.set(after(30 * DAY_MS + 1));
  await house.cleanup.runOnce();
  expect(await names(house.quarantine)).toEqual(["1.msg"]);
  expect((await store.listQuarantine({}, 9)).map(({ path }) => path)).toEqual(["held/1.msg"]);
  expect(house.logged.filter((line) => line.includes("QUARANTINE_MAX_"))).toHaveLength(1);
});

test("a hash is forgotten after DEDUPE_DAYS and not before", async () => {
  await using house = await openHousekeeping({ maxCount: 100, maxDays: 10 });
  const { store } = house.under;
  await addCameras(store, "A");
  await store.enqueue([readingEntry(1, "A")], START);
  await settleAll(store, DELIVERED);
  const comesAgain = async () => (await store.enqueue([readingEntry(1, "A")], house.clock.now()))[0];
  house.clock.set(after(30 * DAY_MS));
  await house.cleanup.runOnce();
  expect(await comesAgain()).toBe("duplicate");
  house.clock.set(after(30 * DAY_MS + 1));
  await house.cleanup.runOnce();
  expect(await comesAgain()).toBe("queued");
});

test("messages that have what they lacked are due again, and the sender hears of it; erased rows are overwritten", async () => {
  const revived: number[] = [];
  let scrubbed = 0;
  await using house = await openHousekeeping({ maxCount: 100, maxDays: 10 }, ({ store, config }) => ({
    config: { ...config, mossos: { endpointUrl: "https://police.example/matr-ws" } },
    store: {
      ...store,
      scrub: async () => {
        scrubbed += 1;
        await store.scrub();
      },
    },
    onRevived: (count) => revived.push(count),
  }));
  const { store } = house.under;
  await addCameras(store, "A");
  await store.enqueue([readingEntry(1, "A"), readingEntry(2, "A")], START);
  await settleAll(store, dead(REASON.noEndpoint));
  await house.cleanup.runOnce();
  await house.cleanup.runOnce();
  expect([revived, (await store.summarize()).byStatus.PENDING, scrubbed]).toEqual([[2], 2, 2]);
});
