import { describe, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findFreePorts } from "../../src/demo-service.ts";
import { usePostgres } from "../support/postgres-server.ts";
import { isEmpty, openSite } from "./site.ts";

const server = usePostgres({ durable: true });
const serials = Array.from({ length: 12 }, (_, n) => String(2001008800 + n));
const SHARE = 250;

describe("several machines on one PostgreSQL", () => {
  test("deliver everything, though a gateway and a sender are killed and another sender sleeps past its lease", async () => {
    await server().createDatabase("county");
    await using site = await openSite({
      DATABASE_URL: server().url("county"),
      // The folder that all machines have in common.
      IMAGES_BASE_DIR: "shared-images",
      SENDER_STUCK_TIMEOUT_SECONDS: "10",
      MOSSOS_TIMEOUT: "2",
      SENDER_CONCURRENCY: "4",
    });
    await site.addCameras(...serials);
    const [portOne = 0, portTwo = 0] = await findFreePorts(2);
    const key = join(site.folder, "dedupe.key");
    writeFileSync(key, Buffer.alloc(32, 7), { mode: 0o600 });
    const machine = (name: string, settings: Record<string, string> = {}): Record<string, string> => {
      const folder = join(site.folder, name);
      mkdirSync(folder);
      copyFileSync(key, join(folder, "dedupe.key"));
      return { DATA_DIR: folder, ...settings };
    };
    const gatewayOne = machine("gateway-1", { TRANSIT_PORT: String(portOne) });
    const gatewayTwo = machine("gateway-2", { TRANSIT_PORT: String(portTwo) });
    // Slow enough that something is always under way.
    site.mossos.behave({ answer: { kind: "accept" }, delayMs: 150 });

    const killedGateway = await site.start("ingest", gatewayOne);
    const otherGateway = await site.start("ingest", gatewayTwo);
    const killed = await site.start("sender", machine("sender-1"));
    const frozen = await site.start("sender", machine("sender-2"));
    const steady = await site.start("sender", machine("sender-3"));
    const api = await site.start("api");
    const sending = Promise.all(
      [portOne, portTwo].map((port, n) =>
        site.send({ serials, port, total: SHARE, ratePerSecond: 25, seed: 5 + n, shares: { replay: 0.1 } }),
      ),
    );
    await Bun.sleep(2500);
    await killedGateway.kill();
    await killed.kill();
    process.kill(frozen.pid, "SIGSTOP");
    await Bun.sleep(500);
    const revived = await site.start("ingest", gatewayOne);
    // Its lease is ten seconds and the two of its endpoint.
    await Bun.sleep(13_000);
    process.kill(frozen.pid, "SIGCONT");
    for (const report of await sending) expect(report.unconfirmed).toBe(0);
    await site.until(isEmpty, 90_000);
    // Whatever the frozen one had under way has been answered or given up by now, and it settled none of it.
    await Bun.sleep(3000);

    const { missing, invented, differing, sent } = site.compare();
    expect({ missing, invented, differing }).toEqual({ missing: [], invented: [], differing: [] });
    const [balance] = await server().run<Record<string, number>>(
      "county",
      `SELECT sum(count) FILTER (WHERE tally = 'queued')::integer AS queued,
         sum(count) FILTER (WHERE tally = 'delivered')::integer AS delivered,
         coalesce(sum(count) FILTER (WHERE tally = 'dead'), 0)::integer AS dead FROM tallies`,
    );
    expect(balance).toEqual({ queued: sent, delivered: sent, dead: 0 });
    for (const one of [api, steady, frozen, otherGateway, revived]) expect((await one.stop()).exitCode).toBe(0);
    expect(site.log()).toContain("leases were over");
  }, 240_000);
});
