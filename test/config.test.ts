import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../src/config.ts";
import { parseEnvFile } from "../src/env-file.ts";
import { AppError } from "../src/errors.ts";
import { nearestName } from "../src/name-distance.ts";
import type { LoadOptions } from "../src/setting-sources.ts";
import { listSettings } from "../src/settings.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tattile-config-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function load(env: Record<string, string>, more: Partial<LoadOptions> = {}) {
  return loadConfig({ env, installed: false, folder, ...more });
}

function problemOf(run: () => unknown): AppError {
  try {
    run();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

function envFile(text: string, name = "tattile.env"): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe("defaults", () => {
  test("are those operators know, with everything below ./data when not installed", () => {
    const { config, warnings, sources } = load({});
    expect(warnings).toEqual([]);
    expect(config.dataDir).toBe(join(folder, "data"));
    expect(config.imagesDir).toBe(join(folder, "data/images"));
    expect(config.certsDir).toBe(join(folder, "data/certs"));
    expect(config.databasePath).toBe(join(folder, "data/tattile.db"));
    expect(config.transit.port).toBe(33334);
    expect(config.transit.maxMessageBytes).toBe(8 * 1024 * 1024);
    expect(config.sender.deadRetentionMs).toBe(3 * 24 * 3600 * 1000);
    expect(config.mossos.successCodes).toEqual(["1", "0000", "OK", "1.0"]);
    expect(config.mossos.timeoutMs).toBe(30_000);
    expect(config.api.port).toBe(8000);
    expect(new Set(Object.values(sources))).toEqual(new Set(["default"]));
  });

  test("lie in /var/lib/tattile when installed, or where systemd's StateDirectory says", () => {
    expect(load({}, { installed: true, systemEnvFile: join(folder, "none.env") }).config.dataDir).toBe(
      "/var/lib/tattile",
    );
    const unit = load(
      { STATE_DIRECTORY: "/srv/state" },
      { installed: undefined, systemEnvFile: join(folder, "none.env") },
    );
    expect(unit.config.dataDir).toBe("/srv/state");
  });

  test("parse back from what the documents show", () => {
    for (const one of listSettings()) {
      const shown = one.kind.show(one.default);
      if (shown !== "") expect([one.name, one.kind.parse(shown, "/")]).toEqual([one.name, { value: one.default }]);
    }
  });
});

describe("values", () => {
  test.each([
    ["MOSSOS_TIMEOUT", "2.5", (c: Loaded) => c.mossos.timeoutMs, 2500],
    ["SENDER_POLL_INTERVAL_SECONDS", "1", (c: Loaded) => c.sender.pollIntervalMs, 1000],
    ["SENDER_DEAD_RETENTION_MINUTES", "10", (c: Loaded) => c.sender.deadRetentionMs, 600_000],
    ["SENDER_STUCK_TIMEOUT_SECONDS", "60", (c: Loaded) => c.sender.stuckTimeoutMs, 60_000],
    ["INGEST_MAX_MESSAGE_BYTES", "4MiB", (c: Loaded) => c.transit.maxMessageBytes, 4_194_304],
    ["INGEST_MAX_MESSAGE_BYTES", "4194304", (c: Loaded) => c.transit.maxMessageBytes, 4_194_304],
    ["DISK_MIN_FREE_BYTES", "1.5 GiB", (c: Loaded) => c.diskMinFreeBytes, 1_610_612_736],
    ["SENDER_ENABLED", "off", (c: Loaded) => c.sender.enabled, false],
    ["SENDER_ENABLED", "True", (c: Loaded) => c.sender.enabled, true],
    ["SUCCESS_CODES", "1, 0000 ,OK", (c: Loaded) => c.mossos.successCodes, ["1", "0000", "OK"]],
    ["LOG_LEVEL", "WARNING", (c: Loaded) => c.logLevel, "warn"],
    ["TRANSIT_ALLOW", "10.0.0.0/8, fd00::/8", (c: Loaded) => c.transit.allow, ["10.0.0.0/8", "fd00::/8"]],
    ["TRANSIT_HOST", "::", (c: Loaded) => c.transit.host, "::"],
    ["MOSSOS_TIMEZONE", "UTC", (c: Loaded) => c.mossos.timezone, "UTC"],
    ["MOSSOS_WSDL_URL", "/etc/tattile/m.wsdl", (c: Loaded) => c.mossos.wsdl, "/etc/tattile/m.wsdl"],
    ["IMAGES_DIR", "/data/images", (c: Loaded) => c.imagesDir, "/data/images"],
    ["API_PORT", "", (c: Loaded) => c.api.port, 8000],
  ] as const)("%s=%s is understood", (name, text, read, expected) => {
    expect<unknown>(read(load({ [name]: text }).config)).toEqual(expected);
  });

  test.each([
    ["TRANSIT_PORT", "70000", "a whole number from 0 to 65535"],
    ["TRANSIT_PORT", "33334.5", "a whole number"],
    ["TRANSIT_PORT", "0x50", "a whole number"],
    ["MOSSOS_TIMEOUT", "0", "a number of seconds from 0.1 to 600"],
    ["MOSSOS_TIMEOUT", "30s", "a number of seconds"],
    ["INGEST_MAX_MESSAGE_BYTES", "1KiB", "a size from 64KiB to 256MiB"],
    ["INGEST_MAX_MESSAGE_BYTES", "8 apples", "a size"],
    ["SENDER_ENABLED", "maybe", "true or false"],
    ["CAMERA_TIMEZONE", "Europe/Madird", "the name of a time zone"],
    ["CAMERA_TIMEZONE", "+01:00", "the name of a time zone"],
    ["MOSSOS_ENDPOINT_URL", "ftp://x", "https://"],
    ["TRANSIT_ALLOW", "10.0.0.0/33", "addresses or networks"],
    ["TRANSIT_ALLOW", "camera-7", "addresses or networks"],
    ["TRANSIT_HOST", "eth0", "IPv4 or IPv6"],
    ["LOG_LEVEL", "loud", "one of debug, info, warn, error"],
    ["SUCCESS_CODES", "1,0", "never 0"],
    ["SENDER_DEFAULT_RETRY_MAX", "0", "from 1 to 1000"],
    ["SENDER_STUCK_TIMEOUT_SECONDS", "5", "from 10 to"],
  ])("%s=%s stops with the variable, the value and what is allowed", (name, text, allowed) => {
    const error = problemOf(() => load({ [name]: text }));
    expect(error.code).toBe("config");
    expect(error.message).toContain(name);
    expect(error.message).toContain(text);
    expect(error.message).toContain(allowed);
  });

  test("all bad ones are named at once", () => {
    const error = problemOf(() => load({ API_PORT: "x", LOG_LEVEL: "y", DEDUPE_DAYS: "z" }));
    for (const name of ["API_PORT", "LOG_LEVEL", "DEDUPE_DAYS"]) expect(error.message).toContain(name);
  });

  test("a password inside an address is not shown", () => {
    const error = problemOf(() => load({ MOSSOS_ENDPOINT_URL: "https://user:secret@police.example/matr" }));
    expect(error.message).toContain("MOSSOS_ENDPOINT_URL");
    expect(error.message).not.toContain("secret");
  });

  test.each([
    [{ INGEST_BUFFER_BYTES: "4MiB" }, "INGEST_MAX_MESSAGE_BYTES"],
    [{ INGEST_MESSAGE_TIMEOUT_SECONDS: "60" }, "INGEST_IDLE_TIMEOUT_SECONDS"],
    [{ SENDER_STUCK_TIMEOUT_SECONDS: "20" }, "MOSSOS_TIMEOUT"],
    [{ API_PORT: "33334" }, "TRANSIT_PORT"],
  ])("%p is refused beside what it contradicts", (env, other) => {
    expect(problemOf(() => load(env as Record<string, string>)).message).toContain(other);
  });
});

type Loaded = ReturnType<typeof loadConfig>["config"];

describe("layers", () => {
  test("flags go before the environment, that before the file, that before the default", () => {
    const file = envFile("API_PORT=1001\nTRANSIT_PORT=1002\nSENDER_CONCURRENCY=3\n");
    const env = { API_PORT: "2001", TRANSIT_PORT: "2002" };
    const { config, sources } = load(env, { envFile: file, flags: { API_PORT: "3001" } });
    expect([config.api.port, config.transit.port, config.sender.concurrency]).toEqual([3001, 2002, 3]);
    expect(sources["API_PORT"]).toBe("flag");
    expect(sources["TRANSIT_PORT"]).toBe("environment");
    expect(sources["SENDER_CONCURRENCY"]).toBe("file");
    expect(sources["DEDUPE_DAYS"]).toBe("default");
  });

  test("an alias in a stronger layer goes before the name in a weaker one", () => {
    const file = envFile("IMAGES_BASE_DIR=/from/file\n");
    expect(load({ IMAGES_DIR: "/from/env" }, { envFile: file }).config.imagesDir).toBe("/from/env");
  });

  test("a name and its alias that differ are warned of", () => {
    const { config, warnings } = load({ IMAGES_BASE_DIR: "/a", IMAGES_DIR: "/b" });
    expect(config.imagesDir).toBe("/a");
    expect(warnings.join()).toContain("IMAGES_DIR");
  });

  test("a relative path counts from the file that gives it, also when systemd hands it over too", () => {
    const file = envFile("DATA_DIR=state\n");
    const { config, sources } = load({ DATA_DIR: "state" }, { envFile: file, folder: "/elsewhere" });
    expect(config.dataDir).toBe(join(folder, "state"));
    expect(sources["DATA_DIR"]).toBe("file");
    expect(load({ DATA_DIR: "state" }, { folder: "/elsewhere" }).config.dataDir).toBe("/elsewhere/state");
  });

  test("a named file must exist; the system's need not", () => {
    const missing = join(folder, "missing.env");
    expect(problemOf(() => load({}, { envFile: missing })).message).toContain(missing);
    expect(problemOf(() => load({ TATTILE_ENV_FILE: missing })).message).toContain(missing);
    expect(load({}, { installed: undefined, systemEnvFile: missing }).envFile).toBeNull();
  });

  test("the system's file is read when it exists", () => {
    const file = envFile("DATA_DIR=/somewhere\n", "system.env");
    const { config, envFile: used } = load({}, { installed: undefined, systemEnvFile: file });
    expect([config.dataDir, used]).toEqual(["/somewhere", file]);
  });

  test("a file of more than 1 MiB is none of settings", () => {
    const envFile = join(folder, "large.env");
    writeFileSync(envFile, `A=1\n#${"x".repeat(1024 * 1024)}`);
    expect(problemOf(() => load({}, { envFile })).message).toContain("it is larger than 1048576 bytes");
  });

  test("a bad value in the file is blamed on the file", () => {
    const file = envFile("API_PORT=many\n");
    expect(problemOf(() => load({}, { envFile: file })).message).toContain(file);
  });
});

describe("the database", () => {
  const place = (env: Record<string, string>) => load(env).config.database;

  test("is SQLite unless PostgreSQL is named", () => {
    expect(place({})).toBeNull();
    expect(place({ DB_PORT: "5433", DB_PASSWORD: "hunter2" })).toBeNull();
  });

  test("is named by the variables of the replaced system", () => {
    expect(place({ DB_HOST: "db", DB_PORT: "5433", DB_NAME: "n", DB_USER: "u", DB_PASSWORD: "p@/:" })).toEqual({
      address: {
        hosts: [{ host: "db", port: 5433 }],
        database: "n",
        user: "u",
        password: "p@/:",
        sslMode: null,
        sslRootCert: null,
      },
      poolSize: 8,
    });
    expect(place({ DB_NAME: "n" })?.address).toMatchObject({ hosts: [{ host: "localhost", port: 5432 }], user: "n" });
  });

  test("is named by an address, which goes before them", () => {
    const url = "postgresql+psycopg2://u:p%40ss@one:1,two/n?sslmode=verify-full&sslrootcert=/ca.pem";
    expect(place({ DATABASE_URL: url, DB_HOST: "other", DB_POOL_SIZE: "4" })).toEqual({
      address: {
        hosts: [
          { host: "one", port: 1 },
          { host: "two", port: 5432 },
        ],
        database: "n",
        user: "u",
        password: "p@ss",
        sslMode: "verify-full",
        sslRootCert: "/ca.pem",
      },
      poolSize: 4,
    });
    expect(place({ DATABASE_URL: "postgres://u@/n?host=/run/postgresql" })?.address.hosts).toEqual([
      { host: "/run/postgresql", port: 5432 },
    ]);
    expect(place({ DATABASE_URL: "postgres://u:a/b@c@db/n" })?.address).toMatchObject({ password: "a/b@c" });
  });

  test("takes its password from a file", () => {
    const file = envFile("from the file\n");
    expect(place({ DB_HOST: "db", DB_PASSWORD_FILE: file })?.address.password).toBe("from the file");
    expect(() => place({ DB_HOST: "db", DB_PASSWORD_FILE: "/nowhere" })).toThrow("DB_PASSWORD_FILE");
  });

  test.each([
    "mysql://u:hunter2@db/n",
    "host=db user=u password=hunter2 dbname=t",
    "postgresql:///t?user=u&password=hunter2",
    "postgresql://u:hunter2/%@db/n",
  ])("that is no PostgreSQL address is refused without showing its password: %s", (address) => {
    const error = problemOf(() => place({ DATABASE_URL: address })).message;
    expect(error).toContain("DATABASE_URL must be postgresql://");
    expect(error).not.toContain("hunter2");
  });
});

describe("names", () => {
  test("an unknown one with a prefix of ours is warned of, with the nearest known", () => {
    const { warnings } = load({ SENDER_CONCURENCY: "4", MOSSOS_TIMEOUTS: "1", PATH: "/bin", HOME: "/root" });
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toContain("did you mean SENDER_CONCURRENCY?");
    expect(warnings[1]).toContain("did you mean MOSSOS_TIMEOUT?");
  });

  test("every unknown one in the file is warned of", () => {
    const { warnings } = load({}, { envFile: envFile("DATADIR=/x\n") });
    expect(warnings.join()).toContain("did you mean DATA_DIR?");
  });

  test("plain http to another machine is warned of", () => {
    expect(load({ MOSSOS_ENDPOINT_URL: "http://police.example/m" }).warnings.join()).toContain("unencrypted");
    expect(load({ MOSSOS_ENDPOINT_URL: "http://127.0.0.1:9/m" }).warnings).toEqual([]);
  });

  test.each([
    ["API_PROT", "API_PORT"],
    ["TRANSIT_POR", "TRANSIT_PORT"],
    ["API_SOMETHING_ELSE", null],
    ["SENDER_POLL", "SENDER_POLL_INTERVAL_SECONDS"],
    ["API", null],
  ])("nearest to %s is %p", (name, expected) => {
    const known = listSettings().map((one) => one.name);
    expect(nearestName(name, known)).toBe(expected);
  });
});

describe("the file's format", () => {
  test.each([
    ["A=1", "1"],
    ["A = 1", "1"],
    ["export A=1", "1"],
    ["A=  spaced out  ", "spaced out"],
    ["A='single # \\n $X'", "single # \\n $X"],
    ['A="a \\"b\\" \\$c \\x"', 'a "b" $c \\x'],
    ['A="two\nlines"', "two\nlines"],
    ["A=one\\\ntwo", "onetwo"],
    ["A=back\\\\slash", "back\\slash"],
    ["A=it's", "it's"],
    ["A=$HOME", "$HOME"],
    ["A=x # no comment", "x # no comment"],
    ["A=", ""],
    ["A=1\r\n", "1"],
    ["\uFEFFA=1", "1"],
    ["# c\n; c\n\n  # c\nA=1\nA=2", "2"],
  ])("%j gives %j", (text, expected) => {
    expect(parseEnvFile(text, "f").get("A")).toBe(expected);
  });

  test.each([
    ["A=1\nnonsense\n", 2],
    ["\n\nB-C=1", 3],
    ['A="x\ny\nz', 1],
    ['A="x"\nB="y" # c\n', 2],
  ])("%j is refused, naming file and line %i", (text, line) => {
    const error = problemOf(() => parseEnvFile(text, "/etc/some.env"));
    expect(error.message).toContain("/etc/some.env");
    expect(error.message).toContain(`line ${line}`);
  });
});
