import type { Clock } from "../clock.ts";
import type { Pool } from "./postgres-connection.ts";
import {
  expressionOf,
  imagePath,
  instant,
  json,
  type Row,
  readEntity,
  readFacts,
  SELECT_FACTS,
  selectEntity,
} from "./postgres-rows.ts";
import { CERTIFICATE, ENDPOINT } from "./sqlite-rows.ts";
import type { Claim, ClaimRequest, QueueStore } from "./store.ts";

/** Each camera of a partial index once, by jumping from one to the next: the cost is that of the cameras, not of the backlog. */
export function camerasOf(status: "PENDING" | "FAILED", name: string): string {
  const next = (condition: string): string =>
    `SELECT q.camera_id FROM messages_queue q WHERE q.status = '${status}' ${condition} ORDER BY q.camera_id LIMIT 1`;
  return `${name} (camera_id) AS (
    (${next("")})
    UNION ALL
    SELECT (${next(`AND q.camera_id > ${name}.camera_id`)}) FROM ${name} WHERE ${name}.camera_id IS NOT NULL)`;
}

/** When a camera's first FAILED message falls due. */
function firstDue(camera: string): string {
  return `(SELECT q.next_retry_at FROM messages_queue q WHERE q.status = 'FAILED' AND q.camera_id = ${camera}
    ORDER BY q.next_retry_at LIMIT 1)`;
}

/** A camera's endpoint overrides its municipality's; a certificate that is switched off counts as none. */
export const ROUTE_OF_CAMERA = `JOIN municipalities m ON m.id = c.municipality_id
  LEFT JOIN endpoints e ON e.id = coalesce(c.endpoint_id, m.endpoint_id)
  LEFT JOIN certificates k ON k.id = m.certificate_id AND k.active`;

const TURN = "turn, camera_id <= last_camera, camera_id";

/**
 * Messages in turns: one of each endpoint, and within an endpoint one of each camera, oldest first. Of each camera no more
 * are looked at than its share of the limit, so the cost is that of the cameras and of what is taken. Behind that share the
 * order of its failed and its other messages is not known: what is still wanted then is taken in another round.
 * Whoever comes second skips what the first has locked, and what it changed since is looked at again under the lock.
 */
