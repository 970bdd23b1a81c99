import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createPki } from "../../src/simulator/pki.ts";
import { ca as texts } from "../../src/web/client/texts/ca.ts";
import { openOpensslPki } from "../support/openssl-pki.ts";
import { openCommandFolder, shown, tattileCommand } from "../support/tattile-command.ts";

test("lists are read in the operator's language, and what is piped or asked for with --json is not", async () => {
  await using cli = await openCommandFolder();
  await cli.run("municipality", "add", "Òdena");
  await cli.run("camera", "add", "7", "--reader", "1", "--municipality", "Òdena");
  const [titles = "", row = ""] = (await shown(cli, "es", "camera", "list")).split("\n");
  expect(titles.split(/\s{2,}/)).toEqual(["SERIE", "LECTOR", "MUNICIPIO", "ACTIVA", "LEÍDO", "ENVIADO", "DESCRIPCIÓN"]);
  expect(row.split(/\s{2,}/)).toEqual(["7", "1", "Òdena", "sí", "nunca", "nunca"]);
  expect(await shown(cli, "ca", "camera", "show", "7")).toMatch(/\núltima lectura +mai\n/);
  expect(await shown(cli, "ca", "queue", "list")).toBe("Cap missatge.");
  expect(await shown(cli, "ca", "endpoint", "add", "lectio", "https://police.example/")).toBe(
    "afegit: endpoint lectio",
  );
  expect(JSON.parse(await shown(cli, "ca", "camera", "list", "--json"))).toMatchObject([{ serial: "7", active: true }]);
  const piped = await cli.runWith({ env: { TATTILE_LANG: "ca", LANG: "ca_ES.UTF-8" } }, "camera", "list");
  expect(piped.stdout).toMatch(/^SERIAL +READER/);
  const refused = await cli.runWith({ env: { TATTILE_LANG: "ca" } }, "camera", "show", "8");
  expect(refused.stderr).toBe("Error: unknown camera 8; did you mean 7?\nTry: tattile camera list\n");
});

test("the language is the settings file's, the environment's, or the system's", async () => {
  await using cli = await openCommandFolder();
  await writeFile(join(cli.folder, "own.env"), "TATTILE_LANG=ca\n");
  const own = await cli.onTerminal({ env: { LANG: "es_ES.UTF-8" } }, "queue", "list", "--env-file", "own.env");
  expect(own.stdout.trim()).toBe("Cap missatge.");
  const system = await cli.onTerminal({ env: { LANG: "es_ES.UTF-8" } }, "queue", "list");
  expect(system.stdout.trim()).toBe("Ningún mensaje.");
  const none = await cli.onTerminal({ env: { LANG: "C" } }, "queue", "list");
  expect(none.stdout.trim()).toBe("No message.");
});

test("what goes wrong is said in the operator's language, with its values and what to try", async () => {
  await using cli = await openCommandFolder();
  await cli.run("endpoint", "add", "lectio", "https://police.example/");
  await cli.run("municipality", "add", "Òdena", "--endpoint", "lectio");
  const said = (...words: string[]): Promise<string> => shown(cli, "ca", ...words);
  expect(await said("camera", "add", "7", "--reader", "1", "--municipality", "Odena")).toBe(
    "Error: no hi ha cap municipi Odena; volíeu dir Òdena?\nProveu: tattile municipality list",
  );
  expect(await said("endpoint", "remove", "lectio", "--yes")).toBe(
    "Error: no es pot treure l'endpoint lectio: encara el fa servir municipi Òdena\n" +
      "Proveu: canvieu o traieu abans el que el fa servir",
  );
  await cli.run("token", "create", "pere", "--role", "admin");
  expect(await said("token", "create", "pere", "--role", "admin")).toContain("ja n'hi ha un amb aquest nom (pere)");
  expect(await said("cert", "import", "no.pfx", "--municipality", "Òdena", "--password-file", "p")).toContain(
    "Error: en llegir el PFX: no existeix (no.pfx)",
  );
  expect(await said("endpoint", "set", "lectio", "--timeout-ms", "1")).toBe(
    'Error: --timeout-ms és "1", i ha de ser un nombre enter de 1000 a 600000',
  );
  const taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  try {
    const busy = await said("listen", "--port", `${taken.port}`);
    expect(busy).toContain(`Error: en escoltar les càmeres: el port ${taken.port} `);
    expect(busy).toContain("Proveu: atureu el servei (systemctl stop tattile)");
  } finally {
    taken.stop(true);
  }
  const setting = await cli.onTerminal({ env: { TATTILE_LANG: "ca", API_PORT: "x" } }, "status");
  expect(setting.stdout).toContain(
    'en llegir els ajustos: API_PORT ha de ser un nombre enter de 0 a 65535 ("x", entorn)',
  );
});

