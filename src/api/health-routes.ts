import { Type } from "typebox";
import { errorText, isStoreAway } from "../errors.ts";
import { METRICS_CONTENT_TYPE, type StoreSnapshot } from "../metrics.ts";
import { type Check, checkLoops, checkReadiness } from "../readiness.ts";
import { gatherStatus, type StatusReport } from "../status-report.ts";
import { version } from "../version.ts";
import type { Access } from "./access.ts";
import type { ApiDeps } from "./deps.ts";
import { createReuse } from "./reuse.ts";
import { defineMediaRoute, defineRoute, type Route } from "./route.ts";
import { AnyHealth, exactly, listOf, named, nullable } from "./schemas.ts";

/** By endpoint the whole queue is counted: seldom, and the more seldom the longer it takes. */
const COUNT = { keepMs: 60_000, share: 1000 };
/**
 * Anybody may ask how the store is, and each look is a synced write. Shorter than any watcher's usual pause; that the store
 * is away shows at once all the same, since it is read each time.
 */
const STORE_CHECK = { keepMs: 5000, share: 0 };
/** Only for those who ask at the same time. */
const TOGETHER = { keepMs: 0, share: 0 };

/** As the replaced system had it. */
const Sick = named("Sick", exactly({ status: Type.Enum(["error"]), version: Type.String(), error: Type.String() }));

const Checks = named(
  "Checks",
  exactly({
    ok: Type.Boolean(),
    checks: listOf(exactly({ name: Type.String(), ok: Type.Boolean(), reason: nullable(Type.String()) })),
  }),
);

/** For whoever watches the machine: health as it always was, liveness, readiness and metrics. */
export function healthRoutes(deps: ApiDeps, access: Access): readonly Route[] {
  const { store, spoolStatus, config, clock, log } = deps;
  const countQueue = createReuse(() => store.countQueue(), COUNT, clock);
  const checkStore = createReuse(() => store.check(), STORE_CHECK, clock);
  const summarize = createReuse(() => store.summarize(), TOGETHER, clock);
  const report = createReuse(() => gatherStatus(store, config, clock.now()), TOGETHER, clock);

  /** The report, or what the store said when it was written to or read. */
  async function look(): Promise<StatusReport | string> {
    try {
      await checkStore();
    } catch (error) {
      return errorText(error);
    }
    return report().catch((error: unknown) => {
      if (!isStoreAway(error)) throw error;
      return errorText(error);
    });
  }

  async function gatherSnapshot(): Promise<StoreSnapshot> {
    const [status, balance, tallies, deliveryCounts, queueCounts] = await Promise.all([
      report(),
      store.balance(),
      store.tallies(),
      store.listDeliveryCounts(),
      countQueue(),
    ]);
    return { report: status, balance, tallies, deliveryCounts, queueCounts };
  }

  const answer = (checks: readonly Check[]): Response => {
    const ok = checks.every((check) => check.ok);
    return Response.json({ ok, checks }, { status: ok ? 200 : 503 });
  };

  return [
    defineRoute({
      method: "GET",
      path: "/health",
      tag: "health",
      summary: "counts of the queue; 503 when the store does not answer",
      access: "public",
      answer: AnyHealth,
      otherwise: { 503: Sick },
      handle: async () => {
        const spool = spoolStatus();
        const waiting = {
          spool_waiting: (spool?.waiting ?? 0) + (spool?.heldMessages ?? 0),
          spool_held_back: spool?.heldBack ?? 0,
          spooling_since: spool?.since ?? null,
          cameras_held: deps.ingestStats()?.paused ?? false,
        };
        try {
          await checkStore();
          const { byStatus, oldestAt, readings } = await summarize();
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
      path: "/livez",
      tag: "health",
      summary: "whether the loops of this process turn; 503 when one does not: restart it",
      access: "public",
      answer: Checks,
      otherwise: { 503: Checks },
      handle: async () => answer(checkLoops(deps.beats())),
    }),
    defineRoute({
      method: "GET",
      path: "/readyz",
      tag: "health",
      summary:
        "whether readings can be taken in and delivered: store, disk, clock, certificates; 503 with the reason when not",
      access: "public",
      answer: Checks,
      otherwise: { 503: Checks },
      handle: async ({ request, peer }) => {
        const found = await look();
        const checks = typeof found === "string" ? checkReadiness(found, null) : checkReadiness(null, found);
        // Paths and names are for this machine; elsewhere the name of the check says enough.
        return answer(isFromHere(request, peer) ? checks : checks.map((check) => ({ ...check, reason: null })));
      },
    }),
    defineMediaRoute({
      method: "GET",
      path: "/metrics",
      tag: "health",
      summary: "Prometheus metrics; from another machine with a token (viewer)",
      access: "public",
      media: "text/plain",
      handle: async ({ request, peer }) => {
        if (!isFromHere(request, peer)) access.require(await access.identify(request, peer), "viewer");
        const ingest = deps.ingestStats();
        const own = { ingest, spool: spoolStatus(), residentBytes: process.memoryUsage.rss() };
        const known = await gatherSnapshot().catch((error: unknown) => {
          if (!isStoreAway(error)) throw error;
          return null;
        });
        return new Response(await deps.metrics.build(own, known), {
          headers: { "content-type": METRICS_CONTENT_TYPE },
        });
      },
    }),
  ];
}

/**
 * A program of this machine that asked for this machine. What a proxy hands on comes from elsewhere, and so does a page whose
 * name was made to mean this machine (DNS rebinding): its Host is another. A proxy of this machine that adds no header and
 * writes a Host of its own cannot be told from a program: docs/api.md says what to set there.
 */
export function isFromHere(request: Request, peer: string): boolean {
  const { headers } = request;
  if ([...headers.keys()].some((name) => /^(forwarded|via|x-real-ip|x-forwarded-.+)$/.test(name))) return false;
  const host = URL.parse(`http://${headers.get("host") ?? ""}`)?.hostname ?? "";
  const isOwn = (name: string): boolean =>
    /^(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/.test(name.replace(/^::ffff:/i, ""));
  return isOwn(peer) && isOwn(host);
}
