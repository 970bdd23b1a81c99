import { createHash, randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseAgain, retryQuarantined, startAdoption } from "./adoption.ts";
import { createApi } from "./api.ts";
import { type Cleanup, createCleanup } from "./cleanup.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { Config } from "./config.ts";
import { errorText, isStoreAway } from "./errors.ts";
import { type Beat, createHeartbeats, type Heartbeats } from "./heartbeat.ts";
import { createIdentityStore } from "./identity-store.ts";
import type { ImageStore } from "./images/image-store.ts";
import { createIngest, type Ingest } from "./ingest.ts";
import { createIntake, type Intake } from "./intake.ts";
import type { Log } from "./log.ts";
import { createMetrics } from "./metrics.ts";
import { freeDeadOwners, ownName } from "./process-name.ts";
import { startRotations } from "./rotation-loop.ts";
import { keepRunFiles, type RunFiles } from "./run-file.ts";
import { openSecret } from "./secret-file.ts";
import { createSender, type Sender } from "./sender.ts";
import { createSoapClient } from "./soap/client.ts";
import { createContractSource } from "./soap/wsdl-source.ts";
import { openSocketCalls } from "./socket-calls.ts";
import { openStores } from "./store/spool-open.ts";
import type { Store } from "./store/store.ts";
import { version } from "./version.ts";

export const TASKS = ["ingest", "sender", "api"] as const;
export type Task = (typeof TASKS)[number];

/** Within ten seconds of SIGTERM everything is over: first the cameras, then the police. */
const INGEST_GRACE_MS = 2000;
const SENDER_GRACE_MS = 5000;
/** A loop that did not turn for longer hangs; a large sweep or a store that waits for another process is no hanging. */
const LOOP_SILENCE_MS = 120_000;
const CLEANUP_SILENCE_MS = 30 * 60_000;

export interface Service {
  /** Null when this process does not listen for cameras; the same for HTTP. */
  transitPort: number | null;
  apiPort: number | null;
  lectorVisionPort: number | null;
  /** The loops of this process, and whether they turn. */
  beats(): readonly Beat[];
  /** Stops in the reverse order of the start. */
  stop(): Promise<void>;
}

