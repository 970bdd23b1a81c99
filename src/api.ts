import { randomBytes } from "node:crypto";
import { createAccess } from "./api/access.ts";
import { adminRoutes } from "./api/admin-routes.ts";
import { createAuditor } from "./api/audit.ts";
import { certificateRoutes } from "./api/certificate-routes.ts";
import { deedRoutes } from "./api/deed-routes.ts";
import type { ApiDeps } from "./api/deps.ts";
import { createDispatch } from "./api/dispatch.ts";
import { createEvents } from "./api/events.ts";
import { healthRoutes } from "./api/health-routes.ts";
import { createLectorVision, lectorVisionRoutes } from "./api/lectorvision.ts";
import { createListener } from "./api/listener.ts";
import { messageRoutes } from "./api/message-routes.ts";
import { buildOpenApi } from "./api/openapi.ts";
import { quarantineRoutes } from "./api/quarantine-routes.ts";
import { registryRoutes } from "./api/registry-routes.ts";
import { rotationRoutes } from "./api/rotation-routes.ts";
import { defineMediaRoute, type Route } from "./api/route.ts";
import { seriesRoutes } from "./api/series-routes.ts";
import { sessionRoutes } from "./api/session-routes.ts";
import { siteRoutes } from "./api/site-routes.ts";
import { statusRoutes } from "./api/status-routes.ts";
import { version } from "./version.ts";
import { answerPage } from "./web/pages.ts";

export interface Api {
  /** @returns the ports. @throws AppError naming who holds one */
  listen(): Promise<{ api: number; lectorVision: number | null }>;
  /** Answers what was asked already, for a moment at most, and ends the rest. */
  close(): Promise<void>;
}

const SESSION_BYTES = 32;
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
    ...adminRoutes({ ...deps, randomBytes }, auditor),
    ...deedRoutes(deps, auditor),
    ...rotationRoutes(deps, auditor),
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
  const dispatch: typeof dispatchApi = async (request, peer, wait) =>
    answerPage(request) ?? dispatchApi(request, peer, wait);
  const dispatchOwn = createDispatch({
    routes: [
      ...lectorVisionRoutes(receive, "own"),
      ...routes.filter(({ path }) => ["/health", "/livez"].includes(path)),
    ],
    access,
    log,
  });
  const { api, lectorVision } = config;
  const listener = createListener({ ...api, what: "HTTP", names: ["API_HOST", "API_PORT"] }, dispatch, deps);
  const own =
    lectorVision.port === null
      ? null
      : createListener(
          {
            host: lectorVision.host,
            port: lectorVision.port,
            tls: null,
            what: "Lector Vision",
            names: ["LECTORVISION_HOST", "LECTORVISION_PORT"],
          },
          dispatchOwn,
          deps,
        );

  return {
    listen: async () => ({ api: await listener.open(), lectorVision: (await own?.open()) ?? null }),
    async close() {
      await events.close();
      const endMs = clock.monotonicMs() + CLOSE_GRACE_MS;
      await Promise.all([listener.close(endMs), own?.close(endMs)]);
    },
  };
}
