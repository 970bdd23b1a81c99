import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { CLAIM_SQL } from "../../src/store/sqlite-claim.ts";
import { pageSql } from "../../src/store/sqlite-messages.ts";
import { OLDEST_SQL } from "../../src/store/sqlite-states.ts";
import {
  addCamera,
  addEndpoint,
  addMunicipality,
  after,
  claimRequest,
  SqliteUnderTest,
} from "../support/store-fixture.ts";

/** Rows in the queue without the hours that queueing each would take; shares alternate between two endpoints. */
async function openWith(count: number, status: "PENDING" | "FAILED" | "DEAD"): Promise<SqliteUnderTest> {
  const under = await SqliteUnderTest.open();
  for (const [endpoint, serials] of [
    ["One", ["A", "B"]],
    ["Two", ["C", "D"]],
  ] as const) {
    const municipality = await addMunicipality(under.store, endpoint, await addEndpoint(under.store, endpoint));
    for (const serial of serials) await addCamera(under.store, serial, municipality);
  }
  await under.store.close();
  const database = new Database(under.path);
  database.run(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
    INSERT INTO alpr_readings (id, camera_id, plate, timestamp_utc, created_at, protocol, time_source)
    SELECT i, 1 + i % 4, 'T' || i, i, i, 'tattile-xml', 'camera' FROM n`);
  database.run(`INSERT INTO messages_queue (id, reading_id, camera_id, created_at, updated_at, status, next_retry_at, reason)
    SELECT id, id, camera_id, created_at, created_at, '${status}', ${status === "FAILED" ? "id" : "NULL"},
      ${status === "DEAD" ? "'codiRetorn=5'" : "NULL"} FROM alpr_readings`);
  database.run("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
  await under.openAgain();
  return under;
}

function bytesRead(): number {
  return Number(/rchar: (\d+)/.exec(readFileSync("/proc/self/io", "utf8"))?.[1]);
}

describe("a claim", () => {
  for (const [name, sql] of [...Object.entries(CLAIM_SQL), ...Object.entries(OLDEST_SQL)]) {
    test(`reads the queue through an index and sorts nothing: ${name}`, async () => {
      await using under = await SqliteUnderTest.open();
      const database = new Database(under.path);
      const bound = sql.replace(/\?|\$now/g, "1");
      const plan = database.query<{ detail: string }, []>(`EXPLAIN QUERY PLAN ${bound}`).all();
      database.close();
      const steps = plan.map(({ detail }) => detail);
      expect(steps.join("\n")).toMatch(/SEARCH/);
      // `pending` and `failed` are the lists of cameras that the statement itself builds.
      expect(steps.filter((step) => /TEMP B-TREE|^SCAN (?!CONSTANT ROW|pending|failed|waiting)/.test(step))).toEqual(
        [],
      );
    });
  }

  for (const status of ["PENDING", "FAILED"] as const) {
    test(`reads as few pages with 100,000 messages ${status} as with 1,000, also where one endpoint is paused`, async () => {
      const costs: number[] = [];
      for (const count of [1000, 100_000]) {
        await using under = await openWith(count, status);
        const paused = (await under.store.findEndpoint("One"))?.id ?? 0;
        const before = bytesRead();
        const slots = new Map([[paused, 0]]);
        const claims = await under.store.claim(claimRequest({ limit: 16, slots }), after(0));
        costs.push(bytesRead() - before);
        expect(claims.map(({ messageId }) => messageId).slice(0, 4)).toEqual([2, 3, 6, 7]);
        expect((await under.store.summarize()).byStatus).toMatchObject({ SENDING: 16, [status]: count - 16 });
      }
      const [few = 0, many = 0] = costs;
      // The trees are a level or two deeper; a look at every row would read megabytes.
      expect(many).toBeGreaterThan(0);
      expect(many).toBeLessThan(2 * few + 100_000);
    });
  }

  test("that finds nothing writes nothing", async () => {
    await using under = await openWith(100, "PENDING");
    const wal = (): number => readFileSync(`${under.path}-wal`).length;
    await under.store.check();
    const before = wal();
    const none = claimRequest({ slotsPerEndpoint: 0 });
    for (let i = 0; i < 10; i++) expect(await under.store.claim(none, after(0))).toEqual([]);
    expect(wal()).toBe(before);
  });
});

describe("a page of a list", () => {
  for (const first of ["oldest", "newest"] as const) {
    for (const status of ["PENDING", "FAILED", "DEAD"] as const) {
      test(`walks in the order of the ids and sorts nothing: the ${first} ${status}`, async () => {
        await using under = await SqliteUnderTest.open();
        const database = new Database(under.path);
        const bound = pageSql({ reason: "x" }, status, first).replace(/\$\w+/g, "1");
        const plan = database.query<{ detail: string }, []>(`EXPLAIN QUERY PLAN ${bound}`).all();
        database.close();
        const steps = plan.map(({ detail }) => detail);
        expect(steps[0]).toMatch(/SEARCH q USING (INTEGER PRIMARY KEY|COVERING INDEX|INDEX).*(rowid|id)[<>]\?/);
        expect(steps.filter((step) => /TEMP B-TREE|SCAN/.test(step))).toEqual([]);
      });

      test(`of one camera too: the ${first} ${status}`, async () => {
        await using under = await SqliteUnderTest.open();
        const database = new Database(under.path);
        const bound = pageSql({ cameraSerial: "A" }, status, first).replace(/\$\w+/g, "1");
        const plan = database.query<{ detail: string }, []>(`EXPLAIN QUERY PLAN ${bound}`).all();
        database.close();
        const steps = plan.map(({ detail }) => detail);
        expect(steps[0]).toMatch(/SEARCH q USING (COVERING )?INDEX \w+ \(camera_id=\? AND (rowid|id)[<>]\?\)/);
        expect(steps.filter((step) => /TEMP B-TREE|SCAN/.test(step))).toEqual([]);
      });
    }
  }

  for (const status of ["PENDING", "FAILED", "DEAD"] as const) {
    test(`of 100,000 messages ${status} costs the same at their beginning, in their middle and at their end`, async () => {
      await using under = await openWith(100_000, status);
      const costs: number[] = [];
      for (const behind of [1, 1, 50_000, 99_000]) {
        const before = bytesRead();
        const page = await under.store.listMessages({ statuses: [status] }, 100, "oldest", behind);
        costs.push(bytesRead() - before);
        expect(page.map(({ messageId }) => messageId).slice(0, 2)).toEqual([behind + 1, behind + 2]);
      }
      // A page or two; a walk through what stands before would read megabytes.
      expect(Math.max(...costs)).toBeLessThan(300_000);
    });
  }
});
