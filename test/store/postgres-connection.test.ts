import { describe, expect, test } from "bun:test";
import { chownSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { type DatabaseAddress, parseDatabaseAddress } from "../../src/database-address.ts";
import { findFreePorts } from "../../src/demo-service.ts";
import { AppError } from "../../src/errors.ts";
import { createPki } from "../../src/simulator/pki.ts";
import { openPostgres } from "../../src/store/postgres.ts";
import { createPool, type Pool } from "../../src/store/postgres-connection.ts";
import { type PostgresServer, startPostgres, usePostgres } from "../support/postgres-server.ts";
import { PostgresUnderTest } from "../support/postgres-store.ts";
import { SpoolUnderTest, takeIn } from "../support/spool-fixture.ts";
import { addCameras, after, readingEntry, START } from "../support/store-fixture.ts";

const server = usePostgres({ durable: true });

function pool(address: DatabaseAddress, answerMs = 2000): Pool & AsyncDisposable {
  const own = createPool({ address, size: 2, clock: systemClock, answerMs });
  return { ...own, [Symbol.asyncDispose]: () => own.close() };
}

async function failureOf(promise: Promise<unknown>): Promise<AppError> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof AppError)) throw new Error(`no AppError but ${String(error)}`);
  return error;
}

const postmasterOf = (of: PostgresServer): number =>
  Number(readFileSync(join(of.folder, "data/postmaster.pid"), "utf8").split("\n")[0]);

describe("a server that is away", () => {
  test("is an error of its own, whatever is asked of the store, and the same store goes on once it is back", async () => {
    await using under = await PostgresUnderTest.open(server());
    const { store } = under;
    await addCameras(store, "A");
    await server().stop("immediate");
    try {
      for (const ask of [
        () => store.enqueue([readingEntry(987654, "A")], START),
        () => store.isKnown(new Uint8Array(16)),
        () => store.summarize(),
        () => store.releaseExpired(START),
        () => store.findCamera("A"),
        () => store.saveMunicipality({ name: "x", code: null, endpointId: null, certificateId: null, active: true }),
        () => store.check(),
      ]) {
        const error = await failureOf(ask());
        expect(error.code).toBe("store-unreachable");
        expect(error.message).not.toContain("T987654");
      }
      await expect(
        openPostgres({ address: server().address("x"), poolSize: 2, node: "n", clock: systemClock }),
      ).rejects.toMatchObject({
        code: "store-unreachable",
      });
    } finally {
      await server().start();
    }
    expect(await store.enqueue([readingEntry(1, "A")], START)).toEqual(["queued"]);
  }, 60_000);

  test("is told by the loss of its connections, too", async () => {
    await using under = await PostgresUnderTest.open(server());
    await addCameras(under.store, "A");
    await server().run(
      "postgres",
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tattile'",
    );
    for (let n = 0, done = false; !done; n++) {
      done = await under.store.enqueue([readingEntry(n, "A")], START).then(
        () => true,
        (error: unknown) => {
          expect(error).toMatchObject({ code: "store-unreachable" });
          return false;
        },
      );
      expect(n).toBeLessThan(20);
    }
  });

  test("that takes connections and never answers is given up", async () => {
    await using own = await startPostgres({ durable: true });
    await using asking = pool(own.address("postgres"), 700);
    await asking.query("asking", "SELECT 1");
    let told = 0;
    const stop = asking.listen("hint", () => {
      told += 1;
    });
    for (let n = 0; told === 0 && n < 100; n++) await Bun.sleep(20);
    const pids = [
      postmasterOf(own),
      ...(await own.run<{ pid: number }>("postgres", "SELECT pid FROM pg_stat_activity")).map(({ pid }) => pid),
    ];
    const stopped = pids.filter((pid) => send(pid, "SIGSTOP"));
    try {
      const errors = await Promise.all([1, 2, 3].map(() => failureOf(asking.query("asking", "SELECT 1"))));
      expect(errors.map(({ code }) => code)).toEqual(["store-unreachable", "store-unreachable", "store-unreachable"]);
    } finally {
      for (const pid of stopped) send(pid, "SIGCONT");
    }
    const back = await again(() => asking.query<{ n: number }>("asking", "SELECT 2 AS n"));
    expect(back[0]?.n).toBe(2);
    // Who listened on the connections that were given up listens again, and is told at once that there may be something.
    for (let n = 0; told === 1 && n < 200; n++) await Bun.sleep(20);
    expect(told).toBeGreaterThan(1);
    const before = told;
    await asking.query("telling", "SELECT pg_notify('hint', $1)", [""]);
    for (let n = 0; told === before && n < 200; n++) await Bun.sleep(20);
    expect(told).toBeGreaterThan(before);
    await stop();
  }, 60_000);

  test("a statement that waits for a lock too long is tried again later, not lost", async () => {
    await using under = await PostgresUnderTest.open(server());
    await addCameras(under.store, "A");
    const holding = under.run("BEGIN; LOCK TABLE dedupe IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(7); COMMIT");
    await Bun.sleep(300);
    expect((await failureOf(under.store.enqueue([readingEntry(1, "A")], START))).code).toBe("store-unreachable");
    await holding;
    expect(await under.store.enqueue([readingEntry(1, "A")], START)).toEqual(["queued"]);
  }, 60_000);

  test("a server that takes no writes is away: after a failover the old one must not be asked", async () => {
    await server().createDatabase("readonly");
    await server().run("readonly", "ALTER DATABASE readonly SET default_transaction_read_only = on");
    await using asking = pool(server().address("readonly"));
    expect((await failureOf(asking.query("asking", "CREATE TABLE t (n integer)"))).code).toBe("store-unreachable");
  });
});

