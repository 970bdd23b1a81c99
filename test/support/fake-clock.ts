import type { Clock } from "../../src/clock.ts";

/** A clock that stands still until it is told to go on. */
export interface FakeClock extends Clock {
  /** Goes on by `ms`, waking sleepers in their order; between steps everything that is ready gets its turn. */
  advance(ms: number): Promise<void>;
  /** Sets the wall clock back; the monotonic one goes on. */
  setBack(ms: number): void;
  /** Whether real work (files, keys) is still under way that the clock should wait for. */
  busy: () => boolean;
}

/** Longest step in one go: long enough to be quick, short enough that what a wake-up starts is seen in time. */
const STEP_MS = 250;

export function createFakeClock(start = new Date("2026-03-02T08:00:00Z")): FakeClock {
  let nowMs = start.getTime();
  let setBackMs = 0;
  const sleepers = new Set<{ at: number; wake(): void }>();

  const clock: FakeClock = {
    busy: () => false,
    setBack: (ms) => {
      setBackMs += ms;
    },
    now: () => new Date(nowMs - setBackMs),
    monotonicMs: () => nowMs - start.getTime(),
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted || ms <= 0) {
          resolve();
          return;
        }
        const sleeper = {
          at: nowMs + ms,
          wake: () => {
            sleepers.delete(sleeper);
            signal?.removeEventListener("abort", sleeper.wake);
            resolve();
          },
        };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", sleeper.wake, { once: true });
      }),
    async advance(ms) {
      const end = nowMs + ms;
      await turns(clock.busy);
      while (nowMs < end) {
        const next = Math.min(end, nowMs + STEP_MS, ...[...sleepers].map(({ at }) => at));
        nowMs = Math.max(nowMs, next);
        for (const sleeper of [...sleepers].filter(({ at }) => at <= nowMs).sort((a, b) => a.at - b.at)) sleeper.wake();
        await turns(clock.busy);
      }
    },
  };
  return clock;
}

/** Lets promises, immediates and finished I/O have their turn. */
export async function turns(busy: () => boolean = () => false): Promise<void> {
  for (let n = 0; n < 6; n++) await new Promise((resolve) => setImmediate(resolve));
  for (let n = 0; n < 2000 && busy(); n++) await Bun.sleep(1);
}
