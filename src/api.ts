import { randomBytes } from "node:crypto";
import { createAccess } from "./api/access.ts";
import { adminRoutes } from "./api/admin-routes.ts";
import { createAuditor } from "./api/audit.ts";
import { certificateRoutes } from "./api/certificate-routes.ts";
import { compressAnswer } from "./api/compress.ts";
import type { ApiDeps } from "./api/deps.ts";
import { createDispatch } from "./api/dispatch.ts";
import { createEvents } from "./api/events.ts";
import { addSecurityHeaders } from "./api/headers.ts";
import { healthRoutes } from "./api/health-routes.ts";
import { createLectorVision, lectorVisionRoutes } from "./api/lectorvision.ts";
import { messageRoutes } from "./api/message-routes.ts";
import { buildOpenApi } from "./api/openapi.ts";
import { quarantineRoutes } from "./api/quarantine-routes.ts";
import { registryRoutes } from "./api/registry-routes.ts";
import { defineMediaRoute, type Route } from "./api/route.ts";
import { seriesRoutes } from "./api/series-routes.ts";
import { sessionRoutes } from "./api/session-routes.ts";
import { siteRoutes } from "./api/site-routes.ts";
import { statusRoutes } from "./api/status-routes.ts";
import { readTls, type TlsFiles } from "./api/tls.ts";
import { AppError, systemCode } from "./errors.ts";
import { findPortOwner } from "./port-owner.ts";
import { version } from "./version.ts";
import { answerPage } from "./web/pages.ts";

export interface Api {
  /** @returns the ports. @throws AppError naming who holds one */
  listen(): Promise<{ api: number; lectorVision: number | null }>;
  /** Answers what was asked already, for a moment at most, and ends the rest. */
  close(): Promise<void>;
}

/** Silence on a connection after which it is closed; a stream of events says something more often. */
const IDLE_SECONDS = 30;
const MAX_BODY_BYTES = 256 * 1024 * 1024;
const SESSION_BYTES = 32;
/** Requests that are being answered; streams of events have a bound of their own. */
const MOST_UNDER_WAY = 256;
const CLOSE_GRACE_MS = 2000;

/** The HTTP side: health, API and dashboard. Loopback by default; no plate is in an answer unless an operator asks for it. */
export function createApi(deps: ApiDeps): Api {
  const { config, log, clock } = deps;
  const access = createAccess(deps);
  const auditor = createAuditor(deps.store, clock);
  const events = createEvents({ ...deps, access });
  const routes: Route[] = [
    ...healthRoutes(deps, access),
    ...statusRoutes(deps),
    ...seriesRoutes(deps),
    events.route,
    ...messageRoutes(deps, auditor),
    ...quarantineRoutes(deps, auditor),
    ...registryRoutes(deps, auditor),
    ...certificateRoutes(deps, auditor),
    ...siteRoutes(deps, auditor),
    ...adminRoutes(deps, auditor),
    ...sessionRoutes({
      ...deps,
      access,
      sessionMs: config.api.sessionMs,
      isTls: config.api.tls !== null,
      randomText: () => randomBytes(SESSION_BYTES).toString("base64url"),
    }),
    defineMediaRoute({
      method: "GET",
      path: "/api/v1/openapi.json",
      tag: "api",
      summary: "this document",
      access: "public",
      media: "application/json",
      handle: async () => Response.json(buildOpenApi(routes, version)),
    }),
  ];
  const receive = createLectorVision(deps);
  routes.push(...lectorVisionRoutes(receive, "api"));
  const dispatchApi = createDispatch({ routes, access, log });
  const dispatch: typeof dispatchApi = async (request, peer) => answerPage(request) ?? dispatchApi(request, peer);
  const dispatchOwn = createDispatch({
    routes: [
      ...lectorVisionRoutes(receive, "own"),
      ...routes.filter(({ path }) => ["/health", "/livez"].includes(path)),
    ],
    access,
    log,
  });
  const servers: Bun.Server<undefined>[] = [];
  let underWay = 0;

  async function open(place: Place, answer: ReturnType<typeof createDispatch>): Promise<number> {
    const { host, port, tls } = place;
    const secured = tls === null ? {} : { tls: readTls(tls, clock.now()) };
    try {
      const server = Bun.serve({
        hostname: host,
        port,
        ...secured,
        idleTimeout: IDLE_SECONDS,
        // Above every limit of ours: what is too large is to be refused in our words.
        maxRequestBodySize: MAX_BODY_BYTES,
        fetch: async (request, running) => {
          const peer = running.requestIP(request)?.address ?? "";
          if (underWay >= MOST_UNDER_WAY) {
            const headers = { "retry-after": "1" };
            return Response.json({ code: "unavailable", error: "too many requests at once" }, { status: 503, headers });
          }
          underWay += 1;
          try {
            return addSecurityHeaders(await compressAnswer(request, await answer(request, peer)), tls !== null);
          } finally {
            underWay -= 1;
          }
        },
      });
      servers.push(server);
      return server.port ?? port;
    } catch (cause) {
      const owner = systemCode(cause) === "EADDRINUSE" ? await findPortOwner(port) : null;
      const by = owner === null ? "" : ` by ${owner}`;
      const text = `port ${port} is taken or not allowed${by} (${place.names[0]}=${host}, ${place.names[1]})`;
      throw new AppError("config", `listening for ${place.what}: ${text}`, {
        hint: `Stop that program, or set ${place.names[1]} to a free port.`,
        cause,
      });
    }
  }

  return {
    async listen() {
      const { api, lectorVision } = config;
      const apiPort = await open({ ...api, what: "HTTP", names: ["API_HOST", "API_PORT"] }, dispatch);
      if (lectorVision.port === null) return { api: apiPort, lectorVision: null };
      const { host, port } = lectorVision;
      const names = ["LECTORVISION_HOST", "LECTORVISION_PORT"] as const;
      return {
        api: apiPort,
        lectorVision: await open({ host, port, tls: null, what: "Lector Vision", names }, dispatchOwn),
      };
    },
    async close() {
      await events.close();
      const endMs = clock.monotonicMs() + CLOSE_GRACE_MS;
      while (underWay > 0 && clock.monotonicMs() < endMs) await clock.sleep(10);
      for (const server of servers) await server.stop(true);
    },
  };
}

interface Place {
  host: string;
  port: number;
  tls: TlsFiles | null;
  /** For errors: what is listened for, and the settings of host and port. */
  what: string;
  names: readonly [host: string, port: string];
}
