import type { Clock } from "../clock.ts";
import { errorText, isStoreAway } from "../errors.ts";
import type { ImageStore } from "../images/image-store.ts";
import type { Log } from "../log.ts";
import type { SpoolBatch, SpoolFile } from "./spool-file.ts";
import { type SpooledFiles, spoolFiles } from "./spool-files.ts";
import type { IntakeEntry, IntakeResult, Store } from "./store.ts";
import type { SpoolStatus } from "./transfer.ts";

/** One batch's pictures lie in memory a few at a time, its rows all at once. */
const BATCH = 250;
const COPIES_AT_ONCE = 16;
const TRY_EVERY_MS = 1000;
/** How often the copy of the cameras is renewed. So long a camera's time zone may be an earlier one. */
const MIRROR_EVERY_MS = 5000;
/** How often other processes' leavings are looked for, and what is over is erased. */
const LOOK_EVERY_MS = 15_000;
/** A file of the spool without a row is an orphan only when no commit can still be on its way to it. */
const ORPHAN_AGE_MS = 10 * 60_000;
/** Reasons of one outage that are said; there are fewer, unless one holds a number. */
const MOST_SAID = 20;

type FindPaths = (paths: readonly string[]) => Promise<ReadonlySet<string>>;

/** What takes readings in writes to, in place of the store and its pictures. */
export interface SpooledIntake {
  store: Pick<Store, "enqueue" | "isKnown" | "findCamera" | "findReferenced" | "findHeld">;
  images: ImageStore;
  quarantine: ImageStore;
}

export interface Spool {
  intake: SpooledIntake;
  status(): SpoolStatus;
  /** Begins to look after the spool: moves what waits, copies the cameras. */
  start(): void;
  stop(): Promise<void>;
}

export interface SpoolDeps {
  store: Store;
  file: SpoolFile;
  images: SpooledFiles;
  quarantine: SpooledFiles;
  /** How long readings are kept whose camera is not registered any more. */
  heldBackRetentionMs: number;
  clock: Clock;
  log: Log;
  /** Readings came into the store. */
  onMoved(count: number): void;
  /** Called at each turn of the loop, and at each step of a long one: it still turns. */
  onTurn?(): void;
}

/**
 * Readings that arrive while the store cannot be reached go into a local file and move over once it is back.
 *
 * While anything waits in the spool everything goes through it, so that readings keep their order. A group goes to one of
 * the two as a whole, its pictures with it. Move: pictures durable at their place, then rows, counts and the batch's number
 * in one commit of the store, then the batch goes from the spool, then its files. A crash anywhere repeats the batch, which
 * the store knows by its number; its pictures have names that nobody else has.
 */
