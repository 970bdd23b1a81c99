import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openNodeName } from "../../src/store/open.ts";
import { openPostgres } from "../../src/store/postgres.ts";
import type { IntakeEntry, Store } from "../../src/store/store.ts";
import { usePostgres } from "../support/postgres-server.ts";
import { PostgresUnderTest } from "../support/postgres-store.ts";
import { seededRandom } from "../support/random.ts";
import {
  addCamera,
  addCameras,
  after,
  claimRequest,
  DELIVERED,
  readingEntry,
  START,
  settled,
  standingClock,
  talliesOf,
} from "../support/store-fixture.ts";

const server = usePostgres();
const LATER = after(100_000);

function held(path: string, cameraSerial: string): IntakeEntry {
  return {
    kind: "quarantine",
    quarantined: {
      kind: "unregistered",
      reason: "no such camera",
      cameraSerial,
      protocol: "tattile-xml",
      peer: "192.0.2.1",
      receivedAt: START,
      sizeBytes: 10,
      path,
    },
  };
}

describe("several processes on one database", () => {
  test("that start at once make the schema once", async () => {
    await server().createDatabase("at_once");
    const options = { address: server().address("at_once"), poolSize: 2, clock: standingClock() };
    const stores = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => openPostgres({ ...options, node: `n${n}` })));
    expect(await server().run("at_once", "SELECT count(*)::integer AS rows FROM alembic_version")).toEqual([
      { rows: 1 },
    ]);
    for (const store of stores) await store.close();
  });

  test("that queue and deliver at once queue each content once and deliver each message once", async () => {
    const random = seededRandom("several processes");
    await using under = await PostgresUnderTest.open(server());
    const serials = ["A", "B", "C"];
    await addCameras(under.store, ...serials);
    const stores = [under.store, await under.another(), await under.another(), await under.another()];
    const delivered: string[] = [];
    const queued: string[] = [];
    let filling = 2;
    // Both take the same readings in, in orders of their own, in groups that overlap.
    const fill = async (store: Store): Promise<void> => {
      const numbers = Array.from({ length: 400 }, (_, n) => n).sort(() => random.below(3) - 1);
      for (let start = 0; start < numbers.length; start += 10) {
        const group = numbers.slice(start, start + 10);
        const results = await store.enqueue(
          group.map((n) => readingEntry(n, serials[n % 3] ?? "A")),
          START,
        );
        for (const [i, result] of results.entries()) if (result === "queued") queued.push(`T${group[i]}`);
      }
      filling -= 1;
    };
    const drain = async (store: Store, owner: string): Promise<void> => {
      for (let idle = 0; filling > 0 || idle < 3; ) {
        const claims = await store.claim(claimRequest({ owner, limit: 7 }), LATER);
        idle = claims.length === 0 ? idle + 1 : 0;
        if (claims.length === 0) await Bun.sleep(5);
        const kept = await store.settle(
          claims.map((claim) => settled(claim, DELIVERED)),
          LATER,
        );
        expect(kept).toEqual(claims.map(() => true));
        delivered.push(...claims.map(({ facts }) => facts.plate));
      }
    };
    const [one, two, three, four] = stores as [Store, Store, Store, Store];
    await Promise.all([fill(one), fill(two), drain(three, "three"), drain(four, "four")]);
    const all = Array.from({ length: 400 }, (_, n) => `T${n}`).sort();
    expect(queued.toSorted()).toEqual(all);
    expect(delivered.toSorted()).toEqual(all);
    expect(await one.balance()).toMatchObject({ received: 400, delivered: 400, waiting: 0, difference: 0 });
    await one.scrub();
    expect(await one.balance()).toMatchObject({ received: 400, delivered: 400, waiting: 0, difference: 0 });
    expect((await talliesOf(one, "A"))["delivered"]).toBe(134);
    for (const store of stores.slice(1)) await store.close();
  }, 60_000);

  test("are told when another one queued something", async () => {
    await using under = await PostgresUnderTest.open(server());
    await addCameras(under.store, "A");
    const other = await under.another();
    let told = 0;
    const stop = other.watchQueue(() => {
      told += 1;
    });
    for (let n = 0; told === 0 && n < 200; n++) await Bun.sleep(10);
    const before = told;
    await under.store.enqueue([{ kind: "not-read", cameraSerial: "A", receivedAt: START }], START);
    await under.store.enqueue([readingEntry(1, "A")], START);
    for (let n = 0; told === before && n < 200; n++) await Bun.sleep(10);
    expect(told).toBe(before + 1);
    await stop();
    await other.close();
  });
});

describe("held messages", () => {
  test("are those of the machine whose disk they lie on, and nobody else judges them", async () => {
    await using under = await PostgresUnderTest.open(server());
    const { store } = under;
    const other = await under.another("other");
    const { municipality } = await addCameras(store);
    await store.enqueue([held("mine", "X")], START);
    await other.enqueue([held("theirs", "X")], START);
    await addCamera(store, "X", municipality);
    for (const [own, path] of [
      [store, "mine"],
      [other, "theirs"],
    ] as const) {
      expect((await own.listAdoptable(10)).map((one) => one.path)).toEqual([path]);
      expect(await own.findHeld(["mine", "theirs"])).toEqual(new Set([path]));
      expect((await own.listQuarantine({}, 10)).length).toBe(1);
    }
    expect((await store.trimQuarantine({ count: 0, bytes: 0, before: START })).map(({ path }) => path)).toEqual([
      "mine",
    ]);
    expect((await other.listQuarantine({}, 10)).length).toBe(1);
    await other.close();
  });

  test("are everyone's where their content lies in a bucket, beside those left on a disk before", async () => {
    await using under = await PostgresUnderTest.open(server());
    await under.store.enqueue([held("on the disk", "X")], START);
    const options = {
      address: server().address(under.database),
      poolSize: 2,
      clock: standingClock(),
      sharesQuarantine: true,
    };
    const one = await openPostgres({ ...options, node: "node-under-test" });
    const two = await openPostgres({ ...options, node: "other" });
    await two.enqueue([held("in the bucket", "X")], START);
    const paths = ["on the disk", "in the bucket"];
    expect(await one.findHeld(paths)).toEqual(new Set(paths));
    expect(await two.findHeld(paths)).toEqual(new Set(["in the bucket"]));
    await one.close();
    await two.close();
  });

  test("keep their machine's name when the host is renamed", () => {
    const folder = mkdtempSync(join(tmpdir(), "tattile-node-"));
    try {
      const name = openNodeName(join(folder, "data"));
      expect(name).toMatch(/^[0-9a-f-]{36}$/);
      expect(openNodeName(join(folder, "data"))).toBe(name);
      expect(openNodeName(join(folder, "other"))).not.toBe(name);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
