import type { Run } from "./postgres-connection.ts";
import { rotatingMunicipalities } from "./postgres-rotations.ts";
import { json } from "./postgres-rows.ts";
import type { RegistryTables, Saving } from "./postgres-saving.ts";
import { type ErasedRow, eraseSql, readErased } from "./postgres-settle.ts";
import { anyOf } from "./postgres-table.ts";
import type { Camera } from "./registry.ts";
import { requireUnused } from "./still-used.ts";

const countOfStatus = (status: string, further = ""): string =>
  `(SELECT count(*) FROM messages_queue q WHERE q.status = '${status}' AND q.camera_id = g.id${further})`;
const COUNT_MESSAGES = `SELECT g.id AS "cameraId", ${countOfStatus("PENDING")} + ${countOfStatus("FAILED")} AS waiting,
    ${countOfStatus("SENDING", " AND q.lease_until IS NOT NULL")} AS sending, ${countOfStatus("DEAD")} AS dead
  FROM (SELECT value::integer AS id FROM json_array_elements_text($1::text::json)) g`;
const FIND_WAITING = `SELECT g.id FROM (SELECT value::integer AS id FROM json_array_elements_text($1::text::json)) g
  WHERE ${["PENDING", "FAILED", "SENDING", "DEAD"]
    .map(
      (status) =>
        `EXISTS (SELECT 1 FROM messages_queue q WHERE q.status = '${status}' AND q.camera_id = g.id${
          status === "SENDING" ? " AND q.lease_until IS NOT NULL" : ""
        })`,
    )
    .join(" OR ")}`;
/** Waits for whoever is queueing a reading of them, and then keeps the others waiting: what is found after is all there is. */
const LOCK_CAMERAS = `SELECT id FROM cameras WHERE id = ${anyOf("$1", "integer")} ORDER BY id FOR UPDATE`;
const ERASE_DELIVERED = eraseSql(
  `SELECT q.id FROM messages_queue q WHERE q.status = 'SUCCESS' AND q.camera_id = ${anyOf("$1", "integer")} FOR UPDATE`,
  "delivered",
);
const DISCARD_UNQUEUED = `DELETE FROM alpr_readings r WHERE r.camera_id = ${anyOf("$1", "integer")}
  AND NOT EXISTS (SELECT 1 FROM messages_queue q WHERE q.reading_id = r.id)`;

/** Messages of a camera that keep it from being removed. */
export interface Counts {
  waiting: number;
  sending: number;
  dead: number;
}

/** What an operator removes; any number with so many statements. Each refuses what is still used, and then nothing goes. */
export interface Removal {
  countMessages(run: Run, cameraId: number): Promise<Counts>;
  /** Of these cameras those that still have messages. */
  findWaiting(run: Run, cameraIds: readonly number[]): Promise<ReadonlySet<number>>;
  /**
   * Removes those of these cameras that have no messages any more, and what the replaced system left of them without a message
   * or had delivered. @returns the others, and pictures of what had been delivered; the sweep of orphans takes the rest
   */
  removeIdle(
    run: Run,
    ids: readonly number[],
  ): Promise<{ waiting: ReadonlySet<number>; imagePaths: readonly string[] }>;
  /** All of them, or none. */
  removeCameras(run: Run, ids: readonly number[]): Promise<readonly string[]>;
  removeMunicipalities(run: Run, ids: readonly number[]): Promise<void>;
  removeEndpoints(run: Run, ids: readonly number[], fromUsers: boolean): Promise<void>;
  removeCertificates(run: Run, ids: readonly number[], fromUsers: boolean): Promise<void>;
}

