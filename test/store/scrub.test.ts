import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import type { Claim } from "../../src/store/store.ts";
import { type SeededRandom, seededRandom } from "../support/random.ts";
import {
  addCameras,
  after,
  claimRequest,
  DELIVERED,
  dead,
  newReading,
  retryAt,
  SqliteUnderTest,
  START,
  settled,
} from "../support/store-fixture.ts";

const CAMERAS = Array.from({ length: 20 }, (_, i) => `C${i}`);
const ROUNDS = 150;
const PLATE = /PLT\d{6}Q/g;

/** Readings in and out in a random order, `deadShare` of them staying, with texts long and short. */
async function churn(under: SqliteUnderTest, random: SeededRandom, deadShare: number): Promise<void> {
  const { store } = under;
  const held: Claim[] = [];
  let number = 0;
  const reading = () => {
    const plate = `PLT${String(number).padStart(6, "0")}Q`;
    const serial = CAMERAS[random.below(CAMERAS.length)] ?? "";
    const text = "x".repeat(random.below(random.below(10) === 0 ? 9000 : 1500));
    const base = newReading(number++, serial);
    return newReading(number, serial, {
      facts: { ...base.facts, plate },
      rawText: `<root>${plate}${text}${plate}</root>`,
      imageOcrPath: `${serial}/2026/05/04/${random.below(86_400)}_${plate}_ocr.jpg`,
      imageCtxPath: random.below(3) === 0 ? null : `${serial}/odd/${plate}_ctx.jpg`,
    });
  };
  for (let round = 0; round < ROUNDS; round++) {
    const group = Array.from({ length: 1 + random.below(16) }, () => ({
      kind: "reading" as const,
      reading: reading(),
    }));
    await store.enqueue(group, START);
    held.push(...(await store.claim(claimRequest({ limit: random.below(20) }), after(0))));
    const done = held.splice(0, held.length).filter((claim) => random.below(2) === 0 || !held.push(claim));
    const settlement = () => {
      if (random.below(100) < deadShare) return dead("X");
      return random.below(10) === 0 ? retryAt(START) : DELIVERED;
    };
    await store.settle(
      done.map((claim) => settled(claim, settlement())),
      after(0),
    );
  }
  await store.settle(
    held.map((claim) => settled(claim, DELIVERED)),
    after(0),
  );
}

/** Plates that stand in the file, its WAL or its index and in no row; and how many rows there are. */
function findResidue(path: string): { residue: string[]; rows: number } {
  const database = new Database(path, { readonly: true });
  const live = new Set(
    database
      .query<{ plate: string }, []>("SELECT plate FROM alpr_readings")
      .all()
      .map(({ plate }) => plate),
  );
  database.close();
  const residue = ["", "-wal", "-shm"].flatMap((suffix) => {
    if (!existsSync(path + suffix)) return [];
    const found =
      readFileSync(path + suffix)
        .toString("latin1")
        .match(PLATE) ?? [];
    return found.filter((plate) => !live.has(plate)).map((plate) => `${plate} in ${suffix || "database"}`);
  });
  return { residue, rows: live.size };
}

async function drain({ store }: SqliteUnderTest): Promise<void> {
  for (;;) {
    const claims = await store.claim(claimRequest({ limit: 37 }), after(0));
    if (claims.length === 0) return;
    await store.settle(
      claims.map((claim) => settled(claim, DELIVERED)),
      after(0),
    );
  }
}

