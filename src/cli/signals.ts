/** Resolves at the first SIGINT or SIGTERM; the second ends the process at once. */
export function waitForSignal(): Promise<string> {
  return new Promise((resolve) => {
    let first = true;
    const onSignal = (signal: string): void => {
      if (!first) process.exit(1);
      first = false;
      resolve(signal);
    };
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
  });
}
