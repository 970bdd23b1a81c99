import { randomBytes } from "node:crypto";
import { version } from "../version.ts";
import { answerPage } from "../web/pages.ts";
import { createAccess } from "./access.ts";
import { adminRoutes } from "./admin-routes.ts";
import { createAuditor } from "./audit.ts";
import { certificateRoutes } from "./certificate-routes.ts";
import { deedRoutes } from "./deed-routes.ts";
import type { ApiDeps } from "./deps.ts";
import { createDispatch } from "./dispatch.ts";
import { createEvents } from "./events.ts";
import { healthRoutes } from "./health-routes.ts";
import { createLectorVision, lectorVisionRoutes } from "./lectorvision.ts";
import type { Answer } from "./listener.ts";
import { messageRoutes } from "./message-routes.ts";
import { buildOpenApi } from "./openapi.ts";
import { quarantineRoutes } from "./quarantine-routes.ts";
import { registryRoutes } from "./registry-routes.ts";
import { rotationRoutes } from "./rotation-routes.ts";
import { defineMediaRoute, type Route } from "./route.ts";
import { seriesRoutes } from "./series-routes.ts";
import { sessionRoutes } from "./session-routes.ts";
import { siteRoutes } from "./site-routes.ts";
import { statusRoutes } from "./status-routes.ts";

/** What is answered on the API's port, and on Lector Vision's own. */
export interface Answers {
  api: Answer;
  lectorVision: Answer;
  /** Ends the streams of events. */
  close(): Promise<void>;
}

const SESSION_BYTES = 32;

/** Health, metrics, API and dashboard: every route there is. No plate is in an answer unless an operator asks for it. */
export function createAnswers(deps: ApiDeps): Answers {
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
  const dispatch = createDispatch({ routes, access, log });
  return {
    api: async (asked) => answerPage(asked.request, asked.url.pathname) ?? dispatch(asked),
    lectorVision: createDispatch({
      routes: [
        ...lectorVisionRoutes(receive, "own"),
        ...routes.filter(({ path }) => ["/health", "/livez"].includes(path)),
      ],
      access,
      log,
    }),
    close: () => events.close(),
  };
}
