import { parseUnits, type UNIT_TASKS, UNITS } from "../doctor-machine.ts";
import { AppError } from "../errors.ts";

export type UnitTask = (typeof UNIT_TASKS)[number];

export interface UnitState {
  unit: string;
  /** `active`, `inactive`, `failed`, …; as systemctl says. */
  active: string;
  enabled: boolean;
}

/** The unit that does a task: its own, or the one that does everything. */
export function unitsOf(task: UnitTask | null, states: readonly UnitState[]): readonly string[] {
  const used = states.filter(({ active, enabled }) => enabled || active !== "inactive").map(({ unit }) => unit);
  const meant = used.length > 0 ? used : states.map(({ unit }) => unit);
  if (task === null) return meant;
  const own = `tattile-${task}.service`;
  return meant.includes(own) ? [own] : meant.filter((unit) => unit === "tattile.service");
}

/** tattile's units that this machine has, and their state. @throws AppError `unavailable` where there is no systemd */
export async function listUnits(): Promise<readonly UnitState[]> {
  const said = await ask("systemctl", [
    "show",
    "--property=Id,LoadState,ActiveState,UnitFileState",
    "--no-pager",
    ...UNITS,
  ]);
  return readUnitStates(said);
}

/** Of what `systemctl show` prints, the units that this machine has. */
export function readUnitStates(text: string): readonly UnitState[] {
  return parseUnits(text)
    .filter((unit) => unit["LoadState"] === "loaded")
    .map((unit) => ({
      unit: unit["Id"] ?? "",
      active: unit["ActiveState"] ?? "",
      enabled: unit["UnitFileState"] === "enabled",
    }));
}

/** Runs a program that shows by itself what it says. @returns its exit code @throws AppError `unavailable` when it is missing */
export async function show(program: string, words: readonly string[]): Promise<number> {
  // Ctrl-C is for the program that shows; we end after it.
  const ignore = (): void => {};
  process.on("SIGINT", ignore);
  try {
    const child = spawn(program, words, "inherit");
    const code = await child.exited;
    // Ended by Ctrl-C: that is how one stops following.
    return child.signalCode === "SIGINT" ? 0 : code;
  } finally {
    process.off("SIGINT", ignore);
  }
}

async function ask(program: string, words: readonly string[]): Promise<string> {
  const child = spawn(program, words, "pipe");
  const [text, complaint, code] = await Promise.all([
    new Response(child.stdout as ReadableStream).text(),
    new Response(child.stderr as ReadableStream).text(),
    child.exited,
  ]);
  if (code === 0) return text;
  throw noSystemd(`${program}: ${complaint.trim().split("\n")[0] || `ended with ${code}`}`);
}

function spawn(program: string, words: readonly string[], output: "inherit" | "pipe") {
  if (Bun.which(program) === null) throw noSystemd(`${program} is not on this machine`);
  return Bun.spawn([program, ...words], { stdin: "inherit", stdout: output, stderr: output });
}

function noSystemd(text: string): AppError {
  return new AppError("unavailable", `asking systemd: ${text}`, {
    hint: "where tattile runs without systemd, look at the output of tattile run, and end and start it as it was started",
  });
}
