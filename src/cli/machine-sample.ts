import { readFile } from "node:fs/promises";
import { systemCode } from "../errors.ts";

/** What the kernel counts, at one moment; use comes from two of them. */
export interface MachineSample {
  atMs: number;
  cpu: CpuTimes;
  memory: { totalBytes: number; availableBytes: number };
  network: { receivedBytes: number; sentBytes: number };
  /** By process id; one that has ended is not in it. */
  processes: ReadonlyMap<number, ProcessTimes>;
}

export interface CpuTimes {
  busyTicks: number;
  totalTicks: number;
  cores: number;
}

export interface ProcessTimes {
  ticks: number;
  residentBytes: number;
}

/** Between two samples. Fractions are of all cores together for the machine, of one core for a process. */
export interface MachineUse {
  cpu: number;
  cores: number;
  memory: { totalBytes: number; usedBytes: number };
  network: { receivedPerSecond: number; sentPerSecond: number };
  processes: ReadonlyMap<number, { cpu: number; residentBytes: number }>;
}

/** Ticks a second in which Linux counts for programs, on every machine. */
const TICKS_PER_SECOND = 100;

/** Reads /proc. @throws what the file system says where there is none */
export async function sampleMachine(pids: readonly number[], atMs: number): Promise<MachineSample> {
  const [stat, meminfo, network] = await Promise.all(
    ["/proc/stat", "/proc/meminfo", "/proc/net/dev"].map((path) => readFile(path, "utf8")),
  );
  const processes = new Map<number, ProcessTimes>();
  for (const pid of new Set(pids)) {
    const found = await readProcess(pid);
    if (found !== null) processes.set(pid, found);
  }
  return {
    atMs,
    cpu: parseCpu(stat ?? ""),
    memory: parseMemory(meminfo ?? ""),
    network: parseNetwork(network ?? ""),
    processes,
  };
}

async function readProcess(pid: number): Promise<ProcessTimes | null> {
  try {
    const [stat, status] = await Promise.all(
      ["stat", "status"].map((name) => readFile(`/proc/${pid}/${name}`, "utf8")),
    );
    return parseProcess(stat ?? "", status ?? "");
  } catch (error) {
    // It ended while it was looked at, or belongs to somebody whose processes are hidden.
    if (["ENOENT", "ESRCH", "EACCES"].includes(systemCode(error) ?? "")) return null;
    throw error;
  }
}

/** `/proc/stat`. */
export function parseCpu(text: string): CpuTimes {
  const lines = text.split("\n");
  const all = lines.find((line) => line.startsWith("cpu ")) ?? "";
  // user nice system idle iowait irq softirq steal; what follows is counted in user already.
  const times = all.trim().split(/\s+/).slice(1, 9).map(Number);
  const totalTicks = times.reduce((sum, ticks) => sum + ticks, 0);
  const idle = (times[3] ?? 0) + (times[4] ?? 0);
  return { busyTicks: totalTicks - idle, totalTicks, cores: lines.filter((line) => /^cpu\d/.test(line)).length };
}

/** `/proc/meminfo`. */
export function parseMemory(text: string): MachineSample["memory"] {
  const kibibytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0);
  return { totalBytes: kibibytes("MemTotal") * 1024, availableBytes: kibibytes("MemAvailable") * 1024 };
}

/** `/proc/net/dev`, all interfaces but the machine's own loop. */
export function parseNetwork(text: string): MachineSample["network"] {
  let receivedBytes = 0;
  let sentBytes = 0;
  for (const line of text.split("\n")) {
    const [, name, counts] = /^\s*([^:\s]+):\s*(.*)$/.exec(line) ?? [];
    if (name === undefined || name === "lo") continue;
    const numbers = (counts ?? "").split(/\s+/).map(Number);
    receivedBytes += numbers[0] ?? 0;
    sentBytes += numbers[8] ?? 0;
  }
  return { receivedBytes, sentBytes };
}

/** `/proc/PID/stat` and `/proc/PID/status`. The program's name stands in parentheses and may itself hold any character. */
export function parseProcess(stat: string, status: string): ProcessTimes {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return {
    ticks: Number(fields[11]) + Number(fields[12]),
    residentBytes: Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024,
  };
}

/** What was used from one sample to the next. Pure. */
export function machineUse(before: MachineSample, after: MachineSample): MachineUse {
  const seconds = Math.max(0.001, (after.atMs - before.atMs) / 1000);
  const ticks = after.cpu.totalTicks - before.cpu.totalTicks;
  // A counter that was set back (an interface went, a process number was given anew) counts as nothing.
  const grown = (was: number, is: number): number => Math.max(0, is - was);
  const processes = new Map<number, { cpu: number; residentBytes: number }>();
  for (const [pid, { ticks: is, residentBytes }] of after.processes) {
    const was = before.processes.get(pid)?.ticks ?? is;
    processes.set(pid, { cpu: grown(was, is) / TICKS_PER_SECOND / seconds, residentBytes });
  }
  return {
    cpu: ticks > 0 ? grown(before.cpu.busyTicks, after.cpu.busyTicks) / ticks : 0,
    cores: after.cpu.cores,
    memory: {
      totalBytes: after.memory.totalBytes,
      usedBytes: after.memory.totalBytes - after.memory.availableBytes,
    },
    network: {
      receivedPerSecond: grown(before.network.receivedBytes, after.network.receivedBytes) / seconds,
      sentPerSecond: grown(before.network.sentBytes, after.network.sentBytes) / seconds,
    },
    processes,
  };
}
