import type { Clock } from "../clock.ts";

export interface ReuseBounds {
  /** An answer is good for so long, */
  keepMs: number;
  /** and for so many times as long as it took to find. */
  share: number;
}

/**
 * Asks once for everybody who asks meanwhile, and gives the same answer again for a moment: what costs something then costs no
 * more when it is asked for without end. A failure is told to those who waited for it, and not kept.
 */
export function createReuse<T>(run: () => Promise<T>, { keepMs, share }: ReuseBounds, clock: Clock): () => Promise<T> {
  let underWay: Promise<T> | null = null;
  let kept: { answer: T; untilMs: number } | null = null;

  async function ask(): Promise<T> {
    const startedMs = clock.monotonicMs();
    const answer = await run();
    const tookMs = clock.monotonicMs() - startedMs;
    kept = { answer, untilMs: startedMs + Math.max(keepMs, tookMs * share) };
    return answer;
  }

  return () => {
    if (kept !== null && clock.monotonicMs() < kept.untilMs) return Promise.resolve(kept.answer);
    underWay ??= ask().finally(() => {
      underWay = null;
    });
    return underWay;
  };
}
