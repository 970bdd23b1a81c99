import { Database } from "bun:sqlite";
import { beforeAll, expect, test } from "bun:test";
import { chown, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createPki, type Pki } from "../../src/simulator/pki.ts";
import { type CommandFolder, openCommandFolder, type Said } from "../support/tattile-command.ts";

const PASSWORD = "contraseña 1";
let pki: Pki;
let first: Buffer;
let second: Buffer;
beforeAll(async () => {
  pki = await createPki({ now: new Date() });
  [first, second] = (await Promise.all(
    ["A", "B"].map(async (name) =>
      (await pki.issueClient({ organization: "Òdena", commonName: name, intermediate: true })).pfx(PASSWORD),
    ),
  )) as [Buffer, Buffer];
});

async function openTown(): Promise<CommandFolder> {
  const cli = await openCommandFolder();
  await writeFile(join(cli.folder, "first.pfx"), first);
  await writeFile(join(cli.folder, "second.pfx"), second);
  await writeFile(join(cli.folder, "password"), `${PASSWORD}\n`);
  expect((await cli.run("municipality", "add", "Òdena")).code).toBe(0);
  return cli;
}

function importPfx(cli: CommandFolder, file: string, ...more: string[]): Promise<Said> {
  return cli.run("cert", "import", file, "--municipality", "Òdena", "--password-file", "password", "--json", ...more);
}

async function list(cli: CommandFolder): Promise<Record<string, unknown>[]> {
  return JSON.parse((await cli.run("cert", "list", "--json")).stdout);
}

test("an imported certificate is described, written and assigned", async () => {
  await using cli = await openTown();
  const said = await importPfx(cli, "first.pfx", "--alias", "seal");
  expect([said.stderr, said.code]).toEqual(["", 0]);
  expect(JSON.parse(said.stdout)).toMatchObject({
    result: "added",
    municipality: "Òdena",
    daysLeft: expect.any(Number),
  });
  const [only] = await list(cli);
  expect(only).toMatchObject({ alias: "seal", municipality: "Òdena", inUse: true });
  const folder = join(cli.dataDir, "certs", "Òdena");
  expect((await stat(join(folder, "key.pem"))).mode & 0o777).toBe(0o600);
  expect(await readFile(join(folder, "key.pem"), "utf8")).toContain("PRIVATE KEY");
  expect((await readFile(join(folder, "client.pem"), "utf8")).match(/BEGIN CERTIFICATE/g)?.length).toBeGreaterThan(1);
  expect((await cli.run("municipality", "show", "Òdena")).stdout).toContain("seal");
  expect((await cli.run("cert", "list")).stdout).toContain(`${only?.["daysLeft"]}`);
  expect((await cli.run("cert", "show", "seal")).stdout).toContain(`${only?.["fingerprint"]}`);
});

test("the same certificate again is unchanged, and a lost key file comes back with it", async () => {
  await using cli = await openTown();
  await importPfx(cli, "first.pfx");
  expect(JSON.parse((await importPfx(cli, "first.pfx")).stdout).result).toBe("unchanged");
  const before = await list(cli);
  await rm(`${before[0]?.["keyPath"]}`);
  await importPfx(cli, "first.pfx");
  const inUse = (await list(cli)).find((c) => c["inUse"]);
  expect(await readFile(`${inUse?.["keyPath"]}`, "utf8")).toContain("PRIVATE KEY");
});

test("a new certificate replaces the earlier one, which stays listed and can come back", async () => {
  await using cli = await openTown();
  const { id: firstId } = JSON.parse((await importPfx(cli, "first.pfx")).stdout);
  const { id: secondId } = JSON.parse((await importPfx(cli, "second.pfx")).stdout);
  expect((await list(cli)).map((c) => [c["id"], c["inUse"]])).toEqual([
    [firstId, false],
    [secondId, true],
  ]);
  expect(JSON.parse((await importPfx(cli, "first.pfx")).stdout)).toMatchObject({ id: firstId, result: "changed" });
  expect((await list(cli)).find((c) => c["inUse"])?.["id"]).toBe(firstId);
  const used = await cli.run("cert", "remove", `${firstId}`, "--yes");
  expect([used.code, used.stderr]).toEqual([1, expect.stringContaining("municipality Òdena")]);
  expect((await cli.run("cert", "remove", `${secondId}`, "--yes")).code).toBe(0);
  expect((await list(cli)).map((c) => c["id"])).toEqual([firstId]);
});

test("a wrong password is said so, never shown, and changes nothing", async () => {
  await using cli = await openTown();
  await importPfx(cli, "first.pfx");
  const before = await list(cli);
  await writeFile(join(cli.folder, "password"), "hunter2");
  const said = await importPfx(cli, "second.pfx");
  expect([said.code, said.stdout]).toEqual([1, ""]);
  expect(said.stderr).toContain("password");
  expect(said.stderr).not.toContain("hunter2");
  expect(await list(cli)).toEqual(before);
});

test("an expired certificate is refused and changes nothing", async () => {
  await using cli = await openTown();
  const day = 86_400_000;
  const [validFrom, validTo] = [new Date(Date.now() - 9 * day), new Date(Date.now() - day)];
  const old = await pki.issueClient({ organization: "Òdena", validFrom, validTo });
  await writeFile(join(cli.folder, "old.pfx"), old.pfx(PASSWORD));
  const said = await importPfx(cli, "old.pfx");
  expect([said.code, said.stderr]).toEqual([1, expect.stringContaining("expired")]);
  expect(await list(cli)).toEqual([]);
});

