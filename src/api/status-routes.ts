import { findAttention, findSpoolAttention } from "../attention.ts";
import { gatherStatus } from "../status-report.ts";
import { version } from "../version.ts";
import type { ApiDeps } from "./deps.ts";
import { defineRoute, type Route } from "./route.ts";
import { StatusReport } from "./schemas.ts";

/** How everything is, for the dashboard's first look. */
export function statusRoutes(deps: Pick<ApiDeps, "store" | "config" | "clock" | "spoolStatus">): readonly Route[] {
  const { store, config, clock } = deps;
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
        // The spool is this machine's; all the rest is the same wherever it is asked for.
        const attention = [...findAttention(report), ...findSpoolAttention(deps.spoolStatus())];
        const isDown = attention.some(({ level }) => level === "down");
        const status = isDown ? ("down" as const) : attention.length > 0 ? ("attention" as const) : ("fine" as const);
        return { status, attention, version, ...report };
      },
    }),
  ];
}