describe("what goes wrong between two processes", () => {
  test("two that lock the same rows crosswise both come through", async () => {
    await server().createDatabase("crosswise");
    await server().run(
      "crosswise",
      "CREATE TABLE t (id integer PRIMARY KEY, n integer); INSERT INTO t VALUES (1, 0), (2, 0)",
    );
    await using one = pool(server().address("crosswise"), 20_000);
    await using two = pool(server().address("crosswise"), 20_000);
    const both = async (own: Pool, first: number, second: number) =>
      own.transaction("adding", async (run) => {
        await run(`UPDATE t SET n = n + 1 WHERE id = ${first}`);
        await Bun.sleep(200);
        await run(`UPDATE t SET n = n + 1 WHERE id = ${second}`);
      });
    await Promise.all([both(one, 1, 2), both(two, 2, 1)]);
    expect(await server().run("crosswise", "SELECT id, n FROM t ORDER BY id")).toEqual([
      { id: 1, n: 2 },
      { id: 2, n: 2 },
    ]);
  });
});

describe("an error of the server", () => {
  test("never carries a value on", async () => {
    await using under = await PostgresUnderTest.open(server());
    await addCameras(under.store, "A");
    await under.run("ALTER TABLE alpr_readings ADD CONSTRAINT odd CHECK (plate <> 'T987654')");
    const error = await failureOf(under.store.enqueue([readingEntry(987654, "A")], after(0)));
    expect(error.code).toBe("internal");
    expect(error.message).toContain("23514");
    expect(error.message).toContain("odd");
    expect(JSON.stringify([error.message, error.hint, String(error.cause)])).not.toContain("T987654");
  });

  test("of a user who may not, and of a database that is not there, is not an outage", async () => {
    for (const database of ["nowhere"]) {
      await using asking = pool(server().address(database));
      const error = await failureOf(asking.query("asking", "SELECT 1"));
      expect(error.code).toBe("unavailable");
      expect(error.message).toContain("no such database");
    }
  });
});

