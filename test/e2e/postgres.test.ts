import { describe, expect, test } from "bun:test";
import { usePostgres } from "../support/postgres-server.ts";
import { isEmpty, openSite, type Site } from "./site.ts";

const server = usePostgres({ durable: true });
const serials = Array.from({ length: 10 }, (_, n) => String(2001008800 + n));

async function openOnPostgres(database: string, settings: Record<string, string> = {}): Promise<Site> {
  await server().createDatabase(database);
  const site = await openSite({ DATABASE_URL: server().url(database), ...settings });
  await site.addCameras(...serials);
  return site;
}

function expectAll(site: Site, total: number): void {
  const { sent, delivered, missing, invented, differing } = site.compare();
  expect({ missing, invented, differing }).toEqual({ missing: [], invented: [], differing: [] });
  expect(delivered).toBe(sent);
  expect(sent).toBe(total);
}

describe("the service on PostgreSQL", () => {
  test("goes on by itself after crashes and restarts of the server, cut connections and statements that took too long", async () => {
    await using site = await openOnPostgres("outages");
    const service = await site.start();
    const total = 400;
    const sending = site.send({ serials, total, ratePerSecond: 30, seed: 7, giveUpAfterMs: 90_000 });
    await Bun.sleep(1500);
    await server().stop("immediate");
    await Bun.sleep(2000);
    await server().start();
    await Bun.sleep(1500);
    await server().run(
      "postgres",
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tattile'",
    );
    await Bun.sleep(1000);
    await server().stop("fast");
    await server().start();
    await Bun.sleep(500);
    // Nothing can be written meanwhile: statements are given up while they wait for the lock.
    await server().run(
      "outages",
      "BEGIN; LOCK TABLE messages_queue IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(7); COMMIT",
    );
    const report = await sending;
    expect(report.unconfirmed).toBe(0);
    await site.until((health) => isEmpty(health) && health["pending_messages"] === 0, 60_000);
    expectAll(site, total);
    expect((await service.stop()).exitCode).toBe(0);
    const { stdout } = await site.run("status", "--json");
    expect(JSON.parse(stdout).store).toMatchObject({ kind: "postgres", schemaVersion: expect.any(Number) });
    // An outage is said once, not with every attempt.
    expect(site.log().match(/the store is away; messages wait/g)?.length).toBeLessThan(10);
  }, 180_000);
});
