import { describe, expect, test } from "bun:test";
import type { MessageFilter } from "../../src/store/messages.ts";
import type { NewQuarantined, Store } from "../../src/store/store.ts";
import {
  addCamera,
  addCameras,
  addMunicipality,
  after,
  claimRequest,
  dead,
  type OpenStore,
  readingEntry,
  retryAt,
  START,
  settled,
  talliesOf,
} from "../support/store-fixture.ts";

const LATER = after(100_000);

export function describeOperator(name: string, open: OpenStore): void {
  describe(`${name}: queue commands`, () => {
    for (const [filter, plates] of [
      [{}, ["T1", "T2", "T3", "T4", "T5", "T6"]],
      [{ statuses: ["PENDING"] }, ["T5", "T6"]],
      [{ statuses: ["DEAD", "FAILED"] }, ["T1", "T2", "T3"]],
      [{ statuses: ["SUCCESS"] }, []],
      [{ statuses: [] }, []],
      [{ ids: [6, 1, 99] }, ["T1", "T6"]],
      [{ ids: [] }, []],
      [{ ids: [1, 3], statuses: ["FAILED"] }, ["T3"]],
      [{ reason: "codiRetorn=" }, ["T1", "T2"]],
      [{ reason: "codiRetorn=12" }, ["T2"]],
      [{ reason: "codiRetorn=1" }, []],
      [{ reason: "codiRetorn" }, ["T1", "T2"]],
      [{ reason: "no answer" }, ["T3"]],
      [{ reason: "%" }, []],
      [{ cameraSerial: "B" }, ["T2", "T6"]],
      [{ cameraSerial: "B", statuses: ["DEAD"] }, ["T2"]],
      [{ cameraSerial: "nobody" }, []],
    ] as [MessageFilter, string[]][]) {
      test(`means ${plates.join(" ") || "nothing"} by ${JSON.stringify(filter)}`, async () => {
        await using under = await open();
        await fillQueue(under.store);
        expect((await under.store.listMessages(filter, 100)).map(({ plate }) => plate)).toEqual(plates);
        expect((await under.store.listMessages(filter, 1)).map(({ plate }) => plate)).toEqual(plates.slice(0, 1));
      });
    }

    test("shows a message with its route and where it stands", async () => {
      await using under = await open();
      await fillQueue(under.store);
      const [sending] = await under.store.listMessages({ statuses: ["SENDING"] }, 1);
      expect(sending).toMatchObject({
        messageId: 4,
        cameraSerial: "A",
        municipality: "Girona",
        endpointName: "Police",
        leaseOwner: "machine/boot/1/1",
        receivedAt: after(4),
      });
      expect((await under.store.findMessage(3))?.message).toMatchObject({
        status: "FAILED",
        nextRetryAt: after(900_000),
      });
      expect(await under.store.findMessage(99)).toBeNull();
    });

    test("says where the pictures of a message lie", async () => {
      await using under = await open();
      await addCameras(under.store, "A");
      await under.store.enqueue([readingEntry(1, "A"), readingEntry(2, "A", { imageCtxPath: null })], START);
      expect(await under.store.findMessageImages(1)).toEqual({
        ocr: "A/2026/05/04/1_ocr.jpg",
        ctx: "A/2026/05/04/1_ctx.jpg",
      });
      expect(await under.store.findMessageImages(2)).toMatchObject({ ctx: null });
      expect(await under.store.findMessageImages(99)).toBeNull();
    });

    test("retries what failed and what is dead as if it were new, and nothing else", async () => {
      await using under = await open();
      const { store } = under;
      await fillQueue(store);
      expect(await store.retryMessages({ ids: [2, 4, 5] }, LATER)).toBe(1);
      expect(await store.retryMessages({}, LATER)).toBe(2);
      expect((await store.summarize()).byStatus).toMatchObject({ PENDING: 5, SENDING: 1, FAILED: 0, DEAD: 0 });
      expect((await store.listMessages({ ids: [1] }, 1))[0]).toMatchObject({ attempts: 0, reason: null });
      expect((await store.claim(claimRequest(), LATER)).map(({ lastFailedAt }) => lastFailedAt)).toEqual(
        Array.from({ length: 5 }, () => null),
      );
    });

    test("discards what is meant, but not what is being sent, and the balance stays whole", async () => {
      await using under = await open();
      const { store } = under;
      await fillQueue(store);
      const { messages, imagePaths } = await store.discardMessages({ cameraSerial: "A" });
      expect(messages).toBe(3);
      expect(imagePaths.length).toBe(6);
      expect((await store.listMessages({}, 10)).map(({ plate }) => plate)).toEqual(["T2", "T4", "T6"]);
      expect(await talliesOf(store, "A")).toMatchObject({ queued: 4, discarded: 3 });
      expect((await store.summarize()).readings).toBe(3);
    });

    test("discards and retries more than one step's worth", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      const readings = Array.from({ length: 4100 }, (_, i) => readingEntry(i, "A"));
      await store.enqueue(readings, START);
      const claims = await store.claim(claimRequest({ limit: 4050, slotsPerEndpoint: 5000 }), LATER);
      await store.settle(
        claims.map((claim) => settled(claim, dead("X"))),
        LATER,
      );
      expect(await store.retryMessages({ statuses: ["DEAD"] }, LATER)).toBe(4050);
      expect((await store.discardMessages({})).messages).toBe(4100);
      expect((await store.summarize()).readings).toBe(0);
    });

    test("erases a number at a time, the oldest of each state first, until nothing is left", async () => {
      await using under = await open();
      const { store } = under;
      await fillQueue(store);
      const step = async (limit: number): Promise<[number, number]> => {
        const { messages, imagePaths } = await store.discardMessages({}, limit);
        return [messages, imagePaths.length];
      };
      expect(await step(1)).toEqual([1, 2]);
      expect((await store.listMessages({ statuses: ["PENDING"] }, 10)).map(({ messageId }) => messageId)).toEqual([6]);
      expect(await step(3)).toEqual([3, 6]);
      expect(await step(3)).toEqual([1, 2]);
      expect(await step(3)).toEqual([0, 0]);
      expect((await store.listMessages({}, 10)).map(({ status }) => status)).toEqual(["SENDING"]);
      await addCameras(store, "C");
      await store.enqueue(
        Array.from({ length: 4500 }, (_, i) => readingEntry(i + 10, "C")),
        START,
      );
      expect(await step(4100)).toEqual([4100, 8200]);
      expect(await step(4100)).toEqual([400, 800]);
    });

    test("counts each state and finds its oldest", async () => {
      await using under = await open();
      await fillQueue(under.store);
      await under.reopen();
      expect(await under.store.summarize()).toEqual({
        byStatus: { PENDING: 2, SENDING: 1, SUCCESS: 0, FAILED: 1, DEAD: 2 },
        oldestAt: { PENDING: after(5), SENDING: after(4), SUCCESS: null, FAILED: after(3), DEAD: after(1) },
        deadByReason: [
          { reason: "codiRetorn=12", count: 1 },
          { reason: "codiRetorn=5", count: 1 },
        ],
        readings: 6,
      });
    });
  });

  describe(`${name}: quarantine`, () => {
    test("lists, finds and drops what is held, and counts it by serial", async () => {
      await using under = await open();
      const { store } = under;
      await hold(store, held("malformed", null, 1), held("unregistered", "X", 2), held("unregistered", "Y", 3));
      expect((await store.listQuarantine({}, 10)).map(({ id }) => id)).toEqual([1, 2, 3]);
      expect(await store.countQuarantine()).toBe(3);
      expect((await store.listQuarantine({ kind: "unregistered" }, 1)).map(({ id }) => id)).toEqual([2]);
      expect((await store.listQuarantine({ cameraSerial: "Y" }, 10)).map(({ id }) => id)).toEqual([3]);
      expect(await store.findQuarantined(2)).toEqual({ id: 2, ...held("unregistered", "X", 2) });
      expect(await store.findHeld(["held/2", "held/9"])).toEqual(new Set(["held/2"]));
      expect(await store.dropQuarantined([2, 9])).toEqual(["held/2"]);
      expect(await store.findQuarantined(2)).toBeNull();
      expect(await talliesOf(store, "X")).toEqual({ unregistered: 1 });
      expect(await talliesOf(store, "(unknown)")).toEqual({ malformed: 1 });
    });

    test("offers for adoption what an active camera sent, oldest first", async () => {
      await using under = await open();
      const { store } = under;
      await hold(
        store,
        held("unregistered", "X", 1),
        held("unregistered", "Y", 2),
        held("malformed", "X", 3),
        { ...held("unregistered", "X", 4), path: null },
        held("unregistered", "X", 5),
      );
      expect(await store.listAdoptable(10)).toEqual([]);
      const municipality = await addMunicipality(store, "Girona");
      await addCamera(store, "X", municipality);
      await addCamera(store, "Y", municipality, { active: false });
      expect((await store.listAdoptable(10)).map(({ id }) => id)).toEqual([1, 5]);
      expect((await store.listAdoptable(1)).map(({ id }) => id)).toEqual([1]);
      expect((await store.listAdoptable(10, 1)).map(({ id }) => id)).toEqual([5]);
      expect(await store.listAdoptable(10, 5)).toEqual([]);
    });

    test("gives up the old ones, then malformed before unregistered, until count and bytes fit", async () => {
      await using under = await open();
      const { store } = under;
      await hold(
        store,
        held("unregistered", "X", 1),
        held("unregistered", "X", 2),
        held("malformed", null, 3),
        held("malformed", null, 4),
        held("unregistered", "X", 5),
      );
      const trim = async (count: number, bytes: number, before: Date): Promise<number[]> =>
        (await store.trimQuarantine({ count, bytes, before })).map(({ id }) => id);
      expect(await trim(5, 500, START)).toEqual([]);
      expect(await trim(5, 500, after(2))).toEqual([1]);
      expect(await trim(3, 500, START)).toEqual([3]);
      expect(await trim(3, 150, START)).toEqual([4, 2]);
      expect(await trim(0, 0, START)).toEqual([5]);
      expect(await trim(0, 0, START)).toEqual([]);
    });
  });

  describe(`${name}: routes and the store itself`, () => {
    test("keeps what is known of a route", async () => {
      await using under = await open();
      const state = {
        endpointId: 0,
        certificateId: 3,
        pausedUntil: after(5),
        pauseKind: "unanswered" as const,
        detail: "503",
        pauses: 4,
        lastAcceptedAt: after(1),
        clockOffsetMs: -1.5,
        latencyMs: 20,
        mendedAt: null,
        triedAt: null,
      };
      await under.store.saveRouteState({ ...state, pauses: 1 });
      await under.store.saveRouteState(state);
      await under.reopen();
      expect(await under.store.listRouteStates()).toEqual([state]);
    });

    test("a paused endpoint is due at once when it is to be tried, with a message of each of its cameras; counts stay", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A", "B");
      const other = await addMunicipality(store, "Olot");
      await addCamera(store, "C", other);
      const endpointId = (await store.findEndpoint("Police"))?.id ?? -1;
      for (const [number, serial] of [
        [1, "A"],
        [2, "A"],
        [3, "B"],
        [4, "C"],
      ] as const) {
        await store.enqueue([readingEntry(number, serial)], START);
        const [claim] = await store.claim(claimRequest(), LATER);
        if (claim === undefined) throw new Error("nothing claimed");
        await store.settle([settled(claim, retryAt(after(900_000 + number), true))], LATER);
      }
      const paused = {
        pausedUntil: after(900_000),
        pauseKind: "unreachable" as const,
        detail: "ECONNREFUSED",
        ...{ pauses: 7, lastAcceptedAt: null, clockOffsetMs: null, latencyMs: null, mendedAt: START, triedAt: null },
      };
      const known = { ...paused, pausedUntil: null, pauseKind: null, detail: null, pauses: 0 };
      await store.saveRouteState({ ...paused, endpointId: 0, certificateId: 0 });
      await store.saveRouteState({ ...paused, endpointId, certificateId: 0 });
      await store.saveRouteState({ ...paused, endpointId, certificateId: 8 });
      await store.saveRouteState({ ...known, endpointId, certificateId: 9 });
      const due = (): Promise<(Date | null)[]> =>
        under.store.listMessages({}, 10).then((all) => all.map(({ nextRetryAt }) => nextRetryAt));

      const now = after(200_000);
      expect(await store.tryEndpoint(endpointId, now)).toBe(2);
      const tried = { pausedUntil: now, triedAt: now };
      await under.reopen();
      expect(await under.store.listRouteStates()).toMatchObject([
        { ...paused, endpointId: 0, certificateId: 0 },
        { ...paused, ...tried, endpointId, certificateId: 0 },
        { ...paused, ...tried, endpointId, certificateId: 8 },
        { ...known, endpointId, certificateId: 9 },
      ]);
      expect(await due()).toEqual([now, after(900_002), now, after(900_004)]);
      expect((await under.store.listMessages({}, 10)).map(({ attempts }) => attempts)).toEqual([1, 1, 1, 1]);
    });

    test("trying the default endpoint concerns the cameras that have no other, and trying one that is not paused nothing", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      await addCamera(store, "C", await addMunicipality(store, "Olot"));
      for (const [number, serial] of [
        [1, "A"],
        [2, "C"],
      ] as const) {
        await store.enqueue([readingEntry(number, serial)], START);
        const [claim] = await store.claim(claimRequest(), LATER);
        if (claim === undefined) throw new Error("nothing claimed");
        await store.settle([settled(claim, retryAt(after(900_000), true))], LATER);
      }
      const due = (): Promise<(Date | null)[]> =>
        store.listMessages({}, 10).then((all) => all.map(({ nextRetryAt }) => nextRetryAt));
      expect(await store.tryEndpoint(0, after(200_000))).toBe(0);
      expect(await due()).toEqual([after(900_000), after(900_000)]);
      await store.saveRouteState({
        ...{ endpointId: 0, certificateId: 0, pausedUntil: after(900_000), pauseKind: "unreachable", detail: null },
        ...{ pauses: 1, lastAcceptedAt: null, clockOffsetMs: null, latencyMs: null, mendedAt: null, triedAt: null },
      });
      expect(await store.tryEndpoint(0, after(200_000))).toBe(1);
      expect(await due()).toEqual([after(900_000), after(200_000)]);
    });

    test("can be checked and scrubbed at any time", async () => {
      await using under = await open();
      await under.store.check();
      await under.store.scrub();
      await fillQueue(under.store);
      await under.store.discardMessages({ ids: [1] });
      await under.store.scrub();
      await under.store.check();
      expect((await under.store.listMessages({}, 10)).map(({ plate }) => plate)).toEqual([
        "T2",
        "T3",
        "T4",
        "T5",
        "T6",
      ]);
      expect(under.store.info().schemaVersion).toBeGreaterThan(0);
    });
  });
}

