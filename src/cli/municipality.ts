import { countOf } from "../format.ts";
import type { Municipality } from "../store/registry.ts";
import { audited } from "./audited.ts";
import { describeHoldings, eraseCameras, holdingsOf } from "./camera-remove.ts";
import { defineGroup, defineTattileCommand } from "./command.ts";
import { isCleared, lookUpCertificate, lookUpEndpoint, lookUpMunicipality, optional } from "./lookup.ts";
import { confirm } from "./prompt.ts";
import { JSON_ARG, REMOVE_ARGS, reportSaved } from "./registry-output.ts";
import { parseName } from "./values.ts";

const CODE = { kind: "value", hint: "C", about: "code of the municipality, for your own use (none: clear)" } as const;
const ENDPOINT = { kind: "value", hint: "E", about: "endpoint its readings go to (none: the default one)" } as const;
const NAME = { kind: "positional", required: true, about: "name or id of the municipality" } as const;

const add = defineTattileCommand({
  name: "municipality add",
  summary: "register a municipality, or change one of that name",
  examples: ['tattile municipality add "Sant Cugat" --endpoint lectio'],
  args: { name: { ...NAME, about: "its name" }, code: CODE, endpoint: ENDPOINT, ...JSON_ARG },
  async run(args, context) {
    const store = await context.store();
    const name = parseName("NAME", args.name, 100);
    const old = await store.findMunicipality(name);
    const endpoint = await endpointId(args.endpoint, old?.endpointId ?? null);
    const value = {
      name: old?.name ?? name,
      code: optional(args.code, old?.code ?? null, (text) => parseName("--code", text, 50)),
      endpointId: endpoint,
      certificateId: old?.certificateId ?? null,
      active: old?.active ?? true,
    };
    reportSaved(context, args.json, `municipality ${value.name}`, await store.saveMunicipality(value));

    async function endpointId(wanted: string | undefined, kept: number | null): Promise<number | null> {
      if (wanted === undefined) return kept;
      return isCleared(wanted) ? null : (await lookUpEndpoint(store, wanted)).id;
    }
  },
});

const list = defineTattileCommand({
  name: "municipality list",
  summary: "list the municipalities with endpoint, certificate and number of cameras",
  examples: ["tattile municipality list"],
  args: JSON_ARG,
  async run(args, { store: openStore, out }) {
    const store = await openStore();
    const [municipalities, endpoints, certificates, cameras] = await Promise.all([
      store.listMunicipalities(),
      store.listEndpoints(),
      store.listCertificates(),
      store.listCameras(),
    ]);
    const items = municipalities.map((m) => ({
      id: m.id,
      name: m.name,
      code: m.code,
      endpoint: endpoints.find((e) => e.id === m.endpointId)?.name ?? null,
      certificate: certificates.find((c) => c.id === m.certificateId)?.name ?? null,
      cameras: cameras.filter((c) => c.municipalityId === m.id).length,
      active: m.active,
    }));
    if (args.json) return out.json(items);
    if (items.length === 0) return out.line("No municipality yet. Add one: tattile municipality add NAME");
    const rows = items.map((m) => [
      `${m.id}`,
      m.name,
      m.code ?? "-",
      m.endpoint ?? out.words("(default)"),
      m.certificate ?? out.words("none"),
      `${m.cameras}`,
    ]);
    const columns = [
      { title: "ID", whole: true },
      { title: "NAME" },
      { title: "CODE" },
      { title: "ENDPOINT" },
      { title: "CERTIFICATE" },
      { title: "CAMERAS", align: "right", whole: true },
    ] as const;
    out.table(columns, rows);
  },
});

const show = defineTattileCommand({
  name: "municipality show",
  summary: "show one municipality",
  examples: ['tattile municipality show "Sant Cugat"'],
  args: { name: NAME, ...JSON_ARG },
  async run(args, { store: openStore, out }) {
    const store = await openStore();
    const municipality = await lookUpMunicipality(store, args.name);
    const endpoint = (await store.listEndpoints()).find((e) => e.id === municipality.endpointId) ?? null;
    const certificate = (await store.listCertificates()).find((c) => c.id === municipality.certificateId) ?? null;
    const cameras = (await store.listCameras()).filter((c) => c.municipalityId === municipality.id);
    if (args.json) {
      const { endpointId: _e, certificateId: _c, ...facts } = municipality;
      return out.json({
        ...facts,
        endpoint: endpoint?.name ?? null,
        certificate: certificate?.name ?? null,
        cameras: cameras.map((c) => c.serial),
      });
    }
    out.facts([
      ["id", `${municipality.id}`],
      ["name", municipality.name],
      ["code", municipality.code ?? "-"],
      ["endpoint", endpoint?.name ?? "(default: MOSSOS_ENDPOINT_URL)"],
      ["certificate", certificate?.name ?? "none: tattile cert import FILE.pfx --municipality NAME"],
      ["cameras", cameras.map((c) => c.serial).join(", ") || "none"],
    ]);
  },
});

