import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { chown, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { findFreePorts } from "../../src/demo-service.ts";
import { ca } from "../../src/i18n/ca.ts";
import { CATALOGUES } from "../../src/i18n/catalogue.ts";
import { en } from "../../src/i18n/en.ts";
import { es } from "../../src/i18n/es.ts";
import { chooseLanguage, LANGUAGES } from "../../src/i18n/language.ts";
import { createPki } from "../../src/simulator/pki.ts";
import { askedOfSystemd, installFakeSystemd, unitsText } from "../support/fake-systemd.ts";
import { messageOf, takeIn } from "../support/queued-readings.ts";
import { type CommandFolder, openCommandFolder, tattileCommand } from "../support/tattile-command.ts";
import { openTerminal, type Terminal } from "../support/terminal.ts";

const SERIAL = "2001008851";

function openMenu(cli: CommandFolder, env: Record<string, string>, ...words: string[]): Terminal {
  return openTerminal(cli.folder, [...tattileCommand(), "setup", ...words], {
    PATH: process.env["PATH"] ?? "",
    HOME: cli.folder,
    DATA_DIR: cli.dataDir,
    TATTILE_ENV_FILE: "/dev/null",
    DISK_MIN_FREE_BYTES: "1048576",
    ...env,
  });
}

async function json<T>(cli: CommandFolder, ...words: string[]): Promise<T> {
  return JSON.parse((await cli.run(...words, "--json")).stdout);
}

/** The police as `simulate mossos` plays them, listening. */
async function startPolice(cli: CommandFolder): Promise<{ url: string; stop(): Promise<string> }> {
  const [port = 0] = await findFreePorts(1);
  const child = Bun.spawn([...tattileCommand(), "simulate", "mossos", "--dir", "police", "--port", `${port}`], {
    cwd: cli.folder,
    env: { PATH: process.env["PATH"] ?? "", TATTILE_ENV_FILE: "/dev/null", TMPDIR: process.env["TMPDIR"] ?? "/tmp" },
    stdout: "pipe",
  });
  const lines: string[] = [];
  const reader = createInterface({ input: Readable.fromWeb(child.stdout as never) });
  const listening = new Promise<string>((resolve) => {
    reader.on("line", (line) => {
      lines.push(line);
      const url = /^register it: tattile endpoint add test (\S+)/.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    });
  });
  return {
    url: await listening,
    stop: async () => {
      child.kill("SIGTERM");
      await child.exited;
      return lines.join("\n");
    },
  };
}

test("in a terminal, from nothing to a first delivery: the first set-up in Catalan", async () => {
  await using cli = await openCommandFolder();
  const police = await startPolice(cli);
  try {
    const [transit = 0, api = 0] = await findFreePorts(2);
    const env = { TRANSIT_HOST: "127.0.0.1", TRANSIT_PORT: `${transit}`, API_PORT: `${api}`, TATTILE_LANG: "ca" };
    await using menu = openMenu(cli, env);
    await menu.choose(ca.menu.wizard);
    await menu.choose(ca.wizard.startHere);
    await menu.see(ca.wizard.started);

    await menu.choose(ca.ask.newOne);
    await menu.answer(ca.ask.endpointName, "lectio");
    await menu.answer(ca.ask.endpointUrl, "not an address");
    await menu.answer(ca.ask.authority, "");
    // Refused by the command itself; the step asks again.
    await menu.see("https://host[:port]/path");
    await menu.choose(ca.ask.newOne);
    await menu.answer(ca.ask.endpointName, "lectio");
    await menu.answer(ca.ask.endpointUrl, police.url);
    await menu.answer(ca.ask.authority, join(cli.folder, "police", "ca.pem"));

    await menu.choose(ca.ask.newOne);
    await menu.answer(ca.ask.municipalityName, "Sant Cugat");
    await menu.answer(ca.ask.municipalityCode, "");

    await menu.choose(ca.add.certificate);
    await menu.answer(ca.ask.pfxPath, join(cli.folder, "police", "client.pfx"));
    await menu.answer(ca.ask.password.slice(0, 20), "tattile");

    // The camera sends before it is registered: it can be picked instead of typed. Going back to see it costs nothing.
    await menu.see(ca.ask.serial);
    const sent = await cli.run("simulate", "camera", "--serial", SERIAL, "--count", "1", "--port", `${transit}`);
    expect(sent.code).toBe(0);
    menu.press("Escape");
    await menu.choose(ca.yes);
    await menu.choose(SERIAL);
    await menu.answer(ca.ask.reader, "00012");
    await menu.answer(ca.ask.coordinates, "431234.5 4588123");
    await menu.see(ca.ask.coordinatesWrong);
    await menu.answer(ca.ask.coordinates, "431234.50 4588123.00");
    await menu.answer(ca.ask.description, "-Pont vell");

    await menu.see(ca.wizard.heard(SERIAL));
    await menu.see(ca.wizard.delivered);
    const shown = await menu.see(ca.wizard.done);
    expect(shown).toContain("tattile camera add 2001008851 --reader 00012 --municipality 'Sant Cugat' --x 431234.50");
    expect(shown).not.toContain("undefined");

    const [camera] = await json<{ lastSentAt: string | null }[]>(cli, "camera", "list");
    expect(camera).toMatchObject({
      serial: SERIAL,
      readerCode: "00012",
      coordX: "431234.50",
      description: "-Pont vell",
    });
    expect(camera?.lastSentAt).not.toBeNull();
    expect(await json<object[]>(cli, "readings", "list")).toEqual([]);

    // Once more, where no car comes by: what is there already is taken, and one delivery is made by hand.
    await menu.choose(ca.menu.wizard);
    await menu.choose("lectio");
    await menu.choose("Sant Cugat");
    await menu.choose(ca.yes);
    await menu.choose(SERIAL);
    await menu.until((now) => now.includes(ca.wizard.waitingToHear(SERIAL)), "that it waits");
    menu.press("Escape");
    await menu.choose(ca.skip);
    await menu.until((now) => now.includes(ca.wizard.waitingToDeliver(ca.wizard.nothingSent)), "that it waits");
    menu.press("Escape");
    await menu.choose(ca.wizard.byHand);
    await menu.answer(ca.ask.plate, "1111BBB");
    await menu.see(ca.wizard.deliveredByHand);

    await menu.choose(ca.quit);
    await menu.see(ca.goodbye);
    expect(await json<{ services: object[] }>(cli, "status")).toMatchObject({ services: [] });
    expect(await police.stop()).toContain("accepted 2, refused 0");
  } finally {
    await police.stop();
  }
});

test("the menu adds, assigns, changes, shows and deletes, and Esc goes back everywhere", async () => {
  await using cli = await openCommandFolder();
  await cli.run("municipality", "add", "Òdena");
  await cli.run("camera", "add", SERIAL, "--reader", "1", "--municipality", "Òdena");
  await using menu = openMenu(cli, { LANG: "es_ES.UTF-8" });
  await menu.choose(es.menu.add);
  await menu.choose(es.add.endpoint);
  await menu.answer(es.ask.endpointName, "prueba");
  // Back from the second question asks the first again, with what was said; back from that leaves.
  await menu.see(es.ask.endpointUrl);
  menu.press("Escape");
  await menu.until(
    (shown) => shown.split("\n").slice(-2).join(" ").startsWith(`❯ ${es.ask.endpointName} prueba`),
    "the first question again",
  );
  menu.press("Escape");
  await menu.choose(es.add.endpoint);
  await menu.answer(es.ask.endpointName, "lectio");
  await menu.answer(es.ask.endpointUrl, "https://police.example/");
  await menu.answer(es.ask.authority, "");
  await menu.choose(es.back);

  await menu.choose(es.menu.assign);
  await menu.choose(es.assign.endpointToMunicipality);
  await menu.choose("Òdena");
  await menu.choose("lectio");
  await menu.choose(es.back);
  expect(await json<object>(cli, "municipality", "show", "Òdena")).toMatchObject({ endpoint: "lectio" });

  await menu.choose(es.menu.change);
  await menu.choose(es.change.cameraDescription);
  await menu.choose(SERIAL);
  await menu.answer(es.ask.description, "Pont vell");
  await menu.choose(es.change.cameraActive);
  await menu.choose(SERIAL);
  await menu.choose(es.ask.off);
  await menu.choose(es.back);
  expect(await json<object>(cli, "camera", "show", SERIAL)).toMatchObject({ description: "Pont vell", active: false });

  await menu.choose(es.menu.look);
  await menu.choose(es.look.cameras);
  await menu.see("DESCRIPCIÓN");
  await menu.see(es.goOn);
  menu.press("Enter");
  await menu.choose(es.back);

  await menu.choose(es.menu.remove);
  await menu.choose(es.remove.municipality);
  await menu.choose("Òdena");
  await menu.choose(es.yes);
  await menu.see(es.remove.sureMunicipality("Òdena", 1, 0, 0));
  await menu.choose(es.no);
  await menu.see(es.cancelled);
  expect((await json<object[]>(cli, "municipality", "list")).length).toBe(1);
  await menu.choose(es.remove.endpoint);
  await menu.choose("lectio");
  await menu.choose(es.yes);
  await menu.choose(es.yes);
  await menu.choose(es.remove.camera);
  await menu.choose(SERIAL);
  await menu.choose(es.yes);
  await menu.see(es.said.removed(SERIAL));
  await menu.choose(es.remove.wipeAll);
  await menu.choose(es.yes);
  await menu.choose(es.back);
  await menu.choose(es.quit);
  await menu.see(es.goodbye);
  for (const noun of ["municipality", "endpoint", "camera"]) {
    expect(await json<object[]>(cli, noun, "list")).toEqual([]);
  }
  const deeds = (await json<{ what: string }[]>(cli, "audit", "list")).map(({ what }) => what);
  expect(deeds).toEqual(["endpoint remove", "camera remove", "everything wipe"]);
});

test("a certificate's successor is staged, looked at and forgotten, and what a camera sends is shown live until a key", async () => {
  await using cli = await openCommandFolder();
  const pki = await createPki({ now: new Date() });
  const soon = new Date(Date.now() + 30 * 86_400_000);
  const pfxOf = async (commonName: string, validFrom?: Date) =>
    (await pki.issueClient({ organization: "Òdena", commonName, ...(validFrom && { validFrom }) })).pfx("clau");
  await writeFile(join(cli.folder, "ara.pfx"), await pfxOf("ara"));
  await writeFile(join(cli.folder, "nou.pfx"), await pfxOf("nou", soon));
  await cli.run("municipality", "add", "Òdena");
  await cli.runWith({ stdin: "clau" }, "cert", "import", "ara.pfx", "--municipality", "Òdena", "--password-stdin");
  const [transit = 0, spare = 0] = await findFreePorts(2);
  await using menu = openMenu(cli, { TATTILE_LANG: "ca", TRANSIT_PORT: `${transit}` });

  await menu.choose(ca.menu.add);
  await menu.choose(ca.add.nextCertificate);
  await menu.choose("Òdena");
  await menu.choose(join(cli.folder, "nou.pfx"));
  await menu.answer(ca.ask.password.slice(0, 20), "clau");
  await menu.until((shown) => shown.includes("CN=nou") && shown.includes(soon.toISOString().slice(0, 10)), "from when");
  expect(await json<object[]>(cli, "cert", "rotate")).toMatchObject([{ municipality: "Òdena", state: "staged" }]);
  await menu.choose(ca.back);
  await menu.choose(ca.menu.look);
  await menu.choose(ca.look.rotations);
  await menu.see("tattile cert rotate");
  await menu.see(ca.goOn);
  menu.press("Enter");
  await menu.choose(ca.back);
  await menu.choose(ca.menu.remove);
  await menu.choose(ca.remove.rotation);
  await menu.choose("Òdena");
  await menu.choose(ca.yes);
  await menu.see(ca.said.rotationForgotten("Òdena"));
  expect(await json<object[]>(cli, "cert", "rotate")).toEqual([]);
  await menu.choose(ca.back);

  await menu.choose(ca.menu.service);
  for (const end of ["x", "C-c"]) {
    await menu.choose(ca.service.listen);
    await menu.answer(ca.ask.listenPort, "99999");
    await menu.see(ca.ask.listenPortWrong);
    await menu.answer(ca.ask.listenPort, `${spare}`);
    const since = (shown: string): string => shown.split(ca.service.listenEnds).at(-1) ?? "";
    await menu.until((shown) => since(shown).includes(`port ${spare}; no es desa res`), "that it listens");
    // Nothing is confirmed to it: it gives up.
    const camera = ["simulate", "camera", "--serial", SERIAL, "--count", "1", "--give-up-seconds", "1"];
    await cli.run(...camera, "--port", `${spare}`);
    await menu.until((shown) => since(shown).includes(SERIAL), "what came");
    menu.press(end);
    await menu.until((shown) => shown.lastIndexOf(`● ${ca.service.top}`) > shown.lastIndexOf(SERIAL), "the menu again");
  }
  await menu.choose(ca.service.listen);
  await menu.answer(ca.ask.listenPort, `${transit}`);
  await menu.see(ca.service.listenLoss);
  await menu.choose(ca.no);
  await menu.see(ca.cancelled);
  await menu.choose(ca.back);
  await menu.choose(ca.quit);
  await menu.see(ca.goodbye);
}, 120_000);

test("numbers and results are said in the language of the menu", async () => {
  await using cli = await openCommandFolder();
  await cli.run("municipality", "add", "Òdena");
  await cli.run("camera", "add", SERIAL, "--reader", "1", "--municipality", "Òdena");
  await takeIn(cli.dataDir, [
    messageOf(SERIAL, "1234BCD", 1),
    messageOf(SERIAL, "1235BCD", 2),
    messageOf("9", "1236BCD", 3),
  ]);
  await using menu = openMenu(cli, { TATTILE_LANG: "ca" });
  await menu.choose(ca.menu.queue);
  await menu.choose(ca.queue.retryCamera);
  await menu.choose(SERIAL);
  await menu.see(ca.said.wouldRetry(0));
  await menu.choose(ca.no);
  await menu.choose(ca.queue.heldDrop);
  await menu.see(ca.said.wouldDropHeld(1));
  await menu.choose(ca.yes);
  await menu.see(ca.said.erased(ca.counts.heldMessages(1)));
  await menu.choose(ca.back);
  await menu.choose(ca.menu.look);
  await menu.choose(ca.look.readings);
  await menu.choose(ca.look.allCameras);
  await menu.choose(ca.no);
  await menu.see("12•••CD");
  await menu.see(ca.goOn);
  menu.press("Enter");
  await menu.choose(ca.back);
  await menu.choose(ca.menu.remove);
  await menu.choose(ca.remove.camera);
  await menu.choose(SERIAL);
  await menu.choose(ca.remove.keepQueueYes);
  await menu.see(ca.remove.sureRetire(SERIAL, 2));
  await menu.choose(ca.yes);
  await menu.see(ca.said.retires(2));
  await menu.choose(ca.remove.wipeReadings);
  await menu.see(ca.remove.sureWipe(ca.counts.storedReadings(2)));
  await menu.choose(ca.yes);
  await menu.see(ca.said.erased(`${ca.counts.readings(2)}, ${ca.counts.images(4)}`));
  expect(await json<object[]>(cli, "readings", "list")).toEqual([]);
});

test("what a command refuses is said in the menu, which goes on", async () => {
  await using cli = await openCommandFolder();
  await using menu = openMenu(cli, { TATTILE_LANG: "en" });
  await menu.choose(en.menu.service);
  await menu.choose(en.service.restart);
  await menu.choose(en.yes);
  await menu.see(en.failed);
  await menu.choose(en.back);
  await menu.choose(en.menu.remove);
  await menu.choose(en.remove.camera);
  await menu.until((shown) => shown.lastIndexOf("●") > shown.indexOf(en.nothingThere), "the menu again");
  menu.press("Escape");
  await menu.until((shown) => shown.lastIndexOf(`❯ ${en.menu.title}`) > shown.indexOf("■"), "the main menu");
  menu.press("C-c");
  await menu.see(en.goodbye);
});

test("where systemd knows the service it is offered to start it there, and what that says is shown", async () => {
  await using cli = await openCommandFolder();
  const env = await installFakeSystemd(cli.folder, unitsText({ tattile: ["loaded", "inactive", "disabled"] }), 1);
  await using menu = openMenu(cli, { ...env, TATTILE_LANG: "en" }, "--wizard");
  await menu.choose(en.wizard.startUnit);
  await menu.see(`${en.wizard.startFailed}\nsystemctl enable --now tattile.service: 1`);
  expect(await askedOfSystemd(cli.folder)).toBe("systemctl enable --now tattile.service");
  await menu.choose(en.wizard.later);
  await menu.choose(en.back);
  await menu.choose(en.back);
  await menu.see(en.wizard.unfinished);
  await menu.choose(en.quit);
});

test("a service that cannot start says why, and root does not run it over the service's own files", async () => {
  await using cli = await openCommandFolder();
  const taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  try {
    const env = { TATTILE_LANG: "en", TRANSIT_HOST: "127.0.0.1", TRANSIT_PORT: `${taken.port}`, API_PORT: "0" };
    await using menu = openMenu(cli, env, "--wizard");
    await menu.choose(en.wizard.startHere);
    await menu.see(en.wizard.startFailed);
    await menu.until((shown) => shown.includes(`${taken.port}`), "which port is taken");
    menu.press("Escape");
    await menu.choose(en.quit);
    await menu.see(en.goodbye);
  } finally {
    taken.stop(true);
  }
  if (process.getuid?.() !== 0) return;
  for (const folder of [cli.folder, cli.dataDir]) await chown(folder, 65534, 65534);
  await rm(cli.dataDir, { recursive: true });
  await mkdir(cli.dataDir);
  await chown(cli.dataDir, 65534, 65534);
  await using menu = openMenu(cli, { TATTILE_LANG: "en" }, "--wizard");
  const shown = await menu.see(en.wizard.later);
  expect(shown).not.toContain(en.wizard.startHere);
});

test("without a terminal it says that each thing is a command of its own", async () => {
  await using cli = await openCommandFolder();
  const said = await cli.runWith({ env: { LANG: "ca_ES.UTF-8" } }, "setup");
  expect(said).toMatchObject({ code: 2, stdout: "" });
  expect(said.stderr).toContain(ca.noTerminal);
  expect(existsSync(cli.dataDir)).toBe(false);
});

test("the language is what was asked for, else what the system speaks, else English", () => {
  expect(chooseLanguage("ca", { LANG: "es_ES.UTF-8" })).toBe("ca");
  expect(chooseLanguage(null, { LANG: "es_ES.UTF-8" })).toBe("es");
  expect(chooseLanguage(null, { LC_ALL: "ca_ES@valencia", LANG: "es_ES" })).toBe("ca");
  expect(chooseLanguage(null, { LC_ALL: "", LC_MESSAGES: "es", LANG: "C" })).toBe("es");
  for (const LANG of ["C", "POSIX", "fr_FR.UTF-8", ""]) expect(chooseLanguage(null, { LANG })).toBe("en");
  expect(chooseLanguage(null, {})).toBe("en");
});

test("TATTILE_LANG may stand in the settings file, and a language that is not spoken is refused", async () => {
  await using cli = await openCommandFolder();
  await writeFile(join(cli.folder, "tattile.env"), "TATTILE_LANG=ca\n");
  const said = await cli.runWith({ env: { LANG: "es_ES.UTF-8" } }, "setup", "--env-file", "tattile.env");
  expect(said.stderr).toContain(ca.noTerminal);
  const french = await cli.runWith({ env: { TATTILE_LANG: "fr" } }, "setup");
  expect([french.code, french.stderr]).toEqual([3, expect.stringContaining("TATTILE_LANG must be one of ca, es, en")]);
});

/** Every text by its place, those that take values with some. */
function textsOf(node: object, path = ""): [string, string][] {
  return Object.entries(node).flatMap(([key, value]: [string, unknown]): [string, string][] => {
    const place = `${path}${key}`;
    if (typeof value === "string") return [[place, value]];
    if (typeof value === "function")
      return [[place, String((value as (...v: unknown[]) => string)("⟨1⟩", "⟨2⟩", "⟨3⟩", "⟨4⟩"))]];
    return textsOf(value as object, `${place}.`);
  });
}

test("no text is empty, missing or left in another language, and each uses the values it is given", () => {
  const english = new Map(textsOf(CATALOGUES.en));
  // Words that are the same in all of them.
  const same = ["no", "look.endpoints", "add.municipality"];
  for (const language of LANGUAGES.filter((one) => one !== "en")) {
    const texts = textsOf(CATALOGUES[language]);
    expect(texts.map(([place]) => place)).toEqual([...english.keys()]);
    for (const [place, text] of texts) {
      const original = english.get(place) ?? "";
      expect([place, text.trim()]).not.toEqual([place, ""]);
      if (!same.includes(place)) expect([place, text]).not.toEqual([place, original]);
      const values = (line: string): string[] => [...new Set(line.match(/⟨\d⟩/g) ?? [])].toSorted();
      expect([place, values(text)]).toEqual([place, values(original)]);
    }
  }
});
