import { dlopen, FFIType, ptr } from "bun:ffi";
import type { Socket } from "node:net";

/** socket(7): SOL_SOCKET and SO_LINGER have these values on every Linux that Bun runs on. */
const SOL_SOCKET = 1;
const SO_LINGER = 13;

/**
 * Decides what a camera sees when its connection ends. Armed (SO_LINGER 0), any end that is not asked for, the death of
 * the process included, is a reset, which tells the camera to send again; the kernel would otherwise close a dead
 * process's sockets in good order and the camera would take the silence for success.
 */
export interface Linger {
  /** From accept on: every close is a reset. @returns false when the system refused */
  arm(socket: Socket): boolean;
  /** Before our own orderly close, after the commit. */
  disarm(socket: Socket): boolean;
}

/** @throws when libc cannot be opened: without it no promise to the camera can be kept, so nothing must be received. */
export function openLinger(): Linger {
  const libc = openLibc();
  const set = (socket: Socket, on: number): boolean => {
    const descriptor = descriptorOf(socket);
    if (descriptor === null) return false;
    return libc.symbols.setsockopt(descriptor, SOL_SOCKET, SO_LINGER, ptr(new Int32Array([on, 0])), 8) === 0;
  };
  return { arm: (socket) => set(socket, 1), disarm: (socket) => set(socket, 0) };
}

function openLibc() {
  const symbols = {
    setsockopt: { args: [FFIType.i32, FFIType.i32, FFIType.i32, FFIType.ptr, FFIType.u32], returns: FFIType.i32 },
  } as const;
  const names = ["libc.so.6", `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`];
  let lastError: unknown;
  for (const name of names) {
    try {
      return dlopen(name, symbols);
    } catch (error) {
      lastError = error;
    }
  }
  throw lastError;
}

/** node:net does not tell the descriptor officially; Bun keeps it where Node does. */
function descriptorOf(socket: Socket): number | null {
  const handle = (socket as unknown as { _handle?: { fd?: unknown } | null })._handle;
  return typeof handle?.fd === "number" && handle.fd >= 0 ? handle.fd : null;
}
