import { type Answer, BACK, offer } from "./setup-dialog.ts";
import type { Kit } from "./setup-kit.ts";
import { NEW, pickCamera, pickCertificate, pickEndpoint, pickMunicipality } from "./setup-pick.ts";
import { askCoordinates } from "./setup-register.ts";
import { saySaved } from "./setup-said.ts";

/** Picks one thing, asks for another, and does with both what `words` says; back from the second is the first again. */
async function change<A, B>(
  kit: Kit,
  pick: () => Promise<Answer<A>>,
  give: (item: A) => Promise<Answer<B>>,
  words: (item: A, given: B) => readonly string[],
): Promise<void> {
  for (;;) {
    const item = await pick();
    if (item === BACK) return;
    const given = await give(item);
    if (given === BACK) continue;
    await kit.run(words(item, given), saySaved(kit.t));
    return;
  }
}

export async function assignMenu(kit: Kit): Promise<void> {
  const { assign, ask } = kit.t;
  await offer(kit, assign.title, [
    {
      label: assign.certificateToMunicipality,
      value: () =>
        change(
          kit,
          () => pickMunicipality(kit),
          () => pickCertificate(kit, ask.noCertificate),
          (town, c) => ["municipality", "set", town.name, "--certificate", c === NEW ? "none" : `${c.id}`],
        ),
    },
    {
      label: assign.endpointToMunicipality,
      value: () =>
        change(
          kit,
          () => pickMunicipality(kit),
          () => pickEndpoint(kit, ask.defaultEndpoint),
          (town, e) => ["municipality", "set", town.name, "--endpoint", e === NEW ? "none" : e.name],
        ),
    },
    {
      label: assign.endpointToCamera,
      value: () =>
        change(
          kit,
          () => pickCamera(kit),
          () => pickEndpoint(kit, ask.municipalitysEndpoint),
          (camera, e) => ["camera", "set", camera.serial, "--endpoint", e === NEW ? "none" : e.name],
        ),
    },
  ]);
}

export async function changeMenu(kit: Kit): Promise<void> {
  const { change: menu, ask, none } = kit.t;
  const camera = () => pickCamera(kit);
  const empty = { mayBeEmpty: true, placeholder: none };
  await offer(kit, menu.title, [
    {
      label: menu.cameraReader,
      value: () =>
        change(
          kit,
          camera,
          () => kit.ask(ask.reader),
          (c, text) => ["camera", "set", c.serial, "--reader", text],
        ),
    },
    {
      label: menu.cameraMunicipality,
      value: () =>
        change(
          kit,
          camera,
          async () => {
            const town = await pickMunicipality(kit);
            return town === BACK ? BACK : town.name;
          },
          (c, name) => ["camera", "set", c.serial, "--municipality", name],
        ),
    },
    {
      label: menu.cameraCoordinates,
      value: () =>
        change(
          kit,
          camera,
          () => askCoordinates(kit, ""),
          (c, text) => {
            const [x = "none", y = "none"] = text === "" ? [] : text.split(/\s+/);
            return ["camera", "set", c.serial, "--x", x, "--y", y];
          },
        ),
    },
    {
      label: menu.cameraDescription,
      value: () =>
        change(
          kit,
          camera,
          () => kit.ask(ask.description, empty),
          (c, text) => ["camera", "set", c.serial, `--description=${text}`],
        ),
    },
    {
      label: menu.cameraActive,
      value: () =>
        change(
          kit,
          camera,
          () =>
            kit.choose(menu.cameraActive, [
              { label: ask.on, value: "on" },
              { label: ask.off, value: "off" },
            ]),
          (c, value) => ["camera", "set", c.serial, "--active", value],
        ),
    },
    {
      label: menu.endpointUrl,
      value: () =>
        change(
          kit,
          () => pickEndpoint(kit),
          (e) => kit.ask(ask.endpointUrl, { initial: e.url }),
          (e, url) => ["endpoint", "set", e.name, "--url", url],
        ),
    },
    {
      label: menu.endpointAuthority,
      value: () =>
        change(
          kit,
          () => pickEndpoint(kit),
          () => kit.ask(ask.authority, empty),
          (e, path) => ["endpoint", "set", e.name, `--ca=${path}`],
        ),
    },
    {
      label: menu.municipalityCode,
      value: () =>
        change(
          kit,
          () => pickMunicipality(kit),
          () => kit.ask(ask.municipalityCode, empty),
          (town, code) => ["municipality", "set", town.name, `--code=${code}`],
        ),
    },
  ]);
}
