import {
  ACTIVITY_DAYS,
  type Activity,
  ANSWER_SECONDS,
  type Balance,
  bucketOf,
  type CameraHour,
  DELIVERY_SECONDS,
  type DeliveryCount,
  type MinuteCount,
} from "./activity.ts";
import type { Pool } from "./postgres-connection.ts";
import { instant } from "./postgres-rows.ts";
import type { Settled } from "./store.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const KEPT_MS = ACTIVITY_DAYS * 24 * HOUR_MS;

/** The beginnings of the minute and the hour of an instant, as parameters. */
export function minuteOf(now: Date): string {
  return new Date(now.getTime() - (now.getTime() % MINUTE_MS)).toISOString();
}

export function hourOf(now: Date): string {
  return new Date(now.getTime() - (now.getTime() % HOUR_MS)).toISOString();
}

/** What one settlement adds to the lasting counts of its endpoint, should it still hold its lease. */
export function countsOf(
  { claim, settlement, attempt }: Settled,
  now: Date,
): { kind: string; label: string; count: number }[] {
  if (attempt === null) return [];
  const { kind } = attempt.outcome;
  const counts: { kind: string; label: string; count: number }[] = [{ kind: "attempt", label: kind, count: 1 }];
  if (kind === "accepted" || kind === "rejected") {
    const seconds = attempt.durationMs / 1000;
    counts.push({ kind: "answer", label: bucketOf(seconds, ANSWER_SECONDS), count: 1 });
    counts.push({ kind: "answer-sum", label: "", count: seconds });
  }
  if (settlement.kind === "delivered") {
    const seconds = Math.max(0, now.getTime() - claim.receivedAt.getTime()) / 1000;
    counts.push({ kind: "delivery", label: bucketOf(seconds, DELIVERY_SECONDS), count: 1 });
    counts.push({ kind: "delivery-sum", label: "", count: seconds });
  }
  return counts;
}

/** Forgets minutes and hours that are over for long, once an hour. */
export function createActivityTrimmer(pool: Pool): (now: Date) => Promise<void> {
  let trimmedHour = "";
  return async (now) => {
    const hour = hourOf(now);
    if (hour === trimmedHour) return;
    trimmedHour = hour;
    const before = [instant(new Date(now.getTime() - KEPT_MS))];
    await pool.query("forgetting counts", "DELETE FROM minute_counts WHERE minute < $1::text::timestamptz", before);
    await pool.query("forgetting counts", "DELETE FROM camera_hours WHERE hour < $1::text::timestamptz", before);
  };
}

export function createActivity(pool: Pool): Activity {
  return {
    balance: async (): Promise<Balance> => {
      // One statement is one moment.
      const rows = await pool.query<{ part: string; count: number }>(
        "reading the balance",
        `SELECT part, sum(count)::bigint AS count FROM balance GROUP BY part
         UNION ALL
         SELECT CASE WHEN status = 'DEAD' THEN 'dead' ELSE 'waiting' END, sum(count)::bigint FROM queue_counts GROUP BY 1`,
      );
      const of = (part: string): number => rows.find((row) => row.part === part)?.count ?? 0;
      const [received, delivered, expired, discarded] = [of("queued"), of("delivered"), of("expired"), of("discarded")];
      const [waiting, dead] = [of("waiting"), of("dead")];
      const difference = received - delivered - expired - discarded - waiting - dead;
      return { received, delivered, expired, discarded, waiting, dead, difference };
    },
    listMinutes: (since) =>
      pool.query<MinuteCount>(
        "reading the minutes",
        `SELECT minute AS at, sum(received)::bigint AS received, sum(delivered)::bigint AS delivered FROM minute_counts
         WHERE minute >= $1::text::timestamptz GROUP BY 1 ORDER BY 1`,
        [instant(since)],
      ),
    listCameraHours: (since) =>
      pool.query<CameraHour>(
        "reading the hours",
        `SELECT hour AS at, camera_serial AS "cameraSerial", sum(received)::bigint AS received,
           min(least_delay_ms)::bigint AS "leastDelayMs" FROM camera_hours
         WHERE hour >= $1::text::timestamptz GROUP BY 1, 2 ORDER BY 1, camera_serial COLLATE "C"`,
        [instant(since)],
      ),
    listDeliveryCounts: () =>
      pool.query<DeliveryCount>(
        "reading delivery counts",
        `SELECT endpoint_id AS "endpointId", kind, label, sum(count) AS count FROM delivery_counts
         GROUP BY 1, 2, 3 ORDER BY 1, kind COLLATE "C", label COLLATE "C"`,
      ),
  };
}
