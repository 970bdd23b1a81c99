/**
 * The last resort of a process: called with what nobody caught, thrown or rejected. Bun keeps the two apart, and without a
 * listener of its own for rejections it prints a stack and ends the process by itself.
 */
export function onSurprise(handle: (error: unknown) => void): void {
  process.on("uncaughtException", handle);
  process.on("unhandledRejection", handle);
}
