import { AppError } from "../errors.ts";
import { formatAge } from "../format.ts";
import type { NewCamera, Registry } from "../store/registry.ts";
import { removeCamera } from "./camera-remove.ts";
import { type ArgValues, defineGroup, defineTattileCommand } from "./command.ts";
import type { CommandContext } from "./context.ts";
import { isCleared, lookUpCamera, lookUpEndpoint, lookUpMunicipality, optional } from "./lookup.ts";
import { JSON_ARG, reportSaved } from "./registry-output.ts";
import { parseCoordinate, parseName, parseReaderCode, parseTimezone } from "./values.ts";

const FLAGS = {
  x: { kind: "value", hint: "M", about: "UTM 31N easting, exactly two decimals, as 431234.50 (none: clear)" },
  y: { kind: "value", hint: "M", about: "UTM 31N northing, exactly two decimals, as 4588123.00 (none: clear)" },
  endpoint: { kind: "value", hint: "E", about: "endpoint of its own (none: the municipality's)" },
  timezone: { kind: "value", hint: "Z", about: "zone of the camera's clock (none: CAMERA_TIMEZONE)" },
  description: { kind: "value", hint: "TEXT", about: "where it hangs (none: clear)" },
  active: { kind: "value", hint: "on|off", options: ["on", "off"], about: "off: its readings are counted, not queued" },
  ...JSON_ARG,
} as const;
const READER = {
  kind: "value",
  hint: "CODE",
  about: "reader code given by the police, at most 16 characters",
} as const;
const MUNICIPALITY = { kind: "value", hint: "NAME", about: "municipality that signs for it" } as const;
const SERIAL = { kind: "positional", required: true, about: "serial number of the camera, or its id" } as const;

const add = defineTattileCommand({
  name: "camera add",
  summary: "register a camera, or change the one of that serial",
  notes: ["Readings of it that are held in quarantine are taken up by the service."],
  examples: [
    'tattile camera add 2001008851 --reader 00012 --municipality "Sant Cugat"',
    'tattile camera add 2001008851 --reader 00012 --municipality "Sant Cugat" --x 431234.50 --y 4588123.00',
  ],
  args: {
    serial: { ...SERIAL, about: "serial number (DEVICE_SN) of the camera" },
    reader: { ...READER, required: true },
    municipality: { ...MUNICIPALITY, required: true },
    ...FLAGS,
  },
  async run(args, context) {
    const store = await context.store();
    const serial = parseName("SERIAL", args.serial, 64);
    const { id: municipalityId } = await lookUpMunicipality(store, args.municipality);
    const old = await store.findCamera(serial);
    // A camera that was to go with the last of its readings stays after all.
    const retires = old !== null && (await store.listRetiring()).includes(old.id);
    const base: NewCamera = (retires ? { ...old, active: true } : old) ?? {
      serial,
      readerCode: "",
      description: null,
      municipalityId,
      endpointId: null,
      coordX: null,
      coordY: null,
      timezone: null,
      active: true,
    };
    await save({ ...base, readerCode: parseReaderCode(args.reader), municipalityId }, args, store, context);
  },
});

const set = defineTattileCommand({
  name: "camera set",
  summary: "change a camera; what is not given stays",
  examples: ["tattile camera set 2001008851 --endpoint none", "tattile camera set 2001008851 --active off"],
  args: { serial: SERIAL, reader: READER, municipality: MUNICIPALITY, ...FLAGS },
  async run(args, context) {
    const store = await context.store();
    const old = await lookUpCamera(store, args.serial);
    const { readerCode, municipalityId } = old;
    const value = {
      ...old,
      readerCode: args.reader === undefined ? readerCode : parseReaderCode(args.reader),
      municipalityId:
        args.municipality === undefined ? municipalityId : (await lookUpMunicipality(store, args.municipality)).id,
    };
    await save(value, args, store, context);
  },
});

