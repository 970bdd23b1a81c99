import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import type { NewCamera, NewEndpoint, NewMunicipality, Registry, RegistryChange, SaveResult } from "./registry.ts";
import type { Connection } from "./sqlite-connection.ts";
import type { Revival } from "./sqlite-revive.ts";
import { createRotations } from "./sqlite-rotations.ts";
import {
  CAMERA,
  CERTIFICATE,
  ENDPOINT,
  MUNICIPALITY,
  nameKey,
  type Row,
  readEntity,
  selectEntity,
} from "./sqlite-rows.ts";
import { createTable, type RegistryTable } from "./sqlite-table.ts";
import { requireUnused } from "./still-used.ts";
import type { OperatorStore } from "./store.ts";

/** What an operator sets up. A write also lifts pauses and brings back messages that it concerns, in the same transaction. */
export function createRegistry(
  connection: Connection,
  revival: Revival,
  discardMessages: OperatorStore["discardMessages"],
  clock: Clock,
): Registry {
  const name_key = (value: object): string => nameKey(String((value as { name: string }).name));
  const municipalities = createTable(connection, MUNICIPALITY, { derived: { name_key } });
  const endpoints = createTable(connection, ENDPOINT, { derived: { name_key } });
  const certificates = createTable(connection, CERTIFICATE, { derived: { name_key } });
  const cameras = createTable(connection, CAMERA, { readOnly: ["lastReadingAt", "lastSentAt"] });
  const idOfMunicipality = connection.prepare<{ id: number }, [string]>(
    "SELECT id FROM municipalities WHERE name_key = ?",
  );
  const idOfEndpoint = connection.prepare<{ id: number }, [string]>("SELECT id FROM endpoints WHERE name_key = ?");
  const cameraOf = connection.prepare<Row, [string]>(
    `SELECT ${selectEntity(CAMERA, "c")} FROM cameras c WHERE c.serial_number = ?`,
  );
  const idOfCamera = connection.prepare<{ id: number }, [string]>("SELECT id FROM cameras WHERE serial_number = ?");
  // Of several of the same name the one in use, else the newest.
  const idOfCertificate = connection.prepare<{ id: number }, [string]>(
    `SELECT id FROM certificates WHERE name_key = ?
     ORDER BY id IN (SELECT certificate_id FROM municipalities) DESC, id DESC LIMIT 1`,
  );
  const setCertificate = connection.prepare<never, [number | null, number]>(
    "UPDATE municipalities SET certificate_id = ? WHERE id = ?",
  );
  const setOwner = connection.prepare<never, [number | null, number]>(
    "UPDATE certificates SET municipality_id = ? WHERE id = ?",
  );
  const mendEndpoint = connection.prepare<never, { endpoint: number; now: number }[]>(
    `INSERT INTO route_states (endpoint_id, certificate_id, mended_at)
       SELECT $endpoint, 0, $now WHERE true UNION SELECT endpoint_id, certificate_id, $now FROM route_states WHERE endpoint_id = $endpoint
     ON CONFLICT DO UPDATE SET mended_at = excluded.mended_at`,
  );
  const mendCertificate = connection.prepare<never, { certificate: number; now: number }[]>(
    "UPDATE route_states SET mended_at = $now WHERE certificate_id = $certificate",
  );
  const forgetEndpoint = connection.prepare<never, [number]>("DELETE FROM route_states WHERE endpoint_id = ?");
  const forgetCertificate = connection.prepare<never, [number]>("DELETE FROM route_states WHERE certificate_id = ?");
  const countMessages = connection.prepare<{ waiting: number; sending: number; dead: number }, { camera: number }[]>(
    `SELECT (SELECT count(*) FROM messages_queue WHERE status = 'PENDING' AND camera_id = $camera)
        + (SELECT count(*) FROM messages_queue WHERE status = 'FAILED' AND camera_id = $camera) AS waiting,
      (SELECT count(*) FROM messages_queue WHERE status = 'SENDING' AND camera_id = $camera) AS sending,
      (SELECT count(*) FROM messages_queue INDEXED BY messages_dead WHERE status = 'DEAD' AND camera_id = $camera) AS dead`,
  );
  const hasMessages = connection.prepare<{ found: number }, { camera: number }[]>(
    `SELECT EXISTS (SELECT 1 FROM messages_queue WHERE status = 'PENDING' AND camera_id = $camera)
      OR EXISTS (SELECT 1 FROM messages_queue WHERE status = 'FAILED' AND camera_id = $camera)
      OR EXISTS (SELECT 1 FROM messages_queue WHERE status = 'SENDING' AND camera_id = $camera)
      OR EXISTS (SELECT 1 FROM messages_queue INDEXED BY messages_dead_camera WHERE status = 'DEAD' AND camera_id = $camera) AS found`,
  );
  const camerasOf = connection.prepare<{ id: number; serial: string }, [number]>(
    "SELECT id, serial_number AS serial FROM cameras WHERE municipality_id = ? ORDER BY id",
  );
  const switchOff = connection.prepare<never, [number]>("UPDATE cameras SET active = 0 WHERE id = ?");

  const mended = (endpointIds: readonly (number | null)[], certificateIds: readonly (number | null)[]): void => {
    const now = clock.now().getTime();
    const changed = certificateIds.filter((id) => id !== null);
    for (const endpoint of endpointIds) if (endpoint !== null) mendEndpoint.run({ endpoint, now });
    for (const certificate of changed) mendCertificate.run({ certificate, now });
    revival.afterChange(changed, now);
  };
  const save = <T extends { id: number }>(
    table: RegistryTable<T>,
    id: number | undefined,
    value: object,
  ): SaveResult => {
    const found = id === undefined ? null : table.find(id);
    if (found !== null) return table.update(found, value) ? "changed" : "unchanged";
    table.insert(value);
    return "added";
  };
  const waitingOf = (cameraIds: readonly number[]): number =>
    cameraIds.reduce((sum, camera) => {
      const counts = countMessages.get({ camera });
      return sum + (counts === null ? 0 : counts.waiting + counts.sending + counts.dead);
    }, 0);
  const usersOf = (owner: {
    municipalities?: readonly string[];
    cameras: readonly { id: number; serial: string }[];
  }): string[] => {
    const waiting = waitingOf(owner.cameras.map(({ id }) => id));
    return [
      ...(waiting > 0 ? [`${waiting} waiting messages`] : []),
      ...(owner.municipalities ?? []).map((name) => `municipality ${name}`),
      ...owner.cameras.map(({ serial }) => `camera ${serial}`),
    ];
  };
  const requireExists = (table: RegistryTable<{ id: number }>, what: string, id: number | null): void => {
    if (id === null || table.find(id) !== null) return;
    throw new AppError("not-found", `saving the registry: no ${what} with this id (${id})`);
  };
  /** @returns the earlier one */
  const assign = (municipalityId: number, certificateId: number | null): number | null => {
    requireExists(municipalities, "municipality", municipalityId);
    requireExists(certificates, "certificate", certificateId);
    const municipality = municipalities.find(municipalityId);
    const previous = municipality?.certificateId ?? null;
    setCertificate.run(certificateId, municipalityId);
    disown(previous, certificateId, municipalityId);
    mended([municipality?.endpointId ?? null], [certificateId]);
    return previous;
  };
  const disown = (previousId: number | null, certificateId: number | null, municipalityId: number): void => {
    if (
      previousId !== null &&
      previousId !== certificateId &&
      certificates.find(previousId)?.municipalityId === municipalityId
    ) {
      setOwner.run(null, previousId);
    }
    if (certificateId !== null) setOwner.run(municipalityId, certificateId);
  };
  const find = <T>(table: RegistryTable<T>, row: { id: number } | null): T | null =>
    row === null ? null : table.find(row.id);
  const reading = async <T>(work: () => T): Promise<T> => connection.read("reading the registry", work);
  const writing = async <T>(work: () => T): Promise<T> => connection.write("saving the registry", work);
  const writeMunicipality = (value: NewMunicipality): SaveResult => {
    requireExists(endpoints, "endpoint", value.endpointId);
    requireExists(certificates, "certificate", value.certificateId);
    const before = find(municipalities, idOfMunicipality.get(nameKey(value.name)));
    const result = save(municipalities, before?.id, value);
    const id = before?.id ?? idOfMunicipality.get(nameKey(value.name))?.id;
    if (result !== "unchanged" && id !== undefined) disown(before?.certificateId ?? null, value.certificateId, id);
    return result;
  };
  /** Many records, and then once what follows from those that were not as they are to be. */
  const saveMunicipalities = (values: readonly NewMunicipality[]): readonly SaveResult[] => {
    const results = values.map(writeMunicipality);
    const changed = values.filter((_value, at) => results[at] !== "unchanged");
    if (changed.length > 0) {
      mended(
        changed.map(({ endpointId }) => endpointId),
        changed.map(({ certificateId }) => certificateId),
      );
    }
    return results;
  };
  const saveEndpoint = (value: NewEndpoint): SaveResult => {
    const id = idOfEndpoint.get(nameKey(value.name))?.id;
    const result = save(endpoints, id, value);
    if (result === "changed") mended([id ?? null], []);
    return result;
  };
  const saveCameras = (values: readonly NewCamera[]): readonly SaveResult[] => {
    const results = values.map((value) => {
      requireExists(municipalities, "municipality", value.municipalityId);
      requireExists(endpoints, "endpoint", value.endpointId);
      return save(cameras, idOfCamera.get(value.serial)?.id, value);
    });
    if (results.some((result) => result !== "unchanged")) mended([], []);
    return results;
  };
  const removeMunicipality = (id: number): void => {
    requireUnused(`the municipality ${municipalities.find(id)?.name ?? id}`, usersOf({ cameras: camerasOf.all(id) }));
    municipalities.remove(id);
  };
  const removeEndpoint = (id: number, fromUsers: boolean): void => {
    if (fromUsers) {
      const without = <T extends { endpointId: number | null }>(all: readonly T[]) =>
        all.filter(({ endpointId }) => endpointId === id).map((user) => ({ ...user, endpointId: null }));
      saveCameras(without(cameras.list()));
      saveMunicipalities(without(municipalities.list()));
    }
    const users = municipalities.list().filter((municipality) => municipality.endpointId === id);
    const userIds = users.map((municipality) => municipality.id);
    const all = cameras.list();
    const own = all.filter((camera) => camera.endpointId === id);
    const waiting = waitingOf(
      all.filter((c) => (c.endpointId ?? (userIds.includes(c.municipalityId) ? id : null)) === id).map((c) => c.id),
    );
    requireUnused(`the endpoint ${endpoints.find(id)?.name ?? id}`, [
      ...(users.length + own.length > 0 && waiting > 0 ? [`${waiting} waiting messages`] : []),
      ...users.map(({ name }) => `municipality ${name}`),
      ...own.map(({ serial }) => `camera ${serial}`),
    ]);
    forgetEndpoint.run(id);
    endpoints.remove(id);
  };
  const { rotatingMunicipality, ...rotationStore } = createRotations(connection, assign);
  const rotationOf = (certificateId: number): string[] => {
    const name = rotatingMunicipality(certificateId);
    return name === null ? [] : [`the rotation of ${name}`];
  };
  const removeCertificate = (id: number, fromUsers: boolean): void => {
    const users = municipalities.list().filter((municipality) => municipality.certificateId === id);
    if (fromUsers) for (const user of users.splice(0)) assign(user.id, null);
    const name = certificates.find(id)?.name ?? id;
    requireUnused(`the certificate ${name}`, [...users.map(({ name }) => `municipality ${name}`), ...rotationOf(id)]);
    forgetCertificate.run(id);
    certificates.remove(id);
  };
  const idNamed = (what: string, name: string | null, row: (key: string) => { id: number } | null): number | null => {
    if (name === null) return null;
    const found = row(name);
    if (found !== null) return found.id;
    throw new AppError("not-found", `saving the registry: no ${what} of this name (${name})`);
  };
  const apply = (change: RegistryChange): void => {
    const endpointId = (name: string | null) => idNamed("endpoint", name, (key) => idOfEndpoint.get(nameKey(key)));
    for (const value of change.endpoints) saveEndpoint(value);
    const added = change.certificates.map((value) => certificates.insert({ ...value, municipalityId: null }));
    saveMunicipalities(
      change.municipalities.map(({ endpoint, certificate, ...value }) => ({
        ...value,
        endpointId: endpointId(endpoint),
        certificateId:
          certificate === null ? null : "id" in certificate ? certificate.id : (added[certificate.added] ?? null),
      })),
    );
    saveCameras(
      change.cameras.map(({ municipality, endpoint, ...value }) => ({
        ...value,
        municipalityId: idNamed("municipality", municipality, (key) => idOfMunicipality.get(nameKey(key))) ?? 0,
        endpointId: endpointId(endpoint),
      })),
    );
    for (const id of change.removed.cameras) {
      const waiting = waitingOf([id]);
      requireUnused(`the camera ${cameras.find(id)?.serial ?? id}`, waiting > 0 ? [`${waiting} waiting messages`] : []);
      cameras.remove(id);
    }
    for (const id of change.removed.municipalities) removeMunicipality(id);
    for (const id of change.removed.certificates) removeCertificate(id, false);
    for (const id of change.removed.endpoints) removeEndpoint(id, false);
  };

  return {
    listMunicipalities: () => reading(() => municipalities.list()),
    listEndpoints: () => reading(() => endpoints.list()),
    listCertificates: () => reading(() => certificates.list()),
    listCameras: () => reading(() => cameras.list()),
    findMunicipality: (name) => reading(() => find(municipalities, idOfMunicipality.get(nameKey(name)))),
    findEndpoint: (name) => reading(() => find(endpoints, idOfEndpoint.get(nameKey(name)))),
    findCertificate: (idOrName) =>
      reading(() =>
        typeof idOrName === "number"
          ? certificates.find(idOrName)
          : find(certificates, idOfCertificate.get(nameKey(idOrName))),
      ),
    findCamera: async (serial) =>
      connection.look("reading the registry", () => {
        const row = cameraOf.get(serial);
        return row === null ? null : readEntity(CAMERA, row);
      }),
    findWaiting: (cameraIds) =>
      reading(() => new Set(cameraIds.filter((id) => hasMessages.get({ camera: id })?.found === 1))),
    saveMunicipality: (value) => writing(() => saveMunicipalities([value])[0] ?? "unchanged"),
    saveEndpoint: (value) => writing(() => saveEndpoint(value)),
    saveCamera: (value) => writing(() => saveCameras([value])[0] ?? "unchanged"),
    addCertificate: (value) =>
      writing(() => {
        requireExists(municipalities, "municipality", value.municipalityId);
        const id = certificates.insert(value);
        if (value.municipalityId !== null) assign(value.municipalityId, id);
        return id;
      }),
    assignCertificate: (municipalityId, certificateId) =>
      writing(() => {
        assign(municipalityId, certificateId);
      }),
    ...rotationStore,
    removeMunicipality: (id) => writing(() => removeMunicipality(id)),
    removeEndpoint: (id, fromUsers = false) => writing(() => removeEndpoint(id, fromUsers)),
    removeCertificate: (id, fromUsers = false) => writing(() => removeCertificate(id, fromUsers)),
    applyRegistry: (change) => writing(() => apply(change)),
    removeCamera: async (id, withReadings) => {
      const serial = await writing(() => {
        const camera = cameras.find(id);
        if (camera === null) return null;
        const { waiting, sending, dead } = countMessages.get({ camera: id }) ?? { waiting: 0, sending: 0, dead: 0 };
        if (sending > 0 || (!withReadings && waiting + dead > 0)) {
          throw new AppError(
            "conflict",
            `removing the camera ${camera.serial}: ${waiting} messages wait, ${dead} are dead, ${sending} are being sent`,
            { hint: sending > 0 ? "Try again in a moment." : "Send or discard them first." },
          );
        }
        // Off first: while its readings go, step by step, no new ones come.
        switchOff.run(id);
        return camera.serial;
      });
      if (serial === null) return { imagePaths: [], readings: 0 };
      const discarded = await discardMessages({ cameraSerial: serial });
      await writing(() => {
        requireUnused(`the camera ${serial}`, waitingOf([id]) > 0 ? ["messages that were claimed meanwhile"] : []);
        cameras.remove(id);
      });
      return { imagePaths: discarded.imagePaths, readings: discarded.messages };
    },
  };
}
