import type { Clock } from "./clock.ts";
import type { Config } from "./config.ts";
import { errorText, isStoreAway } from "./errors.ts";
import type { ImageStore } from "./images/image-store.ts";
import type { Log } from "./log.ts";
import type { Store } from "./store/store.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** A file without a row is an orphan only when no commit can still be on its way to it. */
export const ORPHAN_AGE_MS = 10 * MINUTE_MS;
const SWEEP_EVERY_MS = 6 * 60 * MINUTE_MS;
const HOUSEKEEPING_EVERY_MS = MINUTE_MS;
/** Another machine's messages are nobody's from the end of its lease on: they wait no longer than this. */
const LEASES_EVERY_MS = 5000;
const SCRUB_EVERY_MS = 30_000;
/** Rows per transaction of a purge, so that cameras and police do not wait behind it. */
const PURGE_STEP = 500;
const DISK_EVERY_MS = 5000;
/** How often a loop looks at what is due. */
const LOOK_EVERY_MS = 5000;

export interface Cleanup {
  /** Runs until `stop`: expired leases, retention, quarantine bounds, orphan files, disk watermark, scrubbing. */
  start(): void;
  stop(): Promise<void>;
  /** Why no reading may be taken in, as the disk was last seen: for an ingest that comes after `onDisk` was called. */
  diskReason(): string | null;
  /** One whole round, whatever its time; for tests and for the end of a demo. */
  runOnce(): Promise<void>;
}

export interface CleanupDeps {
  store: Store;
  images: ImageStore;
  quarantine: ImageStore;
  config: Pick<Config, "quarantine" | "audit" | "diskMinFreeBytes"> & {
    sender: Pick<Config["sender"], "deadRetentionMs">;
    transit: Pick<Config["transit"], "dedupeDays">;
    mossos: Pick<Config["mossos"], "endpointUrl">;
  };
  /**
   * Files older than this that no row refers to are orphans already at the first sweep: nobody else was writing when this
   * process started, so whoever left them is dead. Null: somebody may be.
   */
  orphansBefore: Date | null;
  /** Ids of the certificates that can sign now. */
  usableCertificates(): Promise<ReadonlySet<number>>;
  /** Tells ingest to stop or go on, with the reason. */
  onDisk(reason: string | null): void;
  /** Messages came back to PENDING. */
  onRevived(count: number): void;
  /** @returns what a loop calls at each turn, and at each step of a long one: it still turns */
  watchLoop?(loop: string): () => void;
  clock: Clock;
  log: Log;
}

interface Step {
  name: string;
  everyMs: number;
  run(): Promise<void>;
}

