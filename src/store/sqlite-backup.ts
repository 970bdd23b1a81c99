import { Database } from "bun:sqlite";
import { randomUUID } from "node:crypto";
import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { AppError, systemCode } from "../errors.ts";
import { SQLITE_MIGRATIONS } from "./migrate.ts";
import { APPLICATION_ID } from "./sqlite.ts";
import { describeSqliteError } from "./sqlite-connection.ts";

/** What a backup holds. */
export interface BackupFacts {
  schemaVersion: number;
  cameras: number;
  /** Messages that waited when it was made. */
  messages: number;
  bytes: number;
}

const BESIDE = ["-wal", "-shm"] as const;

/**
 * Writes a copy of a store's file while others work on it: one moment, whole, with the gaps of deleted rows left out. The copy
 * takes its name only once it is durable. 0600: it holds plates. Writes nothing to the source.
 * @throws AppError `conflict` when there is such a file already
 */
export function backUpSqlite(source: string, target: string): BackupFacts {
  const doing = `backing up to ${target}`;
  if (!existsSync(source)) {
    throw new AppError("not-found", `${doing}: there is no database yet (${source})`, {
      hint: "Check DATA_DIR; run the command as root or as the user of the service.",
    });
  }
  if (existsSync(target)) {
    throw new AppError("conflict", `${doing}: the file is there already`, { hint: "Name another file." });
  }
  const temporary = `${target}.${randomUUID()}.new`;
  try {
    closeSync(openSync(temporary, "wx", 0o600));
    const database = new Database(source, { readwrite: true, create: false, strict: true });
    try {
      database.run("PRAGMA busy_timeout = 5000");
      database.run("VACUUM INTO ?", [temporary]);
    } finally {
      database.close();
    }
    const facts = inspectBackup(temporary);
    syncPath(temporary);
    renameSync(temporary, target);
    syncPath(dirname(target));
    return facts;
  } catch (error) {
    rmSync(temporary, { force: true });
    if (error instanceof AppError) throw error;
    const described = describeSqliteError(doing, error);
    if (described !== error) throw described;
    throw new AppError("unavailable", `${doing}: ${systemCode(error) ?? "error"}`, {
      hint: "Name a file in a folder that may be written to.",
    });
  }
}

/** Looks through a backup. @throws AppError when it is damaged, another program's, or of a newer tattile */
export function inspectBackup(path: string): BackupFacts {
  const doing = `reading the backup ${path}`;
  if (!existsSync(path)) throw new AppError("not-found", `${doing}: there is no such file`);
  let database: Database | null = null;
  try {
    database = new Database(path, { readonly: true, strict: true });
    const read = <T>(sql: string): T => {
      const statement = (database as Database).prepare<{ value: T }, []>(sql);
      try {
        return statement.get()?.value as T;
      } finally {
        statement.finalize();
      }
    };
    if (read<number>("SELECT application_id AS value FROM pragma_application_id") !== APPLICATION_ID) {
      throw new AppError("invalid", `${doing}: it is not a backup of tattile`);
    }
    const schemaVersion = read<number>("SELECT user_version AS value FROM pragma_user_version");
    const newest = SQLITE_MIGRATIONS.at(-1)?.version ?? 0;
    if (schemaVersion > newest) {
      throw new AppError("conflict", `${doing}: it has schema ${schemaVersion}, this tattile knows up to ${newest}`, {
        hint: "Install the newer tattile that wrote it.",
      });
    }
    const state = read<string>("SELECT integrity_check AS value FROM pragma_integrity_check LIMIT 1");
    if (state !== "ok") throw new AppError("invalid", `${doing}: it is damaged (${state})`);
    return {
      schemaVersion,
      cameras: read<number>("SELECT count(*) AS value FROM cameras"),
      messages: read<number>("SELECT count(*) AS value FROM messages_queue"),
      bytes: statSync(path).size,
    };
  } catch (error) {
    throw describeSqliteError(doing, error);
  } finally {
    database?.close();
  }
}

/**
 * Puts a backup in the place of a store's file; what was there stays beside it as `….replaced`, the log of a file that is there
 * no more as `….left-wal`. Nobody else may have it open.
 * @returns where what was there is now; null when there was nothing
 */
export function restoreSqlite(backup: string, target: string): string | null {
  const doing = `restoring ${target}`;
  const folder = dirname(target);
  const temporary = `${target}.${randomUUID()}.new`;
  const replaced = `${target}.replaced`;
  try {
    copyFileSync(backup, temporary);
    chmodSync(temporary, 0o640);
    // Root restores for the service's user.
    const owner = statSync(existsSync(target) ? target : folder);
    if (process.getuid?.() === 0) chownSync(temporary, owner.uid, owner.gid);
    syncPath(temporary);
    const left = existsSync(target) ? putAside(target, replaced) : putLogAside(target);
    syncPath(folder);
    renameSync(temporary, target);
    syncPath(folder);
    return left;
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw new AppError("unavailable", `${doing}: ${systemCode(cause) ?? "error"}`, {
      hint: "Run the command as root or as the user of the service, and look at the space of the disk.",
      cause,
    });
  }
}

/** The log first: one that stood beside another file would be read into it. */
function putAside(target: string, replaced: string): string {
  for (const end of ["", ...BESIDE]) rmSync(replaced + end, { force: true });
  for (const end of [...BESIDE, ""]) if (existsSync(target + end)) renameSync(target + end, replaced + end);
  return replaced;
}

/**
 * The log of a file that was moved away would be read into the backup: the old state, and nothing would say so. Under a name
 * of its own, not beside an earlier `….replaced` whose log it is not.
 * @returns where it is now; null when there was none
 */
function putLogAside(target: string): string | null {
  rmSync(`${target}-shm`, { force: true });
  if (!existsSync(`${target}-wal`)) return null;
  renameSync(`${target}-wal`, `${target}.left-wal`);
  return `${target}.left-wal`;
}

/** @throws AppError `conflict` when another process has the file open; a damaged one is nobody's */
export function requireUnused(path: string): void {
  if (!existsSync(path)) return;
  const database = new Database(path, { readwrite: true, create: false, strict: true });
  try {
    database.run("PRAGMA locking_mode = EXCLUSIVE");
    database.run("BEGIN EXCLUSIVE");
    database.run("ROLLBACK");
    // What only stood in the log is in the file now, which is about to be put aside.
    database.run("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch (error) {
    if (error instanceof Error && "code" in error && String(error.code).startsWith("SQLITE_BUSY")) {
      throw new AppError("conflict", `restoring ${path}: another process has it open`, {
        hint: "Stop every service of tattile: systemctl stop tattile",
      });
    }
  } finally {
    database.close();
  }
}

function syncPath(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
