import { describe, expect, test } from "bun:test";
import type { DeliveryOutcome } from "../../src/delivery.ts";
import {
  addCameras,
  after,
  claimRequest,
  DELIVERED,
  dead,
  type OpenStore,
  readingEntry,
  retryAt,
  START,
  settleAll,
  settled,
  standingClock,
} from "../support/store-fixture.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export function describeActivity(name: string, open: OpenStore): void {
  describe(`${name}: activity`, () => {
    test("the balance is whole at every step of a reading's life", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      const nothing = { received: 0, delivered: 0, expired: 0, discarded: 0, waiting: 0, dead: 0, difference: 0 };
      expect(await store.balance()).toEqual(nothing);
      await store.enqueue(
        [1, 2, 3, 4, 4].map((n) => readingEntry(n, "A")),
        START,
      );
      expect(await store.balance()).toEqual({ ...nothing, received: 4, waiting: 4 });
      await settleAll(store, DELIVERED);
      await store.enqueue(
        [5, 6].map((n) => readingEntry(n, "A")),
        START,
      );
      await settleAll(store, dead("codiRetorn=9"));
      expect(await store.balance()).toEqual({ ...nothing, received: 6, delivered: 4, dead: 2 });
      await store.discardMessages({ ids: [(await store.listMessages({}, 1))[0]?.messageId ?? 0] });
      await store.purgeDead(after(DAY_MS), 10);
      await under.reopen();
      expect(await under.store.balance()).toEqual({
        ...nothing,
        received: 6,
        delivered: 4,
        expired: 1,
        discarded: 1,
      });
    });

    test("the balance is whole after the counts were forgotten while readings wait", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      await store.enqueue(
        [1, 2, 3].map((n) => readingEntry(n, "A")),
        START,
      );
      await store.discardMessages({ ids: [1] });
      await store.forgetTallies();
      expect(await store.balance()).toMatchObject({ received: 2, discarded: 0, waiting: 2, difference: 0 });
      expect(await store.listMinutes(after(-DAY_MS))).toEqual([]);
    });

    test("counts what comes and goes by the minute, and what a camera sends by the hour", async () => {
      const clock = standingClock();
      await using under = await open(clock);
      const { store } = under;
      await addCameras(store, "A", "B");
      await store.enqueue([readingEntry(1, "A"), readingEntry(2, "A"), readingEntry(3, "B")], START);
      clock.set(after(59_999));
      await store.enqueue([readingEntry(4, "A"), readingEntry(4, "A")], START);
      clock.set(after(HOUR_MS));
      await settleAll(store, DELIVERED);
      await store.enqueue([readingEntry(5, "B")], START);
      expect(await store.listMinutes(START)).toEqual([
        { at: START, received: 4, delivered: 0 },
        { at: after(HOUR_MS), received: 1, delivered: 4 },
      ]);
      expect(await store.listMinutes(after(1))).toHaveLength(1);
      expect(await store.listCameraHours(START)).toEqual([
        expect.objectContaining({ at: START, cameraSerial: "A", received: 3 }),
        expect.objectContaining({ at: START, cameraSerial: "B", received: 1 }),
        expect.objectContaining({ at: after(HOUR_MS), cameraSerial: "B", received: 1 }),
      ]);
    });

    test("keeps the shortest time from taking to receipt of an hour, where the camera's own clock said it", async () => {
      const clock = standingClock();
      await using under = await open(clock);
      const { store } = under;
      await addCameras(store, "A", "B");
      const taken = (number: number, serial: string, delayMs: number, timeSource: "camera" | "arrival" = "camera") =>
        readingEntry(number, serial, { capturedAt: after(-delayMs), receivedAt: START, timeSource });
      await store.enqueue([taken(1, "A", 7200_000), taken(2, "A", 900), taken(3, "B", 5000, "arrival")], START);
      await store.enqueue([taken(4, "A", 1200), taken(5, "A", -60_000, "arrival")], START);
      // Known already: as old as it is, it says nothing.
      await store.enqueue([taken(2, "A", -5000)], START);
      const delays = async () =>
        (await store.listCameraHours(START)).map(({ cameraSerial, leastDelayMs }) => [cameraSerial, leastDelayMs]);
      expect(await delays()).toEqual([
        ["A", 900],
        ["B", null],
      ]);
      await store.enqueue([taken(6, "A", -3000), taken(7, "B", 40)], START);
      await store.enqueue([taken(8, "B", 1, "arrival")], START);
      expect(await delays()).toEqual([
        ["A", -3000],
        ["B", 40],
      ]);
    });

    test("counts stay what they are when the store tidies itself", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      for (let n = 1; n <= 210; n++) {
        const capturedAt = after(-1000 - (n % 7));
        await store.enqueue([readingEntry(n, "A", { capturedAt, receivedAt: START, timeSource: "camera" })], START);
      }
      const before = [await store.listCameraHours(START), await store.listMinutes(START), await store.balance()];
      expect(before[0]).toEqual([{ at: START, cameraSerial: "A", received: 210, leastDelayMs: 1000 }]);
      await store.scrub();
      expect([await store.listCameraHours(START), await store.listMinutes(START), await store.balance()]).toEqual(
        before,
      );
    });

    test("minutes and hours are forgotten after their days", async () => {
      const clock = standingClock();
      await using under = await open(clock);
      await addCameras(under.store, "A");
      await under.store.enqueue([readingEntry(1, "A")], START);
      clock.set(after(8 * DAY_MS + HOUR_MS));
      await under.store.enqueue([readingEntry(2, "A")], START);
      expect(await under.store.listMinutes(after(-DAY_MS))).toHaveLength(1);
      expect(await under.store.listCameraHours(after(-DAY_MS))).toHaveLength(1);
    });

    test("counts attempts by outcome, and how long answers and deliveries took", async () => {
      await using under = await open();
      const { store } = under;
      const { endpoint } = await addCameras(store, "A");
      await store.enqueue(
        [1, 2, 3, 4].map((n) => readingEntry(n, "A", { receivedAt: START })),
        START,
      );
      const claims = await store.claim(claimRequest(), after(1));
      const outcomes: [DeliveryOutcome, number][] = [
        [{ kind: "accepted", returnCode: "1" }, 40],
        [{ kind: "accepted", returnCode: "1" }, 200],
        [{ kind: "rejected", returnCode: "9", detail: "" }, 260],
        [{ kind: "unreachable", detail: "refused" }, 3],
      ];
      await store.settle(
        claims.map((claim, i) => {
          const [outcome, durationMs] = outcomes[i] ?? [{ kind: "unreachable", detail: "" }, 0];
          const settlement =
            outcome.kind === "accepted"
              ? DELIVERED
              : outcome.kind === "rejected"
                ? dead("9")
                : retryAt(after(9_000_000));
          return settled(claim, settlement, { at: after(5), outcome, durationMs });
        }),
        after(4000),
      );
      const counts = (await store.listDeliveryCounts()).map((one) => [one.endpointId, one.kind, one.label, one.count]);
      expect(counts).toEqual([
        [endpoint, "answer", "0.05", 1],
        [endpoint, "answer", "0.25", 1],
        [endpoint, "answer", "0.5", 1],
        [endpoint, "answer-sum", "", 0.5],
        [endpoint, "attempt", "accepted", 2],
        [endpoint, "attempt", "rejected", 1],
        [endpoint, "attempt", "unreachable", 1],
        [endpoint, "delivery", "5", 2],
        [endpoint, "delivery-sum", "", 8],
      ]);
    });
  });
}
