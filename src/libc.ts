import { dlopen, type FFIFunction } from "bun:ffi";

const NAMES = ["libc.so.6", `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`];

/** Functions of this system's C library, for what Bun's own modules cannot do. @throws when it has no such library or function */
export function openLibc<Symbols extends Record<string, FFIFunction>>(symbols: Symbols) {
  let lastError: unknown;
  for (const name of NAMES) {
    try {
      return dlopen(name, symbols).symbols;
    } catch (error) {
      lastError = error;
    }
  }
  throw lastError;
}
