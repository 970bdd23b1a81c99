import { AppError } from "../errors.ts";
import replacedSql from "./migrations/postgres-0000-replaced.sql" with { type: "text" };
import queueSql from "./migrations/postgres-0001-queue.sql" with { type: "text" };
import batchesSql from "./migrations/postgres-0002-batches.sql" with { type: "text" };
import clocksSql from "./migrations/postgres-0003-clocks.sql" with { type: "text" };
import factsSql from "./migrations/postgres-0004-facts.sql" with { type: "text" };
import rotationsSql from "./migrations/postgres-0005-rotations.sql" with { type: "text" };
import triesSql from "./migrations/postgres-0006-tries.sql" with { type: "text" };
import pagesSql from "./migrations/postgres-0007-pages.sql" with { type: "text" };
import cameraPagesSql from "./migrations/postgres-0008-camera-pages.sql" with { type: "text" };
import type { Pool, Run } from "./postgres-connection.ts";

/** A step from one schema version to the next; never changed once released. Applied whole or not at all. */
export interface PostgresMigration {
  version: number;
  sql: string;
}

export const POSTGRES_MIGRATIONS: readonly PostgresMigration[] = [
  { version: 1, sql: queueSql },
  { version: 2, sql: batchesSql },
  { version: 3, sql: clocksSql },
  { version: 4, sql: factsSql },
  { version: 5, sql: rotationsSql },
  { version: 6, sql: triesSql },
  { version: 7, sql: pagesSql },
  { version: 8, sql: cameraPagesSql },
];

/** The one revision of the replaced system that can be taken over. */
const REPLACED_REVISION = "0006_camera_last_sent";
const REPLACED_TABLES = ["endpoints", "certificates", "municipalities", "cameras", "alpr_readings", "messages_queue"];

/** What lies in a database: nothing, tattile's tables, the replaced system's, or something else. */
export type DatabaseState =
  | { kind: "empty" }
  | { kind: "own"; version: number }
  | { kind: "replaced" }
  | { kind: "refused"; found: string; hint: string };

/** Of several processes that start at once one migrates and the others wait. */
const MIGRATION_LOCK = "SELECT pg_advisory_xact_lock(7311, 1)";

/** Looks at what is there; writes nothing. */
export async function inspectDatabase(run: Run): Promise<DatabaseState> {
  const tables = new Map<string, Set<string>>();
  const columns = await run<{ table: string; column: string }>(
    `SELECT c.relname AS "table", a.attname AS "column" FROM pg_catalog.pg_class c
     JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
       AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')`,
  );
  for (const { table, column } of columns) tables.set(table, (tables.get(table) ?? new Set<string>()).add(column));
  if (tables.size === 0) return { kind: "empty" };
  if (tables.has("tattile_schema")) {
    const [row] = await run<{ version: number }>("SELECT max(version) AS version FROM tattile_schema");
    return { kind: "own", version: row?.version ?? 0 };
  }
  if (!tables.has("alembic_version")) {
    const names = [...tables.keys()].sort().slice(0, 5).join(", ");
    return {
      kind: "refused",
      found: `the database belongs to another program (tables ${names}${tables.size > 5 ? ", …" : ""})`,
      hint: "Name an empty database, tattile's own, or that of the replaced system.",
    };
  }
  const revisions = (await run<{ version: string }>("SELECT version_num AS version FROM alembic_version")).map(
    (row) => row.version,
  );
  if (revisions.length !== 1 || revisions[0] !== REPLACED_REVISION) {
    return {
      kind: "refused",
      found: `the replaced system's database is at revision ${revisions.join(", ") || "(none)"}, not ${REPLACED_REVISION}`,
      hint: "Bring it to that revision with the replaced system's own update (alembic upgrade head), then try again.",
    };
  }
  const missing = missingParts(tables);
  if (missing.length > 0) {
    return {
      kind: "refused",
      found: `the replaced system's database says revision ${REPLACED_REVISION} but lacks ${missing.slice(0, 5).join(", ")}`,
      hint: "An update of the replaced system stopped half-way: finish it, or restore its last backup, then try again.",
    };
  }
  return { kind: "replaced" };
}

/** The columns that the revision has, read from the statements that make them, so that the two cannot differ. */
function missingParts(tables: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  return REPLACED_TABLES.flatMap((table) => {
    const present = tables.get(table);
    if (present === undefined) return [`the table ${table}`];
    const body = new RegExp(`CREATE TABLE ${table} \\(\\n([\\s\\S]*?)\\n\\);`).exec(replacedSql)?.[1] ?? "";
    const wanted = [...body.matchAll(/^ {2}(\w+) /gm)].map((match) => match[1] ?? "");
    return wanted.filter((column) => !present.has(column)).map((column) => `${table}.${column}`);
  });
}

/**
 * Brings an empty database, or tattile's own of an earlier version, up to the newest schema.
 * @returns the schema version. @throws AppError when something else lies there; `adopt` takes over what the replaced system left
 */
export async function migrateDatabase(pool: Pool, migrations: readonly PostgresMigration[]): Promise<number> {
  const newest = migrations.at(-1)?.version ?? 0;
  const look = (state: DatabaseState): number | null => {
    if (state.kind === "own" && state.version > newest) throw tooNew(state.version, newest);
    if (state.kind === "refused") {
      throw new AppError("conflict", `opening the store: ${state.found}`, { hint: state.hint });
    }
    if (state.kind === "replaced") {
      throw new AppError(
        "conflict",
        "opening the store: the database is the replaced system's and was not taken over yet",
        {
          hint: "Stop the replaced system, then run: tattile db migrate --dry-run",
        },
      );
    }
    return state.kind === "own" && state.version === newest ? newest : null;
  };
  // Looked at first without the lock: opening an up-to-date database must not wait for anyone.
  const current = look(await inspectDatabase((sql, parameters) => pool.query("opening the store", sql, parameters)));
  if (current !== null) return current;
  return pool.transaction("migrating the store", async (run) => {
    await run(MIGRATION_LOCK);
    // Another process may have done it meanwhile.
    const state = await inspectDatabase(run);
    if (look(state) !== null) return newest;
    if (state.kind === "empty") await run(`${replacedSql}\n${BOOKKEEPING}`);
    await applyMigrations(run, state.kind === "own" ? state.version : 0, migrations);
    return newest;
  });
}

const BOOKKEEPING =
  "CREATE TABLE tattile_schema (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())";

/** Takes over the replaced system's tables as they are, in a transaction of the caller. */
export async function adoptTables(run: Run, migrations: readonly PostgresMigration[]): Promise<void> {
  await run(MIGRATION_LOCK);
  await run(BOOKKEEPING);
  await applyMigrations(run, 0, migrations);
}

async function applyMigrations(run: Run, version: number, migrations: readonly PostgresMigration[]): Promise<void> {
  for (const migration of migrations.filter((one) => one.version > version)) {
    await run(migration.sql);
    await run(`INSERT INTO tattile_schema (version) VALUES (${migration.version})`);
  }
}

function tooNew(version: number, newest: number): AppError {
  return new AppError(
    "conflict",
    `opening the store: database has schema ${version}, this tattile knows up to ${newest}`,
    {
      hint: "Install the newer tattile that wrote it.",
    },
  );
}
