import { Database } from "bun:sqlite";
import { chmodSync, closeSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import { type Migration, migrate, SQLITE_MIGRATIONS } from "./migrate.ts";
import { createActivity } from "./sqlite-activity.ts";
import { createAuditLog } from "./sqlite-audit.ts";
import { createClaims } from "./sqlite-claim.ts";
import {
  BUSY_TIMEOUT_MS,
  type Connection,
  createConnection,
  describeSqliteError,
  sqliteCode,
} from "./sqlite-connection.ts";
import { createCopying } from "./sqlite-copying.ts";
import { createHoldings } from "./sqlite-holdings.ts";
import { createEnqueue, createIntake } from "./sqlite-intake.ts";
import { createMessages } from "./sqlite-messages.ts";
import { createQuarantine } from "./sqlite-quarantine.ts";
import { createRecords } from "./sqlite-records.ts";
import { createRegistry } from "./sqlite-registry.ts";
import { createRevival } from "./sqlite-revive.ts";
import { createScrubber } from "./sqlite-scrub.ts";
import { createSettling } from "./sqlite-settle.ts";
import { createStates } from "./sqlite-states.ts";
import { createTallies } from "./sqlite-tallies.ts";
import { createTokens } from "./sqlite-tokens.ts";
import { createTransfer } from "./sqlite-transfer.ts";
import { createUpkeep } from "./sqlite-upkeep.ts";
import type { NewReading, Store } from "./store.ts";

/** Older ones have the WAL-reset bug, which can damage a database that several processes write. */
const OLDEST_SQLITE = "3.51.3";
/** "TATT": tells a file of ours from another program's. */
export const APPLICATION_ID = 0x54415454;
/** Pages in the WAL (4 KB each) at which a commit also carries them into the database file. */
const CHECKPOINT_PAGES = 1000;
/** A WAL that a burst made longer is cut back to this. */
const WAL_KEPT_BYTES = 8 * 1024 * 1024;
const CACHE_KIBIBYTES = 4096;
/** Several processes that start at once get in each other's way while the file becomes a WAL database; SQLite does not wait there. */
const OPEN_PAUSE_MS = 20;

export interface SqliteOptions {
  /** Absolute path of the file; it and its folder are made when they are not there. */
  path: string;
  clock: Clock;
  /** How long a write waits for another process's. */
  busyTimeoutMs?: number;
  /** fdatasync(2), for tests: a disk that is slow or fails. */
  datasync?: (descriptor: number) => Promise<void>;
  /** For tests of older and newer schemas. */
  migrations?: readonly Migration[];
  /** Makes what is to be done for each reading that is queued, within its transaction. */
  onQueued?: (connection: Connection) => (readingId: number, reading: NewReading) => void;
}

/** A store together with the connection it works on, for what belongs to one kind of file only. */
export interface SqliteParts {
  store: Store;
  connection: Connection;
}

/**
 * Opens the store in an SQLite file and brings its schema up to date.
 * @throws AppError when the SQLite is too old, the file is newer, foreign or damaged, or cannot be used.
 */
export async function openSqlite(options: SqliteOptions): Promise<Store> {
  return (await openSqliteParts(options)).store;
}

/** The same with its connection, which the store closes. */
export async function openSqliteParts(options: SqliteOptions): Promise<SqliteParts> {
  const doing = `opening the store ${options.path}`;
  prepareFile(options.path, doing);
  const deadline = options.clock.monotonicMs() + (options.busyTimeoutMs ?? BUSY_TIMEOUT_MS);
  for (;;) {
    let database: Database | null = null;
    try {
      database = new Database(options.path, { strict: true, readwrite: true, create: true });
      return openOn(database, options);
    } catch (error) {
      database?.close();
      const busy = sqliteCode(error)?.startsWith("SQLITE_BUSY") ?? false;
      if (!busy || options.clock.monotonicMs() >= deadline) throw describeSqliteError(doing, error);
      await options.clock.sleep(OPEN_PAUSE_MS);
    }
  }
}

function openOn(database: Database, options: SqliteOptions): SqliteParts {
  // First of all: everything after it may have to wait for another process.
  database.run(`PRAGMA busy_timeout = ${options.busyTimeoutMs ?? BUSY_TIMEOUT_MS}`);
  const version = pragma<string>(database, "SELECT sqlite_version() AS value");
  requireSqlite(version);
  refuseForeign(database, options.path);
  database.run("PRAGMA journal_mode = WAL");
  database.run("PRAGMA synchronous = FULL");
  database.run("PRAGMA secure_delete = ON");
  database.run("PRAGMA foreign_keys = ON");
  database.run("PRAGMA temp_store = MEMORY");
  database.run("PRAGMA mmap_size = 0");
  database.run(`PRAGMA cache_size = -${CACHE_KIBIBYTES}`);
  database.run(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  database.run(`PRAGMA journal_size_limit = ${WAL_KEPT_BYTES}`);
  const connection = createConnection(database, options.datasync);
  const schemaVersion = migrate(migrationTarget(connection), options.migrations ?? SQLITE_MIGRATIONS);
  return { store: compose(connection, options, version, schemaVersion), connection };
}

function compose(connection: Connection, options: SqliteOptions, version: string, schemaVersion: number): Store {
  const tallies = createTallies(connection, options.clock);
  const revival = createRevival(connection);
  const check = connection.prepare<{ at: number }, [number]>(
    "INSERT INTO store_check (id, at) VALUES (1, ?) ON CONFLICT DO UPDATE SET at = excluded.at RETURNING at",
  );
  const facts = {
    find: connection.prepare<{ value: string }, [string]>("SELECT value FROM store_facts WHERE name = ?"),
    save: connection.prepare<never, [string, string]>(
      "INSERT INTO store_facts (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
    ),
  };
  const messages = createMessages(connection, tallies, options.clock);
  const enqueue = createEnqueue(connection, tallies, options.onQueued?.(connection));
  return {
    ...createIntake(connection, enqueue),
    ...createTransfer(connection, tallies, enqueue),
    ...createUpkeep(connection),
    ...createCopying(connection),
    ...createRecords(connection),
    ...createClaims(connection),
    ...createSettling(connection, tallies),
    ...messages,
    ...createQuarantine(connection),
    ...createStates(connection, tallies),
    ...createAuditLog(connection),
    ...createHoldings(connection, tallies, options.clock),
    ...createRegistry(connection, revival, messages.discardMessages, options.clock),
    ...createScrubber(connection, options.busyTimeoutMs ?? BUSY_TIMEOUT_MS),
    ...createTokens(connection),
    ...createActivity(connection),
    revive: async (hasDefaultEndpoint, usableCertificateIds, now) =>
      revival.revive(hasDefaultEndpoint, usableCertificateIds, now),
    noteDedupeKey: async (fingerprint) =>
      connection.write("noting the key of the hashes", () => {
        const before = facts.find.get("dedupe-key")?.value;
        if (before !== fingerprint) facts.save.run("dedupe-key", fingerprint);
        return before === undefined || before === fingerprint;
      }),
    // Other processes on the file are few, and looked for often enough.
    watchQueue: () => async () => {},
    info: () => ({ kind: "sqlite", version, schemaVersion, location: options.path }),
    check: async () => {
      const at = options.clock.now().getTime();
      const read = connection.write("checking the store", () => check.get(at));
      if (read?.at !== at) throw new AppError("unavailable", "checking the store: what was written did not read back");
    },
    close: async () => connection.close(),
  };
}

/** @throws AppError `unavailable` when the SQLite is older than tattile may work with. */
export function requireSqlite(version: string): void {
  const [have, need] = [version, OLDEST_SQLITE].map((text) => text.split(".").map(Number)) as [number[], number[]];
  for (const [index, part] of need.entries()) {
    const found = have[index] ?? 0;
    if (found > part) return;
    if (found < part) {
      throw new AppError("unavailable", `opening the store: SQLite is too old (${version}, needed ${OLDEST_SQLITE})`, {
        hint: "Run tattile with the Bun it was built with.",
      });
    }
  }
}

function migrationTarget(connection: Connection): Parameters<typeof migrate>[0] {
  return {
    readVersion: () => pragma<number>(connection.database, "SELECT user_version AS value FROM pragma_user_version"),
    exclusively: (work) => connection.write("migrating the store", work),
    apply: (migration) => {
      connection.database.run(migration.sql);
      connection.database.run(`PRAGMA application_id = ${APPLICATION_ID}`);
      connection.database.run(`PRAGMA user_version = ${migration.version}`);
    },
  };
}

/** A wrong DATABASE path must not turn another program's database into a tattile one. */
function refuseForeign(database: Database, path: string): void {
  const tables = pragma<number>(database, "SELECT count(*) AS value FROM sqlite_schema");
  const id = pragma<number>(database, "SELECT application_id AS value FROM pragma_application_id");
  if (tables > 0 && id !== APPLICATION_ID) {
    throw new AppError("config", `opening the store: the database belongs to another program (${path})`, {
      hint: "Set DATA_DIR to a folder of tattile's own.",
    });
  }
}

function pragma<T extends string | number>(database: Database, sql: string): T {
  const statement = database.prepare<{ value: T }, []>(sql);
  try {
    const row = statement.get();
    if (row === null) throw new AppError("internal", `reading from the store: no row (${sql})`);
    return row.value;
  } finally {
    statement.finalize();
  }
}

/** Plates are for tattile's own group at most. SQLite gives -wal and -shm the mode of the database file. */
function prepareFile(path: string, doing: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
    closeSync(openSync(path, "a", 0o640));
    const mode = statSync(path).mode & 0o777;
    if ((mode & ~0o640) !== 0) chmodSync(path, mode & 0o640);
  } catch (error) {
    throw new AppError("unavailable", `${doing}: the file cannot be made or opened for writing`, {
      hint: "Check that the folder exists and belongs to the user tattile runs as.",
      cause: error,
    });
  }
}
