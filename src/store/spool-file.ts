import { Database } from "bun:sqlite";
import { randomUUID } from "node:crypto";
import { closeSync, existsSync, openSync } from "node:fs";
import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import type { Protocol, ReadingFacts, TimeSource } from "../reading.ts";
import type { Camera } from "./registry.ts";
import { openSqliteParts } from "./sqlite.ts";
import { type Connection, describeSqliteError, sqliteCode } from "./sqlite-connection.ts";
import { CAMERA, nameKey, readFacts, SELECT_FACTS, toColumn } from "./sqlite-rows.ts";
import { imagePathsOf } from "./sqlite-settle.ts";
import { createUpkeep, SPOOL_MISMATCHES } from "./sqlite-upkeep.ts";
import type { IntakeEntry, NewQuarantined, NewReading, Store } from "./store.ts";
import type { SpoolCounts, TallyCount, TransferBatch } from "./transfer.ts";
import type { Upkeep } from "./upkeep.ts";

/** A batch on its way, with the files that go before it. */
export interface SpoolBatch extends TransferBatch {
  id: string;
  imagePaths: readonly string[];
  heldPaths: readonly string[];
}

/** The local file for what arrives while the store is away: the SQLite store's own format, and what moving it needs. */
export interface SpoolFile
  extends Upkeep,
    Pick<Store, "enqueue" | "isKnown" | "findCamera" | "findReferenced" | "findHeld" | "listQuarantine"> {
  count(): SpoolCounts;
  /** The last good copy of the cameras. Nothing is written when it says the same. Readings held back go on when their camera is on again. */
  mirrorCameras(cameras: readonly Camera[]): Promise<void>;
  /** The batch that was begun and not finished, else the oldest that waits. It stays the same one until `finish` or `holdBack`. */
  nextBatch(limit: number): Promise<SpoolBatch | null>;
  /** The batch is in the store. */
  finish(batch: SpoolBatch): Promise<void>;
  /** Readings of these cameras wait apart until their camera is there again; the batch is not one any more. */
  holdBack(batch: SpoolBatch, cameraSerials: readonly string[]): Promise<void>;
  /** Readings held back since before that go. @returns pictures to erase after */
  expire(before: Date): Promise<{ readings: number; imagePaths: readonly string[] }>;
  /** What is erased cannot be read any more; hashes older than `before` are forgotten. */
  tidy(before: Date): Promise<void>;
  /** Takes the lead among the processes of this folder: one moves, the others wait. @returns false: another one has it. It ends with its process. */
  lead(): boolean;
  resign(): void;
  /** Erases everything that waits, for good. @returns how many readings and held messages */
  wipe(): Promise<number>;
  close(): Promise<void>;
}

/** Why a reading in the spool is DEAD; the words are for whoever looks into the file. */
const HELD_BACK = "CAMARA_NO_REGISTRADA";
const PURGE_STEP = 500;
const COUNTS = `SELECT coalesce((SELECT count FROM queue_counts WHERE status = 'PENDING' AND reason = ''), 0) AS waiting,
  coalesce((SELECT sum(count) FROM queue_counts WHERE status = 'DEAD'), 0) AS heldBack,
  (SELECT count(*) FROM quarantine) AS heldMessages`;

interface Contents {
  readings: readonly number[];
  held: readonly number[];
  tallies: readonly TallyCount[];
}

type ReadingRow = ReadingFacts & {
  key: Uint8Array;
  protocol: Protocol;
  serial: string;
  capturedMs: number;
  timeSource: TimeSource;
  receivedMs: number;
  extra: string | null;
  rawText: string;
  ocr: string | null;
  ctx: string | null;
};

