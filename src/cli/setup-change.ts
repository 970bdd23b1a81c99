import { type Answer, BACK } from "./setup-dialog.ts";
import type { Kit } from "./setup-kit.ts";
import { NEW, pickCamera, pickCertificate, pickEndpoint, pickMunicipality } from "./setup-pick.ts";
import { askCoordinates } from "./setup-register.ts";
import { saySaved } from "./setup-said.ts";

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
