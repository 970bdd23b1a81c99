import { type Answer, BACK, inOrder } from "./setup-dialog.ts";
import type { Kit } from "./setup-kit.ts";
import { NEW, pickCamera, pickCertificate, pickEndpoint, pickMunicipality, pickPfx, pickSerial } from "./setup-pick.ts";
import { sayCertificate, saySaved } from "./setup-said.ts";

/** Puts an answer where it belongs; BACK stays BACK. */
function keep<T>(answer: Answer<T>, set: (value: T) => void): Answer<"next"> {
  if (answer === BACK) return BACK;
  set(answer);
  return "next";
}

/** @returns its name, or null when it was not added */
export async function addEndpoint(kit: Kit): Promise<string | null> {
  const { t } = kit;
  let [name, url, ca] = ["lectio", "", ""];
  const answered = await inOrder([
    async () => keep(await kit.ask(t.ask.endpointName, { initial: name }), (text) => (name = text)),
    async () =>
      keep(
        await kit.ask(t.ask.endpointUrl, {
          placeholder: "https://…",
          ...(url === "" ? {} : { initial: url }),
        }),
        (text) => (url = text),
      ),
    async () => keep(await kit.ask(t.ask.authority, { mayBeEmpty: true, initial: ca }), (text) => (ca = text)),
  ]);
  if (!answered) return null;
  const done = await kit.run(["endpoint", "add", name, url, ...(ca === "" ? [] : ["--ca", ca])], saySaved(t));
  return done ? name : null;
}

export async function addMunicipality(kit: Kit, endpoint?: string): Promise<string | null> {
  const { t } = kit;
  let [name, code] = ["", ""];
  let chosen = endpoint ?? null;
  const answered = await inOrder([
    async () => keep(await kit.ask(t.ask.municipalityName, { initial: name }), (text) => (name = text)),
    async () =>
      keep(await kit.ask(t.ask.municipalityCode, { mayBeEmpty: true, initial: code }), (text) => (code = text)),
    async () => {
      if (endpoint !== undefined) return "skip";
      const picked = await pickEndpoint(kit, t.ask.defaultEndpoint);
      return keep(picked, (value) => (chosen = value === NEW ? null : value.name));
    },
  ]);
  if (!answered) return null;
  const flags = [...(code === "" ? [] : ["--code", code]), ...(chosen === null ? [] : ["--endpoint", chosen])];
  return (await kit.run(["municipality", "add", name, ...flags], saySaved(t))) ? name : null;
}

export async function importCertificate(kit: Kit, municipality?: string): Promise<boolean> {
  let town = municipality ?? "";
  let path = "";
  let password = "";
  const answered = await inOrder([
    async () => {
      if (municipality !== undefined) return "skip";
      return keep(await pickMunicipality(kit), ({ name }) => (town = name));
    },
    async () => keep(await pickPfx(kit), (value) => (path = value)),
    async () => keep(await kit.askSecret(kit.t.ask.password), (value) => (password = value)),
  ]);
  if (!answered) return false;
  const words = ["cert", "import", path, "--municipality", town, "--password-stdin"];
  return kit.run(words, sayCertificate(kit.t), password);
}

export async function addCamera(kit: Kit, municipality?: string): Promise<string | null> {
  const { t } = kit;
  let [serial, reader, town, coordinates, description] = ["", "", municipality ?? "", "", ""];
  const answered = await inOrder([
    async () => keep(await pickSerial(kit, serial), (value) => (serial = value)),
    async () => {
      if (municipality !== undefined) return "skip";
      return keep(await pickMunicipality(kit), ({ name }) => (town = name));
    },
    async () => keep(await kit.ask(t.ask.reader, { initial: reader }), (text) => (reader = text)),
    async () => keep(await askCoordinates(kit, coordinates), (text) => (coordinates = text)),
    async () =>
      keep(
        await kit.ask(t.ask.description, { mayBeEmpty: true, initial: description }),
        (text) => (description = text),
      ),
  ]);
  if (!answered) return null;
  const [x, y] = coordinates.split(/\s+/);
  const flags = [
    ...(y === undefined ? [] : ["--x", x ?? "", "--y", y]),
    ...(description === "" ? [] : ["--description", description]),
  ];
  const words = ["camera", "add", serial, "--reader", reader, "--municipality", town, ...flags];
  const done = await kit.run(words, saySaved(t));
  return done ? serial : null;
}

function askCoordinates(kit: Kit, initial: string): Promise<Answer<string>> {
  return kit.ask(kit.t.ask.coordinates, {
    initial,
    mayBeEmpty: true,
    check: (text) => (/^\d{1,8}\.\d{2}\s+\d{1,8}\.\d{2}$/.test(text) ? null : kit.t.ask.coordinatesWrong),
  });
}

