import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "./clock.ts";
import { errorText, systemCode } from "./errors.ts";
import type { Log } from "./log.ts";

/**
 * How other processes see that a service lives: `<dataDir>/run/<task>.json`, whose modification time the service renews.
 * Pid and start time together name a process; a pid alone would be believed after a reboot gave it to somebody else.
 */
export interface RunFacts {
  task: string;
  pid: number;
  /** Start of the process in clock ticks since boot, from /proc; null where there is no /proc. */
  startTime: string | null;
  startedAt: Date;
  version: string;
}

/** running: alive and renewing. stalled: alive, but not renewing for 30 s. dead: its process is gone without a goodbye. */
export type ServiceState = "running" | "stalled" | "dead";

export interface RunningService extends RunFacts {
  state: ServiceState;
  renewedAt: Date;
}

export interface RunFile {
  /** Says "alive at `now`"; the service calls it every RUN_FILE_RENEW_MS. */
  renew(now: Date): Promise<void>;
  /** The goodbye; a file that is gone already, or belongs to a successor, is left alone. */
  remove(): Promise<void>;
}

const RUN_FILE_RENEW_MS = 10_000;
const STALLED_AFTER_MS = 30_000;

/** Writes the run file of `task` for this process, replacing that of a predecessor. @throws what the file system says. */
export async function openRunFile(dataDir: string, task: string, version: string, now: Date): Promise<RunFile> {
  const folder = join(dataDir, "run");
  const path = join(folder, `${task}.json`);
  const facts: RunFacts = {
    task,
    pid: process.pid,
    startTime: await processStart(process.pid),
    startedAt: now,
    version,
  };
  await mkdir(folder, { recursive: true, mode: 0o750 });
  const temporary = `${path}.${randomUUID()}.tmp`;
  const file = await open(temporary, "wx", 0o644);
  try {
    await file.writeFile(`${JSON.stringify(facts)}\n`);
  } finally {
    await file.close();
  }
  await utimes(temporary, now, now);
  await rename(temporary, path);
  return {
    renew: async (at) => utimes(path, at, at),
    remove: async () => {
      const present = await readRunFile(path);
      if (present?.pid === facts.pid && present.startTime === facts.startTime) await rm(path, { force: true });
    },
  };
}

/** Writes a run file for each task and renews them until the end. @returns the goodbye of all. @throws as openRunFile */
export async function keepRunFiles(
  tasks: readonly string[],
  dataDir: string,
  version: string,
  clock: Clock,
  log: Log,
): Promise<() => Promise<void>> {
  const files: RunFile[] = [];
  for (const task of tasks) files.push(await openRunFile(dataDir, task, version, clock.now()));
  const timer = setInterval(() => {
    for (const file of files) {
      file.renew(clock.now()).catch((error) => log.warn("run file not renewed", { error: errorText(error) }));
    }
  }, RUN_FILE_RENEW_MS);
  return async () => {
    clearInterval(timer);
    for (const file of files) await file.remove();
  };
}

/** The services that have a run file below `dataDir`, by task. Without the folder: none. */
export async function listServices(dataDir: string, now: Date): Promise<readonly RunningService[]> {
  const folder = join(dataDir, "run");
  const names = await readdir(folder).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  });
  const services: RunningService[] = [];
  for (const name of names.filter((n) => n.endsWith(".json")).sort()) {
    const path = join(folder, name);
    const facts = await readRunFile(path);
    const times = await stat(path).catch(() => null);
    if (facts === null || times === null) continue;
    services.push({ ...facts, renewedAt: times.mtime, state: await stateOf(facts, times.mtime, now) });
  }
  return services;
}

async function stateOf(facts: RunFacts, renewedAt: Date, now: Date): Promise<ServiceState> {
  if ((await processStart(facts.pid)) !== facts.startTime) return "dead";
  return now.getTime() - renewedAt.getTime() > STALLED_AFTER_MS ? "stalled" : "running";
}

async function readRunFile(path: string): Promise<RunFacts | null> {
  const text = await readFile(path, "utf8").catch(() => null);
  if (text === null) return null;
  try {
    const value = JSON.parse(text) as Record<string, unknown>;
    const { task, pid, startTime, startedAt, version } = value;
    if (typeof task !== "string" || typeof pid !== "number" || typeof version !== "string") return null;
    return {
      task,
      pid,
      version,
      startTime: typeof startTime === "string" ? startTime : null,
      startedAt: new Date(typeof startedAt === "string" ? startedAt : 0),
    };
  } catch {
    return null;
  }
}

/** Field 22 of /proc/PID/stat (proc(5)); null when there is no such process. */
export async function processStart(pid: number): Promise<string | null> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
  // The second field is the command in brackets and may hold blanks and brackets itself: count from the last one.
  return text === null ? null : (text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? null);
}
