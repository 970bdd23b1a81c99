import { describe, expect, test } from "bun:test";
import postgres from "postgres";
import { systemClock } from "../../src/clock.ts";
import { openPostgres } from "../../src/store/postgres.ts";
import type { RegistryChange } from "../../src/store/registry.ts";
import type { Store } from "../../src/store/store.ts";
import { usePostgres } from "../support/postgres-server.ts";
import { PostgresUnderTest } from "../support/postgres-store.ts";
import { addCameras, readingEntry, START } from "../support/store-fixture.ts";

const server = usePostgres();

function leaving(cameras: readonly number[]): RegistryChange {
  const none = { municipalities: [], certificates: [], endpoints: [] };
  return { ...none, cameras: [], removed: { ...none, cameras } };
}

const QUEUE_ONE = `WITH r AS (INSERT INTO alpr_readings (camera_id, plate, image_ocr_path)
    VALUES (1, 'T1', 'data/images/A/1_ocr.jpg') RETURNING id)
  INSERT INTO messages_queue (reading_id, camera_id, status) SELECT id, 1, 'PENDING' FROM r`;
const removals: [string, (store: Store) => Promise<unknown>][] = [
  ["alone", (store) => store.removeCamera(1, false)],
  [
    "once it has retired",
    async (store) => {
      await store.retireCamera(1);
      expect(await store.removeRetired()).toEqual(["A"]);
    },
  ],
  ["by a file of the site", (store) => store.applyRegistry(leaving([1]))],
];

describe("a camera that is removed on PostgreSQL", () => {
  for (const [how, remove] of removals) {
    test(`${how} takes along what the replaced system delivered of it and left`, async () => {
      await using under = await PostgresUnderTest.open(server());
      await addCameras(under.store, "A", "B");
      await under.run(QUEUE_ONE);
      await under.run(QUEUE_ONE.replace("VALUES (1", "VALUES (2").replace("id, 1,", "id, 2,"));
      await under.run("UPDATE messages_queue SET status = 'SUCCESS', sent_at = now()");
      const removed = await remove(under.store);
      if (removed !== undefined) expect(removed).toEqual({ imagePaths: ["A/1_ocr.jpg"], readings: 0 });
      expect((await under.store.listCameras()).map(({ serial }) => serial)).toEqual(["B"]);
      expect(await under.run("SELECT camera_id AS of FROM alpr_readings")).toEqual([{ of: 2 }] as never);
      expect(await under.store.balance()).toMatchObject({ received: 2, delivered: 1, difference: 0 });
    });
  }

  /** What comes of `work` that begins while another's transaction did this, and has to wait for its end. */
  async function meanwhile<T>(under: PostgresUnderTest, sql: string, work: () => Promise<T>): Promise<unknown> {
    const [host] = server().address(under.database).hosts;
    const path = `${host?.host}/.s.PGSQL.${host?.port}`;
    const other = postgres({ path, database: under.database, user: "tattile", max: 1 });
    try {
      const waited = await other.begin(async (run) => {
        await run.unsafe(sql);
        const outcome = work().catch((error: unknown) => error);
        const isWaiting = async (): Promise<boolean> =>
          (
            await under.run(
              "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
            )
          ).length > 0;
        while (!(await isWaiting())) await Bun.sleep(10);
        return { outcome };
      });
      return await waited.outcome;
    } finally {
      await other.end();
    }
  }

  test("waits for a reading that is being queued, and stays then", async () => {
    await using under = await PostgresUnderTest.open(server());
    await addCameras(under.store, "A", "B");
    const removal = meanwhile(under, QUEUE_ONE, () => under.store.applyRegistry(leaving([2, 1])));
    expect(await removal).toMatchObject({ code: "conflict" });
    expect((await under.store.listCameras()).length).toBe(2);
    expect((await under.store.summarize()).byStatus.PENDING).toBe(1);
  });

  test("is an unregistered one for a reading that comes this very moment, and for the others of its group it is nothing", async () => {
    await using under = await PostgresUnderTest.open(server());
    await addCameras(under.store, "A", "B");
    const group = [readingEntry(1, "B"), readingEntry(2, "A")];
    const queueing = meanwhile(under, "DELETE FROM cameras WHERE id = 1", () => under.store.enqueue(group, START));
    expect(await queueing).toEqual(["queued", "unregistered"]);
  });

  test("is not removed while somebody else changes the registry for longer than one waits, and that is said", async () => {
    await using under = await PostgresUnderTest.open(server());
    await addCameras(under.store, "A");
    const changing = under.run("SELECT pg_advisory_xact_lock(7311, 2), pg_sleep(30)").catch(() => {});
    const isHeld = async () => (await under.run("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'")).length > 0;
    while (!(await isHeld())) await Bun.sleep(10);
    const error: unknown = await under.store.removeCamera(1, false).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "conflict", message: "saving the registry: somebody else is changing it" });
    await under.run("SELECT pg_cancel_backend(pid) FROM pg_locks WHERE locktype = 'advisory'");
    await changing;
    expect((await under.store.removeCamera(1, false)).readings).toBe(0);
  });

  test("may take longer than an answer usually does: the server looks through all readings for each", async () => {
    await using under = await PostgresUnderTest.open(server());
    await addCameras(under.store, "A", "B");
    await under.run(
      `CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.4); RETURN OLD; END $$;
       CREATE TRIGGER look BEFORE DELETE ON cameras FOR EACH ROW EXECUTE FUNCTION look()`,
    );
    const address = server().address(under.database);
    const hasty = await openPostgres({ address, poolSize: 2, node: "n", clock: systemClock, answerMs: 300 });
    try {
      await hasty.applyRegistry(leaving([1, 2]));
      expect(await hasty.listCameras()).toEqual([]);
    } finally {
      await hasty.close();
    }
  });
});
