import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { showDatabaseAddress } from "../database-address.ts";
import { openDiskStore } from "../images/disk.ts";
import type { ImageStore } from "../images/image-store.ts";
import { openImages, openQuarantine } from "../images/open.ts";
import type { Log } from "../log.ts";
import { openStore } from "./open.ts";
import { openReconnecting } from "./reconnecting.ts";
import { createSpool, type Spool, type SpooledIntake } from "./spool.ts";
import { openSpoolFile } from "./spool-file.ts";
import type { Store } from "./store.ts";

/** Everything that keeps readings, as the service works with it. */
export interface Stores {
  store: Store;
  images: ImageStore;
  quarantine: ImageStore;
  /** For what takes readings in. */
  intake: SpooledIntake;
  /** Null where nothing can be away: the store and the pictures lie on this machine. */
  spool: Spool | null;
  /** Runs the work at once when the store is open, else as soon as it is; its failure is the caller's then, or logged. */
  whenOpen(work: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

export interface StoresDeps {
  config: Config;
  clock: Clock;
  log: Log;
  /** Readings came out of the spool. */
  onMoved(count: number): void;
  /** Something is to turn from now on. @returns what it calls at each turn */
  watchLoop(loop: string): () => void;
}

/** Where the spool lies below DATA_DIR. */
export function spoolPath(dataDir: string): string {
  return join(dataDir, "spool", "spool.db");
}

/** Erases what waits in the spool of this machine, with its files; nothing where there is none. @returns how many readings */
export async function wipeSpool(config: Pick<Config, "dataDir">, clock: Clock): Promise<number> {
  if (!existsSync(spoolPath(config.dataDir))) return 0;
  const file = await openSpoolFile({ path: spoolPath(config.dataDir), clock });
  try {
    const wiped = await file.wipe();
    for (const name of ["images", "quarantine"]) {
      const files = openDiskStore(join(config.dataDir, "spool", name));
      for await (const { folder, files: listed } of files.list()) {
        await files.erase(listed.map((one) => (folder === "" ? one.name : `${folder}/${one.name}`)));
      }
      files.close();
    }
    return wiped;
  } finally {
    await file.close();
  }
}

/**
 * Opens store and pictures. Where one of them is on another machine, a spool stands before them, and the start does not wait
 * for them: cameras are served from the first moment.
 */
export async function openStores(deps: StoresDeps): Promise<Stores> {
  const { config, clock, log } = deps;
  const closes: (() => Promise<void> | void)[] = [];
  const close = async (): Promise<void> => {
    for (const step of closes.splice(0).reverse()) await step();
  };
  try {
    const { store, whenOpen } = await openFirst(deps, closes);
    const images = openImages(config);
    closes.push(() => images.close());
    const quarantine = openQuarantine(config);
    closes.push(() => quarantine.close());
    if (config.database === null && config.imagesUrl === null) {
      return { store, images, quarantine, intake: { store, images, quarantine }, spool: null, whenOpen, close };
    }
    const file = await openSpoolFile({ path: spoolPath(config.dataDir), clock });
    closes.push(() => file.close());
    const here = openDiskStore(join(config.dataDir, "spool", "images"));
    closes.push(() => here.close());
    const held = openDiskStore(join(config.dataDir, "spool", "quarantine"));
    closes.push(() => held.close());
    const spool = createSpool({
      store,
      file,
      images: { away: images, here },
      quarantine: { away: quarantine, here: held },
      heldBackRetentionMs: config.sender.deadRetentionMs,
      clock,
      log,
      onMoved: deps.onMoved,
      onTurn: deps.watchLoop("spool"),
    });
    spool.start();
    closes.push(() => spool.stop());
    return { store, images, quarantine, intake: spool.intake, spool, whenOpen, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openFirst(
  { config, clock, log }: StoresDeps,
  closes: (() => Promise<void> | void)[],
): Promise<Pick<Stores, "store" | "whenOpen">> {
  if (config.database === null) {
    const store = await openStore(config, clock);
    closes.push(() => store.close());
    return { store, whenOpen: (work) => work() };
  }
  const location = showDatabaseAddress(config.database.address);
  const remote = await openReconnecting({
    open: () => openStore(config, clock),
    info: { kind: "postgres", version: "", schemaVersion: 0, location },
    clock,
    log,
  });
  closes.push(() => remote.close());
  return { store: remote.store, whenOpen: remote.whenOpen };
}
