import { isAbsolute, resolve } from "node:path";
import type { Clock } from "../clock.ts";
import { type DatabaseAddress, showDatabaseAddress } from "../database-address.ts";
import { AppError } from "../errors.ts";
import { createActivity } from "./postgres-activity.ts";
import { createAuditLog } from "./postgres-audit.ts";
import { createClaims } from "./postgres-claim.ts";
import { createPool, type Pool } from "./postgres-connection.ts";
import { createCopying } from "./postgres-copying.ts";
import { createHoldings } from "./postgres-holdings.ts";
import { createIntake, QUEUED_CHANNEL } from "./postgres-intake.ts";
import { createMessages } from "./postgres-messages.ts";
import { migrateDatabase, POSTGRES_MIGRATIONS, type PostgresMigration } from "./postgres-migrate.ts";
import { createQuarantine, SHARED_NODE } from "./postgres-quarantine.ts";
import { createRecords } from "./postgres-records.ts";
import { createRegistry } from "./postgres-registry.ts";
import { createRemoval } from "./postgres-removal.ts";
import { createRevival } from "./postgres-revive.ts";
import { instant } from "./postgres-rows.ts";
import { createSaving, createTables } from "./postgres-saving.ts";
import { createSettling } from "./postgres-settle.ts";
import { createStates } from "./postgres-states.ts";
import { createTallies } from "./postgres-tallies.ts";
import { createTokens } from "./postgres-tokens.ts";
import { createTransfer } from "./postgres-transfer.ts";
import { createUnqueued } from "./postgres-unqueued.ts";
import { createUpkeep } from "./postgres-upkeep.ts";
import type { Certificate } from "./registry.ts";
import type { Store } from "./store.ts";

const OLDEST_SERVER = 130_000;

export interface PostgresOptions {
  address: DatabaseAddress;
  /** Most connections of this process. */
  poolSize: number;
  /** Names this machine's folder of held messages, for ever. */
  node: string;
  /** Held messages lie where every machine can read them. */
  sharesQuarantine?: boolean | undefined;
  /** What relative paths of certificates count from: the replaced system wrote such. Not given: they stay as they are. */
  certsDir?: string | undefined;
  clock: Clock;
  answerMs?: number;
  /** For tests of older and newer schemas. */
  migrations?: readonly PostgresMigration[];
}

/**
 * Opens the store in a PostgreSQL database and brings its schema up to date.
 * @throws AppError `store-unreachable` when the server is away; others when it is too old, or the database is not ours
 */
export async function openPostgres(options: PostgresOptions): Promise<Store> {
  const { address, poolSize, clock, answerMs } = options;
  let opened = false;
  const wasOpened = (): boolean => opened;
  const pool = createPool({
    address,
    size: poolSize,
    clock,
    wasOpened,
    ...(answerMs === undefined ? {} : { answerMs }),
  });
  try {
    const version = await requireServer(pool);
    const migrator = createPool({ address, size: 1, clock, unlimited: true });
    try {
      const schemaVersion = await migrateDatabase(migrator, options.migrations ?? POSTGRES_MIGRATIONS);
      opened = true;
      return compose(pool, options, version, schemaVersion);
    } finally {
      await migrator.close();
    }
  } catch (error) {
    await pool.close();
    throw error;
  }
}