/** @throws AppError as openSqlite */
export async function openSpoolFile(options: { path: string; clock: Clock }): Promise<SpoolFile> {
  const { store, connection } = await openSqliteParts({ ...options, onQueued: rememberKeys });
  const { clock } = options;
  const leadership = createLeadership(`${options.path}.lead`);
  const readCounts = connection.prepare<SpoolCounts, []>(COUNTS);
  const counts = (): SpoolCounts => readCounts.get() ?? { waiting: 0, heldBack: 0, heldMessages: 0 };

  return {
    enqueue: store.enqueue,
    isKnown: store.isKnown,
    findCamera: store.findCamera,
    findReferenced: store.findReferenced,
    findHeld: store.findHeld,
    listQuarantine: store.listQuarantine,
    ...createUpkeep(connection, SPOOL_MISMATCHES),
    count: () => connection.read("counting the spool", counts),
    mirrorCameras: createMirror(connection, clock, () => counts().heldBack),
    ...createBatches(connection, clock),
    tidy: async (before) => {
      while ((await store.purgeDedupe(before, PURGE_STEP)) === PURGE_STEP);
      await store.scrub();
    },
    wipe: async () => {
      const wiped = connection.write("wiping the spool", () => {
        const { waiting, heldBack, heldMessages } = counts();
        for (const table of ["messages_queue", "alpr_readings", "spooled_keys", "quarantine", "moving_batch"]) {
          connection.database.run(`DELETE FROM ${table}`);
        }
        return waiting + heldBack + heldMessages;
      });
      await store.scrub();
      return wiped;
    },
    lead: leadership.lead,
    resign: leadership.resign,
    close: async () => {
      leadership.resign();
      await store.close();
    },
  };
}

/** A lock that the kernel takes from who dies: an open transaction on a database that holds nothing. */
function createLeadership(path: string): Pick<SpoolFile, "lead" | "resign"> {
  let held: Database | null = null;
  return {
    lead: () => {
      if (held !== null) return true;
      closeSync(openSync(path, "a", 0o640));
      const database = new Database(path, { readwrite: true, create: true, strict: true });
      try {
        database.run("PRAGMA busy_timeout = 0");
        database.run("BEGIN EXCLUSIVE");
        held = database;
        return true;
      } catch (error) {
        database.close();
        if (sqliteCode(error)?.startsWith("SQLITE_BUSY")) return false;
        throw describeSqliteError("taking the lead over the spool", error);
      }
    },
    resign: () => {
      held?.run("ROLLBACK");
      held?.close();
      held = null;
    },
  };
}

/** What waits in a spool, read beside whoever works on it; null when there is none. */
export function peekSpool(path: string): SpoolCounts | null {
  if (!existsSync(path)) return null;
  const database = new Database(path, { readwrite: true, create: false, strict: true });
  try {
    database.run("PRAGMA busy_timeout = 1000");
    return database.prepare<SpoolCounts, []>(COUNTS).get();
  } finally {
    database.close();
  }
}

/** The store that a reading moves to must know its hash, and a queue's row does not hold it. */
function rememberKeys(connection: Connection): (readingId: number, reading: NewReading) => void {
  const insert = connection.prepare<never, [number, Uint8Array]>(
    "INSERT INTO spooled_keys (reading_id, key) VALUES (?, ?)",
  );
  return (readingId, reading) => {
    insert.run(readingId, reading.dedupeKey);
  };
}

