import { FFIType, ptr } from "bun:ffi";
import { fstatSync } from "node:fs";
import { openLibc } from "./libc.ts";

/** What systemd wants to hear from a service of `Type=notify`: sd_notify(3), sd_watchdog_enabled(3). */
export interface ServiceManager {
  /** Everything listens: `systemctl start` may return. */
  ready(): void;
  stopping(): void;
  alive(): void;
  /** The process is ended when `alive` was not called for so long; null: nobody watches. */
  watchdogMs: number | null;
}

/** Whether journald reads what is written to this descriptor, and takes `<N>` before a line as its priority: systemd.exec(5). */
export function isJournal(descriptor: number, journalStream: string | undefined): boolean {
  if (journalStream === undefined) return false;
  const { dev, ino } = fstatSync(descriptor);
  return journalStream === `${dev}:${ino}`;
}

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MOST_PATH_BYTES = 107;

/** Says nothing where no service manager listens, and never fails: a service that could not say it is ready still works. */
export function openServiceManager(environment: Readonly<Record<string, string | undefined>>): ServiceManager {
  const send = openNotifySocket(environment["NOTIFY_SOCKET"]);
  const usec = Number(environment["WATCHDOG_USEC"]);
  const forUs = [undefined, String(process.pid)].includes(environment["WATCHDOG_PID"]);
  return {
    ready: () => send("READY=1"),
    stopping: () => send("STOPPING=1"),
    alive: () => send("WATCHDOG=1"),
    watchdogMs: forUs && usec > 0 ? usec / 1000 : null,
  };
}

/** @param path of a socket, or `@name` for one that is in no folder */
function openNotifySocket(path: string | undefined): (text: string) => void {
  if (path === undefined || !/^[/@]/.test(path) || Buffer.byteLength(path) > MOST_PATH_BYTES) return () => {};
  const libc = openLibc({
    socket: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 },
    sendto: {
      args: [FFIType.i32, FFIType.ptr, FFIType.u64, FFIType.i32, FFIType.ptr, FFIType.u32],
      returns: FFIType.i64,
    },
  });
  const descriptor = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return () => {};
  // sockaddr_un; the family is in the machine's own order, little-endian wherever Bun runs.
  const address = Buffer.concat([Buffer.from([AF_UNIX, 0]), Buffer.from(path)]);
  if (path.startsWith("@")) address[2] = 0;
  return (text) => {
    const bytes = Buffer.from(text);
    libc.sendto(descriptor, ptr(bytes), bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL, ptr(address), address.length);
  };
}
