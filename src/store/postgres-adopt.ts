import type { Clock } from "../clock.ts";
import type { DatabaseAddress } from "../database-address.ts";
import { AppError } from "../errors.ts";
import { createPool, type Pool, type Run } from "./postgres-connection.ts";
import { adoptTables, inspectDatabase, migrateDatabase, POSTGRES_MIGRATIONS } from "./postgres-migrate.ts";
import { imagePath } from "./postgres-rows.ts";
import { uniqueNames } from "./unique-names.ts";

/** A municipality signs with the certificate that names it; the old program looked it up at every message. */
export interface CertificateAssignment {
  municipality: string;
  certificate: string;
  certificateId: number;
}

/** A record that gets another name, since an earlier one has its own. */
export interface Renaming {
  what: "municipality" | "endpoint";
  id: number;
  from: string;
  to: string;
}

/** What the replaced system left, and what becomes of it. */
export interface Adoption {
  municipalities: number;
  endpoints: number;
  cameras: number;
  certificates: number;
  messages: Readonly<Record<string, number>>;
  /** Readings that no message refers to: they stay as they are. */
  readingsWithoutMessage: number;
  renamings: readonly Renaming[];
  assignments: readonly CertificateAssignment[];
  municipalitiesWithoutCertificate: readonly string[];
  /** Other programs that are connected to the database now. */
  connections: readonly string[];
}

/** What `db migrate` would do. */
export type MigrationPlan =
  | { kind: "create"; to: number }
  | { kind: "upgrade"; from: number; to: number }
  | { kind: "current"; to: number }
  | { kind: "adopt"; to: number; adoption: Adoption };

export interface DatabaseMigration {
  /** Looks only. @throws AppError `conflict` for what cannot be taken over, saying what was found */
  plan(): Promise<MigrationPlan>;
  /** Does it in one transaction. */
  apply(): Promise<void>;
  /** Pictures that messages refer to, below the images folder, in steps. */
  pictures(): AsyncGenerator<readonly string[]>;
  close(): Promise<void>;
}

/** Whoever holds a table for longer than this is a program that should have been stopped. */
const LOCK_WAIT_MS = 10_000;
const LOCKED = "55P03";
const NAMED = [
  ["municipality", "municipalities"],
  ["endpoint", "endpoints"],
] as const;
const PICTURE_STEP = 5000;

/** Prepares the bringing up to date of a PostgreSQL database, of whatever tattile or the replaced system left in it. */
export function openMigration(
  address: DatabaseAddress,
  clock: Clock,
  { lockWaitMs = LOCK_WAIT_MS }: { lockWaitMs?: number } = {},
): DatabaseMigration {
  const pool = createPool({ address, size: 2, clock, unlimited: true });
  const newest = POSTGRES_MIGRATIONS.at(-1)?.version ?? 0;
  const run: Run = (sql, parameters) => pool.query("looking at the database", sql, parameters);

  return {
    plan: async () => {
      const state = await inspectDatabase(run);
      switch (state.kind) {
        case "refused":
          throw new AppError("conflict", `migrating the database: ${state.found}`, { hint: state.hint });
        case "empty":
          return { kind: "create", to: newest };
        case "own":
          if (state.version > newest) {
            throw new AppError(
              "conflict",
              `migrating the database: it has schema ${state.version}, this tattile knows up to ${newest}`,
              { hint: "Install the newer tattile that wrote it." },
            );
          }
          return state.version === newest
            ? { kind: "current", to: newest }
            : { kind: "upgrade", from: state.version, to: newest };
        case "replaced":
          return { kind: "adopt", to: newest, adoption: await describeAdoption(run) };
      }
    },
    apply: async () => {
      const state = await inspectDatabase(run);
      if (state.kind === "replaced") await adopt(pool, lockWaitMs);
      else await migrateDatabase(pool, POSTGRES_MIGRATIONS);
    },
    pictures: async function* () {
      for (let after = 0; ; ) {
        const rows = await run<{ id: number; path: string }>(
          `SELECT r.id, unnest(ARRAY[${imagePath("r.image_ocr_path")}, ${imagePath("r.image_ctx_path")}]) AS path
           FROM (SELECT * FROM alpr_readings r WHERE r.id > $1::text::bigint
             AND EXISTS (SELECT 1 FROM messages_queue q WHERE q.reading_id = r.id AND q.status <> 'SUCCESS')
             ORDER BY r.id LIMIT ${PICTURE_STEP}) r ORDER BY r.id`,
          [String(after)],
        );
        if (rows.length === 0) return;
        after = rows.at(-1)?.id ?? after;
        yield rows.map(({ path }) => path).filter((path) => path !== null);
      }
    },
    close: () => pool.close(),
  };
}