export function createSpool(deps: SpoolDeps): Spool {
  const { store, file, clock, log } = deps;
  const stopping = new AbortController();
  let loop: Promise<void> = Promise.resolve();
  let since: Date | null = null;
  let reason: string | null = null;
  /** What was said to keep readings from moving, since they began to wait. */
  const said = new Set<string>();
  /** Groups being written to the spool just now. */
  let writing = 0;
  const images = spoolFiles(deps.images, () => since !== null, enter);
  const quarantine = spoolFiles(deps.quarantine, () => since !== null, enter);

  function enter(error: unknown): void {
    if (since !== null) return;
    since = clock.now();
    reason = errorText(error);
    said.add(reason);
    log.error("readings wait in the spool: the store cannot be reached", { error: reason });
  }

  /** An outage may become another one: a server that was away is back, and now refuses the login. */
  function noteReason(error: unknown): void {
    if (since === null) return;
    reason = errorText(error);
    if (said.has(reason) || said.size >= MOST_SAID) return;
    said.add(reason);
    log.error("readings go on waiting in the spool", { error: reason });
  }

  /** Another process of this folder left it, or this one before its last stop. */
  function enterWhenFilled(): void {
    const { waiting, heldMessages } = file.count();
    if (since !== null || waiting + heldMessages === 0) return;
    since = clock.now();
    reason = "readings wait in the spool from before";
    log.info("the spool holds readings; they move to the store first", { readings: waiting, messages: heldMessages });
  }

  function leave(): void {
    if (since === null) return;
    log.info("the spool is empty: readings go to the store again", {
      seconds: Math.round((clock.now().getTime() - since.getTime()) / 1000),
    });
    since = null;
    reason = null;
    said.clear();
  }

  /** Asks the store, and the spool where the store is away. */
  async function ask<T>(ofStore: () => Promise<T>, ofSpool: () => Promise<T>): Promise<T> {
    if (since === null) {
      try {
        return await ofStore();
      } catch (error) {
        if (!isStoreAway(error)) throw error;
        enter(error);
      }
    }
    return ofSpool();
  }

  /** Asked for before something is erased, and while the store is away nothing is erased there. */
  function ownedPaths(ofStore: FindPaths, ofSpool: FindPaths): FindPaths {
    return async (paths) => {
      if (since !== null) return ofSpool(paths);
      const [there, here] = await Promise.all([ofStore(paths), ofSpool(paths)]);
      return new Set([...there, ...here]);
    };
  }

  async function enqueue(entries: readonly IntakeEntry[], now: Date): Promise<readonly IntakeResult[]> {
    if (since !== null) return enqueueHere(entries, now);
    try {
      return await store.enqueue(entries, now);
    } catch (error) {
      if (!isStoreAway(error)) throw error;
      enter(error);
      // It may have been committed all the same: the store will know the readings again by their hashes.
      return enqueueHere(entries, now);
    }
  }

  async function enqueueHere(entries: readonly IntakeEntry[], now: Date): Promise<readonly IntakeResult[]> {
    writing += 1;
    const [pictures, held] = [entries.flatMap(imagesOf), entries.flatMap(heldOf)];
    try {
      await images.bring(pictures);
      await quarantine.bring(held);
      return await file.enqueue(entries, now);
    } finally {
      images.settle(pictures);
      quarantine.settle(held);
      writing -= 1;
    }
  }

  /** @returns false when nothing waits */
  async function moveBatch(): Promise<boolean> {
    const batch = await file.nextBatch(BATCH);
    if (batch === null) return false;
    if (await store.isTransferred(batch.id)) {
      await finish(batch);
      return true;
    }
    await carry(batch.imagePaths, deps.images);
    await carry(batch.heldPaths, deps.quarantine);
    const moved = await store.transfer(batch.id, batch, clock.now());
    if (moved.kind === "refused") {
      await file.holdBack(batch, moved.cameraSerials);
      log.warn("readings are held back in the spool: their camera is not registered any more, or is off", {
        cameras: moved.cameraSerials.join(","),
      });
      return true;
    }
    if (moved.kind === "moved") {
      const readings = moved.results.filter((result) => result === "queued").length;
      if (readings > 0) deps.onMoved(readings);
      await eraseUseless(batch, moved.results);
    }
    await finish(batch);
    return true;
  }

  async function finish(batch: SpoolBatch): Promise<void> {
    await file.finish(batch);
    // What stays behind has no row: `sweep` takes it.
    await deps.images.here.erase(batch.imagePaths);
    await deps.quarantine.here.erase(batch.heldPaths);
  }

  async function carry(paths: readonly string[], files: SpooledFiles): Promise<void> {
    for (let at = 0; at < paths.length; at += COPIES_AT_ONCE) {
      deps.onTurn?.();
      const copies = paths.slice(at, at + COPIES_AT_ONCE).map(async (path) => {
        const bytes = await files.here.read(path);
        // Its reading goes on without it, as the reading of a camera whose picture was erased by hand does.
        if (bytes === null) log.error("a file of the spool is gone; its reading goes on without it");
        else await files.away.replace(path, bytes);
      });
      // All of them have ended, also when one failed: a late one would write a picture again that may be delivered by then.
      for (const copy of await Promise.allSettled(copies)) if (copy.status === "rejected") throw copy.reason;
    }
    if (paths.length > 0) await files.away.flush();
  }

  /** Pictures of readings that the store had already; unless they are those that its row refers to. */
  async function eraseUseless(batch: SpoolBatch, results: readonly IntakeResult[]): Promise<void> {
    const paths = batch.entries.flatMap((entry, index) => (results[index] === "duplicate" ? imagesOf(entry) : []));
    if (paths.length === 0) return;
    const referenced = await store.findReferenced(paths);
    await deps.images.away.erase(paths.filter((path) => !referenced.has(path)));
  }

  async function move(): Promise<void> {
    while (!stopping.signal.aborted) {
      deps.onTurn?.();
      // Of several processes one moves: a picture that two carry could come back after its delivery.
      if (file.lead() && (await moveBatch())) continue;
      const { waiting, heldMessages } = file.count();
      // No await between the look and the turn: nothing can begin in between.
      if (waiting + heldMessages > 0 || writing > 0 || images.count() + quarantine.count() > 0) return;
      leave();
      file.resign();
      return;
    }
  }

  async function look(): Promise<void> {
    const before = new Date(clock.now().getTime() - deps.heldBackRetentionMs);
    const expired = await file.expire(before);
    if (expired.readings > 0) {
      await deps.images.here.erase(expired.imagePaths);
      log.error("readings held back in the spool were erased: their time was over (SENDER_DEAD_RETENTION_MINUTES)", {
        readings: expired.readings,
      });
    }
    await file.tidy(before);
    await sweep(deps.images.here, file.findReferenced);
    await sweep(deps.quarantine.here, file.findHeld);
    enterWhenFilled();
    // Counts may be left, which nobody waits for.
    if (since === null) await move();
  }

  async function sweep(files: ImageStore, findReferenced: FindPaths): Promise<void> {
    const before = clock.now().getTime() - ORPHAN_AGE_MS;
    for await (const { folder, files: listed } of files.list()) {
      // What is left is found by the next look.
      if (stopping.signal.aborted) return;
      deps.onTurn?.();
      const old = listed
        .filter(({ modifiedAt }) => modifiedAt.getTime() < before)
        .map(({ name }) => (folder === "" ? name : `${folder}/${name}`));
      const referenced = await findReferenced(old);
      await files.erase(old.filter((path) => !referenced.has(path)));
    }
  }

  async function run(): Promise<void> {
    let [mirrorAtMs, lookAtMs] = [0, 0];
    while (!stopping.signal.aborted) {
      deps.onTurn?.();
      try {
        if (since === null && clock.monotonicMs() >= mirrorAtMs) {
          await file.mirrorCameras(await store.listCameras());
          mirrorAtMs = clock.monotonicMs() + MIRROR_EVERY_MS;
        }
        if (since !== null) await move();
        else if (clock.monotonicMs() >= lookAtMs) {
          await look();
          lookAtMs = clock.monotonicMs() + LOOK_EVERY_MS;
        }
      } catch (error) {
        if (isStoreAway(error)) noteReason(error);
        else log.warn("the spool could not be moved; it is tried again", { error: errorText(error) });
      }
      await clock.sleep(TRY_EVERY_MS, stopping.signal);
    }
  }

  return {
    intake: {
      store: {
        enqueue,
        isKnown: (key) =>
          ask(
            () => store.isKnown(key),
            () => file.isKnown(key),
          ),
        // The copy answers for cameras that it knows to be on: the store looks again when it queues. Everything else is asked there.
        findCamera: async (serial) => {
          const known = await file.findCamera(serial);
          if (since !== null || known?.active === true) return known;
          return ask(
            () => store.findCamera(serial),
            () => file.findCamera(serial),
          );
        },
        findReferenced: ownedPaths(store.findReferenced, file.findReferenced),
        findHeld: ownedPaths(store.findHeld, file.findHeld),
      },
      images: images.store,
      quarantine: quarantine.store,
    },
    status: () => ({ ...file.count(), since, reason }),
    start() {
      enterWhenFilled();
      loop = run();
    },
    async stop() {
      stopping.abort();
      await loop;
      file.resign();
    },
  };
}

function imagesOf(entry: IntakeEntry): string[] {
  if (entry.kind !== "reading") return [];
  return [entry.reading.imageOcrPath, entry.reading.imageCtxPath].filter((path) => path !== null);
}

function heldOf(entry: IntakeEntry): string[] {
  return entry.kind === "quarantine" && entry.quarantined.path !== null ? [entry.quarantined.path] : [];
}
