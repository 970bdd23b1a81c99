import { describe, expect, test } from "bun:test";
import { findFreePorts } from "../../src/demo-service.ts";
import { startCuttingProxy } from "../support/cutting-proxy.ts";
import { startPostgres, usePostgres } from "../support/postgres-server.ts";
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

  test("takes back what it had claimed when the connection was cut before the answer came, long before the lease ends", async () => {
    const [port = 0] = await findFreePorts(1);
    await using own = await startPostgres({ durable: true, port });
    await using proxy = await startCuttingProxy(port, "/* tattile: claim */");
    await own.createDatabase("cut");
    await using site = await openSite({
      DATABASE_URL: `postgresql://tattile@127.0.0.1:${proxy.port}/cut?sslmode=disable`,
      SENDER_STUCK_TIMEOUT_SECONDS: "3600",
    });
    await site.addCameras(...serials);
    const service = await site.start();
    proxy.loseAnswers = true;
    const sending = site.send({ serials, total: 120, ratePerSecond: 30, seed: 8 });
    const taken = (): boolean => site.log().includes("a claim whose answer was lost");
    for (let n = 0; !taken(); n++) {
      if (n > 600) throw new Error(`nothing was taken back after ${proxy.lost()} lost answers: ${site.log()}`);
      await Bun.sleep(50);
    }
    expect(proxy.lost()).toBeGreaterThan(0);
    proxy.loseAnswers = false;
    expect((await sending).unconfirmed).toBe(0);
    await site.until((health) => isEmpty(health) && health["pending_messages"] === 0, 60_000);
    expectAll(site, 120);
    expect((await service.stop()).exitCode).toBe(0);
  }, 120_000);
});
