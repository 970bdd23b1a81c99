import { describe, expect, test } from "bun:test";
import { usePostgres } from "../support/postgres-server.ts";
import { PostgresUnderTest } from "../support/postgres-store.ts";
import { addCamera, addEndpoint, addMunicipality, claimRequest, DELIVERED, settled } from "../support/store-fixture.ts";

// Statistics of the tables are never there in time: what the planner does without them is what counts.
const server = usePostgres({ settings: ["autovacuum = off"] });
const NOW = new Date();

/** Rows in the queue without the hours that queueing each would take; all of the first endpoint's come first. */
async function openWith(count: number, status: "PENDING" | "FAILED" | "DEAD"): Promise<PostgresUnderTest> {
  const under = await PostgresUnderTest.open(server());
  for (const [endpoint, serials] of [
    ["One", ["A", "B"]],
    ["Two", ["C", "D"]],
  ] as const) {
    const municipality = await addMunicipality(under.store, endpoint, await addEndpoint(under.store, endpoint));
    for (const serial of serials) await addCamera(under.store, serial, municipality);
  }
  // Statements that were planned while the table was empty go on being used.
  expect(await under.store.claim(claimRequest(), NOW)).toEqual([]);
  await under.store.settle([], NOW);
  const bulk = `i <= ${count} - 100`;
  await under.run(`INSERT INTO alpr_readings (camera_id, plate, timestamp_utc, created_at, protocol, time_source)
    SELECT CASE WHEN ${bulk} THEN 1 + i % 2 ELSE 3 + i % 2 END, 'T' || i, now(), now(), 'tattile-xml', 'camera'
    FROM generate_series(1, ${count}) i`);
  await under.run(`INSERT INTO messages_queue (reading_id, camera_id, status, next_retry_at)
    SELECT id, camera_id, '${status}', ${status === "FAILED" ? "now() - interval '1 hour'" : "NULL"} FROM alpr_readings ORDER BY id`);
  return under;
}

async function countBlocks(under: PostgresUnderTest): Promise<{ blocks: number; version: number }> {
  const [row] = await under.run<{ blocks: number; version: number }>(
    `SELECT sum(heap_blks_read + heap_blks_hit + coalesce(idx_blks_read + idx_blks_hit, 0))::integer AS blocks,
       current_setting('server_version_num')::integer AS version
     FROM pg_statio_user_tables WHERE relname IN ('messages_queue', 'alpr_readings')`,
  );
  return row ?? { blocks: 0, version: 0 };
}

/** Pages that connections which have ended looked at. Before 15 they told a collector, which writes it down twice a second. */
async function blocksOf(under: PostgresUnderTest): Promise<number> {
  let { blocks, version } = await countBlocks(under);
  for (let before = -1; version < 150_000 && before !== blocks; ) {
    before = blocks;
    await Bun.sleep(1500);
    ({ blocks, version } = await countBlocks(under));
  }
  return blocks;
}

describe("the queue on PostgreSQL", () => {
  for (const status of ["PENDING", "FAILED"] as const) {
    test(`claims and settles as cheaply with 100,000 messages ${status} as with 1,000, also behind a paused endpoint`, async () => {
      const costs: number[] = [];
      for (const count of [1000, 100_000]) {
        await using under = await openWith(count, status);
        const paused = (await under.store.findEndpoint("One"))?.id ?? 0;
        const before = await blocksOf(under);
        const claims = await under.store.claim(claimRequest({ limit: 16, slots: new Map([[paused, 0]]) }), NOW);
        expect(claims.map(({ camera }) => camera.serial).slice(0, 4)).toEqual(["C", "D", "C", "D"]);
        expect(
          await under.store.settle(
            claims.map((claim) => settled(claim, DELIVERED)),
            NOW,
          ),
        ).toEqual(claims.map(() => true));
        await under.store.nextDueAt(NOW);
        // What a connection did is counted for certain once it has ended.
        await under.reopen();
        costs.push((await blocksOf(under)) - before);
      }
      const [few = 0, many = 0] = costs;
      // The trees are a level deeper; a look at every row would read thousands of pages.
      expect(few).toBeGreaterThan(0);
      expect(many).toBeLessThan(2 * few + 200);
    }, 120_000);
  }

  for (const status of ["PENDING", "FAILED", "DEAD"] as const) {
    test(`a page of 100,000 messages ${status} costs the same at their beginning and at their end, also of one camera`, async () => {
      await using under = await openWith(100_000, status);
      for (const behind of [2, 50_000, 99_000]) {
        const before = await blocksOf(under);
        const filter = { statuses: [status], cameraSerial: "A" };
        const page = await under.store.listMessages(filter, 100, "oldest", behind);
        expect(page[0]?.messageId).toBe(behind + 2);
        await under.reopen();
        expect((await blocksOf(under)) - before).toBeLessThan(1500);
      }
      for (const first of ["oldest", "newest"] as const) {
        for (const behind of [2, 50_000, 99_000]) {
          const before = await blocksOf(under);
          const page = await under.store.listMessages({ statuses: [status] }, 100, first, behind);
          expect(page[0]?.messageId).toBe(first === "oldest" ? behind + 1 : behind - 1);
          await under.reopen();
          // The rows of the page and their readings; a walk through what stands before would read thousands of pages.
          expect((await blocksOf(under)) - before).toBeLessThan(1500);
        }
      }
    }, 120_000);
  }

  test("a claim that finds nothing writes nothing", async () => {
    await using under = await openWith(100, "PENDING");
    const place = async (): Promise<unknown> => (await under.run("SELECT pg_current_wal_insert_lsn()::text AS at"))[0];
    const before = await place();
    for (let i = 0; i < 10; i++)
      expect(await under.store.claim(claimRequest({ slotsPerEndpoint: 0 }), NOW)).toEqual([]);
    expect(await place()).toEqual(before as never);
  });

  test("counts that many added to are folded together at once, however many rows they have become", async () => {
    await using under = await openWith(100, "PENDING");
    const tallied = async (): Promise<number> =>
      (await under.store.tallies()).reduce((sum, { count }) => sum + count, 0);
    const before = await tallied();
    await under.run(`INSERT INTO tallies (camera_serial, tally, count) SELECT 'A', 'queued', 1 FROM generate_series(1, 70000);
      INSERT INTO camera_hours (hour, camera_serial, received, least_delay_ms)
      SELECT '2026-05-04T00:00:00Z'::timestamptz + i / 2 * interval '1 hour', 'A', 1, i FROM generate_series(0, 59999) i`);
    await under.store.scrub();
    expect(await tallied()).toBe(before + 70_000);
    expect(await under.run("SELECT count(*) < 10 AS few FROM tallies")).toEqual([{ few: true }] as never);
    // More sums than one step takes: it ends, and nothing of them is lost.
    const [hours] = await under.run<{ rows: number; received: number }>(
      "SELECT count(*)::integer AS rows, sum(received)::integer AS received FROM camera_hours",
    );
    expect(hours?.received).toBe(60_000);
    expect(hours?.rows).toBeLessThan(30_100);
  }, 60_000);
});
