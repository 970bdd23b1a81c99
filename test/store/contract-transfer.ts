import { describe, expect, test } from "bun:test";
import type { IntakeEntry } from "../../src/store/store.ts";
import {
  addCamera,
  addCameras,
  after,
  claimRequest,
  DELIVERED,
  type OpenStore,
  readingEntry,
  START,
  settleAll,
  talliesOf,
} from "../support/store-fixture.ts";

const HELD: IntakeEntry = {
  kind: "quarantine",
  quarantined: {
    kind: "unregistered",
    reason: "no camera of this serial is registered",
    cameraSerial: "later",
    protocol: "tattile-xml",
    peer: "10.0.0.7",
    receivedAt: START,
    sizeBytes: 12,
    path: "2026-05-04/x.msg",
  },
};

export function describeTransfer(name: string, open: OpenStore): void {
  describe(`${name}: taking over batches`, () => {
    test("brings readings, held messages and counts at once, in order", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      const batch = {
        entries: [readingEntry(2, "A"), HELD, readingEntry(1, "A"), readingEntry(2, "A")],
        tallies: [
          { cameraSerial: "A", tally: "not-read", count: 3 },
          { cameraSerial: "A", tally: "duplicate", count: 1 },
        ],
      } as const;
      expect(await store.isTransferred("one")).toBe(false);
      expect(await store.transfer("one", batch, START)).toEqual({
        kind: "moved",
        results: ["queued", "quarantined", "queued", "duplicate"],
      });
      expect(await store.isTransferred("one")).toBe(true);
      const claims = await store.claim(claimRequest(), after(1000));
      expect(claims.map(({ facts }) => facts.plate)).toEqual(["T2", "T1"]);
      expect((await store.listQuarantine({}, 10)).map(({ path }) => path)).toEqual(["2026-05-04/x.msg"]);
      expect(await talliesOf(store, "A")).toEqual({ queued: 2, "not-read": 3, duplicate: 2 });
    });

    test("writes a batch once, also when its readings are delivered and their hashes forgotten", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      const batch = {
        entries: [readingEntry(1, "A"), HELD],
        tallies: [{ cameraSerial: "A", tally: "not-read", count: 1 }],
      } as const;
      await store.transfer("one", batch, START);
      await settleAll(store, DELIVERED);
      expect(await store.purgeDedupe(after(1_000_000), 100)).toBe(1);
      expect(await store.transfer("one", batch, after(2_000_000))).toEqual({ kind: "already" });
      await under.reopen();
      expect(await under.store.transfer("one", batch, after(2_000_000))).toEqual({ kind: "already" });
      expect((await under.store.summarize()).readings).toBe(0);
      expect(await under.store.listQuarantine({}, 10)).toHaveLength(1);
      expect(await talliesOf(under.store, "A")).toMatchObject({ queued: 1, "not-read": 1 });
    });

    test("knows a batch for 400 days", async () => {
      await using under = await open();
      const { store } = under;
      const empty = { entries: [], tallies: [] };
      await store.transfer("one", empty, START);
      await store.transfer("two", empty, after(400 * 86_400_000));
      expect(await store.isTransferred("one")).toBe(true);
      await store.transfer("three", empty, after(400 * 86_400_000 + 1));
      expect([await store.isTransferred("one"), await store.isTransferred("two")]).toEqual([false, true]);
    });

    test("writes nothing of a batch with readings of cameras that are gone or off, and takes it once they are back", async () => {
      await using under = await open();
      const { store } = under;
      const { municipality } = await addCameras(store, "A");
      await addCamera(store, "off", municipality, { active: false });
      const batch = {
        entries: [readingEntry(1, "A"), readingEntry(2, "gone"), readingEntry(3, "off"), readingEntry(4, "gone"), HELD],
        tallies: [],
      };
      const refused = await store.transfer("one", batch, START);
      expect(refused.kind === "refused" ? refused.cameraSerials.toSorted() : refused).toEqual(["gone", "off"]);
      expect(await store.isTransferred("one")).toBe(false);
      expect((await store.summarize()).readings).toBe(0);
      expect(await store.listQuarantine({}, 10)).toEqual([]);
      expect(await talliesOf(store, "off")).toEqual({});
      await addCamera(store, "gone", municipality);
      await addCamera(store, "off", municipality, { active: true });
      expect((await store.transfer("one", batch, START)).kind).toBe("moved");
      expect((await store.summarize()).byStatus.PENDING).toBe(4);
    });

    test("of one batch by several movers at once writes it once", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      const batch = { entries: [1, 2, 3].map((number) => readingEntry(number, "A")), tallies: [] };
      const kinds = await Promise.all([1, 2, 3, 4].map(async () => (await store.transfer("one", batch, START)).kind));
      expect(kinds.toSorted()).toEqual(["already", "already", "already", "moved"]);
      expect((await store.summarize()).readings).toBe(3);
    });
  });
}
