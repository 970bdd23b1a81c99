import type { Clock } from "../clock.ts";
import { AppError, errorText, isStoreAway } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Store, StoreInfo } from "./store.ts";

const TRY_EVERY_MS = 2000;
const CLOSE_MS = 1000;

export interface ReconnectingStore {
  /** Every method rejects with `store-unreachable` until the store was opened for the first time. */
  store: Store;
  /** Runs the work at once when the store is open, and passes on its failure; else as soon as it is opened, and logs it. */
  whenOpen(work: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

export interface ReconnectingDeps {
  open(): Promise<Store>;
  /** What `info` says while it was not opened yet. */
  info: StoreInfo;
  clock: Clock;
  log: Log;
}

/**
 * A store that may be away at the start: it is opened as soon as it can be, and whoever asks before is told that it is away.
 * @throws what keeps it from being opened for another reason than being away
 */
export async function openReconnecting(deps: ReconnectingDeps): Promise<ReconnectingStore> {
  const { clock, log } = deps;
  const stopping = new AbortController();
  const watchers = new Set<{ onQueued: () => void; stop: (() => Promise<void> | void) | null }>();
  let current: Store | null = null;
  const waiting: (() => Promise<void>)[] = [];

  const adopt = (store: Store): void => {
    current = store;
    for (const watcher of watchers) watcher.stop = store.watchQueue(watcher.onQueued);
  };
  const runWaiting = async (): Promise<void> => {
    for (const work of waiting.splice(0)) {
      await work().catch((error: unknown) => {
        log.error("what waited for the store could not begin", { error: errorText(error) });
      });
    }
  };
  const retry = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await clock.sleep(TRY_EVERY_MS, stopping.signal);
      if (stopping.signal.aborted) return;
      try {
        const store = await deps.open();
        // Whoever closed did not wait for it: nothing begins any more.
        if (stopping.signal.aborted) return await store.close();
        adopt(store);
        log.info("the store can be reached");
        await runWaiting();
        return;
      } catch (error) {
        if (!isStoreAway(error)) log.error("the store cannot be opened", { error: errorText(error) });
      }
    }
  };

  let retrying: Promise<void> = Promise.resolve();
  try {
    adopt(await deps.open());
  } catch (error) {
    if (!isStoreAway(error)) throw error;
    log.error("the store cannot be reached; it is tried again and again", { error: errorText(error) });
    retrying = retry();
  }

  const own: Pick<Store, "info" | "watchQueue" | "close"> = {
    info: () => current?.info() ?? deps.info,
    watchQueue: (onQueued) => {
      const watcher = { onQueued, stop: current === null ? null : current.watchQueue(onQueued) };
      watchers.add(watcher);
      return async () => {
        watchers.delete(watcher);
        await watcher.stop?.();
      };
    },
    close,
  };

  async function close(): Promise<void> {
    stopping.abort();
    // An attempt that is under way may take its time; the end of the process ends it.
    await Promise.race([retrying, clock.sleep(CLOSE_MS)]);
    await current?.close();
  }

  const away = async (): Promise<never> => {
    throw new AppError("store-unreachable", `asking the store: it could not be reached yet (${deps.info.location})`, {
      hint: "Check that it runs and can be reached from here; tattile goes on by itself once it can.",
    });
  };
  const store = new Proxy(own as Store, {
    get(target, name) {
      // A store is no promise, whoever awaits it.
      if (name in target || name === "then" || typeof name === "symbol") return Reflect.get(target, name);
      return current === null ? away : Reflect.get(current, name);
    },
  });
  return {
    store,
    whenOpen: async (work) => {
      if (current !== null) await work();
      else waiting.push(work);
    },
    close,
  };
}
