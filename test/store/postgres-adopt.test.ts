import { describe, expect, test } from "bun:test";
import { holdingsOf } from "../../src/cli/camera-remove.ts";
import { systemClock } from "../../src/clock.ts";
import { countWipe } from "../../src/deeds/wipe.ts";
import { AppError } from "../../src/errors.ts";
import { openPostgres } from "../../src/store/postgres.ts";
import { openMigration } from "../../src/store/postgres-adopt.ts";
import { usePostgres } from "../support/postgres-server.ts";
import { createReplacedTables } from "../support/replaced-system.ts";
import { claimRequest, DELIVERED, readingEntry, settled } from "../support/store-fixture.ts";

const server = usePostgres();
let number = 0;

async function newDatabase(sql?: string): Promise<string> {
  const database = `adopt_${++number}`;
  await server().createDatabase(database);
  if (sql !== undefined) await server().run(database, sql);
  return database;
}

async function replaced(): Promise<string> {
  const database = await newDatabase();
  await createReplacedTables(server(), database);
  return database;
}

async function migrate(database: string) {
  const migration = openMigration(server().address(database), systemClock, { lockWaitMs: 500 });
  try {
    const plan = await migration.plan();
    await migration.apply();
    return plan;
  } finally {
    await migration.close();
  }
}

function openStoreOn(database: string) {
  return openPostgres({
    address: server().address(database),
    poolSize: 2,
    node: "n",
    certsDir: "/certs",
    clock: systemClock,
  });
}

const REGISTRY = `INSERT INTO endpoints (name, url) VALUES ('police', 'https://police.example/');
  INSERT INTO municipalities (name, endpoint_id) VALUES ('Vila', 1);
  INSERT INTO certificates (name, path, key_path, municipality_id) VALUES ('Vila', 'vila/privpub.pem', 'data/certs/vila/key.pem', 1);
  INSERT INTO cameras (serial_number, codigo_lector, municipality_id) VALUES ('S1', 'R1', 1);`;
/** As the replaced system takes a reading in. */
const QUEUE_ONE = `WITH r AS (
    INSERT INTO alpr_readings (camera_id, device_sn, plate, timestamp_utc, direction, lane_id, lane_descr, ocr_score, country_code,
      country, bbox_min_x, bbox_min_y, bbox_max_x, bbox_max_y, char_height, has_image_ocr, has_image_ctx, raw_xml,
      image_ocr_path, image_ctx_path)
    VALUES (1, 'S1', '1234BCD', '2026-07-01T09:30:00Z', 'GOAWAY', 1, 'carril', 93, '724', 'ES', 1, 2, 3, 4, 20, true, false, '<root/>',
      'data/images/S1/1_ocr.jpg', NULL)
    RETURNING id)
  INSERT INTO messages_queue (reading_id, status, attempts) SELECT id, 'PENDING', 0 FROM r RETURNING id`;

describe("what is in a database", () => {
  test("is made where there is nothing, and left alone where it is up to date", async () => {
    const database = await newDatabase();
    expect(await migrate(database)).toEqual({ kind: "create", to: expect.any(Number) });
    expect(await migrate(database)).toEqual({ kind: "current", to: expect.any(Number) });
  });

  for (const [what, sql, found] of [
    ["another program's", "CREATE TABLE customers (id integer)", "belongs to another program (tables customers)"],
    [
      "an older revision's",
      "UPDATE alembic_version SET version_num = '0005_x'",
      "at revision 0005_x, not 0006_camera_last_sent",
    ],
    ["of no revision", "DELETE FROM alembic_version", "at revision (none)"],
    ["of two revisions", "INSERT INTO alembic_version VALUES ('0007_y')", "0006_camera_last_sent, 0007_y"],
    ["half-way updated", "ALTER TABLE cameras DROP COLUMN last_sent_at", "lacks cameras.last_sent_at"],
    ["of which a table is gone", "DROP TABLE messages_queue", "lacks the table messages_queue"],
  ] as const) {
    test(`is refused when it is ${what}, saying what was found, and not touched`, async () => {
      const database = sql.startsWith("CREATE") ? await newDatabase() : await replaced();
      await server().run(database, sql);
      for (const attempt of [() => migrate(database), () => openStoreOn(database)]) {
        const error = await attempt().then(
          () => null,
          (thrown: unknown) => thrown,
        );
        expect(error instanceof AppError && error.code).toBe("conflict");
        expect(String(error)).toContain(found);
      }
      expect(await server().run(database, "SELECT to_regclass('dedupe') AS made")).toEqual([{ made: null }]);
    });
  }

  test("of the replaced system is not taken over by being opened", async () => {
    const database = await replaced();
    await expect(openStoreOn(database)).rejects.toThrow("was not taken over yet");
  });

  test("is refused while another program holds its tables", async () => {
    const database = await replaced();
    const holding = server().run(
      database,
      "BEGIN; LOCK TABLE messages_queue IN SHARE MODE; SELECT pg_sleep(2); COMMIT",
    );
    await Bun.sleep(300);
    await expect(migrate(database)).rejects.toThrow("another program holds its tables");
    await holding;
    expect((await migrate(database)).kind).toBe("adopt");
  }, 60_000);
});