test("each thing that can be wrong with a certificate is said in the operator's language", async () => {
  await using cli = await openCommandFolder();
  await cli.run("municipality", "add", "Òdena");
  await writeFile(join(cli.folder, "right"), "clau\n");
  await writeFile(join(cli.folder, "wrong"), "altra\n");
  const pki = await createPki({ now: new Date() });
  const days = (count: number): Date => new Date(Date.now() + count * 86_400_000);
  const issue = async (file: string, more: { validFrom?: Date; validTo?: Date }): Promise<void> => {
    const client = await pki.issueClient({ organization: "Òdena", commonName: file, ...more });
    await writeFile(join(cli.folder, file), client.pfx("clau"));
  };
  await issue("good.pfx", {});
  await issue("old.pfx", { validFrom: days(-9), validTo: days(-2) });
  await issue("early.pfx", { validFrom: days(5) });
  await writeFile(join(cli.folder, "text.pfx"), "-----BEGIN CERTIFICATE-----");
  using openssl = openOpensslPki();
  const ec = openssl.issue({ subject: "/CN=ec", key: "ec", issuer: null });
  await writeFile(join(cli.folder, "ec.pfx"), openssl.pfx([ec.key, ec.cert], "clau"));
  await writeFile(join(cli.folder, "keyless.pfx"), openssl.pfx([ec.cert], "clau", ["-nokeys"]));
  const said = async (file: string, password = "right"): Promise<string> =>
    shown(cli, "es", "cert", "import", file, "--municipality", "Òdena", "--password-file", password);
  const day = (at: Date): string => at.toISOString().slice(0, 10);
  expect(await said("good.pfx", "wrong")).toBe(
    "Error: al leer el PFX: la contraseña no es correcta\nPruebe: dé la contraseña con la que se exportó el fichero",
  );
  expect(await said("old.pfx")).toContain(`al leer el PFX: el certificado caducó el ${day(days(-2))} (`);
  expect(await said("early.pfx")).toContain(`al leer el PFX: el certificado no vale hasta el ${day(days(5))} (`);
  expect(await said("ec.pfx")).toContain("y debe ser RSA\nPruebe: pida al emisor un certificado con clave RSA");
  expect(await said("keyless.pfx")).toContain("al leer el PFX: no trae la clave privada");
  expect(await said("text.pfx")).toContain("no es un fichero PFX, sino texto PEM");
});

