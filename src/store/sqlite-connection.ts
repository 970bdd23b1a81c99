import type { Database, SQLQueryBindings, Statement } from "bun:sqlite";
import { closeSync, fdatasync, openSync } from "node:fs";
import { promisify } from "node:util";
import { AppError, systemCode } from "../errors.ts";

/** How long a write waits for another process's write. */
export const BUSY_TIMEOUT_MS = 5000;

const WRITE = "BEGIN IMMEDIATE";

/** One open database: statements that are finalized at the end, and transactions whose errors say what was being done. */
export interface Connection {
  readonly database: Database;
  /** Valid until the connection is closed. */
  prepare<Row, Parameters extends SQLQueryBindings[]>(sql: string): Statement<Row, Parameters>;
  /** Runs `work` in one transaction that has the write lock from the start; durable when it returns. `work` must not await. */
  write<T>(doing: string, work: () => T): T;
  /** The same, but seen by everyone at once and durable only with the next `write` or `sync`: a power cut may take it back, whole. */
  writeLazily<T>(doing: string, work: () => T): T;
  /** `writeLazily`, then `sync`. When it rejects with `unavailable`, everyone may see the work all the same. */
  writeAndSync<T>(doing: string, work: () => T): Promise<T>;
  /** Resolves when all that is seen now is durable, whoever wrote it. The disk is waited for in another thread; those who wait share one sync. */
  sync(doing: string): Promise<void>;
  /** Runs `work` on one snapshot. */
  read<T>(doing: string, work: () => T): T;
  /** The same for a single statement, which is a snapshot by itself: half the cost where it is asked for each reading. */
  look<T>(doing: string, work: () => T): T;
  close(): void;
}

/** @param datasync fdatasync(2); for tests another */
export function createConnection(
  database: Database,
  datasync: (descriptor: number) => Promise<void> = promisify(fdatasync),
): Connection {
  // Everything committed is either in the log or was synced when a checkpoint carried it into the database. The descriptor
  // stays open: an error since it was opened is reported, also one that another process was told of already.
  let log: number | null = null;
  let isClosed = false;
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  // The disk has refused a part of the log, and tells it once. What stands behind that part is lost with it at the next
  // power cut, however well it is synced: until all of it was carried into the database, nothing more is durable.
  let isDoubtful = false;
  const closeLog = (): void => {
    if (log !== null && isClosed && running === null) closeSync(log);
  };
  const emptyLog = (): void => {
    using checkpoint = database.prepare<{ busy: number }, []>("PRAGMA wal_checkpoint(TRUNCATE)");
    if (checkpoint.get()?.busy !== 0) {
      throw new AppError("unavailable", "emptying the store's log: another process is reading it", {
        hint: "The disk refused a part of the log: check it, `dmesg` says more. This is tried again by itself.",
      });
    }
    isDoubtful = false;
  };
  const syncLog = async (): Promise<void> => {
    try {
      if (isClosed) throw new AppError("unavailable", "syncing the log: the store is closed");
      if (isDoubtful) return emptyLog();
      log ??= openSync(`${database.filename}-wal`, "r");
      await datasync(log);
    } catch (error) {
      isDoubtful = true;
      throw error;
    }
  };
  const statements: { finalize(): void }[] = [];
  const transaction = <T>(begin: string, doing: string, work: () => T): T => {
    try {
      if (isDoubtful && begin === WRITE) emptyLog();
      database.run(begin);
      const result = work();
      database.run("COMMIT");
      return result;
    } catch (error) {
      // SQLite has rolled back by itself after some errors (a full disk).
      if (database.inTransaction) database.run("ROLLBACK");
      if (sqliteCode(error)?.startsWith("SQLITE_IOERR")) isDoubtful = true;
      throw describeSqliteError(doing, error);
    }
  };
  const writeLazily = <T>(doing: string, work: () => T): T => {
    database.run("PRAGMA synchronous = NORMAL");
    try {
      return transaction(WRITE, doing, work);
    } finally {
      database.run("PRAGMA synchronous = FULL");
    }
  };
  /** One at a time: of two at once only one would be told of an error that is both's. */
  const sync = async (doing: string): Promise<void> => {
    next ??= (running ?? Promise.resolve())
      .catch(() => {})
      .then(() => {
        next = null;
        running = syncLog().finally(() => {
          running = null;
          closeLog();
        });
        return running;
      });
    try {
      await next;
    } catch (error) {
      if (error instanceof AppError || sqliteCode(error) !== null) throw describeSqliteError(doing, error);
      throw new AppError("unavailable", `${doing}: the disk did not take it (${systemCode(error) ?? "error"})`, {
        hint: "Check the disk of DATA_DIR: `dmesg` and `df -h` say more.",
        cause: error,
      });
    }
  };
  return {
    database,
    prepare: (sql) => {
      const statement = database.prepare(sql);
      statements.push(statement);
      return statement as never;
    },
    write: (doing, work) => transaction(WRITE, doing, work),
    writeLazily,
    writeAndSync: async (doing, work) => {
      const result = writeLazily(doing, work);
      await sync(doing);
      return result;
    },
    sync,
    read: (doing, work) => transaction("BEGIN", doing, work),
    look: (doing, work) => {
      try {
        return work();
      } catch (error) {
        throw describeSqliteError(doing, error);
      }
    },
    close: () => {
      // An unfinalized statement would keep the file open, and with it a -wal file full of plates.
      for (const statement of statements) statement.finalize();
      database.close(true);
      isClosed = true;
      closeLog();
    },
  };
}

/** The `code` of an error of SQLite, or null. */
export function sqliteCode(error: unknown): string | null {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return null;
  return error.code.startsWith("SQLITE_") ? error.code : null;
}

/** Adds what was being done and what to try; an AppError passes unchanged. SQLite's own texts never hold values, so no plate. */
export function describeSqliteError(doing: string, error: unknown): unknown {
  const code = sqliteCode(error);
  if (error instanceof AppError || code === null) return error;
  if (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED")) {
    return new AppError("unavailable", `${doing}: the database stayed locked by another process (${code})`, {
      hint: "Look for another program that holds the database open.",
      cause: error,
    });
  }
  if (code.startsWith("SQLITE_FULL")) {
    return new AppError("unavailable", `${doing}: the disk is full (${code})`, {
      hint: "Free space on the disk of DATA_DIR.",
      cause: error,
    });
  }
  if (code.startsWith("SQLITE_NOTADB") || code.startsWith("SQLITE_CORRUPT")) {
    return new AppError("unavailable", `${doing}: the file is not a database or is damaged (${code})`, {
      hint: "Move the file away and restore a backup; the cameras keep what is not yet received.",
      cause: error,
    });
  }
  if (/^SQLITE_(IOERR|READONLY|CANTOPEN|PERM|AUTH)/.test(code)) {
    return new AppError("unavailable", `${doing}: the file cannot be used (${code})`, {
      hint: "Check the disk, and that the folder and its files belong to the user tattile runs as.",
      cause: error,
    });
  }
  return new AppError("internal", `${doing}: ${code}`, { cause: error });
}
