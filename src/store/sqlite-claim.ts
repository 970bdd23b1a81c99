import type { ReadingFacts, TimeSource } from "../reading.ts";
import type { Connection } from "./sqlite-connection.ts";
import {
  CERTIFICATE,
  dateOrNull,
  ENDPOINT,
  type Row,
  readEntity,
  readFacts,
  SELECT_FACTS,
  selectEntity,
} from "./sqlite-rows.ts";
import { type Claim, type ClaimRequest, type QueueStore, routeKey } from "./store.ts";

/** Each camera of a partial index once, by jumping from one to the next: the cost is that of the cameras, not of the backlog. */
function camerasOf(status: "PENDING" | "FAILED", name: string): string {
  return `${name}(camera_id) AS (
    SELECT 0
    UNION ALL
    SELECT (SELECT q.camera_id FROM messages_queue q WHERE q.status = '${status}' AND q.camera_id > ${name}.camera_id
            ORDER BY q.camera_id LIMIT 1)
    FROM ${name} WHERE camera_id IS NOT NULL)`;
}

/** When the camera's first FAILED message falls due. */
const FIRST_DUE = `(SELECT q.next_retry_at FROM messages_queue q WHERE q.status = 'FAILED' AND q.camera_id = failed.camera_id
  ORDER BY q.next_retry_at LIMIT 1)`;

/** A camera's endpoint overrides its municipality's; a certificate that is switched off counts as none. */
export const ROUTE_OF_CAMERA = `JOIN municipalities m ON m.id = c.municipality_id
  LEFT JOIN endpoints e ON e.id = coalesce(c.endpoint_id, m.endpoint_id)
  LEFT JOIN certificates k ON k.id = m.certificate_id AND k.active = 1`;

/** The statements of a claim, here for a test that none of them ever reads the whole queue. */
export const CLAIM_SQL = {
  waiting: `WITH RECURSIVE ${camerasOf("PENDING", "pending")}, ${camerasOf("FAILED", "failed")},
    waiting(camera_id) AS (
      SELECT camera_id FROM pending WHERE camera_id > 0
      UNION ALL
      SELECT camera_id FROM failed WHERE camera_id > 0 AND ${FIRST_DUE} <= $now)
    SELECT c.id AS cameraId, coalesce(e.id, 0) AS endpointId, coalesce(k.id, 0) AS certificateId
    FROM waiting CROSS JOIN cameras c ON c.id = waiting.camera_id ${ROUTE_OF_CAMERA}`,
  firstPending: "SELECT id FROM messages_queue WHERE status = 'PENDING' AND camera_id = ? ORDER BY id LIMIT 1",
  firstFailed: `SELECT id FROM messages_queue WHERE status = 'FAILED' AND camera_id = ? AND next_retry_at <= ?
    ORDER BY next_retry_at, id LIMIT 1`,
  load: `SELECT q.id AS messageId, q.reading_id AS readingId, q.attempts, q.last_failed_at AS lastFailedAt,
      r.created_at AS receivedAt, r.timestamp_utc AS capturedAt, r.time_source AS timeSource, r.image_ocr_path AS imageOcrPath,
      r.image_ctx_path AS imageCtxPath, ${SELECT_FACTS}, c.id AS cameraId, c.serial_number AS cameraSerial,
      c.codigo_lector AS readerCode, c.coord_x AS coordX, c.coord_y AS coordY, m.id AS municipalityId,
      m.name AS municipalityName, ${selectEntity(ENDPOINT, "e", "endpoint_")}, ${selectEntity(CERTIFICATE, "k", "certificate_")}
    FROM messages_queue q CROSS JOIN alpr_readings r ON r.id = q.reading_id
    CROSS JOIN cameras c ON c.id = q.camera_id ${ROUTE_OF_CAMERA}
    WHERE q.id = ?`,
  take: `UPDATE messages_queue SET status = 'SENDING', lease_owner = ?, lease_until = ?, next_retry_at = NULL, updated_at = ?
    WHERE id = ?`,
  nextDue: `WITH RECURSIVE ${camerasOf("FAILED", "failed")}
    SELECT min((SELECT q.next_retry_at FROM messages_queue q WHERE q.status = 'FAILED' AND q.camera_id = failed.camera_id
      AND q.next_retry_at > $now ORDER BY q.next_retry_at LIMIT 1)) AS at FROM failed WHERE camera_id > 0`,
} as const;

