import { AppError, type ErrorCode, errorText } from "../errors.ts";
import { isJournal } from "../service-manager.ts";
import { onSurprise } from "../surprise.ts";
import { applyCommand } from "./apply.ts";
import { auditCommands } from "./audit.ts";
import { cameraCommands } from "./camera.ts";
import { certCommands } from "./cert.ts";
import { COMMON_ARGS, type Command, type CommandGroup, defineGroup } from "./command.ts";
import { createCompletionsCommand, createManCommand } from "./completions.ts";
import { createContext } from "./context.ts";
import { dbCommands } from "./db.ts";
import { demoCommand } from "./demo.ts";
import { doctorCommand } from "./doctor.ts";
import { endpointCommands } from "./endpoint.ts";
import { exportCommand } from "./export.ts";
import { commandHelp, groupHelp } from "./help.ts";
import { importCommands } from "./import.ts";
import { listenCommand } from "./listen.ts";
import { logsCommand } from "./logs.ts";
import { municipalityCommands } from "./municipality.ts";
import { didYouMean } from "./nearest.ts";
import { type Output, processOutput } from "./output.ts";
import { quarantineCommands } from "./quarantine.ts";
import { queueCommands } from "./queue.ts";
import { readingsCommands } from "./readings.ts";
import { restartCommand } from "./restart.ts";
import { runCommands } from "./run.ts";
import { sendCommand } from "./send.ts";
import { setupCommand } from "./setup.ts";
import { simulateCommands } from "./simulate.ts";
import { findLanguage } from "./spoken-language.ts";
import { statusCommand } from "./status.ts";
import { tokenCommands } from "./token.ts";
import { topCommand } from "./top.ts";
import { totalsCommand } from "./totals.ts";
import { versionCommand } from "./version.ts";
import { wipeCommands } from "./wipe.ts";

export const program: CommandGroup = defineGroup("", "tattile takes readings from number-plate cameras to the police", [
  setupCommand,
  runCommands,
  statusCommand,
  doctorCommand,
  municipalityCommands,
  endpointCommands,
  cameraCommands,
  certCommands,
  applyCommand,
  exportCommand,
  importCommands,
  readingsCommands,
  queueCommands,
  quarantineCommands,
  sendCommand,
  listenCommand,
  tokenCommands,
  auditCommands,
  totalsCommand,
  topCommand,
  logsCommand,
  restartCommand,
  wipeCommands,
  dbCommands,
  simulateCommands,
  demoCommand,
  createCompletionsCommand(() => program),
  createManCommand(() => program),
  versionCommand,
]);

const STDERR = 2;
const EXIT_CODES: Record<ErrorCode, number> = {
  usage: 2,
  config: 3,
  "not-found": 1,
  conflict: 1,
  invalid: 1,
  unavailable: 1,
  "store-unreachable": 1,
  internal: 1,
};

/**
 * Runs what the words say and gives the exit code: 0 done, 1 failed, 2 used wrongly, 3 settings wrong (`status` has its
 * own). Everything written has reached its reader when this resolves.
 */
export async function runProgram(words: readonly string[]): Promise<number> {
  const out = processOutput();
  try {
    return await dispatch(words, out);
  } catch (error) {
    if (out.readerGone) return 0;
    return reportError(error, out);
  } finally {
    await out.flush();
  }
}

async function dispatch(words: readonly string[], out: Output): Promise<number> {
  const { envFile, rest } = takeEnvFile(words);
  if (out.isWatched) out.language = await findLanguage(process.env, envFile);
  if (rest.length === 1 && rest[0] === "--version") return dispatch(["version"], out);
  if (rest[0] === "help") return dispatch([...rest.slice(1), "--help"], out);
  const { target, remaining } = findTarget(rest);
  if (wantsHelp(remaining) || (target === program && remaining.length === 0)) {
    out.line(target.kind === "group" ? groupHelp(target) : commandHelp(target));
    return 0;
  }
  if (target.kind === "group") throw unknownCommand(target, remaining[0]);
  // The service has its own last resort, which writes to its log.
  if (!target.name.startsWith("run ")) endQuietlyOnSurprise(out);
  await using context = createContext({ out, envFile });
  return await target.execute(remaining, context);
}

/** An error that nobody awaits ends the program with two lines, not with kilobytes of minified source. */
function endQuietlyOnSurprise(out: Output): void {
  onSurprise((error) => {
    const exitCode = out.readerGone ? 0 : reportError(error, out);
    out.flush().finally(() => process.exit(exitCode));
  });
}

/** Help is asked for by a flag before `--`. */
function wantsHelp(words: readonly string[]): boolean {
  const end = words.indexOf("--");
  return words.slice(0, end < 0 ? undefined : end).some((word) => word === "--help" || word === "-h");
}

/** `--env-file` may stand anywhere, also before the command. */
function takeEnvFile(words: readonly string[]): { envFile: string | undefined; rest: readonly string[] } {
  const rest: string[] = [];
  let envFile: string | undefined;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (word === "--") return { envFile, rest: [...rest, ...words.slice(i)] };
    if (word !== "--env-file" && !word.startsWith("--env-file=")) {
      rest.push(word);
      continue;
    }
    const value = word === "--env-file" ? words[++i] : word.slice("--env-file=".length);
    if (value === undefined || value === "") {
      throw new AppError("usage", "--env-file needs a value", { hint: `${COMMON_ARGS["env-file"].about}` });
    }
    envFile = value;
  }
  return { envFile, rest };
}

function findTarget(words: readonly string[]): { target: Command | CommandGroup; remaining: readonly string[] } {
  let target: Command | CommandGroup = program;
  let at = 0;
  while (target.kind === "group") {
    const word = words[at];
    const name: string | undefined = target.name === "" ? word : `${target.name} ${word}`;
    const child: Command | CommandGroup | undefined = target.children.find((c) => c.name === name);
    if (child === undefined) break;
    target = child;
    at += 1;
  }
  return { target, remaining: words.slice(at) };
}

function unknownCommand(group: CommandGroup, word: string | undefined): AppError {
  const names = group.children.map((child) => child.name.split(" ").at(-1) ?? "");
  const hint = `tattile ${group.name === "" ? "" : `${group.name} `}--help`;
  if (word === undefined) return new AppError("usage", `${group.name}: which one? ${names.join(", ")}`, { hint });
  if (word.startsWith("-"))
    return new AppError("usage", `unknown flag ${word.split("=")[0]} before the command`, { hint });
  return new AppError("usage", `unknown command ${[group.name, word].join(" ").trim()}${didYouMean(word, names)}`, {
    hint,
  });
}

/** Two lines on stderr: what was wrong, and what to try. A stack only for our own mistakes, and only when asked for. */
function reportError(error: unknown, out: Output): number {
  // A service that does not start says why in the journal, as an error there too.
  const severity = isJournal(STDERR, process.env["JOURNAL_STREAM"]) ? "<3>" : "";
  out.complaint(`${severity}${out.paint("bad", out.aside("Error:"))}`, errorText(error));
  if (error instanceof AppError) {
    if (error.hint !== undefined) out.complaint(`${severity}${out.aside("Try:")}`, error.hint);
    return EXIT_CODES[error.code];
  }
  if (process.env["LOG_LEVEL"] === "debug" && error instanceof Error) out.note(error.stack ?? "");
  else out.complaint(out.aside("Try:"), "the same again with LOG_LEVEL=debug, and report what it prints");
  return 1;
}
