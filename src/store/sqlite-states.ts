import { MESSAGE_STATUSES, type MessageStatus } from "../message.ts";
import { ROUTE_OF_CAMERA } from "./sqlite-claim.ts";
import type { Connection } from "./sqlite-connection.ts";
import { dateOrNull } from "./sqlite-rows.ts";
import type { Tallies } from "./sqlite-tallies.ts";
import type { OperatorStore, RouteState } from "./store.ts";

type States = Pick<OperatorStore, "summarize" | "tallies" | "listRouteStates" | "saveRouteState" | "tryEndpoint">;
type RouteStateRow = Omit<RouteState, "pausedUntil" | "lastAcceptedAt" | "mendedAt" | "triedAt"> & {
  pausedUntil: number | null;
  lastAcceptedAt: number | null;
  mendedAt: number | null;
  triedAt: number | null;
};

/**
 * Receipt of the oldest message in each state. PENDING: the first in line of each camera is looked at, so the cost does not
 * grow with the backlog; a held reading that was taken up late can be older than what it stands behind, and then does not count.
 */
export const OLDEST_SQL: Readonly<Record<Exclude<MessageStatus, "SUCCESS">, string>> = {
  PENDING: `WITH RECURSIVE pending(camera_id) AS (
      SELECT 0
      UNION ALL
      SELECT (SELECT q.camera_id FROM messages_queue q WHERE q.status = 'PENDING' AND q.camera_id > pending.camera_id
              ORDER BY q.camera_id LIMIT 1)
      FROM pending WHERE camera_id IS NOT NULL)
    SELECT min((SELECT q.created_at FROM messages_queue q WHERE q.status = 'PENDING' AND q.camera_id = pending.camera_id
      ORDER BY q.id LIMIT 1)) AS at FROM pending WHERE camera_id > 0`,
  SENDING: "SELECT min(created_at) AS at FROM messages_queue WHERE status = 'SENDING'",
  FAILED: "SELECT min(created_at) AS at FROM messages_queue WHERE status = 'FAILED'",
  DEAD: "SELECT min(created_at) AS at FROM messages_queue WHERE status = 'DEAD'",
};

/** What the operator sees at a glance: counts, and what is known of each route. */
export function createStates(connection: Connection, tallies: Tallies): States {
  const listCounts = connection.prepare<{ status: string; reason: string; count: number }, []>(
    "SELECT status, reason, count FROM queue_counts ORDER BY count DESC, reason",
  );
  const findOldest = MESSAGE_STATUSES.filter((status) => status !== "SUCCESS").map((status) => ({
    status,
    statement: connection.prepare<{ at: number | null }, []>(OLDEST_SQL[status]),
  }));
  const listRoutes = connection.prepare<RouteStateRow, []>(
    `SELECT endpoint_id AS endpointId, certificate_id AS certificateId, paused_until AS pausedUntil, pause_kind AS pauseKind,
       detail, pauses, last_accepted_at AS lastAcceptedAt, clock_offset_ms AS clockOffsetMs, latency_ms AS latencyMs,
       mended_at AS mendedAt, tried_at AS triedAt
     FROM route_states ORDER BY endpoint_id, certificate_id`,
  );
  const saveRoute = connection.prepare<never, (string | number | null)[]>(
    // What an operator mended in another process meanwhile must not be undone by a sender that has not seen it yet.
    `INSERT INTO route_states (endpoint_id, certificate_id, paused_until, pause_kind, detail, pauses, last_accepted_at,
       clock_offset_ms, latency_ms, mended_at, tried_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET paused_until = excluded.paused_until, pause_kind = excluded.pause_kind,
       detail = excluded.detail, pauses = excluded.pauses, last_accepted_at = excluded.last_accepted_at,
       clock_offset_ms = excluded.clock_offset_ms, latency_ms = excluded.latency_ms,
       mended_at = nullif(max(coalesce(mended_at, 0), coalesce(excluded.mended_at, 0)), 0),
       tried_at = nullif(max(coalesce(tried_at, 0), coalesce(excluded.tried_at, 0)), 0)`,
  );
  const tryRoutes = connection.prepare<never, { endpoint: number; now: number }[]>(
    `UPDATE route_states SET tried_at = $now, paused_until = min(paused_until, $now)
     WHERE endpoint_id = $endpoint AND paused_until IS NOT NULL`,
  );
  const makeDue = connection.prepare<never, { endpoint: number; now: number }[]>(
    `UPDATE messages_queue SET next_retry_at = $now WHERE status = 'FAILED' AND next_retry_at > $now AND id IN
       (SELECT (SELECT q.id FROM messages_queue q WHERE q.status = 'FAILED' AND q.camera_id = c.id
          ORDER BY q.next_retry_at, q.id LIMIT 1)
        FROM cameras c ${ROUTE_OF_CAMERA} WHERE coalesce(e.id, 0) = $endpoint)`,
  );

  return {
    summarize: async () =>
      connection.read("counting messages", () => {
        const byStatus: Record<MessageStatus, number> = { PENDING: 0, SENDING: 0, SUCCESS: 0, FAILED: 0, DEAD: 0 };
        const deadByReason: { reason: string; count: number }[] = [];
        for (const { status, reason, count } of listCounts.all()) {
          if (!isStatus(status)) continue;
          byStatus[status] += count;
          if (status === "DEAD" && count > 0) deadByReason.push({ reason, count });
        }
        const oldestAt: Record<MessageStatus, Date | null> = {
          PENDING: null,
          SENDING: null,
          SUCCESS: null,
          FAILED: null,
          DEAD: null,
        };
        for (const { status, statement } of findOldest) oldestAt[status] = dateOrNull(statement.get()?.at ?? null);
        const readings = Object.values(byStatus).reduce((sum, count) => sum + count, 0);
        return { byStatus, oldestAt, deadByReason, readings };
      }),
    tallies: async () => connection.read("reading the tallies", () => tallies.list()),
    listRouteStates: async () =>
      connection.read("reading route states", () =>
        listRoutes.all().map((row) => ({
          ...row,
          pausedUntil: dateOrNull(row.pausedUntil),
          lastAcceptedAt: dateOrNull(row.lastAcceptedAt),
          mendedAt: dateOrNull(row.mendedAt),
          triedAt: dateOrNull(row.triedAt),
        })),
      ),
    saveRouteState: async (state) =>
      connection.write("saving a route state", () => {
        saveRoute.run(
          state.endpointId,
          state.certificateId,
          state.pausedUntil?.getTime() ?? null,
          state.pauseKind,
          state.detail,
          state.pauses,
          state.lastAcceptedAt?.getTime() ?? null,
          state.clockOffsetMs,
          state.latencyMs,
          state.mendedAt?.getTime() ?? null,
          state.triedAt?.getTime() ?? null,
        );
      }),
    tryEndpoint: async (endpointId, now) =>
      connection.write("trying an endpoint", () => {
        const bound = { endpoint: endpointId, now: now.getTime() };
        const pauses = tryRoutes.run(bound).changes;
        if (pauses > 0) makeDue.run(bound);
        return pauses;
      }),
  };
}

function isStatus(word: string): word is MessageStatus {
  return (MESSAGE_STATUSES as readonly string[]).includes(word);
}
