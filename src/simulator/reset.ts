import { ptr } from "bun:ffi";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { openLibc } from "../libc.ts";

type Connect = (fd: number, address: ReturnType<typeof ptr>, length: number) => number;
let connect: Connect | null | undefined;

/**
 * Ends a connection with a TCP reset. Bun closes a TLS socket with close_notify and FIN whatever is asked of it, so there
 * the kernel is told directly: connect(2) to AF_UNSPEC drops an established connection with a reset (observed on Linux).
 * Where that cannot be done it is destroyed, which the peer still sees as broken.
 */
export function resetConnection(socket: Socket): void {
  if (!(socket instanceof TLSSocket)) {
    socket.resetAndDestroy();
    return;
  }
  const handle: unknown = Reflect.get(socket, "_handle");
  const fd: unknown = typeof handle === "object" && handle !== null ? Reflect.get(handle, "fd") : undefined;
  connect ??= openConnect();
  if (connect !== null && connect !== undefined && typeof fd === "number" && fd > 2) {
    connect(fd, ptr(new Uint8Array(16)), 16);
  }
  socket.destroy();
}

function openConnect(): Connect | null {
  try {
    return openLibc({ connect: { args: ["i32", "ptr", "u32"], returns: "i32" } }).connect;
  } catch {
    return null;
  }
}
