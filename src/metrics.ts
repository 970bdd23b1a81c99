import { Counter, Gauge, Histogram, type Metric, Registry } from "prom-client";
import { lastingHistogram } from "./metrics-histogram.ts";
import type { StatusReport } from "./status-report.ts";
import { ANSWER_SECONDS, type Balance, DELIVERY_SECONDS, type DeliveryCount } from "./store/activity.ts";
import type { QueueCount } from "./store/holdings.ts";
import type { Tally } from "./store/store.ts";
import type { SpoolStatus } from "./store/transfer.ts";
import { commit, version } from "./version.ts";

/** What is known of this process alone, whether the store answers or not. */
export interface ProcessSnapshot {
  /** Of this process's listener, where it has one. */
  ingest: {
    connections: number;
    accepted: number;
    refused: number;
    cut: number;
    heldBytes: number;
    paused: boolean;
  } | null;
  /** Null where readings never go to a spool. */
  spool: SpoolStatus | null;
  residentBytes: number;
}

/** What the store says, read at one time. */
export interface StoreSnapshot {
  report: StatusReport;
  balance: Balance;
  tallies: readonly { cameraSerial: string; tally: Tally; count: number }[];
  deliveryCounts: readonly DeliveryCount[];
  /** Counted now and then only. */
  queueCounts: readonly QueueCount[];
}

export interface Metrics {
  /** Of this process: how long a group took to become durable; null: it did not. */
  observeCommit(seconds: number | null): void;
  /** Prometheus text format 0.0.4. No plate is in it, nor a serial that nobody registered. Without `store` only what this process knows. */
  build(process: ProcessSnapshot, store: StoreSnapshot | null): Promise<string>;
}

export const METRICS_CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;
const COMMIT_SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
/** Serials come from the network: whoever invents them must not make series, nor write into them. */
const UNREGISTERED = "(unregistered)";
const DEFAULT_ENDPOINT = "(default)";
const REMOVED_ENDPOINT = "(removed)";
const RECEIVED: readonly Tally[] = ["queued", "duplicate", "not-read", "inactive", "unregistered", "malformed"];
const ERASED: readonly Tally[] = ["delivered", "expired", "discarded"];
const STATES = ["PENDING", "SENDING", "FAILED", "DEAD"] as const;

export function createMetrics(): Metrics {
  const own = new Registry();
  const commits = new Histogram({
    name: "tattile_commit_seconds",
    help: "Time in which a group of readings became durable, in this process.",
    buckets: COMMIT_SECONDS,
    registers: [own],
  });
  const failures = new Counter({
    name: "tattile_commit_failures_total",
    help: "Groups of readings that could not be stored, in this process; their senders keep them.",
    registers: [own],
  });
  return {
    observeCommit: (seconds) => {
      if (seconds === null) failures.inc();
      else commits.observe(seconds);
    },
    build: async (process, store) => {
      const registry = new Registry();
      const add = createAdders(registry);
      addProcess(add, process, store !== null);
      if (store !== null) addStore(add, registry, store);
      return Registry.merge([registry, own]).metrics();
    },
  };
}

type Labels = Record<string, string>;
type Row = readonly [labels: Labels, value: number];

interface Adders {
  gauge(name: string, help: string, rows: readonly Row[]): void;
  counter(name: string, help: string, rows: readonly Row[]): void;
}

function createAdders(registry: Registry): Adders {
  const common = (name: string, help: string, rows: readonly Row[]) => ({
    name: `tattile_${name}`,
    help,
    labelNames: Object.keys(rows[0]?.[0] ?? {}),
    registers: [registry],
  });
  // Without a row the library would write a zero without labels: a series that nobody meant.
  return {
    gauge: (name, help, rows) => {
      if (rows.length === 0) return;
      const gauge = new Gauge(common(name, help, rows));
      for (const [labels, value] of rows) gauge.set(labels, value);
    },
    counter: (name, help, rows) => {
      if (rows.length === 0) return;
      const counter = new Counter(common(name, help, rows));
      for (const [labels, value] of rows) counter.inc(labels, value);
    },
  };
}

