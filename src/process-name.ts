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
const UNKNOWN = "unknown";

/**
 * The name of this process, under which it leases messages and says that it runs: `machine/boot/pid/start/run`.
 * @param run by chance: where a system tells little of itself, two processes that start at once may have all the rest in
 * common, and would take each other's for their own
 */
export function ownName(run: string): string {
  const own = readIdentity();
  return [own.machineId, own.bootId, own.pid, own.startTime, run].join(SEPARATOR);
}

/**
 * Whether the process of that name is gone for certain: one of this machine, from an earlier boot or no longer running.
 * @returns null when it cannot be told from here: another machine's, another container's, or not a name of ours. Then only
 * time tells: a lease runs out, a run file is not renewed
 */
export function isDead(name: string): boolean | null {
  return judgeName(name, readIdentity(), readStartTime);
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

/** @param startTimeOf the start time of a running process of this pid namespace, null when there is none of that pid */
export function judgeName(
  name: string,
  own: ProcessIdentity,
  startTimeOf: (pid: number) => string | null,
): boolean | null {
  const [machineId = "", bootId, pid, startTime, _run, ...rest] = name.split(SEPARATOR);
  if (pid === undefined || startTime === undefined || rest.length > 0 || !/^\d+$/.test(pid)) return null;
  if (machineId !== own.machineId || own.bootId === UNKNOWN) return null;
  if (bootId === own.bootId) return startTimeOf(Number(pid)) !== startTime;
  // Without a machine id every machine looks alike, but for its boot: this may be another one.
  return machineId.startsWith(UNKNOWN) ? null : true;
}

function readIdentity(): ProcessIdentity {
  return {
    machineId: `${readText("/etc/machine-id") ?? UNKNOWN}-${readPidNamespace()}`,
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
