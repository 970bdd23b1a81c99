import { describe, expect, test } from "bun:test";
import { systemClock } from "../../src/clock.ts";
import type { DatabaseAddress } from "../../src/database-address.ts";
import { findFreePorts } from "../../src/demo-service.ts";
import { openPostgres } from "../../src/store/postgres.ts";
import { startPostgres } from "../support/postgres-server.ts";
import { addCameras, after, claimRequest, DELIVERED, readingEntry, START, settled } from "../support/store-fixture.ts";

describe("a standby that takes over", () => {
  test("has everything that was confirmed, and the same store goes on there by itself", async () => {
    const [first = 0, second = 0] = await findFreePorts(2);
    await using primary = await startPostgres({ durable: true, port: first });
    await using standby = await startPostgres({
      durable: true,
      port: second,
      standbyOf: primary,
      settings: ["synchronous_standby_names = ''"],
    });
    // A commit waits for the standby: docs/postgresql.md.
    await primary.run("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'");
    await primary.run("postgres", "SELECT pg_reload_conf()");
    await primary.createDatabase("queue");
    const hosts = [first, second].map((port) => ({ host: "127.0.0.1", port }));
    const address: DatabaseAddress = { ...primary.address("queue"), hosts };
    const store = await openPostgres({ address, poolSize: 3, node: "n", clock: systemClock });
    try {
      await addCameras(store, "A");
      const confirmed: string[] = [];
      let number = 0;
      let failures = 0;
      const queueUntil = async (isEnough: () => boolean): Promise<void> => {
        const deadline = Date.now() + 45_000;
        while (!isEnough()) {
          if (Date.now() > deadline) throw new Error(`${confirmed.length} confirmed, ${failures} failed`);
          number += 1;
          await store.enqueue([readingEntry(number, "A")], START).then(
            () => confirmed.push(`T${number}`),
            async (error: unknown) => {
              failures += 1;
              expect(error).toMatchObject({ code: "store-unreachable" });
              await Bun.sleep(50);
            },
          );
        }
      };
      await queueUntil(() => confirmed.length >= 50);
      await primary.stop("immediate");
      const taking = queueUntil(() => confirmed.length >= 100);
      await Bun.sleep(300);
      await standby.promote();
      await taking;
      expect(failures).toBeGreaterThan(0);

      const claims = await store.claim(claimRequest({ limit: 1000, slotsPerEndpoint: 1000 }), after(100_000));
      const plates = new Set(claims.map(({ facts }) => facts.plate));
      expect(confirmed.filter((plate) => !plates.has(plate))).toEqual([]);
      const settlements = claims.map((claim) => settled(claim, DELIVERED));
      expect(await store.settle(settlements, after(100_000))).toEqual(claims.map(() => true));
    } finally {
      await store.close();
    }
  }, 120_000);
});
