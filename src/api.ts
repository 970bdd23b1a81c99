import { randomBytes } from "node:crypto";
import { createAccess } from "./api/access.ts";
import { createDispatch } from "./api/dispatch.ts";
import { addSecurityHeaders } from "./api/headers.ts";
import { buildOpenApi } from "./api/openapi.ts";
import { defineMediaRoute, type Route } from "./api/route.ts";
import { sessionRoutes } from "./api/session-routes.ts";
import { statusRoutes } from "./api/status-routes.ts";
import type { Clock } from "./clock.ts";
import type { Config } from "./config.ts";
import { AppError, systemCode } from "./errors.ts";
import type { Log } from "./log.ts";
import { findPortOwner } from "./port-owner.ts";
import type { Store } from "./store/store.ts";
import { version } from "./version.ts";
import { answerPage } from "./web/pages.ts";

export interface Api {
  /** @returns the port. @throws AppError naming who holds it */
  listen(): Promise<number>;
  close(): Promise<void>;
}

export interface ApiDeps {
  config: Config;
  store: Store;
  clock: Clock;
  log: Log;
}

/** Silence on a connection after which it is closed. */
const IDLE_SECONDS = 30;
const MAX_BODY_BYTES = 21 * 1024 * 1024;
const SESSION_BYTES = 32;

/** Everything the API answers, in one table. */
export function buildRoutes(deps: ApiDeps): { routes: readonly Route[]; access: ReturnType<typeof createAccess> } {
  const access = createAccess(deps);
  const routes: Route[] = [
    ...statusRoutes(deps),
    ...sessionRoutes({
      ...deps,
      access,
      sessionMs: deps.config.api.sessionMs,
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
  return { routes, access };
}

/** The HTTP side: health, API and dashboard. Loopback by default; no plate is in an answer unless an operator asks for it. */
export function createApi(deps: ApiDeps): Api {
  const { config, log } = deps;
  const { routes, access } = buildRoutes(deps);
  const dispatch = createDispatch({ routes, access, log });
  let server: ReturnType<typeof Bun.serve> | undefined;

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
            return addSecurityHeaders(answerPage(request) ?? (await dispatch(request, peer)), false);
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
      await server?.stop(true);
    },
  };
}
