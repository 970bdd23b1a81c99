import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Issued, openOpensslPki } from "../support/openssl-pki.ts";
import { type CommandFolder, openCommandFolder } from "../support/tattile-command.ts";

async function done(cli: CommandFolder, ...words: string[]): Promise<string> {
  const said = await cli.run(...words);
  expect([words.join(" "), said.stderr, said.code]).toEqual([words.join(" "), "", 0]);
  return said.stdout.trimEnd();
}

async function put(cli: CommandFolder, name: string, text: string): Promise<string> {
  await writeFile(join(cli.folder, name), text);
  return name;
}

const lastLine = (text: string): string => text.split("\n").at(-1) ?? "";

const SITE = `version: 1
endpoints:
  - name: lectio
    url: https://police.example/matr-ws/
    timeoutMs: 20000
municipalities:
  - name: Òdena
    code: 08143
    endpoint: lectio
cameras:
  - serial: 2001008851
    reader: 00012
    municipality: Òdena
    x: 431234.50
    y: 4588123.00
  - serial: 2001008852
    reader: 00013
    municipality: Òdena
`;

test("a site is applied once, shown as a diff, and the second time there is nothing to change", async () => {
  await using cli = await openCommandFolder();
  await put(cli, "site.yaml", SITE);
  const dry = await done(cli, "apply", "site.yaml", "--dry-run");
  expect(dry).toContain("+ camera 2001008851\n    reader               00012");
  expect(lastLine(dry)).toBe("4 to add, 0 to change, 0 to remove, 0 unchanged.");
  expect(await done(cli, "camera", "list", "--json")).toBe("[]");
  expect(lastLine(await done(cli, "apply", "site.yaml", "--yes"))).toBe("Done.");
  expect(await done(cli, "apply", "site.yaml")).toBe("Nothing to change: 4 records as the file says.");
  const camera = JSON.parse(await done(cli, "camera", "show", "2001008851", "--json"));
  expect(camera).toMatchObject({
    readerCode: "00012",
    coordX: "431234.50",
    coordY: "4588123.00",
    municipality: "Òdena",
  });
  await put(cli, "site.yaml", SITE.replace("00013", "00014"));
  const change = await done(cli, "apply", "site.yaml", "--yes");
  expect(change).toContain("~ camera 2001008852\n    reader               00013 -> 00014");
});

test("an export brings an empty installation to the same, and is the same again", async () => {
  await using cli = await openCommandFolder();
  await put(cli, "site.yaml", SITE);
  await done(cli, "apply", "site.yaml", "--yes");
  const exported = await done(cli, "export");
  expect(await done(cli, "export", "out.yaml")).toBe("wrote 1 endpoint, 1 municipality and 2 cameras to out.yaml");
  expect((await stat(join(cli.folder, "out.yaml"))).mode & 0o777).toBe(0o640);
  await using other = await openCommandFolder();
  await put(other, "site.json", await done(cli, "export", "--format", "json"));
  await done(other, "apply", "site.json", "--yes", "--prune");
  expect(await done(other, "export")).toBe(exported);
});

test("without a yes nothing is applied, and a person is asked with the numbers", async () => {
  await using cli = await openCommandFolder();
  await put(cli, "site.yaml", SITE);
  expect(await cli.run("apply", "site.yaml")).toMatchObject({ code: 2 });
  const no = await cli.onTerminal({ answers: [["This will add 4 records. Type yes", "no"]] }, "apply", "site.yaml");
  expect(no.code).toBe(2);
  expect(await done(cli, "camera", "list", "--json")).toBe("[]");
  const yes = await cli.onTerminal({ answers: [["This will add 4 records. Type yes", "yes"]] }, "apply", "site.yaml");
  expect([yes.code, yes.stdout]).toEqual([0, expect.stringContaining("Done.")]);
});

test("one wrong record and none of the file is taken", async () => {
  await using cli = await openCommandFolder();
  await put(cli, "site.yaml", `${SITE}  - serial: "3"\n    reader: "1"\n    municipality: Odena\n`);
  const said = await cli.run("apply", "site.yaml", "--yes");
  expect([said.code, said.stderr]).toEqual([1, expect.stringContaining("no municipality Odena; did you mean Òdena?")]);
  expect(await done(cli, "endpoint", "list", "--json")).toBe("[]");
  await put(cli, "site.yaml", SITE.replace("https://police.example/matr-ws/", "https://x/\n    ca: none.pem"));
  expect((await cli.run("apply", "site.yaml", "--yes")).stderr).toContain("the CA file cannot be read: ENOENT");
  expect(await done(cli, "endpoint", "list", "--json")).toBe("[]");
});

