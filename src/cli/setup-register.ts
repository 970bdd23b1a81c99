import { type Answer, inOrder, keep, offer } from "./setup-dialog.ts";
import type { Kit } from "./setup-kit.ts";
import { NEW, pickEndpoint, pickMunicipality, pickPfx, pickSerial } from "./setup-pick.ts";
import { sayCertificate, sayRotation, saySaved } from "./setup-said.ts";

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
  const flags = [...(code === "" ? [] : [`--code=${code}`]), ...(chosen === null ? [] : ["--endpoint", chosen])];
  return (await kit.run(["municipality", "add", name, ...flags], saySaved(t))) ? name : null;
}

/** A municipality, a PFX file and its password, and what `command` does with them. */
async function takePfx<T>(
  kit: Kit,
  command: "import" | "rotate",
  say: (said: T) => string,
  municipality?: string,
): Promise<boolean> {
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
  return kit.run(["cert", command, path, "--municipality", town, "--password-stdin"], say, password);
}

export function importCertificate(kit: Kit, municipality?: string): Promise<boolean> {
  return takePfx(kit, "import", sayCertificate(kit.t), municipality);
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
    ...(description === "" ? [] : [`--description=${description}`]),
  ];
  const words = ["camera", "add", serial, "--reader", reader, "--municipality", town, ...flags];
  const done = await kit.run(words, saySaved(t));
  return done ? serial : null;
}

/** A pair of coordinates, or nothing. */
export function askCoordinates(kit: Kit, initial: string): Promise<Answer<string>> {
  return kit.ask(kit.t.ask.coordinates, {
    initial,
    mayBeEmpty: true,
    check: (text) => (/^\d{1,8}\.\d{2}\s+\d{1,8}\.\d{2}$/.test(text) ? null : kit.t.ask.coordinatesWrong),
  });
}

export async function addMenu(kit: Kit): Promise<void> {
  const { add } = kit.t;
  await offer(kit, add.title, [
    { label: add.municipality, value: () => addMunicipality(kit) },
    { label: add.camera, value: () => addCamera(kit) },
    { label: add.endpoint, value: () => addEndpoint(kit) },
    { label: add.certificate, value: () => importCertificate(kit) },
    { label: add.nextCertificate, value: () => takePfx(kit, "rotate", sayRotation(kit.t, new Date())) },
  ]);
}
