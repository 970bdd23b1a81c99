import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import type { Clock } from "./clock.ts";
import { AppError } from "./errors.ts";

/** The real service as a process of its own, so that it can be killed like one. */
export interface DemoService {
  start(): Promise<void>;
  /** As a power cut or the kernel would: no goodbye. Resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM. @returns its exit code; null when it had to be killed */
  stop(): Promise<number | null>;
}

const READY_MS = 20_000;
const STOP_MS = 15_000;
const LOG_TAIL = 5;

/** The words that start this very program again: the compiled binary, or Bun with the source. */
export function ownCommand(): readonly string[] {
  const compiled = import.meta.dir.startsWith("/$bunfs");
  return compiled ? [process.execPath] : [process.execPath, join(import.meta.dir, "main.ts")];
}

/**
 * @param options.envFile all settings; nothing of them is taken from this process's environment
 * @param options.logPath the service's output, appended to over all its starts
 */
export function createDemoService(options: {
  envFile: string;
  logPath: string;
  apiPort: number;
  clock: Clock;
}): DemoService {
  const { envFile, logPath, apiPort, clock } = options;
  let child: Bun.Subprocess | null = null;

  async function isReady(): Promise<boolean> {
    try {
      const answer = await fetch(`http://127.0.0.1:${apiPort}/health`, { signal: AbortSignal.timeout(2000) });
      return answer.ok;
    } catch {
      return false;
    }
  }

  return {
    async start() {
      const log = openSync(logPath, "a", 0o600);
      const started = Bun.spawn([...endsWithUs(), ...ownCommand(), "run", "all", "--env-file", envFile], {
        env: cleanEnvironment(),
        stdin: "ignore",
        // Ctrl-C goes to every process of the terminal's group: the service is stopped by us, once, and not twice.
        detached: true,
        stdout: log,
        stderr: log,
      });
      closeSync(log);
      child = started;
      const deadline = clock.monotonicMs() + READY_MS;
      while (!(await isReady())) {
        if (started.exitCode !== null || started.signalCode !== null || clock.monotonicMs() > deadline) {
          started.kill("SIGKILL");
          throw new AppError(
            "unavailable",
            `starting the service: it does not answer; its log ends\n${await tail(logPath)}`,
          );
        }
        await clock.sleep(50);
      }
    },
    async kill() {
      child?.kill("SIGKILL");
      await child?.exited;
      child = null;
    },
    async stop() {
      if (child === null) return null;
      const stopping = child;
      child = null;
      stopping.kill("SIGTERM");
      const timer = setTimeout(() => stopping.kill("SIGKILL"), STOP_MS);
      await stopping.exited;
      clearTimeout(timer);
      return stopping.exitCode;
    },
  };
}

/** util-linux's way to have the kernel stop the service when this process dies, by kill -9 too; nothing where it is not to be had. */
function endsWithUs(): readonly string[] {
  const setpriv = Bun.which("setpriv");
  if (setpriv === null) return [];
  const words = [setpriv, "--pdeathsig", "TERM"];
  return Bun.spawnSync([...words, "true"]).exitCode === 0 ? words : [];
}

/** Only what a program needs to run; a DATA_DIR of this shell must never reach the demo. */
export function cleanEnvironment(): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of ["PATH", "HOME", "LANG", "TMPDIR"]) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}

/** Ports nobody listens on now; all different. */
export async function findFreePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once("error", reject);
          server.listen(0, "127.0.0.1", () => {
            const address = server.address();
            resolve(address !== null && typeof address === "object" ? address.port : 0);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

async function tail(path: string): Promise<string> {
  const lines = (await readFile(path, "utf8").catch(() => "")).trimEnd().split("\n");
  return lines.slice(-LOG_TAIL).join("\n");
}
