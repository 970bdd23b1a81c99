import { MESSAGE_STATUSES, type MessageStatus } from "../message.ts";
import { camerasOf, ROUTE_OF_CAMERA } from "./postgres-claim.ts";
import type { Pool } from "./postgres-connection.ts";
import { instant } from "./postgres-rows.ts";
import type { Tallies } from "./postgres-tallies.ts";
import type { OperatorStore, RouteState } from "./store.ts";

type States = Pick<OperatorStore, "summarize" | "tallies" | "listRouteStates" | "saveRouteState" | "tryEndpoint">;

/**
 * Receipt of the oldest message in each state. PENDING: the first in line of each camera is looked at, so the cost does not
 * grow with the backlog; a held reading that was taken up late can be older than what it stands behind, and then does not count.
 */
const OLDEST_SQL = `/* tattile: oldest */ WITH RECURSIVE ${camerasOf("PENDING", "pending")}
  SELECT (SELECT min((SELECT q.created_at FROM messages_queue q WHERE q.status = 'PENDING' AND q.camera_id = pending.camera_id
      ORDER BY q.id + 0 LIMIT 1)) FROM pending WHERE camera_id IS NOT NULL) AS "PENDING",
    (SELECT min(created_at) FROM messages_queue WHERE status = 'SENDING' AND lease_until IS NOT NULL) AS "SENDING",
    (SELECT created_at FROM messages_queue WHERE status = 'FAILED' ORDER BY created_at LIMIT 1) AS "FAILED",
    (SELECT created_at FROM messages_queue WHERE status = 'DEAD' ORDER BY created_at LIMIT 1) AS "DEAD"`;

const TRY_ROUTES = `UPDATE route_states
  SET tried_at = $2::text::timestamptz, paused_until = least(paused_until, $2::text::timestamptz)
  WHERE endpoint_id = $1::text::integer AND paused_until IS NOT NULL`;

/** What another process is taking this moment is tried anyway: it is passed over. */
const MAKE_DUE = `UPDATE messages_queue SET next_retry_at = $2::text::timestamptz WHERE id = ANY (ARRAY(
  SELECT f.id FROM cameras c ${ROUTE_OF_CAMERA} CROSS JOIN LATERAL (
    SELECT q.id FROM messages_queue q WHERE q.status = 'FAILED' AND q.camera_id = c.id AND q.next_retry_at > $2::text::timestamptz
    ORDER BY q.next_retry_at, q.id + 0 LIMIT 1 FOR UPDATE SKIP LOCKED) f
  WHERE coalesce(e.id, 0) = $1::text::integer))`;

/** What the operator sees at a glance: counts, and what is known of each route. */
export function createStates(pool: Pool, tallies: Tallies): States {
  return {
    summarize: async () => {
      const [counts, oldest] = await Promise.all([
        pool.query<{ status: string; reason: string; count: number }>(
          "counting messages",
          `SELECT status, reason, sum(count)::bigint AS count FROM queue_counts GROUP BY 1, 2
           HAVING sum(count) <> 0 ORDER BY count DESC, reason COLLATE "C"`,
        ),
        pool.query<Record<Exclude<MessageStatus, "SUCCESS">, Date | null>>("counting messages", OLDEST_SQL),
      ]);
      const byStatus: Record<MessageStatus, number> = { PENDING: 0, SENDING: 0, SUCCESS: 0, FAILED: 0, DEAD: 0 };
      const deadByReason: { reason: string; count: number }[] = [];
      for (const { status, reason, count } of counts) {
        if (!isStatus(status)) continue;
        byStatus[status] += count;
        if (status === "DEAD" && count > 0) deadByReason.push({ reason, count });
      }
      const [first] = oldest;
      const oldestAt = {
        PENDING: first?.PENDING ?? null,
        SENDING: first?.SENDING ?? null,
        SUCCESS: null,
        FAILED: first?.FAILED ?? null,
        DEAD: first?.DEAD ?? null,
      };
      const readings = Object.values(byStatus).reduce((sum, count) => sum + count, 0);
      return { byStatus, oldestAt, deadByReason, readings };
    },
    tallies: () => tallies.list(),
    listRouteStates: async () =>
      pool.query<RouteState>(
        "reading route states",
        `SELECT endpoint_id AS "endpointId", certificate_id AS "certificateId", paused_until AS "pausedUntil",
           pause_kind AS "pauseKind", detail, pauses, last_accepted_at AS "lastAcceptedAt", clock_offset_ms AS "clockOffsetMs",
           latency_ms AS "latencyMs", mended_at AS "mendedAt", tried_at AS "triedAt"
         FROM route_states ORDER BY endpoint_id, certificate_id`,
      ),
    saveRouteState: async (state) => {
      // What an operator mended in another process meanwhile must not be undone by a sender that has not seen it yet.
      await pool.query(
        "saving a route state",
        `INSERT INTO route_states AS s (endpoint_id, certificate_id, paused_until, pause_kind, detail, pauses, last_accepted_at,
           clock_offset_ms, latency_ms, mended_at, tried_at)
         VALUES ($1::text::integer, $2::text::integer, $3::text::timestamptz, $4, $5, $6::text::integer, $7::text::timestamptz,
           $8::text::double precision, $9::text::double precision, $10::text::timestamptz, $11::text::timestamptz)
         ON CONFLICT (endpoint_id, certificate_id) DO UPDATE SET paused_until = excluded.paused_until,
           pause_kind = excluded.pause_kind, detail = excluded.detail, pauses = excluded.pauses,
           last_accepted_at = excluded.last_accepted_at, clock_offset_ms = excluded.clock_offset_ms,
           latency_ms = excluded.latency_ms, mended_at = greatest(s.mended_at, excluded.mended_at),
           tried_at = greatest(s.tried_at, excluded.tried_at)`,
        [
          String(state.endpointId),
          String(state.certificateId),
          instant(state.pausedUntil),
          state.pauseKind,
          state.detail,
          String(state.pauses),
          instant(state.lastAcceptedAt),
          state.clockOffsetMs === null ? null : String(state.clockOffsetMs),
          state.latencyMs === null ? null : String(state.latencyMs),
          instant(state.mendedAt),
          instant(state.triedAt),
        ],
      );
    },
    tryEndpoint: (endpointId, now) =>
      pool.transaction("trying an endpoint", async (run) => {
        const parameters = [String(endpointId), instant(now)];
        const { count } = await run(TRY_ROUTES, parameters);
        if (count > 0) await run(MAKE_DUE, parameters);
        return count;
      }),
  };
}

function isStatus(word: string): word is MessageStatus {
  return (MESSAGE_STATUSES as readonly string[]).includes(word);
}
