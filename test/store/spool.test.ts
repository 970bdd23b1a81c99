import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Spool } from "../../src/store/spool.ts";
import { wipeSpool } from "../../src/store/spool-open.ts";
import { away, pictureOf, SpoolUnderTest, takeIn } from "../support/spool-fixture.ts";
import { addCamera, addCameras, after, claimRequest, talliesOf } from "../support/store-fixture.ts";

/** Waits until the spool has done what it can do now. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await holds()); tries++) {
    if (tries > 3000) throw new Error("it did not come about");
    await Bun.sleep(1);
  }
}

const drained = (spool: Spool) => until(() => spool.status().since === null);

/** Plates of everything that waits in the store, in the order of delivery; each picture is compared with its reading's. */
async function queued(under: SpoolUnderTest): Promise<string[]> {
  const claims = await under.store.claim(claimRequest({ limit: 10_000, slotsPerEndpoint: 10_000 }), after(1_000_000));
  for (const { facts, imageOcrPath } of claims) {
    const number = Number(facts.plate.slice(1));
    expect(Buffer.from((await under.images.read(imageOcrPath ?? "")) ?? [])).toEqual(Buffer.from(pictureOf(number)));
  }
  return claims.map(({ facts }) => facts.plate);
}

const plates = (...numbers: number[]): string[] => numbers.map((number) => `T${number}`);

describe("while the store can be reached", () => {
  test("nothing goes through the spool", async () => {
    await using under = await SpoolUnderTest.open();
    await addCameras(under.store, "A");
    const { spool, file } = await under.spool();
    expect(await takeIn(spool, "A", 1, 2)).toEqual(["queued", "queued"]);
    expect(spool.status()).toMatchObject({ since: null, reason: null, waiting: 0 });
    expect(file.count().waiting).toBe(0);
    expect(await queued(under)).toEqual(plates(1, 2));
  });
});

describe("the copy of the cameras", () => {
  test("answers for those that are on; the store is asked for every other one, and decides when it queues", async () => {
    await using under = await SpoolUnderTest.open();
    const { municipality } = await addCameras(under.store, "A");
    const { spool, file } = await under.spool();
    await file.mirrorCameras(await under.store.listCameras());
    await addCamera(under.store, "new", municipality);
    expect((await spool.intake.store.findCamera("new"))?.active).toBe(true);
    await addCamera(under.store, "A", municipality, { active: false });
    expect((await spool.intake.store.findCamera("A"))?.active).toBe(true);
    expect(await takeIn(spool, "A", 1)).toEqual(["inactive"]);
    await file.mirrorCameras(await under.store.listCameras());
    expect((await spool.intake.store.findCamera("A"))?.active).toBe(false);
  });
});

