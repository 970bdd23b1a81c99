import { describe, expect, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import type { Store } from "../../src/store/store.ts";
import {
  addCamera,
  addCameras,
  addMunicipality,
  after,
  claimRequest,
  DELIVERED,
  dead,
  newCamera,
  type OpenStore,
  readingEntry,
  START,
  settleAll,
  settled,
  talliesOf,
} from "../support/store-fixture.ts";

const LATER = after(100_000);

export function describeHoldings(name: string, open: OpenStore): void {
  describe(`${name}: looking through the queue`, () => {
    test("finds the messages of a municipality, and readings taken since", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A", "B");
      const other = await addMunicipality(store, "Olot");
      await addCamera(store, "C", other);
      await enqueue(store, [1, "A"], [2, "C"], [3, "B"], [4, "C"]);
      const plates = async (...args: Parameters<Store["listMessages"]>): Promise<string[]> =>
        (await store.listMessages(...args)).map(({ plate }) => plate);
      expect(await plates({ municipalityId: other }, 10)).toEqual(["T2", "T4"]);
      expect(await plates({ municipalityId: 99 }, 10)).toEqual([]);
      expect(await plates({ capturedSince: after(3) }, 10)).toEqual(["T3", "T4"]);
      expect(await plates({ municipalityId: other, capturedSince: after(3) }, 10)).toEqual(["T4"]);
      expect(await store.retryMessages({ municipalityId: other }, LATER)).toBe(0);
      expect((await store.discardMessages({ municipalityId: other, capturedSince: after(3) })).messages).toBe(1);
      expect(await plates({}, 10)).toEqual(["T1", "T2", "T3"]);
    });

    test("lists the oldest or the newest of a number, across the states", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      await enqueue(store, [1, "A"], [2, "A"]);
      await settleAll(store, dead("X"), LATER);
      await enqueue(store, [3, "A"], [4, "A"]);
      const ids = async (...args: Parameters<Store["listMessages"]>): Promise<number[]> =>
        (await store.listMessages(...args)).map(({ messageId }) => messageId);
      expect(await ids({}, 3)).toEqual([1, 2, 3]);
      expect(await ids({}, 3, "oldest")).toEqual([1, 2, 3]);
      expect(await ids({}, 3, "newest")).toEqual([4, 3, 2]);
      expect(await ids({ statuses: ["DEAD"] }, 1, "newest")).toEqual([2]);
    });

    test("shows lane, direction, score and country with a message", async () => {
      await using under = await open();
      await addCameras(under.store, "A");
      const entry = readingEntry(1, "A");
      if (entry.kind !== "reading") throw new Error("no reading");
      Object.assign(entry.reading.facts, { direction: "GoAway", laneId: 2, ocrScore: 97.5, countryCode: "724" });
      await under.store.enqueue([entry], START);
      expect((await under.store.listMessages({}, 1))[0]).toMatchObject({
        direction: "GoAway",
        laneId: 2,
        ocrScore: 97.5,
        countryCode: "724",
      });
    });

    test("counts what waits, camera by camera, and the rows of every table", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A", "B");
      await enqueue(store, [1, "A"], [2, "B"]);
      await settleAll(store, dead("X"), LATER);
      await enqueue(store, [3, "A"], [4, "A"]);
      expect(await store.countQueue()).toEqual([
        { cameraId: 1, status: "DEAD", count: 1, oldestAt: after(1) },
        { cameraId: 1, status: "PENDING", count: 2, oldestAt: after(3) },
        { cameraId: 2, status: "DEAD", count: 1, oldestAt: after(2) },
      ]);
      const rows = Object.fromEntries((await store.countRows()).map(({ table, rows }) => [table, rows]));
      expect(rows).toMatchObject({
        alpr_readings: 4,
        audit_log: 0,
        cameras: 2,
        endpoints: 1,
        messages_queue: 4,
        municipalities: 1,
      });
    });
  });

  describe(`${name}: erasing on purpose`, () => {
    test("readings forget their pictures, but not those that are being sent", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A", "B");
      await enqueue(store, [1, "A"]);
      await store.claim(claimRequest(), LATER);
      await enqueue(store, [2, "A"], [3, "B"]);
      const paths = (serial: string, n: number): string[] =>
        ["ocr", "ctx"].map((kind) => `${serial}/2026/05/04/${n}_${kind}.jpg`);
      expect(await store.listImagePaths([1])).toEqual([...paths("A", 1), ...paths("A", 2)]);
      const all = [...paths("A", 1), ...paths("A", 2), ...paths("B", 3)];
      expect([...(await store.listImagePaths([2, 1]))].sort()).toEqual([...all].sort());
      expect(await store.countPictured()).toBe(2);
      expect(await store.detachImages(1)).toEqual({ readings: 1, imagePaths: paths("A", 2), last: 2 });
      expect(await store.countPictured()).toBe(1);
      expect(await store.detachImages(1, 3)).toEqual({ readings: 0, imagePaths: [], last: 3 });
      expect(await store.detachImages(10, 2)).toEqual({ readings: 1, imagePaths: paths("B", 3), last: 3 });
      expect(
        (await store.listMessages({}, 10)).map(({ hasOcrImage, hasCtxImage }) => [hasOcrImage, hasCtxImage]),
      ).toEqual([
        [true, true],
        [false, false],
        [false, false],
      ]);
      expect(await store.findReferenced([...paths("A", 1), ...paths("A", 2)])).toEqual(new Set(paths("A", 1)));
      expect(await store.countPictured()).toBe(0);
      expect(await store.detachImages()).toEqual({ readings: 0, imagePaths: [], last: 0 });
    });

    test("pictures of more readings than one transaction takes are counted and forgotten, all or as many as are asked for", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      for (const first of [1, 3001, 6001, 9001]) {
        const entries = Array.from({ length: 3000 }, (_, n) => readingEntry(first + n, "A"));
        await store.enqueue(entries, START);
      }
      expect(await store.countPictured()).toBe(12_000);
      const some = await store.detachImages(2500);
      expect([some.readings, some.imagePaths.length, some.last]).toEqual([2500, 5000, 2500]);
      expect(await store.countPictured()).toBe(9500);
      const all = await store.detachImages();
      expect([all.readings, all.imagePaths.length, all.last]).toEqual([9500, 19_000, 12_000]);
      expect(await store.countPictured()).toBe(0);
    });

    test("forgets the lasting counts", async () => {
      await using under = await open();
      await addCameras(under.store, "A");
      await enqueue(under.store, [1, "A"]);
      expect(await under.store.forgetTallies()).toBe(1);
      expect(await under.store.tallies()).toEqual([]);
      await enqueue(under.store, [2, "A"]);
      expect(await talliesOf(under.store, "A")).toEqual({ queued: 1 });
    });

    test("a retiring camera takes nothing more, delivers what waits, and goes with the last of it", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A", "B");
      await enqueue(store, [1, "A"], [2, "B"]);
      await store.retireCamera(1);
      expect(await store.listRetiring()).toEqual([1]);
      expect(await store.enqueue([readingEntry(3, "A")], START)).toEqual(["inactive"]);
      expect(await store.removeRetired()).toEqual([]);
      await under.reopen();
      expect(await settleAll(under.store, DELIVERED, LATER)).toBe(2);
      expect(await under.store.removeRetired()).toEqual(["A"]);
      expect((await under.store.listCameras()).map(({ serial }) => serial)).toEqual(["B"]);
      expect(await under.store.listRetiring()).toEqual([]);
      expect(await under.store.removeRetired()).toEqual([]);
    });

    test("a camera that is switched on again stays", async () => {
      await using under = await open();
      const { store } = under;
      const { municipality } = await addCameras(store, "A");
      await store.retireCamera(1);
      await store.saveCamera(newCamera("A", municipality, { active: true }));
      expect(await store.removeRetired()).toEqual([]);
      expect(await store.listRetiring()).toEqual([]);
      expect((await store.listCameras()).length).toBe(1);
    });

    test("a camera that is not there cannot retire", async () => {
      await using under = await open();
      const failed = await under.store.retireCamera(7).catch((error: unknown) => error);
      expect(failed instanceof AppError && failed.code).toBe("not-found");
    });

    test("a camera with a message that is being sent waits for it", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      await enqueue(store, [1, "A"]);
      const [claim] = await store.claim(claimRequest(), LATER);
      if (claim === undefined) throw new Error("nothing claimed");
      await store.retireCamera(1);
      expect(await store.removeRetired()).toEqual([]);
      expect(await store.settle([settled(claim, DELIVERED)], LATER)).toEqual([true]);
      expect(await store.removeRetired()).toEqual(["A"]);
    });
  });
}

async function enqueue(store: Store, ...readings: [number: number, serial: string][]): Promise<void> {
  await store.enqueue(
    readings.map(([number, serial]) => readingEntry(number, serial)),
    START,
  );
}