test("status and top are read in the operator's language, what is wrong in the dashboard's sentence with its command", async () => {
  await using cli = await openCommandFolder();
  const empty = await shown(cli, "ca", "status");
  expect(empty).toMatch(/^serveis +cap en marxa\nmagatzem +sqlite .*, esquema \d+, respon en \d+ ms: /);
  expect(empty).toContain("balanç       0 rebudes, 0 lliurades, 0 caducades, 0 descartades: no en falta cap\n");
  expect(empty).toContain("més antic    res en espera\n");
  const sentence = texts.attention["service-missing"]({ task: "ingest" }, String, String, String).text;
  expect(empty.replaceAll("\n  ", " ")).toContain(`ATURAT ${sentence} remei: systemctl start tattile\n`);
  await cli.run("endpoint", "add", "lectio", "https://police.example/");
  await cli.run("municipality", "add", "Òdena", "--endpoint", "lectio");
  for (const serial of ["7", "8"]) await cli.run("camera", "add", serial, "--reader", "1", "--municipality", "Òdena");
  await cli.run("camera", "set", "8", "--active", "off");
  const full = await shown(cli, "es", "status");
  expect(full).toContain("7: leído nunca, enviado nunca\n");
  expect(full).toContain("8: leído nunca, enviado nunca, desactivada\n");
  expect(full).toContain("lectio: abierto, último aceptado nunca\n");
  expect(full).not.toMatch(/never|pending|running|mend|last/);
  expect((await cli.runWith({ env: { TATTILE_LANG: "ca" } }, "status")).stdout).toStartWith(
    "services     none running",
  );
  const wrong = await shown(cli, "ca", "doctor");
  expect(wrong).toMatch(/bé {3}versió: tattile /);
  expect(wrong).toContain("MAL  servei ingest: no està en marxa\n     remei: systemctl start tattile\n");
  expect(wrong).toContain("avís càmeres: no s'han sentit mai: 7\n");
  expect(wrong).toContain("MAL  endpoint lectio, nom: police.example: ");
  expect(wrong).not.toMatch(/the name|cure:|warning/);
  expect(wrong).toMatch(/\n\d malament, \d avisos?\.$/);
  for (const line of wrong.split("\n")) expect([...line].length).toBeLessThanOrEqual(100);
  let screen = "";
  const env = { PATH: process.env["PATH"] ?? "", DATA_DIR: cli.dataDir, TATTILE_ENV_FILE: "/dev/null" };
  const top = Bun.spawn([...tattileCommand(), "top", "--interval", "1"], {
    env: { ...env, DISK_MIN_FREE_BYTES: "1048576", TERM: "xterm", TATTILE_LANG: "es" },
    terminal: {
      cols: 100,
      rows: 30,
      data(terminal, data) {
        screen += Buffer.from(data).toString("utf8");
        if (screen.includes("más antiguo")) terminal.write("q");
      },
    },
  });
  expect(await top.exited).toBe(0);
  top.terminal?.close();
  for (const text of [
    "q termina",
    "memoria ",
    "libres de",
    "aquí no hay ningún servicio en marcha",
    "nada en espera",
  ]) {
    expect(screen).toContain(text);
  }
  expect(screen).toMatch(/lecturas +entran [\d.]+\/s, se entregan [\d.]+\/s/);
}, 60_000);

test("the plan of a site file is read in the operator's language, and sí is a yes", async () => {
  await using cli = await openCommandFolder();
  await cli.run("municipality", "add", "camera", "--code", "reader");
  await writeFile(
    join(cli.folder, "site.yaml"),
    'version: 1\nmunicipalities:\n  - name: camera\n    code: "08"\ncameras:\n  - serial: "7"\n    reader: "1"\n    municipality: camera\n',
  );
  const { stdout, code } = await cli.onTerminal(
    { env: { TATTILE_LANG: "ca", NO_COLOR: "1" }, answers: [["Escriviu sí", "sí"]] },
    ...["apply", "site.yaml"],
  );
  expect(code).toBe(0);
  // What somebody called a thing is not translated, though it is a word of ours.
  expect(stdout.replaceAll("\r\n", "\n")).toContain("~ municipi camera\n    codi                 reader -> 08\n");
  expect(stdout).toContain("+ càmera 7");
  expect(stdout).toContain("Per afegir, 1; per canviar, 1; per treure, 0; sense canvis, 0.");
  expect(stdout).toContain("Es farà: afegir 1 registre, canviar 1 registre. Escriviu sí per tirar endavant: ");
  expect(stdout.trim().endsWith("Fet.")).toBe(true);
});
