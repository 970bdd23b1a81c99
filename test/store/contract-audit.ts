import { describe, expect, test } from "bun:test";
import type { NewAuditEntry } from "../../src/store/audit.ts";
import type { Store } from "../../src/store/store.ts";
import { after, type OpenStore } from "../support/store-fixture.ts";

export function describeAudit(name: string, open: OpenStore): void {
  describe(`${name}: audit log`, () => {
    test("keeps what was written, in order, after it was opened again", async () => {
      await using under = await open();
      const shown: NewAuditEntry = { who: "anna (cli)", what: "plates show", messageId: 12, detail: "queue show" };
      const wiped: NewAuditEntry = { who: "pere (cli)", what: "queue wipe", messageId: null, detail: "3 messages" };
      await under.store.recordAudit(shown, after(2));
      // A clock that was put back changes nothing about what came first.
      await under.store.recordAudit(wiped, after(1));
      await under.reopen();
      const [first, second, ...more] = await under.store.listAudit({ limit: 10 });
      expect([first, second, more.length]).toMatchObject([{ ...shown, at: after(2) }, { ...wiped, at: after(1) }, 0]);
      expect(second?.id).toBeGreaterThan(first?.id ?? Number.POSITIVE_INFINITY);
    });

    test("lists the newest of a number, and what is not older than an instant", async () => {
      await using under = await open();
      await fill(under.store, 5);
      expect(await details(under.store, { limit: 2 })).toEqual(["4", "5"]);
      expect(await details(under.store, { limit: 10, since: after(4) })).toEqual(["4", "5"]);
      expect(await details(under.store, { limit: 1, since: after(2) })).toEqual(["5"]);
      expect(await details(under.store, { limit: 10, since: after(6) })).toEqual([]);
      expect(await details(under.store, { limit: 0 })).toEqual([]);
    });

    test("lists what one person did, one kind of deed, and what was done about one message", async () => {
      await using under = await open();
      const { store } = under;
      const deeds: [who: string, what: NewAuditEntry["what"], messageId: number | null][] = [
        ["anna (cli)", "plates show", 7],
        ["jordi 100% (cli)", "queue wipe", null],
        ["token dashboard (api)", "plates show", 8],
        ["anna (cli)", "queue retry", null],
      ];
      for (const [at, [who, what, messageId]] of deeds.entries()) {
        await store.recordAudit({ who, what, messageId, detail: `${at}` }, after(at));
      }
      expect(await details(store, { who: "anna", limit: 10 })).toEqual(["0", "3"]);
      expect(await details(store, { who: "(cli)", limit: 2 })).toEqual(["1", "3"]);
      expect(await details(store, { who: "Anna", limit: 10 })).toEqual([]);
      // Text, no pattern.
      expect(await details(store, { who: "100%", limit: 10 })).toEqual(["1"]);
      expect(await details(store, { who: "a%a", limit: 10 })).toEqual([]);
      expect(await details(store, { what: "queue", limit: 10 })).toEqual(["1", "3"]);
      expect(await details(store, { what: "plates show", since: after(1), limit: 10 })).toEqual(["2"]);
      expect(await details(store, { messageId: 7, limit: 10 })).toEqual(["0"]);
      expect(await details(store, { messageId: 9, limit: 10 })).toEqual([]);
      expect(await details(store, { who: "anna", what: "queue", messageId: 7, limit: 10 })).toEqual([]);
    });

    test("forgets what is too old and what is too much, the oldest first and a step at a time", async () => {
      await using under = await open();
      const { store } = under;
      await fill(store, 8);
      expect(await store.trimAudit({ before: after(1), count: 8 }, 100)).toBe(0);
      expect(await store.trimAudit({ before: after(4), count: 100 }, 2)).toBe(2);
      expect(await details(store, { limit: 100 })).toEqual(["3", "4", "5", "6", "7", "8"]);
      expect(await store.trimAudit({ before: after(4), count: 100 }, 2)).toBe(1);
      expect(await store.trimAudit({ before: after(0), count: 2 }, 1)).toBe(1);
      expect(await details(store, { limit: 100 })).toEqual(["5", "6", "7", "8"]);
      expect(await store.trimAudit({ before: after(0), count: 2 }, 100)).toBe(2);
      expect(await details(store, { limit: 100 })).toEqual(["7", "8"]);
      expect(await store.trimAudit({ before: after(0), count: 2 }, 100)).toBe(0);
    });

    test("cuts a detail that would fill it", async () => {
      await using under = await open();
      const entry: NewAuditEntry = { who: "x", what: "queue retry", messageId: null, detail: "é".repeat(5000) };
      await under.store.recordAudit(entry, after(0));
      expect(await details(under.store, { limit: 1 })).toEqual(["é".repeat(1000)]);
    });
  });
}

async function fill(store: Store, count: number): Promise<void> {
  for (let n = 1; n <= count; n += 1) {
    await store.recordAudit({ who: "anna (cli)", what: "queue retry", messageId: n, detail: `${n}` }, after(n));
  }
}

async function details(store: Store, filter: Parameters<Store["listAudit"]>[0]): Promise<string[]> {
  return (await store.listAudit(filter)).map(({ detail }) => detail);
}
