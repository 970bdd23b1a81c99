/** One loop that is to turn, and for how long it did not. */
export interface Beat {
  loop: string;
  silentMs: number;
  /** Longer than this and it does not turn any more. */
  allowedMs: number;
}

/** Tells whether the loops of this process still turn. */
export interface Heartbeats {
  /** @returns what the loop calls at each turn */
  watch(loop: string, allowedMs: number): () => void;
  list(): readonly Beat[];
}

export function createHeartbeats(monotonicMs: () => number): Heartbeats {
  const loops = new Map<string, { allowedMs: number; atMs: number }>();
  return {
    watch(loop, allowedMs) {
      const entry = { allowedMs, atMs: monotonicMs() };
      loops.set(loop, entry);
      return () => {
        entry.atMs = monotonicMs();
      };
    },
    list: () => [...loops].map(([loop, { allowedMs, atMs }]) => ({ loop, allowedMs, silentMs: monotonicMs() - atMs })),
  };
}