function addProcess(
  { gauge, counter }: Adders,
  { ingest, spool, residentBytes }: ProcessSnapshot,
  storeUp: boolean,
): void {
  gauge("build_info", "What runs here.", [[{ version, commit, bun: Bun.version }, 1]]);
  gauge("resident_memory_bytes", "Memory of this process.", [[{}, residentBytes]]);
  gauge("store_up", "1: the store answers.", [[{}, storeUp ? 1 : 0]]);
  if (spool !== null) {
    gauge("spool_messages", "Readings in the spool of this machine, on their way to the store.", [[{}, spool.waiting]]);
    gauge("spooling", "1: the store is away, and readings go to the spool.", [[{}, spool.since === null ? 0 : 1]]);
  }
  if (ingest === null) return;
  gauge("camera_connections", "Open connections of cameras, in this process.", [[{}, ingest.connections]]);
  gauge("unfinished_message_bytes", "Memory of unfinished messages, in this process.", [[{}, ingest.heldBytes]]);
  counter("camera_connections_accepted_total", "Connections of cameras, in this process.", [[{}, ingest.accepted]]);
  counter("camera_connections_refused_total", "Connections refused: not allowed, or too many.", [[{}, ingest.refused]]);
  counter("camera_connections_cut_total", "Connections cut: a message stalled or made no sense.", [[{}, ingest.cut]]);
}