describe("a server that refuses what it took before", () => {
  /** The open store's database as `change` leaves it; `mend` makes it good again. */
  async function spoolsWhile(
    change: (own: PostgresServer) => Promise<unknown>,
    mend: (own: PostgresServer) => Promise<unknown>,
    said: string,
  ): Promise<void> {
    const [port = 0] = await findFreePorts(1);
    await using own = await startPostgres({ port });
    await own.run("postgres", "CREATE ROLE gateway LOGIN PASSWORD 'first'");
    await own.run("postgres", "CREATE DATABASE town OWNER gateway");
    const hba = join(own.folder, "data/pg_hba.conf");
    writeFileSync(hba, `local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n`);
    await own.run("postgres", "SELECT pg_reload_conf()");
    const address = parseDatabaseAddress(`postgresql://gateway:first@127.0.0.1:${port}/town`);
    if (address === null) throw new Error("not understood");
    const openStore = () => openPostgres({ address, poolSize: 2, node: "n", clock: systemClock });
    await using under = await SpoolUnderTest.open(() => again(openStore));
    await addCameras(under.store, "A");
    const { spool, file } = await under.spool();
    await file.mirrorCameras(await under.store.listCameras());
    await change(own);
    const ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'gateway'";
    await own.run("postgres", ending);
    expect(await takeIn(spool, "A", 1)).toEqual(["queued"]);
    // Whatever it began with: what keeps the readings from moving now is what is said.
    spool.start();
    for (let n = 0; spool.status().reason?.includes(said) !== true && n < 200; n++) await Bun.sleep(20);
    expect(spool.status().reason).toContain(said);
    expect(await failureOf(under.store.findCamera("A"))).toMatchObject({ code: "store-unreachable" });
    expect(await takeIn(spool, "A", 2)).toEqual(["queued"]);
    // At the start it stays what keeps the service from starting.
    if (said !== "permission denied") expect((await failureOf(openStore())).code).toBe("unavailable");
    await mend(own);
    for (let n = 0; spool.status().since !== null && n < 200; n++) await Bun.sleep(50);
    expect(spool.status()).toMatchObject({ since: null, waiting: 0 });
    expect((await under.store.summarize()).byStatus.PENDING).toBe(2);
  }

  test("the password, is away: readings wait in the spool, which says so, and move once it is mended", async () => {
    await spoolsWhile(
      (own) => own.run("postgres", "ALTER ROLE gateway PASSWORD 'second'"),
      (own) => own.run("postgres", "ALTER ROLE gateway PASSWORD 'first'"),
      "login",
    );
  }, 60_000);

  test("the database, because it was dropped for a copy to be put back, is away", async () => {
    await spoolsWhile(
      (own) =>
        own
          .run("postgres", "ALTER DATABASE town ALLOW_CONNECTIONS false")
          .then(() =>
            own.run("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'town'"),
          )
          .then(() => own.run("postgres", "ALTER DATABASE town RENAME TO town_before")),
      (own) =>
        own
          .run("postgres", "ALTER DATABASE town_before RENAME TO town")
          .then(() => own.run("postgres", "ALTER DATABASE town ALLOW_CONNECTIONS true")),
      "no such database",
    );
  }, 60_000);

  test("the tables, is away", async () => {
    await spoolsWhile(
      (own) => own.run("town", "ALTER TABLE cameras OWNER TO tattile; ALTER TABLE moved_batches OWNER TO tattile"),
      (own) => own.run("town", "ALTER TABLE cameras OWNER TO gateway; ALTER TABLE moved_batches OWNER TO gateway"),
      "permission denied",
    );
  }, 60_000);

  test("the tables, because they are being put back, is away too", async () => {
    await using under = await PostgresUnderTest.open(server());
    await addCameras(under.store, "A");
    await under.run("ALTER TABLE alpr_readings RENAME TO elsewhere");
    expect(await failureOf(under.store.enqueue([readingEntry(1, "A")], START))).toMatchObject({
      code: "store-unreachable",
      message: expect.stringContaining("a table is gone"),
    });
  });
});