/** What nobody asks for and everybody relies on. Each step fails by itself and is tried again at its next turn. */
export function createCleanup(deps: CleanupDeps): Cleanup {
  const { store, clock, log, config } = deps;
  const stopping = new AbortController();
  let loops: readonly Promise<void>[] = [];
  let diskReason: string | null = null;
  /** Of the loop of what may take long. */
  let onTurn = (): void => {};

  // Each has a loop of its own: neither the disk nor another machine's messages wait for the end of a long sweep.
  const disk: Step = { name: "disk", everyMs: DISK_EVERY_MS, run: watchDisk };
  const leases: Step = { name: "leases", everyMs: LEASES_EVERY_MS, run: releaseLeases };
  const others: readonly Step[] = [
    { name: "revival", everyMs: HOUSEKEEPING_EVERY_MS, run: revive },
    { name: "retention", everyMs: HOUSEKEEPING_EVERY_MS, run: purgeDead },
    { name: "dedupe", everyMs: HOUSEKEEPING_EVERY_MS, run: purgeDedupe },
    { name: "quarantine", everyMs: HOUSEKEEPING_EVERY_MS, run: trimQuarantine },
    { name: "retired cameras", everyMs: HOUSEKEEPING_EVERY_MS, run: removeRetired },
    { name: "audit", everyMs: HOUSEKEEPING_EVERY_MS, run: trimAudit },
    { name: "orphans", everyMs: SWEEP_EVERY_MS, run: sweepOrphans },
    { name: "scrub", everyMs: SCRUB_EVERY_MS, run: () => store.scrub() },
  ];

  async function attempt(step: Step): Promise<void> {
    try {
      await step.run();
    } catch (error) {
      // An outage of the store is said once, by whoever meets it first; these steps come again anyway.
      if (!isStoreAway(error))
        log.warn("cleanup step did not finish; it is tried again", { step: step.name, error: errorText(error) });
    }
  }

  async function run(steps: readonly Step[], turn: () => void): Promise<void> {
    const dueAt = new Map<string, number>();
    while (!stopping.signal.aborted) {
      for (const step of steps) {
        turn();
        const now = clock.monotonicMs();
        if (now < (dueAt.get(step.name) ?? 0) || stopping.signal.aborted) continue;
        await attempt(step);
        dueAt.set(step.name, now + step.everyMs);
      }
      await clock.sleep(LOOK_EVERY_MS, stopping.signal);
    }
  }

  const before = (ms: number): Date => new Date(clock.now().getTime() - ms);
  let { orphansBefore } = deps;

  async function watchDisk(): Promise<void> {
    const { freeBytes, folder } = await deps.images.space();
    const low = freeBytes < config.diskMinFreeBytes;
    diskReason = low
      ? `disk nearly full: less than DISK_MIN_FREE_BYTES=${config.diskMinFreeBytes} bytes free below ${folder}`
      : null;
    deps.onDisk(diskReason);
  }

  async function releaseLeases(): Promise<void> {
    const count = await store.releaseExpired(clock.now());
    if (count > 0) log.warn("leases were over; the messages will be tried again", { messages: count });
  }

  async function revive(): Promise<void> {
    const usable = await deps.usableCertificates();
    const count = await store.revive(config.mossos.endpointUrl !== null, usable, clock.now());
    if (count === 0) return;
    log.info("messages wait again: what they lacked is there now", { messages: count });
    deps.onRevived(count);
  }

  async function purgeDead(): Promise<void> {
    let total = 0;
    for (;;) {
      onTurn();
      const { messages, imagePaths, more } = await store.purgeDead(before(config.sender.deadRetentionMs), PURGE_STEP);
      await deps.images.erase(imagePaths);
      total += messages;
      if (!more || stopping.signal.aborted) break;
    }
    if (total > 0)
      log.error("DEAD messages were erased: their time was over (SENDER_DEAD_RETENTION_MINUTES)", { messages: total });
  }

  async function purgeDedupe(): Promise<void> {
    const limit = before(config.transit.dedupeDays * DAY_MS);
    while ((await store.purgeDedupe(limit, PURGE_STEP)) === PURGE_STEP && !stopping.signal.aborted) onTurn();
  }

  async function trimQuarantine(): Promise<void> {
    const { maxCount, maxBytes, maxDays } = config.quarantine;
    const gone = await store.trimQuarantine({ count: maxCount, bytes: maxBytes, before: before(maxDays * DAY_MS) });
    onTurn();
    await deps.quarantine.erase(gone.map(({ path }) => path).filter((path) => path !== null));
    if (gone.length > 0) {
      log.error("messages left the quarantine: its bounds were reached (QUARANTINE_MAX_…)", {
        messages: gone.length,
        unregistered: gone.filter(({ kind }) => kind === "unregistered").length,
      });
    }
  }

  async function removeRetired(): Promise<void> {
    const serials = await store.removeRetired();
    if (serials.length > 0)
      log.info("cameras were removed with the last of their readings", { cameras: serials.join(",") });
  }

  async function trimAudit(): Promise<void> {
    const { maxCount, maxDays } = config.audit;
    const bounds = { before: before(maxDays * DAY_MS), count: maxCount };
    while ((await store.trimAudit(bounds, PURGE_STEP)) >= PURGE_STEP && !stopping.signal.aborted) onTurn();
  }

  async function sweepOrphans(): Promise<void> {
    const limit = orphansBefore ?? before(ORPHAN_AGE_MS);
    const options: SweepOptions = { signal: stopping.signal, onStep: onTurn };
    const images = await sweep(deps.images, (paths) => store.findReferenced(paths), limit, options);
    const held = await sweep(deps.quarantine, (paths) => store.findHeld(paths), limit, options);
    if (!stopping.signal.aborted) orphansBefore = null;
    if (images + held > 0) log.info("files without a row were erased", { images, quarantine: held });
  }

  return {
    start() {
      const watch = deps.watchLoop ?? (() => () => {});
      onTurn = watch("cleanup");
      loops = [run([disk], watch("disk")), run([leases], watch("leases")), run(others, onTurn)];
    },
    async stop() {
      stopping.abort();
      await Promise.all(loops);
    },
    diskReason: () => diskReason,
    async runOnce() {
      for (const step of [disk, leases, ...others]) await attempt(step);
    },
  };
}

interface SweepOptions {
  /** Ends the sweep between two steps; what is left is found by the next one. */
  signal?: AbortSignal;
  /** Called at each step. */
  onStep?(): void;
}

/** Erases files older than `before` that no row refers to. @returns how many */
async function sweep(
  files: ImageStore,
  findReferenced: (paths: readonly string[]) => Promise<ReadonlySet<string>>,
  before: Date,
  options: SweepOptions,
): Promise<number> {
  let erased = 0;
  for await (const orphans of listOrphans(files, findReferenced, before, options)) erased += await files.erase(orphans);
  return erased;
}

/** Files older than `before` that no row refers to, some at a time. */
export async function* listOrphans(
  files: Pick<ImageStore, "list">,
  findReferenced: (paths: readonly string[]) => Promise<ReadonlySet<string>>,
  before: Date,
  { signal, onStep }: SweepOptions = {},
): AsyncGenerator<readonly string[]> {
  for await (const { folder, files: listed } of files.list()) {
    onStep?.();
    const old = listed
      .filter(({ modifiedAt }) => modifiedAt < before)
      .map(({ name }) => (folder === "" ? name : `${folder}/${name}`));
    for (let start = 0; start < old.length; start += PURGE_STEP) {
      if (signal?.aborted) return;
      onStep?.();
      // A store in a file answers at once: whoever shares this thread has his turn between two looks.
      await new Promise((resolve) => setImmediate(resolve));
      const step = old.slice(start, start + PURGE_STEP);
      const referenced = await findReferenced(step);
      yield step.filter((path) => !referenced.has(path));
    }
    if (signal?.aborted) return;
  }
}