/** Opens, wires and starts what the tasks need, in order; the only place that knows every part. */
export async function startService(
  tasks: readonly Task[],
  config: Config,
  log: Log,
  clock: Clock = systemClock,
): Promise<Service> {
  mkdirSync(config.dataDir, { recursive: true, mode: 0o750 });
  const stops: (() => Promise<void> | void)[] = [];
  const stop = async (): Promise<void> => {
    for (const step of stops.splice(0).reverse()) {
      try {
        await step();
      } catch (error) {
        log.error("stopping did not go as it should", { error: errorText(error) });
      }
    }
  };
  try {
    const heartbeats = createHeartbeats(clock.monotonicMs);
    const ports = await start(tasks, config, log, clock, stops, heartbeats);
    return { ...ports, beats: heartbeats.list, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  tasks: readonly Task[],
  config: Config,
  log: Log,
  clock: Clock,
  stops: (() => Promise<void> | void)[],
  heartbeats: Heartbeats,
) {
  // Before the look at the others and before the first picture: of two that start together at least one sees the other.
  const runFiles = await keepRunFiles(tasks, config.dataDir, version, clock, log);
  stops.push(runFiles.remove);
  const seenSince = clock.now();
  // Others may write into the same bucket from other machines, or with PostgreSQL into the same folder: they are not seen here.
  const mayBeAlone = tasks.includes("ingest") && config.imagesUrl === null && config.database === null;
  const orphansBefore = mayBeAlone ? await aloneSince(runFiles, clock) : null;
  let ingest: Ingest | null = null;
  let sender: Sender | null = null;
  const stores = await openStores({
    config,
    clock,
    log,
    onMoved: () => sender?.nudge(),
    watchLoop: (loop) => heartbeats.watch(loop, LOOP_SILENCE_MS),
  });
  stops.push(() => stores.close());
  const { store, images, quarantine, spool } = stores;
  stops.push(() => store.scrub().catch(ignoreAway));
  const identities = createIdentityStore();
  const metrics = createMetrics();
  let transitPort: number | null = null;
  let apiPort: number | null = null;
  let lectorVisionPort: number | null = null;

  // Where the store may be away at the start, deliveries begin once it is there; cameras are served meanwhile.
  const later: typeof stops = [];
  stops.push(async () => {
    for (const step of later.splice(0).reverse()) await step();
  });
  await stores.whenOpen(async () => {
    const freed = await freeDeadOwners(store, clock.now());
    if (freed > 0) log.warn("messages of a process that died are free again", { messages: freed });
    if (!tasks.includes("sender") || !config.sender.enabled) return;
    sender = await startSender({ store, images, identities, config, log, clock, stops: later, heartbeats });
    const { nudge } = sender;
    later.push(store.watchQueue(nudge));
  });
  if (tasks.includes("sender") && !config.sender.enabled) log.warn("nothing is delivered: SENDER_ENABLED is false");

  let cleanup: Cleanup | null = null;
  if (tasks.includes("ingest") || tasks.includes("sender")) {
    const upkeep = createCleanup({
      store,
      // Space is looked at where readings go, also while they go to the spool.
      images: { ...images, space: stores.intake.images.space },
      quarantine,
      config,
      orphansBefore,
      usableCertificates: async () => identities.usable(await store.listCertificates()),
      onDisk: (reason) => ingest?.hold(reason),
      onRevived: () => sender?.nudge(),
      watchLoop: (loop) => heartbeats.watch(loop, CLEANUP_SILENCE_MS),
      clock,
      log,
    });
    upkeep.start();
    stops.push(() => upkeep.stop());
    cleanup = upkeep;
  }

  let intake: Intake | null = null;
  if (tasks.includes("ingest") || tasks.includes("api")) {
    // Whoever was alone before our run files were there takes what is older for a dead process's; nothing of ours may look as old.
    const waitMs = seenSince.getTime() + FILE_TIME_LAG_MS - clock.now().getTime();
    if (waitMs > 0) await clock.sleep(Math.min(waitMs, FILE_TIME_LAG_MS));
    const dedupeSecret = await openSecret(join(config.dataDir, "dedupe.key"));
    await stores.whenOpen(() => noteDedupeKey(store, dedupeSecret, config.dataDir, log));
    const taking = createIntake({
      ...stores.intake,
      cameraTimezone: config.cameraTimezone,
      dedupeSecret,
      clock,
      log,
      randomId: randomUUID,
      onQueued: () => sender?.nudge(),
      onCommit: (ms) => metrics.observeCommit(ms === null ? null : ms / 1000),
    });
    intake = taking;
    stops.push(() => taking.drain());
    stops.push(
      startAdoption({
        store,
        quarantine,
        intake: taking,
        tagAliases: config.transit.tagAliases,
        onTurn: heartbeats.watch("adoption", LOOP_SILENCE_MS),
        log,
        clock,
      }),
    );
  }

  if (tasks.includes("ingest") && intake !== null) {
    const listener = createIngest({ transit: config.transit, intake, socketCalls: openSocketCalls(), clock, log });
    // The disk may have been looked at already, when there was nobody to be told.
    ingest = listener;
    listener.hold(cleanup?.diskReason() ?? null);
    transitPort = await listener.listen();
    stops.push(() => listener.close(INGEST_GRACE_MS));
    log.info("listening for cameras", { host: config.transit.host, port: transitPort });
  }

  if (tasks.includes("api") && intake !== null) {
    const { tagAliases } = config.transit;
    const held = { intake, quarantine, store, tagAliases };
    const listening = createApi({
      config,
      store,
      images,
      quarantine,
      held: {
        retry: (one) => retryQuarantined(one, held),
        understand: (one, bytes) =>
          parseAgain(one, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), tagAliases),
      },
      metrics,
      beats: heartbeats.list,
      ingestStats: () => ingest?.stats() ?? null,
      take: (message) => held.intake.accept(message),
      deeds: async () => (await import("./deeds/deeds.ts")).createDeeds({ store, images, quarantine, config, clock }),
      onDue: () => sender?.lookAgain(),
      spoolStatus: () => spool?.status() ?? null,
      clock,
      log,
    });
    stops.push(() => listening.close());
    const ports = await listening.listen();
    apiPort = ports.api;
    lectorVisionPort = ports.lectorVision;
    log.info("listening for HTTP", { host: config.api.host, port: apiPort });
    if (lectorVisionPort !== null) {
      log.info("listening for Lector Vision", { host: config.lectorVision.host, port: lectorVisionPort });
    }
  }

  return { transitPort, apiPort, lectorVisionPort };
}

/** Tasks that write pictures: while one of them lives elsewhere, a file without a row may be on its way to one. */
const WRITERS = ["ingest", "api", "quarantine-retry"];
/** The kernel's file times lag behind the clock by a tick: so long after the start this process writes no picture itself. */
const FILE_TIME_LAG_MS = 50;

/** This moment, when no other process that writes pictures lives; else null. */
async function aloneSince(runFiles: RunFiles, clock: Clock): Promise<Date | null> {
  const now = clock.now();
  const others = await runFiles.others();
  return others.some(({ task, state }) => WRITERS.includes(task) && state !== "dead") ? null : now;
}

/** Gateways that hash under keys of their own do not recognise each other's replays; nor does one that lost its key. */
async function noteDedupeKey(store: Store, secret: Uint8Array, dataDir: string, log: Log): Promise<void> {
  const fingerprint = createHash("sha256").update("fingerprint").update(secret).digest("hex").slice(0, 32);
  if (await store.noteDedupeKey(fingerprint)) return;
  log.warn(
    "dedupe.key is not the one that was used last: replays from before, or by way of another gateway, come twice",
    {
      file: join(dataDir, "dedupe.key"),
      mend: "give every gateway the same file, from the first one's DATA_DIR or a backup",
    },
  );
}

async function startSender(parts: {
  store: Store;
  images: ImageStore;
  identities: ReturnType<typeof createIdentityStore>;
  config: Config;
  log: Log;
  clock: Clock;
  stops: (() => Promise<void> | void)[];
  heartbeats: Heartbeats;
}): Promise<Sender> {
  const { store, images, identities, config, log, clock, stops, heartbeats } = parts;
  const client = createSoapClient({ monotonicMs: clock.monotonicMs, connections: config.sender.concurrency });
  stops.push(() => client.close());
  const contracts = createContractSource({ cacheDir: join(config.dataDir, "wsdl"), now: clock.now, log });
  stops.push(() => contracts.close());
  const sender = createSender({
    store,
    images,
    identities,
    contracts,
    client,
    sender: config.sender,
    mossos: config.mossos,
    owner: ownName(randomUUID().slice(0, 8)),
    clock,
    log,
    random: Math.random,
    randomId: randomUUID,
    soapDebug: config.soapDebug,
    onTurn: heartbeats.watch("sender", config.sender.pollIntervalMs + LOOP_SILENCE_MS),
  });
  await sender.start();
  stops.push(() => sender.stop(SENDER_GRACE_MS));
  stops.push(
    startRotations({
      store,
      identities,
      certsDir: config.certsDir,
      clock,
      log,
      onTurn: heartbeats.watch("rotation", LOOP_SILENCE_MS),
      onSwitched: () => sender.nudge(),
    }),
  );
  return sender;
}

function ignoreAway(error: unknown): void {
  if (!isStoreAway(error)) throw error;
}
