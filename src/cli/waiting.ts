import type { Output } from "./output.ts";

/** Less than this is no wait. */
const PATIENCE_MS = 1000;

/** Says what is being done, and for how long, once it lasts over a second; only where a person looks. */
export async function saidWhileWaiting<T>(doing: string, out: Output, work: () => Promise<T>): Promise<T> {
  let seconds = 0;
  const timer = setInterval(() => {
    seconds += 1;
    out.progress(`${doing}: ${seconds} s`);
  }, PATIENCE_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    out.clearProgress();
  }
}
