import type { Clock } from "../clock.ts";
import { AppError, errorText } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Store, StoreInfo } from "./store.ts";

const TRY_EVERY_MS = 2000;

/** Whether it says that a store on another machine cannot be reached for now. */
export function isAway(error: unknown): boolean {
  return error instanceof AppError && error.code === "store-unreachable";
}

export interface ReconnectingStore {
  /** Every method rejects with `store-unreachable` until the store was opened for the first time. */
  store: Store;
  /** Resolves once it was opened; never when it is stopped before. */
  opened: Promise<void>;
  isOpen(): boolean;
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
  let announce: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    announce = resolve;
  });

  const adopt = (store: Store): void => {
    current = store;
    for (const watcher of watchers) watcher.stop = store.watchQueue(watcher.onQueued);
    announce();
  };
  const retry = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await clock.sleep(TRY_EVERY_MS, stopping.signal);
      if (stopping.signal.aborted) return;
      try {
        adopt(await deps.open());
        log.info("the store can be reached");
        return;
      } catch (error) {
        if (!isAway(error)) log.error("the store cannot be opened", { error: errorText(error) });
      }
    }
  };

  let retrying: Promise<void> = Promise.resolve();
  try {
    adopt(await deps.open());
  } catch (error) {
    if (!isAway(error)) throw error;
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
    await retrying;
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
  return { store, opened, isOpen: () => current !== null, close };
}