const CLAIM_SQL = `/* tattile: claim */
  WITH RECURSIVE ${camerasOf("PENDING", "pending")}, ${camerasOf("FAILED", "failed")},
  given AS MATERIALIZED (
    SELECT $1::text::timestamptz AS now, $3::text::integer AS most, $4::text::double precision AS lease_ms,
      $5::text::double precision AS default_timeout_ms, $6::text::integer AS slots, $7::text::integer AS last_endpoint),
  limited AS MATERIALIZED (
    SELECT * FROM json_to_recordset($8::text::json) AS x (id integer, slots integer, probed boolean, last integer)),
  limited_route AS MATERIALIZED (
    SELECT * FROM json_to_recordset($9::text::json) AS x (endpoint integer, certificate integer, slots integer)),
  waiting AS MATERIALIZED (
    SELECT camera_id FROM pending WHERE camera_id IS NOT NULL
    UNION
    SELECT camera_id FROM failed WHERE camera_id IS NOT NULL AND ${firstDue("failed.camera_id")} <= (SELECT now FROM given)),
  lane AS MATERIALIZED (
    SELECT x.*, coalesce(l.slots, (SELECT slots FROM given)) AS slots, r.slots AS route_slots,
      r.slots IS NOT NULL OR coalesce(l.probed, false) AS probe, coalesce(l.last, 0) AS last_camera
    FROM (
      SELECT c.id AS camera_id, coalesce(e.id, 0) AS endpoint_id, coalesce(k.id, 0) AS certificate_id, e.timeout_ms
      FROM waiting w JOIN cameras c ON c.id = w.camera_id ${ROUTE_OF_CAMERA}) x
    LEFT JOIN limited l ON l.id = x.endpoint_id
    LEFT JOIN limited_route r ON r.endpoint = x.endpoint_id AND r.certificate = x.certificate_id
    WHERE coalesce(l.slots, (SELECT slots FROM given)) > 0 AND coalesce(r.slots, 1) > 0),
  wanted AS MATERIALIZED (
    SELECT least((SELECT most FROM given), coalesce(sum(s.slots), 0))::integer AS count
    FROM (SELECT DISTINCT endpoint_id, slots FROM lane) s),
  depth AS MATERIALIZED (
    SELECT greatest(1, ceil(wanted.count::numeric / greatest((SELECT count(*) FROM lane), 1)))::integer AS rows FROM wanted),
  candidate AS MATERIALIZED (
    SELECT lane.*, own.id, row_number() OVER (PARTITION BY lane.camera_id
        ORDER BY CASE WHEN lane.probe THEN own.failed ELSE 0 END, own.key, own.number) AS turn
    FROM lane CROSS JOIN LATERAL (
      (SELECT q.id, q.id AS key, 0 AS failed, 0::bigint AS number FROM messages_queue q
       WHERE q.status = 'PENDING' AND q.camera_id = lane.camera_id ORDER BY q.id + 0 LIMIT (SELECT rows FROM depth))
      UNION ALL
      (SELECT f.id, max(f.id) OVER (ORDER BY f.next_retry_at, f.id ROWS UNBOUNDED PRECEDING), 1,
         row_number() OVER (ORDER BY f.next_retry_at, f.id)
       FROM (SELECT q.id, q.next_retry_at FROM messages_queue q
         WHERE q.status = 'FAILED' AND q.camera_id = lane.camera_id AND q.next_retry_at <= (SELECT now FROM given)
         ORDER BY q.next_retry_at, q.id + 0 LIMIT (SELECT rows FROM depth)) f)) own),
  routed AS MATERIALIZED (
    SELECT *, row_number() OVER (PARTITION BY endpoint_id, certificate_id ORDER BY ${TURN}) AS route_number
    FROM candidate WHERE turn <= (SELECT rows FROM depth)),
  numbered AS MATERIALIZED (
    SELECT *, row_number() OVER (PARTITION BY endpoint_id ORDER BY ${TURN}) AS lane_number FROM routed
    WHERE route_slots IS NULL OR route_number <= route_slots),
  chosen AS MATERIALIZED (
    SELECT id, timeout_ms, row_number() OVER (
        ORDER BY lane_number, endpoint_id <= (SELECT last_endpoint FROM given), endpoint_id) AS position
    FROM numbered WHERE lane_number <= slots ORDER BY position LIMIT (SELECT most FROM given)),
  locked AS MATERIALIZED (
    SELECT x.id, x.position, (SELECT now + (lease_ms + coalesce(x.timeout_ms, default_timeout_ms)) * interval '1 millisecond'
      FROM given) AS lease_until
    FROM chosen x CROSS JOIN LATERAL (
      SELECT 1 FROM messages_queue q WHERE q.id = x.id
        AND (q.status = 'PENDING' OR q.status = 'FAILED' AND q.next_retry_at <= (SELECT now FROM given))
      FOR UPDATE SKIP LOCKED) own),
  taken AS (
    UPDATE messages_queue q SET status = 'SENDING', lease_owner = $2, next_retry_at = NULL, updated_at = (SELECT now FROM given),
      lease_until = (SELECT l.lease_until FROM locked l WHERE l.id = q.id)
    WHERE q.id = ANY (ARRAY(SELECT id FROM locked))
    RETURNING q.id, q.reading_id, q.attempts, q.last_failed_at, q.lease_until, q.camera_id)
  SELECT (SELECT count FROM wanted) AS wanted, (SELECT count(*) FROM candidate) AS candidates,
    (SELECT coalesce(bool_or(turn >= (SELECT rows FROM depth)), false) FROM candidate) AS "isMore", t.id AS "messageId",
    t.reading_id AS "readingId", t.attempts, t.last_failed_at AS "lastFailedAt", t.lease_until AS "leaseUntil", r.*,
    c.id AS "cameraId", c.serial_number AS "cameraSerial", c.codigo_lector AS "readerCode", ${expressionOf("coord_x", "c")} AS "coordX",
    ${expressionOf("coord_y", "c")} AS "coordY", m.id AS "municipalityId", m.name AS "municipalityName",
    ${selectEntity(ENDPOINT, "e", "endpoint_")}, ${selectEntity(CERTIFICATE, "k", "certificate_")}
  FROM (SELECT 1) AS one LEFT JOIN (
    taken t CROSS JOIN LATERAL (
      SELECT r.created_at AS "receivedAt", coalesce(r.timestamp_utc, r.created_at) AS "capturedAt",
        ${timeSource()} AS "timeSource", ${imagePath("r.image_ocr_path")} AS "imageOcrPath",
        ${imagePath("r.image_ctx_path")} AS "imageCtxPath", ${SELECT_FACTS}
      FROM alpr_readings r WHERE r.id = t.reading_id OFFSET 0) r
    JOIN cameras c ON c.id = t.camera_id ${ROUTE_OF_CAMERA}) ON true
  ORDER BY (SELECT l.position FROM locked l WHERE l.id = t.id)`;

const NEXT_DUE_SQL = `/* tattile: next due */ WITH RECURSIVE ${camerasOf("FAILED", "failed")}
  SELECT min((SELECT q.next_retry_at FROM messages_queue q WHERE q.status = 'FAILED' AND q.camera_id = failed.camera_id
    AND q.next_retry_at > $1::text::timestamptz ORDER BY q.next_retry_at LIMIT 1)) AS at FROM failed WHERE camera_id IS NOT NULL`;

/** What the old program wrote has no source: its instant is a wall clock taken for UTC. */
export function timeSource(): string {
  return "coalesce(r.time_source, CASE WHEN r.timestamp_utc IS NULL THEN 'arrival' ELSE 'wall-clock' END)";
}

