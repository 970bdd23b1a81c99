import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import { codeOf, type Run } from "./postgres-connection.ts";
import type { Revival } from "./postgres-revive.ts";
import { instant, json } from "./postgres-rows.ts";
import { anyOf, createTable, type RegistryTable } from "./postgres-table.ts";
import type {
  Camera,
  Certificate,
  Endpoint,
  Municipality,
  NewCamera,
  NewEndpoint,
  NewMunicipality,
  SaveResult,
} from "./registry.ts";
import { CAMERA, CERTIFICATE, ENDPOINT, MUNICIPALITY, nameKey } from "./sqlite-rows.ts";

const LOCKED = "55P03";

/**
 * Who changes the registry holds this, whatever the machine: names are unique by what was read before.
 * @throws AppError `conflict` when another change takes its time
 */
export async function lockRegistry(run: Run): Promise<void> {
  try {
    await run("SELECT pg_advisory_xact_lock(7311, 2)");
  } catch (error) {
    if (codeOf(error) !== LOCKED) throw error;
    throw new AppError("conflict", "saving the registry: somebody else is changing it", {
      hint: "Try again in a moment.",
    });
  }
}

const MEND_ENDPOINTS = `INSERT INTO route_states AS s (endpoint_id, certificate_id, mended_at)
    SELECT value::integer, 0, $2::text::timestamptz FROM json_array_elements_text($1::text::json)
    UNION SELECT endpoint_id, certificate_id, $2::text::timestamptz FROM route_states
      WHERE endpoint_id = ${anyOf("$1", "integer")}
  ON CONFLICT (endpoint_id, certificate_id) DO UPDATE SET mended_at = excluded.mended_at`;
const MEND_CERTIFICATES = `UPDATE route_states SET mended_at = $2::text::timestamptz
  WHERE certificate_id = ${anyOf("$1", "integer")}`;
/** A certificate and the municipality that it is taken from, or given to. */
const OWNERS = "FROM json_to_recordset($1::text::json) AS g (certificate integer, municipality integer)";
const DISOWN = `UPDATE certificates k SET municipality_id = NULL ${OWNERS}
  WHERE k.id = g.certificate AND k.municipality_id = g.municipality`;
const OWN = `UPDATE certificates k SET municipality_id = g.municipality ${OWNERS} WHERE k.id = g.certificate`;

export interface RegistryTables {
  municipalities: RegistryTable<Municipality>;
  endpoints: RegistryTable<Endpoint>;
  certificates: RegistryTable<Certificate>;
  cameras: RegistryTable<Camera>;
}

export function createTables(): RegistryTables {
  return {
    municipalities: createTable(MUNICIPALITY),
    endpoints: createTable(ENDPOINT),
    certificates: createTable(CERTIFICATE),
    cameras: createTable(CAMERA, ["lastReadingAt", "lastSentAt"]),
  };
}

/** A record as it is to be, and as it is; null: there is none. */
type Wanted<T, V> = { found: T | null; value: V };

/**
 * What an operator saves, with all that follows from it: pauses end, certificates change hands, messages come back. However
 * many records, so many statements and no more: a server may be far away, and the transaction has its time limit.
 */
export interface Saving {
  /** By name. Of two of the same name the later counts. @returns what was done with each */
  saveMunicipalities(run: Run, values: readonly NewMunicipality[]): Promise<readonly SaveResult[]>;
  /** The same of records that were found already. */
  changeMunicipalities(
    run: Run,
    wanted: readonly Wanted<Municipality, NewMunicipality>[],
  ): Promise<readonly SaveResult[]>;
  saveEndpoints(run: Run, values: readonly NewEndpoint[]): Promise<readonly SaveResult[]>;
  /** By serial. */
  saveCameras(run: Run, values: readonly NewCamera[]): Promise<readonly SaveResult[]>;
  /** Gives a municipality its certificate. @returns the earlier one */
  assign(run: Run, municipalityId: number, certificateId: number | null): Promise<number | null>;
  /** @throws AppError `not-found` naming the first of these ids that is not there */
  requireExist(
    run: Run,
    table: RegistryTable<{ id: number }>,
    what: string,
    ids: readonly (number | null)[],
  ): Promise<void>;
}

/**
 * Looks up records by name. The replaced system has no key of a name to look for, and compared names as they are: of several
 * the one written so, else the first.
 */
export function byName<T extends { name: string }>(all: readonly T[]): (name: string) => T | null {
  const keyed = new Map<string, T>();
  const exact = new Map<string, T>();
  for (const one of all) {
    if (!keyed.has(nameKey(one.name))) keyed.set(nameKey(one.name), one);
    if (!exact.has(one.name)) exact.set(one.name, one);
  }
  return (name) => exact.get(name) ?? keyed.get(nameKey(name)) ?? null;
}