test("the password may come from standard input, or be typed without being shown", async () => {
  await using cli = await openTown();
  const words = ["cert", "import", "first.pfx", "--municipality", "Òdena"];
  const piped = await cli.runWith({ stdin: `${PASSWORD}\n` }, ...words, "--password-stdin");
  expect([piped.code, piped.stdout]).toEqual([0, expect.stringContaining("added")]);
  const typed = await cli.onTerminal({ answers: [["Password of first.pfx:", PASSWORD]] }, ...words);
  expect([typed.code, typed.stdout]).toEqual([0, expect.stringContaining("unchanged")]);
  expect(typed.stdout).not.toContain("contrase");
  const nobody = await cli.run(...words);
  expect([nobody.code, nobody.stderr]).toEqual([2, expect.stringContaining("--password-stdin")]);
  expect((await cli.run(...words, "--password", PASSWORD)).code).toBe(2);
});

test("root may import a PFX that only root can read into the service's folder", async () => {
  await using cli = await openCommandFolder();
  await mkdir(cli.dataDir);
  if (process.getuid?.() === 0) for (const folder of [cli.folder, cli.dataDir]) await chown(folder, 65534, 65534);
  await writeFile(join(cli.folder, "first.pfx"), first, { mode: 0o600 });
  await writeFile(join(cli.folder, "password"), PASSWORD, { mode: 0o600 });
  await cli.run("municipality", "add", "Òdena");
  expect(await importPfx(cli, "first.pfx")).toMatchObject({ code: 0, stderr: "" });
  const [only] = await list(cli);
  expect((await stat(`${only?.["keyPath"]}`)).uid).toBe((await stat(cli.dataDir)).uid);
});

test("cert check signs with every certificate, and says what one that cannot lacks", async () => {
  await using cli = await openTown();
  expect((await cli.run("cert", "check")).stdout).toContain("No certificate yet");
  await importPfx(cli, "first.pfx");
  await importPfx(cli, "second.pfx");
  const fine = await cli.run("cert", "check");
  expect([fine.code, fine.stderr]).toEqual([0, ""]);
  expect(fine.stdout.replaceAll(/\s+/g, " ")).toContain("good certificate Òdena: key fits, issued by ");
  expect(fine.stdout).toContain("(id 1, not in use)");
  const [unused, used] = (await list(cli)).map(({ keyPath }) => `${keyPath}`) as [string, string];
  await writeFile(unused, "no key");
  const attention = await cli.run("cert", "check");
  expect([attention.code, attention.stdout]).toEqual([1, expect.stringContaining("tattile cert remove 1")]);
  await rm(used);
  const down = JSON.parse((await cli.run("cert", "check", "--json")).stdout);
  expect(down).toMatchObject({
    status: "down",
    findings: [{ grade: "warning" }, { grade: "bad", check: "certificate Òdena" }],
  });
  expect((await cli.run("cert", "check", "2")).code).toBe(2);
});

test("what the store refuses stands as refused in the audit log, and the earlier certificate stays in use", async () => {
  await using cli = await openTown();
  await importPfx(cli, "first.pfx");
  await cli.run("municipality", "add", "Olot");
  const database = new Database(join(cli.dataDir, "tattile.db"));
  for (const [at, when] of ["INSERT ON certificates", "UPDATE ON municipalities"].entries()) {
    database.run(`CREATE TRIGGER full_${at} BEFORE ${when} BEGIN SELECT RAISE(ABORT, 'full'); END`);
  }
  database.close();
  expect((await importPfx(cli, "second.pfx")).code).toBe(1);
  expect((await cli.run("municipality", "set", "Olot", "--certificate", "1")).code).toBe(1);
  const log = JSON.parse((await cli.run("audit", "list", "--json")).stdout) as { what: string; detail: string }[];
  const refused = log.filter(({ detail }) => detail.startsWith("did not come about"));
  expect(refused.map(({ what }) => what)).toEqual(["certificate import", "certificate assign"]);
});

test("a machine without a certificate has its answer as data too", async () => {
  await using cli = await openCommandFolder();
  const said = await cli.run("cert", "check", "--json");
  expect([said.code, JSON.parse(said.stdout)]).toEqual([0, { status: "fine", findings: [] }]);
});

test("an imported certificate can be given to a municipality and taken from it", async () => {
  await using cli = await openTown();
  await importPfx(cli, "first.pfx");
  await cli.run("municipality", "add", "Olot");
  const certificateOf = async (town: string): Promise<unknown> =>
    JSON.parse((await cli.run("municipality", "show", town, "--json")).stdout).certificate;
  expect((await cli.run("municipality", "set", "Olot", "--certificate", "Òdena")).stdout).toBe(
    "changed municipality Olot\n",
  );
  expect((await cli.run("municipality", "set", "Olot", "--certificate", "1")).stdout).toBe(
    "unchanged municipality Olot\n",
  );
  expect([await certificateOf("Olot"), await certificateOf("Òdena")]).toEqual(["Òdena", "Òdena"]);
  await cli.run("municipality", "set", "Òdena", "--certificate", "none");
  expect([await certificateOf("Olot"), await certificateOf("Òdena")]).toEqual(["Òdena", null]);
  const log = JSON.parse((await cli.run("audit", "list", "--json")).stdout) as { what: string; detail: string }[];
  expect(log.filter(({ what }) => what === "certificate assign").map(({ detail }) => detail)).toEqual([
    "Olot: certificate 1 (Òdena)",
    "Òdena: none",
  ]);
  expect((await cli.run("municipality", "set", "Olot", "--certificate", "Odena")).stderr).toContain(
    "did you mean Òdena?",
  );
});
