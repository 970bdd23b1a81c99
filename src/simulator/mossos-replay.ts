/** Remembers signature values for as long as a copy of them could still pass as fresh. */
export interface ReplayGuard {
  /** False: seen before. */
  admit(signatureValue: string, now: Date): boolean;
}

/** @param memoryMs longest time between first sight and the end of freshness; what is older is forgotten, which bounds it. */
export function createReplayGuard(memoryMs: number): ReplayGuard {
  // A Map keeps the order of insertion: the oldest are first.
  const seenAt = new Map<string, number>();
  return {
    admit: (signatureValue, now) => {
      const at = now.getTime();
      for (const [value, when] of seenAt) {
        if (at - when <= memoryMs) break;
        seenAt.delete(value);
      }
      if (seenAt.has(signatureValue)) return false;
      seenAt.set(signatureValue, at);
      return true;
    },
  };
}
