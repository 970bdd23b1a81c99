import { findAttention } from "../attention.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { errorText, isStoreAway } from "../errors.ts";
import type { Log } from "../log.ts";
import { gatherStatus } from "../status-report.ts";
import type { Store } from "../store/store.ts";
import { version } from "../version.ts";
import type { ApiDeps } from "./deps.ts";
import { defineRoute, type Route } from "./route.ts";
import { AnyHealth, StatusReport } from "./schemas.ts";

export interface StatusDeps {
  store: Store;
  spoolStatus: ApiDeps["spoolStatus"];
  config: Config;
  clock: Clock;
  log: Log;
}

/** How everything is: for whoever watches the machine, and for the dashboard's first look. */
export function statusRoutes({ store, spoolStatus, config, clock, log }: StatusDeps): readonly Route[] {
  return [
    defineRoute({
      method: "GET",
      path: "/health",
      tag: "health",
      summary: "counts of the queue; 503 when the store does not answer",
      access: "public",
      answer: AnyHealth,
      handle: async () => {
        const spool = spoolStatus();
        const waiting = {
          spool_waiting: (spool?.waiting ?? 0) + (spool?.heldMessages ?? 0),
          spool_held_back: spool?.heldBack ?? 0,
          spooling_since: spool?.since ?? null,
        };
        try {
          await store.check();
          const { byStatus, oldestAt, readings } = await store.summarize();
          const instants = [oldestAt.PENDING, oldestAt.FAILED, oldestAt.SENDING].filter((at) => at !== null);
          return {
            status: spool === null || spool.since === null ? ("ok" as const) : ("degraded" as const),
            version,
            pending_messages: byStatus.PENDING,
            sending_messages: byStatus.SENDING,
            failed_messages: byStatus.FAILED,
            dead_messages: byStatus.DEAD,
            total_readings: readings,
            oldest_waiting_at: instants.length === 0 ? null : new Date(Math.min(...instants.map((at) => at.getTime()))),
            ...waiting,
          };
        } catch (error) {
          if (isStoreAway(error) && spool !== null) {
            // Readings are taken in: whoever restarts what is not well must leave this alone.
            const text = "the store cannot be reached; readings wait in the spool";
            return { status: "degraded" as const, version, error: text, ...waiting };
          }
          log.error("health: the store does not answer", { error: errorText(error) });
          return Response.json({ status: "error", version, error: "the store does not answer" }, { status: 503 });
        }
      },
    }),
    defineRoute({
      method: "GET",
      path: "/api/v1/status",
      tag: "status",
      summary: "everything `tattile status` knows, and what needs attention",
      access: "viewer",
      answer: StatusReport,
      handle: async () => {
        const [report, balance] = await Promise.all([gatherStatus(store, config, clock.now()), store.balance()]);
        const attention = findAttention(report);
        const isDown = attention.some(({ level }) => level === "down");
        const status = isDown ? ("down" as const) : attention.length > 0 ? ("attention" as const) : ("fine" as const);
        return { status, attention, balance, version, ...report };
      },
    }),
  ];
}
