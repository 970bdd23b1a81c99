import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { usePostgres } from "../support/postgres-server.ts";
import { type ExpectedReading, fillReplacedSystem } from "../support/replaced-system.ts";
import { isEmpty, openSite, type Site } from "./site.ts";

const server = usePostgres({ durable: true });
/** The whole ten thousand with `npm run test:long`. */
const COUNT = process.env["TEST_LONG"] === "1" ? 10_000 : 600;

/** A site on the database of a replaced system that was stopped with readings in its queue. */
async function openReplaced(
  database: string,
  count: number,
): Promise<{ site: Site; expected: readonly ExpectedReading[] }> {
  await server().createDatabase(database);
  let expected: readonly ExpectedReading[] = [];
  // Zones that have nothing to do with the digits of what was adopted.
  const settings = {
    DATABASE_URL: server().url(database),
    CAMERA_TIMEZONE: "America/New_York",
    MOSSOS_TIMEZONE: "Asia/Tokyo",
    IMAGES_BASE_DIR: "old/data/images",
    CERTS_DIR: "old/data/certs",
    SENDER_MAX_BATCH_SIZE: "64",
    SENDER_CONCURRENCY: "16",
  };
  const site = await openSite(settings, async ({ folder, pki, mossosUrl: endpointUrl }) => {
    mkdirSync(join(folder, "old"));
    expected = await fillReplacedSystem({
      server: server(),
      database,
      folder: join(folder, "old"),
      pki,
      endpointUrl,
      count,
    });
  });
  return { site, expected };
}

describe("a database of the replaced system", () => {
  test(`with ${COUNT} queued readings is taken over, and all are delivered as they would have been`, async () => {
    const { site, expected } = await openReplaced("adopted", COUNT);
    await using _ = site;
    const refused = await site.run("run", "all");
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("tattile db migrate --dry-run");

    const looked = await site.run("db", "migrate", "--dry-run");
    expect(looked.stdout).toContain("3 municipalities, 1 endpoint, 6 cameras, 6 certificates");
    expect(looked.stdout).toContain("were being sent when it stopped");
    expect(looked.stdout).toContain("Òdena signs with the certificate Òdena");
    expect(looked.stdout).toContain(`${2 * COUNT} pictures`);
    expect(looked.stdout).not.toContain("Warning");
    expect(await server().run("adopted", "SELECT to_regclass('tattile_schema') AS made")).toEqual([{ made: null }]);
    expect((await site.run("db", "migrate")).exitCode).toBe(2);
    const migrated = await site.run("db", "migrate", "--yes");
    expect(migrated).toMatchObject({ exitCode: 0, stderr: "" });
    expect((await site.run("db", "migrate")).stdout).toContain("up to date");

    const ca = join(site.folder, "ca.pem");
    expect((await site.run("endpoint", "set", "police", "--ca", ca)).exitCode).toBe(0);
    // On screens too the camera's own digits, though CAMERA_TIMEZONE is another.
    expect((await site.run("readings", "list", "1")).stdout).toContain("2026-03-29 01:55:00");
    const service = await site.start();
    await site.until((health) => isEmpty(health), COUNT * 20 + 30_000);
    expect((await service.stop()).exitCode).toBe(0);

    const delivered = new Map(site.mossos.records.accepted().map((record) => [record.plate, record]));
    expect(site.mossos.records.counts().accepted).toBe(COUNT);
    for (const reading of expected) {
      const { plate, readerCode, date, time, ocrSha256, ctxSha256, fields } = delivered.get(reading.plate) ?? {};
      expect({ plate, readerCode, date, time, ocrSha256, ctxSha256 }).toEqual(reading);
      expect(fields?.["coordenadaX"]).toMatch(/^430124\.(50|45)$/);
    }
    expect(await server().run("adopted", "SELECT count(*)::integer AS rows FROM alpr_readings")).toEqual([{ rows: 0 }]);
    const left = readdirSync(join(site.folder, "old/data/images"), { recursive: true }).map(String);
    expect(left.filter((name) => name.endsWith(".jpg"))).toEqual([]);
    expect(JSON.parse((await site.run("status", "--json")).stdout).store.kind).toBe("postgres");
  }, 300_000);
});
