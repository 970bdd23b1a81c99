import { describe, expect, test } from "bun:test";
import { REASON } from "../../src/message.ts";
import type { Claim, Store } from "../../src/store/store.ts";
import {
  addCamera,
  addCameras,
  addEndpoint,
  addMunicipality,
  after,
  claimRequest,
  DELIVERED,
  dead,
  newCertificate,
  newEndpoint,
  type OpenStore,
  readingEntry,
  retryAt,
  START,
  settleAll,
  settled,
  talliesOf,
} from "../support/store-fixture.ts";

const LATER = after(100_000);

export function describeQueue(name: string, open: OpenStore): void {
  describe(`${name}: claim`, () => {
    test("takes turns between endpoints and cameras, whatever one of them has waiting, and goes on where it stopped", async () => {
      await using under = await open();
      const { store } = under;
      const first = await addMunicipality(store, "First", await addEndpoint(store, "One"));
      const second = await addMunicipality(store, "Second", await addEndpoint(store, "Two"));
      await addCamera(store, "A", first);
      await addCamera(store, "B", first);
      await addCamera(store, "C", second);
      await enqueueMany(store, "A", 1, 50);
      await enqueueMany(store, "B", 101, 2);
      await enqueueMany(store, "C", 201, 2);
      const order: string[] = [];
      for (let i = 0; i < 4; i++) order.push(...(await claimPlates(store, { limit: 2 })));
      expect(order).toEqual(["T1", "T201", "T101", "T202", "T2", "T102", "T3", "T4"]);
    });

    test("gives an endpoint and a route no more than their slots", async () => {
      await using under = await open();
      const { store } = under;
      const one = await addEndpoint(store, "One");
      const two = await addEndpoint(store, "Two");
      const first = await addMunicipality(store, "First", one);
      const second = await addMunicipality(store, "Second", two);
      await addCamera(store, "A", first);
      await addCamera(store, "B", second);
      await enqueueMany(store, "A", 1, 10);
      await enqueueMany(store, "B", 101, 10);
      expect(await claimPlates(store, { slots: new Map([[one, 0]]), slotsPerEndpoint: 2 })).toEqual(["T101", "T102"]);
      const routeSlots = new Map([
        [`${one}/0`, 1],
        [`${two}/0`, 0],
      ]);
      expect(await claimPlates(store, { routeSlots })).toEqual(["T1"]);
      expect(await claimPlates(store, { limit: 0 })).toEqual([]);
    });

    test("takes the older of what failed and is due and what was never tried, and nothing before it is due", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      await enqueueMany(store, "A", 1, 3);
      const [oldest] = await store.claim(claimRequest({ limit: 1 }), LATER);
      if (oldest === undefined) throw new Error("nothing claimed");
      await store.settle([settled(oldest, retryAt(after(200_000)))], LATER);
      expect(await store.nextDueAt(LATER)).toEqual(after(200_000));
      expect(await claimPlates(store, { limit: 1 })).toEqual(["T2"]);
      expect(await claimPlates(store, { limit: 1 }, after(200_000))).toEqual(["T1"]);
      expect(await store.nextDueAt(LATER)).toBeNull();
      expect(await claimPlates(store, {}, after(200_000))).toEqual(["T3"]);
    });

    test("knows the next due instant also behind messages that are due already and that nobody takes", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A", "B");
      await enqueueMany(store, "A", 1, 2);
      await enqueueMany(store, "B", 101, 1);
      const claims = await store.claim(claimRequest(), LATER);
      const dueMs = [200_000, 300_000, 400_000];
      await store.settle(
        claims.map((claim, index) => settled(claim, retryAt(after(dueMs[index] ?? 0)))),
        LATER,
      );
      expect(await store.nextDueAt(after(199_999))).toEqual(after(200_000));
      expect(await store.nextDueAt(after(200_000))).toEqual(after(300_000));
      expect(await store.nextDueAt(after(350_000))).toEqual(after(400_000));
      expect(await store.nextDueAt(after(400_000))).toBeNull();
    });

    test("brings forward what is due later, some at a time, and nothing else", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      await enqueueMany(store, "A", 1, 6);
      const claims = await store.claim(claimRequest({ limit: 5 }), LATER);
      await store.settle(
        claims.map((claim, index) => settled(claim, retryAt(after(index === 0 ? 150_000 : 7_200_000 + index)))),
        LATER,
      );
      expect(await store.bringForward(after(160_000), 3)).toBe(3);
      expect(await store.bringForward(after(160_000), 3)).toBe(1);
      expect(await store.bringForward(after(160_000), 3)).toBe(0);
      expect((await claimPlates(store, {}, after(160_000))).toSorted()).toEqual(["T1", "T2", "T3", "T4", "T5", "T6"]);
    });

    test("takes what waits before what failed later, also when other cameras leave it more than its share", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A", "B", "C");
      await enqueueMany(store, "C", 1, 4);
      const claims = await store.claim(claimRequest(), LATER);
      const newest = claims.at(-1)?.messageId;
      await store.settle(
        claims.map((claim) => settled(claim, claim.messageId === newest ? retryAt(LATER) : { kind: "release" })),
        LATER,
      );
      await enqueueMany(store, "A", 101, 1);
      await enqueueMany(store, "B", 201, 1);
      const plates = await claimPlates(store, { limit: 5 });
      expect(plates.filter((plate) => plate.length === 2)).toEqual(["T1", "T2", "T3"]);
      expect(plates.toSorted()).toEqual(["T1", "T101", "T2", "T201", "T3"]);
    });

    test("probes with a message that has not failed, where the camera has one", async () => {
      await using under = await open();
      const { store } = under;
      const { endpoint } = await addCameras(store, "A");
      await enqueueMany(store, "A", 1, 2);
      await store.settle(
        (await store.claim(claimRequest({ limit: 1 }), LATER)).map((claim) => settled(claim, retryAt(LATER))),
        LATER,
      );
      const probe = { limit: 1, probedEndpoints: new Set([endpoint]) };
      expect(await claimPlates(store, probe)).toEqual(["T2"]);
      expect(await claimPlates(store, probe)).toEqual(["T1"]);
    });

    test("carries the route of the moment: the camera's endpoint, else the municipality's, and its certificate while active", async () => {
      await using under = await open();
      const { store } = under;
      const { endpoint, municipality } = await addCameras(store, "A");
      await enqueueMany(store, "A", 1, 4);
      const claimOne = async (): Promise<Claim | undefined> =>
        (await store.claim(claimRequest({ limit: 1 }), LATER)).at(0);
      const first = await claimOne();
      expect(first?.route).toEqual({ endpointId: endpoint, certificateId: 0 });
      expect(first?.endpoint).toEqual({ id: endpoint, ...newEndpoint("Police") });
      expect(first?.leaseUntil).toEqual(new Date(LATER.getTime() + 60_000 + 5000));
      expect(first?.camera).toMatchObject({ serial: "A", readerCode: "R-A", coordX: "430000.10" });
      expect(first?.municipality).toEqual({ id: municipality, name: "Girona" });

      const own = await addEndpoint(store, "Own");
      await addCamera(store, "A", municipality, { endpointId: own });
      const certificate = await store.addCertificate(newCertificate("c", { municipalityId: municipality }));
      const second = await claimOne();
      expect(second?.route).toEqual({ endpointId: own, certificateId: certificate });
      expect(second?.certificate).toMatchObject({ id: certificate, validTo: after(1_000_000), active: true });

      await store.addCertificate(newCertificate("d", { municipalityId: municipality, active: false }));
      expect((await claimOne())?.route).toEqual({ endpointId: own, certificateId: 0 });

      await addCamera(store, "A", municipality, { endpointId: null });
      await store.saveMunicipality({
        name: "Girona",
        code: null,
        endpointId: null,
        certificateId: null,
        active: true,
      });
      const last = await claimOne();
      expect(last).toMatchObject({ endpoint: null, certificate: null, route: { endpointId: 0, certificateId: 0 } });
      expect(last?.leaseUntil).toEqual(new Date(LATER.getTime() + 60_000 + 10_000));
    });

    test("gives a message to one owner only", async () => {
      await using under = await open();
      await addCameras(under.store, "A");
      await enqueueMany(under.store, "A", 1, 5);
      expect((await claimPlates(under.store, { limit: 3 })).length).toBe(3);
      await under.reopen();
      expect(await claimPlates(under.store, { owner: "other" })).toEqual(["T4", "T5"]);
      expect(await claimPlates(under.store, { owner: "other" })).toEqual([]);
    });
  });

  describe(`${name}: settle`, () => {
    test("erases what was delivered and notes it with the camera", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      await enqueueMany(store, "A", 1, 2);
      expect(await settleAll(store, DELIVERED)).toBe(2);
      expect((await store.summarize()).readings).toBe(0);
      expect((await store.findCamera("A"))?.lastSentAt).toEqual(LATER);
      expect(await talliesOf(store, "A")).toEqual({ queued: 2, delivered: 2 });
    });

    test("keeps a failed message with what was said of it, and spends an attempt only when told", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      await enqueueMany(store, "A", 1, 1);
      await settleAll(store, retryAt(after(150_000)));
      const [unspent] = await store.claim(claimRequest(), after(150_000));
      expect(unspent).toMatchObject({ attempts: 0, lastFailedAt: LATER });
      await store.settle([settled(unspent as Claim, retryAt(after(160_000), true))], after(151_000));
      const [message] = await store.listMessages({}, 10);
      expect(message).toMatchObject({ status: "FAILED", attempts: 1, lastError: "no answer", leaseOwner: null });
      expect(message?.nextRetryAt).toEqual(after(160_000));
    });

    test("puts back what was not tried as it was", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      await enqueueMany(store, "A", 1, 1);
      await settleAll(store, { kind: "release" });
      expect((await store.listMessages({}, 10))[0]).toMatchObject({ status: "PENDING", attempts: 0, leaseUntil: null });
    });

    test("buries with the reason, and counts it", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      await enqueueMany(store, "A", 1, 3);
      await settleAll(store, dead("CAMPO_NO_VALIDO:matricula"));
      const summary = await store.summarize();
      expect(summary.byStatus.DEAD).toBe(3);
      expect(summary.deadByReason).toEqual([{ reason: "CAMPO_NO_VALIDO", count: 3 }]);
      expect(await talliesOf(store, "A")).toMatchObject({ dead: 3 });
      expect((await store.listMessages({}, 1))[0]).toMatchObject({
        reason: "CAMPO_NO_VALIDO:matricula",
        lastError: "because of CAMPO_NO_VALIDO:matricula",
      });
    });

    test("writes nothing for a lease that was lost, not even when the same owner claimed the message again", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      await enqueueMany(store, "A", 1, 2);
      const [lost, kept] = await store.claim(claimRequest(), LATER);
      if (lost === undefined || kept === undefined) throw new Error("nothing claimed");
      await store.settle([settled(lost, { kind: "release" })], LATER);
      for (const settlement of [DELIVERED, dead("X"), retryAt(LATER), { kind: "release" } as const]) {
        expect(await store.settle([settled(lost, settlement)], LATER)).toEqual([false]);
      }
      const [again] = await store.claim(claimRequest(), after(100_001));
      expect(again?.messageId).toBe(lost.messageId);
      expect(await store.settle([settled(lost, DELIVERED), settled(kept, DELIVERED)], LATER)).toEqual([false, true]);
      expect(await store.settle([settled({ ...(again as Claim), owner: "thief" }, DELIVERED)], LATER)).toEqual([false]);
      expect(await talliesOf(store, "A")).toEqual({ queued: 2, delivered: 1 });
      expect((await store.summarize()).byStatus.SENDING).toBe(1);
    });

    test("a refusal stands in the history with its code once", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      await store.enqueue([readingEntry(1, "A"), readingEntry(2, "A")], START);
      const claims = await store.claim(claimRequest(), LATER);
      const refused = (detail: string) =>
        ({ at: after(7), durationMs: 1, outcome: { kind: "rejected", returnCode: "0107", detail } }) as const;
      await store.settle(
        claims.map((claim, i) => settled(claim, dead("codiRetorn=0107"), refused(i === 0 ? "codiRetorn=0107" : ""))),
        LATER,
      );
      for (const id of [1, 2]) {
        expect((await store.findMessage(id))?.attempts.map(({ detail }) => detail)).toEqual(["codiRetorn=0107"]);
      }
    });

    test("keeps the newest 20 attempts of a message, and none of one that is gone", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      await enqueueMany(store, "A", 1, 1);
      let messageId = 0;
      for (let i = 0; i < 25; i++) {
        const now = after(200_000 + i);
        const [claim] = await store.claim(claimRequest(), now);
        if (claim === undefined) throw new Error("nothing claimed");
        messageId = claim.messageId;
        const attempt = { at: now, outcome: { kind: "unanswered" as const, detail: `try ${i}` }, durationMs: 1.5 };
        await store.settle([settled(claim, retryAt(now), attempt)], now);
      }
      const found = await store.findMessage(messageId);
      expect(found?.attempts.map(({ detail }) => detail)).toEqual(Array.from({ length: 20 }, (_, i) => `try ${i + 5}`));
      expect(found?.attempts.at(-1)).toEqual({
        at: after(200_024),
        kind: "unanswered",
        detail: "try 24",
        durationMs: 1.5,
      });
      await settleAll(store, DELIVERED, after(300_000));
      expect(await store.findMessage(messageId)).toBeNull();
    });
  });

  describe(`${name}: leases, revival and retention`, () => {
    test("a lease that is over makes the message due again and spends nothing", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      await enqueueMany(store, "A", 1, 2);
      const [claim] = await store.claim(claimRequest({ limit: 1 }), LATER);
      const end = (claim as Claim).leaseUntil;
      expect(await store.releaseExpired(new Date(end.getTime() - 1))).toBe(0);
      expect(await store.releaseExpired(end)).toBe(1);
      expect(await store.releaseExpired(end)).toBe(0);
      const [message] = await store.listMessages({ statuses: ["FAILED"] }, 10);
      expect(message).toMatchObject({ attempts: 0, nextRetryAt: end });
    });

    test("frees what a dead owner held, and only that", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      await enqueueMany(store, "A", 1, 5);
      await store.claim(claimRequest({ limit: 2, owner: "m/b/1/1" }), LATER);
      await store.claim(claimRequest({ limit: 2, owner: "m/b/2/2" }), LATER);
      expect(await store.listOwners()).toEqual(["m/b/1/1", "m/b/2/2"]);
      expect(await store.releaseOwner("m/b/1/1", LATER)).toBe(2);
      expect(await store.listOwners()).toEqual(["m/b/2/2"]);
      expect((await store.summarize()).byStatus).toMatchObject({ PENDING: 3, SENDING: 2 });
    });

    test("gives back what an owner leases but does not have, and leaves what it is at work on, what others lease, and what was claimed since", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      await enqueueMany(store, "A", 1, 8);
      const [mine, theirs] = [
        claimRequest({ limit: 2, owner: "m/b/1/1" }),
        claimRequest({ limit: 2, owner: "m/b/2/2" }),
      ];
      const held = await store.claim(mine, LATER);
      const lost = await store.claim(mine, LATER);
      await store.claim(theirs, LATER);
      const now = after(100_001);
      const since = await store.claim(mine, now);
      const ids = new Set(held.map(({ messageId }) => messageId));
      expect(await store.takeBack("m/b/1/1", ids, LATER)).toBe(0);
      expect(await store.takeBack("m/b/1/1", ids, now)).toBe(2);
      expect(await store.takeBack("m/b/1/1", ids, now)).toBe(0);
      expect((await store.summarize()).byStatus).toMatchObject({ PENDING: 2, SENDING: 6, FAILED: 0 });
      // What came back is as it was, is claimed again, and the lost claim can settle nothing.
      expect((await store.listMessages({ statuses: ["PENDING"] }, 10)).map((one) => one.messageId)).toEqual(
        lost.map(({ messageId }) => messageId),
      );
      expect(
        await store.settle(
          [...lost, ...held, ...since].map((one) => settled(one, DELIVERED)),
          now,
        ),
      ).toEqual([false, false, true, true, true, true]);
      expect(await claimPlates(store, { owner: "m/b/1/1" }, now)).toEqual(["T3", "T4"]);
      expect(await store.takeBack("m/b/1/1", new Set(), after(100_002))).toBe(2);
    });

    test("revives what lacked an endpoint or a usable certificate once it is there, and nothing else", async () => {
      await using under = await open();
      const { store } = under;
      const municipality = await addMunicipality(store, "Girona");
      const certificate = await store.addCertificate(newCertificate("c", { municipalityId: municipality }));
      await addCamera(store, "A", municipality);
      const reasons = [REASON.noEndpoint, REASON.noCertificate, REASON.incompleteCertificate, REASON.noOcrImage];
      await enqueueMany(store, "A", 1, reasons.length);
      const claims = await store.claim(claimRequest(), LATER);
      await store.settle(
        claims.map((claim, i) => settled(claim, dead(reasons[i] ?? ""))),
        LATER,
      );
      expect(await store.revive(false, new Set(), LATER)).toBe(0);
      expect(await store.revive(true, new Set(), LATER)).toBe(1);
      expect(await store.revive(true, new Set([certificate + 1]), LATER)).toBe(0);
      expect(await store.revive(true, new Set([certificate]), LATER)).toBe(2);
      expect(await claimPlates(store, {}, LATER)).toEqual(["T1", "T2", "T3"]);
      expect((await store.summarize()).deadByReason).toEqual([{ reason: REASON.noOcrImage, count: 1 }]);
    });

    test("erases what was dead too long, in steps, counted as expired", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      await enqueueMany(store, "A", 1, 5);
      await settleAll(store, dead("X"), LATER);
      await enqueueMany(store, "A", 6, 1);
      await settleAll(store, dead("X"), after(200_000));
      expect(await store.purgeDead(LATER, 10)).toEqual({ messages: 0, imagePaths: [], more: false });
      const first = await store.purgeDead(after(100_001), 3);
      expect(first).toMatchObject({ messages: 3, more: true });
      expect(first.imagePaths).toContain("A/2026/05/04/1_ocr.jpg");
      expect(first.imagePaths.length).toBe(6);
      expect(await store.purgeDead(after(100_001), 3)).toMatchObject({ messages: 2, more: false });
      expect((await store.purgeDead(after(100_001), 3)).messages).toBe(0);
      expect(await talliesOf(store, "A")).toEqual({ queued: 6, dead: 6, expired: 5 });
      expect((await store.summarize()).byStatus.DEAD).toBe(1);
    });

    test("finds every image that a reading refers to, whatever the files are called", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      const pairs: [string | null, string | null][] = [
        ["a/1_ocr.jpg", "a/1_ctx.jpg"],
        ["a/2_ocr-2.jpg", "a/2_ctx.jpg"],
        ["a/3_ocr.jpg", null],
        [null, "a/4_ctx.jpg"],
        ["cam_ctx/5_ocr.jpg", "cam_ctx/5_ctx.jpg"],
        ["cam_ocr/6_ocr.jpg", "cam_ocr/6_ctx.jpg"],
        ["odd-a", "odd-b"],
        ["_ctx_ocr", "_ocr_ctx"],
        [null, null],
      ];
      await store.enqueue(
        pairs.map(([imageOcrPath, imageCtxPath], i) => readingEntry(i, "A", { imageOcrPath, imageCtxPath })),
        START,
      );
      const present = pairs.flat().filter((path) => path !== null);
      const absent = ["a/3_ctx.jpg", "a/4_ocr.jpg", "a/2_ocr.jpg", "", "_ctx_ctx"];
      expect(await store.findReferenced([...present, ...absent])).toEqual(new Set(present));
      await settleAll(store, DELIVERED);
      expect((await store.findReferenced(present)).size).toBe(0);
    });
  });
}

async function enqueueMany(store: Store, serial: string, from: number, count: number): Promise<void> {
  await store.enqueue(
    Array.from({ length: count }, (_, i) => readingEntry(from + i, serial)),
    START,
  );
}

async function claimPlates(
  store: Store,
  change: Parameters<typeof claimRequest>[0],
  now: Date = LATER,
): Promise<string[]> {
  return (await store.claim(claimRequest(change), now)).map(({ facts }) => facts.plate);
}
