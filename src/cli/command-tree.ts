import { type ArgSpec, COMMON_ARGS, type Command, type CommandGroup } from "./command.ts";

/** One flag as a shell or a manual needs it. */
export interface FlagFacts {
  name: string;
  about: string;
  /** Null: it takes no value. */
  hint: string | null;
  options: readonly string[];
  takesFile: boolean;
}

/** A command or a group with the words that lead to it. */
export interface TreeNode {
  /** Without the program's own name; empty for the whole program. */
  path: readonly string[];
  summary: string;
  /** Words that may follow, with what they mean. */
  children: readonly { word: string; summary: string }[];
  flags: readonly FlagFacts[];
  takesFile: boolean;
  options: readonly string[];
  command: Command | null;
}

/** Every group and command, the program itself first, from the definitions that parse and help. */
export function listNodes(group: CommandGroup): readonly TreeNode[] {
  const own: TreeNode = {
    path: wordsOf(group.name),
    summary: group.summary,
    children: group.children.map((child) => ({ word: wordsOf(child.name).at(-1) ?? "", summary: child.summary })),
    flags: commonFlags(),
    takesFile: false,
    options: [],
    command: null,
  };
  return [
    own,
    ...group.children.flatMap((child) => (child.kind === "group" ? listNodes(child) : [commandNode(child)])),
  ];
}

function commandNode(command: Command): TreeNode {
  const specs = Object.entries(command.args);
  const places = specs.filter(([, spec]) => spec.kind === "positional");
  return {
    path: wordsOf(command.name),
    summary: command.summary,
    children: [],
    flags: [...specs.filter(([, spec]) => spec.kind !== "positional").map(flagFacts), ...commonFlags()],
    takesFile: places.some(([name]) => name === "file"),
    options: places.flatMap(([, spec]) => (spec.kind === "positional" ? (spec.options ?? []) : [])),
    command,
  };
}

function commonFlags(): readonly FlagFacts[] {
  return Object.entries(COMMON_ARGS).map(flagFacts);
}

function flagFacts([name, spec]: [string, ArgSpec]): FlagFacts {
  if (spec.kind !== "value") return { name, about: spec.about, hint: null, options: [], takesFile: false };
  const { hint, about, options = [] } = spec;
  const takesFile = options.length === 0 && (/FILE|DIR/.test(hint) || (hint === "F" && /file/.test(name)));
  return { name, about, hint, options, takesFile };
}

function wordsOf(name: string): readonly string[] {
  return name === "" ? [] : name.split(" ");
}