function createMirror(connection: Connection, clock: Clock, heldBack: () => number): SpoolFile["mirrorCameras"] {
  const fields = Object.entries<string>(CAMERA.columns).filter(([field]) => !["endpointId"].includes(field));
  const insert = connection.prepare<never, ReturnType<typeof toColumn>[]>(
    `INSERT INTO cameras (${fields.map(([, column]) => column).join(", ")}) VALUES (${fields.map(() => "?").join(", ")})`,
  );
  const clear = connection.prepare<never, []>("DELETE FROM cameras");
  // Which municipality a camera belongs to is the store's affair; here it only has to have one.
  const addMunicipality = connection.prepare<never, [number, string, string]>(
    "INSERT INTO municipalities (id, name, name_key) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
  );
  const goOn = connection.prepare<never, [number]>(
    `UPDATE messages_queue SET status = 'PENDING', reason = NULL, updated_at = ?
     WHERE status = 'DEAD' AND reading_id IN (SELECT r.id FROM alpr_readings r
       JOIN cameras c ON c.serial_number = r.device_sn AND c.active = 1)`,
  );
  let mirrored = "";
  return async (cameras) => {
    const copy = cameras.map((camera) => ({ ...camera, lastReadingAt: null, lastSentAt: null, municipalityId: 1 }));
    const text = JSON.stringify(copy);
    if (text === mirrored) {
      // A camera that was off only while the spool moved: the list says what it said before.
      if (heldBack() > 0) connection.write("readings of the spool go on", () => goOn.run(clock.now().getTime()));
      return;
    }
    connection.write("copying the cameras", () => {
      addMunicipality.run(1, "(all)", nameKey("(all)"));
      clear.run();
      for (const camera of copy) {
        const values = camera as unknown as Readonly<Record<string, unknown>>;
        insert.run(...fields.map(([field]) => toColumn(values[field])));
      }
      goOn.run(clock.now().getTime());
    });
    mirrored = text;
  };
}

