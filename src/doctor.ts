import type { Clock } from "./clock.ts";
import { AppError, errorText } from "./errors.ts";
import { bad, type Finding, warning } from "./finding.ts";

/** One look at one thing; what it needs of the world it was given when it was made. */
export interface Check {
  name: string;
  /** Gives up when the signal aborts. */
  run(signal: AbortSignal): Promise<readonly Finding[]>;
}

/** At once; each may wait for the network. */
const CONCURRENCY = 6;
/** A check that takes longer is not waited for: what is unknown is said to be unknown. */
const DEADLINE_MS = 20_000;

/** Runs the checks side by side. `totalMs`: longest for all together. @returns what they found, in the order of the checks; never rejects for what one of them threw */
export async function runChecks(
  checks: readonly Check[],
  clock: Pick<Clock, "sleep">,
  options: { concurrency?: number; deadlineMs?: number; totalMs?: number } = {},
): Promise<readonly Finding[]> {
  const { concurrency = CONCURRENCY, deadlineMs = DEADLINE_MS, totalMs } = options;
  const finished = new AbortController();
  const total = totalMs === undefined ? null : { ms: totalMs, isOver: false, over: Promise.resolve() };
  if (total !== null) {
    total.over = clock.sleep(total.ms, finished.signal).then(() => {
      total.isOver = true;
    });
  }
  const found: (readonly Finding[])[] = checks.map(() => []);
  let next = 0;
  const work = async (): Promise<void> => {
    for (let at = next++; at < checks.length; at = next++) {
      const check = checks[at];
      if (check !== undefined) found[at] = await runOne(check, clock, deadlineMs, total);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  finished.abort();
  return found.flat();
}

async function runOne(
  check: Check,
  clock: Pick<Clock, "sleep">,
  deadlineMs: number,
  total: { ms: number; isOver: boolean; over: Promise<void> } | null,
): Promise<readonly Finding[]> {
  const ending = new AbortController();
  const done = new AbortController();
  const giveUp = (ms: number) => (): readonly Finding[] => {
    ending.abort();
    return [
      warning(check.name, `not found out within ${ms / 1000} s`, "run it again; look at the network and the load"),
    ];
  };
  // The whole may not last longer either: what has not begun by then is not begun.
  if (total?.isOver) return giveUp(total.ms)();
  const late = [clock.sleep(deadlineMs, done.signal).then(giveUp(deadlineMs))];
  if (total !== null) late.unshift(total.over.then(giveUp(total.ms)));
  try {
    return await Promise.race([...late, check.run(ending.signal)]);
  } catch (error) {
    const hint = error instanceof AppError ? error.hint : undefined;
    return [bad(check.name, errorText(error), hint ?? "mend what is named, and run it again")];
  } finally {
    done.abort();
  }
}