describe("scrubbing", () => {
  test("leaves no plate in database, WAL or index once the queue is empty", async () => {
    await using under = await SqliteUnderTest.open();
    await addCameras(under.store, ...CAMERAS);
    await churn(under, seededRandom("scrub an emptied queue"), 0);
    await drain(under);
    expect(findResidue(under.path).residue.length).toBeGreaterThan(0);
    await under.store.scrub();
    expect(findResidue(under.path)).toEqual({ residue: [], rows: 0 });
  });

  test("leaves none but those of the rows that stay", async () => {
    await using under = await SqliteUnderTest.open();
    await addCameras(under.store, ...CAMERAS);
    await churn(under, seededRandom("scrub beside rows that stay"), 10);
    await drain(under);
    const before = await under.store.listMessages({}, 10_000);
    const referenced = await under.store.findReferenced(allPaths(under.path));
    expect(before.length).toBeGreaterThan(20);
    expect(findResidue(under.path).residue.length).toBeGreaterThan(0);
    await under.store.scrub();
    expect(findResidue(under.path)).toEqual({ residue: [], rows: before.length });
    expect(await under.store.listMessages({}, 10_000)).toEqual(before);
    expect(await under.store.findReferenced(allPaths(under.path))).toEqual(referenced);
  });

  test("overwrites what moved within the pages of a table that is never empty", async () => {
    const random = seededRandom("scrub after erasing at random");
    await using under = await SqliteUnderTest.open();
    await addCameras(under.store, "A");
    let number = 0;
    for (let round = 0; round < 40; round++) {
      const group = Array.from({ length: 40 }, () => {
        const plate = `PLT${String(number++).padStart(6, "0")}Q`;
        const text = `${plate}${"x".repeat(random.below(1300))}${plate}`;
        const facts = { ...newReading(0, "A").facts, plate };
        const imageOcrPath = `A/${random.below(86_400)}_${plate}_ocr.jpg`;
        return { kind: "reading" as const, reading: newReading(number, "A", { facts, rawText: text, imageOcrPath }) };
      });
      await under.store.enqueue(group, START);
      const ids = Array.from({ length: 60 }, () => 1 + random.below(number));
      await under.store.discardMessages({ ids });
    }
    const waiting = (await under.store.summarize()).readings;
    expect(waiting).toBeGreaterThan(100);
    await under.store.scrub();
    expect(findResidue(under.path)).toEqual({ residue: [], rows: waiting });
  });

  test("gives no number of an erased reading to a new one", async () => {
    await using under = await SqliteUnderTest.open();
    await addCameras(under.store, "A");
    const queue = async (number: number): Promise<number | undefined> => {
      await under.store.enqueue([{ kind: "reading", reading: newReading(number, "A") }], START);
      return (await under.store.listMessages({}, 1))[0]?.messageId;
    };
    expect(await queue(1)).toBe(1);
    await drain(under);
    await under.store.scrub();
    await under.reopen();
    expect(await queue(2)).toBe(2);
  });

  test("waits its turn where another process reads, and is done at the next call", async () => {
    await using under = await SqliteUnderTest.open();
    await addCameras(under.store, "A");
    const facts = { ...newReading(1, "A").facts, plate: "PLT000001Q" };
    await under.store.enqueue([{ kind: "reading", reading: newReading(1, "A", { facts }) }], START);
    await drain(under);
    const reader = new Database(under.path, { readonly: true });
    reader.run("BEGIN");
    reader.query("SELECT count(*) FROM cameras").get();
    await under.store.scrub();
    expect(findResidue(under.path).residue.length).toBeGreaterThan(0);
    reader.run("COMMIT");
    reader.close();
    await under.store.scrub();
    expect(findResidue(under.path)).toEqual({ residue: [], rows: 0 });
  });

  test("writes nothing when nothing was erased since the last time", async () => {
    await using under = await SqliteUnderTest.open();
    await addCameras(under.store, "A");
    await under.store.enqueue([{ kind: "reading", reading: newReading(1, "A") }], START);
    await under.store.scrub();
    await under.store.check();
    const size = (): number => readFileSync(`${under.path}-wal`).length;
    const before = size();
    expect(before).toBeGreaterThan(0);
    await under.store.scrub();
    expect(size()).toBe(before);
  });
});

function allPaths(path: string): string[] {
  const database = new Database(path, { readonly: true });
  const rows = database.query<{ ocr: string; ctx: string | null }, []>(
    "SELECT image_ocr_path AS ocr, image_ctx_path AS ctx FROM alpr_readings",
  );
  const paths = rows.all().flatMap(({ ocr, ctx }) => (ctx === null ? [ocr] : [ocr, ctx]));
  database.close();
  return paths;
}
