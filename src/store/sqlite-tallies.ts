import type { Clock } from "../clock.ts";
import { type ActivityWriter, type CountedAttempt, createActivityWriter } from "./sqlite-activity.ts";
import type { Connection } from "./sqlite-connection.ts";
import type { Tally } from "./store.ts";

/** So many serials that no camera has are counted by name; a scanner that invents serials must not fill the table. */
export const MAX_UNKNOWN_SERIALS = 2000;
export const RECOUNT_AFTER_MS = 60_000;
/** Stands for every further serial, and for messages that name none. */
export const UNKNOWN_SERIAL = "(unknown)";

/** Counts gathered while a transaction runs, one write per serial and kind at its end. */
export interface TallySheet {
  add(cameraSerial: string, tally: Tally, count?: number): void;
  addAttempt(attempt: CountedAttempt): void;
  /** Of a reading that was queued: time from taking to receipt by the camera's clock. */
  addDelay(cameraSerial: string, delayMs: number): void;
  /** Call once, last in the same transaction. */
  write(): void;
}

export interface Tallies {
  open(): TallySheet;
  /** Forgets every count. @returns how many rows of tallies. */
  forget(): number;
  list(): { cameraSerial: string; tally: Tally; count: number }[];
}

export function createTallies(connection: Connection, clock: Clock): Tallies {
  const activity: ActivityWriter = createActivityWriter(connection);
  const forgetAll = connection.prepare<never, []>("DELETE FROM tallies");
  const add = connection.prepare<never, [string, string, number]>(
    `INSERT INTO tallies (camera_serial, tally, count) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET count = count + excluded.count`,
  );
  const isListed = connection.prepare<{ found: number }, { serial: string }[]>(
    `SELECT EXISTS (SELECT 1 FROM tallies WHERE camera_serial = $serial)
       OR EXISTS (SELECT 1 FROM cameras WHERE serial_number = $serial) AS found`,
  );
  const countUnknown = connection.prepare<{ count: number }, []>(
    `SELECT count(DISTINCT camera_serial) AS count FROM tallies
     WHERE camera_serial NOT IN (SELECT serial_number FROM cameras)`,
  );
  const listAll = connection.prepare<{ cameraSerial: string; tally: Tally; count: number }, []>(
    "SELECT camera_serial AS cameraSerial, tally, count FROM tallies ORDER BY camera_serial, tally",
  );
  // Counting the serials costs a pass over the table: kept between, and counted anew now and then since others write too.
  let unknown = { count: 0, countedAtMs: Number.NEGATIVE_INFINITY };

  const rowFor = (serial: string): string => {
    if (isListed.get({ serial })?.found === 1) return serial;
    const nowMs = clock.monotonicMs();
    if (nowMs - unknown.countedAtMs >= RECOUNT_AFTER_MS) {
      unknown = { count: countUnknown.get()?.count ?? 0, countedAtMs: nowMs };
    }
    if (unknown.count >= MAX_UNKNOWN_SERIALS) return UNKNOWN_SERIAL;
    unknown.count += 1;
    return serial;
  };

  return {
    open: () => {
      const sheet = new Map<string, Map<Tally, number>>();
      const attempts: CountedAttempt[] = [];
      const delays = new Map<string, number>();
      return {
        add: (serial, tally, count = 1) => {
          const counts = sheet.get(serial) ?? new Map<Tally, number>();
          if (counts.size === 0) sheet.set(serial, counts);
          counts.set(tally, (counts.get(tally) ?? 0) + count);
        },
        addAttempt: (attempt) => {
          attempts.push(attempt);
        },
        addDelay: (serial, delayMs) => {
          delays.set(serial, Math.min(delays.get(serial) ?? delayMs, delayMs));
        },
        write: () => {
          const sums = new Map<Tally, number>();
          const queued = new Map<string, { count: number; leastDelayMs: number | null }>();
          for (const [serial, counts] of sheet) {
            const row = rowFor(serial);
            for (const [tally, count] of counts) {
              add.run(row, tally, count);
              sums.set(tally, (sums.get(tally) ?? 0) + count);
              if (tally === "queued") queued.set(row, { count, leastDelayMs: delays.get(serial) ?? null });
            }
          }
          activity.countReadings(sums, queued, clock.now().getTime());
          activity.countAttempts(attempts);
        },
      };
    },
    forget: () => {
      activity.forget();
      return forgetAll.run().changes;
    },
    list: () => listAll.all(),
  };
}
