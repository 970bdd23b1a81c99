import { randomBytes } from "node:crypto";
import { createAccess } from "./api/access.ts";
import { adminRoutes } from "./api/admin-routes.ts";
import { createAuditor } from "./api/audit.ts";
import { certificateRoutes } from "./api/certificate-routes.ts";
import type { ApiDeps } from "./api/deps.ts";
import { createDispatch } from "./api/dispatch.ts";
import { createEvents } from "./api/events.ts";
import { addSecurityHeaders } from "./api/headers.ts";
import { messageRoutes } from "./api/message-routes.ts";
import { buildOpenApi } from "./api/openapi.ts";
import { quarantineRoutes } from "./api/quarantine-routes.ts";
import { registryRoutes } from "./api/registry-routes.ts";
import { defineMediaRoute, type Route } from "./api/route.ts";
import { seriesRoutes } from "./api/series-routes.ts";
import { sessionRoutes } from "./api/session-routes.ts";
import { statusRoutes } from "./api/status-routes.ts";
import { AppError, systemCode } from "./errors.ts";
import { findPortOwner } from "./port-owner.ts";
import { version } from "./version.ts";
import { answerPage } from "./web/pages.ts";

export interface Api {
  /** @returns the port. @throws AppError naming who holds it */
  listen(): Promise<number>;
  /** Answers what was asked already, for a moment at most, and ends the rest. */
  close(): Promise<void>;
}

/** Silence on a connection after which it is closed; a stream of events says something more often. */
const IDLE_SECONDS = 30;
const MAX_BODY_BYTES = 21 * 1024 * 1024;
const SESSION_BYTES = 32;
const CLOSE_GRACE_MS = 2000;

/** The HTTP side: health, API and dashboard. Loopback by default; no plate is in an answer unless an operator asks for it. */
export function createApi(deps: ApiDeps): Api {
  const { config, log, clock } = deps;
  const access = createAccess(deps);
  const auditor = createAuditor(deps.store, clock);
  const events = createEvents(deps);
  const routes: Route[] = [
    ...statusRoutes(deps),
    ...seriesRoutes(deps),
    events.route,
    ...messageRoutes(deps, auditor),
    ...quarantineRoutes(deps, auditor),
    ...registryRoutes(deps, auditor),
    ...certificateRoutes(deps, auditor),
    ...adminRoutes(deps, auditor),
    ...sessionRoutes({
      ...deps,
      access,
      sessionMs: config.api.sessionMs,
      isTls: false,
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
  const dispatch = createDispatch({ routes, access, log });
  let server: ReturnType<typeof Bun.serve> | undefined;
  let underWay = 0;

  return {
    async listen() {
      const { host, port } = config.api;
      try {
        server = Bun.serve({
          hostname: host,
          port,
          idleTimeout: IDLE_SECONDS,
          maxRequestBodySize: MAX_BODY_BYTES,
          fetch: async (request, running) => {
            const peer = running.requestIP(request)?.address ?? "";
            const page = answerPage(request);
            if (page !== null) return addSecurityHeaders(page, false);
            underWay += 1;
            try {
              return addSecurityHeaders(await dispatch(request, peer), false);
            } finally {
              underWay -= 1;
            }
          },
        });
      } catch (cause) {
        const owner = systemCode(cause) === "EADDRINUSE" ? await findPortOwner(port) : null;
        const by = owner === null ? "" : ` by ${owner}`;
        throw new AppError(
          "config",
          `listening for HTTP: port ${port} is taken or not allowed${by} (API_HOST=${host}, API_PORT)`,
          {
            hint: "Stop that program, or set API_PORT to a free port.",
            cause,
          },
        );
      }
      return server.port ?? port;
    },
    async close() {
      await events.close();
      const endMs = clock.monotonicMs() + CLOSE_GRACE_MS;
      while (underWay > 0 && clock.monotonicMs() < endMs) await clock.sleep(10);
      await server?.stop(true);
    },
  };
}
