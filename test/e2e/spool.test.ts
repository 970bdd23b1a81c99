import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { ObjectStore } from "../support/object-store.ts";
import { usePostgres } from "../support/postgres-server.ts";
import { isEmpty, openSite, type Site } from "./site.ts";

const server = usePostgres({ durable: true });
const serials = Array.from({ length: 10 }, (_, n) => String(2001008800 + n));
/** `npm run test:long` stops the server for a minute, as the outages of a real one last. */
const OUTAGE_MS = process.env["TEST_LONG"] === "1" ? 60_000 : 6000;
const RATE = 50;

async function openOnPostgres(database: string, settings: Record<string, string> = {}): Promise<Site> {
  await server().createDatabase(database);
  const site = await openSite({ DATABASE_URL: server().url(database), ...settings });
  await site.addCameras(...serials);
  return site;
}

function expectAll(site: Site, total: number): void {
  const { sent, delivered, missing, invented, differing } = site.compare();
  expect({ missing, invented, differing }).toEqual({ missing: [], invented: [], differing: [] });
  expect({ sent, delivered }).toEqual({ sent: total, delivered: total });
}

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true })
    .map(String)
    .filter((path) => /\.(jpg|msg)$/.test(path));

const spoolFiles = (site: Site): string[] =>
  ["images", "quarantine"].flatMap((name) => filesBelow(join(site.folder, "data/spool", name)));

/** Pictures go after their rows: waits until at most so many are left. */
async function untilErased(bucket: ObjectStore, most: number): Promise<void> {
  for (;;) {
    let left = 0;
    for await (const { files } of bucket.create({ prefix: "girona/" }).list()) left += files.length;
    if (left <= most) return;
    await Bun.sleep(100);
  }
}

/** Every reading stands in the queue once; then a sender delivers them, and what came out is what went in. */
async function expectOnceInTheQueue(site: Site, database: string, total: number): Promise<void> {
  const [queue] = await server().run<{ readings: number; plates: number }>(
    database,
    "SELECT count(*)::int AS readings, count(DISTINCT (device_sn, plate, timestamp_utc))::int AS plates FROM alpr_readings",
  );
  expect(queue).toEqual({ readings: total, plates: total });
  const sender = await site.start("sender");
  await site.until(isEmpty, 60_000);
  expectAll(site, total);
  expect((await sender.stop()).exitCode).toBe(0);
}

describe("while PostgreSQL is stopped", () => {
  test(`for ${OUTAGE_MS / 1000} s the cameras notice nothing, health says how many wait, and every reading is queued once`, async () => {
    await using site = await openOnPostgres("stopped");
    const services = [await site.start("ingest"), await site.start("api")];
    const total = (RATE * (OUTAGE_MS + 4000)) / 1000;
    // A camera that had to wait this long for its confirmation gives up.
    const sending = site.send({ serials, total, ratePerSecond: RATE, seed: 11, giveUpAfterMs: 10_000 });
    await Bun.sleep(2000);
    await server().stop("immediate");
    await site.until((health) => Number(health["spool_waiting"]) > RATE, 30_000);
    const health = await (await fetch(`${site.url}/health`)).json();
    expect(health).toMatchObject({ status: "degraded", spool_held_back: 0 });
    const live = (await (await fetch(`${site.url}/livez`)).json()) as { ok: boolean; checks: unknown[] };
    expect(live.ok).toBe(true);
    expect(live.checks).toContainEqual({ name: "loop spool", ok: true, reason: null });
    const status = await site.run("status");
    expect(status.exitCode).toBe(2);
    expect(status.stderr).toMatch(/Readings are taken in meanwhile: \d+ readings in the spool/);
    await Bun.sleep(OUTAGE_MS - 2000);
    await server().start();
    expect((await sending).unconfirmed).toBe(0);
    await site.until((now) => now["spool_waiting"] === 0 && now["pending_messages"] === total, 60_000);
    await site.until((now) => (now as Record<string, unknown>)["status"] === "ok");
    await expectOnceInTheQueue(site, "stopped", total);
    for (const service of services) expect((await service.stop()).exitCode).toBe(0);
    expect(spoolFiles(site)).toEqual([]);
  }, 200_000);

  test("the service starts, knows its cameras, dies with a full spool, and nothing is lost or doubled", async () => {
    await using site = await openOnPostgres("killed");
    const first = await site.start("ingest");
    const api = await site.start("api");
    const total = 400;
    const sending = site.send({ serials, total, ratePerSecond: RATE, seed: 12, giveUpAfterMs: 60_000 });
    await Bun.sleep(1000);
    await server().stop("immediate");
    await site.until((health) => Number(health["spool_waiting"]) > 20, 30_000);
    await first.kill();
    const second = await site.start("ingest");
    await site.until((health) => Number(health["spool_waiting"]) > 100, 30_000);
    await server().start();
    // In the middle of the move, or just after it.
    while ((await server().run("killed", "SELECT 1 FROM moved_batches")).length === 0) await Bun.sleep(2);
    await second.kill();
    const third = await site.start("ingest");
    expect((await sending).unconfirmed).toBe(0);
    await site.until((health) => health["spool_waiting"] === 0 && health["pending_messages"] === total, 60_000);
    await expectOnceInTheQueue(site, "killed", total);
    await third.stop();
    await api.stop();
  }, 200_000);
});

describe("pictures in a bucket", () => {
  test("come in on one machine and go out from another, which has nothing of them on its disk", async () => {
    await using bucket = await ObjectStore.open();
    await using site = await openOnPostgres("machines", bucket.settings);
    const gateway = await site.start("ingest", { DATA_DIR: join(site.folder, "gateway") });
    const sender = await site.start("sender", { DATA_DIR: join(site.folder, "sender") });
    const api = await site.start("api");
    const total = 100;
    // Of a camera that is not known yet: held in the bucket too, and taken up once it is.
    const late = "2001009999";
    const sending = site.send({ serials: [...serials, late], total, ratePerSecond: 30, seed: 14 });
    await Bun.sleep(1500);
    await site.addCameras(late);
    expect((await sending).unconfirmed).toBe(0);
    const isDone = (health: Record<string, number>): boolean => isEmpty(health) && site.compare().missing.length === 0;
    await site.until(isDone, 60_000);
    expectAll(site, total);
    for (const machine of ["gateway", "sender"]) {
      const files = ["images", "quarantine", "spool/images", "spool/quarantine"].flatMap((folder) =>
        filesBelow(join(site.folder, machine, folder)),
      );
      expect(files).toEqual([]);
    }
    await untilErased(bucket, 0);
    for (const service of [gateway, sender, api]) expect((await service.stop()).exitCode).toBe(0);
  }, 120_000);

  test("are put and erased there, and an outage of it is bridged as one of the database is", async () => {
    await using bucket = await ObjectStore.open();
    await using site = await openOnPostgres("bucket", bucket.settings);
    const service = await site.start();
    const total = 300;
    const sending = site.send({ serials, total, ratePerSecond: 30, seed: 13, giveUpAfterMs: 10_000 });
    await Bun.sleep(2000);
    await bucket.stop();
    await site.until((health) => Number(health["spool_waiting"]) > 20, 30_000);
    await bucket.start();
    expect((await sending).unconfirmed).toBe(0);
    await site.until((health) => isEmpty(health) && health["spool_waiting"] === 0, 60_000);
    expectAll(site, total);
    // The first picture of a message whose second one met the outage: the camera sent again, and it goes with the next sweep.
    await untilErased(bucket, 9);
    expect((await service.stop()).exitCode).toBe(0);
    expect(spoolFiles(site)).toEqual([]);
  }, 120_000);
});
