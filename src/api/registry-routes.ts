import { Type } from "typebox";
import { countOf } from "../format.ts";
import { coordinate, endpointUrl } from "../registry-values.ts";
import { DEFAULT_ENDPOINT } from "../status-report.ts";
import { endpointDefaults, type NewCamera } from "../store/registry.ts";
import { isTimeZone } from "../time-zone.ts";
import type { Auditor } from "./audit.ts";
import type { ApiDeps } from "./deps.ts";
import { describe } from "./message-routes.ts";
import { invalid, mustFind, mustRemain } from "./refusal.ts";
import {
  CameraDetail,
  CameraFields,
  CameraSerial,
  EndpointFields,
  EndpointTried,
  EntityName,
  MunicipalityFields,
  Removed,
  SavedCamera,
  SavedEndpoint,
  SavedMunicipality,
} from "./registry-schemas.ts";
import { defineRoute, defineSilentRoute, LONG_SECONDS, type Route } from "./route.ts";
import { Camera, Endpoint, exactly, listOf, Municipality } from "./schemas.ts";

/** Municipalities, endpoints and cameras; a PUT adds, or changes what it names. */
export function registryRoutes(deps: ApiDeps, auditor: Auditor): readonly Route[] {
  const { store, config } = deps;

  /** The id that a name of the body stands for; undefined keeps, null clears. */
  async function endpointId(name: string | null | undefined, kept: number | null): Promise<number | null> {
    if (name === undefined) return kept;
    if (name === null) return null;
    const endpoint = await store.findEndpoint(name);
    if (endpoint === null)
      throw invalid(`body.endpoint is ${JSON.stringify(name)}`, "Name an endpoint that is registered.");
    return endpoint.id;
  }

  const findCamera = async (serial: string) => mustFind(await store.findCamera(serial), `camera ${serial}`);

  return [
    defineRoute({
      method: "GET",
      path: "/api/v1/municipalities",
      tag: "registry",
      summary: "the municipalities",
      access: "viewer",
      answer: listOf(Municipality),
      handle: () => store.listMunicipalities(),
    }),
    defineRoute({
      method: "PUT",
      path: "/api/v1/municipalities/{name}",
      tag: "registry",
      summary: "add or change a municipality",
      access: "admin",
      params: EntityName,
      body: MunicipalityFields,
      answer: SavedMunicipality,
      handle: async ({ params, body, caller }) => {
        const old = await store.findMunicipality(params.name);
        const value = {
          name: old?.name ?? params.name,
          code: body.code === undefined ? (old?.code ?? null) : body.code,
          endpointId: await endpointId(body.endpoint, old?.endpointId ?? null),
          certificateId: old?.certificateId ?? null,
          active: body.active ?? old?.active ?? true,
        };
        const deed = { what: "municipality save" as const, detail: describeSaved(value.name, body) };
        const result = await auditor.around(caller, deed, () => store.saveMunicipality(value));
        deps.onDue();
        return { result, municipality: mustRemain(await store.findMunicipality(params.name)) };
      },
    }),
    defineSilentRoute({
      method: "DELETE",
      path: "/api/v1/municipalities/{name}",
      tag: "registry",
      summary:
        "remove a municipality that has no camera; with cascade its cameras go too, with all that is stored of them",
      access: "admin",
      params: EntityName,
      query: exactly({ cascade: Type.Optional(Type.Boolean()) }),
      handle: async ({ params: { name }, query, caller, wait }) => {
        const found = mustFind(await store.findMunicipality(name), `municipality ${name}`);
        const cameras = query.cascade
          ? (await store.listCameras()).filter(({ municipalityId }) => municipalityId === found.id)
          : [];
        const detail =
          cameras.length === 0 ? found.name : `${found.name} with ${countOf(cameras.length, "camera")}, unsent`;
        wait(LONG_SECONDS);
        const gone = await auditor.around(caller, { what: "municipality remove" as const, detail }, async () => {
          const erased = cameras.length > 0 ? await (await deps.deeds()).eraseCamerasOf(found.name, cameras) : null;
          await store.removeMunicipality(found.id);
          return erased;
        });
        if (gone !== null && gone.failure !== null) throw gone.failure;
      },
    }),
    defineRoute({
      method: "GET",
      path: "/api/v1/endpoints",
      tag: "registry",
      summary: "the endpoints",
      access: "viewer",
      answer: listOf(Endpoint),
      handle: () => store.listEndpoints(),
    }),
    defineRoute({
      method: "PUT",
      path: "/api/v1/endpoints/{name}",
      tag: "registry",
      summary: "add or change an endpoint; a pause of it ends",
      access: "admin",
      params: EntityName,
      body: EndpointFields,
      answer: SavedEndpoint,
      handle: async ({ params, body, caller }) => {
        const found = await store.findEndpoint(params.name);
        const url = body.url ?? found?.url;
        if (url === undefined) throw invalid("body.url is missing", "Say where the readings go.");
        const parsed = endpointUrl.parse(url);
        if (!("value" in parsed)) throw invalid("body.url is not an address of an endpoint", `Give ${parsed.allowed}.`);
        checkZone(body.timezone);
        const { id: _id, ...old } = found ?? { id: 0, name: params.name, url, ...endpointDefaults(config) };
        const deed = { what: "endpoint save" as const, detail: describeSaved(old.name, body) };
        const result = await auditor.around(caller, deed, () =>
          store.saveEndpoint({ ...old, ...withoutUndefined(body), url }),
        );
        deps.onDue();
        return { result, endpoint: mustRemain(await store.findEndpoint(params.name)) };
      },
    }),
    defineRoute({
      method: "POST",
      path: "/api/v1/endpoints/{name}/try",
      tag: "registry",
      summary: `end the wait of a paused endpoint: one message is tried at once; ${DEFAULT_ENDPOINT} is MOSSOS_ENDPOINT_URL`,
      access: "operator",
      params: EntityName,
      answer: EndpointTried,
      handle: async ({ params, caller }) => {
        const isDefault = params.name === DEFAULT_ENDPOINT && config.mossos.endpointUrl !== null;
        const { id, name } = isDefault
          ? { id: 0, name: DEFAULT_ENDPOINT }
          : mustFind(await store.findEndpoint(params.name), `endpoint ${params.name}`);
        const deed = { what: "endpoint try" as const, detail: name };
        const pauses = await auditor.around(caller, deed, () => store.tryEndpoint(id, deps.clock.now()));
        deps.onDue();
        return { endpoint: name, pauses };
      },
    }),
    defineSilentRoute({
      method: "DELETE",
      path: "/api/v1/endpoints/{name}",
      tag: "registry",
      summary: "remove an endpoint that nothing uses; with force it is taken from all that use it",
      access: "admin",
      params: EntityName,
      query: exactly({ force: Type.Optional(Type.Boolean()) }),
      handle: async ({ params: { name }, query, caller }) => {
        const found = mustFind(await store.findEndpoint(name), `endpoint ${name}`);
        const deed = { what: "endpoint remove" as const, detail: `${found.name} (${found.url})` };
        await auditor.around(caller, deed, () => store.removeEndpoint(found.id, query.force));
        deps.onDue();
      },
    }),
    defineRoute({
      method: "GET",
      path: "/api/v1/cameras",
      tag: "registry",
      summary: "the cameras",
      access: "viewer",
      answer: listOf(Camera),
      handle: () => store.listCameras(),
    }),
    defineRoute({
      method: "GET",
      path: "/api/v1/cameras/{serial}",
      tag: "registry",
      summary: "one camera and what has been counted for it",
      access: "viewer",
      params: CameraSerial,
      answer: CameraDetail,
      handle: async ({ params: { serial } }) => {
        const camera = await findCamera(serial);
        const tallies = (await store.tallies()).filter(({ cameraSerial }) => cameraSerial === serial);
        return { camera, counts: Object.fromEntries(tallies.map(({ tally, count }) => [tally, count])) };
      },
    }),
    defineRoute({
      method: "PUT",
      path: "/api/v1/cameras/{serial}",
      tag: "registry",
      summary: "register or change a camera; readings of it that are held are taken up",
      access: "admin",
      params: CameraSerial,
      body: CameraFields,
      answer: SavedCamera,
      handle: async ({ params: { serial }, body, caller }) => {
        const old = await store.findCamera(serial);
        const municipalityId = await municipalityOf(body.municipality, old?.municipalityId);
        const readerCode = body.readerCode ?? old?.readerCode;
        if (readerCode === undefined)
          throw invalid("body.readerCode is missing", "Give the code that the police gave.");
        checkZone(body.timezone);
        const value: NewCamera = {
          serial,
          readerCode,
          municipalityId,
          endpointId: await endpointId(body.endpoint, old?.endpointId ?? null),
          coordX: body.coordX === undefined ? (old?.coordX ?? null) : body.coordX,
          coordY: body.coordY === undefined ? (old?.coordY ?? null) : body.coordY,
          timezone: body.timezone === undefined ? (old?.timezone ?? null) : body.timezone,
          description: body.description === undefined ? (old?.description ?? null) : body.description,
          active: body.active ?? old?.active ?? true,
        };
        if ((value.coordX === null) !== (value.coordY === null)) {
          throw invalid("one coordinate without the other", `Give coordX and coordY together: ${coordinate.allowed}.`);
        }
        const deed = { what: "camera save" as const, detail: describeSaved(serial, body) };
        const result = await auditor.around(caller, deed, () => store.saveCamera(value));
        deps.onDue();
        return { result, camera: mustRemain(await store.findCamera(serial)) };
      },
    }),
    defineRoute({
      method: "DELETE",
      path: "/api/v1/cameras/{serial}",
      tag: "registry",
      summary:
        "remove a camera; what waits of it is delivered first (readings=keep) or erased (readings=erase), but for what is being sent",
      access: "admin",
      params: CameraSerial,
      query: exactly({ readings: Type.Optional(Type.Enum(["keep", "erase"])) }),
      answer: Removed,
      handle: async ({ params: { serial }, query, caller, wait }) => {
        const camera = await findCamera(serial);
        const keep = query.readings !== "erase";
        const detail = `camera ${serial}, its readings: ${keep ? "delivered first" : "erased unsent"}`;
        const deed = { what: "camera remove" as const, detail };
        if (keep) {
          const retired = await auditor.around(caller, deed, async () => {
            await store.retireCamera(camera.id);
            return store.removeRetired();
          });
          return { removed: retired.includes(serial), readings: 0 };
        }
        wait(LONG_SECONDS);
        const { readings, leaving, failure } = await auditor.around(caller, deed, async () =>
          (await deps.deeds()).eraseCameras([camera]),
        );
        // The camera is gone, whatever becomes of its pictures.
        if (failure !== null) throw failure;
        return { removed: leaving.length === 0, readings };
      },
    }),
  ];

  async function municipalityOf(name: string | undefined, kept: number | undefined): Promise<number> {
    if (name === undefined && kept !== undefined) return kept;
    if (name === undefined) throw invalid("body.municipality is missing", "Name the municipality that signs for it.");
    const municipality = await store.findMunicipality(name);
    if (municipality === null) {
      throw invalid(`body.municipality is ${JSON.stringify(name)}`, "Name a municipality that is registered.");
    }
    return municipality.id;
  }
}

function checkZone(zone: string | null | undefined): void {
  if (zone === undefined || zone === null || isTimeZone(zone)) return;
  throw invalid(`body.timezone is ${JSON.stringify(zone)}`, "Give a zone name such as Europe/Madrid or UTC.");
}

/** What was said, for the audit log. */
function describeSaved(name: string, fields: object): string {
  return `${name}: ${describe({ ...fields })}`;
}

function withoutUndefined<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  // Sound: only the keys whose value is undefined are left out.
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}
