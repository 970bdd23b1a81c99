import { expect, test } from "bun:test";
import { AppError } from "../src/errors.ts";
import { createSettlements } from "../src/settlements.ts";
import type { Claim, Settled } from "../src/store/store.ts";
import { collectingLog } from "./support/api-fixture.ts";
import { createFakeClock, turns } from "./support/fake-clock.ts";
import { DELIVERED, settled } from "./support/store-fixture.ts";

const LEASE_MS = 10_000;

/** Settlements into a store that answers as the test says, one answer a commit. */
function openSettlements(answer: (group: readonly Settled[], commit: number) => Promise<boolean[]> | boolean[]) {
  const clock = createFakeClock();
  const logged: string[] = [];
  const groups: number[][] = [];
  const stopping = new AbortController();
  const write = createSettlements({
    store: {
      settle: async (group) => {
        groups.push(group.map(({ claim }) => claim.messageId));
        return answer(group, groups.length);
      },
    },
    clock,
    log: collectingLog(logged),
    signal: stopping.signal,
  });
  const leaseUntil = new Date(clock.now().getTime() + LEASE_MS);
  return {
    clock,
    logged,
    groups,
    stopping,
    /** @returns what came of it; null while that is not known */
    write(messageId: number): () => boolean | null {
      let result: boolean | null = null;
      void write(settled({ messageId, leaseUntil } as Claim, DELIVERED)).then((kept) => {
        result = kept;
      });
      return () => result;
    },
  };
}

test("settlements that come together share a commit, and each is told its own result; later ones wait for the next", async () => {
  const commits: PromiseWithResolvers<boolean[]>[] = [];
  const under = openSettlements(() => {
    const commit = Promise.withResolvers<boolean[]>();
    commits.push(commit);
    return commit.promise;
  });
  const results = [1, 2].map(under.write);
  await turns();
  results.push(under.write(3));
  await turns();
  expect(results.map((result) => result())).toEqual([null, null, null]);
  commits[0]?.resolve([true, false]);
  await turns();
  expect(results.map((result) => result())).toEqual([true, false, null]);
  commits[1]?.resolve([true]);
  await turns();
  expect([results[2]?.(), under.groups]).toEqual([true, [[1, 2], [3]]]);
});

test("a settlement that the store does not take is told of to nobody as written, and tried again until it is", async () => {
  const under = openSettlements((group, commit) => {
    if (commit < 4) throw new AppError("store-unreachable", "settling messages: the store is away");
    return group.map(() => true);
  });
  const result = under.write(1);
  await under.clock.advance(1400);
  expect([result(), under.groups.length]).toEqual([null, 3]);
  await under.clock.advance(200);
  expect([result(), under.groups.length]).toEqual([true, 4]);
  expect(under.logged).toHaveLength(3);
});

test("it is given up as not written when its lease is over: another may hold the message then", async () => {
  const under = openSettlements(() => {
    throw new AppError("unavailable", "settling messages: the disk is full");
  });
  const result = under.write(1);
  await under.clock.advance(LEASE_MS - 1);
  expect(result()).toBeNull();
  await under.clock.advance(1000);
  expect(result()).toBe(false);
  const { length } = under.groups;
  await under.clock.advance(60_000);
  expect(under.groups.length).toBe(length);
});

test("it is given up as not written when the process must stop", async () => {
  const under = openSettlements(() => {
    throw new AppError("unavailable", "settling messages: the disk is full");
  });
  const result = under.write(1);
  await under.clock.advance(600);
  under.stopping.abort();
  await turns();
  expect(result()).toBe(false);
});
