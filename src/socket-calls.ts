import { FFIType, ptr } from "bun:ffi";
import type { Server, Socket } from "node:net";
import { openLibc } from "./libc.ts";

/** socket(7), recv(2), tcp(7): these have the same values on every Linux that Bun runs on. */
const SOL_SOCKET = 1;
const SO_LINGER = 13;
const MSG_DONTWAIT = 0x40;
const FIONREAD = 0x541b;

/**
 * What node:net cannot do. The linger option decides what a camera sees when its connection ends: any end that is not
 * asked for, the death of the process included, must be a reset, which tells the camera to send again; the kernel would
 * otherwise close a dead process's sockets in good order and the camera would take the silence for success.
 */
export interface SocketCalls {
  /**
   * SO_LINGER 0: every close is a reset. On the listener first of all: accepted sockets inherit it (Linux), so that none
   * exists without it, not even one whose process dies before it looked at it. @returns false when the system refused
   */
  resetOnClose(socket: Socket | Server): boolean;
  /** Before our own orderly close, after the commit. */
  closeInOrder(socket: Socket): boolean;
  /** Room for connections that wait to be accepted; Bun always asks for 512. @returns false when the system refused */
  setBacklog(server: Server, connections: number): boolean;
  /** Pauses the stream, and the runtime's reading with it, which would go on until the stream is full. `socket.resume()` ends both. */
  pause(socket: Socket): void;
  /** Bytes that have arrived and can be received at once; 0 also where only an end or an error is left to be told. */
  arrivedBytes(socket: Socket): number;
  /**
   * Receives into memory of ours from a socket that is paused and of which bytes have arrived. The runtime makes new memory
   * for all that it reads, and that costs more than the copy. @returns how many bytes came; none: 0 or less
   */
  receive(socket: Socket, room: Buffer): number;
}

/** @throws when libc cannot be opened: without it no promise to the camera can be kept, so nothing must be received. */
export function openSocketCalls(): SocketCalls {
  const libc = openLibc({
    listen: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 },
    ioctl: { args: [FFIType.i32, FFIType.u64, FFIType.ptr], returns: FFIType.i32 },
    recv: { args: [FFIType.i32, FFIType.ptr, FFIType.u64, FFIType.i32], returns: FFIType.i64_fast },
    setsockopt: { args: [FFIType.i32, FFIType.i32, FFIType.i32, FFIType.ptr, FFIType.u32], returns: FFIType.i32 },
  });
  const setLinger = (socket: Socket | Server, on: number): boolean => {
    const descriptor = descriptorOf(socket);
    if (descriptor === null) return false;
    return libc.setsockopt(descriptor, SOL_SOCKET, SO_LINGER, ptr(new Int32Array([on, 0])), 8) === 0;
  };
  const arrived = new Int32Array(1);
  return {
    resetOnClose: (socket) => setLinger(socket, 1),
    closeInOrder: (socket) => setLinger(socket, 0),
    setBacklog(server, connections) {
      // listen(2) on a socket that listens already changes its backlog.
      const descriptor = descriptorOf(server);
      return descriptor !== null && libc.listen(descriptor, connections) === 0;
    },
    pause(socket) {
      socket.pause();
      handleOf(socket)?.pause?.();
    },
    arrivedBytes(socket) {
      const descriptor = descriptorOf(socket);
      return descriptor !== null && libc.ioctl(descriptor, FIONREAD, ptr(arrived)) === 0 ? (arrived[0] ?? 0) : 0;
    },
    receive(socket, room) {
      const descriptor = descriptorOf(socket);
      return descriptor === null ? 0 : Number(libc.recv(descriptor, ptr(room), room.length, MSG_DONTWAIT));
    },
  };
}

/** node:net does not show these officially; Bun keeps them where Node does. */
function handleOf(socket: Socket | Server): { fd?: unknown; pause?(): unknown } | null {
  return (socket as unknown as { _handle?: { fd?: unknown; pause?(): unknown } | null })._handle ?? null;
}

function descriptorOf(socket: Socket | Server): number | null {
  const descriptor = handleOf(socket)?.fd;
  return typeof descriptor === "number" && descriptor >= 0 ? descriptor : null;
}
