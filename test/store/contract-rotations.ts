import { describe, expect, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import { REASON } from "../../src/message.ts";
import type { Store } from "../../src/store/store.ts";
import {
  addCameras,
  addMunicipality,
  after,
  dead,
  newCertificate,
  type OpenStore,
  readingEntry,
  START,
  settleAll,
  standingClock,
} from "../support/store-fixture.ts";

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "resolved",
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );

/** A municipality that signs with one certificate and has another one in the store. */
async function addTown(store: Store): Promise<{ town: number; endpoint: number; old: number; next: number }> {
  const { municipality: town, endpoint } = await addCameras(store, "A");
  const old = await store.addCertificate(newCertificate("old", { municipalityId: town }));
  const next = await store.addCertificate(newCertificate("next"));
  return { town, endpoint, old, next };
}

const certificateOf = async (store: Store): Promise<number | null> =>
  (await store.findMunicipality("Girona"))?.certificateId ?? null;

export function describeRotations(name: string, open: OpenStore): void {
  describe(`${name}: rotations of certificates`, () => {
    test("a staged certificate signs for nobody until it is started, and the rotation outlives a restart", async () => {
      await using under = await open();
      const { town, old, next } = await addTown(under.store);
      await under.store.stageRotation(town, next, START);
      expect(await certificateOf(under.store)).toBe(old);
      await under.reopen();
      const { store } = under;
      const staged = { municipalityId: town, nextId: next, previousId: null, detail: null, stagedAt: START } as const;
      expect(await store.listRotations()).toEqual([{ ...staged, state: "staged", startedAt: null }]);
      expect(await store.startRotation(town, after(5))).toBe(true);
      expect(await store.startRotation(town, after(6))).toBe(false);
      expect(await certificateOf(store)).toBe(next);
      expect(await store.listRotations()).toEqual([
        { ...staged, previousId: old, state: "trying", startedAt: after(5) },
      ]);
      expect((await store.findCertificate(next))?.municipalityId).toBe(town);
    });

    test("is over with the first success, and a failure gives the earlier certificate back", async () => {
      await using under = await open();
      const { store } = under;
      const { town, old, next } = await addTown(store);
      await store.stageRotation(town, next, START);
      expect(await store.finishRotation(town, { kind: "done" })).toBe(false);
      await store.startRotation(town, after(1));
      expect(await store.finishRotation(town, { kind: "failed", detail: "FailedAuthentication" })).toBe(true);
      expect(await certificateOf(store)).toBe(old);
      expect(await store.listRotations()).toMatchObject([{ state: "failed", detail: "FailedAuthentication" }]);
      expect(await store.finishRotation(town, { kind: "done" })).toBe(false);
      await store.stageRotation(town, next, after(2));
      expect(await store.listRotations()).toMatchObject([{ state: "staged", detail: null, previousId: null }]);
      await store.startRotation(town, after(3));
      expect(await store.finishRotation(town, { kind: "done" })).toBe(true);
      expect(await store.listRotations()).toEqual([]);
      expect(await certificateOf(store)).toBe(next);
    });

    test("neither certificate can be removed meanwhile, and both can afterwards if nobody uses them", async () => {
      await using under = await open();
      const { store } = under;
      const { town, old, next } = await addTown(store);
      await store.stageRotation(town, next, START);
      expect(await codeOf(store.removeCertificate(next))).toBe("conflict");
      await store.startRotation(town, after(1));
      expect(await codeOf(store.removeCertificate(old))).toBe("conflict");
      await store.finishRotation(town, { kind: "done" });
      expect(await codeOf(store.removeCertificate(old))).toBe("resolved");
    });

    test("one that is tried is not replaced by another, one that waits is; and it can be forgotten", async () => {
      await using under = await open();
      const { store } = under;
      const { town, old, next } = await addTown(store);
      const third = await store.addCertificate(newCertificate("third"));
      await store.stageRotation(town, next, START);
      await store.stageRotation(town, third, after(1));
      expect(await store.listRotations()).toMatchObject([{ nextId: third, stagedAt: after(1) }]);
      expect(await store.cancelRotation(town)).toBe(true);
      expect(await store.cancelRotation(town)).toBe(false);
      expect(await certificateOf(store)).toBe(old);
      await store.stageRotation(town, next, after(2));
      await store.startRotation(town, after(3));
      expect(await codeOf(store.stageRotation(town, third, after(4)))).toBe("conflict");
      await store.cancelRotation(town);
      expect(await certificateOf(store)).toBe(next);
      expect(await codeOf(store.stageRotation(town, 99, after(5)))).toBe("not-found");
      expect(await codeOf(store.stageRotation(99, next, after(5)))).toBe("not-found");
    });

    test("starting brings back what was dead for want of a certificate, and forgets what was known of the next one", async () => {
      const clock = standingClock();
      await using under = await open(clock);
      const { store } = under;
      const { municipality: town, endpoint } = await addCameras(store, "A");
      const next = await store.addCertificate(newCertificate("next"));
      await store.enqueue([readingEntry(1, "A")], START);
      await settleAll(store, dead(REASON.noCertificate));
      await store.saveRouteState({
        ...{ endpointId: endpoint, certificateId: next, pausedUntil: after(9000), pauseKind: "misconfigured" },
        ...{
          detail: "from before",
          pauses: 1,
          lastAcceptedAt: START,
          clockOffsetMs: null,
          latencyMs: null,
          mendedAt: null,
          triedAt: null,
        },
      });
      await store.stageRotation(town, next, START);
      expect((await store.summarize()).byStatus.PENDING).toBe(0);
      await store.startRotation(town, after(1000));
      expect((await store.summarize()).byStatus.PENDING).toBe(1);
      expect((await store.listRouteStates()).filter(({ certificateId }) => certificateId === next)).toEqual([]);
    });

    test("goes with its municipality", async () => {
      await using under = await open();
      const { store } = under;
      const town = await addMunicipality(store, "Olot");
      const next = await store.addCertificate(newCertificate("next"));
      await store.stageRotation(town, next, START);
      await store.removeMunicipality(town);
      expect(await store.listRotations()).toEqual([]);
      expect(await codeOf(store.removeCertificate(next))).toBe("resolved");
    });
  });
}