export function createRemoval(tables: RegistryTables, saving: Saving): Removal {
  const { municipalities, endpoints, certificates, cameras } = tables;
  const waitingOf = async (run: Run, users: readonly Camera[]): Promise<string[]> => {
    if (users.length === 0) return [];
    const counts = await run<Counts>(COUNT_MESSAGES, [json(users.map(({ id }) => id))]);
    const sum = counts.reduce((all, { waiting, sending, dead }) => all + waiting + sending + dead, 0);
    return sum > 0 ? [`${sum} waiting messages`] : [];
  };
  const findWaiting: Removal["findWaiting"] = async (run, cameraIds) => {
    if (cameraIds.length === 0) return new Set();
    return new Set((await run<{ id: number }>(FIND_WAITING, [json(cameraIds)])).map(({ id }) => id));
  };
  const removeIdle: Removal["removeIdle"] = async (run, ids) => {
    if (ids.length === 0) return { waiting: new Set(), imagePaths: [] };
    await run(LOCK_CAMERAS, [json(ids)]);
    const waiting = await findWaiting(run, ids);
    const idle = ids.filter((id) => !waiting.has(id));
    if (idle.length === 0) return { waiting, imagePaths: [] };
    const { imagePaths } = readErased(await run<ErasedRow>(ERASE_DELIVERED, [json(idle)]));
    await run(DISCARD_UNQUEUED, [json(idle)]);
    await cameras.remove(run, idle);
    return { waiting, imagePaths };
  };

  return {
    findWaiting,
    countMessages: async (run, cameraId) => {
      const [counts] = await run<Counts>(COUNT_MESSAGES, [json([cameraId])]);
      return counts ?? { waiting: 0, sending: 0, dead: 0 };
    },
    removeIdle,
    removeCameras: async (run, ids) => {
      const { waiting, imagePaths } = await removeIdle(run, ids);
      const [first] = await cameras.find(run, [...waiting]);
      if (first !== undefined) requireUnused(`the camera ${first.serial}`, await waitingOf(run, [first]));
      return imagePaths;
    },
    removeMunicipalities: async (run, ids) => {
      if (ids.length === 0) return;
      const users = Map.groupBy(await cameras.list(run), ({ municipalityId }) => municipalityId);
      for (const { id, name } of await municipalities.find(run, ids)) {
        const own = users.get(id) ?? [];
        if (own.length > 0)
          requireUnused(`the municipality ${name}`, [...(await waitingOf(run, own)), ...own.map(said)]);
      }
      await municipalities.remove(run, ids);
    },
    removeEndpoints: async (run, ids, fromUsers) => {
      if (ids.length === 0) return;
      const going = new Set<number | null>(ids);
      const isUser = ({ endpointId }: { endpointId: number | null }): boolean => going.has(endpointId);
      const withoutEndpoint = <T extends object>(found: T) => ({ found, value: { ...found, endpointId: null } });
      if (fromUsers) {
        await saving.saveCameras(
          run,
          (await cameras.list(run)).filter(isUser).map((found) => withoutEndpoint(found).value),
        );
        await saving.changeMunicipalities(run, (await municipalities.list(run)).filter(isUser).map(withoutEndpoint));
      }
      const users = (await municipalities.list(run)).filter(isUser);
      const all = await cameras.list(run);
      for (const { id, name } of await endpoints.find(run, ids)) {
        const own = all.filter(({ endpointId }) => endpointId === id);
        const theirs = users.filter(({ endpointId }) => endpointId === id);
        if (own.length + theirs.length === 0) continue;
        const municipalityIds = new Set(theirs.map((municipality) => municipality.id));
        const sent = all.filter((c) => (c.endpointId ?? (municipalityIds.has(c.municipalityId) ? id : null)) === id);
        requireUnused(`the endpoint ${name}`, [
          ...(await waitingOf(run, sent)),
          ...theirs.map((municipality) => `municipality ${municipality.name}`),
          ...own.map(said),
        ]);
      }
      await run(`DELETE FROM route_states WHERE endpoint_id = ${anyOf("$1", "integer")}`, [json(ids)]);
      await endpoints.remove(run, ids);
    },
    removeCertificates: async (run, ids, fromUsers) => {
      if (ids.length === 0) return;
      const going = new Set<number | null>(ids);
      let users = (await municipalities.list(run)).filter(({ certificateId }) => going.has(certificateId));
      if (fromUsers) {
        const without = users.map((found) => ({ found, value: { ...found, certificateId: null } }));
        await saving.changeMunicipalities(run, without);
        users = [];
      }
      const rotating = await rotatingMunicipalities(run, ids);
      const signers = Map.groupBy(users, ({ certificateId }) => certificateId);
      for (const { id, name } of await certificates.find(run, ids)) {
        const rotation = rotating.get(id);
        requireUnused(`the certificate ${name}`, [
          ...(signers.get(id) ?? []).map((municipality) => `municipality ${municipality.name}`),
          ...(rotation === undefined ? [] : [`the rotation of ${rotation}`]),
        ]);
      }
      await run(`DELETE FROM route_states WHERE certificate_id = ${anyOf("$1", "integer")}`, [json(ids)]);
      // A column of the old program, which tattile does not go by.
      await run(`UPDATE cameras SET certificate_id = NULL WHERE certificate_id = ${anyOf("$1", "integer")}`, [
        json(ids),
      ]);
      await certificates.remove(run, ids);
    },
  };
}

const said = ({ serial }: Camera): string => `camera ${serial}`;
