import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { appendFileSync, chmodSync, cpSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { openSqlite } from "../../src/store/sqlite.ts";
import { type FakeTimeServer, openTimeServer } from "../support/fake-time-server.ts";
import { type Issued, type OpensslPki, openOpensslPki } from "../support/openssl-pki.ts";
import { newReading } from "../support/store-fixture.ts";
import { openServer, type TestServer } from "../support/tls-server.ts";
import { isEmpty, openSite, type Site } from "./site.ts";

const BINARY = new URL("../../dist/tattile", import.meta.url).pathname;
const SERIAL = "2001008851";
const WSDL = readFileSync(new URL("../fixtures/matricules.wsdl", import.meta.url), "utf8");

interface Finding {
  check: string;
  grade: "good" | "warning" | "bad";
  text: string;
  cure: string | null;
}
type Environment = Record<string, string>;
type Undo = () => unknown;

/** One real gateway on which all is well; each test plants one fault into it, or into a copy of its data, and takes it out. */
let site: Site;
let time: FakeTimeServer;
let pki: OpensslPki;
let paths: { key: string; certificate: string };

const file = (name: string): string => join(site.folder, name);

beforeAll(async () => {
  time = await openTimeServer();
  site = await openSite({ NTP_SERVER: time.address });
  pki = openOpensslPki();
  await site.addCameras(SERIAL);
  await site.start();
  await site.send({ serials: [SERIAL], total: 1 });
  await site.until(isEmpty);
  const { stdout } = await site.run("cert", "list", "--json");
  const [certificate] = JSON.parse(stdout);
  paths = { key: certificate.keyPath, certificate: certificate.clientCertPath };
}, 60_000);

afterAll(async () => {
  await site[Symbol.asyncDispose]();
  await time[Symbol.asyncDispose]();
  pki[Symbol.dispose]();
});

async function doctor(environment: Environment = {}): Promise<{ code: number; findings: readonly Finding[] }> {
  const child = Bun.spawn([BINARY, "doctor", "--json", "--env-file", file("tattile.env")], {
    env: { PATH: process.env["PATH"] ?? "", TMPDIR: process.env["TMPDIR"] ?? "/tmp", ...environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
  });
  const [stdout, code] = await Promise.all([new Response(child.stdout).text(), child.exited]);
  return { code, findings: JSON.parse(stdout).findings };
}

async function must(...words: string[]): Promise<void> {
  const { exitCode, stderr } = await site.run(...words);
  expect([words.slice(0, 2).join(" "), exitCode, exitCode === 0 ? "" : stderr]).toEqual([
    words.slice(0, 2).join(" "),
    0,
    "",
  ]);
}

/** Changes files and gives back how to have them as they were. */
function replaced(path: string, text: string): Undo {
  const before = readFileSync(path);
  writeFileSync(path, text);
  return () => writeFileSync(path, before);
}

/** A copy of the data folder, with the service still living as far as its run files say. */
function copyData(): { folder: string; environment: Environment } {
  const folder = file(`copy-${Math.random().toString(36).slice(2)}`);
  cpSync(file("data"), folder, { recursive: true });
  return { folder, environment: { DATA_DIR: folder } };
}

async function endpointAt(url: string, ...flags: string[]): Promise<Undo> {
  await must("endpoint", "set", "police", "--url", url, ...flags);
  return () => must("endpoint", "set", "police", "--url", site.mossos.url, "--ca", file("ca.pem"), "--wsdl", "none");
}

/** A server with this certificate, whose authority is trusted. */
async function serverWith(issued: Issued, authority: Issued): Promise<{ undo: Undo; server: TestServer }> {
  const server = await openServer({ cert: issued.cert, key: issued.key }, (_request, response) => {
    response.writeHead(405, { date: new Date().toUTCString() }).end();
  });
  const restore = await endpointAt(`https://localhost:${server.port}/matr-ws`, "--ca", authority.certPath);
  return {
    server,
    undo: async () => {
      await restore();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** A systemctl that says this of the unit. */
function systemctl(properties: string): Environment {
  const folder = file(`bin-${Math.random().toString(36).slice(2)}`);
  mkdirSync(folder);
  writeFileSync(join(folder, "systemctl"), `#!/bin/sh\ncat <<'END'\n${properties}\nEND\n`, { mode: 0o755 });
  return { PATH: `${folder}:${process.env["PATH"]}` };
}
const UNIT = [
  ...["Id=tattile.service", "LoadState=loaded", "ActiveState=active", "SubState=running", "UnitFileState=enabled"],
  ...["NRestarts=0", "NeedDaemonReload=no", "User=tattile", "NoNewPrivileges=yes", "ProtectSystem=strict"],
].join("\n");

test("a gateway on which all is well has nothing but good findings, and the exit code says so", async () => {
  const { code, findings } = await doctor(systemctl(UNIT));
  expect(findings.filter(({ grade }) => grade !== "good")).toEqual([]);
  expect(code).toBe(0);
  const names = findings.map(({ check }) => check.replace(/\d+/, "N"));
  for (const name of [
    "clock, NTP",
    "endpoint police, TLS",
    "endpoint police, WSDL",
    "store",
    "unit tattile",
    "port N",
  ]) {
    expect(names).toContain(name);
  }
});

interface Fault {
  plant(): Promise<{ environment?: Environment; undo?: Undo }> | { environment?: Environment; undo?: Undo };
  finds: { check: string | RegExp; grade: "warning" | "bad"; text: RegExp; cure: RegExp };
}

const FAULTS: Record<string, Fault> = {
  "this machine's clock is ahead of the time server's": {
    plant: () => {
      time.offsetMs = -120_000;
      return { undo: () => (time.offsetMs = 0) };
    },
    finds: { check: "clock, NTP", grade: "bad", text: /120\.\d s ahead of/, cure: /timedatectl set-ntp true/ },
  },
  "the time server does not answer": {
    plant: () => {
      time.offsetMs = null;
      return { undo: () => (time.offsetMs = 0) };
    },
    finds: { check: "clock, NTP", grade: "warning", text: /no answer/, cure: /UDP port 123/ },
  },
  "the police's clock is wrong": {
    plant: () => {
      site.mossos.setClockOffset(90_000);
      return { undo: () => site.mossos.setClockOffset(0) };
    },
    finds: { check: "endpoint police, clock", grade: "bad", text: /\d\d\.\d s behind/, cure: /tell the police/ },
  },
  "the endpoint's name is not known": {
    plant: async () => ({ undo: await endpointAt("https://nowhere.invalid/matr-ws") }),
    finds: {
      check: "endpoint police, name",
      grade: "bad",
      text: /nowhere\.invalid/,
      cure: /endpoint set police --url/,
    },
  },
  "nobody listens at the endpoint": {
    plant: async () => ({ undo: await endpointAt("https://127.0.0.1:1/matr-ws") }),
    finds: { check: "endpoint police, connection", grade: "bad", text: /refused/, cure: /firewall/ },
  },
  "the endpoint takes the connection and says nothing": {
    plant: async () => {
      const mute = createServer(() => {});
      await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
      const restore = await endpointAt(`https://127.0.0.1:${(mute.address() as { port: number }).port}/`);
      return { undo: () => Promise.all([restore(), mute.close()]) };
    },
    finds: { check: "endpoint police, TLS", grade: "bad", text: /no answer in time/, cure: /look what answers/ },
  },
  "no TLS is spoken at the endpoint": {
    plant: async () => {
      const plain = await openServer(null, (_request, response) => response.end());
      const restore = await endpointAt(`https://127.0.0.1:${plain.port}/`);
      return { undo: () => Promise.all([restore(), plain[Symbol.asyncDispose]()]) };
    },
    finds: { check: "endpoint police, TLS", grade: "bad", text: /TLS/, cure: /--url/ },
  },
  "the police's authority is not the one that is trusted": {
    plant: async () => {
      const other = pki.issue({ subject: "/CN=Another CA", authority: true, issuer: null });
      return { undo: await endpointAt(site.mossos.url, "--ca", other.certPath) };
    },
    finds: {
      check: "endpoint police, TLS",
      grade: "bad",
      text: /unknown authority/,
      cure: /endpoint set police --ca FILE/,
    },
  },
  "the file of the authority is gone": {
    plant: async () => {
      cpSync(file("ca.pem"), file("lost.pem"));
      const undo = await endpointAt(site.mossos.url, "--ca", file("lost.pem"));
      rmSync(file("lost.pem"));
      return { undo };
    },
    finds: { check: "endpoint police, TLS", grade: "bad", text: /CA file cannot be read/, cure: /--ca FILE/ },
  },
  "the police's certificate has run out": {
    plant: async () => {
      const authority = pki.issue({ subject: "/CN=CA", authority: true, issuer: null });
      const altNames = "DNS:localhost";
      return serverWith(pki.issue({ subject: "/CN=old", altNames, days: -1, issuer: authority }), authority);
    },
    finds: { check: "endpoint police, TLS", grade: "bad", text: /has expired/, cure: /tell the police/ },
  },
  "the police's certificate is for another name": {
    plant: async () => {
      const authority = pki.issue({ subject: "/CN=CA", authority: true, issuer: null });
      return serverWith(pki.issue({ subject: "/CN=x", altNames: "DNS:other.example", issuer: authority }), authority);
    },
    finds: { check: "endpoint police, TLS", grade: "bad", text: /for another name/, cure: /not localhost/ },
  },
  "the police's certificate runs out next week": {
    plant: async () => {
      const authority = pki.issue({ subject: "/CN=CA", authority: true, issuer: null });
      const altNames = "DNS:localhost";
      return serverWith(pki.issue({ subject: "/CN=x", altNames, days: 6, issuer: authority }), authority);
    },
    finds: { check: "endpoint police, TLS", grade: "warning", text: /runs out in [56] days/, cure: /tell the police/ },
  },
  "the WSDL asks for another order": {
    plant: async () => {
      const [, plate = ""] = /(\s*<xsd?:element name="matricula" [\s\S]*?(?:\/>|<\/xsd?:element>))/.exec(WSDL) ?? [];
      expect(plate).not.toBe("");
      writeFileSync(
        file("order.wsdl"),
        WSDL.replace(plate, "").replace(/(\s*<xsd?:element name="imgMatricula")/, `${plate}$1`),
      );
      return { undo: await endpointAt(site.mossos.url, "--wsdl", file("order.wsdl")) };
    },
    finds: {
      check: "endpoint police, WSDL",
      grade: "warning",
      text: /another order, from matricula on/,
      cure: /tattile status/,
    },
  },
  "the WSDL asks for what cannot be filled": {
    plant: async () => {
      writeFileSync(file("more.wsdl"), WSDL.replaceAll(/name="marca"([^>]*) minOccurs="0"/g, 'name="carrosseria"$1'));
      return { undo: await endpointAt(site.mossos.url, "--wsdl", file("more.wsdl")) };
    },
    finds: { check: "endpoint police, WSDL", grade: "bad", text: /cannot fill .*carrosseria/, cure: /ask the police/ },
  },
  "the WSDL is gone from its address": {
    plant: async () => ({ undo: await endpointAt(site.mossos.url, "--wsdl", `${site.mossos.wsdlUrl}.old`) }),
    finds: { check: "endpoint police, WSDL", grade: "bad", text: /there is none at/, cure: /--wsdl URL/ },
  },
  "the key belongs to another certificate": {
    plant: () => ({ undo: replaced(paths.key, pki.issue({ subject: "/CN=x", issuer: null }).key) }),
    finds: { check: "certificate Vila", grade: "bad", text: /belongs to another certificate/, cure: /cert import/ },
  },
  "the key's file is gone": {
    plant: () => {
      const before = readFileSync(paths.key);
      rmSync(paths.key);
      return { undo: () => writeFileSync(paths.key, before, { mode: 0o600 }) };
    },
    finds: { check: "certificate Vila", grade: "bad", text: /its key: ENOENT/, cure: /cert import/ },
  },
  "the key can be read by others": {
    plant: () => {
      chmodSync(paths.key, 0o644);
      return { undo: () => chmodSync(paths.key, 0o600) };
    },
    finds: { check: "certificate Vila", grade: "warning", text: /read by others \(mode 644\)/, cure: /chmod 600/ },
  },
  "the certificate has run out": {
    plant: () => {
      const old = pki.issue({ subject: "/CN=x", days: -1, issuer: null });
      const undo = [replaced(paths.key, old.key), replaced(paths.certificate, old.cert)];
      return { undo: () => undo.map((one) => one()) };
    },
    finds: { check: "certificate Vila", grade: "bad", text: /ran out on/, cure: /cert import/ },
  },
  "the certificate runs out within days": {
    plant: () => {
      const short = pki.issue({ subject: "/CN=x", days: 6, issuer: null });
      const undo = [replaced(paths.key, short.key), replaced(paths.certificate, short.cert)];
      return { undo: () => undo.map((one) => one()) };
    },
    finds: { check: "certificate Vila", grade: "warning", text: /[56] days left/, cure: /cert import/ },
  },
  "a foreign certificate stands in the chain": {
    plant: () => {
      const before = readFileSync(paths.certificate);
      appendFileSync(paths.certificate, pki.issue({ subject: "/CN=Stranger", authority: true, issuer: null }).cert);
      return { undo: () => writeFileSync(paths.certificate, before) };
    },
    finds: {
      check: "certificate Vila",
      grade: "warning",
      text: /Stranger, which did not issue it/,
      cure: /cert import/,
    },
  },
  "the municipality has no certificate": {
    plant: async () => {
      const certificate = async (name: string): Promise<void> => {
        const municipality = `{ name: Vila, certificate: ${name} }`;
        writeFileSync(file("site.yaml"), `version: 1\nmunicipalities: [${municipality}]\n`);
        await must("apply", file("site.yaml"), "--yes");
      };
      await certificate("null");
      return { undo: () => certificate("Vila") };
    },
    finds: {
      check: "municipality Vila",
      grade: "bad",
      text: /no certificate/,
      cure: /cert import FILE.pfx --municipality Vila/,
    },
  },
  "the readings have no endpoint": {
    plant: async () => {
      await must("municipality", "set", "Vila", "--endpoint", "none");
      return { undo: () => must("municipality", "set", "Vila", "--endpoint", "police") };
    },
    finds: {
      check: "municipality Vila",
      grade: "bad",
      text: /no endpoint/,
      cure: /municipality set Vila --endpoint NAME/,
    },
  },
  "another program has the cameras' port": {
    plant: async () => {
      const other = createServer();
      await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
      const { port } = other.address() as { port: number };
      return { environment: { TRANSIT_PORT: String(port) }, undo: () => other.close() };
    },
    finds: { check: /^port /, grade: "bad", text: /held by \S+ \(pid \d+\), not by ingest/, cure: /TRANSIT_PORT/ },
  },
  "the service does not listen where it should": {
    plant: () => ({ environment: { TRANSIT_PORT: "2" } }),
    finds: { check: "port 2", grade: "bad", text: /nobody listens/, cure: /systemctl restart tattile/ },
  },
  "the disk is fuller than allowed": {
    plant: () => ({ environment: { DISK_MIN_FREE_BYTES: "1024GiB" } }),
    finds: { check: /^disk of /, grade: "bad", text: /full/, cure: /free some space/ },
  },
  "a folder cannot be written": {
    plant: () => {
      writeFileSync(file("in-the-way"), "");
      return { environment: { IMAGES_BASE_DIR: file("in-the-way") } };
    },
    finds: { check: "folder IMAGES_BASE_DIR", grade: "bad", text: /cannot be written: ENOTDIR/, cure: /chown/ },
  },
  "the bucket of the pictures cannot be reached": {
    plant: () => ({
      environment: {
        IMAGES_URL: "s3://pictures",
        IMAGES_S3_ENDPOINT: "http://127.0.0.1:1",
        IMAGES_S3_ACCESS_KEY_ID: "key",
        IMAGES_S3_SECRET_ACCESS_KEY: "secret",
      },
    }),
    finds: { check: "pictures, S3", grade: "bad", text: /pictures/, cure: /./ },
  },
  "a page of the store is damaged": {
    plant: () => {
      const { folder, environment } = copyData();
      const path = join(folder, "tattile.db");
      const database = new Database(path);
      database.run("PRAGMA wal_checkpoint(TRUNCATE)");
      const root = database
        .query<{ rootpage: number }, []>("SELECT rootpage FROM sqlite_schema WHERE name = 'alpr_readings'")
        .get();
      database.close();
      const bytes = readFileSync(path);
      bytes.fill(0x5a, ((root?.rootpage ?? 1) - 1) * 4096, (root?.rootpage ?? 1) * 4096);
      writeFileSync(path, bytes);
      return { environment };
    },
    finds: { check: "store", grade: "bad", text: /damaged/, cure: /restore a backup/ },
  },
  "the store was written by a newer tattile": {
    plant: () => {
      const { folder, environment } = copyData();
      const database = new Database(join(folder, "tattile.db"));
      database.run("PRAGMA user_version = 999");
      database.close();
      return { environment };
    },
    finds: { check: "store", grade: "bad", text: /schema 999/, cure: /newer tattile/ },
  },
  "the store is no database": {
    plant: () => {
      const { folder, environment } = copyData();
      rmSync(join(folder, "tattile.db-wal"), { force: true });
      writeFileSync(join(folder, "tattile.db"), "no database at all, but text ".repeat(200));
      return { environment };
    },
    finds: { check: "store", grade: "bad", text: /not a database/, cure: /backup/ },
  },
  "a camera fell silent": {
    plant: () => {
      const { folder, environment } = copyData();
      const database = new Database(join(folder, "tattile.db"));
      database.run("UPDATE cameras SET last_reading_at = last_reading_at - 3 * 86400000");
      database.close();
      return { environment };
    },
    finds: {
      check: "cameras",
      grade: "warning",
      text: new RegExp(`silent for a day: ${SERIAL}`),
      cure: /power and network/,
    },
  },
  "a camera was never heard": {
    plant: async () => {
      await must("camera", "add", "2001009999", "--reader", "1", "--municipality", "Vila");
      return { undo: () => must("camera", "remove", "2001009999", "--yes") };
    },
    finds: { check: "cameras", grade: "warning", text: /never heard: 2001009999/, cure: /tattile listen/ },
  },
  "a camera's clock is an hour behind": {
    plant: async () => {
      const { folder, environment } = copyData();
      const store = await openSqlite({ path: join(folder, "tattile.db"), clock: systemClock });
      const now = new Date();
      const entries = [1, 2, 3, 4].map((number) => {
        const receivedAt = new Date(now.getTime() - number * 1000);
        const capturedAt = new Date(receivedAt.getTime() - 3_600_000);
        return { kind: "reading", reading: newReading(number, SERIAL, { receivedAt, capturedAt }) } as const;
      });
      await store.enqueue(entries, now);
      await store.close();
      return { environment };
    },
    finds: { check: "clocks of cameras", grade: "warning", text: /3600 s behind/, cure: /NTP in the camera/ },
  },
  "a camera's clock is ahead, though nothing waits": {
    plant: () => {
      const { folder, environment } = copyData();
      const database = new Database(join(folder, "tattile.db"));
      database.run("UPDATE camera_hours SET least_delay_ms = -90000");
      database.close();
      return { environment };
    },
    finds: { check: "clocks of cameras", grade: "warning", text: /90 s ahead/, cure: /NTP in the camera/ },
  },
  "the service died": {
    plant: () => {
      const { folder, environment } = copyData();
      const run = join(folder, "run/sender.json");
      writeFileSync(run, readFileSync(run, "utf8").replace(/"pid":\d+/, '"pid":4194303'));
      return { environment };
    },
    finds: { check: "service sender", grade: "bad", text: /process 4194303 is gone/, cure: /journalctl -u tattile/ },
  },
  "the service hangs": {
    plant: () => {
      const { folder, environment } = copyData();
      const long = new Date(Date.now() - 600_000);
      utimesSync(join(folder, "run/sender.json"), long, long);
      return { environment };
    },
    finds: { check: "service sender", grade: "bad", text: /does not answer/, cure: /systemctl restart tattile/ },
  },
  "the service runs an older version than is installed": {
    plant: () => {
      const { folder, environment } = copyData();
      const run = join(folder, "run/sender.json");
      const text = readFileSync(run, "utf8").replace(/"version":"[^"]+"/, '"version":"0.0.1"');
      writeFileSync(run, text);
      return { environment };
    },
    finds: {
      check: "service sender",
      grade: "warning",
      text: /runs version 0\.0\.1/,
      cure: /systemctl restart tattile/,
    },
  },
  "the unit failed": {
    plant: () => ({ environment: systemctl(UNIT.replace("=active", "=failed")) }),
    finds: { check: "unit tattile", grade: "bad", text: /failed/, cure: /journalctl -u tattile/ },
  },
  "the unit is not started with the machine": {
    plant: () => ({ environment: systemctl(UNIT.replace("=enabled", "=disabled")) }),
    finds: { check: "unit tattile", grade: "warning", text: /not started when/, cure: /systemctl enable tattile/ },
  },
  "the unit has lost its hardening": {
    plant: () => ({ environment: systemctl(UNIT.replace("=strict", "=no").replace("User=tattile", "User=root")) }),
    finds: {
      check: "unit tattile, hardening",
      grade: "warning",
      text: /ProtectSystem=strict, a user other/,
      cure: /install\.sh/,
    },
  },
};

/** Only root may mount a small disk and fill it. */
const FULL_DISK: Fault = {
  plant: () => {
    const small = file("small");
    mkdirSync(small);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", small]);
    for (const size of [65_536, 1]) {
      try {
        for (;;) appendFileSync(join(small, "filler"), Buffer.alloc(size));
      } catch {
        // Full.
      }
    }
    return { environment: { IMAGES_BASE_DIR: small }, undo: () => execFileSync("umount", [small]) };
  },
  finds: {
    check: /^(disk of|folder IMAGES)/,
    grade: "bad",
    text: /full, 0 B free of 1.0 MiB/,
    cure: /free some space/,
  },
};
if (process.getuid?.() === 0) FAULTS["the disk is full to the last byte"] = FULL_DISK;

test.each(Object.entries(FAULTS))("finds that %s, and says what to do", async (_what, { plant, finds }) => {
  const { environment = {}, undo } = await plant();
  try {
    const { code, findings } = await doctor(environment);
    const found = findings.filter(({ grade }) => grade !== "good");
    const { check, grade, text, cure } = finds;
    const isMeant = (name: string): boolean => (typeof check === "string" ? name === check : check.test(name));
    const match = found.find((f) => isMeant(f.check) && text.test(f.text));
    expect(found.map((f) => `${f.check}: ${f.text}`)).toContainEqual(expect.stringMatching(text));
    expect(match).toMatchObject({ grade, text: expect.stringMatching(text), cure: expect.stringMatching(cure) });
    expect(code).toBe(found.some((f) => f.grade === "bad") ? 2 : 1);
    // Nothing else is said to be wrong.
    expect(found.filter((f) => !isMeant(f.check))).toEqual([]);
  } finally {
    await undo?.();
  }
});

test("everything is told in lines of 80 columns, without colours in a pipe", async () => {
  const { exitCode, stdout } = await site.run("doctor");
  expect(exitCode).toBe(0);
  expect(stdout).toContain("good endpoint police, TLS: TLSv1.");
  expect(stdout).toEndWith("All is fine.\n");
  for (const line of stdout.split("\n")) expect([...line].length).toBeLessThanOrEqual(80);
  expect(stdout).not.toContain("\x1b");
});
