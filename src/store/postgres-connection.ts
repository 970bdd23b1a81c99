import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { checkServerIdentity as checkIdentity, type PeerCertificate } from "node:tls";
import postgres from "postgres";
import type { Clock } from "../clock.ts";
import { type DatabaseAddress, type SslMode, showDatabaseAddress } from "../database-address.ts";
import { AppError, systemCode } from "../errors.ts";

/** Whatever has no answer after so long has none coming: the connection is given up, its sockets destroyed. */
const ANSWER_MS = 20_000;
/** The server gives up a statement before that, so that it does not go on for nobody. */
const STATEMENT_MS = 15_000;
const LOCK_MS = 5000;
const CONNECT_SECONDS = 5;
/** Two transactions, or statements, that got into each other's way: so often the loser begins anew. */
const MOST_TRIES = 5;
/** Between two attempts to connect. */
const RECONNECT_SECONDS = 0.25;

/**
 * The queue's statements are planned once and must fit a table of ten rows and of ten million alike: through an index, in
 * the index's order, row by row. A planner that has not heard yet that the table has grown would sort it or read it whole.
 */
const PLANNER = {
  jit: "off",
  plan_cache_mode: "force_generic_plan",
  enable_seqscan: "off",
  enable_bitmapscan: "off",
  enable_hashjoin: "off",
  enable_mergejoin: "off",
};

/** Who looks at every row reads whole tables, and joins them by hash. */
const PATIENT = [
  "statement_timeout = 0",
  "plan_cache_mode = auto",
  "enable_seqscan = on",
  "enable_bitmapscan = on",
  "enable_hashjoin = on",
]
  .map((setting) => `SET LOCAL ${setting};`)
  .join(" ");

type Sql = postgres.Sql<Record<string, never>>;
export type Parameter = string | number | boolean | null;
export type Rows<T> = readonly T[] & { count: number };

/** Runs one named statement. */
export type Run = <T = Record<string, unknown>>(sql: string, parameters?: readonly Parameter[]) => Promise<Rows<T>>;

/** A bounded pool of connections that are made anew whenever the server was away. */
export interface Pool {
  /** One statement, a transaction of its own. @throws AppError `store-unreachable` when the server is away */
  query<T = Record<string, unknown>>(doing: string, sql: string, parameters?: readonly Parameter[]): Promise<Rows<T>>;
  /** Several statements in one transaction, begun anew when another one got in its way. */
  transaction<T>(doing: string, work: (run: Run) => Promise<T>): Promise<T>;
  /** A transaction that may last as long as it takes: for an operator's question about every row. */
  patiently<T>(doing: string, work: (run: Run) => Promise<T>): Promise<T>;
  /** Calls back whenever something is said on the channel, and once when the connection was lost meanwhile. @returns how to stop */
  listen(channel: string, onNotice: () => void): () => Promise<void>;
  close(): Promise<void>;
}

export interface PoolOptions {
  address: DatabaseAddress;
  /** Most connections. */
  size: number;
  clock: Clock;
  answerMs?: number;
  /** For statements that may last: a migration. */
  unlimited?: boolean;
  /** Whether all of it was seen to work once: from then on a login, database or table that is refused is mended out there. */
  wasOpened?(): boolean;
}

