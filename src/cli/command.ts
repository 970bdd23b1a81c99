import { type ArgsDef, defineCommand, runCommand } from "citty";
import { AppError } from "../errors.ts";
import type { CommandContext } from "./context.ts";
import { didYouMean } from "./nearest.ts";

/** A word in its place. `rest`: any number of them, only as the last. */
export interface PositionalSpec {
  kind: "positional";
  about: string;
  required?: true;
  rest?: true;
  options?: readonly string[];
}
/** `--name VALUE` or `--name=VALUE`; always text, checked by the command. */
export interface ValueSpec {
  kind: "value";
  hint: string;
  about: string;
  required?: true;
  options?: readonly string[];
}
/** `--name`: on when given. */
export interface SwitchSpec {
  kind: "switch";
  about: string;
  /** One letter that means the same: `-f`. */
  short?: string;
}
export type ArgSpec = PositionalSpec | ValueSpec | SwitchSpec;
export type ArgSpecs = Readonly<Record<string, ArgSpec>>;

type ArgValue<S extends ArgSpec> = S extends SwitchSpec
  ? boolean
  : S extends { rest: true }
    ? readonly string[]
    : S extends { required: true }
      ? string
      : string | undefined;
export type ArgValues<S extends ArgSpecs> = { readonly [K in keyof S]: ArgValue<S[K]> };

export interface Command {
  kind: "command";
  name: string;
  summary: string;
  /** Shown in the help after the flags: what the technician should know, in a few lines. */
  notes: readonly string[];
  examples: readonly string[];
  args: ArgSpecs;
  /** Takes the words after the command's name, checked and parsed. Gives the exit code. */
  execute(words: readonly string[], context: CommandContext): Promise<number>;
}

export interface CommandGroup {
  kind: "group";
  name: string;
  summary: string;
  children: readonly (Command | CommandGroup)[];
}

export interface CommandDefinition<S extends ArgSpecs> {
  name: string;
  summary: string;
  notes?: readonly string[];
  examples: readonly string[];
  args: S;
  /** Nothing returned: exit code 0. */
  run(args: ArgValues<S>, context: CommandContext): Promise<number | undefined> | Promise<void>;
}

/** Flags that every command takes. */
export const COMMON_ARGS = {
  "env-file": {
    kind: "value",
    hint: "FILE",
    about: "settings file (default: /etc/tattile/tattile.env when it exists)",
  },
  help: { kind: "switch", about: "this text" },
} as const satisfies ArgSpecs;

/**
 * One command around citty, which by itself accepts unknown flags and surplus words, runs a parent after its child and
 * prints a stack for an error: words are checked here first, and citty only ever sees them in unmistakable form.
 */
export function defineTattileCommand<const S extends ArgSpecs>(definition: CommandDefinition<S>): Command {
  return {
    kind: "command",
    name: definition.name,
    summary: definition.summary,
    notes: definition.notes ?? [],
    examples: definition.examples,
    args: definition.args,
    execute: async (words, context) => {
      const checked = checkWords(definition.name, definition.args, words);
      let exitCode = 0;
      const command = defineCommand({
        meta: { name: definition.name, description: definition.summary },
        args: cittyArgs(definition.args),
        run: async ({ args }) => {
          const values = collectValues(definition.args, args, checked.positionals);
          exitCode = (await definition.run(values as ArgValues<S>, context)) ?? 0;
        },
      });
      await runCommand(command, { rawArgs: [...checked.flags, "--", ...checked.positionals] });
      return exitCode;
    },
  };
}

/** A word that groups commands. */
export function defineGroup(
  name: string,
  summary: string,
  children: readonly (Command | CommandGroup)[],
): CommandGroup {
  return { kind: "group", name, summary, children };
}

export interface CheckedWords {
  /** `--name=value` or `--name`. */
  flags: readonly string[];
  positionals: readonly string[];
}