export async function addMenu(kit: Kit): Promise<void> {
  const { add } = kit.t;
  for (;;) {
    const picked = await kit.choose<() => Promise<unknown>>(add.title, [
      { label: add.municipality, value: () => addMunicipality(kit) },
      { label: add.camera, value: () => addCamera(kit) },
      { label: add.endpoint, value: () => addEndpoint(kit) },
      { label: add.certificate, value: () => importCertificate(kit) },
    ]);
    if (picked === BACK) return;
    await picked();
  }
}

export async function assignMenu(kit: Kit): Promise<void> {
  const { assign, ask } = kit.t;
  const both = async <A, B>(
    first: () => Promise<Answer<A>>,
    second: () => Promise<Answer<B>>,
    words: (a: A, b: B) => readonly string[],
  ): Promise<void> => {
    for (;;) {
      const a = await first();
      if (a === BACK) return;
      const b = await second();
      if (b === BACK) continue;
      await kit.run(words(a, b), saySaved(kit.t));
      return;
    }
  };
  for (;;) {
    const picked = await kit.choose(assign.title, [
      {
        label: assign.certificateToMunicipality,
        value: () =>
          both(
            () => pickMunicipality(kit),
            () => pickCertificate(kit, ask.noCertificate),
            (town, c) => ["municipality", "set", town.name, "--certificate", c === NEW ? "none" : `${c.id}`],
          ),
      },
      {
        label: assign.endpointToMunicipality,
        value: () =>
          both(
            () => pickMunicipality(kit),
            () => pickEndpoint(kit, ask.defaultEndpoint),
            (town, e) => ["municipality", "set", town.name, "--endpoint", e === NEW ? "none" : e.name],
          ),
      },
      {
        label: assign.endpointToCamera,
        value: () =>
          both(
            () => pickCamera(kit),
            () => pickEndpoint(kit, ask.municipalitysEndpoint),
            (camera, e) => ["camera", "set", camera.serial, "--endpoint", e === NEW ? "none" : e.name],
          ),
      },
    ]);
    if (picked === BACK) return;
    await picked();
  }
}

export async function changeMenu(kit: Kit): Promise<void> {
  const { change, ask, none } = kit.t;
  /** Picks, asks, and sets one field. */
  const field = async <T>(
    pick: () => Promise<Answer<T>>,
    give: (item: T) => Promise<Answer<string>>,
    words: (item: T, value: string) => readonly string[],
  ): Promise<void> => {
    for (;;) {
      const item = await pick();
      if (item === BACK) return;
      const value = await give(item);
      if (value === BACK) continue;
      await kit.run(words(item, value), saySaved(kit.t));
      return;
    }
  };
  const camera = () => pickCamera(kit);
  const empty = { mayBeEmpty: true, placeholder: none };
  for (;;) {
    const picked = await kit.choose(change.title, [
      {
        label: change.cameraReader,
        value: () =>
          field(
            camera,
            () => kit.ask(ask.reader),
            (c, text) => ["camera", "set", c.serial, "--reader", text],
          ),
      },
      {
        label: change.cameraMunicipality,
        value: () =>
          field(
            camera,
            async () => {
              const town = await pickMunicipality(kit);
              return town === BACK ? BACK : town.name;
            },
            (c, name) => ["camera", "set", c.serial, "--municipality", name],
          ),
      },
      {
        label: change.cameraCoordinates,
        value: () =>
          field(
            camera,
            () => askCoordinates(kit, ""),
            (c, text) => {
              const [x = "none", y = "none"] = text === "" ? [] : text.split(/\s+/);
              return ["camera", "set", c.serial, "--x", x, "--y", y];
            },
          ),
      },
      {
        label: change.cameraDescription,
        value: () =>
          field(
            camera,
            () => kit.ask(ask.description, empty),
            (c, text) => ["camera", "set", c.serial, `--description=${text}`],
          ),
      },
      {
        label: change.cameraActive,
        value: () =>
          field(
            camera,
            () =>
              kit.choose(change.cameraActive, [
                { label: ask.on, value: "on" },
                { label: ask.off, value: "off" },
              ]),
            (c, value) => ["camera", "set", c.serial, "--active", value],
          ),
      },
      {
        label: change.endpointUrl,
        value: () =>
          field(
            () => pickEndpoint(kit),
            (e) => kit.ask(ask.endpointUrl, { initial: e.url }),
            (e, url) => ["endpoint", "set", e.name, "--url", url],
          ),
      },
      {
        label: change.endpointAuthority,
        value: () =>
          field(
            () => pickEndpoint(kit),
            () => kit.ask(ask.authority, empty),
            (e, path) => ["endpoint", "set", e.name, `--ca=${path}`],
          ),
      },
      {
        label: change.municipalityCode,
        value: () =>
          field(
            () => pickMunicipality(kit),
            () => kit.ask(ask.municipalityCode, empty),
            (town, code) => ["municipality", "set", town.name, `--code=${code}`],
          ),
      },
    ]);
    if (picked === BACK) return;
    await picked();
  }
}
