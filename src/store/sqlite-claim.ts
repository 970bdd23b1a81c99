import type { ReadingFacts, TimeSource } from "../reading.ts";
import type { Camera, Municipality } from "./registry.ts";
import type { Connection } from "./sqlite-connection.ts";
import {
  CAMERA,
  CERTIFICATE,
  dateOrNull,
  ENDPOINT,
  type Entity,
  MUNICIPALITY,
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

const SELECT_QUEUED =
  "SELECT id, reading_id AS readingId, attempts, last_failed_at AS lastFailedAt FROM messages_queue";

/**
 * The statements of a claim. A message is read table by table, each record of the registry once for all of a claim: one
 * join over the six tables takes five times as long. Here for a test that none of them ever reads the whole queue. */
export const CLAIM_SQL = {
  waiting: `WITH RECURSIVE ${camerasOf("PENDING", "pending")}, ${camerasOf("FAILED", "failed")},
    waiting(camera_id, is_failed) AS (
      SELECT camera_id, 0 FROM pending WHERE camera_id > 0
      UNION ALL
      SELECT camera_id, 1 FROM failed WHERE camera_id > 0 AND ${FIRST_DUE} <= $now)
    SELECT c.id AS cameraId, is_failed AS isFailed, coalesce(e.id, 0) AS endpointId, coalesce(k.id, 0) AS certificateId
    FROM waiting CROSS JOIN cameras c ON c.id = waiting.camera_id ${ROUTE_OF_CAMERA}`,
  firstPending: `${SELECT_QUEUED} WHERE status = 'PENDING' AND camera_id = ? ORDER BY id LIMIT 1`,
  firstFailed: `${SELECT_QUEUED} WHERE status = 'FAILED' AND camera_id = ? AND next_retry_at <= ?
    ORDER BY next_retry_at, id LIMIT 1`,
  reading: `SELECT r.created_at AS receivedAt, r.timestamp_utc AS capturedAt, r.time_source AS timeSource,
      r.image_ocr_path AS imageOcrPath, r.image_ctx_path AS imageCtxPath, ${SELECT_FACTS}
    FROM alpr_readings r WHERE r.id = ?`,
  camera: `SELECT ${selectEntity(CAMERA, "c")} FROM cameras c WHERE c.id = ?`,
  municipality: `SELECT ${selectEntity(MUNICIPALITY, "m")} FROM municipalities m WHERE m.id = ?`,
  endpoint: `SELECT ${selectEntity(ENDPOINT, "e")} FROM endpoints e WHERE e.id = ?`,
  certificate: `SELECT ${selectEntity(CERTIFICATE, "k")} FROM certificates k WHERE k.id = ?`,
  take: `UPDATE messages_queue SET status = 'SENDING', lease_owner = ?, lease_until = ?, next_retry_at = NULL, updated_at = ?
    WHERE id = ?`,
  nextDue: `WITH RECURSIVE ${camerasOf("FAILED", "failed")}
    SELECT min((SELECT q.next_retry_at FROM messages_queue q WHERE q.status = 'FAILED' AND q.camera_id = failed.camera_id
      AND q.next_retry_at > $now ORDER BY q.next_retry_at LIMIT 1)) AS at FROM failed WHERE camera_id > 0`,
} as const;

interface QueuedRow {
  id: number;
  readingId: number;
  attempts: number;
  lastFailedAt: number | null;
}

interface ReadingRow extends ReadingFacts {
  receivedAt: number;
  capturedAt: number;
  timeSource: TimeSource;
  imageOcrPath: string | null;
  imageCtxPath: string | null;
}

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
  hasPending: boolean;
  hasFailed: boolean;
}