/** 1 and 2 are DEAD, 3 FAILED, 4 SENDING, 5 and 6 PENDING; 2 and 6 are of camera B. */
async function fillQueue(store: Store): Promise<void> {
  await addCameras(store, "A", "B");
  const queue = async (number: number, serial: string): Promise<void> => {
    await store.enqueue([readingEntry(number, serial)], START);
  };
  for (const [number, serial, settlement] of [
    [1, "A", dead("codiRetorn=5")],
    [2, "B", dead("codiRetorn=12")],
    [3, "A", retryAt(after(900_000), true)],
    [4, "A", null],
  ] as const) {
    await queue(number, serial);
    const [claim] = await store.claim(claimRequest(), LATER);
    if (claim === undefined) throw new Error("nothing claimed");
    if (settlement !== null) await store.settle([settled(claim, settlement)], LATER);
  }
  await queue(5, "A");
  await queue(6, "B");
}

function held(kind: NewQuarantined["kind"], cameraSerial: string | null, number: number): NewQuarantined {
  return {
    kind,
    reason: "no such camera",
    cameraSerial,
    protocol: "tattile-xml",
    peer: "192.0.2.1",
    receivedAt: after(number),
    sizeBytes: 100,
    path: `held/${number}`,
  };
}

async function hold(store: Store, ...entries: NewQuarantined[]): Promise<void> {
  await store.enqueue(
    entries.map((quarantined) => ({ kind: "quarantine", quarantined })),
    START,
  );
}