async function save(
  old: NewCamera,
  args: ArgValues<typeof FLAGS>,
  store: Registry,
  context: CommandContext,
): Promise<void> {
  const coordX = optional(args.x, old.coordX, (text) => parseCoordinate("--x", text));
  const coordY = optional(args.y, old.coordY, (text) => parseCoordinate("--y", text));
  if ((coordX === null) !== (coordY === null)) {
    throw new AppError("usage", `camera ${old.serial}: one coordinate without the other`, {
      hint: "give --x and --y together, or clear both with none",
    });
  }
  let { endpointId } = old;
  if (args.endpoint !== undefined) {
    endpointId = isCleared(args.endpoint) ? null : (await lookUpEndpoint(store, args.endpoint)).id;
  }
  const value: NewCamera = {
    serial: old.serial,
    readerCode: old.readerCode,
    description: optional(args.description, old.description, (text) => parseName("--description", text, 200)),
    municipalityId: old.municipalityId,
    endpointId,
    coordX,
    coordY,
    timezone: optional(args.timezone, old.timezone, parseTimezone),
    active: args.active === undefined ? old.active : args.active === "on",
  };
  reportSaved(context, args.json, `camera ${value.serial}`, await store.saveCamera(value));
}

const list = defineTattileCommand({
  name: "camera list",
  summary: "list the cameras with their last reading and last delivery",
  examples: ["tattile camera list"],
  args: JSON_ARG,
  async run(args, { store: openStore, out, now }) {
    const store = await openStore();
    const retiring = await store.listRetiring();
    const [cameras, municipalities, endpoints] = await Promise.all([
      store.listCameras(),
      store.listMunicipalities(),
      store.listEndpoints(),
    ]);
    const items = cameras.map(({ municipalityId, endpointId, ...camera }) => ({
      ...camera,
      leaving: !camera.active && retiring.includes(camera.id),
      municipality: municipalities.find((m) => m.id === municipalityId)?.name ?? "",
      endpoint: endpoints.find((e) => e.id === endpointId)?.name ?? null,
    }));
    if (args.json) return out.json(items);
    if (items.length === 0)
      return out.line("No camera yet. Add one: tattile camera add SERIAL --reader CODE --municipality NAME");
    const rows = items.map((c) => [
      c.serial,
      c.readerCode,
      c.municipality,
      c.leaving ? "leaving" : c.active ? "on" : "off",
      formatAge(c.lastReadingAt, now()),
      formatAge(c.lastSentAt, now()),
      c.description ?? "",
    ]);
    const columns = [
      { title: "SERIAL", whole: true },
      { title: "READER", whole: true },
      { title: "MUNICIPALITY" },
      { title: "ON", whole: true, words: true },
      { title: "READ", whole: true, words: true },
      { title: "SENT", whole: true, words: true },
      { title: "DESCRIPTION" },
    ] as const;
    out.table(columns, rows);
  },
});

const show = defineTattileCommand({
  name: "camera show",
  summary: "show one camera and what has been counted for it",
  examples: ["tattile camera show 2001008851"],
  args: { serial: SERIAL, ...JSON_ARG },
  async run(args, { store: openStore, out, now }) {
    const store = await openStore();
    const { municipalityId, endpointId, ...camera } = await lookUpCamera(store, args.serial);
    const municipality = (await store.listMunicipalities()).find((m) => m.id === municipalityId)?.name ?? "";
    const endpoint = (await store.listEndpoints()).find((e) => e.id === endpointId)?.name ?? null;
    const tallies = (await store.tallies()).filter((t) => t.cameraSerial === camera.serial);
    if (args.json) {
      const counts = Object.fromEntries(tallies.map((t) => [t.tally, t.count]));
      return out.json({ ...camera, municipality, endpoint, counts });
    }
    out.facts([
      ["id", `${camera.id}`],
      ["serial", camera.serial],
      ["reader code", camera.readerCode],
      ["description", camera.description ?? "-"],
      ["municipality", municipality],
      endpoint === null ? ["endpoint", "(the municipality's)", "words"] : ["endpoint", endpoint],
      ["coordinates", camera.coordX === null ? "-" : `${camera.coordX} ${camera.coordY}`],
      ["timezone", camera.timezone ?? "(CAMERA_TIMEZONE)"],
      ["active", camera.active ? "on" : "off", "words"],
      ["last reading", formatAge(camera.lastReadingAt, now()), "words"],
      ["last sent", formatAge(camera.lastSentAt, now()), "words"],
      tallies.length === 0
        ? ["counted", "nothing yet", "words"]
        : ["counted", tallies.map((t) => `${t.tally} ${t.count}`).join(", ")],
    ]);
  },
});

export const cameraCommands = defineGroup("camera", "register and change cameras", [
  add,
  list,
  show,
  set,
  removeCamera,
]);
