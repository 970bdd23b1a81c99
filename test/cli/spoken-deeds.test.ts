import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createPki } from "../../src/simulator/pki.ts";
import { ca as texts } from "../../src/web/client/texts/ca.ts";
import { messageOf, takeIn } from "../support/queued-readings.ts";
import { openCommandFolder, shown, tattileCommand } from "../support/tattile-command.ts";

test("the life of a message is told in the operator's language, and with --json or through a pipe in English", async () => {
  await using cli = await openCommandFolder();
  await cli.run("municipality", "add", "Òdena");
  await cli.run("camera", "add", "2001008851", "--reader", "1", "--municipality", "Òdena", "--description", "Pont");
  expect(await takeIn(cli.dataDir, [messageOf("2001008851", "1000BCD", 1)])).toEqual(["queued"]);
  const told = await shown(cli, "ca", "queue", "explain", "1");
  expect(told).toStartWith("La càmera 2001008851 (Pont) va llegir 10•••CD; presa el ");
  const sentences = told.replaceAll("\n", " ");
  expect(sentences).toContain("És d'Òdena, i ni la càmera ni el municipi no tenen assignat cap endpoint. ");
  expect(sentences).toContain(`${texts.message.noAttempts.replace("’", "'")} `);
  expect(sentences).toContain("Espera: no hi ha cap procés d'enviament en marxa.");
  expect(told).toEndWith("\n\nQuè ho resoldria:\n  systemctl start tattile");
  for (const line of told.split("\n")) expect([...line].length).toBeLessThanOrEqual(100);
  expect((await shown(cli, "es", "queue", "explain", "1")).replaceAll("\n", " ")).toContain(
    "Todavía no se ha enviado. ",
  );
  const facts = await shown(cli, "ca", "queue", "show", "1");
  expect(facts).toMatch(/\npresa +2026-01-23 10:00:01 \(rellotge de la càmera\)\n/);
  expect(facts).toMatch(/\nimatges +matrícula, context\n/);
  expect(JSON.parse(await shown(cli, "ca", "queue", "explain", "1", "--json")).story).toContain("It was not sent yet.");
  const piped = await cli.runWith({ env: { TATTILE_LANG: "ca" } }, "queue", "explain", "1");
  expect(piped.stdout).toStartWith("Camera 2001008851 (Pont) read ");
  expect(piped.stdout).toEndWith("\nWhat would help:\n  systemctl start tattile\n");
});

test("a certificate that is imported or staged is described in the operator's language", async () => {
  await using cli = await openCommandFolder();
  await cli.run("municipality", "add", "Òdena");
  await writeFile(join(cli.folder, "password"), "clau\n");
  const pki = await createPki({ now: new Date() });
  const days = (count: number): Date => new Date(Date.now() + count * 86_400_000);
  for (const [name, validFrom] of [
    ["first", days(-1)],
    ["second", days(5)],
  ] as const) {
    const client = await pki.issueClient({ organization: "Òdena", commonName: name, validFrom, validTo: days(400) });
    await writeFile(join(cli.folder, `${name}.pfx`), client.pfx("clau"));
  }
  const town = ["--municipality", "Òdena", "--password-file", "password"];
  const imported = await shown(cli, "ca", "cert", "import", "first.pfx", ...town);
  expect(imported).toStartWith("certificat d'Òdena: afegit\ntitular");
  expect(imported).toMatch(/\nvàlid +[\d-]{10} a [\d-]{10} \(queden \d+ dies\)\nempremta /);
  const staged = await shown(cli, "es", "cert", "rotate", "second.pfx", ...town);
  expect(staged).toStartWith("próximo certificado de Òdena: ");
  expect(staged).toMatch(
    /\nválido +[\d-]{10} a [\d-]{10} \(quedan \d+ días\)\nprobado +un mensaje de prueba firmado con él /,
  );
  expect(staged).toMatch(/\nestado +preparado: firma desde el [\d: -]{19}, dentro de 5 d, solo$/);
  const [, row = ""] = (await shown(cli, "ca", "cert", "rotate")).split("\n");
  expect(row).toEndWith("preparat");
  expect(await shown(cli, "ca", "cert", "show", "2")).toMatch(/\nmunicipi +Òdena \(el pròxim\)\n/);
  expect(await shown(cli, "ca", "cert", "rotate", "--cancel", "--municipality", "Òdena")).toBe(
    "s'ha oblidat la renovació d'Òdena; el seu certificat segueix a la llista: tattile cert list",
  );
  const again = await cli.runWith(
    { env: { TATTILE_LANG: "ca" } },
    "cert",
    "rotate",
    "second.pfx",
    "--dry-run",
    ...town,
  );
  expect(again.stdout).toMatch(
    /\nvalid {2}[\d-]{10} to .*\ntried {2}a test message .*\nstate {2}not staged \(--dry-run\)\n$/,
  );
});

