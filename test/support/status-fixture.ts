import type { RunningService } from "../../src/run-file.ts";
import type { StatusReport } from "../../src/status-report.ts";
import type { Camera } from "../../src/store/registry.ts";
import type { RouteState } from "../../src/store/store.ts";

export const AT = new Date("2026-03-01T10:00:00Z");
export const ago = (ms: number): Date => new Date(AT.getTime() - ms);
export const HOUR = 3_600_000;

export function service(task: string, state: RunningService["state"] = "running"): RunningService {
  return { task, state, pid: 1, startedAt: ago(HOUR), renewedAt: ago(5000), version: "1" };
}

export function camera(serial: string, lastReadingAt: Date | null): Camera {
  return {
    id: Number(serial),
    serial,
    readerCode: serial,
    description: null,
    municipalityId: 1,
    endpointId: null,
    coordX: null,
    coordY: null,
    timezone: null,
    active: true,
    lastReadingAt,
    lastSentAt: null,
  };
}

export function route(certificateId: number, pauseKind: RouteState["pauseKind"]): RouteState {
  return {
    endpointId: 1,
    certificateId,
    pausedUntil: pauseKind === null ? null : AT,
    pauseKind,
    detail: "as told",
    pauses: 1,
    lastAcceptedAt: null,
    clockOffsetMs: null,
    latencyMs: null,
    mendedAt: null,
    triedAt: null,
  };
}

/** Nothing needs anybody. */
export const fine: StatusReport = {
  at: AT,
  store: { kind: "sqlite", version: "3", schemaVersion: 1, location: "/x" },
  services: ["api", "ingest", "sender"].map((task) => service(task)),
  queue: {
    byStatus: { PENDING: 3, SENDING: 1, SUCCESS: 0, FAILED: 0, DEAD: 0 },
    oldestAt: { PENDING: ago(1000), SENDING: ago(500), SUCCESS: null, FAILED: null, DEAD: null },
    deadByReason: [],
    readings: 4,
  },
  balance: { received: 9, delivered: 9, expired: 0, discarded: 0, waiting: 0, dead: 0, difference: 0 },
  cameras: [camera("1", ago(60_000))],
  municipalities: [{ id: 1, name: "Òdena", code: null, endpointId: 1, certificateId: 7, active: true }],
  endpoints: [{ id: 1, name: "lectio", url: "https://x/", pauses: [], lastAcceptedAt: ago(1000), latencyMs: 80 }],
  certificates: [{ id: 7, name: "Òdena", municipality: "Òdena", validTo: null, daysLeft: 200, next: null }],
  quarantine: { unregistered: [], malformed: 0, more: false },
  disk: { freeBytes: 50e9, totalBytes: 100e9, minFreeBytes: 1e9, folder: "/srv/pictures" },
  clockOffsetMs: 800,
  senderEnabled: true,
};