/** So often a claim that found all it wanted locked by others looks again. */
const MOST_ROUNDS = 6;
const PAUSE_MS = 3;

/** Takes messages in turns, oldest first within a camera. */
export function createClaims(pool: Pool, clock: Clock): Pick<QueueStore, "claim" | "nextDueAt"> {
  // Where the last claim stopped, so that the round goes on there. Only fairness hangs on it: memory is enough.
  let lastEndpointId = -1;
  let lastCameraIds = new Map<number, number>();

  const claimOnce = async (request: ClaimRequest, limit: number, taken: readonly Claim[], now: Date) => {
    const used = (matches: (claim: Claim) => boolean): number => taken.filter(matches).length;
    const endpointIds = new Set([...request.slots.keys(), ...request.probedEndpoints, ...lastCameraIds.keys()]);
    for (const { route } of taken) endpointIds.add(route.endpointId);
    const endpoints = [...endpointIds].map((id) => ({
      id,
      slots: (request.slots.get(id) ?? request.slotsPerEndpoint) - used(({ route }) => route.endpointId === id),
      probed: request.probedEndpoints.has(id),
      last: lastCameraIds.get(id) ?? 0,
    }));
    const routes = [...request.routeSlots].map(([key, slots]) => {
      const [endpoint = 0, certificate = 0] = key.split("/").map(Number);
      const mine = used(({ route }) => route.endpointId === endpoint && route.certificateId === certificate);
      return { endpoint, certificate, slots: slots - mine };
    });
    const rows = await pool.query<Row>("claiming messages", CLAIM_SQL, [
      instant(now),
      request.owner,
      String(limit),
      String(request.leaseMs),
      String(request.defaultTimeoutMs),
      String(request.slotsPerEndpoint),
      String(lastEndpointId),
      json(endpoints),
      json(routes),
    ]);
    const claims = rows.filter((row) => row["messageId"] !== null).map((row) => readClaim(row, request));
    for (const { route, camera } of claims) {
      lastEndpointId = route.endpointId;
      lastCameraIds.set(route.endpointId, camera.id);
    }
    const { wanted, candidates, isMore } = (rows[0] ?? {}) as { wanted: number; candidates: number; isMore: boolean };
    return { claims, isDone: claims.length >= wanted || candidates === 0, isMore };
  };

  return {
    claim: async (request, now) => {
      const all: Claim[] = [];
      for (let round = 0; all.length < request.limit && round < MOST_ROUNDS; round++) {
        // If a later round fails, the caller has nothing of the earlier ones either, and takes them back.
        const { claims, isDone, isMore } = await claimOnce(request, request.limit - all.length, all, now);
        all.push(...claims);
        if (isDone || (!isMore && claims.length > 0)) break;
        // Others hold what was looked at: they are done with it in a moment.
        if (claims.length === 0) await clock.sleep(PAUSE_MS * (round + 1));
      }
      const known = new Set(all.map(({ route }) => route.endpointId));
      if (all.length > 0)
        lastCameraIds = new Map([...lastCameraIds].filter(([id]) => known.has(id) || lastCameraIds.size < 1000));
      return all;
    },
    nextDueAt: async (now) => {
      const [row] = await pool.query<{ at: Date | null }>("looking for due messages", NEXT_DUE_SQL, [instant(now)]);
      return row?.at ?? null;
    },
  };
}

function readClaim(row: Row, request: ClaimRequest): Claim {
  const endpoint = row["endpoint_id"] === null ? null : readEntity(ENDPOINT, row, "endpoint_");
  const certificate = row["certificate_id"] === null ? null : readEntity(CERTIFICATE, row, "certificate_");
  const own = row as unknown as Omit<Claim, "owner" | "facts" | "camera" | "municipality"> & {
    cameraId: number;
    cameraSerial: string;
    readerCode: string;
    coordX: string | null;
    coordY: string | null;
    municipalityId: number;
    municipalityName: string;
  };
  return {
    messageId: own.messageId,
    readingId: own.readingId,
    owner: request.owner,
    leaseUntil: own.leaseUntil,
    attempts: own.attempts,
    lastFailedAt: own.lastFailedAt,
    receivedAt: own.receivedAt,
    capturedAt: own.capturedAt,
    timeSource: own.timeSource,
    facts: readFacts(row),
    imageOcrPath: own.imageOcrPath,
    imageCtxPath: own.imageCtxPath,
    camera: {
      id: own.cameraId,
      serial: own.cameraSerial,
      readerCode: own.readerCode,
      coordX: own.coordX,
      coordY: own.coordY,
    },
    municipality: { id: own.municipalityId, name: own.municipalityName },
    endpoint,
    certificate,
    route: { endpointId: endpoint?.id ?? 0, certificateId: certificate?.id ?? 0 },
  };
}