export function createSaving(tables: RegistryTables, revival: Revival, clock: Clock): Saving {
  const { municipalities, endpoints, certificates, cameras } = tables;

  const mended = async (
    run: Run,
    endpointIds: readonly (number | null)[],
    certificateIds: readonly (number | null)[],
  ): Promise<void> => {
    const now = clock.now();
    const changed = [present(endpointIds), present(certificateIds)] as const;
    if (changed[0].length > 0) await run(MEND_ENDPOINTS, [json(changed[0]), instant(now)]);
    if (changed[1].length > 0) await run(MEND_CERTIFICATES, [json(changed[1]), instant(now)]);
    await revival.afterChange(run, new Set(changed[1]), now);
  };
  const requireExist: Saving["requireExist"] = async (run, table, what, ids) => {
    const wanted = present(ids);
    const there = new Set((await table.find(run, wanted)).map(({ id }) => id));
    const missing = wanted.find((id) => !there.has(id));
    if (missing === undefined) return;
    throw new AppError("not-found", `saving the registry: no ${what} with this id (${missing})`);
  };
  /** Each record once, whatever it is found by: of several values for it the last counts. */
  const save = async <T extends { id: number }, V extends object>(
    run: Run,
    table: RegistryTable<T>,
    wanted: readonly Wanted<T, V>[],
    keyOf: (value: V) => string,
  ): Promise<(Wanted<T, V> & { id: number; result: SaveResult })[]> => {
    const once = new Map(wanted.map((one) => [one.found?.id ?? keyOf(one.value), one]));
    const [added, present] = [
      [...once.values()].filter(({ found }) => found === null),
      [...once.values()].flatMap(there),
    ];
    const ids = await table.insert(
      run,
      added.map(({ value }) => value),
    );
    const changed = await table.update(run, present);
    return [
      ...added.map((one, at) => ({ ...one, id: ids[at] ?? 0, result: "added" as const })),
      ...present.map((one) => {
        const { id } = one.found;
        return { ...one, id, result: changed.has(id) ? ("changed" as const) : ("unchanged" as const) };
      }),
    ];
  };
  const changeOwners = async (
    run: Run,
    changes: readonly { id: number; before: number | null; after: number | null }[],
  ): Promise<void> => {
    const left = changes.filter(({ before, after }) => before !== null && before !== after);
    const owners = new Map(changes.map(({ id, after }) => [after, id]));
    owners.delete(null);
    if (left.length > 0) {
      await run(DISOWN, [json(left.map(({ id, before }) => ({ certificate: before, municipality: id })))]);
    }
    if (owners.size > 0) {
      await run(OWN, [json([...owners].map(([certificate, municipality]) => ({ certificate, municipality })))]);
    }
  };

  const changeMunicipalities: Saving["changeMunicipalities"] = async (run, wanted) => {
    const values = wanted.map(({ value }) => value);
    await requireExist(
      run,
      endpoints,
      "endpoint",
      values.map(({ endpointId }) => endpointId),
    );
    await requireExist(
      run,
      certificates,
      "certificate",
      values.map(({ certificateId }) => certificateId),
    );
    const saved = await save(run, municipalities, wanted, ({ name }) => nameKey(name));
    const changed = saved.filter(({ result }) => result !== "unchanged");
    if (changed.length > 0) {
      await changeOwners(
        run,
        changed.map(({ id, found, value }) => ({
          id,
          before: found?.certificateId ?? null,
          after: value.certificateId,
        })),
      );
      await mended(
        run,
        changed.map(({ value }) => value.endpointId),
        changed.map(({ value }) => value.certificateId),
      );
    }
    return saved.map(({ result }) => result);
  };

  return {
    requireExist,
    changeMunicipalities,
    saveMunicipalities: async (run, values) => {
      if (values.length === 0) return [];
      const find = byName(await municipalities.list(run));
      return changeMunicipalities(
        run,
        values.map((value) => ({ found: find(value.name), value })),
      );
    },
    saveEndpoints: async (run, values) => {
      if (values.length === 0) return [];
      const find = byName(await endpoints.list(run));
      const wanted = values.map((value) => ({ found: find(value.name), value }));
      const saved = await save(run, endpoints, wanted, ({ name }) => nameKey(name));
      const changed = saved.filter(({ result }) => result === "changed").map(({ id }) => id);
      if (changed.length > 0) await mended(run, changed, []);
      return saved.map(({ result }) => result);
    },
    saveCameras: async (run, values) => {
      if (values.length === 0) return [];
      await requireExist(
        run,
        municipalities,
        "municipality",
        values.map(({ municipalityId }) => municipalityId),
      );
      await requireExist(
        run,
        endpoints,
        "endpoint",
        values.map(({ endpointId }) => endpointId),
      );
      const serials = json(values.map(({ serial }) => serial));
      const all = await cameras.list(run, `t.serial_number = ${anyOf("$1", "text")}`, [serials]);
      const bySerial = new Map(all.map((camera) => [camera.serial, camera]));
      const wanted = values.map((value) => ({ found: bySerial.get(value.serial) ?? null, value }));
      const saved = await save(run, cameras, wanted, ({ serial }) => serial);
      if (saved.some(({ result }) => result !== "unchanged")) await mended(run, [], []);
      return saved.map(({ result }) => result);
    },
    assign: async (run, municipalityId, certificateId) => {
      await requireExist(run, municipalities, "municipality", [municipalityId]);
      await requireExist(run, certificates, "certificate", [certificateId]);
      const [municipality] = await municipalities.find(run, [municipalityId]);
      await run("UPDATE municipalities SET certificate_id = $2::text::integer WHERE id = $1::text::integer", [
        String(municipalityId),
        certificateId === null ? null : String(certificateId),
      ]);
      const before = municipality?.certificateId ?? null;
      await changeOwners(run, [{ id: municipalityId, before, after: certificateId }]);
      await mended(run, [municipality?.endpointId ?? null], [certificateId]);
      return before;
    },
  };
}

function present(ids: readonly (number | null)[]): number[] {
  return [...new Set(ids)].filter((id) => id !== null);
}

function there<T, V>({ found, value }: Wanted<T, V>): { found: T; value: V }[] {
  return found === null ? [] : [{ found, value }];
}
