import { AppError } from "../errors.ts";
import type { Registry, Rotation } from "./registry.ts";
import type { Connection } from "./sqlite-connection.ts";
import { dateOrNull } from "./sqlite-rows.ts";

export type RotationStore = Pick<
  Registry,
  "listRotations" | "stageRotation" | "startRotation" | "finishRotation" | "cancelRotation"
>;

type RotationRow = Omit<Rotation, "stagedAt" | "startedAt"> & { stagedAt: number; startedAt: number | null };

const SELECT = `SELECT municipality_id AS municipalityId, next_id AS nextId, previous_id AS previousId, state, detail,
    staged_at AS stagedAt, started_at AS startedAt FROM certificate_rotations`;

/** @param assign gives a municipality its certificate, with all that follows, inside the caller's transaction; returns the earlier one */
export function createRotations(
  connection: Connection,
  assign: (municipalityId: number, certificateId: number | null) => number | null,
): RotationStore & { rotatingMunicipality(certificateId: number): string | null } {
  const list = connection.prepare<RotationRow, []>(`${SELECT} ORDER BY municipality_id`);
  const find = connection.prepare<RotationRow, [number]>(`${SELECT} WHERE municipality_id = ?`);
  const exists = connection.prepare<{ found: number }, { municipality: number; certificate: number }[]>(
    `SELECT (SELECT count(*) FROM municipalities WHERE id = $municipality)
       + (SELECT count(*) FROM certificates WHERE id = $certificate) AS found`,
  );
  const stage = connection.prepare<never, [number, number, number]>(
    `INSERT INTO certificate_rotations (municipality_id, next_id, state, staged_at) VALUES (?, ?, 'staged', ?)
     ON CONFLICT (municipality_id) DO UPDATE SET next_id = excluded.next_id, previous_id = NULL, state = 'staged',
       detail = NULL, staged_at = excluded.staged_at, started_at = NULL`,
  );
  const forgetRoutes = connection.prepare<never, [number]>("DELETE FROM route_states WHERE certificate_id = ?");
  const start = connection.prepare<never, [number | null, number, number]>(
    "UPDATE certificate_rotations SET state = 'trying', previous_id = ?, started_at = ? WHERE municipality_id = ?",
  );
  const fail = connection.prepare<never, [string, number]>(
    "UPDATE certificate_rotations SET state = 'failed', detail = ? WHERE municipality_id = ?",
  );
  const remove = connection.prepare<never, [number]>("DELETE FROM certificate_rotations WHERE municipality_id = ?");
  const userOf = connection.prepare<{ name: string }, { certificate: number }[]>(
    `SELECT m.name FROM certificate_rotations r JOIN municipalities m ON m.id = r.municipality_id
     WHERE $certificate IN (r.next_id, r.previous_id) LIMIT 1`,
  );

  return {
    rotatingMunicipality: (certificate) => userOf.get({ certificate })?.name ?? null,
    listRotations: async () =>
      connection.read("reading rotations", () =>
        list.all().map((row) => ({
          ...row,
          stagedAt: new Date(row.stagedAt),
          startedAt: dateOrNull(row.startedAt),
        })),
      ),
    stageRotation: async (municipality, certificate, now) =>
      connection.write("staging a certificate", () => {
        if (exists.get({ municipality, certificate })?.found !== 2) {
          throw new AppError("not-found", "staging a certificate: no such municipality, or no such certificate");
        }
        if (find.get(municipality)?.state === "trying") throw beingTried();
        stage.run(municipality, certificate, now.getTime());
      }),
    startRotation: async (municipality, now) =>
      connection.write("starting a rotation", () => {
        const rotation = find.get(municipality);
        if (rotation?.state !== "staged") return false;
        // What was known of this certificate is from before.
        forgetRoutes.run(rotation.nextId);
        start.run(assign(municipality, rotation.nextId), now.getTime(), municipality);
        return true;
      }),
    finishRotation: async (municipality, result) =>
      connection.write("ending a rotation", () => {
        const rotation = find.get(municipality);
        if (rotation?.state !== "trying") return false;
        if (result.kind === "done") remove.run(municipality);
        else {
          assign(municipality, rotation.previousId);
          fail.run(result.detail.slice(0, 1000), municipality);
        }
        return true;
      }),
    cancelRotation: async (municipality) =>
      connection.write("forgetting a rotation", () => remove.run(municipality).changes > 0),
  };
}

export function beingTried(): AppError {
  return new AppError("conflict", "staging a certificate: another one is being tried now", {
    hint: "Wait for its first success, or forget it: tattile cert rotate --cancel --municipality NAME",
  });
}