type LoadedRow = Row &
  ReadingFacts & {
    messageId: number;
    readingId: number;
    attempts: number;
    lastFailedAt: number | null;
    receivedAt: number;
    capturedAt: number;
    timeSource: TimeSource;
    imageOcrPath: string | null;
    imageCtxPath: string | null;
    cameraId: number;
    cameraSerial: string;
    readerCode: string;
    coordX: string | null;
    coordY: string | null;
    municipalityId: number;
    municipalityName: string;
  };

/** An endpoint that may be given messages now, and its cameras that have some, in the order of their turns. */
interface Lane {
  endpointId: number;
  slots: number;
  cameras: Turn[];
  /** Messages that single routes may still be given; a route that is not here is not limited. */
  routeSlots: Map<string, number>;
}

interface Turn {
  cameraId: number;
  route: string;
}

/** Takes messages in turns: one of each endpoint, and within an endpoint one of each camera, oldest first. */
export function createClaims(connection: Connection): Pick<QueueStore, "claim" | "nextDueAt"> {
  const listWaiting = connection.prepare<
    { cameraId: number; endpointId: number; certificateId: number },
    { now: number }[]
  >(CLAIM_SQL.waiting);
  const firstPending = connection.prepare<{ id: number }, [number]>(CLAIM_SQL.firstPending);
  const firstFailed = connection.prepare<{ id: number }, [number, number]>(CLAIM_SQL.firstFailed);
  const load = connection.prepare<LoadedRow, [number]>(CLAIM_SQL.load);
  const take = connection.prepare<never, [string, number, number, number]>(CLAIM_SQL.take);
  const nextDue = connection.prepare<{ at: number | null }, { now: number }[]>(CLAIM_SQL.nextDue);
  // Where the last claim stopped, so that the round goes on there. Only fairness hangs on it: memory is enough.
  let lastEndpointId = -1;
  let lastCameraIds = new Map<number, number>();

  const listLanes = (request: ClaimRequest, nowMs: number): Lane[] => {
    const lanes = new Map<number, Map<number, Turn>>();
    const routeSlots = new Map(request.routeSlots);
    for (const { cameraId, endpointId, certificateId } of listWaiting.all({ now: nowMs })) {
      const slots = request.slots.get(endpointId) ?? request.slotsPerEndpoint;
      const route = routeKey({ endpointId, certificateId });
      if (slots <= 0 || routeSlots.get(route) === 0) continue;
      const cameras = lanes.get(endpointId) ?? new Map<number, Turn>();
      lanes.set(endpointId, cameras.set(cameraId, { cameraId, route }));
    }
    const inTurn = [...lanes].map(([endpointId, cameras]) => ({
      endpointId,
      slots: request.slots.get(endpointId) ?? request.slotsPerEndpoint,
      cameras: fromTurn([...cameras.values()], lastCameraIds.get(endpointId) ?? 0, (turn) => turn.cameraId),
      routeSlots,
    }));
    return fromTurn(inTurn, lastEndpointId, (lane) => lane.endpointId);
  };

  /**
   * The camera's oldest due message: of the failed ones the first that fell due, of the others the first that came. As a
   * probe rather one that has not failed: a few messages that nobody can take must not be all that is ever tried.
   */
  const findOldest = (cameraId: number, isProbe: boolean, nowMs: number): number | null => {
    const pending = firstPending.get(cameraId)?.id ?? null;
    const failed = firstFailed.get(cameraId, nowMs)?.id ?? null;
    if (pending === null || failed === null || isProbe) return pending ?? failed;
    return Math.min(pending, failed);
  };

  const takeFrom = (lane: Lane, request: ClaimRequest, nowMs: number): Claim | null => {
    for (;;) {
      const turn = lane.cameras.shift();
      if (turn === undefined) return null;
      const { cameraId, route } = turn;
      const left = lane.routeSlots.get(route);
      if (left === 0) continue;
      const isProbe = left !== undefined || request.probedEndpoints.has(lane.endpointId);
      const id = findOldest(cameraId, isProbe, nowMs);
      const row = id === null ? null : load.get(id);
      if (row === null) continue;
      lane.cameras.push(turn);
      if (left !== undefined) lane.routeSlots.set(route, left - 1);
      lane.slots -= 1;
      lastEndpointId = lane.endpointId;
      lastCameraIds.set(lane.endpointId, cameraId);
      const claim = readClaim(row, request, nowMs);
      take.run(request.owner, claim.leaseUntil.getTime(), nowMs, claim.messageId);
      return claim;
    }
  };

  return {
    claim: async (request, now) => {
      const nowMs = now.getTime();
      if (request.limit <= 0) return [];
      // Mostly there is nothing: found out without the write lock and without a sync.
      if (connection.read("looking for due messages", () => listLanes(request, nowMs)).length === 0) return [];
      // Not synced: after a power cut the message is as if never claimed, and is sent again, as it would be with its claim.
      return connection.writeLazily("claiming messages", () => {
        const lanes = listLanes(request, nowMs);
        lastCameraIds = new Map([...lastCameraIds].filter(([id]) => lanes.some((lane) => lane.endpointId === id)));
        const claims: Claim[] = [];
        while (claims.length < request.limit) {
          const lane = lanes.shift();
          if (lane === undefined) break;
          const claim = takeFrom(lane, request, nowMs);
          if (claim === null) continue;
          claims.push(claim);
          if (lane.slots > 0) lanes.push(lane);
        }
        return claims;
      });
    },
    nextDueAt: async (now) =>
      connection.read("looking for due messages", () => dateOrNull(nextDue.get({ now: now.getTime() })?.at ?? null)),
  };
}