/** What can be wrong, one at a time: what differs from `fine`, and what is said of it. */
export const troubles: readonly (readonly [
  name: string,
  change: Partial<StatusReport>,
  level: string,
  text: string,
  mend: string,
])[] = [
  ["no ingest", { services: [service("sender"), service("api")] }, "down", "ingest is not running", "systemctl start"],
  ["no sender", { services: [service("ingest"), service("api")] }, "down", "sender is not running", "systemctl start"],
  ["a dead sender", { services: [service("ingest"), service("sender", "dead")] }, "down", "sender died", "restart"],
  ["a dead API", { services: [...fine.services.slice(1), service("api", "dead")] }, "attention", "api died", "restart"],
  [
    "a stalled ingest",
    { services: [service("ingest", "stalled"), service("sender")] },
    "attention",
    "ingest does not",
    "journalctl",
  ],
  [
    "a sender that is switched off",
    { senderEnabled: false, services: [service("ingest")] },
    "attention",
    "switched off",
    "SENDER_ENABLED",
  ],
  ["a full disk", { disk: { ...fine.disk, freeBytes: 0.9e9 } }, "down", "the disk is full", "DISK_MIN_FREE_BYTES"],
  [
    "a nearly full disk",
    { disk: { ...fine.disk, freeBytes: 1.9e9 } },
    "attention",
    "nearly full",
    "on the disk of /srv/pictures",
  ],
  ["a clock that is behind", { clockOffsetMs: 31_000 }, "attention", "31 s behind", "timedatectl"],
  ["a clock that is ahead", { clockOffsetMs: -120_000 }, "attention", "2 min ahead of", "timedatectl"],
  [
    "an endpoint away",
    { endpoints: [{ ...(fine.endpoints[0] as never as object), pauses: [route(0, "unreachable")] } as never] },
    "attention",
    "endpoint lectio is paused, unreachable: as told",
    "by itself",
  ],
  [
    "a wrong address",
    { endpoints: [{ ...(fine.endpoints[0] as never as object), pauses: [route(0, "misconfigured")] } as never] },
    "attention",
    "misconfigured",
    "tattile endpoint set lectio",
  ],
  [
    "a refused certificate",
    { endpoints: [{ ...(fine.endpoints[0] as never as object), pauses: [route(7, "misconfigured")] } as never] },
    "attention",
    "with certificate 7",
    "tattile cert import",
  ],
  [
    "a certificate that ends soon",
    { certificates: [{ id: 7, name: "x", municipality: "Òdena", validTo: AT, daysLeft: 29, next: null }] },
    "attention",
    "runs out in 29 days",
    'cert import FILE.pfx --municipality "Òdena"',
  ],
  [
    "a certificate that has ended",
    { certificates: [{ id: 7, name: "x", municipality: "Òdena", validTo: AT, daysLeft: -1, next: null }] },
    "attention",
    "has run out",
    "cert import",
  ],
  [
    "a next certificate that was refused",
    {
      certificates: [
        {
          ...{ id: 7, name: "x", municipality: "Òdena", validTo: AT, daysLeft: 200 },
          next: { state: "failed", validFrom: AT, detail: "FailedAuthentication" },
        },
      ],
    },
    "attention",
    "next certificate of Òdena was refused, the earlier one signs again: FailedAuthentication",
    'cert rotate FILE.pfx --municipality "Òdena"',
  ],
  [
    "no certificate",
    {
      municipalities: [{ id: 1, name: "Òdena", code: null, endpointId: 1, certificateId: null, active: true }],
      certificates: [],
    },
    "attention",
    "Òdena has cameras but no certificate",
    "cert import",
  ],
  [
    "readings given up",
    { queue: { ...fine.queue, deadByReason: [{ reason: "codiRetorn=7", count: 2 }] } },
    "attention",
    "2 readings given up: codiRetorn=7",
    "--reason codiRetorn=7",
  ],
  [
    "no endpoint",
    { queue: { ...fine.queue, deadByReason: [{ reason: "ENDPOINT_URL_NO_CONFIGURADA", count: 1 }] } },
    "attention",
    "1 reading given up",
    "municipality set NAME --endpoint",
  ],
  [
    "an old queue",
    { queue: { ...fine.queue, oldestAt: { ...fine.queue.oldestAt, PENDING: ago(HOUR) } } },
    "attention",
    "came 60 min ago",
    "queue list",
  ],
  [
    "an old failure beside new readings",
    { queue: { ...fine.queue, oldestAt: { ...fine.queue.oldestAt, FAILED: ago(HOUR) } } },
    "attention",
    "came 60 min ago",
    "queue list",
  ],
  [
    "a silent camera",
    { cameras: [camera("1", ago(25 * HOUR))] },
    "attention",
    "no reading for a day from camera 1",
    "check the camera",
  ],
  [
    "a camera never heard of",
    { cameras: [camera("1", null)] },
    "attention",
    "never a reading from camera 1",
    "TRANSIT_PORT",
  ],
  [
    "a reading lost",
    { balance: { received: 9, delivered: 6, expired: 0, discarded: 0, waiting: 0, dead: 0, difference: 3 } },
    "down",
    "balance: 3 readings too few",
    "report it",
  ],
  ["no camera", { cameras: [] }, "attention", "no camera is registered", "camera add"],
  [
    "an unregistered camera",
    { quarantine: { unregistered: [{ serial: "9", messages: 4 }], malformed: 0, more: false } },
    "attention",
    "unregistered camera 9",
    "tattile camera add 9",
  ],
  [
    "malformed messages",
    { quarantine: { unregistered: [], malformed: 3, more: false } },
    "attention",
    "3 messages could not be understood",
    "quarantine list",
  ],
];