describe("logging in", () => {
  test("with the right password works, and with a wrong one says so without showing it", async () => {
    const [port = 0] = await findFreePorts(1);
    await using own = await startPostgres({ port });
    // Before 14 passwords are kept as md5 unless this is said.
    await own.run("postgres", "ALTER SYSTEM SET password_encryption = 'scram-sha-256'");
    await own.run("postgres", "SELECT pg_reload_conf()");
    await own.run("postgres", "CREATE ROLE clerk LOGIN PASSWORD 'right p@ss/word'");
    const hba = join(own.folder, "data/pg_hba.conf");
    writeFileSync(hba, `local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n`);
    await own.run("postgres", "SELECT pg_reload_conf()");
    const url = (password: string) => {
      const address = parseDatabaseAddress(
        `postgresql://clerk:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`,
      );
      if (address === null) throw new Error("not understood");
      return address;
    };
    await using right = pool(url("right p@ss/word"));
    const rows = await again(() => right.query<{ who: string }>("asking", "SELECT current_user::text AS who"));
    expect(rows[0]?.who).toBe("clerk");
    await using wrong = pool(url("wrong-secret"));
    const error = await failureOf(wrong.query("asking", "SELECT 1"));
    expect(error.code).toBe("unavailable");
    expect(error.message).toContain("login");
    expect(error.message).toContain(`postgresql://clerk@127.0.0.1:${port}/postgres`);
    expect(`${error.message} ${error.hint} ${String(error.cause)}`).not.toContain("secret");
  }, 60_000);
});

describe("TLS", () => {
  test("is used as the mode says, and verify-full believes only the right name and authority", async () => {
    const pki = await createPki({ now: new Date(), hosts: ["127.0.0.1"] });
    const other = await createPki({ now: new Date() });
    const [port = 0] = await findFreePorts(1);
    await using own = await startPostgres({ port });
    const data = join(own.folder, "data");
    const { uid, gid } = statSync(data);
    for (const [name, text] of [
      ["server.crt", pki.server.certPem],
      ["server.key", pki.server.keyPem],
    ] as const) {
      writeFileSync(join(data, name), text, { mode: 0o600 });
      chownSync(join(data, name), uid, gid);
    }
    await own.run("postgres", "ALTER SYSTEM SET ssl = on");
    await own.run("postgres", "SELECT pg_reload_conf()");
    await Bun.sleep(500);
    const [ca, wrong] = [join(own.folder, "ca.pem"), join(own.folder, "wrong.pem")];
    writeFileSync(ca, pki.caPem);
    writeFileSync(wrong, other.caPem);
    const ask = async (names: string, sslMode: DatabaseAddress["sslMode"], sslRootCert: string | null) => {
      const hosts = names.split(",").map((host) => ({ host, port }));
      await using asking = pool({ ...own.address("postgres"), hosts, sslMode, sslRootCert });
      const rows = await asking.query<{ ssl: boolean }>(
        "asking",
        "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
      );
      return rows[0]?.ssl;
    };
    expect(await ask("127.0.0.1", "disable", null)).toBe(false);
    expect(await ask("127.0.0.1", null, null)).toBe(true);
    expect(await ask("127.0.0.1", "require", null)).toBe(true);
    expect(await ask("127.0.0.1", "verify-ca", ca)).toBe(true);
    expect(await ask("127.0.0.1", "verify-full", ca)).toBe(true);
    expect(await ask("localhost", "verify-ca", ca)).toBe(true);
    // The server that answers need not be the first of several: here nobody listens at the first.
    expect(await ask("127.0.0.2,127.0.0.1", "verify-full", ca)).toBe(true);
    expect((await failureOf(ask("localhost,127.0.0.9", "verify-full", ca))).code).toBe("store-unreachable");
    expect((await failureOf(ask("127.0.0.1", "verify-full", wrong))).code).toBe("store-unreachable");
    expect((await failureOf(ask("127.0.0.1", "verify-ca", wrong))).code).toBe("store-unreachable");
    expect((await failureOf(ask("localhost", "verify-full", ca))).code).toBe("store-unreachable");
  }, 60_000);
});

function send(pid: number, signal: "SIGSTOP" | "SIGCONT"): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

async function again<T>(ask: () => Promise<T>): Promise<T> {
  for (let n = 0; ; n++) {
    try {
      return await ask();
    } catch (error) {
      if (n > 20) throw error;
      await Bun.sleep(100);
    }
  }
}
