import { AppError } from "../errors.ts";
import queueSql from "./migrations/0001-queue.sql" with { type: "text" };
import auditSql from "./migrations/0002-audit.sql" with { type: "text" };
import retiringSql from "./migrations/0003-retiring.sql" with { type: "text" };
import tokensSql from "./migrations/0004-tokens.sql" with { type: "text" };
import activitySql from "./migrations/0005-activity.sql" with { type: "text" };
import spoolSql from "./migrations/0006-spool.sql" with { type: "text" };
import clocksSql from "./migrations/0007-clocks.sql" with { type: "text" };
import factsSql from "./migrations/0008-facts.sql" with { type: "text" };
import rotationsSql from "./migrations/0009-rotations.sql" with { type: "text" };
import triesSql from "./migrations/0010-tries.sql" with { type: "text" };
import pagesSql from "./migrations/0011-pages.sql" with { type: "text" };
import cameraPagesSql from "./migrations/0012-camera-pages.sql" with { type: "text" };

/** A step from one schema version to the next; never changed once released. */
export interface Migration {
  version: number;
  sql: string;
}

export const SQLITE_MIGRATIONS: readonly Migration[] = [
  { version: 1, sql: queueSql },
  { version: 2, sql: auditSql },
  { version: 3, sql: retiringSql },
  { version: 4, sql: tokensSql },
  { version: 5, sql: activitySql },
  { version: 6, sql: spoolSql },
  { version: 7, sql: clocksSql },
  { version: 8, sql: factsSql },
  { version: 9, sql: rotationsSql },
  { version: 10, sql: triesSql },
  { version: 11, sql: pagesSql },
  { version: 12, sql: cameraPagesSql },
];

/** What a migrator needs of a database. `exclusively` holds the write lock: of two processes that start at once one waits. */
export interface MigrationTarget {
  readVersion(): number;
  exclusively(work: () => void): void;
  apply(migration: Migration): void;
}

/**
 * Brings the schema up to the newest migration, each in a transaction of its own.
 * @returns the schema version.
 * @throws AppError `conflict` when the database is newer than the given migrations.
 */
export function migrate(target: MigrationTarget, migrations: readonly Migration[]): number {
  const newest = migrations.at(-1)?.version ?? 0;
  // Read first without the lock: opening an up-to-date database must not wait for whoever is writing.
  let version = target.readVersion();
  while (version < newest) {
    target.exclusively(() => {
      // Read again under the lock: another process may have done it meanwhile.
      version = target.readVersion();
      const next = migrations.find((migration) => migration.version === version + 1);
      if (next === undefined) return;
      target.apply(next);
      version = next.version;
    });
  }
  if (version > newest) {
    throw new AppError(
      "conflict",
      `opening the store: database has schema ${version}, this tattile knows up to ${newest}`,
      { hint: "Install the newer tattile that wrote it." },
    );
  }
  return version;
}
