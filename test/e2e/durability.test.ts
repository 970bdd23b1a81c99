import { describe, expect, test } from "bun:test";
import { findTraces } from "../../src/demo-traces.ts";
import { createRandom } from "../../src/simulator/seeded.ts";
import { connectCamera } from "../support/camera-socket.ts";
import { isEmpty, openSite, type Site } from "./site.ts";

const serials = Array.from({ length: 50 }, (_, n) => String(2001008800 + n));

/** Every reading is at the police bit for bit, and nothing else is. */
function expectBalance(site: Site, least: number): void {
  const { sent, delivered, missing, invented, differing } = site.compare();
  expect({ missing, invented, differing }).toEqual({ missing: [], invented: [], differing: [] });
  expect(invented).toEqual([]);
  expect(differing).toEqual([]);
  expect(delivered).toBe(sent);
  expect(sent).toBeGreaterThanOrEqual(least);
}

async function expectNothingLeft(site: Site): Promise<void> {
  const { traces } = await findTraces(site.folder, [...new Set(site.manifest.map(({ plate }) => plate))]);
  expect(traces).toEqual([]);
}

describe("a thousand readings of fifty cameras", () => {
  test("are each delivered bit for bit, though the process is killed at random moments and answers are lost", async () => {
    const seed = Date.now() % 1_000_000;
    console.log(`seed ${seed}`);
    const random = createRandom(seed);
    await using site = await openSite();
    await site.addCameras(...serials);
    site.mossos.behave({ answer: { kind: "reset", at: "after-body" }, takes: true, probability: 0.02, seed });
    let service = await site.start();
    let sending = true;
    let kills = 0;
    const killing = (async () => {
      while (sending) {
        await Bun.sleep(200 + random() * 1200);
        if (!sending) break;
        await service.kill();
        kills += 1;
        service = await site.start();
      }
    })();
    const shares = { replay: 0.05 };
    const report = await site.send({ serials, total: 1000, ratePerSecond: 120, protocol: "mixed", seed, shares });
    sending = false;
    await killing;
    expect(report.unconfirmed).toBe(0);
    expect(kills).toBeGreaterThan(3);
    await site.until(isEmpty, 60_000);
    expect((await service.stop()).exitCode).toBe(0);
    expectBalance(site, 900);
    await expectNothingLeft(site);
  }, 180_000);

  test("are each delivered, though the service is told to stop again and again", async () => {
    await using site = await openSite();
    await site.addCameras(...serials);
    let service = await site.start();
    let sending = true;
    const exits: { exitCode: number | null; ms: number }[] = [];
    const stopping = (async () => {
      while (sending) {
        await Bun.sleep(900);
        exits.push(await service.stop());
        service = await site.start();
      }
    })();
    await site.send({ serials, total: 600, ratePerSecond: 120 });
    sending = false;
    await stopping;
    expect(exits.filter(({ exitCode, ms }) => exitCode !== 0 || ms > 10_000)).toEqual([]);
    await site.until(isEmpty, 60_000);
    await service.stop();
    expectBalance(site, 600);
    await expectNothingLeft(site);
  }, 180_000);
});

describe("a camera that waits for the acknowledgement", () => {
  test("gets a reset and no FIN when the process is killed, also where everything sent had been read", async () => {
    await using site = await openSite();
    await site.addCameras("2001008851");
    const service = await site.start();
    await using camera = await connectCamera(site.transitPort);
    await camera.write("<root><PLATE_STRING>1234BCD</PLATE_STRING>");
    await Bun.sleep(200);
    await service.kill();
    expect(await camera.ended()).toBe("reset");
  });
});

describe("ingest, sender and API as processes of their own", () => {
  test("share one database, and each may be killed", async () => {
    await using site = await openSite();
    const few = serials.slice(0, 5);
    await site.addCameras(...few);
    const ingest = await site.start("ingest");
    const sender = await site.start("sender");
    const api = await site.start("api");
    const sending = site.send({ serials: few, total: 100, ratePerSecond: 50 });
    await Bun.sleep(700);
    await sender.kill();
    await ingest.kill();
    const again = [await site.start("ingest"), await site.start("sender")];
    await sending;
    await site.until(isEmpty, 60_000);
    expectBalance(site, 100);
    for (const service of [...again, api]) expect((await service.stop()).exitCode).toBe(0);
  }, 120_000);
});
