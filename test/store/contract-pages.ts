import { describe, expect, test } from "bun:test";
import type { MessageFilter } from "../../src/store/messages.ts";
import type { NewQuarantined, Store } from "../../src/store/store.ts";
import {
  addCameras,
  after,
  claimRequest,
  dead,
  type OpenStore,
  readingEntry,
  retryAt,
  START,
  settled,
} from "../support/store-fixture.ts";

const MESSAGES = 1200;
const LATER = after(1_000_000);

export function describePages(name: string, open: OpenStore): void {
  describe(`${name}: lists of more than a thousand, page by page`, () => {
    test("messages come once each, in order, in both directions and by every filter", async () => {
      await using under = await open();
      const { store } = under;
      await fillQueue(store);
      const filters: MessageFilter[] = [
        {},
        { statuses: ["DEAD"] },
        { statuses: ["FAILED", "PENDING"] },
        { reason: "codiRetorn=5" },
        { cameraSerial: "B" },
        { statuses: ["DEAD"], cameraSerial: "B" },
        { capturedSince: after(600) },
      ];
      for (const filter of filters) {
        const whole = (await store.listMessages(filter, 10_000)).map(({ messageId }) => messageId);
        expect(whole.length).toBeGreaterThan(50);
        expect(await walk(store, filter, 47, "oldest")).toEqual(whole);
        expect(await walk(store, filter, 500, "newest")).toEqual(whole.toReversed());
      }
      expect(await walk(store, {}, 97, "oldest")).toHaveLength(MESSAGES);
      expect(await store.listMessages({}, 10, "oldest", MESSAGES)).toEqual([]);
      expect(await store.listMessages({}, 10, "newest", 1)).toEqual([]);
    }, 60_000);

    test("a page goes on behind a message that is gone meanwhile", async () => {
      await using under = await open();
      const { store } = under;
      await addCameras(store, "A");
      await store.enqueue(
        [1, 2, 3, 4, 5].map((n) => readingEntry(n, "A")),
        START,
      );
      await store.discardMessages({ ids: [2, 3] });
      const ids = async (first: "oldest" | "newest", from: number): Promise<number[]> =>
        (await store.listMessages({}, 2, first, from)).map(({ messageId }) => messageId);
      expect(await ids("oldest", 2)).toEqual([4, 5]);
      expect(await ids("newest", 3)).toEqual([1]);
    });

    test("held messages and the audit log come once each, in order", async () => {
      await using under = await open();
      const { store } = under;
      await store.enqueue(
        Array.from({ length: 1100 }, (_, n) => ({ kind: "quarantine", quarantined: held(n) }) as const),
        START,
      );
      for (const kind of ["malformed", undefined] as const) {
        const filter = kind === undefined ? {} : { kind };
        const whole = (await store.listQuarantine(filter, 10_000)).map(({ id }) => id);
        expect(whole.length).toBe(kind === undefined ? 1100 : 367);
        const walked: number[] = [];
        for (let more = true; more; ) {
          const page = await store.listQuarantine(filter, 99, walked.at(-1));
          walked.push(...page.map(({ id }) => id));
          more = page.length > 0;
        }
        expect(walked).toEqual(whole);
      }
      for (let n = 0; n < 1050; n += 1) {
        await store.recordAudit({ who: "anna (cli)", what: "queue retry", messageId: n, detail: `${n}` }, after(n));
      }
      const whole = (await store.listAudit({ limit: 10_000 })).map(({ id }) => id);
      expect(whole).toHaveLength(1050);
      const walked: number[] = [];
      for (let more = true; more; ) {
        const page = await store.listAudit({ limit: 99, before: walked[0] });
        walked.unshift(...page.map(({ id }) => id));
        more = page.length > 0;
      }
      expect(walked).toEqual(whole);
      expect(
        (await store.listAudit({ limit: 9, since: after(1000), before: whole[1003] })).map(({ id }) => id),
      ).toEqual(whole.slice(1000, 1003));
    }, 60_000);
  });
}

async function walk(store: Store, filter: MessageFilter, limit: number, first: "oldest" | "newest"): Promise<number[]> {
  const walked: number[] = [];
  for (;;) {
    const page = await store.listMessages(filter, limit, first, walked.at(-1));
    if (page.length === 0) return walked;
    walked.push(...page.map(({ messageId }) => messageId));
  }
}

/** Of two cameras; a third each DEAD for one of two reasons, FAILED and PENDING, all mixed. */
async function fillQueue(store: Store): Promise<void> {
  await addCameras(store, "A", "B");
  const entries = Array.from({ length: MESSAGES }, (_, n) => readingEntry(n + 1, n % 7 === 0 ? "B" : "A"));
  await store.enqueue(entries, START);
  const claims = await store.claim(claimRequest({ limit: MESSAGES, slotsPerEndpoint: MESSAGES }), LATER);
  expect(claims).toHaveLength(MESSAGES);
  await store.settle(
    claims.map((claim) => {
      const { messageId } = claim;
      if (messageId % 3 === 0) return settled(claim, dead(messageId % 2 === 0 ? "codiRetorn=5" : "codiRetorn=12"));
      return settled(claim, messageId % 3 === 1 ? retryAt(after(2_000_000 - messageId), false) : { kind: "release" });
    }),
    LATER,
  );
}

function held(n: number): NewQuarantined {
  const kind = n % 3 === 0 ? "malformed" : "unregistered";
  const bounds = { receivedAt: after(n), sizeBytes: 10, path: `held/${n}` };
  return { kind, reason: "why", cameraSerial: `S${n % 2}`, protocol: "tattile-xml", peer: "192.0.2.1", ...bounds };
}