/** @throws AppError `usage` for an unknown or repeated flag, a missing or surplus value, a missing or surplus word. */
export function checkWords(command: string, specs: ArgSpecs, words: readonly string[]): CheckedWords {
  const flags = new Map<string, string>();
  const positionals: string[] = [];
  const help = { hint: `tattile ${command} --help` };
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (word === "--") {
      positionals.push(...words.slice(i + 1));
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      positionals.push(word);
      continue;
    }
    const [name, inline] = splitFlag(longName(word, specs));
    const spec = specs[name];
    if (spec === undefined || spec.kind === "positional" || !longName(word, specs).startsWith("--")) {
      const known = Object.keys(specs).filter((key) => specs[key]?.kind !== "positional");
      const near = didYouMean(
        `--${name}`,
        known.map((key) => `--${key}`),
      );
      throw new AppError("usage", `${command}: unknown flag ${word.split("=")[0]}${near}`, help);
    }
    if (flags.has(name)) throw new AppError("usage", `${command}: --${name} is given twice`, help);
    if (spec.kind === "switch") {
      if (inline !== undefined) throw new AppError("usage", `${command}: --${name} takes no value`, help);
      flags.set(name, `--${name}`);
      continue;
    }
    const value = inline ?? words[i + 1];
    if (value === undefined || (inline === undefined && value.startsWith("-") && value !== "-")) {
      throw new AppError("usage", `${command}: --${name} needs a value`, {
        hint: `tattile ${command} --${name} ${spec.hint} (a value that begins with - is written --${name}=VALUE)`,
      });
    }
    if (inline === undefined) i += 1;
    checkOption(command, `--${name}`, value, spec.options);
    flags.set(name, `--${name}=${value}`);
  }
  checkPositionals(command, specs, positionals);
  for (const [name, spec] of Object.entries(specs)) {
    if (spec.kind === "value" && spec.required && !flags.has(name)) {
      throw new AppError("usage", `${command}: --${name} ${spec.hint} is missing`, help);
    }
  }
  return { flags: [...flags.values()], positionals };
}

/** `-f` as the flag it is short for; anything else as it is. */
function longName(word: string, specs: ArgSpecs): string {
  const letter = /^-([a-zA-Z])$/.exec(word)?.[1];
  const found = Object.entries(specs).find(([, spec]) => spec.kind === "switch" && spec.short === letter);
  return letter === undefined || found === undefined ? word : `--${found[0]}`;
}

function splitFlag(word: string): [name: string, inline: string | undefined] {
  const at = word.indexOf("=");
  return at < 0 ? [word.replace(/^-+/, ""), undefined] : [word.slice(0, at).replace(/^-+/, ""), word.slice(at + 1)];
}

function checkPositionals(command: string, specs: ArgSpecs, positionals: readonly string[]): void {
  const help = { hint: `tattile ${command} --help` };
  const places = Object.entries(specs).filter(
    (entry): entry is [string, PositionalSpec] => entry[1].kind === "positional",
  );
  for (const [at, [name, spec]] of places.entries()) {
    const value = positionals[at];
    if (value === undefined && spec.required) {
      throw new AppError("usage", `${command}: ${name.toUpperCase()} is missing`, help);
    }
    if (value !== undefined) checkOption(command, name.toUpperCase(), value, spec.options);
  }
  const surplus = places.some(([, spec]) => spec.rest) ? undefined : positionals[places.length];
  if (surplus !== undefined) throw new AppError("usage", `${command}: unexpected word ${surplus}`, help);
}

function checkOption(command: string, name: string, value: string, options: readonly string[] | undefined): void {
  if (options === undefined || options.includes(value)) return;
  throw new AppError("usage", `${command}: ${name} is ${value}, allowed are ${options.join(", ")}`, {
    hint: `tattile ${command} --help`,
  });
}

function cittyArgs(specs: ArgSpecs): ArgsDef {
  const args: ArgsDef = {};
  for (const [name, spec] of Object.entries(specs)) {
    if (spec.kind === "positional") args[name] = { type: "positional", required: false };
    else args[name] = { type: spec.kind === "switch" ? "boolean" : "string" };
  }
  return args;
}

function collectValues(
  specs: ArgSpecs,
  parsed: Readonly<Record<string, unknown>>,
  positionals: readonly string[],
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  let place = 0;
  for (const [name, spec] of Object.entries(specs)) {
    if (spec.kind === "switch") values[name] = parsed[name] === true;
    else if (spec.kind === "positional" && spec.rest) values[name] = positionals.slice(place);
    else values[name] = parsed[name];
    if (spec.kind === "positional") place += 1;
  }
  return values;
}
