import type { Config } from "./config.ts";
import { daysUntil } from "./format.ts";
import { foldersOfReadings, readSpace } from "./images/disk-space.ts";
import { listServices, type RunningService } from "./run-file.ts";
import type { Balance } from "./store/activity.ts";
import type { QueueSummary } from "./store/messages.ts";
import type { Camera, Certificate, Endpoint, Municipality, Rotation } from "./store/registry.ts";
import { type RouteState, routeKey, type Store, type StoreInfo } from "./store/store.ts";

/** Everything `status` knows, as it stood at `at`. */
export interface StatusReport {
  at: Date;
  store: StoreInfo;
  services: readonly RunningService[];
  queue: QueueSummary;
  /** Where everything is that was ever received. */
  balance: Balance;
  cameras: readonly Camera[];
  municipalities: readonly Municipality[];
  endpoints: readonly EndpointStatus[];
  certificates: readonly CertificateStatus[];
  quarantine: { unregistered: readonly { serial: string; messages: number }[]; malformed: number; more: boolean };
  /** The fuller one of the disks of DATA_DIR and of the pictures, and which of these folders lies on it. */
  disk: { freeBytes: number; totalBytes: number; minFreeBytes: number; folder: string };
  /** The police's clock minus ours, the largest seen; null when no answer was seen yet. */
  clockOffsetMs: number | null;
  senderEnabled: boolean;
}

export interface EndpointStatus {
  id: number;
  name: string;
  url: string;
  pauses: readonly RouteState[];
  lastAcceptedAt: Date | null;
  latencyMs: number | null;
}

export interface CertificateStatus {
  id: number;
  name: string;
  municipality: string;
  validTo: Date | null;
  daysLeft: number | null;
  /** The certificate that is to follow it, or that was refused; null: none. */
  next: { state: Rotation["state"]; validFrom: Date | null; detail: string | null } | null;
}

/** What MOSSOS_ENDPOINT_URL is called among the endpoints; its id is 0. */
export const DEFAULT_ENDPOINT = "(default)";

/** Held messages looked at; what lies beyond is only said to be more. */
const QUARANTINE_LOOK = 10_000;

/** Reads store, run files and disk. @throws AppError `unavailable` when the store or the disk cannot be read */
export async function gatherStatus(store: Store, config: Config, now: Date): Promise<StatusReport> {
  const [queue, balance, cameras, municipalities, endpoints, certificates, rotations, states, held, services, disk] =
    await Promise.all([
      store.summarize(),
      store.balance(),
      store.listCameras(),
      store.listMunicipalities(),
      store.listEndpoints(),
      store.listCertificates(),
      store.listRotations(),
      store.listRouteStates(),
      store.listQuarantine({}, QUARANTINE_LOOK),
      listServices(config.dataDir, now).then((all) => all.filter(({ task }) => task !== "quarantine-retry")),
      readSpace(foldersOfReadings(config)),
    ]);
  const unregistered = new Map<string, number>();
  for (const { kind, cameraSerial } of held) {
    const serial = cameraSerial ?? "(unknown)";
    if (kind === "unregistered") unregistered.set(serial, (unregistered.get(serial) ?? 0) + 1);
  }
  const used = routesInUse(states, cameras, municipalities);
  const offsets = used.map((s) => s.clockOffsetMs).filter((ms) => ms !== null);
  return {
    at: now,
    store: store.info(),
    services,
    queue,
    balance,
    cameras,
    municipalities,
    endpoints: endpointStatuses(endpoints, states, used, config),
    certificates: certificateStatuses(certificates, municipalities, rotations, now),
    quarantine: {
      unregistered: [...unregistered].map(([serial, messages]) => ({ serial, messages })),
      malformed: held.filter((q) => q.kind === "malformed").length,
      more: held.length === QUARANTINE_LOOK,
    },
    disk: { ...disk, minFreeBytes: config.diskMinFreeBytes },
    clockOffsetMs: offsets.reduce<number | null>((a, b) => (a === null || Math.abs(b) > Math.abs(a) ? b : a), null),
    senderEnabled: config.sender.enabled,
  };
}

/**
 * What is known of routes that something may be sent on now. A pause of another one, such as that of a certificate that was
 * replaced because of it, is never probed and never ends: it is history.
 */
export function routesInUse(
  states: readonly RouteState[],
  cameras: readonly Pick<Camera, "municipalityId" | "endpointId">[],
  municipalities: readonly Pick<Municipality, "id" | "endpointId" | "certificateId">[],
): readonly RouteState[] {
  const used = new Set<string>();
  const use = (endpointId: number | null, certificateId: number | null): void => {
    for (const id of [0, certificateId ?? 0]) used.add(routeKey({ endpointId: endpointId ?? 0, certificateId: id }));
  };
  const towns = new Map(municipalities.map((one) => [one.id, one]));
  for (const { endpointId, certificateId } of municipalities) use(endpointId, certificateId);
  for (const { municipalityId, endpointId } of cameras) {
    const town = towns.get(municipalityId);
    use(endpointId ?? town?.endpointId ?? null, town?.certificateId ?? null);
  }
  return states.filter((state) => used.has(routeKey(state)));
}

function endpointStatuses(
  endpoints: readonly Endpoint[],
  states: readonly RouteState[],
  used: readonly RouteState[],
  config: Config,
): readonly EndpointStatus[] {
  const known = endpoints.map(({ id, name, url }) => ({ id, name, url }));
  // Id 0 is the configured default; it is one more endpoint when it is set.
  if (config.mossos.endpointUrl !== null) known.push({ id: 0, name: DEFAULT_ENDPOINT, url: config.mossos.endpointUrl });
  return known.map((endpoint) => {
    const own = states.filter((s) => s.endpointId === endpoint.id);
    const latest = own.toSorted((a, b) => (b.lastAcceptedAt?.getTime() ?? 0) - (a.lastAcceptedAt?.getTime() ?? 0))[0];
    return {
      ...endpoint,
      pauses: used.filter((s) => s.endpointId === endpoint.id && s.pausedUntil !== null),
      lastAcceptedAt: latest?.lastAcceptedAt ?? null,
      latencyMs: latest?.latencyMs ?? null,
    };
  });
}

/** Only those that sign: a replaced certificate may run out in peace. */
function certificateStatuses(
  certificates: readonly Certificate[],
  municipalities: readonly Municipality[],
  rotations: readonly Rotation[],
  now: Date,
): readonly CertificateStatus[] {
  return municipalities.flatMap((municipality) => {
    const certificate = certificates.find((c) => c.id === municipality.certificateId);
    if (certificate === undefined) return [];
    const { id, name, validTo } = certificate;
    const daysLeft = validTo === null ? null : daysUntil(validTo, now);
    const rotation = rotations.find(({ municipalityId }) => municipalityId === municipality.id);
    const following = certificates.find((c) => c.id === rotation?.nextId);
    const next =
      rotation === undefined
        ? null
        : { state: rotation.state, validFrom: following?.validFrom ?? null, detail: rotation.detail };
    return [{ id, name, municipality: municipality.name, validTo, daysLeft, next }];
  });
}
