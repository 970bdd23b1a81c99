import { REASON } from "../message.ts";
import { ROUTE_OF_CAMERA } from "./postgres-claim.ts";
import type { Pool, Run } from "./postgres-connection.ts";
import { instant, json } from "./postgres-rows.ts";
import type { Route } from "./store.ts";

/** Most messages that one call brings back; the next call goes on. */
const MOST_AT_ONCE = 20_000;

type DeadGroup = Route & { cameraId: number; reason: string };

/** Brings DEAD messages back once what they lacked is there. */
export interface Revival {
  /** See QueueStore.revive; at most 20,000 messages a call. */
  revive(hasDefaultEndpoint: boolean, usableCertificateIds: ReadonlySet<number>, now: Date): Promise<number>;
  /**
   * What an operator's change lets come back, inside the registry's transaction: every message that has an endpoint or a
   * certificate now, and those that found the certificate incomplete where it is one of `changedCertificateIds`.
   */
  afterChange(run: Run, changedCertificateIds: ReadonlySet<number>, now: Date): Promise<number>;
}

/** The cameras that have messages dead of a reason, by jumping from camera to camera, with their routes. */
const DEAD_CAMERAS = `WITH RECURSIVE dead (camera_id) AS (
    (SELECT q.camera_id FROM messages_queue q WHERE q.status = 'DEAD' AND q.reason = $1 ORDER BY q.camera_id LIMIT 1)
    UNION ALL
    SELECT (SELECT q.camera_id FROM messages_queue q WHERE q.status = 'DEAD' AND q.reason = $1
      AND q.camera_id > dead.camera_id ORDER BY q.camera_id LIMIT 1)
    FROM dead WHERE dead.camera_id IS NOT NULL)
  SELECT $1 AS reason, c.id AS "cameraId", coalesce(e.id, 0) AS "endpointId", coalesce(k.id, 0) AS "certificateId"
  FROM dead JOIN cameras c ON c.id = dead.camera_id ${ROUTE_OF_CAMERA} ORDER BY c.id`;

/** However many cameras, one statement. The function gives its rows in the order in which they stand. */
const RAISE = `UPDATE messages_queue SET status = 'PENDING', reason = NULL, updated_at = $1::text::timestamptz
  WHERE id = ANY (ARRAY(
    SELECT own.id FROM json_to_recordset($2::text::json) AS g (reason text, camera integer)
    CROSS JOIN LATERAL (
      SELECT q.id FROM messages_queue q WHERE q.status = 'DEAD' AND q.reason = g.reason AND q.camera_id = g.camera
      ORDER BY q.id + 0 LIMIT ${MOST_AT_ONCE} FOR UPDATE SKIP LOCKED) own
    LIMIT ${MOST_AT_ONCE}))`;

export function createRevival(pool: Pool): Revival {
  const listRaisable = async (run: Run, isMended: (group: DeadGroup) => boolean): Promise<DeadGroup[]> => {
    const groups: DeadGroup[] = [];
    for (const reason of [REASON.noEndpoint, REASON.noCertificate, REASON.incompleteCertificate]) {
      groups.push(...(await run<DeadGroup>(DEAD_CAMERAS, [reason])));
    }
    return groups.filter(isMended);
  };
  const raiseAll = async (run: Run, isMended: (group: DeadGroup) => boolean, now: Date): Promise<number> => {
    const groups = await listRaisable(run, isMended);
    if (groups.length === 0) return 0;
    const rows = groups.map(({ reason, cameraId }) => ({ reason, camera: cameraId }));
    return (await run(RAISE, [instant(now), json(rows)])).count;
  };

  return {
    revive: (hasDefaultEndpoint, usableCertificateIds, now) => {
      const isMended = ({ reason, endpointId, certificateId }: DeadGroup): boolean =>
        reason === REASON.noEndpoint ? hasDefaultEndpoint || endpointId !== 0 : usableCertificateIds.has(certificateId);
      return pool.transaction("reviving messages", (run) => raiseAll(run, isMended, now));
    },
    afterChange: (run, changedCertificateIds, now) =>
      raiseAll(
        run,
        ({ reason, endpointId, certificateId }) => {
          if (reason === REASON.noEndpoint) return endpointId !== 0;
          if (reason === REASON.noCertificate) return certificateId !== 0;
          return changedCertificateIds.has(certificateId);
        },
        now,
      ),
  };
}
