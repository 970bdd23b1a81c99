import { afterAll, beforeAll } from "bun:test";
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import type { DatabaseAddress } from "../../src/database-address.ts";

export interface ServerOptions {
  /** Lines for postgresql.conf besides ours. */
  settings?: readonly string[];
  /** False: a crash of the server may lose what it confirmed; faster. */
  durable?: boolean;
  /** TCP port on 127.0.0.1; not given: only the unix socket. */
  port?: number;
  /** A copy of this one's, which follows it. */
  standbyOf?: PostgresServer;
}

/** A PostgreSQL server of the test's own, in a folder of its own. */
export interface PostgresServer extends AsyncDisposable {
  readonly folder: string;
  readonly binaries: string;
  /** Where a database of it is. */
  address(database: string): DatabaseAddress;
  /** The same for DATABASE_URL. */
  url(database: string): string;
  createDatabase(name: string, template?: string): Promise<void>;
  dropDatabase(name: string): Promise<void>;
  /** Runs statements in a database. */
  run<T = Record<string, unknown>>(database: string, sql: string): Promise<T[]>;
  start(): Promise<void>;
  /** `immediate` is a crash: it recovers at the next start. */
  stop(mode?: "fast" | "immediate"): Promise<void>;
  /** Makes a standby take writes. */
  promote(): Promise<void>;
}

const ROLE = "tattile";
const PORT_OF_SOCKET = 5432;

/** Those of `POSTGRES_BIN`, or else the machine's newest; Debian keeps the server's programs off the path. */
function findBinaries(): string {
  const given = process.env["POSTGRES_BIN"];
  if (given !== undefined) return given;
  const root = "/usr/lib/postgresql";
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  for (const folder of [...versions.map((version) => join(root, version, "bin")), "/usr/local/bin", "/usr/bin"]) {
    if (existsSync(join(folder, "initdb")) && existsSync(join(folder, "pg_ctl"))) return folder;
  }
  throw new Error("PostgreSQL is missing: apt-get install postgresql");
}

/** PostgreSQL refuses to run as root. */
function unprivileged(): { words: string[]; uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const users = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"));
  const user = users.find(([name]) => name === "postgres") ?? users.find(([name]) => name === "nobody");
  const [uid, gid] = [Number(user?.[2]), Number(user?.[3])];
  return { words: ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups"], uid, gid };
}

export async function startPostgres(options: ServerOptions = {}): Promise<PostgresServer> {
  const binaries = findBinaries();
  const folder = mkdtempSync(join(tmpdir(), "pg-"));
  const data = join(folder, "data");
  const other = unprivileged();
  if (other !== null) chownSync(folder, other.uid, other.gid);
  const must = async (...words: string[]): Promise<void> => {
    const child = Bun.spawn([...(other?.words ?? []), ...words], {
      cwd: folder,
      env: { PATH: process.env["PATH"] ?? "", TMPDIR: process.env["TMPDIR"] ?? "/tmp", LC_ALL: "C.UTF-8" },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    });
    const errors = await new Response(child.stderr).text();
    if ((await child.exited) !== 0) throw new Error(`${words[0]}: ${errors}`);
  };
  const primary = options.standbyOf?.address("").hosts[0];
  if (primary === undefined) {
    await must(
      join(binaries, "initdb"),
      "-D",
      data,
      "-U",
      ROLE,
      "-A",
      "trust",
      "-E",
      "UTF8",
      "--no-locale",
      "--no-sync",
    );
  } else {
    const from = ["-h", primary.host, "-p", `${primary.port}`, "-U", ROLE];
    await must(join(binaries, "pg_basebackup"), "-D", data, ...from, "-R", "-c", "fast");
    await must("sed", "-i", "/own.conf/d", join(data, "postgresql.conf"));
  }
  const lines = [
    `unix_socket_directories = '${folder}'`,
    `listen_addresses = '${options.port === undefined ? "" : "127.0.0.1"}'`,
    `port = ${options.port ?? PORT_OF_SOCKET}`,
    "max_connections = 60",
    "shared_buffers = 64MB",
    "log_min_messages = warning",
    ...(options.durable === true ? [] : ["fsync = off", "synchronous_commit = off", "full_page_writes = off"]),
    ...(options.settings ?? []),
  ];
  writeFileSync(join(folder, "own.conf"), `${lines.join("\n")}\n`, { mode: 0o644 });
  await must("bash", "-c", `echo "include '${folder}/own.conf'" >> '${data}/postgresql.conf'`);

  const address = (database: string): DatabaseAddress => ({
    hosts: [{ host: folder, port: options.port ?? PORT_OF_SOCKET }],
    database,
    user: ROLE,
    password: null,
    sslMode: null,
    sslRootCert: null,
  });
  const run: PostgresServer["run"] = async (database, text) => {
    const sql = postgres({
      path: `${folder}/.s.PGSQL.${options.port ?? PORT_OF_SOCKET}`,
      host: folder,
      database,
      user: ROLE,
      max: 1,
      onnotice: () => {},
      connection: { TimeZone: "UTC" },
    });
    try {
      return [...(await sql.unsafe(text))] as never;
    } finally {
      await sql.end({ timeout: 1 });
    }
  };
  const server: PostgresServer = {
    folder,
    binaries,
    address,
    url: (database) =>
      `postgresql://${ROLE}@/${database}?host=${encodeURIComponent(folder)}&port=${options.port ?? PORT_OF_SOCKET}`,
    createDatabase: async (name, template = "template0") => {
      await run("postgres", `CREATE DATABASE ${name} TEMPLATE ${template}`);
    },
    dropDatabase: async (name) => {
      await run("postgres", `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
    run,
    start: () => must(join(binaries, "pg_ctl"), "-D", data, "-l", join(folder, "log"), "-w", "-s", "start"),
    stop: (mode = "fast") => must(join(binaries, "pg_ctl"), "-D", data, "-m", mode, "-w", "-s", "stop"),
    promote: () => must(join(binaries, "pg_ctl"), "-D", data, "-w", "-s", "promote"),
    [Symbol.asyncDispose]: async () => {
      if (existsSync(join(data, "postmaster.pid"))) await server.stop("immediate").catch(() => {});
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

/** One server for all tests of a file. */
export function usePostgres(options: ServerOptions = {}): () => PostgresServer {
  let server: PostgresServer | null = null;
  beforeAll(async () => {
    server = await startPostgres(options);
  }, 120_000);
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
  }, 60_000);
  return () => {
    if (server === null) throw new Error("the server is not there outside of a test");
    return server;
  };
}
