import { readFileSync, readlinkSync } from "node:fs";
import type { QueueStore } from "./store/store.ts";

/** What tells one process from every other, on this machine and beside it. */
export interface ProcessIdentity {
  /** The machine and the pid namespace: processes of another container cannot be seen from here, dead or alive. */
  machineId: string;
  /** Changes with every start of the machine. */
  bootId: string;
  pid: number;
  /** Clock ticks since boot at which the process began: a pid is given again, the pair is not. */
  startTime: string;
}

const SEPARATOR = "/";

/**
 * The name under which this process leases messages: `machine/boot/pid/start/run`.
 * @param run by chance: two containers that start at once, on a machine without an id, may have all the rest in common, and
 * would take each other's messages for their own
 */
export function ownLease(run: string): string {
  const own = readIdentity();
  return [own.machineId, own.bootId, own.pid, own.startTime, run].join(SEPARATOR);
}

/**
 * Whether a lease's owner is gone for certain: a process of this machine, from an earlier boot or no longer running.
 * @returns null when it cannot be told from here: another machine's, or not a name of ours; its lease runs out by itself
 */
export function isDead(owner: string): boolean | null {
  return judgeOwner(owner, readIdentity(), readStartTime);
}

/** Messages that dead processes of this machine held are due again at once, not only when their lease ends. @returns how many */
export async function freeDeadOwners(
  store: Pick<QueueStore, "listOwners" | "releaseOwner">,
  now: Date,
): Promise<number> {
  let freed = 0;
  for (const owner of await store.listOwners()) {
    if (isDead(owner) === true) freed += await store.releaseOwner(owner, now);
  }
  return freed;
}

/** @param startTimeOf the start time of a running process of this machine, null when there is none of that pid */
export function judgeOwner(
  owner: string,
  own: ProcessIdentity,
  startTimeOf: (pid: number) => string | null,
): boolean | null {
  const [machineId, bootId, pid, startTime, _run, ...rest] = owner.split(SEPARATOR);
  if (pid === undefined || startTime === undefined || rest.length > 0 || !/^\d+$/.test(pid)) return null;
  // Without a machine id every machine looks alike: then only time frees a lease.
  if (machineId !== own.machineId || own.machineId === UNKNOWN) return null;
  if (bootId !== own.bootId) return true;
  return startTimeOf(Number(pid)) !== startTime;
}

const UNKNOWN = "unknown";

function readIdentity(): ProcessIdentity {
  const machineId = readText("/etc/machine-id");
  return {
    machineId: machineId === null ? UNKNOWN : `${machineId}-${readPidNamespace()}`,
    bootId: readText("/proc/sys/kernel/random/boot_id") ?? UNKNOWN,
    pid: process.pid,
    startTime: readStartTime(process.pid) ?? UNKNOWN,
  };
}

/** Field 22 of /proc/PID/stat (proc(5)); the command in brackets may hold blanks and brackets, so count from the last. */
function readStartTime(pid: number): string | null {
  const text = readText(`/proc/${pid}/stat`);
  return text === null ? null : (text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? null);
}

/** `pid:[4026531836]` outside of containers, after every start of the machine; another number in each container. */
function readPidNamespace(): string {
  try {
    return /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? UNKNOWN;
  } catch {
    return UNKNOWN;
  }
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8").trim() || null;
  } catch {
    return null;
  }
}
