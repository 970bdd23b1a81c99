import { findAttention } from "../attention.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { gatherStatus } from "../status-report.ts";
import type { Store } from "../store/store.ts";
import { version } from "../version.ts";
import { defineRoute, type Route } from "./route.ts";
import { StatusReport } from "./schemas.ts";

export interface StatusDeps {
  store: Store;
  config: Config;
  clock: Clock;
}

/** How everything is, for the dashboard's first look. */
export function statusRoutes({ store, config, clock }: StatusDeps): readonly Route[] {
  return [
    defineRoute({
      method: "GET",
      path: "/api/v1/status",
      tag: "status",
      summary: "everything `tattile status` knows, and what needs attention",
      access: "viewer",
      answer: StatusReport,
      handle: async () => {
        const report = await gatherStatus(store, config, clock.now());
        const attention = findAttention(report);
        const isDown = attention.some(({ level }) => level === "down");
        const status = isDown ? ("down" as const) : attention.length > 0 ? ("attention" as const) : ("fine" as const);
        return { status, attention, version, ...report };
      },
    }),
  ];
}