describe("readings that arrive while the store is away", () => {
  test("are taken in, and move over in order with those that came before and after", async () => {
    await using under = await SpoolUnderTest.open();
    await addCameras(under.store, "A");
    const { spool, file } = await under.spool();
    spool.start();
    await until(async () => (await file.findCamera("A")) !== null);
    await takeIn(spool, "A", 1);
    under.trouble = "before";
    expect(await takeIn(spool, "A", 2, 3)).toEqual(["queued", "queued"]);
    expect(await takeIn(spool, "A", 3)).toEqual(["duplicate"]);
    expect(await spool.intake.store.isKnown(new Uint8Array(16))).toBe(false);
    expect((await spool.intake.store.findCamera("A"))?.active).toBe(true);
    expect(spool.status()).toMatchObject({ waiting: 2, heldBack: 0 });
    expect(spool.status().reason).toContain("it is away");
    under.trouble = "none";
    expect(await takeIn(spool, "A", 4)).toEqual(["queued"]);
    await drained(spool);
    await takeIn(spool, "A", 5);
    expect(await queued(under)).toEqual(plates(1, 2, 3, 4, 5));
    expect(under.moved).toBe(3);
    expect(await talliesOf(under.store, "A")).toEqual({ queued: 5, duplicate: 1 });
  });

  test("are durable at each step before the next one begins, into the spool and out of it", async () => {
    await using under = await SpoolUnderTest.open();
    await addCameras(under.store, "A");
    const { spool, file } = await under.spool();
    await file.mirrorCameras(await under.store.listCameras());
    let steps: string[] = [];
    const told = [
      "put of images of the spool",
      "flush of images of the spool",
      "enqueue of spool",
      "nextBatch of spool",
      "replace of images",
      "flush of images",
      "transfer of store",
      "finish of spool",
      "erase of images of the spool",
    ];
    under.onStep = (name, where) => {
      const step = name.replace(/ (before|after)$/, ` of ${where}`);
      if (told.includes(step) && steps.at(-1) !== step) steps.push(step);
    };
    under.trouble = "before";
    await takeIn(spool, "A", 1);
    await takeIn(spool, "A", 2, 3);
    // The first group was written to its place before it was known that the store is away: it is fetched from there.
    expect(steps.filter((step) => step.endsWith("spool")).slice(0, 2)).toEqual([
      "flush of images of the spool",
      "enqueue of spool",
    ]);
    expect(steps.filter((step) => step.endsWith("spool")).slice(2)).toEqual(told.slice(0, 3));
    steps = [];
    under.trouble = "none";
    spool.start();
    await drained(spool);
    expect(steps.slice(0, 6)).toEqual(told.slice(3));
    expect(await queued(under)).toEqual(plates(1, 2, 3));
  });

  test("move at most 250 at a time", async () => {
    await using under = await SpoolUnderTest.open();
    await addCameras(under.store, "A");
    const { spool, file } = await under.spool();
    await file.mirrorCameras(await under.store.listCameras());
    let batches = 0;
    under.onStep = (name, where) => {
      if (`${name} of ${where}` === "transfer after of store") batches += 1;
    };
    under.trouble = "before";
    const numbers = Array.from({ length: 600 }, (_, n) => n + 1);
    await takeIn(spool, "A", ...numbers);
    under.trouble = "none";
    spool.start();
    await drained(spool);
    expect(batches).toBe(3);
    expect(await queued(under)).toEqual(plates(...numbers));
  });

  test("leave neither picture nor plate behind in the spool", async () => {
    await using under = await SpoolUnderTest.open();
    await addCameras(under.store, "A");
    const { spool, here, file } = await under.spool();
    await file.mirrorCameras(await under.store.listCameras());
    under.trouble = "before";
    await takeIn(spool, "A", 123456);
    under.trouble = "none";
    spool.start();
    await drained(spool);
    await file.tidy(new Date());
    for await (const { files } of here.list()) expect(files).toEqual([]);
    for (const name of ["spool.db", "spool.db-wal"]) {
      expect(readFileSync(join(under.folder, "spool", name)).includes("T123456")).toBe(false);
    }
    expect(await queued(under)).toEqual(plates(123456));
  });

  test("are queued once when the store had taken them and its answer was lost", async () => {
    await using under = await SpoolUnderTest.open();
    await addCameras(under.store, "A");
    const { spool, file } = await under.spool();
    await file.mirrorCameras(await under.store.listCameras());
    under.trouble = "after";
    expect(await takeIn(spool, "A", 1, 2)).toEqual(["queued", "queued"]);
    under.trouble = "none";
    spool.start();
    await drained(spool);
    expect(await queued(under)).toEqual(plates(1, 2));
  });

  test("wait for the place of their pictures too", async () => {
    await using under = await SpoolUnderTest.open();
    await addCameras(under.store, "A");
    const { spool, file } = await under.spool();
    await file.mirrorCameras(await under.store.listCameras());
    under.imageTrouble = "before";
    expect(await takeIn(spool, "A", 1)).toEqual(["queued"]);
    expect((await under.store.summarize()).readings).toBe(0);
    spool.start();
    await Bun.sleep(20);
    expect((await under.store.summarize()).readings).toBe(0);
    under.imageTrouble = "none";
    await drained(spool);
    expect(await queued(under)).toEqual(plates(1));
  });

  test("wait for every copy of a picture that has begun before any of them is begun again", async () => {
    await using under = await SpoolUnderTest.open();
    await addCameras(under.store, "A");
    const { spool, file } = await under.spool();
    await file.mirrorCameras(await under.store.listCameras());
    under.imageTrouble = "before";
    await takeIn(spool, "A", 1, 2);
    under.imageTrouble = "none";
    const slow = Promise.withResolvers<void>();
    const begun: string[] = [];
    under.onCopy = async (path) => {
      begun.push(path);
      if (begun.length > 2) return;
      if (path.includes("/1-")) throw away();
      await slow.promise;
    };
    spool.start();
    await until(() => begun.length === 2);
    // The first has failed long since.
    await Bun.sleep(50);
    expect(begun).toHaveLength(2);
    expect((await under.store.summarize()).readings).toBe(0);
    slow.resolve();
    await drained(spool);
    expect(begun.toSorted()).toEqual(["A/1-x_ocr.jpg", "A/1-x_ocr.jpg", "A/2-x_ocr.jpg", "A/2-x_ocr.jpg"]);
    expect(await queued(under)).toEqual(plates(1, 2));
  });

  test("are known by the last copy of the cameras after a restart without the store", async () => {
    await using under = await SpoolUnderTest.open();
    const { municipality } = await addCameras(under.store, "A");
    await addCamera(under.store, "off", municipality, { active: false, timezone: "Atlantic/Canary" });
    const first = await under.spool();
    await first.file.mirrorCameras(await under.store.listCameras());
    under.trouble = "before";
    const { spool } = await under.spool();
    expect(await spool.intake.store.findCamera("A")).toMatchObject({ serial: "A", active: true });
    expect(await spool.intake.store.findCamera("off")).toMatchObject({ active: false, timezone: "Atlantic/Canary" });
    expect(await spool.intake.store.findCamera("nobody")).toBeNull();
  });

  test("take held messages and counts with them", async () => {
    await using under = await SpoolUnderTest.open();
    await addCameras(under.store, "A");
    const { spool, file } = await under.spool();
    await file.mirrorCameras(await under.store.listCameras());
    under.trouble = "before";
    under.imageTrouble = "before";
    await spool.intake.quarantine.put("2026-05-04/x.msg", pictureOf(7));
    await spool.intake.quarantine.flush();
    await spool.intake.store.enqueue(
      [
        {
          kind: "quarantine",
          quarantined: {
            kind: "unregistered",
            reason: "no camera of this serial is registered",
            cameraSerial: "new",
            protocol: "tattile-xml",
            peer: "10.0.0.7",
            receivedAt: after(5),
            sizeBytes: 12,
            path: "2026-05-04/x.msg",
          },
        },
        { kind: "not-read", cameraSerial: "A", receivedAt: after(6) },
      ],
      after(7),
    );
    expect(spool.status().heldMessages).toBe(1);
    under.trouble = "none";
    under.imageTrouble = "none";
    spool.start();
    await drained(spool);
    expect(await under.store.listQuarantine({}, 10)).toMatchObject([
      { cameraSerial: "new", path: "2026-05-04/x.msg", receivedAt: after(5) },
    ]);
    expect(readFileSync(join(under.folder, "quarantine/2026-05-04/x.msg"))).toEqual(Buffer.from(pictureOf(7)));
    expect(await talliesOf(under.store, "A")).toEqual({ "not-read": 1 });
    expect(await talliesOf(under.store, "new")).toEqual({ unregistered: 1 });
  });

  test("of a camera that was removed meanwhile wait apart, hold up nobody, and go on once it is back", async () => {
    await using under = await SpoolUnderTest.open();
    const { municipality } = await addCameras(under.store, "A", "gone");
    const { spool, file } = await under.spool();
    await file.mirrorCameras(await under.store.listCameras());
    under.trouble = "before";
    await takeIn(spool, "gone", 1);
    await takeIn(spool, "A", 2);
    await takeIn(spool, "gone", 3);
    under.trouble = "none";
    const camera = await under.store.findCamera("gone");
    await under.store.removeCamera(camera?.id ?? 0, false);
    spool.start();
    await drained(spool);
    expect((await under.store.summarize()).byStatus.PENDING).toBe(1);
    expect(spool.status()).toMatchObject({ waiting: 0, heldBack: 2 });
    await addCamera(under.store, "gone", municipality);
    await file.mirrorCameras(await under.store.listCameras());
    expect(spool.status()).toMatchObject({ waiting: 2, heldBack: 0 });
    const again = await under.spool();
    again.spool.start();
    await drained(again.spool);
    expect((await queued(under)).toSorted()).toEqual(plates(1, 2, 3));
  });

  test("of a camera that was off only while the spool moved go on though the list of cameras says the same again", async () => {
    await using under = await SpoolUnderTest.open();
    const { municipality } = await addCameras(under.store, "A");
    const { spool, file } = await under.spool();
    await file.mirrorCameras(await under.store.listCameras());
    under.trouble = "before";
    await takeIn(spool, "A", 1, 2);
    under.trouble = "none";
    await addCamera(under.store, "A", municipality, { active: false });
    // Switched on again when the move is over, before the copy is renewed.
    under.onStep = (step) => {
      if (step === "holdBack after") under.stalled = addCamera(under.store, "A", municipality).then(() => {});
    };
    spool.start();
    await until(() => under.moved === 2);
    await drained(spool);
    expect(await queued(under)).toEqual(plates(1, 2));
  });

  test("of a camera that does not come back go after their time, and are counted", async () => {
    await using under = await SpoolUnderTest.open();
    await addCameras(under.store, "gone");
    const { spool, file, here } = await under.spool();
    await file.mirrorCameras(await under.store.listCameras());
    under.trouble = "before";
    await takeIn(spool, "gone", 1);
    under.trouble = "none";
    await under.store.removeCamera((await under.store.findCamera("gone"))?.id ?? 0, false);
    spool.start();
    await drained(spool);
    await spool.stop();
    under.clock.set(after(120_000));
    const next = await under.spool();
    next.spool.start();
    await until(() => next.spool.status().heldBack === 0);
    for await (const { files } of here.list()) expect(files).toEqual([]);
  });
});