async function describeAdoption(run: Run): Promise<Adoption> {
  const [counts] = await run<
    Omit<Adoption, "messages" | "renamings" | "assignments" | "municipalitiesWithoutCertificate" | "connections">
  >(
    `SELECT (SELECT count(*) FROM municipalities) AS municipalities, (SELECT count(*) FROM endpoints) AS endpoints,
       (SELECT count(*) FROM cameras) AS cameras, (SELECT count(*) FROM certificates) AS certificates,
       (SELECT count(*) FROM alpr_readings r
        WHERE NOT EXISTS (SELECT 1 FROM messages_queue q WHERE q.reading_id = r.id)) AS "readingsWithoutMessage"`,
  );
  const statuses = await run<{ status: string; count: number }>(
    "SELECT status, count(*) AS count FROM messages_queue GROUP BY status ORDER BY status",
  );
  const renamings = await chooseNames(run);
  const named = new Map(renamings.filter(({ what }) => what === "municipality").map(({ id, to }) => [id, to]));
  const assignments = await chooseCertificates(run);
  const without = await run<{ id: number; name: string; certificateId: number | null }>(
    `SELECT id, name, certificate_id AS "certificateId" FROM municipalities WHERE active ORDER BY name, id`,
  );
  const connections = await run<{ who: string }>(
    `SELECT DISTINCT concat_ws(' from ', coalesce(nullif(application_name, ''), 'a program'), client_addr::text) AS who
     FROM pg_catalog.pg_stat_activity
     WHERE datname = current_database() AND backend_type = 'client backend' AND application_name <> 'tattile'
       AND pid <> pg_backend_pid() ORDER BY 1 LIMIT 20`,
  );
  return {
    municipalities: counts?.municipalities ?? 0,
    endpoints: counts?.endpoints ?? 0,
    cameras: counts?.cameras ?? 0,
    certificates: counts?.certificates ?? 0,
    readingsWithoutMessage: counts?.readingsWithoutMessage ?? 0,
    messages: Object.fromEntries(statuses.map(({ status, count }) => [status, count])),
    renamings,
    assignments: assignments.map(({ municipalityId, municipality, certificate, certificateId }) => ({
      municipality: named.get(municipalityId) ?? municipality,
      certificate,
      certificateId,
    })),
    municipalitiesWithoutCertificate: without
      .filter(
        ({ id, certificateId }) => certificateId === null && !assignments.some((one) => one.municipalityId === id),
      )
      .map(({ id, name }) => named.get(id) ?? name),
    connections: connections.map(({ who }) => who),
  };
}

/** The replaced system let several have one name: tattile's commands and files mean a record by it. */
async function chooseNames(run: Run): Promise<readonly Renaming[]> {
  const renamings: Renaming[] = [];
  for (const [what, table] of NAMED) {
    const records = await run<{ id: number; name: string }>(`SELECT id, name FROM ${table} ORDER BY id`);
    const names = uniqueNames(records);
    for (const { id, name } of records) {
      const to = names.get(id) ?? name;
      if (to !== name) renamings.push({ what, id, from: name, to });
    }
  }
  return renamings;
}

/** Of several certificates of a municipality the one in use, with files, that ends last. */
async function chooseCertificates(run: Run) {
  return run<CertificateAssignment & { municipalityId: number }>(
    `SELECT DISTINCT ON (m.id) m.id AS "municipalityId", m.name AS municipality, k.name AS certificate, k.id AS "certificateId"
     FROM municipalities m JOIN certificates k ON k.municipality_id = m.id
     ORDER BY m.id, k.active DESC, (k.key_path IS NOT NULL AND coalesce(k.client_cert_path, k.path) IS NOT NULL) DESC,
       k.valid_to DESC NULLS LAST, k.id DESC`,
  );
}

async function adopt(pool: Pool, lockWaitMs: number): Promise<void> {
  try {
    await pool.transaction("taking over the database", async (run) => {
      await run(`SET LOCAL lock_timeout = ${lockWaitMs}`);
      // Nobody writes a message between the count of what is there and the triggers that count what comes.
      await run("LOCK TABLE alpr_readings, messages_queue, municipalities, endpoints IN ACCESS EXCLUSIVE MODE");
      const state = await inspectDatabase(run);
      if (state.kind !== "replaced")
        throw new AppError("conflict", "taking over the database: it was just changed by another program");
      await adoptTables(run, POSTGRES_MIGRATIONS);
      for (const { what, id, to } of await chooseNames(run)) {
        const table = what === "endpoint" ? "endpoints" : "municipalities";
        await run(`UPDATE ${table} SET name = $2 WHERE id = $1::text::integer`, [String(id), to]);
      }
      // The old program goes by certificates.municipality_id and does not mind what stands here.
      for (const { municipalityId, certificateId } of await chooseCertificates(run)) {
        await run("UPDATE municipalities SET certificate_id = $2::text::integer WHERE id = $1::text::integer", [
          String(municipalityId),
          String(certificateId),
        ]);
      }
    });
  } catch (error) {
    if (!(error instanceof AppError) || !error.message.includes(LOCKED)) throw error;
    throw new AppError("conflict", "taking over the database: another program holds its tables", {
      hint: "Stop the replaced system's services, then try again.",
      cause: error,
    });
  }
}
