import { AppError } from "../errors.ts";
import type { Run } from "./postgres-connection.ts";
import { clean, instant, json } from "./postgres-rows.ts";
import { anyOf } from "./postgres-table.ts";
import type { Rotation } from "./registry.ts";
import { beingTried, type RotationStore } from "./sqlite-rotations.ts";

const SELECT = `SELECT municipality_id AS "municipalityId", next_id AS "nextId", previous_id AS "previousId", state, detail,
    staged_at AS "stagedAt", started_at AS "startedAt" FROM certificate_rotations`;
const REMOVE = "DELETE FROM certificate_rotations WHERE municipality_id = $1::text::integer";

export interface RotationDeps {
  reading<T>(work: (run: Run) => Promise<T>): Promise<T>;
  /** One transaction under the registry's lock. */
  writing<T>(work: (run: Run) => Promise<T>): Promise<T>;
  /** Gives a municipality its certificate, with all that follows. @returns the earlier one */
  assign(run: Run, municipalityId: number, certificateId: number | null): Promise<number | null>;
}

export function createRotations({ reading, writing, assign }: RotationDeps): RotationStore {
  const find = async (run: Run, municipality: number): Promise<Rotation | undefined> =>
    (await run<Rotation>(`${SELECT} WHERE municipality_id = $1::text::integer`, [String(municipality)]))[0];
  return {
    listRotations: () => reading(async (run) => run<Rotation>(`${SELECT} ORDER BY municipality_id`)),
    stageRotation: (municipality, certificate, now) =>
      writing(async (run) => {
        const [row] = await run<{ found: number }>(
          `SELECT (SELECT count(*) FROM municipalities WHERE id = $1::text::integer)
             + (SELECT count(*) FROM certificates WHERE id = $2::text::integer) AS found`,
          [String(municipality), String(certificate)],
        );
        if (Number(row?.found) !== 2) {
          throw new AppError("not-found", "staging a certificate: no such municipality, or no such certificate");
        }
        if ((await find(run, municipality))?.state === "trying") throw beingTried();
        await run(
          `INSERT INTO certificate_rotations (municipality_id, next_id, state, staged_at)
           VALUES ($1::text::integer, $2::text::integer, 'staged', $3::text::timestamptz)
           ON CONFLICT (municipality_id) DO UPDATE SET next_id = excluded.next_id, previous_id = NULL, state = 'staged',
             detail = NULL, staged_at = excluded.staged_at, started_at = NULL`,
          [String(municipality), String(certificate), instant(now)],
        );
      }),
    startRotation: (municipality, now) =>
      writing(async (run) => {
        const rotation = await find(run, municipality);
        if (rotation?.state !== "staged") return false;
        // What was known of this certificate is from before.
        await run("DELETE FROM route_states WHERE certificate_id = $1::text::integer", [String(rotation.nextId)]);
        const previous = await assign(run, municipality, rotation.nextId);
        await run(
          `UPDATE certificate_rotations SET state = 'trying', previous_id = $2::text::integer,
             started_at = $3::text::timestamptz WHERE municipality_id = $1::text::integer`,
          [String(municipality), previous === null ? null : String(previous), instant(now)],
        );
        return true;
      }),
    finishRotation: (municipality, result) =>
      writing(async (run) => {
        const rotation = await find(run, municipality);
        if (rotation?.state !== "trying") return false;
        if (result.kind === "done") await run(REMOVE, [String(municipality)]);
        else {
          await assign(run, municipality, rotation.previousId);
          await run(
            "UPDATE certificate_rotations SET state = 'failed', detail = $2 WHERE municipality_id = $1::text::integer",
            [String(municipality), clean(result.detail.slice(0, 1000))],
          );
        }
        return true;
      }),
    cancelRotation: (municipality) => writing(async (run) => (await run(REMOVE, [String(municipality)])).count > 0),
  };
}

/** Of these certificates those that are part of a rotation, with the municipality whose it is. */
export async function rotatingMunicipalities(
  run: Run,
  certificateIds: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  const rows = await run<{ id: number; name: string }>(
    `SELECT k.id, m.name FROM certificate_rotations r JOIN municipalities m ON m.id = r.municipality_id
     CROSS JOIN LATERAL (VALUES (r.next_id), (r.previous_id)) AS k (id) WHERE k.id = ${anyOf("$1", "integer")}`,
    [json(certificateIds)],
  );
  return new Map(rows.map(({ id, name }) => [id, name]));
}