/** Opens nothing yet: the first statement connects. */
export function createPool(options: PoolOptions): Pool {
  const { address, clock } = options;
  const answerMs = options.unlimited ? null : (options.answerMs ?? ANSWER_MS);
  const connect = (): Sql => connectTo(options);
  let sql = connect();
  let closed = false;
  const retired = new Set<Promise<void>>();
  const listeners = new Set<() => Promise<void>>();

  /** Other statements of the same pool fail with it, and are tried again by whoever asked. */
  const giveUp = (hung: Sql): void => {
    if (sql === hung && !closed) {
      sql = connect();
      for (const listen of listeners) void listen();
    }
    const ending = hung.end({ timeout: 0 }).catch(() => {});
    retired.add(ending);
    void ending.finally(() => retired.delete(ending));
  };

  const within = async <T>(work: (own: Sql) => Promise<T>, patient: boolean): Promise<T> => {
    const own = sql;
    if (answerMs === null || patient) return work(own);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new NoAnswer(`no answer within ${answerMs} ms`));
        giveUp(own);
      }, answerMs);
    });
    try {
      return await Promise.race([work(own), late]);
    } finally {
      clearTimeout(timer);
    }
  };

  const attempt = async <T>(doing: string, work: (own: Sql) => Promise<T>, patient = false): Promise<T> => {
    for (let tries = 1; ; tries++) {
      try {
        return await within(work, patient);
      } catch (error) {
        if (isCollision(error) && tries < MOST_TRIES) {
          await clock.sleep(tries * 10);
          continue;
        }
        throw describePostgresError(doing, error, address, options.wasOpened?.() === true);
      }
    }
  };

  return {
    query: (doing, text, parameters = []) => attempt(doing, async (own) => execute(own, text, parameters)),
    transaction: (doing, work) =>
      attempt(doing, (own) =>
        own.begin((inner) => work((text, parameters = []) => execute(inner, text, parameters))),
      ) as never,
    patiently: (doing, work) =>
      attempt(
        doing,
        (own) =>
          own.begin(async (inner) => {
            await execute(inner, PATIENT, []);
            return work((text, parameters = []) => execute(inner, text, parameters));
          }),
        true,
      ) as never,
    listen: (channel, onNotice) => {
      let stopped = false;
      let unlisten: (() => Promise<void>) | null = null;
      const start = async (): Promise<void> => {
        while (!stopped) {
          const own = sql;
          try {
            const listening = await own.listen(channel, onNotice, onNotice);
            if (own !== sql) return;
            unlisten = () => listening.unlisten();
            if (stopped) await unlisten();
            return;
          } catch {
            // The server is away. Nothing hangs on it: the queue is looked through anyway.
            await clock.sleep(1000);
            if (own !== sql) return;
          }
        }
      };
      listeners.add(start);
      void start();
      return async () => {
        stopped = true;
        listeners.delete(start);
        await unlisten?.().catch(() => {});
      };
    },
    close: async () => {
      closed = true;
      await sql.end({ timeout: 2 }).catch(() => {});
      await Promise.all(retired);
    },
  };
}

class NoAnswer extends Error {}

function execute<T>(
  sql: Sql | postgres.TransactionSql,
  text: string,
  parameters: readonly Parameter[],
): Promise<Rows<T>> {
  // Several statements in one text are a migration's: only the simple protocol takes them.
  const simple = parameters.length === 0 && text.includes(";");
  return sql.unsafe(text, parameters as Parameter[], { prepare: !simple, simple } as never) as never;
}

function connectTo({ address, size, unlimited }: PoolOptions): Sql {
  const { hosts } = address;
  const socket = hosts[0]?.host.startsWith("/") ?? false;
  const limits = unlimited
    ? {}
    : {
        statement_timeout: String(STATEMENT_MS),
        lock_timeout: String(LOCK_MS),
        idle_in_transaction_session_timeout: String(STATEMENT_MS),
        ...PLANNER,
      };
  return postgres({
    host: hosts.map(({ host }) => host) as unknown as string,
    port: hosts.map(({ port }) => port) as unknown as number,
    ...(socket ? { path: `${hosts[0]?.host}/.s.PGSQL.${hosts[0]?.port}` } : {}),
    database: address.database,
    user: address.user,
    ...(address.password === null ? {} : { password: address.password }),
    ssl: tlsOptions(address, socket),
    max: size,
    connect_timeout: CONNECT_SECONDS,
    backoff: () => RECONNECT_SECONDS,
    keep_alive: 30,
    fetch_types: false,
    // After a failover the old server, or a standby, would take reads and refuse every write.
    target_session_attrs: "read-write",
    onnotice: () => {},
    connection: { application_name: "tattile", TimeZone: "UTC", client_min_messages: "warning", ...limits } as never,
    types: {
      date: { to: 1184, from: [1082, 1114, 1184], serialize: (x: Date) => x.toISOString(), parse: readInstant },
      bigint: { to: 20, from: [20], serialize: String, parse: Number },
    } as never,
  }) as unknown as Sql;
}

/** `2026-05-04 10:00:00.123+00`, as the session's zone makes it. */
function readInstant(text: string): Date {
  return new Date(`${text.replace(" ", "T").replace(/\+00(:00)?$/, "")}Z`);
}