const set = defineTattileCommand({
  name: "municipality set",
  summary: "change a municipality; what is not given stays",
  examples: [
    'tattile municipality set "Sant Cugat" --endpoint none',
    'tattile municipality set "Sant Cugat" --certificate 3',
  ],
  args: {
    name: NAME,
    code: CODE,
    endpoint: ENDPOINT,
    certificate: {
      kind: "value",
      hint: "CERT",
      about: "imported certificate it signs with, by id or name (none: clear)",
    },
    ...JSON_ARG,
  },
  async run(args, context) {
    const store = await context.store();
    const old: Municipality = await lookUpMunicipality(store, args.name);
    const { id: _id, ...value } = old;
    const wanted = args.endpoint;
    let { endpointId } = old;
    if (wanted !== undefined) endpointId = isCleared(wanted) ? null : (await lookUpEndpoint(store, wanted)).id;
    const code = optional(args.code, old.code, (text) => parseName("--code", text, 50));
    let { certificateId } = old;
    let assigned: string | null = null;
    if (args.certificate !== undefined) {
      const chosen = isCleared(args.certificate) ? null : await lookUpCertificate(store, args.certificate);
      certificateId = chosen?.id ?? null;
      if (certificateId !== old.certificateId) {
        assigned = `${old.name}: ${chosen === null ? "none" : `certificate ${chosen.id} (${chosen.name})`}`;
      }
    }
    const save = () => store.saveMunicipality({ ...value, code, endpointId, certificateId });
    const result =
      assigned === null ? await save() : await audited({ what: "certificate assign", detail: assigned }, context, save);
    reportSaved(context, args.json, `municipality ${old.name}`, result);
  },
});

const remove = defineTattileCommand({
  name: "municipality remove",
  summary: "remove a municipality that no camera uses, or with its cameras",
  notes: ["Its certificate stays listed: tattile cert remove takes it and its key away."],
  examples: [
    'tattile municipality remove "Sant Cugat"',
    'tattile municipality remove "Sant Cugat" --cascade --dry-run',
  ],
  args: {
    name: NAME,
    cascade: { kind: "switch", about: "its cameras go too, with all that is stored of them, unsent" },
    ...REMOVE_ARGS,
    ...JSON_ARG,
  },
  async run(args, context) {
    const { out } = context;
    const store = await context.store();
    const municipality = await lookUpMunicipality(store, args.name);
    const cameras = (await store.listCameras()).filter((c) => c.municipalityId === municipality.id);
    const going = args.cascade ? cameras : [];
    const held = await holdingsOf(going, store);
    const what = `remove municipality ${municipality.name}${
      going.length === 0 ? "" : ` with ${countOf(going.length, "camera")}, ${describeHoldings(held)}, unsent`
    }`;
    if (args["dry-run"]) {
      const facts = { cameras: going.length, readings: held.readings, images: held.imagePaths.length };
      return args.json ? out.json({ would: what, ...facts }) : out.line(`would ${what}`);
    }
    await confirm(what, args.yes, context);
    const gone = await audited({ what: "municipality remove", detail: what }, context, async () => {
      const { requireGone } = await import("../deeds/camera-removal.ts");
      const erased =
        going.length > 0 ? await eraseCameras(going, store, context) : { readings: 0, images: 0, leaving: [] };
      requireGone(municipality.name, erased);
      await store.removeMunicipality(municipality.id);
      return { readings: erased.readings, images: erased.images };
    });
    if (args.json) return out.json({ removed: municipality.name, cameras: going.length, ...gone });
    const erased = `, erased ${countOf(gone.readings, "reading")} and ${countOf(gone.images, "image")}`;
    const withCameras = going.length === 0 ? "" : ` with ${countOf(going.length, "camera")}${erased}`;
    out.line(`removed municipality ${municipality.name}${withCameras}`);
  },
});

export const municipalityCommands = defineGroup("municipality", "register and change municipalities", [
  add,
  list,
  show,
  set,
  remove,
]);
