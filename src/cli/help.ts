import { type ArgSpec, COMMON_ARGS, type Command, type CommandGroup } from "./command.ts";

const WIDTH = 80;

/** Help of a command: what it does, its words, its flags, at least one example. Pure; the store is never touched for it. */
export function commandHelp(command: Command): string {
  const entries = Object.entries(command.args).filter(([name]) => !(name in COMMON_ARGS));
  const places = entries.filter(([, spec]) => spec.kind === "positional");
  const flags = entries.filter(([, spec]) => spec.kind !== "positional");
  const lines = [sentence(command.summary), "", `Usage: ${usageLine(command)}`];
  if (places.length > 0) lines.push("", ...rows(places.map(([name, spec]) => [name.toUpperCase(), about(spec)])));
  const allFlags = [...flags, ...Object.entries(COMMON_ARGS)];
  lines.push("", "Flags:", ...rows(allFlags.map(([name, spec]) => [flagName(name, spec), about(spec)])));
  if (command.notes.length > 0) lines.push("", ...command.notes.flatMap((note) => wrap(note, WIDTH)));
  lines.push("", command.examples.length > 1 ? "Examples:" : "Example:", ...command.examples.map((e) => `  ${e}`));
  return lines.join("\n");
}

/** `tattile camera add SERIAL --reader CODE [flags]` */
export function usageLine(command: Command): string {
  const entries = Object.entries(command.args).filter(([name]) => !(name in COMMON_ARGS));
  const places = entries.filter(([, spec]) => spec.kind === "positional");
  const flags = entries.filter(([, spec]) => spec.kind !== "positional");
  return [
    `tattile ${command.name}`,
    ...places.map(([name, spec]) => placeName(name, spec)),
    ...flags.filter(([, spec]) => isRequired(spec)).map(([name, spec]) => flagName(name, spec)),
    ...(flags.some(([, spec]) => !isRequired(spec)) ? ["[flags]"] : []),
  ].join(" ");
}

/** Help of a group, or of the whole program: its commands, one line each. */
export function groupHelp(group: CommandGroup): string {
  const children = group.children.map((child) => [child.name, child.summary] as const);
  return [
    sentence(group.summary),
    "",
    `Usage: tattile ${group.name === "" ? "" : `${group.name} `}COMMAND`,
    "",
    ...rows(children),
    "",
    `Help for one: tattile ${children[0]?.[0] ?? ""} --help`,
  ].join("\n");
}

function isRequired(spec: ArgSpec): boolean {
  return spec.kind !== "switch" && spec.required === true;
}

function placeName(name: string, spec: ArgSpec): string {
  const rest = spec.kind === "positional" && spec.rest ? "..." : "";
  return isRequired(spec) ? `${name.toUpperCase()}${rest}` : `[${name.toUpperCase()}${rest}]`;
}

function flagName(name: string, spec: ArgSpec): string {
  if (spec.kind === "value") return `--${name} ${spec.options?.join("|") ?? spec.hint}`;
  return spec.kind === "switch" && spec.short !== undefined ? `-${spec.short}, --${name}` : `--${name}`;
}

function about(spec: ArgSpec): string {
  const options = spec.kind === "positional" && spec.options !== undefined ? ` (${spec.options.join(", ")})` : "";
  return `${spec.about}${options}`;
}

/** Two columns; a name too long for the first has its text on the next line. */
function rows(entries: readonly (readonly [name: string, text: string])[]): string[] {
  const indent = Math.min(28, Math.max(...entries.map(([name]) => name.length)) + 4);
  return entries.flatMap(([name, text]) => {
    const [first = "", ...more] = wrap(text, WIDTH - indent);
    const rest = more.map((line) => " ".repeat(indent) + line);
    if (name.length + 4 > indent) return [`  ${name}`, " ".repeat(indent) + first, ...rest];
    return [`  ${name}`.padEnd(indent) + first, ...rest];
  });
}

/** Lines of at most `width` characters, broken at blanks. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