function compose(
  pool: Pool,
  { clock, node, sharesQuarantine, address, certsDir }: PostgresOptions,
  version: string,
  schemaVersion: number,
): Store {
  const tallies = createTallies(pool, clock);
  const holder = sharesQuarantine ? SHARED_NODE : node;
  const revival = createRevival(pool);
  const messages = createMessages(pool, clock);
  const claims = createClaims(pool, clock);
  const unqueued = createUnqueued(pool);
  const tables = createTables();
  const saving = createSaving(tables, revival, clock);
  const removal = createRemoval(tables, saving);
  const discards = { ...messages, discardUnqueued: unqueued.discard };
  const registry = createRegistry(pool, { tables, saving, removal }, discards);
  const placed = (one: Certificate | null): Certificate | null =>
    one === null || certsDir === undefined ? one : placeFiles(one, certsDir);
  return {
    ...createIntake(pool, tallies, holder, clock),
    ...createTransfer(pool, tallies, holder, clock),
    ...createUpkeep(pool),
    ...createCopying(pool),
    ...createRecords(pool),
    ...claims,
    ...createSettling(pool, clock),
    ...messages,
    ...createQuarantine(pool, [...new Set([holder, node])]),
    ...createStates(pool, tallies),
    ...createAuditLog(pool),
    ...createActivity(pool),
    ...createHoldings(pool, tallies, unqueued, removal, clock),
    ...registry,
    ...createTokens(pool),
    claim: async (request, now) =>
      (await claims.claim(request, now)).map((claim) => ({ ...claim, certificate: placed(claim.certificate) })),
    findCertificate: async (idOrName) => placed(await registry.findCertificate(idOrName)),
    listCertificates: async () => (await registry.listCertificates()).map((one) => placed(one) ?? one),
    revive: revival.revive,
    noteDedupeKey: (fingerprint) =>
      pool.transaction("noting the key of the hashes", async (run) => {
        const [before] = await run<{ value: string }>("SELECT value FROM store_facts WHERE name = $1 FOR UPDATE", [
          "dedupe-key",
        ]);
        if (before?.value === fingerprint) return true;
        const saved = await run(
          `INSERT INTO store_facts AS f (name, value) VALUES ($1, $2)
           ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE f.value <> excluded.value RETURNING xmax = 0 AS added`,
          ["dedupe-key", fingerprint],
        );
        // Not saved: another gateway noted the same one this very moment.
        return saved.length === 0 || saved[0]?.["added"] === true;
      }),
    watchQueue: (onQueued) => pool.listen(QUEUED_CHANNEL, onQueued),
    info: () => ({ kind: "postgres", version, schemaVersion, location: showDatabaseAddress(address) }),
    check: async () => {
      const at = clock.now();
      const [row] = await pool.query<{ at: Date }>(
        "checking the store",
        `INSERT INTO store_check (id, at) VALUES (1, $1::text::timestamptz)
         ON CONFLICT (id) DO UPDATE SET at = excluded.at RETURNING at`,
        [instant(at)],
      );
      if (row?.at.getTime() !== at.getTime()) {
        throw new AppError("unavailable", "checking the store: what was written did not read back");
      }
    },
    // Erased rows are PostgreSQL's to overwrite (VACUUM); what only grew is folded together.
    scrub: () => tallies.fold(),
    close: () => pool.close(),
  };
}

function placeFiles(certificate: Certificate, certsDir: string): Certificate {
  const place = (path: string | null): string | null =>
    path === null || isAbsolute(path) ? path : resolve(certsDir, path.replace(/^(\.\/)?data\/certs\//, ""));
  const { clientCertPath, keyPath, privpubPath } = certificate;
  return {
    ...certificate,
    clientCertPath: place(clientCertPath),
    keyPath: place(keyPath),
    privpubPath: place(privpubPath),
  };
}

/** @returns the server's version, such as 15.14. @throws AppError `unavailable` when it is too old */
async function requireServer(pool: Pool): Promise<string> {
  const [row] = await pool.query<{ number: string; text: string }>(
    "opening the store",
    `SELECT current_setting('server_version_num') AS number, current_setting('server_version') AS text`,
  );
  if (Number(row?.number) < OLDEST_SERVER) {
    throw new AppError("unavailable", `opening the store: PostgreSQL is too old (${row?.text}, needed 13)`, {
      hint: "Use PostgreSQL 13 or later.",
    });
  }
  return (row?.text ?? "").split(" ")[0] ?? "";
}