test("pruning removes what the file no longer names, and says so as JSON", async () => {
  await using cli = await openCommandFolder();
  await put(cli, "site.yaml", SITE);
  await done(cli, "apply", "site.yaml", "--yes");
  await put(cli, "less.yaml", SITE.slice(0, SITE.lastIndexOf("  - serial")));
  const plan = JSON.parse(await done(cli, "apply", "less.yaml", "--prune", "--yes", "--json"));
  const removal = { action: "remove", noun: "camera", name: "2001008852", fields: [] };
  expect(plan).toEqual({ applied: true, unchanged: 3, steps: [removal] });
  expect(JSON.parse(await done(cli, "camera", "list", "--json"))).toHaveLength(1);
  const audit = JSON.parse(await done(cli, "audit", "list", "--json")) as { what: string; detail: string }[];
  expect(audit.map(({ what, detail }) => `${what}: ${detail}`)).toEqual([
    "registry apply: site.yaml: add 4 records",
    "registry apply: less.yaml: remove 1 record",
  ]);
});

async function withPfx(cli: CommandFolder, file: string): Promise<Issued> {
  using pki = openOpensslPki();
  const issued = pki.issue({ subject: "/CN=Vila", issuer: null });
  await writeFile(join(cli.folder, file), pki.pfx([issued.key, issued.cert], "secret"));
  return issued;
}

test("a certificate comes from its PFX file, is known again by its fingerprint, and goes with its key when pruned", async () => {
  await using cli = await openCommandFolder();
  await withPfx(cli, "vila.pfx");
  await put(cli, "pw.txt", "secret\n");
  const municipality = "version: 1\nmunicipalities:\n  - name: Vila\n    certificate: vila\n";
  const site = `${municipality}certificates:\n  - name: vila\n    pfx: vila.pfx\n    passwordFile: pw.txt\n`;
  await put(cli, "site.yaml", site);
  const plan = await done(cli, "apply", "site.yaml", "--dry-run");
  expect(plan).toContain("+ certificate vila");
  expect(plan).not.toContain("secret");
  expect(existsSync(join(cli.dataDir, "certs"))).toBe(false);
  await done(cli, "apply", "site.yaml", "--yes");
  expect(lastLine(await done(cli, "apply", "site.yaml"))).toBe("Nothing to change: 2 records as the file says.");
  const [certificate] = JSON.parse(await done(cli, "cert", "list", "--json"));
  expect(certificate).toMatchObject({ inUse: true, municipality: "Vila" });
  expect((await stat(certificate.keyPath)).mode & 0o777).toBe(0o600);

  const exported = await done(cli, "export");
  expect(exported).toContain(`fingerprint: ${certificate.fingerprint}`);
  await put(cli, "again.yaml", exported);
  expect(await done(cli, "apply", "again.yaml", "--prune")).toStartWith("Nothing to change");

  await put(cli, "none.yaml", "version: 1\ncertificates: []\nmunicipalities:\n  - name: Vila\n    certificate: null\n");
  expect(await done(cli, "apply", "none.yaml", "--prune", "--yes")).toContain(
    "- certificate vila (id 1, with its key)",
  );
  expect(existsSync(certificate.keyPath)).toBe(false);
});

test("a plan that the store refuses leaves the municipality the files it signs with", async () => {
  await using cli = await openCommandFolder();
  for (const name of ["vila", "next"]) await withPfx(cli, `${name}.pfx`);
  await put(cli, "pw.txt", "secret\n");
  const site = (name: string): string =>
    `version: 1\nmunicipalities:\n  - name: Vila\n    certificate: ${name}\ncertificates:\n  - name: ${name}\n    pfx: ${name}.pfx\n    passwordFile: pw.txt\n`;
  await done(cli, "apply", await put(cli, "site.yaml", site("vila")), "--yes");
  const key = join(cli.dataDir, "certs", "Vila", "key.pem");
  const before = await readFile(key, "utf8");
  const database = new Database(join(cli.dataDir, "tattile.db"));
  database.run("CREATE TRIGGER full BEFORE INSERT ON certificates BEGIN SELECT RAISE(ABORT, 'full'); END");
  expect((await cli.run("apply", await put(cli, "next.yaml", site("next")), "--yes")).code).toBe(1);
  expect(await readFile(key, "utf8")).toBe(before);
  database.run("DROP TRIGGER full");
  database.close();
  await done(cli, "apply", "next.yaml", "--yes");
  expect(await readFile(key, "utf8")).not.toBe(before);
});

