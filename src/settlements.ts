import type { Clock } from "./clock.ts";
import { errorText, isStoreAway } from "./errors.ts";
import type { Log } from "./log.ts";
import type { QueueStore, Settled } from "./store/store.ts";

/** A store that cannot take a settlement is asked again this often, until the lease is over. */
const SETTLE_RETRY_MS = 500;

export interface SettlementDeps {
  store: Pick<QueueStore, "settle">;
  clock: Clock;
  log: Log;
  /** The process must stop: nothing is tried again. */
  signal: AbortSignal;
}

/**
 * Settlements that come together share a commit. One is tried again until its lease is over: a lost one is sent twice.
 * @returns what writes one; it resolves when it is durable (true), or was not written (false): the lease was lost, or is over
 */
export function createSettlements({
  store,
  clock,
  log,
  signal,
}: SettlementDeps): (settled: Settled) => Promise<boolean> {
  const waiting: { settled: Settled; resolve(kept: boolean): void; reject(error: unknown): void }[] = [];
  let writing = false;

  async function writeGroups(): Promise<void> {
    while (waiting.length > 0) {
      const group = waiting.splice(0);
      try {
        const kept = await store.settle(
          group.map(({ settled }) => settled),
          clock.now(),
        );
        for (const [index, { resolve }] of group.entries()) resolve(kept[index] ?? false);
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    writing = false;
  }

  return async (settled) => {
    for (;;) {
      try {
        return await new Promise<boolean>((resolve, reject) => {
          waiting.push({ settled, resolve, reject });
          if (!writing) {
            writing = true;
            setImmediate(() => void writeGroups());
          }
        });
      } catch (error) {
        const level = isStoreAway(error) ? "warn" : "error";
        log[level]("settlement could not be stored; trying again", {
          message: settled.claim.messageId,
          error: errorText(error),
        });
        if (clock.now() >= settled.claim.leaseUntil || signal.aborted) return false;
        await clock.sleep(SETTLE_RETRY_MS, signal);
      }
    }
  };
}