test("why a message is held is said in the operator's language, and with --json in English", async () => {
  await using cli = await openCommandFolder();
  const broken = Buffer.from(
    messageOf("7", "1000BCD", 1).toString("latin1").replace("<PLATE_STRING>", "<PLATE_STRING"),
  );
  await takeIn(cli.dataDir, [messageOf("2001008851", "1000BCD", 1), broken]);
  const list = await shown(cli, "es", "quarantine", "list");
  expect(list).toContain("cámara sin dar de alta");
  expect(list).toContain("XML mal formado (");
  const [one] = JSON.parse(await shown(cli, "es", "quarantine", "list", "--json", "--camera", "2001008851"));
  expect(one.reason).toBe("no camera of this serial is registered");
  const about = await shown(cli, "ca", "quarantine", "show", `${one.id}`);
  expect(about).toMatch(/\nmotiu +càmera sense donar d'alta\n/);
  expect(about).toMatch(/\ns'entén ara +sí\n/);
  expect(await shown(cli, "ca", "quarantine", "retry", `${one.id}`)).toEndWith(
    "presos de nou: 1 missatge (1 continua retingut)",
  );
});

test("what listen shows of a camera, and what to mend in it, is in the operator's language", async () => {
  await using cli = await openCommandFolder();
  let port = 0;
  let screen = "";
  const env = { PATH: process.env["PATH"] ?? "", DATA_DIR: cli.dataDir, TATTILE_ENV_FILE: "/dev/null", NO_COLOR: "1" };
  const listen = Bun.spawn([...tattileCommand(), "listen", "--port", "0", "--count", "1"], {
    env: { ...env, DISK_MIN_FREE_BYTES: "1048576", TERM: "xterm", TATTILE_LANG: "ca" },
    terminal: {
      cols: 100,
      rows: 30,
      data(_terminal, data) {
        screen += Buffer.from(data).toString("utf8");
        const found = /S'escolta al port (\d+);/.exec(screen)?.[1];
        if (found === undefined || port !== 0) return;
        port = Number(found);
        Bun.connect({
          ...{ hostname: "127.0.0.1", port },
          socket: { open: (socket) => void socket.write(messageOf("2001008851", "1000BCD", 1)), data() {}, error() {} },
        }).catch(() => {});
      },
    },
  });
  expect(await listen.exited).toBe(0);
  listen.terminal?.close();
  const text = screen.replaceAll("\r\n", "\n").replace(/\n +/g, " ");
  expect(text).toMatch(/2001008851 {2}10•••CD {2}fiabilitat \d+ {2}matrícula [\d.]+ \w+ {2}/);
  expect(text).toMatch(/rellotge \d+ \w+ endarrerit/);
  expect(text).toContain("des de 127.0.0.1; sense donar d'alta: les seves lectures quedarien retingudes; ");
  expect(text).toContain("poseu-hi NTP i la zona");
  expect(text).toContain("Vistos 1 de 1 missatges.");
});

test("a delivery by hand is shown and judged in the operator's language, the signed message and the answer as they are", async () => {
  await using cli = await openCommandFolder();
  // Nobody listens on port 1.
  await cli.run("endpoint", "add", "lectio", "https://127.0.0.1:1/");
  await cli.run("municipality", "add", "Òdena", "--endpoint", "lectio");
  await cli.run("camera", "add", "7", "--reader", "R7", "--municipality", "Òdena");
  const without = await shown(cli, "es", "send", "--camera", "7", "--dry-run");
  expect(without).toMatch(/\ncertificado +ninguno\n/);
  expect(without).toMatch(/\ncomprobado +detenido: el municipio no tiene certificado\n/);
  expect(without).toEndWith(
    "En la cola quedaría así: DEAD, CERTIFICADO_NO_CONFIGURADO: el municipio no tiene certificado.",
  );
  await writeFile(join(cli.folder, "password"), "clau\n");
  const client = await (await createPki({ now: new Date() })).issueClient({
    organization: "Òdena",
    commonName: "seal",
  });
  await writeFile(join(cli.folder, "seal.pfx"), client.pfx("clau"));
  await cli.run("cert", "import", "seal.pfx", "--municipality", "Òdena", "--password-file", "password");
  const dry = await shown(cli, "ca", "send", "--camera", "7", "--dry-run");
  expect(dry).toMatch(/^càmera +7, lector R7, Òdena\n/);
  expect(dry).toMatch(
    /\ncontracte +incorporat, 13 camps\nimatges +matrícula \d+ B \(grisa, inventada\), context cap\n/,
  );
  expect(dry).toMatch(/\ncomprovat +13 camps com han de ser; la signatura es verifica; [\d,]+ bytes\n/);
  expect(dry).toContain("<mat:matricula>0000XXX</mat:matricula>");
  expect(dry).toEndWith("\nNo s'ha enviat res (--dry-run).");
  const { stdout, code } = await cli.onTerminal(
    { env: { TATTILE_LANG: "ca", NO_COLOR: "1" }, answers: [["Escriviu sí", "sí"]] },
    ...["send", "--camera", "7", "--plate", "1234BCD"],
  );
  const sent = stdout.replaceAll("\r\n", "\n");
  expect(code).toBe(1);
  expect(sent).toContain("Es farà: lliurar una lectura de la càmera 7 a https://127.0.0.1:1/.");
  expect(sent).toMatch(/Resposta al cap de \d+ ms: no s'hi arriba, connexió refusada/);
  expect(sent).toContain("A la cua quedaria així: FAILED sense gastar cap intent; l'endpoint fa una pausa");
  const piped = await cli.runWith({ env: { TATTILE_LANG: "ca" } }, "send", "--camera", "7", "--dry-run");
  expect(piped.stdout).toStartWith("camera       7, reader R7, Òdena\n");
  expect(piped.stdout).toEndWith("\nNothing was sent (--dry-run).\n");
});

test("what is made, revoked or to be removed is said in the operator's language", async () => {
  await using cli = await openCommandFolder();
  await cli.run("municipality", "add", "Òdena");
  await cli.run("camera", "add", "2001008851", "--reader", "1", "--municipality", "Òdena");
  await takeIn(cli.dataDir, [messageOf("2001008851", "1000BCD", 1)]);
  const made = await shown(cli, "ca", "token", "create", "anna", "--role", "admin");
  expect(made).toContain("testimoni d'accés d'anna (admin)\nGuardeu-lo ara: no es pot tornar a mostrar.");
  expect(await shown(cli, "es", "token", "revoke", "anna", "--yes")).toBe("revocado el token de acceso de anna");
  expect(await shown(cli, "ca", "municipality", "remove", "Òdena", "--cascade", "--dry-run")).toBe(
    "es faria: treure el municipi Òdena amb 1 càmera, 1 lectura desada i 2 imatges, sense enviar",
  );
  expect(await shown(cli, "es", "camera", "remove", "2001008851", "--keep-queue", "--yes")).toBe(
    "la cámara 2001008851 está desactivada; se va con la última de 1 lectura",
  );
  expect(await shown(cli, "es", "queue", "retry", "--all", "--dry-run")).toBe("se haría: reintentar 0 mensajes");
  const plain = await shown(cli, "ca", "endpoint", "add", "lectio", "http://police.example/");
  expect(plain).toContain("Avís: http://police.example/ no és https: ");
  expect(await shown(cli, "ca", "endpoint", "try", "lectio")).toStartWith("l'endpoint lectio no està en pausa; ");
});
