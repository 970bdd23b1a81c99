import { REASON } from "../message.ts";
import { ROUTE_OF_CAMERA } from "./sqlite-claim.ts";
import type { Connection } from "./sqlite-connection.ts";
import type { Route } from "./store.ts";

/** Most messages that one call brings back; the next call goes on. A million at once would hold the lock for seconds. */
const MOST_AT_ONCE = 20_000;

type DeadGroup = Route & { cameraId: number; reason: string };

/** Brings DEAD messages back once what they lacked is there. */
export interface Revival {
  /** See QueueStore.revive; at most 20,000 messages a call. */
  revive(hasDefaultEndpoint: boolean, usableCertificateIds: ReadonlySet<number>, now: Date): number;
  /**
   * What an operator's change lets come back, inside the registry's transaction: every message that has an endpoint or a
   * certificate now, and those that found the certificate incomplete where it is one of `changedCertificateIds`.
   */
  afterChange(changedCertificateIds: readonly number[], nowMs: number): number;
}

/** The cameras that have messages dead of one reason, by jumping from camera to camera, with their routes. */
const DEAD_CAMERAS = `WITH RECURSIVE dead(camera_id) AS (
    SELECT 0
    UNION ALL
    SELECT (SELECT q.camera_id FROM messages_queue q
            WHERE q.status = 'DEAD' AND q.reason = $reason AND q.camera_id > dead.camera_id ORDER BY q.camera_id LIMIT 1)
    FROM dead WHERE camera_id IS NOT NULL)
  SELECT $reason AS reason, c.id AS cameraId, coalesce(e.id, 0) AS endpointId, coalesce(k.id, 0) AS certificateId
  FROM dead CROSS JOIN cameras c ON c.id = dead.camera_id ${ROUTE_OF_CAMERA} WHERE dead.camera_id > 0`;

export function createRevival(connection: Connection): Revival {
  const listCameras = connection.prepare<DeadGroup, { reason: string }[]>(DEAD_CAMERAS);
  const raise = connection.prepare<never, { now: number; reason: string; camera: number; limit: number }[]>(
    `UPDATE messages_queue SET status = 'PENDING', reason = NULL, updated_at = $now WHERE id IN
       (SELECT id FROM messages_queue WHERE status = 'DEAD' AND reason = $reason AND camera_id = $camera ORDER BY id LIMIT $limit)`,
  );
  const listRaisable = (isMended: (group: DeadGroup) => boolean): DeadGroup[] =>
    [REASON.noEndpoint, REASON.noCertificate, REASON.incompleteCertificate].flatMap((reason) =>
      listCameras.all({ reason }).filter(isMended),
    );
  const raiseAll = (isMended: (group: DeadGroup) => boolean, nowMs: number): number => {
    let raised = 0;
    for (const { reason, cameraId } of listRaisable(isMended)) {
      if (raised >= MOST_AT_ONCE) break;
      raised += raise.run({ now: nowMs, reason, camera: cameraId, limit: MOST_AT_ONCE - raised }).changes;
    }
    return raised;
  };

  return {
    revive: (hasDefaultEndpoint, usableCertificateIds, now) => {
      const isMended = ({ reason, endpointId, certificateId }: DeadGroup): boolean =>
        reason === REASON.noEndpoint ? hasDefaultEndpoint || endpointId !== 0 : usableCertificateIds.has(certificateId);
      if (connection.read("looking for dead messages", () => listRaisable(isMended)).length === 0) return 0;
      return connection.write("reviving messages", () => raiseAll(isMended, now.getTime()));
    },
    afterChange: (changedCertificateIds, nowMs) =>
      raiseAll(({ reason, endpointId, certificateId }) => {
        if (reason === REASON.noEndpoint) return endpointId !== 0;
        if (reason === REASON.noCertificate) return certificateId !== 0;
        return changedCertificateIds.includes(certificateId);
      }, nowMs),
  };
}
