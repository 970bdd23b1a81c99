import { expect, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import { silentLog } from "../../src/log.ts";
import { openReconnecting } from "../../src/store/reconnecting.ts";
import type { Store } from "../../src/store/store.ts";
import { SqliteUnderTest, standingClock } from "../support/store-fixture.ts";

test("a store whose opening ends after it was closed is closed, and nothing that waited for it begins", async () => {
  await using under = await SqliteUnderTest.open();
  const second = Promise.withResolvers<Store>();
  const asked = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const answers = [() => Promise.reject(new AppError("store-unreachable", "opening: away")), () => second.promise];
  const { whenOpen, close } = await openReconnecting({
    open: async () => {
      const answer = answers.shift();
      if (answers.length === 0) asked.resolve();
      return answer === undefined ? under.store : answer();
    },
    info: under.store.info(),
    clock: { ...standingClock(), sleep: async () => {} },
    log: silentLog,
  });
  let begun = 0;
  await whenOpen(async () => {
    begun += 1;
  });
  await asked.promise;
  await close();
  second.resolve({ ...under.store, close: async () => closed.resolve() });
  await closed.promise;
  await Bun.sleep(1);
  expect(begun).toBe(0);
});