function addStore({ gauge, counter }: Adders, registry: Registry, snapshot: StoreSnapshot): void {
  const { report, balance, tallies, deliveryCounts, queueCounts } = snapshot;
  const { queue, cameras, municipalities, endpoints, certificates, quarantine, disk, services } = report;
  const seconds = (at: Date): number => at.getTime() / 1000;
  const municipalityOf = (id: number): string => municipalities.find((m) => m.id === id)?.name ?? "";
  const endpointOf = (id: number): string =>
    id === 0 ? DEFAULT_ENDPOINT : (endpoints.find((e) => e.id === id)?.name ?? REMOVED_ENDPOINT);
  const registered = new Set(cameras.map(({ serial }) => serial));
  const byCamera = (kinds: readonly Tally[], label: string): Row[] => {
    const sums = new Map<string, Row>();
    const add = (camera: string, tally: Tally, count: number): void => {
      const key = `${tally}/${camera}`;
      sums.set(key, [{ camera, [label]: tally.replace("-", "_") }, (sums.get(key)?.[1] ?? 0) + count]);
    };
    // From zero on: what appears with its first count has not increased, for Prometheus.
    for (const camera of registered) for (const tally of kinds) add(camera, tally, 0);
    for (const { cameraSerial, tally, count } of tallies) {
      if (kinds.includes(tally)) add(registered.has(cameraSerial) ? cameraSerial : UNREGISTERED, tally, count);
    }
    return [...sums.values()];
  };

  gauge(
    "service_up",
    "1: the task runs and says so; 0: it died, or does not answer.",
    services.map(({ task, state }) => [{ task }, state === "running" ? 1 : 0]),
  );

  counter("received_total", "Messages received, by camera and by what became of them.", byCamera(RECEIVED, "result"));
  counter(
    "erased_total",
    "Readings erased, by camera: delivered, expired (DEAD for too long), discarded by an operator.",
    byCamera(ERASED, "cause"),
  );
  counter(
    "dead_total",
    "Readings given up, by camera; one that is sent again may be counted again.",
    byCamera(["dead"], "state").map(([{ camera = "" }, count]) => [{ camera }, count]),
  );
  gauge(
    "messages",
    "Messages in the queue by state.",
    STATES.map((state) => [{ state }, queue.byStatus[state]]),
  );
  gauge(
    "dead_messages",
    "Messages given up, by reason.",
    queue.deadByReason.map(({ reason, count }) => [{ reason }, count]),
  );
  gauge(
    "oldest_message_age_seconds",
    "Time since the oldest message of each state was received; 0 without one.",
    STATES.map((state) => {
      const at = queue.oldestAt[state];
      return [{ state }, at === null ? 0 : Math.max(0, seconds(report.at) - seconds(at))];
    }),
  );
  gauge(
    "endpoint_messages",
    "Messages in the queue by endpoint and state; counted once a minute at most.",
    byEndpoint(snapshot, endpointOf, queueCounts),
  );
  gauge("quarantine_messages", "Messages held, by why.", [
    [{ kind: "unregistered" }, quarantine.unregistered.reduce((sum, { messages }) => sum + messages, 0)],
    [{ kind: "malformed" }, quarantine.malformed],
  ]);
  gauge(
    "balance",
    "Where every reading is that was ever received.",
    (["received", "delivered", "expired", "discarded", "waiting", "dead"] as const).map((part) => [
      { part },
      balance[part],
    ]),
  );
  gauge(
    "balance_difference",
    "Received less delivered, expired, discarded, waiting and dead. Anything but 0 is a reading lost or counted twice.",
    [[{}, balance.difference]],
  );

  counter(
    "attempts_total",
    "Attempts of delivery by endpoint and outcome.",
    deliveryCounts
      .filter(({ kind }) => kind === "attempt")
      .map(({ endpointId, label, count }) => [{ endpoint: endpointOf(endpointId), outcome: label }, count]),
  );
  const histogram = (name: string, help: string, kind: "answer" | "delivery", bounds: readonly number[]): void => {
    registry.registerMetric(
      lastingHistogram({
        name: `tattile_${name}`,
        help,
        kind,
        bounds,
        counts: deliveryCounts,
        endpointOf,
      }) as unknown as Metric,
    );
  };
  histogram("answer_seconds", "Time from the POST to the police's answer, by endpoint.", "answer", ANSWER_SECONDS);
  histogram(
    "delivery_seconds",
    "Time from the receipt of a reading to its delivery, by endpoint.",
    "delivery",
    DELIVERY_SECONDS,
  );
  gauge(
    "endpoint_paused",
    "1: the endpoint is not being used but for a probe now and then.",
    endpoints.map(({ name, pauses }) => [{ endpoint: name }, pauses.some((p) => p.certificateId === 0) ? 1 : 0]),
  );
  gauge(
    "certificate_paused",
    "1: this certificate is not used at this endpoint.",
    endpoints.flatMap(({ name, pauses }) =>
      pauses
        .filter((p) => p.certificateId !== 0)
        .map((p): Row => [{ endpoint: name, certificate: `${p.certificateId}` }, 1]),
    ),
  );
  gauge(
    "endpoint_last_accepted_timestamp_seconds",
    "When the endpoint last took a reading.",
    endpoints.flatMap(({ name, lastAcceptedAt }) =>
      lastAcceptedAt === null ? [] : [[{ endpoint: name }, seconds(lastAcceptedAt)] as const],
    ),
  );

  gauge(
    "certificate_expiry_timestamp_seconds",
    "When the certificate that signs for a municipality runs out.",
    certificates.flatMap(({ municipality, validTo }) =>
      validTo === null ? [] : [[{ municipality }, seconds(validTo)] as const],
    ),
  );
  for (const [name, key, help] of [
    ["camera_last_reading_timestamp_seconds", "lastReadingAt", "When the camera last sent a reading."],
    ["camera_last_sent_timestamp_seconds", "lastSentAt", "When a reading of the camera was last delivered."],
  ] as const) {
    gauge(
      name,
      help,
      cameras.flatMap((c) => {
        const at = c[key];
        return at === null
          ? []
          : [[{ camera: c.serial, municipality: municipalityOf(c.municipalityId) }, seconds(at)] as const];
      }),
    );
  }
  gauge(
    "camera_active",
    "1: the camera is switched on.",
    cameras.map((c) => [{ camera: c.serial, municipality: municipalityOf(c.municipalityId) }, c.active ? 1 : 0]),
  );
  gauge(
    "police_clock_offset_seconds",
    "The police's clock less ours.",
    report.clockOffsetMs === null ? [] : [[{}, report.clockOffsetMs / 1000]],
  );
  gauge("disk_free_bytes", "Free space of the fuller one of the disks of DATA_DIR and of the pictures.", [
    [{}, disk.freeBytes],
  ]);
  gauge("disk_size_bytes", "Size of that disk.", [[{}, disk.totalBytes]]);
  gauge("disk_min_free_bytes", "Below this no reading is taken in.", [[{}, disk.minFreeBytes]]);
}

function byEndpoint(
  { report: { cameras, municipalities } }: StoreSnapshot,
  endpointOf: (id: number) => string,
  counts: readonly QueueCount[],
): Row[] {
  const sums = new Map<string, Row>();
  for (const { cameraId, status, count } of counts) {
    const camera = cameras.find(({ id }) => id === cameraId);
    const town = municipalities.find(({ id }) => id === camera?.municipalityId);
    const endpoint = endpointOf(camera?.endpointId ?? town?.endpointId ?? 0);
    const key = `${status}/${endpoint}`;
    sums.set(key, [{ endpoint, state: status }, (sums.get(key)?.[1] ?? 0) + count]);
  }
  return [...sums.values()];
}
