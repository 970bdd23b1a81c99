import type { Config } from "./config.ts";
import { errorText } from "./errors.ts";
import { createLog, type Log } from "./log.ts";
import { type Service, startService, type Task } from "./service.ts";
import { isJournal, openServiceManager, type ServiceManager } from "./service-manager.ts";
import { onSurprise } from "./surprise.ts";
import { version } from "./version.ts";

const STDOUT = 1;
/** Signs of life within the time after which the service manager ends a process that gives none. */
const SIGNS_WITHIN_WATCHDOG = 4;

/** The log of a running service: to standard output, as journald reads it when it does. */
function createServiceLog(config: Pick<Config, "logLevel">): Log {
  return createLog({
    level: config.logLevel,
    journal: isJournal(STDOUT, process.env["JOURNAL_STREAM"]),
    write: (line) => process.stdout.write(line),
    now: () => new Date(),
  });
}

/** Runs the tasks until a signal. @returns the exit code; a second signal ends the process at once with 1 */
export async function runService(tasks: readonly Task[], config: Config): Promise<number> {
  const log = createServiceLog(config);
  onSurprise((error) => {
    log.error("unexpected error", { error: errorText(error) });
    process.exit(1);
  });
  const signalled = new Promise<string>((resolve) => {
    let first = true;
    const onSignal = (signal: string): void => {
      if (!first) process.exit(1);
      first = false;
      resolve(signal);
    };
    process.on("SIGTERM", onSignal);
    process.on("SIGINT", onSignal);
  });
  log.info("tattile starts", { version, tasks: tasks.join(",") });
  const manager = openServiceManager(process.env);
  const service = await startService(tasks, config, log);
  manager.ready();
  const watching = watch(manager, service, log);
  const signal = await signalled;
  log.info("stopping", { signal });
  manager.stopping();
  clearInterval(watching);
  await service.stop();
  log.info("stopped");
  return 0;
}

/** Signs of life for as long as every loop turns: a process in which one hangs is ended by the service manager, and started anew. */
function watch(manager: ServiceManager, service: Service, log: Log): ReturnType<typeof setInterval> | undefined {
  if (manager.watchdogMs === null) return undefined;
  return setInterval(() => {
    const hanging = service.beats().filter(({ silentMs, allowedMs }) => silentMs > allowedMs);
    if (hanging.length === 0) manager.alive();
    else
      log.error("a loop hangs; systemd will start the service anew", {
        loops: hanging.map(({ loop }) => loop).join(","),
      });
  }, manager.watchdogMs / SIGNS_WITHIN_WATCHDOG);
}