function tlsOptions({ sslMode, sslRootCert, hosts }: DatabaseAddress, socket: boolean): boolean | "prefer" | object {
  const mode: SslMode = sslMode ?? (socket ? "disable" : "prefer");
  if (mode === "disable" || socket) return false;
  if (mode === "prefer") return "prefer";
  const ca = sslRootCert === null ? {} : { ca: readAuthorities(sslRootCert) };
  // As libpq has it: with authorities given, `require` checks them too.
  if (mode === "require" && sslRootCert === null) return { rejectUnauthorized: false };
  if (mode !== "verify-full") return { ...ca, rejectUnauthorized: true, checkServerIdentity: () => undefined };
  if (!hosts.some(({ host }) => isIP(host) !== 0)) return { ...ca, rejectUnauthorized: true };
  // For an address the library names no server to check against, and does not say which of several it connected to.
  const checkServerIdentity = (_name: string, certificate: PeerCertificate): Error | undefined => {
    const errors = hosts.map(({ host }) => checkIdentity(host, certificate));
    return errors.includes(undefined) ? undefined : errors[0];
  };
  return { ...ca, rejectUnauthorized: true, checkServerIdentity };
}

function readAuthorities(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new AppError("config", `reading the authorities of the database: ${systemCode(cause) ?? "error"} (${path})`, {
      hint: "Correct sslrootcert of DATABASE_URL, or DB_SSLROOTCERT.",
      cause,
    });
  }
}

/** Errors of a server that is going, coming, full, or no longer the one that takes writes. */
const AWAY = /^(08...|57P0[1-5]|57014|53...|25006|55P03|58...|40001|40P01)$/;
const LIBRARY_AWAY = /^(CONNECTION_(CLOSED|ENDED|DESTROYED|CONNECT_TIMEOUT)|CONNECT_TIMEOUT|SASL_SIGNATURE_MISMATCH)$/;
/** Of the network and of TLS: a certificate that is not believed is mended out there, and the readings wait meanwhile. */
const NETWORK = /^E[A-Z]+$|^ERR_|CERT|SIGNATURE|ISSUER/;
const REFUSED = /^(28...|3D000|42501)$/;
/** Tables that were there: the database is being made anew from a copy. */
const GONE = /^(42P01|3F000)$/;

/** A circle of locks, or a row that was referred to and went meanwhile: another look at what is there has another end. */
function isCollision(error: unknown): boolean {
  const code = codeOf(error);
  return code === "40001" || code === "40P01" || code === "23503";
}

/** The SQLSTATE of the server, or the code of the library or the network. */
export function codeOf(error: unknown): string | null {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return null;
}

/**
 * Adds what was being done and what to try; an AppError passes unchanged. What the server refuses is `unavailable` at the
 * start, and away for a store that worked before: whoever rotated a password or made a new primary mends it out there. The server's own texts may quote a value, and a
 * value may be a plate: only codes and names of tables go further.
 */
function describePostgresError(doing: string, error: unknown, address: DatabaseAddress, wasOpened = false): unknown {
  if (error instanceof AppError) return error;
  const where = showDatabaseAddress(address);
  const code = codeOf(error);
  if (error instanceof NoAnswer) return away(doing, error.message, where);
  if (code === null) return error;
  const isServer = error instanceof Error && "severity" in error;
  if (!isServer && (LIBRARY_AWAY.test(code) || NETWORK.test(code))) return away(doing, code, where);
  if (AWAY.test(code)) return away(doing, code, where);
  if (REFUSED.test(code) || (wasOpened && GONE.test(code))) {
    return new AppError(
      wasOpened ? "store-unreachable" : "unavailable",
      `${doing}: the database server refuses it (${code} ${reasonOf(code)}, ${where})`,
      {
        hint: GONE.test(code)
          ? "Put the copy of the database back; tattile goes on by itself then."
          : "Check user, password and database in DATABASE_URL or DB_…, and that the user may use the tables.",
      },
    );
  }
  const place = ["table_name", "column_name", "constraint_name"]
    .map((name) => (error as unknown as Record<string, unknown>)[name])
    .filter((name) => typeof name === "string");
  return new AppError("internal", `${doing}: the database server refuses it (${[code, ...place].join(", ")})`);
}

function away(doing: string, why: string, where: string): AppError {
  return new AppError(
    "store-unreachable",
    `${doing}: the database server cannot be reached or used now (${why}, ${where})`,
    {
      hint: "Check that PostgreSQL runs and can be reached from here; tattile goes on by itself once it can.",
    },
  );
}

function reasonOf(code: string): string {
  if (code === "3D000") return "no such database";
  if (GONE.test(code)) return "a table is gone";
  return code === "42501" ? "permission denied" : "login";
}