test("the password of a PFX file is asked for once, and a wrong one changes nothing", async () => {
  await using cli = await openCommandFolder();
  await withPfx(cli, "vila.pfx");
  await put(
    cli,
    "site.yaml",
    "version: 1\nmunicipalities:\n  - name: Vila\n    certificate: vila\ncertificates:\n  - name: vila\n    pfx: vila.pfx\n",
  );
  const question = "vila.pfx: ";
  const wrong = await cli.onTerminal({ answers: [[question, "wrong"]] }, "apply", "site.yaml", "--yes");
  expect([wrong.code, wrong.stdout]).toEqual([1, expect.stringContaining("the password is wrong")]);
  expect(await done(cli, "municipality", "list", "--json")).toBe("[]");
  const right = [
    [question, "secret"],
    ["Type yes", "yes"],
  ] as const;
  const said = await cli.onTerminal({ answers: right }, "apply", "site.yaml");
  expect(said.code).toBe(0);
  expect(said.stdout).not.toContain("secret");
});

test("a table of cameras goes out and comes in", async () => {
  await using cli = await openCommandFolder();
  await put(cli, "site.yaml", SITE);
  await done(cli, "apply", "site.yaml", "--yes");
  await done(cli, "export", "cameras.csv", "--format", "csv");
  expect(await done(cli, "import", "cameras", "cameras.csv")).toBe("Nothing to change: 2 records as the file says.");
  await put(cli, "more.csv", "serial;reader;municipality\r\n2001008851;00012;Òdena\r\n2001008860;00020;Òdena\r\n");
  const said = await done(cli, "import", "cameras", "more.csv", "--prune", "--yes");
  expect(said).toContain("+ camera 2001008860");
  expect(said).toContain("- camera 2001008852");
  expect(said).not.toContain("~");
});

test("the older program's settings are taken over, its password asked for again and kept nowhere", async () => {
  await using cli = await openCommandFolder();
  await mkdir(join(cli.folder, "old"));
  await withPfx(cli, "old/vila.pfx");
  const older = {
    PortReceiveTransit: 5555,
    CertPath: "C:\\MossosWS\\vila.pfx",
    Password: "molt-secret",
    Endpoint: "https://police.example/matr-ws/",
    Camaras: [{ SerialNumber: "2001008851", CodigoLector: "00012" }],
  };
  await put(cli, "old/Configuration.json", JSON.stringify(older));
  const words = ["import", "mossosws", "old/Configuration.json", "--municipality", "Vila"];
  const answers = [
    ["vila.pfx: ", "secret"],
    ["Type yes", "yes"],
  ] as const;
  const said = await cli.onTerminal({ answers }, ...words);
  expect([said.code, said.stdout]).toEqual([0, expect.stringContaining("set TRANSIT_PORT=5555")]);
  expect(JSON.parse(await done(cli, "camera", "show", "2001008851", "--json"))).toMatchObject({
    readerCode: "00012",
    municipality: "Vila",
  });
  expect(JSON.parse(await done(cli, "municipality", "show", "Vila", "--json"))).toMatchObject({
    endpoint: "lectio",
    certificate: "Vila",
  });
  for (const file of await readdir(cli.dataDir, { recursive: true })) {
    const path = join(cli.dataDir, file);
    if ((await stat(path)).isFile()) expect((await readFile(path)).includes("molt-secret")).toBe(false);
  }
});

test("the schema is JSON, and touches no store", async () => {
  await using cli = await openCommandFolder();
  expect(JSON.parse(await done(cli, "apply", "--schema"))).toMatchObject({ type: "object", required: ["version"] });
  expect(existsSync(cli.dataDir)).toBe(false);
});