describe("after the taking over", () => {
  test("the replaced system goes on inserting, reading and erasing as before, and tattile takes up what it queued", async () => {
    const database = await replaced();
    await server().run(database, REGISTRY);
    await server().run(database, QUEUE_ONE);
    await migrate(database);
    const [message] = await server().run<{ id: number }>(database, QUEUE_ONE);
    // As its sender does: takes, fails, gives up, delivers.
    await server().run(
      database,
      `UPDATE messages_queue SET status = 'SENDING', updated_at = now() WHERE id = ${message?.id}`,
    );
    await server().run(
      database,
      `UPDATE messages_queue SET status = 'FAILED', attempts = 1, last_error = 'x' WHERE id = ${message?.id}`,
    );
    expect(
      await server().run(
        database,
        `SELECT m.status, m.attempts, r.plate, r.lane_id, r.ocr_score, r.image_ocr_path, c.codigo_lector, e.url, k.path, k.key_path
         FROM messages_queue m JOIN alpr_readings r ON r.id = m.reading_id JOIN cameras c ON c.id = r.camera_id
         JOIN municipalities t ON t.id = c.municipality_id JOIN endpoints e ON e.id = t.endpoint_id
         JOIN certificates k ON k.municipality_id = t.id WHERE m.id = ${message?.id}`,
      ),
    ).toMatchObject([
      { status: "FAILED", attempts: 1, plate: "1234BCD", lane_id: 1, ocr_score: 93, codigo_lector: "R1" },
    ]);
    await server().run(
      database,
      `INSERT INTO municipalities (name) VALUES ('Olot'); INSERT INTO endpoints (name, url) VALUES ('two', 'https://two.example/');
       INSERT INTO certificates (name, type, path) VALUES ('c', 'PEM', '/c.pem');
       INSERT INTO cameras (serial_number, codigo_lector, municipality_id, utm_x) VALUES ('S2', 'R2', 2, 1.5)`,
    );
    await server().run(database, `${QUEUE_ONE}`);
    await server().run(
      database,
      "UPDATE messages_queue SET status = 'DEAD', last_error = 'NO_IMAGE_FILE_OCR' WHERE id = 3",
    );
    const store = await openStoreOn(database);
    try {
      expect((await store.summarize()).byStatus).toMatchObject({ PENDING: 1, FAILED: 1, DEAD: 1 });
      expect((await store.summarize()).deadByReason).toEqual([{ reason: "NO_IMAGE_FILE_OCR", count: 1 }]);
      const claims = await store.claim(claimRequest(), new Date());
      expect(claims).toMatchObject([
        { timeSource: "wall-clock", capturedAt: new Date("2026-07-01T09:30:00Z"), imageOcrPath: "S1/1_ocr.jpg" },
        { certificate: { clientCertPath: "/certs/vila/privpub.pem", keyPath: "/certs/vila/key.pem" } },
      ]);
      expect(await store.findReferenced(["S1/1_ocr.jpg", "S1/2_ocr.jpg"])).toEqual(new Set(["S1/1_ocr.jpg"]));
      expect((await store.listPictured(0, 1))[0]?.paths).toEqual(["S1/1_ocr.jpg"]);
      expect(await store.findFaults()).toEqual([]);
      await store.settle(
        claims.map((claim) => settled(claim, DELIVERED)),
        new Date(),
      );
      // And the other way round: what tattile queued is there for the old program to see and to erase.
      expect(await store.enqueue([readingEntry(1, "S1")], new Date())).toEqual(["queued"]);
      await server().run(
        database,
        "UPDATE messages_queue SET status = 'SUCCESS', sent_at = now(), last_sent_at = now() WHERE status = 'PENDING'",
      );
      await server().run(
        database,
        `DELETE FROM messages_queue WHERE status = 'DEAD';
         DELETE FROM alpr_readings r WHERE NOT EXISTS (SELECT 1 FROM messages_queue m WHERE m.reading_id = r.id)`,
      );
      await store.purgeDead(new Date(), 100);
      expect(await store.balance()).toMatchObject({ received: 4, delivered: 4, waiting: 0, dead: 0, difference: 0 });
    } finally {
      await store.close();
    }
  });

  test("what the replaced system delivered and left goes step by step, and it is said that there is more", async () => {
    const database = await replaced();
    await server().run(database, REGISTRY);
    for (let n = 0; n < 5; n++) await server().run(database, QUEUE_ONE);
    await server().run(database, "UPDATE messages_queue SET status = 'SUCCESS', sent_at = now()");
    await migrate(database);
    const store = await openStoreOn(database);
    try {
      const steps = [1, 2, 3].map(() => () => store.purgeDead(new Date(0), 2));
      const mores: unknown[] = [];
      for (const step of steps) mores.push(await step());
      expect(mores).toMatchObject([
        { messages: 0, more: true },
        { messages: 0, more: true },
        { messages: 0, more: false },
      ]);
      expect(await server().run(database, "SELECT count(*)::integer AS left FROM alpr_readings")).toEqual([
        { left: 0 },
      ]);
    } finally {
      await store.close();
    }
  });

  describe("readings that no message refers to", () => {
    const QUEUE_TWO = QUEUE_ONE.replace("(1, 'S1'", "(2, 'S2'").replace("S1/1_ocr", "S2/2_ocr");
    const left = (database: string) =>
      server().run(database, "SELECT device_sn AS serial, image_ocr_path AS path FROM alpr_readings ORDER BY id");

    /** Two cameras, each with a reading that waits and one without a message. */
    async function withUnqueued(): Promise<string> {
      const database = await replaced();
      await server().run(database, REGISTRY);
      await server().run(
        database,
        "INSERT INTO cameras (serial_number, codigo_lector, municipality_id) VALUES ('S2', 'R2', 1)",
      );
      for (const sql of [QUEUE_ONE, QUEUE_TWO]) {
        await server().run(database, sql.replace("1_ocr", "1_left_ocr").replace("2_ocr", "2_left_ocr"));
        await server().run(
          database,
          "DELETE FROM messages_queue WHERE reading_id = (SELECT max(id) FROM alpr_readings)",
        );
        await server().run(database, sql);
      }
      await migrate(database);
      return database;
    }

    test("go with their camera, their pictures too, and no other camera's", async () => {
      const database = await withUnqueued();
      const store = await openStoreOn(database);
      try {
        const id = (await store.findCamera("S1"))?.id ?? 0;
        const camera = await store.findCamera("S1");
        const held = await holdingsOf(camera === null ? [] : [camera], store);
        expect(held.readings).toBe(2);
        expect(held.imagePaths.toSorted()).toEqual(["S1/1_left_ocr.jpg", "S1/1_ocr.jpg"]);
        const removed = await store.removeCamera(id, true);
        expect(removed.readings).toBe(2);
        expect(removed.imagePaths.toSorted()).toEqual(["S1/1_left_ocr.jpg", "S1/1_ocr.jpg"]);
        expect(await store.findCamera("S1")).toBeNull();
        expect(await left(database)).toMatchObject([{ serial: "S2" }, { serial: "S2" }]);
      } finally {
        await store.close();
      }
    });

    test("do not keep a camera that retires, nor one that a file of the site leaves out", async () => {
      const database = await withUnqueued();
      const store = await openStoreOn(database);
      try {
        await store.retireCamera((await store.findCamera("S1"))?.id ?? 0);
        expect(await store.removeRetired()).toEqual([]);
        expect(await left(database)).toHaveLength(4);
        await store.discardMessages({});
        expect(await store.removeRetired()).toEqual(["S1"]);
        expect(await left(database)).toMatchObject([{ serial: "S2" }]);
        const cameras = [(await store.findCamera("S2"))?.id ?? 0];
        const none = { endpoints: [], certificates: [], municipalities: [], cameras: [] };
        await store.applyRegistry({
          ...none,
          removed: { cameras, municipalities: [], certificates: [], endpoints: [] },
        });
        expect(await left(database)).toEqual([]);
      } finally {
        await store.close();
      }
    });

    test("lose their pictures and go when all is wiped, a number at a time", async () => {
      const database = await withUnqueued();
      const store = await openStoreOn(database);
      try {
        expect(await countWipe("readings", store)).toEqual({ "stored reading": 4, "held message": 0 });
        expect(await countWipe("images", store)).toEqual({ "stored reading with images": 4 });
        expect(await store.discardUnqueued(null, 1)).toEqual({ readings: 1, imagePaths: ["S1/1_left_ocr.jpg"] });
        const detached = await store.detachImages();
        expect(detached.readings).toBe(3);
        expect(detached.imagePaths.toSorted()).toEqual(["S1/1_ocr.jpg", "S2/2_left_ocr.jpg", "S2/2_ocr.jpg"]);
        expect(await store.discardUnqueued(null, 10)).toEqual({ readings: 1, imagePaths: [] });
        expect((await store.summarize()).byStatus.PENDING).toBe(2);
      } finally {
        await store.close();
      }
    });
  });

  test("the replaced system may come as a user who has no right to what was added, and from another schema's view", async () => {
    const database = await replaced();
    await server().run(database, REGISTRY);
    await migrate(database);
    await server().run(
      database,
      `CREATE ROLE clerk_${number} LOGIN; CREATE SCHEMA elsewhere; GRANT USAGE ON SCHEMA elsewhere TO clerk_${number};
       GRANT ALL ON endpoints, certificates, municipalities, cameras, alpr_readings, messages_queue TO clerk_${number};
       GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO clerk_${number}`,
    );
    await server().run(
      database,
      `SET ROLE clerk_${number}; SET search_path = elsewhere;
       ${QUEUE_ONE.replaceAll("alpr_readings", "public.alpr_readings").replaceAll("messages_queue", "public.messages_queue")};
       UPDATE public.messages_queue SET status = 'DEAD', last_error = 'x'; RESET ROLE`,
    );
    const store = await openStoreOn(database);
    try {
      expect((await store.summarize()).deadByReason).toEqual([{ reason: "x", count: 1 }]);
    } finally {
      await store.close();
    }
  });

  test("can be numbered further than an integer reaches, as the guide says, and the replaced system still works", async () => {
    const database = await replaced();
    await server().run(database, REGISTRY);
    await migrate(database);
    const guide = await Bun.file(new URL("../../docs/postgresql.md", import.meta.url)).text();
    const statements = guide.match(/ALTER (?:TABLE|SEQUENCE)[^;]*bigint;/g) ?? [];
    expect(statements).toHaveLength(4);
    await server().run(database, "SELECT setval('alpr_readings_id_seq', 1500000000)");
    const before = await openStoreOn(database);
    expect((await before.findFaults()).join()).toContain("alpr_readings_id_seq is at 1500000000 of 2147483647");
    await before.close();
    await server().run(database, statements.join("\n"));
    await server().run(
      database,
      "SELECT setval('alpr_readings_id_seq', 3000000000), setval('messages_queue_id_seq', 3000000000)",
    );
    await server().run(database, QUEUE_ONE);
    const store = await openStoreOn(database);
    try {
      await store.enqueue([readingEntry(1, "S1")], new Date());
      const claims = await store.claim(claimRequest(), new Date());
      expect(claims.map(({ messageId }) => messageId)).toEqual([3_000_000_001, 3_000_000_002]);
      expect(await store.findFaults()).toEqual([]);
      expect(
        await store.settle(
          claims.map((claim) => settled(claim, DELIVERED)),
          new Date(),
        ),
      ).toEqual([true, true]);
    } finally {
      await store.close();
    }
  });

  test("a message that the replaced system was sending when it stopped for good is sent again after a while", async () => {
    const database = await replaced();
    await server().run(database, REGISTRY);
    await migrate(database);
    await server().run(database, QUEUE_ONE);
    await server().run(database, "UPDATE messages_queue SET status = 'SENDING'");
    const store = await openStoreOn(database);
    try {
      expect(await store.releaseExpired(new Date())).toBe(0);
      expect(await store.releaseExpired(new Date(Date.now() + 11 * 60_000))).toBe(1);
    } finally {
      await store.close();
    }
  });
});
