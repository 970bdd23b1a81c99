import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SQLITE_MIGRATIONS } from "../../src/store/migrate.ts";
import { seededRandom } from "../support/random.ts";
import {
  addCameras,
  after,
  claimRequest,
  readingEntry,
  SqliteUnderTest,
  START,
  talliesOf,
} from "../support/store-fixture.ts";

const CHILD = join(import.meta.dir, "../support/store-child.ts");

function startChild(...args: string[]) {
  return Bun.spawn([process.execPath, CHILD, ...args], { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
}

async function linesOf(child: ReturnType<typeof startChild>): Promise<string[]> {
  const [text, errors] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  expect(errors.replace(/^npm.*\n/gm, "")).toBe("");
  return text.trim().split("\n");
}

describe("several processes on one SQLite file", () => {
  test("that start at once make the schema once", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tattile-start-"));
    try {
      const path = join(folder, "data", "tattile.db");
      const children = Array.from({ length: 6 }, () => startChild("open", path));
      const said = await Promise.all(children.map(linesOf));
      expect(said).toEqual(Array.from({ length: 6 }, () => [`schema ${SQLITE_MIGRATIONS.length}`]));
      const database = new Database(path);
      expect(database.query("SELECT count(*) AS rows FROM queue_counts").get()).toEqual({ rows: 5 });
      database.close();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test("that send at once deliver each message once, while a third queues", async () => {
    await using under = await SqliteUnderTest.open();
    const { store } = under;
    await addCameras(store, "A", "B");
    const queue = async (from: number, count: number): Promise<void> => {
      const entries = Array.from({ length: count }, (_, i) => readingEntry(from + i, i % 2 === 0 ? "A" : "B"));
      await store.enqueue(entries, START);
    };
    await queue(0, 200);
    const children = ["one", "two"].map((owner) => startChild("drain", under.path, owner));
    for (const child of children) {
      child.stdin.write("go\n");
      child.stdin.end();
    }
    const said = Promise.all(children.map(linesOf));
    for (let i = 0; i < 20; i++) {
      await queue(200 + i * 5, 5);
      await Bun.sleep(1);
    }
    const delivered = (await said).flat().filter((line) => line.startsWith("delivered"));
    expect((await said).flat().filter((line) => line.startsWith("lost"))).toEqual([]);
    expect(new Set(delivered).size).toBe(delivered.length);
    const waiting = (await store.listMessages({}, 1000)).map(({ plate }) => `delivered ${plate}`);
    expect([...delivered, ...waiting].sort()).toEqual(Array.from({ length: 300 }, (_, i) => `delivered T${i}`).sort());
  });

  test("a write waits for another's, and one that holds on for too long is an error of its own", async () => {
    await using under = await SqliteUnderTest.open();
    await addCameras(under.store, "A");
    const other = new Database(under.path);
    other.run("BEGIN IMMEDIATE");
    try {
      await expect(under.store.enqueue([readingEntry(1, "A")], START)).rejects.toMatchObject({
        code: "unavailable",
        message: expect.stringContaining("locked by another process"),
      });
      // What only reads goes on meanwhile, and so does a scrub: it waits for a better moment.
      expect(await under.store.claim(claimRequest(), after(1))).toEqual([]);
      await under.store.scrub();
    } finally {
      other.run("ROLLBACK");
      other.close();
    }
    expect(await under.store.enqueue([readingEntry(1, "A")], START)).toEqual(["queued"]);
  });
});

describe("a process that is killed in the middle of queueing", () => {
  test("leaves all that was acknowledged, whole groups only, and the next one goes on", async () => {
    const random = seededRandom("kill while queueing");
    await using under = await SqliteUnderTest.open();
    const { municipality } = await addCameras(under.store, "K0", "K1", "K2");
    expect(municipality).toBe(1);
    for (const serial of ["K0", "K1", "K2"]) {
      const child = startChild("enqueue", under.path, serial);
      const stop = 1 + random.below(60);
      let acknowledged = -1;
      let rest = "";
      for await (const chunk of child.stdout) {
        const lines = (rest + new TextDecoder().decode(chunk)).split("\n");
        rest = lines.pop() ?? "";
        acknowledged = Number(lines.at(-1) ?? acknowledged);
        if (acknowledged >= stop) child.kill("SIGKILL");
      }
      await child.exited;
      expect(child.signalCode).toBe("SIGKILL");
      expect(acknowledged).toBeGreaterThanOrEqual(stop);
      // Each child begins with number 0: the dedupe keys of the one before would stop it.
      const plates = (await under.store.listMessages({ cameraSerial: serial }, 100_000)).map(({ plate }) => plate);
      expect(plates.length).toBeGreaterThan(acknowledged);
      expect(plates).toEqual(Array.from({ length: plates.length }, (_, i) => `T${i}`));
      expect(isEndOfGroup(plates.length)).toBe(true);
      expect(await talliesOf(under.store, serial)).toEqual({ queued: plates.length });
      await under.store.discardMessages({ cameraSerial: serial });
      while ((await under.store.purgeDedupe(after(1), 10_000)) > 0);
    }
    const database = new Database(under.path);
    expect(database.query("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
    database.close();
  });
});

/** The child's groups: 1 + (number of the first) % 7 readings. */
function isEndOfGroup(count: number): boolean {
  let end = 0;
  while (end < count) end += 1 + (end % 7);
  return end === count;
}
