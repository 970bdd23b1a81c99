/**
 * Runs `work` for at most `deadlineMs`. `ending` aborts, and the promise rejects at once, with a TimeoutError when time is up
 * or an AbortError when the caller's signal aborts. undici looks at its signal only once a connection stands: racing it is
 * what ends a wait for one. What `work` does afterwards is nobody's; its own rejection is swallowed.
 */
export function withDeadline<T>(
  deadlineMs: number,
  signal: AbortSignal | undefined,
  work: (ending: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  return new Promise<T>((resolve, reject) => {
    const end = (name: string): void => {
      const reason = new DOMException(name === "TimeoutError" ? "no answer in time" : "stopped", name);
      controller.abort(reason);
      reject(reason);
    };
    const stop = (): void => end("AbortError");
    const timer = setTimeout(() => end("TimeoutError"), deadlineMs);
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    };
    signal?.addEventListener("abort", stop, { once: true });
    if (signal?.aborted) stop();
    work(controller.signal).then(resolve, reject).finally(done);
  });
}