test("what is wiped from the spool is gone for good", async () => {
  await using under = await SpoolUnderTest.open();
  await addCameras(under.store, "A");
  const { spool, file, here } = await under.spool();
  await file.mirrorCameras(await under.store.listCameras());
  under.trouble = "before";
  await takeIn(spool, "A", 123456, 2);
  expect(await wipeSpool({ dataDir: under.folder }, under.clock)).toBe(2);
  expect(await wipeSpool({ dataDir: join(under.folder, "elsewhere") }, under.clock)).toBe(0);
  for await (const { files } of here.list()) expect(files).toEqual([]);
  for (const name of ["spool.db", "spool.db-wal"]) {
    expect(readFileSync(join(under.folder, "spool", name)).includes("T123456")).toBe(false);
  }
  under.trouble = "none";
  spool.start();
  await drained(spool);
  expect(await queued(under)).toEqual([]);
});

test("of two processes of a folder one moves, and the other takes the lead once it is gone", async () => {
  await using under = await SpoolUnderTest.open();
  const [one, other] = [(await under.spool()).file, (await under.spool()).file];
  expect([one.lead(), one.lead(), other.lead()]).toEqual([true, true, false]);
  one.resign();
  expect([other.lead(), one.lead()]).toEqual([true, false]);
});

describe("a process that dies while the spool moves", () => {
  test("at any step neither loses nor doubles a reading, also when the store has forgotten the hashes", async () => {
    let steps = 0;
    for (let deathAt = 1; ; deathAt++) {
      await using under = await SpoolUnderTest.open();
      await addCameras(under.store, "A");
      const { spool, file } = await under.spool();
      await file.mirrorCameras(await under.store.listCameras());
      under.trouble = "before";
      await takeIn(spool, "A", 1, 2);
      await takeIn(spool, "A", 3);
      under.trouble = "none";
      let step = 0;
      let died = false;
      under.onStep = () => {
        step += 1;
        if (died || step === deathAt) {
          died = true;
          throw new Error("died");
        }
      };
      spool.start();
      await until(() => died || spool.status().since === null);
      await spool.stop();
      under.onStep = () => {};
      // Whatever was queued is known by its batch only.
      await under.store.purgeDedupe(after(1_000_000_000), 1000);
      const next = await under.spool();
      next.spool.start();
      await drained(next.spool);
      expect(await queued(under)).toEqual(plates(1, 2, 3));
      expect(next.file.count().waiting).toBe(0);
      if (!died) break;
      steps = deathAt;
    }
    // Both sides of a dozen calls at least, or the test does not look where it should.
    expect(steps).toBeGreaterThan(24);
  });
});

