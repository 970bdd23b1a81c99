import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { chown, mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openStore } from "../../src/store/open.ts";
import { type CommandFolder, openCommandFolder } from "../support/tattile-command.ts";

const AUTHORITY = new URL("../fixtures/golden/ca.pem", import.meta.url).pathname;

/** Runs a command that must end well. @returns what it said, without the last line end */
async function done(cli: CommandFolder, ...words: string[]): Promise<string> {
  const said = await cli.run(...words);
  expect([words.join(" "), said.stderr, said.code]).toEqual([words.join(" "), "", 0]);
  return said.stdout.trimEnd();
}

async function json(cli: CommandFolder, ...words: string[]): Promise<Record<string, unknown>> {
  return JSON.parse(await done(cli, ...words, "--json"));
}

async function withCamera(cli: CommandFolder): Promise<void> {
  await done(cli, "endpoint", "add", "lectio", "https://police.example/matr-ws");
  await done(cli, "municipality", "add", "Òdena", "--endpoint", "lectio");
  await done(
    cli,
    "camera",
    "add",
    "2001008851",
    "--reader",
    "00012",
    "--municipality",
    "òdena",
    "--x",
    "431234.50",
    "--y",
    "4588123.00",
  );
}

test("adding says added, the same again unchanged, and something else changed", async () => {
  await using cli = await openCommandFolder();
  const endpoint = ["endpoint", "add", "lectio", "https://police.example/matr-ws"];
  expect(await done(cli, ...endpoint)).toBe("added endpoint lectio");
  expect(await done(cli, ...endpoint)).toBe("unchanged endpoint lectio");
  expect(await done(cli, ...endpoint, "--timeout-ms", "20000")).toBe("changed endpoint lectio");
  // What an earlier call set and this one does not name stays.
  expect(await done(cli, ...endpoint)).toBe("unchanged endpoint lectio");
  expect(await done(cli, "municipality", "add", "Òdena")).toBe("added municipality Òdena");
  expect(await done(cli, "municipality", "add", "òdena")).toBe("unchanged municipality Òdena");
  const camera = ["camera", "add", "2001008851", "--reader", "00012", "--municipality", "Òdena"];
  expect(await done(cli, ...camera)).toBe("added camera 2001008851");
  expect(await done(cli, ...camera)).toBe("unchanged camera 2001008851");
  expect(await json(cli, ...camera, "--description", "pont")).toEqual({ result: "changed", what: "camera 2001008851" });
});

test("set changes what is given and nothing else, and none or an empty value clears", async () => {
  await using cli = await openCommandFolder();
  await withCamera(cli);
  const before = await json(cli, "camera", "show", "2001008851");
  expect(before).toMatchObject({ readerCode: "00012", coordX: "431234.50", coordY: "4588123.00", endpoint: null });
  expect(await done(cli, "camera", "set", "2001008851", "--endpoint", "lectio", "--timezone", "UTC")).toBe(
    "changed camera 2001008851",
  );
  expect(await json(cli, "camera", "show", "2001008851")).toEqual({ ...before, endpoint: "lectio", timezone: "UTC" });
  await done(cli, "camera", "set", "2001008851", "--endpoint", "none", "--timezone", "");
  expect(await json(cli, "camera", "show", "2001008851")).toEqual(before);
  expect(await done(cli, "camera", "set", "2001008851", "--x", "none", "--y", "none", "--active", "off")).toStartWith(
    "changed",
  );
  expect(await json(cli, "camera", "show", "2001008851")).toEqual({
    ...before,
    coordX: null,
    coordY: null,
    active: false,
  });
});

test("endpoint set takes every flag of add and the address, and clears what may be left out", async () => {
  await using cli = await openCommandFolder();
  await done(cli, "endpoint", "add", "lectio", "https://police.example/matr-ws");
  const before = await json(cli, "endpoint", "show", "lectio");
  const flags = {
    "--url": "https://other.example/",
    "--timeout-ms": "7000",
    "--retry-max": "5",
    "--retry-backoff-ms": "2000",
    "--profile": "strict",
    "--soap-action": "urn:matricula",
    "--ca": AUTHORITY,
    "--timezone": "UTC",
    "--wsdl": "https://other.example/matricules.wsdl",
    "--tls-client-cert": "on",
  };
  await done(cli, "endpoint", "set", "lectio", ...Object.entries(flags).flat());
  expect(await json(cli, "endpoint", "show", "lectio")).toEqual({
    ...before,
    url: "https://other.example/",
    timeoutMs: 7000,
    retryMax: 5,
    retryBackoffMs: 2000,
    profile: "strict",
    soapAction: "urn:matricula",
    caPath: AUTHORITY,
    timezone: "UTC",
    wsdl: "https://other.example/matricules.wsdl",
    tlsClientCertificate: true,
    routes: expect.anything(),
  });
  const cleared = ["--soap-action", "--ca", "--timezone", "--wsdl"].flatMap((flag) => [flag, "none"]);
  await done(cli, "endpoint", "set", "lectio", ...cleared);
  expect(await json(cli, "endpoint", "show", "lectio")).toMatchObject({
    soapAction: null,
    caPath: null,
    timezone: null,
    wsdl: null,
  });
});

