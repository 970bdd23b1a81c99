/** Repeatable randomness for tests. */
export interface SeededRandom {
  /** An integer from 0 to `limit - 1`. */
  below(limit: number): number;
}

/**
 * A generator (mulberry32) seeded anew for every run, or by TEST_SEED to repeat one. The seed is printed, so that a red
 * run can be repeated.
 */
export function seededRandom(label: string): SeededRandom {
  const seed = Number(process.env["TEST_SEED"] ?? Math.floor(Math.random() * 2 ** 32)) >>> 0;
  console.log(`${label}: TEST_SEED=${seed}`);
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return { below: (limit) => Math.floor(next() * limit) };
}