describe("the loop that looks after the spool", () => {
  test("says at each turn and each step that it turns, and not while a call of the store has no answer", async () => {
    await using under = await SpoolUnderTest.open();
    await addCameras(under.store, "A");
    const { spool } = await under.spool();
    spool.start();
    const idle = under.turns;
    await until(() => under.turns > idle + 2);
    under.trouble = "before";
    await takeIn(spool, "A", ...Array.from({ length: 40 }, (_, n) => n + 1));
    const waiting = under.turns;
    await until(() => under.turns > waiting + 2);

    let answer = (): void => {};
    under.stalled = new Promise((resolve) => {
      answer = resolve;
    });
    under.trouble = "none";
    let last = -1;
    await until(async () => {
      const before = last;
      last = under.turns;
      await Bun.sleep(20);
      return before === last;
    });
    await Bun.sleep(100);
    expect(under.turns).toBe(last);
    under.stalled = null;
    answer();
    await drained(spool);
    // Forty pictures are more than two steps of a batch.
    expect(under.turns).toBeGreaterThan(last + 3);
  });

  test("does not look through all files of the spool when it is to stop", async () => {
    await using under = await SpoolUnderTest.open();
    const { spool, here } = await under.spool();
    for (let n = 0; n < 50; n += 1) await here.put(`C${n}/1_ocr.jpg`, pictureOf(n));
    let folders = 0;
    let stopped: Promise<void> | null = null;
    under.onStep = (step) => {
      if (step !== "findReferenced before") return;
      folders += 1;
      stopped ??= spool.stop();
    };
    spool.start();
    await until(() => stopped !== null);
    await stopped;
    expect(folders).toBeLessThan(50);
  });
});
