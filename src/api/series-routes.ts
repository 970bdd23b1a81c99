import { Type } from "typebox";
import type { ApiDeps } from "./deps.ts";
import { defineRoute, type Route } from "./route.ts";
import { exactly, Instant, listOf, named, nullable } from "./schemas.ts";
import { buildSeries, cameraRates, ratesStart, SPANS, type Span, seriesStart } from "./series.ts";

const Count = Type.Integer({ minimum: 0 });
const SpanName = Type.Enum(["hour", "day", "week"]);

const Series = named(
  "Series",
  exactly({
    span: SpanName,
    stepMs: Count,
    points: listOf(exactly({ at: Instant, received: Count, delivered: Count })),
  }),
);

const CameraRates = named(
  "CameraRates",
  listOf(
    exactly({
      serial: Type.String(),
      thisHour: Type.Integer({ minimum: 0, description: "so far" }),
      lastHour: Type.Integer({ minimum: 0, description: "the whole hour before" }),
      lastSixty: Type.Integer({
        minimum: 0,
        description: "about the last sixty minutes: this hour so far, and of lastHour the part that falls into them",
      }),
      usualSixty: nullable(
        Type.Number({
          description: "the same part of the same two hours on average of up to seven days; null: not known yet",
        }),
      ),
      clockDelayMs: nullable(
        Type.Number({
          description:
            "shortest time from taking to receipt in these two hours: what the camera's clock is behind, less than 0: ahead; null: not known",
        }),
      ),
    }),
  ),
);

/** How much comes and goes, for charts. */
export function seriesRoutes({ store, clock }: ApiDeps): readonly Route[] {
  return [
    defineRoute({
      method: "GET",
      path: "/api/v1/series",
      tag: "status",
      summary: "readings received and delivered: the hour by minutes, the day by quarters, the week by hours",
      access: "viewer",
      query: exactly({ span: Type.Optional(SpanName) }),
      answer: Series,
      handle: async ({ query }) => {
        const span: Span = query.span ?? "hour";
        const now = clock.now();
        const points = buildSeries(span, await store.listMinutes(seriesStart(span, now)), now);
        return { span, stepMs: SPANS[span].stepMs, points };
      },
    }),
    defineRoute({
      method: "GET",
      path: "/api/v1/series/cameras",
      tag: "status",
      summary: "what each camera sends against what it usually sends at this time of day",
      access: "viewer",
      answer: CameraRates,
      handle: async () => {
        const now = clock.now();
        const [cameras, hours] = await Promise.all([store.listCameras(), store.listCameraHours(ratesStart(now))]);
        return cameraRates(cameras, hours, now);
      },
    }),
  ];
}
