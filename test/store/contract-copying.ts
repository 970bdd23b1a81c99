import { describe, expect, test } from "bun:test";
import type { StoredMessage } from "../../src/store/copying.ts";
import {
  addCameras,
  after,
  claimRequest,
  dead,
  dedupeKey,
  type OpenStore,
  readingEntry,
  retryAt,
  START,
  settled,
  talliesOf,
} from "../support/store-fixture.ts";

const withoutIds = (messages: readonly StoredMessage[]): unknown[] => messages.map(({ id: _, ...rest }) => rest);

export function describeCopying(name: string, open: OpenStore): void {
  describe(`${name}: copying`, () => {
    test("gives whole messages, and writes them as they are", async () => {
      await using under = await open();
      await using other = await open();
      await addCameras(under.store, "A");
      await addCameras(other.store, "first", "A");
      const numbers = [1, 2, 3, 4];
      await under.store.enqueue(
        numbers.map((number) =>
          readingEntry(number, "A", { extra: { LANE: "x\u00f1" }, facts: { ...factsOf(number), ocrScore: 92.5 } }),
        ),
        START,
      );
      const claims = await under.store.claim(claimRequest({ limit: 3 }), after(1000));
      const attempt = {
        at: after(1500),
        outcome: { kind: "unanswered", detail: "no answer" },
        durationMs: 12.5,
      } as const;
      const [retried, buried] = claims;
      if (retried === undefined || buried === undefined) throw new Error("nothing was claimed");
      await under.store.settle(
        [settled(retried, retryAt(after(90_000), true), attempt), settled(buried, dead("codiRetorn=9: no"))],
        after(2000),
      );
      const messages = await under.store.exportMessages(0, 100);
      expect(messages.map(({ status }) => status)).toEqual(["FAILED", "DEAD", "SENDING", "PENDING"]);
      expect(messages[0]).toMatchObject({
        attempts: 1,
        nextRetryAt: after(90_000),
        lastFailedAt: after(2000),
        updatedAt: after(2000),
        history: [{ at: after(1500), kind: "unanswered", detail: "no answer", durationMs: 12.5 }],
        reading: {
          cameraSerial: "A",
          capturedAt: after(1),
          extra: { LANE: "x\u00f1" },
          facts: { plate: "T1", ocrScore: 92.5 },
        },
      });
      expect(await under.store.exportMessages(messages[1]?.id ?? 0, 1)).toEqual(messages.slice(2, 3));

      expect(await other.store.importMessages("copy/1", messages, after(3000))).toBe(true);
      expect(await other.store.importMessages("copy/1", messages, after(3000))).toBe(false);
      const copied = await other.store.exportMessages(0, 100);
      expect(withoutIds(copied)).toEqual(
        withoutIds(messages.map((one) => ({ ...one, status: one.status === "SENDING" ? "PENDING" : one.status }))),
      );
      const summary = await other.store.summarize();
      expect(summary.byStatus).toMatchObject({ PENDING: 2, FAILED: 1, DEAD: 1, SENDING: 0 });
      expect(await talliesOf(other.store, "A")).toEqual({});
      expect(await other.store.findFaults()).toEqual([]);
      const due = await other.store.claim(claimRequest(), after(100_000));
      expect(due.map(({ facts }) => facts.plate).toSorted()).toEqual(["T1", "T3", "T4"]);
    });

    test("writes nothing of a batch with a camera that is not there", async () => {
      await using under = await open();
      await using other = await open();
      await addCameras(under.store, "A", "B");
      await addCameras(other.store, "A");
      await under.store.enqueue([readingEntry(1, "A"), readingEntry(2, "B")], START);
      const messages = await under.store.exportMessages(0, 100);
      await expect(other.store.importMessages("copy/1", messages, START)).rejects.toMatchObject({ code: "conflict" });
      expect((await other.store.summarize()).readings).toBe(0);
      expect(await other.store.isTransferred("copy/1")).toBe(false);
    });

    test("takes what is remembered along, page by page", async () => {
      await using under = await open();
      await using other = await open();
      await addCameras(under.store, "A");
      await addCameras(other.store, "A");
      await under.store.enqueue(
        [1, 2, 3].map((number) => readingEntry(number, "A")),
        after(5),
      );
      const first = await under.store.listHashes(null, 2);
      const rest = await under.store.listHashes(first[1]?.key ?? null, 2);
      expect([first.length, rest.length]).toEqual([2, 1]);
      for (const _ of [1, 2]) await other.store.addHashes([...first, ...rest]);
      expect(await other.store.isKnown(dedupeKey(2))).toBe(true);
      expect(await other.store.enqueue([readingEntry(3, "A")], after(6))).toEqual(["duplicate"]);
      expect(await other.store.purgeDedupe(after(5), 10)).toBe(0);
      expect(await other.store.purgeDedupe(after(6), 10)).toBe(3);
    });

    test("takes tokens, audit log and counts along as they are, each batch once", async () => {
      await using under = await open();
      await using other = await open();
      const hash = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
      const token = { name: "Screen", role: "viewer", hash: hash(1), createdAt: START, expiresAt: null } as const;
      await under.store.touchToken(await under.store.addToken(token), after(5));
      await under.store.addToken({ ...token, name: "Ops", role: "admin", hash: hash(2), expiresAt: after(9000) });
      for (const n of [1, 2, 3]) {
        const entry = { who: "jordi (cli)", what: "plates show", messageId: n, detail: `n ${n}` } as const;
        await under.store.recordAudit(entry, after(n));
      }
      const tokens = await under.store.exportTokens();
      expect(tokens.map(({ name, lastUsedAt, expiresAt }) => [name, lastUsedAt, expiresAt])).toEqual([
        ["Screen", after(5), null],
        ["Ops", null, after(9000)],
      ]);
      const audit = await under.store.exportAudit(0, 2);
      const last = await under.store.exportAudit(audit[1]?.id ?? 0, 2);
      expect([...audit, ...last].map(({ detail }) => detail)).toEqual(["n 1", "n 2", "n 3"]);

      const hour = { cameraSerial: "A", at: START, received: 7, leastDelayMs: -20 };
      const minute = { at: START, received: 7, delivered: 3 };
      const delivery = { endpointId: 0, kind: "answer-sum", label: "", count: 1.25 } as const;
      const records = { tokens, audit, minutes: [minute], cameraHours: [hour], deliveryCounts: [delivery] };
      expect(await other.store.importRecords("copy/1", records, START)).toBe(true);
      expect(await other.store.importRecords("copy/1", records, START)).toBe(false);
      // Another batch adds to counts, and leaves out tokens that are there.
      const more = { tokens, cameraHours: [{ ...hour, leastDelayMs: null }], minutes: [minute] };
      expect(await other.store.importRecords("copy/2", more, START)).toBe(true);

      expect(await other.store.exportTokens()).toEqual(tokens);
      expect(await other.store.findToken(hash(1), START)).toMatchObject({ name: "Screen", role: "viewer" });
      expect(await other.store.findToken(hash(2), after(9000))).toBeNull();
      const copied = await other.store.listAudit({ limit: 10 });
      expect(copied.map(({ id: _, ...rest }) => rest)).toEqual(audit.map(({ id: _, ...rest }) => rest));
      expect(await other.store.listMinutes(START)).toEqual([{ at: START, received: 14, delivered: 6 }]);
      expect(await other.store.listCameraHours(START)).toEqual([{ ...hour, received: 14 }]);
      expect(await other.store.listDeliveryCounts()).toEqual([delivery]);
      expect(await other.store.balance()).toMatchObject({ received: 0, difference: 0 });
    });
  });
}

function factsOf(number: number) {
  const entry = readingEntry(number, "A");
  if (entry.kind !== "reading") throw new Error("not a reading");
  return entry.reading.facts;
}