function createBatches(
  connection: Connection,
  clock: Clock,
): Pick<SpoolFile, "nextBatch" | "finish" | "holdBack" | "expire"> {
  const current = connection.prepare<{ id: string; contents: string }, []>(
    "SELECT id, contents FROM moving_batch LIMIT 1",
  );
  const begin = connection.prepare<never, [string, string]>("INSERT INTO moving_batch (id, contents) VALUES (?, ?)");
  const end = connection.prepare<never, [string]>("DELETE FROM moving_batch WHERE id = ?");
  const listWaiting = connection.prepare<{ id: number }, [number]>(
    "SELECT id FROM messages_queue WHERE status = 'PENDING' ORDER BY id LIMIT ?",
  );
  const listHeld = connection.prepare<{ id: number }, [number]>("SELECT id FROM quarantine ORDER BY id LIMIT ?");
  // What taking over counts by itself is not told twice.
  const takeTallies = connection.prepare<TallyCount, []>(
    `DELETE FROM tallies RETURNING camera_serial AS cameraSerial, tally, count`,
  );
  const addTally = connection.prepare<never, [string, string, number]>(
    `INSERT INTO tallies (camera_serial, tally, count) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET count = count + excluded.count`,
  );
  const readReading = connection.prepare<ReadingRow, [number]>(
    `SELECT k.key, r.protocol, r.device_sn AS serial, r.timestamp_utc AS capturedMs, r.time_source AS timeSource,
       r.created_at AS receivedMs, r.extra, r.raw_xml AS rawText, r.image_ocr_path AS ocr, r.image_ctx_path AS ctx,
       ${SELECT_FACTS}
     FROM alpr_readings r JOIN spooled_keys k ON k.reading_id = r.id WHERE r.id = ?`,
  );
  const readHeld = connection.prepare<Omit<NewQuarantined, "receivedAt"> & { receivedMs: number }, [number]>(
    `SELECT kind, reason, camera_serial AS cameraSerial, protocol, peer, received_at AS receivedMs, size_bytes AS sizeBytes,
       path FROM quarantine WHERE id = ?`,
  );
  const erase = ["messages_queue WHERE id", "alpr_readings WHERE id", "spooled_keys WHERE reading_id"].map((rows) =>
    connection.prepare<never, [number]>(`DELETE FROM ${rows} = ?`),
  );
  const eraseHeld = connection.prepare<never, [number]>("DELETE FROM quarantine WHERE id = ?");
  const setApart = connection.prepare<never, { serial: string; now: number }[]>(
    `UPDATE messages_queue SET status = 'DEAD', reason = '${HELD_BACK}', updated_at = $now
     WHERE status = 'PENDING' AND reading_id IN (SELECT id FROM alpr_readings WHERE device_sn = $serial)`,
  );
  const listOld = connection.prepare<{ id: number; ocr: string | null; ctx: string | null; serial: string }, [number]>(
    `SELECT q.id, r.image_ocr_path AS ocr, r.image_ctx_path AS ctx, r.device_sn AS serial FROM messages_queue q
     JOIN alpr_readings r ON r.id = q.reading_id WHERE q.status = 'DEAD' AND q.updated_at < ? ORDER BY q.id LIMIT ${PURGE_STEP}`,
  );
  const eraseReadings = (ids: readonly number[]): void => {
    for (const id of ids) for (const statement of erase) statement.run(id);
  };

  const load = (id: string, { readings, held, tallies }: Contents): SpoolBatch => {
    const entries: IntakeEntry[] = [];
    const imagePaths: string[] = [];
    const heldPaths: string[] = [];
    for (const row of readings.map((one) => readReading.get(one))) {
      // Erased by hand meanwhile: nothing of it is left to move.
      if (row === null) continue;
      imagePaths.push(...imagePathsOf([row]));
      entries.push({ kind: "reading", reading: readNewReading(row) });
    }
    for (const row of held.map((one) => readHeld.get(one))) {
      if (row === null) continue;
      const { receivedMs, ...rest } = row;
      if (row.path !== null) heldPaths.push(row.path);
      entries.push({ kind: "quarantine", quarantined: { ...rest, receivedAt: new Date(receivedMs) } });
    }
    return { id, entries, tallies, imagePaths, heldPaths };
  };
  const contentsOf = ({ id }: SpoolBatch): Contents | null => {
    const row = current.get();
    return row?.id === id ? JSON.parse(row.contents) : null;
  };

  return {
    nextBatch: async (limit) =>
      connection.write("beginning a batch of the spool", () => {
        const row = current.get();
        if (row !== null) return load(row.id, JSON.parse(row.contents));
        const readings = listWaiting.all(limit).map(({ id }) => id);
        const held = listHeld.all(limit).map(({ id }) => id);
        const tallies = takeTallies.all().filter(({ tally }) => !COUNTED_ANEW.has(tally));
        if (readings.length + held.length + tallies.length === 0) return null;
        const contents: Contents = { readings, held, tallies };
        const id = randomUUID();
        begin.run(id, JSON.stringify(contents));
        return load(id, contents);
      }),
    finish: async (batch) =>
      connection.write("finishing a batch of the spool", () => {
        const contents = contentsOf(batch);
        // Another process has finished it.
        if (contents === null) return;
        eraseReadings(contents.readings);
        for (const id of contents.held) eraseHeld.run(id);
        end.run(batch.id);
      }),
    holdBack: async (batch, cameraSerials) =>
      connection.write("holding readings back in the spool", () => {
        const contents = contentsOf(batch);
        if (contents === null) return;
        if (cameraSerials.length === 0) throw new AppError("internal", "holding readings back: of no camera");
        const now = clock.now().getTime();
        for (const serial of cameraSerials) setApart.run({ serial, now });
        for (const { cameraSerial, tally, count } of contents.tallies) addTally.run(cameraSerial, tally, count);
        end.run(batch.id);
      }),
    expire: async (before) =>
      connection.write("erasing what the spool held back", () => {
        const old = listOld.all(before.getTime());
        eraseReadings(old.map(({ id }) => id));
        for (const { serial } of old) addTally.run(serial, "expired", 1);
        return { readings: old.length, imagePaths: imagePathsOf(old) };
      }),
  };
}

const COUNTED_ANEW: ReadonlySet<string> = new Set(["queued", "unregistered", "malformed"]);

function readNewReading(row: ReadingRow): NewReading {
  return {
    dedupeKey: row.key,
    protocol: row.protocol,
    cameraSerial: row.serial,
    facts: readFacts(row),
    capturedAt: new Date(row.capturedMs),
    timeSource: row.timeSource,
    receivedAt: new Date(row.receivedMs),
    extra: row.extra === null ? {} : JSON.parse(row.extra),
    rawText: row.rawText,
    imageOcrPath: row.ocr,
    imageCtxPath: row.ctx,
  };
}
