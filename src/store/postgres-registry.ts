import { AppError } from "../errors.ts";
import type { Holdings } from "./holdings.ts";
import type { Pool, Run } from "./postgres-connection.ts";
import type { Removal } from "./postgres-removal.ts";
import { createRotations } from "./postgres-rotations.ts";
import { byName, lockRegistry, type RegistryTables, type Saving } from "./postgres-saving.ts";
import type { Registry, RegistryChange, SaveResult } from "./registry.ts";
import { nameKey } from "./sqlite-rows.ts";
import type { OperatorStore } from "./store.ts";

/** What an operator sets up. A write also lifts pauses and brings back messages that it concerns, in the same transaction. */
export function createRegistry(
  pool: Pool,
  { tables, saving, removal }: { tables: RegistryTables; saving: Saving; removal: Removal },
  { discardMessages, discardUnqueued }: Pick<OperatorStore, "discardMessages"> & Pick<Holdings, "discardUnqueued">,
): Registry {
  const { municipalities, endpoints, certificates, cameras } = tables;
  const { requireExist, assign } = saving;

  const reading = <T>(work: (run: Run) => Promise<T>): Promise<T> =>
    work((sql, parameters) => pool.query("reading the registry", sql, parameters));
  const locked =
    <T>(work: (run: Run) => Promise<T>) =>
    async (run: Run): Promise<T> => {
      await lockRegistry(run);
      return work(run);
    };
  const writing = <T>(work: (run: Run) => Promise<T>): Promise<T> =>
    pool.transaction("saving the registry", locked(work));
  // For each camera that goes PostgreSQL itself looks through all readings for one of it: no index of theirs leads by camera.
  const removing = <T>(work: (run: Run) => Promise<T>): Promise<T> =>
    pool.patiently("saving the registry", locked(work));
  const first = async (results: Promise<readonly SaveResult[]>): Promise<SaveResult> =>
    (await results)[0] ?? "unchanged";
  const apply = async (run: Run, change: RegistryChange): Promise<void> => {
    await saving.saveEndpoints(run, change.endpoints);
    const added = await certificates.insert(
      run,
      change.certificates.map((value) => ({ ...value, municipalityId: null })),
    );
    const endpointId = idByName("endpoint", await endpoints.list(run));
    await saving.saveMunicipalities(
      run,
      change.municipalities.map(({ endpoint, certificate, ...value }) => ({
        ...value,
        endpointId: endpointId(endpoint),
        certificateId:
          certificate === null ? null : "id" in certificate ? certificate.id : (added[certificate.added] ?? null),
      })),
    );
    const municipalityId = idByName("municipality", await municipalities.list(run));
    await saving.saveCameras(
      run,
      change.cameras.map(({ municipality, endpoint, ...value }) => ({
        ...value,
        municipalityId: municipalityId(municipality) ?? 0,
        endpointId: endpointId(endpoint),
      })),
    );
    const { removed } = change;
    await removal.removeCameras(run, removed.cameras);
    await removal.removeMunicipalities(run, removed.municipalities);
    await removal.removeCertificates(run, removed.certificates, false);
    await removal.removeEndpoints(run, removed.endpoints, false);
  };

  return {
    listMunicipalities: () => reading((run) => municipalities.list(run)),
    listEndpoints: () => reading((run) => endpoints.list(run)),
    listCertificates: () => reading((run) => certificates.list(run)),
    listCameras: () => reading((run) => cameras.list(run)),
    findMunicipality: (name) => reading(async (run) => byName(await municipalities.list(run))(name)),
    findEndpoint: (name) => reading(async (run) => byName(await endpoints.list(run))(name)),
    // Of several of the same name the one in use, else the newest.
    findCertificate: (idOrName) =>
      reading(async (run) => {
        if (typeof idOrName === "number") return (await certificates.find(run, [idOrName]))[0] ?? null;
        const all = (await certificates.list(run)).filter(({ name }) => nameKey(name) === nameKey(idOrName)).reverse();
        const used = new Set((await municipalities.list(run)).map(({ certificateId }) => certificateId));
        return all.find(({ id }) => used.has(id)) ?? all[0] ?? null;
      }),
    findCamera: (serial) =>
      reading(async (run) => (await cameras.list(run, "t.serial_number = $1", [serial]))[0] ?? null),
    findWaiting: (cameraIds) => reading((run) => removal.findWaiting(run, cameraIds)),
    saveMunicipality: (value) => writing((run) => first(saving.saveMunicipalities(run, [value]))),
    saveEndpoint: (value) => writing((run) => first(saving.saveEndpoints(run, [value]))),
    saveCamera: (value) => writing((run) => first(saving.saveCameras(run, [value]))),
    addCertificate: (value) =>
      writing(async (run) => {
        await requireExist(run, municipalities, "municipality", [value.municipalityId]);
        const [id = 0] = await certificates.insert(run, [value]);
        if (value.municipalityId !== null) await assign(run, value.municipalityId, id);
        return id;
      }),
    assignCertificate: (municipalityId, certificateId) =>
      writing(async (run) => {
        await assign(run, municipalityId, certificateId);
      }),
    ...createRotations({ reading, writing, assign }),
    removeMunicipality: (id) => writing((run) => removal.removeMunicipalities(run, [id])),
    removeEndpoint: (id, fromUsers = false) => writing((run) => removal.removeEndpoints(run, [id], fromUsers)),
    removeCertificate: (id, fromUsers = false) => writing((run) => removal.removeCertificates(run, [id], fromUsers)),
    applyRegistry: (change) => (change.removed.cameras.length > 0 ? removing : writing)((run) => apply(run, change)),
    removeCamera: async (id, withReadings) => {
      const serial = await writing(async (run) => {
        const [camera] = await cameras.find(run, [id]);
        if (camera === undefined) return null;
        const { waiting, sending, dead } = await removal.countMessages(run, id);
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
      const delivered = await removing((run) => removal.removeCameras(run, [id]));
      return {
        imagePaths: [...discarded.imagePaths, ...unqueued.imagePaths, ...delivered],
        readings: discarded.messages + unqueued.readings,
      };
    },
  };
}

/** @returns the id of a name; null for none. It throws AppError `not-found` for a name that is not there. */
function idByName<T extends { id: number; name: string }>(what: string, all: readonly T[]) {
  const find = byName(all);
  return (name: string | null): number | null => {
    if (name === null) return null;
    const found = find(name);
    if (found !== null) return found.id;
    throw new AppError("not-found", `saving the registry: no ${what} of this name (${name})`);
  };
}
