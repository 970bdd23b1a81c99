import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import type { Holdings } from "./holdings.ts";
import type { Pool, Run } from "./postgres-connection.ts";
import type { Revival } from "./postgres-revive.ts";
import { createRotations, rotatingMunicipality } from "./postgres-rotations.ts";
import { instant } from "./postgres-rows.ts";
import { createTable, type RegistryTable } from "./postgres-table.ts";
import type { NewCamera, NewEndpoint, NewMunicipality, Registry, RegistryChange, SaveResult } from "./registry.ts";
import { CAMERA, CERTIFICATE, ENDPOINT, MUNICIPALITY, nameKey } from "./sqlite-rows.ts";
import type { OperatorStore } from "./store.ts";

/** Names shown in a refusal; the rest is a number. */
const NAMED_USERS = 3;
/** Who changes the registry holds this, whatever the machine: names are unique by what was read before. */
const REGISTRY_LOCK = "SELECT pg_advisory_xact_lock(7311, 2)";

const MEND_ENDPOINT = `INSERT INTO route_states AS s (endpoint_id, certificate_id, mended_at)
    SELECT $1::text::integer, 0, $2::text::timestamptz
    UNION SELECT endpoint_id, certificate_id, $2::text::timestamptz FROM route_states WHERE endpoint_id = $1::text::integer
  ON CONFLICT (endpoint_id, certificate_id) DO UPDATE SET mended_at = excluded.mended_at`;
const COUNT_MESSAGES = `SELECT
    (SELECT count(*) FROM messages_queue WHERE status = 'PENDING' AND camera_id = $1::text::integer)
      + (SELECT count(*) FROM messages_queue WHERE status = 'FAILED' AND camera_id = $1::text::integer) AS waiting,
    (SELECT count(*) FROM messages_queue WHERE status = 'SENDING' AND lease_until IS NOT NULL AND camera_id = $1::text::integer) AS sending,
    (SELECT count(*) FROM messages_queue WHERE status = 'DEAD' AND camera_id = $1::text::integer) AS dead`;

const DISCARD_UNQUEUED = `DELETE FROM alpr_readings r WHERE r.camera_id = $1::text::integer
  AND NOT EXISTS (SELECT 1 FROM messages_queue q WHERE q.reading_id = r.id)`;

interface Counts {
  waiting: number;
  sending: number;
  dead: number;
}

