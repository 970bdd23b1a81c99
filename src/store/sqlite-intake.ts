import type { Statement } from "bun:sqlite";
import { clockDelayMs } from "./activity.ts";
import type { Connection } from "./sqlite-connection.ts";
import { bindReading, READING_COLUMNS, type ReadingBinding } from "./sqlite-rows.ts";
import { type Tallies, type TallySheet, UNKNOWN_SERIAL } from "./sqlite-tallies.ts";
import type { IntakeEntry, IntakeResult, NewQuarantined, NewReading, QueueStore } from "./store.ts";

type Intake = Pick<QueueStore, "enqueue" | "isKnown" | "purgeDedupe">;
type CameraRow = { id: number; active: number };

/** One group's work: cameras looked up once, their last reading written once. */
interface Group {
  nowMs: number;
  cameras: Map<string, CameraRow | null>;
  lastReadingMs: Map<number, number>;
  sheet: TallySheet;
}

/** Writes a group within a transaction of the caller's. */
export type EnqueueWithin = (entries: readonly IntakeEntry[], now: Date) => IntakeResult[];

/**
 * Readings into the queue, each content once.
 * @param onQueued called for each reading that was queued, within its transaction
 */
export function createEnqueue(
  connection: Connection,
  tallies: Tallies,
  onQueued: (readingId: number, reading: NewReading) => void = () => {},
): EnqueueWithin {
  const findCamera = connection.prepare<CameraRow, [string]>("SELECT id, active FROM cameras WHERE serial_number = ?");
  const remember = connection.prepare<never, [Uint8Array, number]>(
    // Not OR IGNORE, which also ignores a failed CHECK: a malformed key would pass for a duplicate, and its reading be lost.
    "INSERT INTO dedupe (key, seen_at) VALUES (?, ?) ON CONFLICT (key) DO NOTHING",
  );
  const insertReading: Statement<never, ReadingBinding> = connection.prepare(
    `INSERT INTO alpr_readings (${READING_COLUMNS.join(", ")}) VALUES (${READING_COLUMNS.map(() => "?").join(", ")})`,
  );
  const insertMessage = connection.prepare<never, { id: number; camera: number; received: number; now: number }[]>(
    `INSERT INTO messages_queue (id, reading_id, camera_id, created_at, updated_at)
     VALUES ($id, $id, $camera, $received, $now)`,
  );
  const touchCamera = connection.prepare<never, [number, number]>(
    "UPDATE cameras SET last_reading_at = max(coalesce(last_reading_at, 0), ?) WHERE id = ?",
  );
  const insertQuarantined = connection.prepare<
    never,
    [string, string, string | null, string, string, number, number, string | null]
  >(
    `INSERT INTO quarantine (kind, reason, camera_serial, protocol, peer, received_at, size_bytes, path)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const cameraOf = (serial: string, group: Group): CameraRow | null => {
    let camera = group.cameras.get(serial);
    if (camera === undefined) {
      camera = findCamera.get(serial);
      group.cameras.set(serial, camera);
    }
    return camera;
  };

  const noteReading = (cameraId: number, receivedMs: number, group: Group): void => {
    group.lastReadingMs.set(cameraId, Math.max(group.lastReadingMs.get(cameraId) ?? 0, receivedMs));
  };

  const enqueueReading = (reading: NewReading, group: Group): IntakeResult => {
    const camera = cameraOf(reading.cameraSerial, group);
    if (camera === null) return "unregistered";
    if (camera.active === 0) {
      group.sheet.add(reading.cameraSerial, "inactive");
      return "inactive";
    }
    const receivedMs = reading.receivedAt.getTime();
    noteReading(camera.id, receivedMs, group);
    if (remember.run(reading.dedupeKey, group.nowMs).changes === 0) {
      group.sheet.add(reading.cameraSerial, "duplicate");
      return "duplicate";
    }
    const id = Number(insertReading.run(...bindReading(reading, camera.id)).lastInsertRowid);
    insertMessage.run({ id, camera: camera.id, received: receivedMs, now: group.nowMs });
    onQueued(id, reading);
    group.sheet.add(reading.cameraSerial, "queued");
    const delayMs = clockDelayMs(reading);
    if (delayMs !== null) group.sheet.addDelay(reading.cameraSerial, delayMs);
    return "queued";
  };

  const enqueueQuarantined = (held: NewQuarantined, group: Group): IntakeResult => {
    const { kind, reason, cameraSerial, protocol, peer, receivedAt, sizeBytes, path } = held;
    insertQuarantined.run(kind, reason, cameraSerial, protocol, peer, receivedAt.getTime(), sizeBytes, path);
    group.sheet.add(cameraSerial ?? UNKNOWN_SERIAL, kind);
    return "quarantined";
  };

  const countOnly = (entry: Extract<IntakeEntry, { cameraSerial: string }>, group: Group): IntakeResult => {
    const camera = cameraOf(entry.cameraSerial, group);
    if (camera !== null) noteReading(camera.id, entry.receivedAt.getTime(), group);
    group.sheet.add(entry.cameraSerial, entry.kind);
    return entry.kind;
  };

  const enqueueEntry = (entry: IntakeEntry, group: Group): IntakeResult => {
    switch (entry.kind) {
      case "reading":
        return enqueueReading(entry.reading, group);
      case "quarantine":
        return enqueueQuarantined(entry.quarantined, group);
      case "not-read":
      case "inactive":
      case "duplicate":
        return countOnly(entry, group);
    }
  };

  return (entries, now) => {
    const sheet = tallies.open();
    const group: Group = { nowMs: now.getTime(), cameras: new Map(), lastReadingMs: new Map(), sheet };
    const results = entries.map((entry) => enqueueEntry(entry, group));
    for (const [cameraId, atMs] of group.lastReadingMs) touchCamera.run(atMs, cameraId);
    sheet.write();
    return results;
  };
}

/** Readings into the queue, and what is remembered of them. */
export function createIntake(connection: Connection, enqueue: EnqueueWithin): Intake {
  const isRemembered = connection.prepare<{ found: number }, [Uint8Array]>(
    "SELECT 1 AS found FROM dedupe WHERE key = ?",
  );
  const forget = connection.prepare<never, [number, number]>(
    "DELETE FROM dedupe WHERE key IN (SELECT key FROM dedupe WHERE seen_at < ? ORDER BY seen_at LIMIT ?)",
  );

  return {
    enqueue: (entries, now) => connection.writeAndSync("queueing readings", () => enqueue(entries, now)),
    isKnown: async (key) => connection.look("looking for a reading", () => isRemembered.get(key) !== null),
    purgeDedupe: async (before, limit) =>
      connection.write("forgetting old readings", () => forget.run(before.getTime(), limit).changes),
  };
}