/** Takes messages in turns: one of each endpoint, and within an endpoint one of each camera, oldest first. */
export function createClaims(connection: Connection): Pick<QueueStore, "claim" | "nextDueAt"> {
  const listWaiting = connection.prepare<
    { cameraId: number; isFailed: number; endpointId: number; certificateId: number },
    { now: number }[]
  >(CLAIM_SQL.waiting);
  const firstPending = connection.prepare<QueuedRow, [number]>(CLAIM_SQL.firstPending);
  const firstFailed = connection.prepare<QueuedRow, [number, number]>(CLAIM_SQL.firstFailed);
  const loadReading = connection.prepare<ReadingRow, [number]>(CLAIM_SQL.reading);
  const lookups = {
    camera: createLookup(connection, CLAIM_SQL.camera, CAMERA),
    municipality: createLookup(connection, CLAIM_SQL.municipality, MUNICIPALITY),
    endpoint: createLookup(connection, CLAIM_SQL.endpoint, ENDPOINT),
    certificate: createLookup(connection, CLAIM_SQL.certificate, CERTIFICATE),
  };
  const take = connection.prepare<never, [string, number, number, number]>(CLAIM_SQL.take);
  const nextDue = connection.prepare<{ at: number | null }, { now: number }[]>(CLAIM_SQL.nextDue);
  // Where the last claim stopped, so that the round goes on there. Only fairness hangs on it: memory is enough.
  let lastEndpointId = -1;
  let lastCameraIds = new Map<number, number>();

  const listLanes = (request: ClaimRequest, nowMs: number): Lane[] => {
    const lanes = new Map<number, Map<number, Turn>>();
    const routeSlots = new Map(request.routeSlots);
    for (const { cameraId, isFailed, endpointId, certificateId } of listWaiting.all({ now: nowMs })) {
      const slots = request.slots.get(endpointId) ?? request.slotsPerEndpoint;
      const route = routeKey({ endpointId, certificateId });
      if (slots <= 0 || routeSlots.get(route) === 0) continue;
      const cameras = lanes.get(endpointId) ?? new Map<number, Turn>();
      const turn = cameras.get(cameraId) ?? { cameraId, route, hasPending: false, hasFailed: false };
      turn[isFailed === 1 ? "hasFailed" : "hasPending"] = true;
      lanes.set(endpointId, cameras.set(cameraId, turn));
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
  const findOldest = ({ cameraId, hasPending, hasFailed }: Turn, isProbe: boolean, nowMs: number): QueuedRow | null => {
    const pending = hasPending ? firstPending.get(cameraId) : null;
    const failed = hasFailed ? firstFailed.get(cameraId, nowMs) : null;
    if (pending === null || failed === null || isProbe) return pending ?? failed;
    return pending.id < failed.id ? pending : failed;
  };

  /** What stands in the registry for a camera, each record read once; the same route as ROUTE_OF_CAMERA says. */
  const createRegistryReader = () => {
    const [cameraOf, municipalityOf] = [lookups.camera(), lookups.municipality()];
    const [endpointOf, certificateOf] = [lookups.endpoint(), lookups.certificate()];
    return (cameraId: number) => {
      const camera = cameraOf(cameraId);
      const municipality = camera === null ? null : municipalityOf(camera.municipalityId);
      if (camera === null || municipality === null) return null;
      const certificate = certificateOf(municipality.certificateId);
      return {
        camera,
        municipality,
        endpoint: endpointOf(camera.endpointId ?? municipality.endpointId),
        certificate: certificate?.active === true ? certificate : null,
      };
    };
  };

  const takeFrom = (
    lane: Lane,
    request: ClaimRequest,
    nowMs: number,
    registered: ReturnType<typeof createRegistryReader>,
  ): Claim | null => {
    for (;;) {
      const turn = lane.cameras.shift();
      if (turn === undefined) return null;
      const { cameraId, route } = turn;
      const left = lane.routeSlots.get(route);
      if (left === 0) continue;
      const isProbe = left !== undefined || request.probedEndpoints.has(lane.endpointId);
      const queued = findOldest(turn, isProbe, nowMs);
      const reading = queued === null ? null : loadReading.get(queued.readingId);
      const records = registered(cameraId);
      if (queued === null || reading === null || records === null) continue;
      lane.cameras.push(turn);
      if (left !== undefined) lane.routeSlots.set(route, left - 1);
      lane.slots -= 1;
      lastEndpointId = lane.endpointId;
      lastCameraIds.set(lane.endpointId, cameraId);
      const claim = buildClaim(queued, reading, records, request, nowMs);
      take.run(request.owner, claim.leaseUntil.getTime(), nowMs, claim.messageId);
      return claim;
    }
  };

  return {
    claim: async (request, now) => {
      const nowMs = now.getTime();
      if (request.limit <= 0) return [];
      // Mostly there is nothing: found out without the write lock. What another process takes meanwhile is seen below.
      const lanes = connection.look("looking for due messages", () => listLanes(request, nowMs));
      if (lanes.length === 0) return [];
      // Not synced: after a power cut the message is as if never claimed, and is sent again, as it would be with its claim.
      return connection.writeLazily("claiming messages", () => {
        const registered = createRegistryReader();
        lastCameraIds = new Map([...lastCameraIds].filter(([id]) => lanes.some((lane) => lane.endpointId === id)));
        const claims: Claim[] = [];
        while (claims.length < request.limit) {
          const lane = lanes.shift();
          if (lane === undefined) break;
          const claim = takeFrom(lane, request, nowMs, registered);
          if (claim === null) continue;
          claims.push(claim);
          if (lane.slots > 0) lanes.push(lane);
        }
        return claims;
      });
    },
    nextDueAt: async (now) =>
      connection.look("looking for due messages", () => dateOrNull(nextDue.get({ now: now.getTime() })?.at ?? null)),
  };
}

/** Sorted by id, but beginning behind the one that had the last turn. */
function fromTurn<T>(items: readonly T[], lastId: number, idOf: (item: T) => number): T[] {
  const sorted = [...items].sort((a, b) => idOf(a) - idOf(b));
  const next = sorted.findIndex((item) => idOf(item) > lastId);
  return next <= 0 ? sorted : [...sorted.slice(next), ...sorted.slice(0, next)];
}

/** Begins a round of lookups by id, in which each record is read once; an id of null finds nothing. */
function createLookup<T>(
  connection: Connection,
  sql: string,
  entity: Entity<T>,
): () => (id: number | null) => T | null {
  const statement = connection.prepare<Row, [number]>(sql);
  return () => {
    const known = new Map<number, T | null>();
    return (id) => {
      if (id === null) return null;
      let record = known.get(id);
      if (record === undefined) {
        const row = statement.get(id);
        record = row === null ? null : readEntity(entity, row);
        known.set(id, record);
      }
      return record;
    };
  };
}

function buildClaim(
  queued: QueuedRow,
  reading: ReadingRow,
  records: Pick<Claim, "endpoint" | "certificate"> & { camera: Camera; municipality: Municipality },
  request: ClaimRequest,
  nowMs: number,
): Claim {
  const { camera, municipality, endpoint, certificate } = records;
  return {
    messageId: queued.id,
    readingId: queued.readingId,
    owner: request.owner,
    leaseUntil: new Date(nowMs + request.leaseMs + (endpoint?.timeoutMs ?? request.defaultTimeoutMs)),
    attempts: queued.attempts,
    lastFailedAt: dateOrNull(queued.lastFailedAt),
    receivedAt: new Date(reading.receivedAt),
    capturedAt: new Date(reading.capturedAt),
    timeSource: reading.timeSource,
    facts: readFacts(reading),
    imageOcrPath: reading.imageOcrPath,
    imageCtxPath: reading.imageCtxPath,
    camera: {
      id: camera.id,
      serial: camera.serial,
      readerCode: camera.readerCode,
      coordX: camera.coordX,
      coordY: camera.coordY,
    },
    municipality: { id: municipality.id, name: municipality.name },
    endpoint,
    certificate,
    route: { endpointId: endpoint?.id ?? 0, certificateId: certificate?.id ?? 0 },
  };
}