/** What an operator sets up. A write also lifts pauses and brings back messages that it concerns, in the same transaction. */
export function createRegistry(
  pool: Pool,
  revival: Revival,
  { discardMessages, discardUnqueued }: Pick<OperatorStore, "discardMessages"> & Pick<Holdings, "discardUnqueued">,
  clock: Clock,
): Registry {
  const municipalities = createTable(MUNICIPALITY);
  const endpoints = createTable(ENDPOINT);
  const certificates = createTable(CERTIFICATE);
  const cameras = createTable(CAMERA, ["lastReadingAt", "lastSentAt"]);

  const reading = <T>(work: (run: Run) => Promise<T>): Promise<T> =>
    work((sql, parameters) => pool.query("reading the registry", sql, parameters));
  const writing = <T>(work: (run: Run) => Promise<T>): Promise<T> =>
    pool.transaction("saving the registry", async (run) => {
      await run(REGISTRY_LOCK);
      return work(run);
    });
  /** The old program has no key of a name to look for, and compared names as they are: of several the first. */
  const byName = async <T extends { name: string }>(
    run: Run,
    table: { list(run: Run): Promise<T[]> },
    name: string,
  ) => {
    const all = (await table.list(run)).filter((one) => nameKey(one.name) === nameKey(name));
    return all.find((one) => one.name === name) ?? all[0] ?? null;
  };
  const cameraBySerial = async (run: Run, serial: string) => {
    const [row] = await run<{ id: number }>("SELECT id FROM cameras WHERE serial_number = $1", [serial]);
    return row === undefined ? null : cameras.find(run, row.id);
  };

  const mended = async (
    run: Run,
    endpointIds: readonly (number | null)[],
    certificateIds: readonly (number | null)[],
  ): Promise<void> => {
    const now = clock.now();
    const changed = certificateIds.filter((id) => id !== null);
    for (const id of endpointIds) if (id !== null) await run(MEND_ENDPOINT, [String(id), instant(now)]);
    for (const id of changed) {
      const sql = "UPDATE route_states SET mended_at = $2::text::timestamptz WHERE certificate_id = $1::text::integer";
      await run(sql, [String(id), instant(now)]);
    }
    await revival.afterChange(run, changed, now);
  };
  const save = async <T extends { id: number }>(
    run: Run,
    table: RegistryTable<T>,
    found: T | null,
    value: object,
  ): Promise<{ id: number; result: SaveResult }> => {
    if (found === null) return { id: await table.insert(run, value), result: "added" };
    return { id: found.id, result: (await table.update(run, found, value)) ? "changed" : "unchanged" };
  };
  const waitingOf = async (run: Run, cameraIds: readonly number[]): Promise<number> => {
    let sum = 0;
    for (const id of cameraIds) {
      const { waiting, sending, dead } = await countOf(run, id);
      sum += waiting + sending + dead;
    }
    return sum;
  };
  const requireExists = async (run: Run, table: RegistryTable<{ id: number }>, what: string, id: number | null) => {
    if (id === null || (await table.find(run, id)) !== null) return;
    throw new AppError("not-found", `saving the registry: no ${what} with this id (${id})`);
  };
  const setOwner = (run: Run, certificateId: number, municipalityId: number | null) =>
    run("UPDATE certificates SET municipality_id = $2::text::integer WHERE id = $1::text::integer", [
      String(certificateId),
      municipalityId === null ? null : String(municipalityId),
    ]);
  const disown = async (run: Run, previousId: number | null, certificateId: number | null, municipalityId: number) => {
    if (previousId !== null && previousId !== certificateId) {
      const previous = await certificates.find(run, previousId);
      if (previous?.municipalityId === municipalityId) await setOwner(run, previousId, null);
    }
    if (certificateId !== null) await setOwner(run, certificateId, municipalityId);
  };
  /** @returns the earlier one */
  const assign = async (run: Run, municipalityId: number, certificateId: number | null): Promise<number | null> => {
    await requireExists(run, municipalities, "municipality", municipalityId);
    await requireExists(run, certificates, "certificate", certificateId);
    const municipality = await municipalities.find(run, municipalityId);
    await run("UPDATE municipalities SET certificate_id = $2::text::integer WHERE id = $1::text::integer", [
      String(municipalityId),
      certificateId === null ? null : String(certificateId),
    ]);
    await disown(run, municipality?.certificateId ?? null, certificateId, municipalityId);
    await mended(run, [municipality?.endpointId ?? null], [certificateId]);
    return municipality?.certificateId ?? null;
  };

  const saveMunicipality = async (run: Run, value: NewMunicipality): Promise<SaveResult> => {
    await requireExists(run, endpoints, "endpoint", value.endpointId);
    await requireExists(run, certificates, "certificate", value.certificateId);
    const before = await byName(run, municipalities, value.name);
    const { id, result } = await save(run, municipalities, before, value);
    if (result !== "unchanged") {
      await disown(run, before?.certificateId ?? null, value.certificateId, id);
      await mended(run, [value.endpointId], [value.certificateId]);
    }
    return result;
  };
  const saveEndpoint = async (run: Run, value: NewEndpoint): Promise<SaveResult> => {
    const { id, result } = await save(run, endpoints, await byName(run, endpoints, value.name), value);
    if (result === "changed") await mended(run, [id], []);
    return result;
  };
  const saveCamera = async (run: Run, value: NewCamera): Promise<SaveResult> => {
    await requireExists(run, municipalities, "municipality", value.municipalityId);
    await requireExists(run, endpoints, "endpoint", value.endpointId);
    const { result } = await save(run, cameras, await cameraBySerial(run, value.serial), value);
    if (result !== "unchanged") await mended(run, [], []);
    return result;
  };
  const removeMunicipality = async (run: Run, id: number): Promise<void> => {
    const used = (await cameras.list(run)).filter((camera) => camera.municipalityId === id);
    const waiting = await waitingOf(
      run,
      used.map((camera) => camera.id),
    );
    requireUnused(`the municipality ${(await municipalities.find(run, id))?.name ?? id}`, [
      ...(waiting > 0 ? [`${waiting} waiting messages`] : []),
      ...used.map(({ serial }) => `camera ${serial}`),
    ]);
    await municipalities.remove(run, id);
  };
  const removeEndpoint = async (run: Run, id: number, fromUsers: boolean): Promise<void> => {
    if (fromUsers) {
      for (const user of await cameras.list(run)) {
        if (user.endpointId === id) await saveCamera(run, { ...user, endpointId: null });
      }
      for (const user of await municipalities.list(run)) {
        if (user.endpointId === id) await saveMunicipality(run, { ...user, endpointId: null });
      }
    }
    const users = (await municipalities.list(run)).filter((municipality) => municipality.endpointId === id);
    const userIds = users.map((municipality) => municipality.id);
    const all = await cameras.list(run);
    const own = all.filter((camera) => camera.endpointId === id);
    const sendTo = all.filter((c) => (c.endpointId ?? (userIds.includes(c.municipalityId) ? id : null)) === id);
    const waiting = await waitingOf(
      run,
      sendTo.map((camera) => camera.id),
    );
    requireUnused(`the endpoint ${(await endpoints.find(run, id))?.name ?? id}`, [
      ...(users.length + own.length > 0 && waiting > 0 ? [`${waiting} waiting messages`] : []),
      ...users.map(({ name }) => `municipality ${name}`),
      ...own.map(({ serial }) => `camera ${serial}`),
    ]);
    await run("DELETE FROM route_states WHERE endpoint_id = $1::text::integer", [String(id)]);
    await endpoints.remove(run, id);
  };
  const removeCertificate = async (run: Run, id: number, fromUsers: boolean): Promise<void> => {
    const users = (await municipalities.list(run)).filter((municipality) => municipality.certificateId === id);
    if (fromUsers) for (const user of users.splice(0)) await assign(run, user.id, null);
    const rotating = await rotatingMunicipality(run, id);
    requireUnused(`the certificate ${(await certificates.find(run, id))?.name ?? id}`, [
      ...users.map((municipality) => `municipality ${municipality.name}`),
      ...(rotating === null ? [] : [`the rotation of ${rotating}`]),
    ]);
    await run("DELETE FROM route_states WHERE certificate_id = $1::text::integer", [String(id)]);
    // A column of the old program, which tattile does not go by.
    await run("UPDATE cameras SET certificate_id = NULL WHERE certificate_id = $1::text::integer", [String(id)]);
    await certificates.remove(run, id);
  };
  const idNamed = async (
    run: Run,
    what: string,
    table: RegistryTable<{ id: number; name: string }>,
    name: string | null,
  ): Promise<number | null> => {
    if (name === null) return null;
    const found = await byName(run, table, name);
    if (found !== null) return found.id;
    throw new AppError("not-found", `saving the registry: no ${what} of this name (${name})`);
  };
  const apply = async (run: Run, change: RegistryChange): Promise<void> => {
    const endpointId = (name: string | null) => idNamed(run, "endpoint", endpoints, name);
    for (const value of change.endpoints) await saveEndpoint(run, value);
    const added: number[] = [];
    for (const value of change.certificates)
      added.push(await certificates.insert(run, { ...value, municipalityId: null }));
    for (const { endpoint, certificate, ...value } of change.municipalities) {
      const certificateId =
        certificate === null ? null : "id" in certificate ? certificate.id : (added[certificate.added] ?? null);
      await saveMunicipality(run, { ...value, endpointId: await endpointId(endpoint), certificateId });
    }
    for (const { municipality, endpoint, ...value } of change.cameras) {
      const id = await idNamed(run, "municipality", municipalities, municipality);
      await saveCamera(run, { ...value, municipalityId: id ?? 0, endpointId: await endpointId(endpoint) });
    }
    for (const id of change.removed.cameras) {
      const waiting = await waitingOf(run, [id]);
      const serial = (await cameras.find(run, id))?.serial ?? id;
      requireUnused(`the camera ${serial}`, waiting > 0 ? [`${waiting} waiting messages`] : []);
      // The replaced system left such; the sweep of orphans takes their pictures.
      await run(DISCARD_UNQUEUED, [String(id)]);
      await cameras.remove(run, id);
    }
    for (const id of change.removed.municipalities) await removeMunicipality(run, id);
    for (const id of change.removed.certificates) await removeCertificate(run, id, false);
    for (const id of change.removed.endpoints) await removeEndpoint(run, id, false);
  };

  return {
    listMunicipalities: () => reading(municipalities.list),
    listEndpoints: () => reading(endpoints.list),
    listCertificates: () => reading(certificates.list),
    listCameras: () => reading(cameras.list),
    findMunicipality: (name) => reading((run) => byName(run, municipalities, name)),
    findEndpoint: (name) => reading((run) => byName(run, endpoints, name)),
    // Of several of the same name the one in use, else the newest.
    findCertificate: (idOrName) =>
      reading(async (run) => {
        if (typeof idOrName === "number") return certificates.find(run, idOrName);
        const all = (await certificates.list(run)).filter(({ name }) => nameKey(name) === nameKey(idOrName)).reverse();
        const used = new Set((await municipalities.list(run)).map(({ certificateId }) => certificateId));
        return all.find(({ id }) => used.has(id)) ?? all[0] ?? null;
      }),
    findCamera: (serial) => reading((run) => cameraBySerial(run, serial)),
    saveMunicipality: (value) => writing((run) => saveMunicipality(run, value)),
    saveEndpoint: (value) => writing((run) => saveEndpoint(run, value)),
    saveCamera: (value) => writing((run) => saveCamera(run, value)),
    addCertificate: (value) =>
      writing(async (run) => {
        await requireExists(run, municipalities, "municipality", value.municipalityId);
        const id = await certificates.insert(run, value);
        if (value.municipalityId !== null) await assign(run, value.municipalityId, id);
        return id;
      }),
    assignCertificate: (municipalityId, certificateId) =>
      writing(async (run) => {
        await assign(run, municipalityId, certificateId);
      }),
    ...createRotations({ reading, writing, assign }),
    removeMunicipality: (id) => writing((run) => removeMunicipality(run, id)),
    removeEndpoint: (id, fromUsers = false) => writing((run) => removeEndpoint(run, id, fromUsers)),
    removeCertificate: (id, fromUsers = false) => writing((run) => removeCertificate(run, id, fromUsers)),
    applyRegistry: (change) => writing((run) => apply(run, change)),
    removeCamera: async (id, withReadings) => {
      const serial = await writing(async (run) => {
        const camera = await cameras.find(run, id);
        if (camera === null) return null;
        const { waiting, sending, dead } = await countOf(run, id);
        if (sending > 0 || (!withReadings && waiting + dead > 0)) {
          throw new AppError(
            "conflict",
            `removing the camera ${camera.serial}: ${waiting} messages wait, ${dead} are dead, ${sending} are being sent`,
            { hint: sending > 0 ? "Try again in a moment." : "Send or discard them first." },
          );
        }
        // Off first: while its readings go, step by step, no new ones come.
        await run("UPDATE cameras SET active = false WHERE id = $1::text::integer", [String(id)]);
        return camera.serial;
      });
      if (serial === null) return { imagePaths: [], readings: 0 };
      const discarded = await discardMessages({ cameraSerial: serial });
      const unqueued = await discardUnqueued(serial);
      await writing(async (run) => {
        const left = await waitingOf(run, [id]);
        requireUnused(`the camera ${serial}`, left > 0 ? ["messages that were claimed meanwhile"] : []);
        await cameras.remove(run, id);
      });
      return {
        imagePaths: [...discarded.imagePaths, ...unqueued.imagePaths],
        readings: discarded.messages + unqueued.readings,
      };
    },
  };
}

async function countOf(run: Run, cameraId: number): Promise<Counts> {
  const [counts] = await run<Counts>(COUNT_MESSAGES, [String(cameraId)]);
  return counts ?? { waiting: 0, sending: 0, dead: 0 };
}

function requireUnused(what: string, users: readonly string[]): void {
  if (users.length === 0) return;
  const more = users.length > NAMED_USERS ? `, and ${users.length - NAMED_USERS} more` : "";
  throw new AppError("conflict", `removing ${what}: still used by ${users.slice(0, NAMED_USERS).join(", ")}${more}`, {
    hint: "Change or remove what uses it first.",
  });
}
