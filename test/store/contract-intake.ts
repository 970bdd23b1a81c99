import { describe, expect, test } from "bun:test";
import {
  addCamera,
  addCameras,
  after,
  claimRequest,
  DELIVERED,
  dedupeKey,
  newReading,
  type OpenStore,
  readingEntry,
  START,
  settleAll,
  talliesOf,
} from "../support/store-fixture.ts";

export function describeIntake(name: string, open: OpenStore): void {
  describe(`${name}: intake`, () => {
    test("queues a content once, also within one group, and says what became of each in order", async () => {
      await using under = await open();
      const { store } = under;
      const { municipality } = await addCameras(store, "A");
      await addCamera(store, "off", municipality, { active: false });
      const results = await store.enqueue(
        [
          readingEntry(1, "A"),
          readingEntry(1, "A"),
          readingEntry(2, "nobody"),
          readingEntry(3, "off"),
          { kind: "not-read", cameraSerial: "A", receivedAt: START },
          readingEntry(4, "A"),
        ],
        START,
      );
      expect(results).toEqual(["queued", "duplicate", "unregistered", "inactive", "not-read", "queued"]);
      expect((await store.summarize()).byStatus.PENDING).toBe(2);
      expect(await talliesOf(store, "A")).toEqual({ queued: 2, duplicate: 1, "not-read": 1 });
      expect(await talliesOf(store, "off")).toEqual({ inactive: 1 });
      expect(await talliesOf(store, "nobody")).toEqual({});
      expect(await store.isKnown(dedupeKey(1))).toBe(true);
    });

    test("tells when the key of the hashes is another than before", async () => {
      await using under = await open();
      expect(await under.store.noteDedupeKey("one")).toBe(true);
      expect(await under.store.noteDedupeKey("one")).toBe(true);
      await under.reopen();
      expect(await under.store.noteDedupeKey("one")).toBe(true);
      expect(await under.store.noteDedupeKey("two")).toBe(false);
      expect(await under.store.noteDedupeKey("two")).toBe(true);
    });

    test("does not remember a reading that it did not queue", async () => {
      await using under = await open();
      const { store } = under;
      const { municipality } = await addCameras(store);
      await store.enqueue([readingEntry(1, "late")], START);
      expect(await store.isKnown(dedupeKey(1))).toBe(false);
      await addCamera(store, "late", municipality);
      expect(await store.enqueue([readingEntry(1, "late")], START)).toEqual(["queued"]);
    });

    test("knows a reading after its delivery until it is forgotten", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      await store.enqueue([readingEntry(1, "A")], START);
      await store.enqueue([readingEntry(2, "A")], after(10));
      expect(await settleAll(store, DELIVERED)).toBe(2);
      expect(await store.enqueue([readingEntry(1, "A")], after(20))).toEqual(["duplicate"]);
      expect(await store.purgeDedupe(after(10), 100)).toBe(1);
      expect(await store.isKnown(dedupeKey(1))).toBe(false);
      expect(await store.isKnown(dedupeKey(2))).toBe(true);
      expect(await store.enqueue([readingEntry(1, "A")], after(30))).toEqual(["queued"]);
    });

    test("forgets in steps of the given size", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      await store.enqueue(
        Array.from({ length: 10 }, (_, i) => readingEntry(i, "A")),
        START,
      );
      expect(await store.purgeDedupe(after(1), 7)).toBe(7);
      expect(await store.purgeDedupe(after(1), 7)).toBe(3);
      expect(await store.purgeDedupe(after(1), 7)).toBe(0);
    });

    test("writes a group whole or not at all", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      const broken = readingEntry(2, "A", { dedupeKey: new Uint8Array(3) });
      await expect(store.enqueue([readingEntry(1, "A"), broken], START)).rejects.toThrow("queueing readings");
      expect((await store.summarize()).readings).toBe(0);
      expect(await store.isKnown(dedupeKey(1))).toBe(false);
      expect(await store.tallies()).toEqual([]);
      expect(await store.enqueue([readingEntry(1, "A")], START)).toEqual(["queued"]);
    });

    test("keeps everything a reading says", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      const reading = newReading(7, "A", {
        facts: {
          plate: "1234 ÑÇ'\"<",
          deviceName: "nom",
          direction: "APROACH",
          laneId: 1.5,
          laneDescription: "carril",
          ocrScore: 92.5,
          country: "ES",
          countryCode: "724",
          plateMinX: 1,
          plateMinY: -2,
          plateMaxX: 3,
          plateMaxY: 4,
          charHeight: 20,
          transitId: "0012",
          brand: "b",
          model: "m",
          color: "c",
          vehicleType: "v",
        },
        extra: { ODD_TAG: "1" },
        imageCtxPath: null,
        capturedAt: new Date("2026-01-02T03:04:05.678Z"),
      });
      await store.enqueue([{ kind: "reading", reading }], START);
      await under.reopen();
      const [claim] = await under.store.claim(claimRequest(), after(100));
      expect(claim?.facts).toEqual(reading.facts);
      expect(claim?.capturedAt).toEqual(reading.capturedAt);
      expect(claim?.receivedAt).toEqual(reading.receivedAt);
      expect(claim?.imageOcrPath).toBe(reading.imageOcrPath);
      expect(claim?.imageCtxPath).toBeNull();
      const [message] = await under.store.listMessages({}, 10);
      expect(message).toMatchObject({ timeSource: "camera", hasOcrImage: true, hasCtxImage: false });
    });

    test("notes when a camera was last heard, never backwards", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      await store.enqueue([readingEntry(1, "A", { receivedAt: after(5000) })], START);
      await store.enqueue([readingEntry(2, "A", { receivedAt: after(1000) })], START);
      expect((await store.findCamera("A"))?.lastReadingAt).toEqual(after(5000));
      await store.enqueue([{ kind: "not-read", cameraSerial: "A", receivedAt: after(6000) }], START);
      expect((await store.findCamera("A"))?.lastReadingAt).toEqual(after(6000));
    });

    test("counts what only is to be counted, also of a serial that no camera has", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      const results = await store.enqueue(
        (["not-read", "inactive", "duplicate"] as const).map((kind) => ({
          kind,
          cameraSerial: kind === "not-read" ? "stranger" : "A",
          receivedAt: START,
        })),
        START,
      );
      expect(results).toEqual(["not-read", "inactive", "duplicate"]);
      expect(await talliesOf(store, "stranger")).toEqual({ "not-read": 1 });
      expect(await talliesOf(store, "A")).toEqual({ inactive: 1, duplicate: 1 });
    });

    test("counts 2,000 strangers by name and the others together, but every camera by its own", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      const strangers = Array.from({ length: 2100 }, (_, i) => ({
        kind: "not-read" as const,
        cameraSerial: `S${i}`,
        receivedAt: START,
      }));
      for (let i = 0; i < strangers.length; i += 300) await store.enqueue(strangers.slice(i, i + 300), START);
      await store.enqueue(
        [{ kind: "not-read", cameraSerial: "A", receivedAt: START }, ...strangers.slice(0, 1)],
        START,
      );
      const serials = new Set((await store.tallies()).map(({ cameraSerial }) => cameraSerial));
      expect(serials.size).toBe(2002);
      expect(await talliesOf(store, "(unknown)")).toEqual({ "not-read": 100 });
      expect(await talliesOf(store, "S0")).toEqual({ "not-read": 2 });
      expect(await talliesOf(store, "A")).toEqual({ "not-read": 1 });
    });
  });
}