/** Sorted by id, but beginning behind the one that had the last turn. */
function fromTurn<T>(items: readonly T[], lastId: number, idOf: (item: T) => number): T[] {
  const sorted = [...items].sort((a, b) => idOf(a) - idOf(b));
  const next = sorted.findIndex((item) => idOf(item) > lastId);
  return next <= 0 ? sorted : [...sorted.slice(next), ...sorted.slice(0, next)];
}

function readClaim(row: LoadedRow, request: ClaimRequest, nowMs: number): Claim {
  const endpoint = row["endpoint_id"] === null ? null : readEntity(ENDPOINT, row, "endpoint_");
  const certificate = row["certificate_id"] === null ? null : readEntity(CERTIFICATE, row, "certificate_");
  return {
    messageId: row.messageId,
    readingId: row.readingId,
    owner: request.owner,
    leaseUntil: new Date(nowMs + request.leaseMs + (endpoint?.timeoutMs ?? request.defaultTimeoutMs)),
    attempts: row.attempts,
    lastFailedAt: dateOrNull(row.lastFailedAt),
    receivedAt: new Date(row.receivedAt),
    capturedAt: new Date(row.capturedAt),
    timeSource: row.timeSource,
    facts: readFacts(row),
    imageOcrPath: row.imageOcrPath,
    imageCtxPath: row.imageCtxPath,
    camera: {
      id: row.cameraId,
      serial: row.cameraSerial,
      readerCode: row.readerCode,
      coordX: row.coordX,
      coordY: row.coordY,
    },
    municipality: { id: row.municipalityId, name: row.municipalityName },
    endpoint,
    certificate,
    route: { endpointId: endpoint?.id ?? 0, certificateId: certificate?.id ?? 0 },
  };
}