test("endpoint try says whether there was a pause, and is written down", async () => {
  await using cli = await openCommandFolder();
  await done(cli, "endpoint", "add", "lectio", "https://police.example/matr-ws");
  expect(await done(cli, "endpoint", "try", "lectio")).toContain("is not paused");
  const pausedUntil = new Date(Date.now() + 600_000);
  const store = await openStore({ databasePath: join(cli.dataDir, "tattile.db") });
  await store.saveRouteState({
    ...{ endpointId: 1, certificateId: 0, pausedUntil, pauseKind: "unreachable", detail: "ECONNREFUSED", pauses: 9 },
    ...{ lastAcceptedAt: null, clockOffsetMs: null, latencyMs: null, mendedAt: null, triedAt: null },
  });
  await store.close();
  expect(await json(cli, "endpoint", "try", "lectio")).toEqual({ endpoint: "lectio", pauses: 1 });
  const [route] = (await json(cli, "endpoint", "show", "lectio"))["routes"] as {
    pausedUntil: string;
    pauses: number;
  }[];
  expect(new Date(route?.pausedUntil ?? pausedUntil).getTime()).toBeLessThan(pausedUntil.getTime());
  expect(route?.pauses).toBe(9);
  // Where no default is configured there is none to try.
  expect((await cli.run("endpoint", "try", "(default)")).code).toBe(1);
  expect(await done(cli, "audit", "list")).toContain("endpoint try");
});

test("a wrong value is refused by its name, and nothing is stored", async () => {
  await using cli = await openCommandFolder();
  await withCamera(cli);
  const before = await done(cli, "camera", "list", "--json");
  for (const [flag, value] of [
    ["--x", "431234.5"],
    ["--reader", "12345678901234567"],
    ["--timezone", "Europe/Barcelona"],
  ] as const) {
    const said = await cli.run("camera", "set", "2001008851", flag, value);
    expect([said.code, said.stderr.split(" is ")[0]]).toEqual([2, `Error: ${flag}`]);
    expect(said.stderr).toContain(value);
  }
  expect((await cli.run("camera", "set", "2001008851", "--y", "none")).stderr).toContain(
    "one coordinate without the other",
  );
  expect(await done(cli, "camera", "list", "--json")).toBe(before);
});

