import { type Command, defineGroup, defineTattileCommand } from "./command.ts";

const TASKS = ["ingest", "sender", "api"] as const;
type Task = (typeof TASKS)[number];

function runCommand(name: string, tasks: readonly Task[], summary: string): Command {
  return defineTattileCommand({
    name: `run ${name}`,
    summary,
    notes: ["Runs until SIGTERM or SIGINT, then finishes what is in flight; a second signal ends it at once."],
    examples: [`tattile run ${name}`, `tattile run ${name} --env-file ./tattile.env`],
    args: {},
    async run(_args, context) {
      const config = await context.config();
      const { runService } = await import("../run-service.ts");
      return runService(tasks, config);
    },
  });
}

export const runCommands = defineGroup("run", "run the service, or one task of it", [
  runCommand("all", TASKS, "run everything in one process: ingest, sender and API"),
  runCommand("ingest", ["ingest"], "take readings in from the cameras"),
  runCommand("sender", ["sender"], "deliver queued readings to the police"),
  runCommand("api", ["api"], "answer over HTTP: dashboard, API, metrics, Lector Vision"),
]);
