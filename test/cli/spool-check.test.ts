import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { openDiskStore } from "../../src/images/disk.ts";
import { openSpoolFile } from "../../src/store/spool-file.ts";
import { usePostgres } from "../support/postgres-server.ts";
import { pictureOf } from "../support/spool-fixture.ts";
import { newCamera, readingEntry, START } from "../support/store-fixture.ts";
import { type CommandFolder, openCommandFolder } from "../support/tattile-command.ts";

const server = usePostgres();
const NOWHERE = "postgresql://tattile@127.0.0.1:1/none?sslmode=disable";
let number = 0;

/** A machine in whose spool three readings and one held message wait, left by a service that was stopped. */
async function openSpooling(): Promise<{ cli: CommandFolder; spool: string; url: string }> {
  const cli = await openCommandFolder();
  const spool = join(cli.dataDir, "spool");
  mkdirSync(spool, { recursive: true });
  const file = await openSpoolFile({ path: join(spool, "spool.db"), clock: systemClock });
  const [images, quarantine] = [openDiskStore(join(spool, "images")), openDiskStore(join(spool, "quarantine"))];
  const camera = { ...newCamera("A", 1), id: 7, lastReadingAt: null, lastSentAt: null };
  await file.mirrorCameras([camera]);
  for (const n of [1, 2, 3]) {
    await images.put(`A/${n}_ocr.jpg`, pictureOf(n));
    await file.enqueue([readingEntry(n, "A", { imageOcrPath: `A/${n}_ocr.jpg`, imageCtxPath: null })], START);
  }
  // The copy of the cameras is written anew when one changes: what waits does not hang on it.
  await file.mirrorCameras([{ ...camera, readerCode: "changed" }]);
  await quarantine.put("held.msg", pictureOf(4));
  const held = { kind: "unregistered", reason: "no such camera", cameraSerial: "X", protocol: "tattile-xml" } as const;
  const quarantined = { ...held, peer: "192.0.2.1", receivedAt: START, sizeBytes: 10, path: "held.msg" };
  await file.enqueue([{ kind: "quarantine", quarantined }], START);
  for (const one of [images, quarantine]) one.close();
  await file.close();
  const database = `spooling_${++number}`;
  await server().createDatabase(database);
  return { cli, spool, url: server().url(database) };
}

async function check(cli: CommandFolder, url: string) {
  const { code, stdout } = await cli.runWith({ env: { DATABASE_URL: url } }, "db", "check", "--json");
  return { code, ...JSON.parse(stdout) };
}

const makeOld = (path: string): void => {
  writeFileSync(path, "x");
  utimesSync(path, 1000, 1000);
};

describe("db check on a machine with a spool", () => {
  test("tells how many wait there and finds nothing wrong where nothing is", async () => {
    const { cli, url } = await openSpooling();
    await using _ = cli;
    const found = await check(cli, url);
    expect(found).toMatchObject({
      code: 0,
      good: true,
      spool: {
        good: true,
        waiting: 3,
        heldBack: 0,
        heldMessages: 1,
        faults: [],
        files: { checked: 3, heldMissing: 0 },
      },
    });
    const { stdout } = await cli.runWith({ env: { DATABASE_URL: url } }, "db", "check");
    expect(stdout).toContain("3 readings wait, 0 held back, 1 held message");
    expect(stdout).toContain("Nothing is wrong.");
  });

  test("finds pictures without a row, rows without their picture, and shows no plate", async () => {
    const { cli, spool, url } = await openSpooling();
    await using _ = cli;
    rmSync(join(spool, "images/A/2_ocr.jpg"));
    rmSync(join(spool, "quarantine/held.msg"));
    makeOld(join(spool, "images/A/orphan.jpg"));
    makeOld(join(spool, "quarantine/orphan.msg"));
    writeFileSync(join(spool, "images/A/just-now.jpg"), "its row may still come");
    const found = await check(cli, url);
    expect(found).toMatchObject({
      code: 1,
      good: false,
      faults: [],
      spool: {
        files: {
          checked: 3,
          missing: { count: 1, readings: [2] },
          orphans: { images: 1, quarantine: 1 },
          heldMissing: 1,
        },
      },
    });
    const { stdout } = await cli.runWith({ env: { DATABASE_URL: url } }, "db", "check");
    expect(stdout).toContain("spool: pictures are missing of its readings 2");
    expect(stdout).not.toMatch(/T[123]/);
  });

  test.each([
    ["DELETE FROM messages_queue WHERE id = 2", "readings without a message: 1"],
    ["DELETE FROM spooled_keys WHERE reading_id = 2", "readings without their hash: 1"],
  ])("tells what does not fit together in it: %s", async (sql, text) => {
    const { cli, spool, url } = await openSpooling();
    await using _ = cli;
    const database = new Database(join(spool, "spool.db"));
    database.run(sql);
    database.close();
    const found = await check(cli, url);
    expect(found).toMatchObject({ code: 1, good: false, faults: [], spool: { good: false } });
    expect(found.spool.faults.join("\n")).toContain(text);
  });

  test("finds that its database is damaged, and looks at the rest all the same", async () => {
    const { cli, spool, url } = await openSpooling();
    await using _ = cli;
    const path = join(spool, "spool.db");
    const database = new Database(path);
    database.run("PRAGMA wal_checkpoint(TRUNCATE)");
    database.close();
    writeFileSync(path, readFileSync(path).fill(0xff, 0, 4096));
    const found = await check(cli, url);
    expect(found).toMatchObject({ code: 1, good: false, faults: [], spool: { good: false, files: null } });
    expect(found.spool.faults.length).toBe(1);
    const { stdout } = await cli.runWith({ env: { DATABASE_URL: url } }, "db", "check");
    expect(stdout).toContain("cannot be read");
  });

  test("tells what waits while PostgreSQL is away, and that it is", async () => {
    const { cli } = await openSpooling();
    await using _ = cli;
    const { code, stdout, stderr } = await cli.runWith({ env: { DATABASE_URL: NOWHERE } }, "db", "check");
    expect(code).toBe(1);
    expect(stdout).toContain("3 readings wait");
    expect(stderr).toContain("cannot be reached");
    expect(await check(cli, NOWHERE)).toMatchObject({ code: 1, good: false, spool: { waiting: 3, good: true } });
  });

  test("says that nothing empties it where the settings name neither PostgreSQL nor a bucket any more", async () => {
    const { cli } = await openSpooling();
    await using _ = cli;
    const { code, stdout } = await cli.run("db", "check");
    expect(code).toBe(1);
    expect(stdout).toContain("nothing empties the spool");
  });
});