test("a CA file must be there and hold readable certificates", async () => {
  await using cli = await openCommandFolder();
  const add = (file: string) => cli.run("endpoint", "add", "lectio", "https://police.example/", "--ca", file);
  expect((await add("none.pem")).stderr).toContain("reading --ca: ENOENT");
  await writeFile(join(cli.folder, "text.pem"), "hello");
  expect((await add("text.pem")).stderr).toContain("no certificate in it");
  await writeFile(join(cli.folder, "bad.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  expect((await add("bad.pem")).stderr).toContain("certificate 1 is damaged");
  expect(await done(cli, "endpoint", "list", "--json")).toBe("[]");
});

test("an address without TLS is taken with a loud warning, except on this machine", async () => {
  await using cli = await openCommandFolder();
  const said = await cli.run("endpoint", "add", "open", "http://192.0.2.1/");
  expect(said.code).toBe(0);
  expect(said.stderr).toContain("Warning: http://192.0.2.1/ is not https");
  expect((await cli.run("endpoint", "add", "here", "http://127.0.0.1:8080/")).stderr).toBe("");
});

test("names and ids are both understood, and a near miss is told the nearest", async () => {
  await using cli = await openCommandFolder();
  await withCamera(cli);
  const { id } = await json(cli, "municipality", "show", "òDENA");
  expect((await json(cli, "municipality", "show", `${id}`))["name"]).toBe("Òdena");
  expect((await json(cli, "municipality", "show", `#${id}`))["name"]).toBe("Òdena");
  const said = await cli.run("camera", "show", "200100885");
  expect(said).toEqual({
    code: 1,
    stdout: "",
    stderr: "Error: unknown camera 200100885; did you mean 2001008851?\nTry: tattile camera list\n",
  });
  expect((await cli.run("camera", "add", "2", "--reader", "1", "--municipality", "Odena")).stderr).toContain(
    "did you mean Òdena?",
  );
});

test("what is used is not removed, and the error says by whom", async () => {
  await using cli = await openCommandFolder();
  await withCamera(cli);
  const endpoint = await cli.run("endpoint", "remove", "lectio", "--yes");
  expect(endpoint).toMatchObject({ code: 1, stdout: "" });
  expect(endpoint.stderr).toContain("Òdena");
  expect((await cli.run("municipality", "remove", "Òdena", "--yes")).stderr).toContain("2001008851");
  expect(await done(cli, "camera", "remove", "2001008851", "--yes")).toBe("removed camera 2001008851");
  expect(await done(cli, "municipality", "remove", "Òdena", "--yes")).toBe("removed municipality Òdena");
  expect(await done(cli, "endpoint", "remove", "lectio", "--yes")).toBe("removed endpoint lectio");
});

test("nothing is removed without a yes: not without a terminal, not by another answer, not by --dry-run", async () => {
  await using cli = await openCommandFolder();
  await withCamera(cli);
  const remove = ["camera", "remove", "2001008851"];
  expect(await cli.run(...remove)).toMatchObject({ code: 2, stdout: "" });
  expect(await done(cli, ...remove, "--dry-run")).toBe("would remove camera 2001008851");
  const question = "Type yes to go ahead:";
  expect((await cli.onTerminal({ answers: [[question, "y"]] }, ...remove)).code).toBe(2);
  expect((await cli.onTerminal({ answers: [[question, "\x03"]] }, ...remove)).code).toBe(2);
  expect(await done(cli, "camera", "list")).toContain("2001008851");
  const said = await cli.onTerminal({ answers: [[question, "yes"]] }, ...remove);
  expect([said.code, said.stdout]).toEqual([0, expect.stringContaining("removed camera 2001008851")]);
});

test("lists fit into 80 columns with their serials whole", async () => {
  await using cli = await openCommandFolder();
  await withCamera(cli);
  await done(cli, "camera", "set", "2001008851", "--description", "a very long description ".repeat(8));
  await done(cli, "endpoint", "set", "lectio", "--url", `https://police.example/${"long/".repeat(30)}`);
  for (const noun of ["camera", "endpoint", "municipality"]) {
    for (const line of (await done(cli, noun, "list")).split("\n")) expect([...line].length).toBeLessThanOrEqual(80);
  }
  expect(await done(cli, "camera", "list")).toContain("2001008851");
});

test("where tattile is installed root makes no data folder that is set and missing, and says how it is made", async () => {
  if (process.getuid?.() !== 0) return;
  await using cli = await openCommandFolder();
  const path = `${cli.folder}:${process.env["PATH"]}`;
  // As on a machine that has the user.
  await writeFile(join(cli.folder, "id"), "#!/bin/sh\necho 990\n", { mode: 0o755 });
  for (const words of [["camera", "list"], ["status"], ["municipality", "add", "Òdena"]]) {
    const said = await cli.runWith({ env: { PATH: path } }, ...words);
    expect(said.code).not.toBe(0);
    expect(said.stdout + said.stderr).toContain(`DATA_DIR is not there (${cli.dataDir})`);
  }
  const doctor = await cli.runWith({ env: { PATH: path } }, "doctor", "--json");
  expect(doctor.stdout).toContain(`install -d -o tattile -g tattile -m 0750 ${cli.dataDir}`);
  expect(existsSync(cli.dataDir)).toBe(false);
  await mkdir(cli.dataDir);
  expect((await cli.runWith({ env: { PATH: path } }, "camera", "list")).code).toBe(0);
});

test("what root does in the service's data folder stays the service's", async () => {
  await using cli = await openCommandFolder();
  await mkdir(cli.dataDir);
  if (process.getuid?.() === 0) for (const folder of [cli.folder, cli.dataDir]) await chown(folder, 65534, 65534);
  await done(cli, "municipality", "add", "Òdena");
  const [{ uid, gid }, owner] = [await stat(join(cli.dataDir, "tattile.db")), await stat(cli.dataDir)];
  expect([uid, gid]).toEqual([owner.uid, owner.gid]);
});
