/** Run by `npm run test:long`, as root: it makes networks. */
import { describe, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findFreePorts } from "../../src/demo-service.ts";
import { openNetwork } from "../support/network.ts";
import { startPostgres } from "../support/postgres-server.ts";
import { isEmpty, openSite } from "./site.ts";

const serials = Array.from({ length: 12 }, (_, n) => String(2001008800 + n));
const TOTAL = 700;
const MORE = 40;
/** The lease of a message: ten seconds and the two of its endpoint. */
const LEASE_SECONDS = 10;
const CUT_MS = 16_000;

describe("machines on networks of their own", () => {
  test("deliver everything, though a sender's cable and a gateway's to the database are pulled for longer than a lease", async () => {
    await using network = await openNetwork();
    const [port = 0] = await findFreePorts(1);
    await using server = await startPostgres({ durable: true, port, settings: ["listen_addresses = '*'"] });
    const access = join(server.folder, "data/pg_hba.conf");
    writeFileSync(access, `${readFileSync(access, "utf8")}\nhost all all 10.0.0.0/8 trust\n`);
    await server.run("postgres", "SELECT pg_reload_conf()");
    await server.createDatabase("county");
    const urlBy = (host: string): string => `postgresql://tattile@${host}:${port}/county?sslmode=disable`;

    const gateway = await network.addMachine("gw");
    await network.addDatabaseLink("gw");
    const cutOff = await network.addMachine("s1");
    const steady = await network.addMachine("s2");
    await using site = await openSite(
      {
        DATABASE_URL: urlBy(network.host),
        IMAGES_BASE_DIR: "shared-images",
        SENDER_STUCK_TIMEOUT_SECONDS: String(LEASE_SECONDS),
        MOSSOS_TIMEOUT: "2",
        SENDER_CONCURRENCY: "4",
      },
      undefined,
      network.host,
    );
    await site.addCameras(...serials);
    const key = join(site.folder, "dedupe.key");
    writeFileSync(key, Buffer.alloc(32, 7), { mode: 0o600 });
    const machine = (name: string, settings: Record<string, string> = {}): Record<string, string> => {
      const folder = join(site.folder, name);
      mkdirSync(folder);
      copyFileSync(key, join(folder, "dedupe.key"));
      return { DATA_DIR: folder, ...settings };
    };
    // Slow enough that something is always under way.
    site.mossos.behave({ answer: { kind: "accept" }, delayMs: 150 });

    const taking = machine("gateway", { TRANSIT_HOST: gateway.address, DATABASE_URL: urlBy(network.databaseHost) });
    const ingest = await site.start("ingest", taking, gateway.words);
    const one = await site.start("sender", machine("sender-1"), cutOff.words);
    const two = await site.start("sender", machine("sender-2"), steady.words);
    const api = await site.start("api");
    const sending = site.send({ host: gateway.address, serials, total: TOTAL, ratePerSecond: 20, seed: 5 });

    // Until it is cut off with something under way, which stays in the state in which it was.
    const heldByOne = async (): Promise<number> => {
      const [row] = await server.run<{ held: number }>(
        "county",
        `SELECT count(*)::integer AS held FROM messages_queue WHERE status = 'SENDING' AND lease_owner LIKE '%/${one.pid}/%'`,
      );
      return row?.held ?? 0;
    };
    for (let tries = 0, held = 0; held === 0; tries++) {
      if (tries > 200) throw new Error(`the sender never had anything under way: ${site.log()}`);
      if ((await heldByOne()) === 0) {
        await Bun.sleep(20);
        continue;
      }
      await network.setLink("s1", "main", "down");
      await Bun.sleep(1000);
      held = await heldByOne();
      if (held === 0) await network.setLink("s1", "main", "up");
    }
    await network.setLink("gw", "database", "down");
    await Bun.sleep(CUT_MS);
    expect(site.log()).toContain("leases were over");
    expect(await heldByOne()).toBe(0);
    expect(site.log()).toContain("readings wait in the spool: the store cannot be reached");
    await network.setLink("s1", "main", "up");
    await network.setLink("gw", "database", "up");

    expect((await sending).unconfirmed).toBe(0);
    const queued = async (): Promise<number> => {
      const [row] = await server.run<{ queued: number }>(
        "county",
        "SELECT coalesce(sum(count), 0)::integer AS queued FROM tallies WHERE tally = 'queued'",
      );
      return row?.queued ?? 0;
    };
    const untilQueued = async (total: number): Promise<void> => {
      for (let n = 0; (await queued()) < total; n++) {
        if (n > 300) throw new Error(`only ${await queued()} are queued: ${site.log()}`);
        await Bun.sleep(200);
      }
    };
    await untilQueued(TOTAL);
    await site.until(isEmpty, 90_000);
    // Whatever the one that was cut off had under way has been answered or given up by now, and it settled none of it.
    await Bun.sleep(3000);
    // Alone now, it delivers as before.
    expect((await two.stop()).exitCode).toBe(0);
    await site.send({ host: gateway.address, serials, total: MORE, ratePerSecond: 20, seed: 6 });
    await untilQueued(TOTAL + MORE);
    await site.until(isEmpty, 30_000);
    const { missing, invented, differing, sent } = site.compare();
    expect({ missing, invented, differing }).toEqual({ missing: [], invented: [], differing: [] });
    expect(sent).toBe(TOTAL + MORE);
    const tallies = await server.run(
      "county",
      "SELECT tally, sum(count)::integer AS count FROM tallies WHERE tally IN ('queued', 'delivered', 'dead') GROUP BY 1 ORDER BY 1",
    );
    expect(tallies).toEqual([
      { tally: "delivered", count: TOTAL + MORE },
      { tally: "queued", count: TOTAL + MORE },
    ]);
    expect(site.log()).toContain("the spool is empty");
    for (const process of [api, one, ingest]) expect((await process.stop()).exitCode).toBe(0);
  }, 240_000);
});
