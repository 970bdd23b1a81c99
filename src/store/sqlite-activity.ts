import {
  ACTIVITY_DAYS,
  type Activity,
  ANSWER_SECONDS,
  type Balance,
  bucketOf,
  DELIVERY_SECONDS,
  type DeliveryCount,
} from "./activity.ts";
import type { Connection } from "./sqlite-connection.ts";
import type { Tally } from "./store.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const KEPT_MS = ACTIVITY_DAYS * 24 * HOUR_MS;
const PARTS: readonly Tally[] = ["queued", "delivered", "expired", "discarded"];

/** An attempt of which something was sent, for the lasting counts. */
export interface CountedAttempt {
  endpointId: number;
  kind: string;
  durationMs: number;
  /** From receipt to delivery; null when it was not delivered. */
  deliveredAfterMs: number | null;
}

/** Writes what one transaction counted. All calls belong into that transaction. */
export interface ActivityWriter {
  /** Sums by tally, and of "queued" by camera too. */
  countReadings(
    sums: ReadonlyMap<Tally, number>,
    queued: ReadonlyMap<string, { count: number; leastDelayMs: number | null }>,
    nowMs: number,
  ): void;
  countAttempts(attempts: readonly CountedAttempt[]): void;
  /** Forgets everything but what still waits. */
  forget(): void;
}

export function createActivityWriter(connection: Connection): ActivityWriter {
  const addPart = connection.prepare<never, [number, string]>("UPDATE balance SET count = count + ? WHERE part = ?");
  const addMinute = connection.prepare<never, [number, number, number]>(
    `INSERT INTO minute_counts (minute, received, delivered) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET received = received + excluded.received, delivered = delivered + excluded.delivered`,
  );
  const addHour = connection.prepare<never, [number, string, number, number | null]>(
    `INSERT INTO camera_hours (hour, camera_serial, received, least_delay_ms) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET received = received + excluded.received,
       least_delay_ms = min(coalesce(least_delay_ms, excluded.least_delay_ms), coalesce(excluded.least_delay_ms, least_delay_ms))`,
  );
  const forgetMinutes = connection.prepare<never, [number]>("DELETE FROM minute_counts WHERE minute < ?");
  const forgetHours = connection.prepare<never, [number]>("DELETE FROM camera_hours WHERE hour < ?");
  const addDelivery = connection.prepare<never, [number, string, string, number]>(
    `INSERT INTO delivery_counts (endpoint_id, kind, label, count) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET count = count + excluded.count`,
  );
  const resetParts = connection.prepare<never, []>(
    "UPDATE balance SET count = CASE part WHEN 'queued' THEN (SELECT count(*) FROM messages_queue) ELSE 0 END",
  );
  const emptyDelivery = connection.prepare<never, []>("DELETE FROM delivery_counts");
  let trimmedHour = 0;

  return {
    countReadings: (sums, queued, nowMs) => {
      for (const part of PARTS) {
        const count = sums.get(part) ?? 0;
        if (count > 0) addPart.run(count, part);
      }
      const [received, delivered] = [sums.get("queued") ?? 0, sums.get("delivered") ?? 0];
      if (received + delivered === 0) return;
      const hour = nowMs - (nowMs % HOUR_MS);
      addMinute.run(nowMs - (nowMs % MINUTE_MS), received, delivered);
      for (const [serial, { count, leastDelayMs }] of queued) addHour.run(hour, serial, count, leastDelayMs);
      if (hour === trimmedHour) return;
      trimmedHour = hour;
      forgetMinutes.run(nowMs - KEPT_MS);
      forgetHours.run(nowMs - KEPT_MS);
    },
    countAttempts: (attempts) => {
      // One row for each kind and label, however many attempts a group has.
      const sums = new Map<string, [number, string, string, number]>();
      const add = (endpointId: number, kind: string, label: string, count: number): void => {
        const key = `${endpointId}/${kind}/${label}`;
        const row = sums.get(key) ?? [endpointId, kind, label, 0];
        row[3] += count;
        sums.set(key, row);
      };
      for (const { endpointId, kind, durationMs, deliveredAfterMs } of attempts) {
        add(endpointId, "attempt", kind, 1);
        if (kind === "accepted" || kind === "rejected") {
          add(endpointId, "answer", bucketOf(durationMs / 1000, ANSWER_SECONDS), 1);
          add(endpointId, "answer-sum", "", durationMs / 1000);
        }
        if (deliveredAfterMs === null) continue;
        add(endpointId, "delivery", bucketOf(deliveredAfterMs / 1000, DELIVERY_SECONDS), 1);
        add(endpointId, "delivery-sum", "", deliveredAfterMs / 1000);
      }
      for (const row of sums.values()) addDelivery.run(...row);
    },
    forget: () => {
      resetParts.run();
      forgetMinutes.run(Number.MAX_SAFE_INTEGER);
      forgetHours.run(Number.MAX_SAFE_INTEGER);
      emptyDelivery.run();
    },
  };
}

export function createActivity(connection: Connection): Activity {
  const listParts = connection.prepare<{ part: string; count: number }, []>("SELECT part, count FROM balance");
  const countQueue = connection.prepare<{ dead: number; waiting: number }, []>(
    `SELECT coalesce(sum(count) FILTER (WHERE status = 'DEAD'), 0) AS dead,
       coalesce(sum(count) FILTER (WHERE status NOT IN ('DEAD', 'ERASED')), 0) AS waiting FROM queue_counts`,
  );
  const listMinutes = connection.prepare<{ minute: number; received: number; delivered: number }, [number]>(
    "SELECT minute, received, delivered FROM minute_counts WHERE minute >= ? ORDER BY minute",
  );
  const listHours = connection.prepare<
    { hour: number; cameraSerial: string; received: number; leastDelayMs: number | null },
    [number]
  >(
    `SELECT hour, camera_serial AS cameraSerial, received, least_delay_ms AS leastDelayMs FROM camera_hours WHERE hour >= ?
     ORDER BY hour, camera_serial`,
  );
  const listDelivery = connection.prepare<DeliveryCount, []>(
    "SELECT endpoint_id AS endpointId, kind, label, count FROM delivery_counts ORDER BY endpoint_id, kind, label",
  );

  return {
    balance: async () =>
      connection.read("reading the balance", (): Balance => {
        const parts = new Map(listParts.all().map(({ part, count }) => [part, count]));
        const of = (part: string): number => parts.get(part) ?? 0;
        const { dead, waiting } = countQueue.get() ?? { dead: 0, waiting: 0 };
        const [received, delivered, expired, discarded] = [
          of("queued"),
          of("delivered"),
          of("expired"),
          of("discarded"),
        ];
        const difference = received - delivered - expired - discarded - waiting - dead;
        return { received, delivered, expired, discarded, waiting, dead, difference };
      }),
    listMinutes: async (since) =>
      connection.read("reading the minutes", () =>
        listMinutes.all(since.getTime()).map(({ minute, ...counts }) => ({ at: new Date(minute), ...counts })),
      ),
    listCameraHours: async (since) =>
      connection.read("reading the hours", () =>
        listHours.all(since.getTime()).map(({ hour, ...counts }) => ({ at: new Date(hour), ...counts })),
      ),
    listDeliveryCounts: async () => connection.read("reading delivery counts", () => listDelivery.all()),
  };
}
