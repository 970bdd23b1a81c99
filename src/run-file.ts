import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Clock } from "./clock.ts";
import { errorText, systemCode } from "./errors.ts";
import type { Log } from "./log.ts";
import { isDead, ownName } from "./process-name.ts";

/**
 * How other processes see that a service lives: a file for each of its tasks in `<dataDir>/run`, whose modification time it
 * renews. Each process has files of its own: several may do the same task on one folder.
 */
export interface RunFacts {
  task: string;
  pid: number;
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
  path: string;
  /** Says "alive at `now`"; the service calls it every RUN_FILE_RENEW_MS. */
  renew(now: Date): Promise<void>;
  /** The goodbye; a file that is gone already is no error. */
  remove(): Promise<void>;
}

/** The run files of one service. */
export interface RunFiles {
  /** All other services on the folder. */
  others(): Promise<readonly RunningService[]>;
  /** The goodbye. */
  remove(): Promise<void>;
}

const RUN_FILE_RENEW_MS = 10_000;
const STALLED_AFTER_MS = 30_000;
/**
 * Whether a process of another container lives cannot be seen from here: it counts as alive for as long after its last sign of
 * life as a commit may take (as a file without a row is let alone). Too long is the smaller harm: what it left is swept later.
 */
const UNSEEN_ALIVE_MS = 600_000;
const ORDER: readonly ServiceState[] = ["running", "stalled", "dead"];

/** Writes a run file of `task` for this process, and removes those of dead ones before it. @throws what the file system says. */
export async function openRunFile(dataDir: string, task: string, version: string, now: Date): Promise<RunFile> {
  const folder = join(dataDir, "run");
  const run = randomUUID();
  const path = join(folder, `${task}-${run}.json`);
  const facts = { task, pid: process.pid, process: ownName(run), startedAt: now, version };
  const write = async (at: Date): Promise<void> => {
    const temporary = `${path}.tmp`;
    const file = await open(temporary, "wx", 0o644);
    try {
      await file.writeFile(`${JSON.stringify(facts)}\n`);
    } finally {
      await file.close();
    }
    await utimes(temporary, at, at);
    await rename(temporary, path);
  };
  await mkdir(folder, { recursive: true, mode: 0o750 });
  await write(now);
  for (const other of await readRunFiles(dataDir, now)) {
    if (other.task === task && other.state === "dead") await rm(other.path, { force: true });
  }
  return {
    path,
    renew: async (at) => {
      await utimes(path, at, at).catch(async (error: unknown) => {
        // Somebody took us for dead: we were not heard of for long.
        if (systemCode(error) !== "ENOENT") throw error;
        await write(at);
      });
    },
    remove: () => rm(path, { force: true }),
  };
}

/** Writes a run file for each task and renews them until the end. @throws as openRunFile */
export async function keepRunFiles(
  tasks: readonly string[],
  dataDir: string,
  version: string,
  clock: Clock,
  log: Log,
): Promise<RunFiles> {
  const files: RunFile[] = [];
  for (const task of tasks) files.push(await openRunFile(dataDir, task, version, clock.now()));
  const timer = setInterval(() => {
    for (const file of files) {
      file.renew(clock.now()).catch((error) => log.warn("run file not renewed", { error: errorText(error) }));
    }
  }, RUN_FILE_RENEW_MS);
  return {
    others: async () => {
      const all = await readRunFiles(dataDir, clock.now());
      return all.filter(({ path }) => !files.some((own) => own.path === path));
    },
    remove: async () => {
      clearInterval(timer);
      for (const file of files) await file.remove();
    },
  };
}

/**
 * The services that have a run file below `dataDir`, by task, those that run before those that do not. Without the folder:
 * none. A dead one whose task another has taken over is not told of.
 */
export async function listServices(dataDir: string, now: Date): Promise<readonly RunningService[]> {
  const all = await readRunFiles(dataDir, now);
  return all
    .filter(({ task, state }) => state !== "dead" || !all.some((one) => one.task === task && one.state !== "dead"))
    .map(({ path: _path, ...service }) => service);
}

async function readRunFiles(dataDir: string, now: Date): Promise<readonly (RunningService & { path: string })[]> {
  const folder = join(dataDir, "run");
  const names = await readdir(folder).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  });
  const services: (RunningService & { path: string })[] = [];
  for (const name of names.filter((n) => n.endsWith(".json"))) {
    const path = join(folder, name);
    const facts = await readRunFile(path);
    const times = await stat(path).catch(() => null);
    if (facts === null || times === null) continue;
    const { process: processName, ...rest } = facts;
    services.push({ ...rest, path, renewedAt: times.mtime, state: stateOf(processName, times.mtime, now) });
  }
  const rank = ({ state }: RunningService): number => ORDER.indexOf(state);
  return services.sort(
    (a, b) =>
      compare(a.task, b.task) ||
      rank(a) - rank(b) ||
      b.startedAt.getTime() - a.startedAt.getTime() ||
      compare(basename(a.path), basename(b.path)),
  );
}

function stateOf(processName: string, renewedAt: Date, now: Date): ServiceState {
  const silentMs = now.getTime() - renewedAt.getTime();
  if (isDead(processName) ?? silentMs > UNSEEN_ALIVE_MS) return "dead";
  return silentMs > STALLED_AFTER_MS ? "stalled" : "running";
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

async function readRunFile(path: string): Promise<(RunFacts & { process: string }) | null> {
  const text = await readFile(path, "utf8").catch(() => null);
  if (text === null) return null;
  try {
    const value = JSON.parse(text) as Record<string, unknown>;
    const { task, pid, process, startedAt, version } = value;
    if (typeof task !== "string" || typeof pid !== "number" || typeof version !== "string") return null;
    return {
      task,
      pid,
      version,
      process: typeof process === "string" ? process : "",
      startedAt: new Date(typeof startedAt === "string" ? startedAt : 0),
    };
  } catch {
    return null;
  }
}
