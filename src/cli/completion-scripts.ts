import type { FlagFacts, TreeNode } from "./command-tree.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** The completion script of a shell; it asks nothing of tattile when it runs. */
export function buildCompletions(shell: Shell, nodes: readonly TreeNode[]): string {
  return { bash: buildBash, zsh: buildZsh, fish: buildFish }[shell](nodes);
}

/** ` camera add`: how both scripts write where they are; empty for the program itself. */
function placeOf({ path }: TreeNode): string {
  return path.map((word) => ` ${word}`).join("");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Cases of `place flag`, flags that take the same together. */
function valueCases(nodes: readonly TreeNode[], write: (flag: FlagFacts) => string): string {
  const byAction = new Map<string, string[]>();
  for (const node of nodes) {
    for (const flag of node.flags.filter(({ hint }) => hint !== null)) {
      const action = write(flag);
      byAction.set(action, [...(byAction.get(action) ?? []), quote(`${placeOf(node)} --${flag.name}`)]);
    }
  }
  return [...byAction].map(([action, places]) => `    ${places.join(" | ")}) ${action}; return ;;\n`).join("");
}

const places = (nodes: readonly TreeNode[]): string =>
  nodes
    .filter(({ path }) => path.length > 0)
    .map((node) => quote(placeOf(node)))
    .join(" | ");

function buildBash(nodes: readonly TreeNode[]): string {
  const words = nodes
    .map((node) => {
      const flags = node.flags.map(({ name }) => `--${name}`).join(" ");
      const next = [...node.children.map(({ word }) => word), ...node.options].join(" ");
      return `    ${quote(placeOf(node))}) flags='${flags}' next='${next}' files=${node.takesFile ? "yes" : "no"} ;;\n`;
    })
    .join("");
  return `# Completion of tattile for bash, made by: tattile completions bash
_tattile() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} place='' flags='' next='' files=no i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$place \${COMP_WORDS[i]}" in
    ${places(nodes)}) place="$place \${COMP_WORDS[i]}" ;;
    esac
  done
  COMPREPLY=()
  case "$place $prev" in
${valueCases(nodes, ({ options, takesFile }) =>
  options.length > 0
    ? `mapfile -t COMPREPLY < <(compgen -W '${options.join(" ")}' -- "$cur")`
    : takesFile
      ? `compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$cur")`
      : ":",
)}  esac
  case "$place" in
${words}  esac
  if [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$cur")
  elif [ "$files" = yes ]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  else
    mapfile -t COMPREPLY < <(compgen -W "$next" -- "$cur")
  fi
}
complete -F _tattile tattile
`;
}

function buildZsh(nodes: readonly TreeNode[]): string {
  const item = (word: string, about: string): string => quote(`${word}:${about.replaceAll(":", "\\:")}`);
  const words = nodes
    .map((node) => {
      const flags = node.flags.map(({ name, about }) => item(`--${name}`, about)).join(" ");
      const next = [
        ...node.children.map(({ word, summary }) => item(word, summary)),
        ...node.options.map((option) => item(option, option)),
      ].join(" ");
      return `    ${quote(placeOf(node))}) flags=(${flags}); next=(${next}); files=${node.takesFile ? "yes" : "no"} ;;\n`;
    })
    .join("");
  return `#compdef tattile
# Completion of tattile for zsh, made by: tattile completions zsh
_tattile() {
  local place='' files=no i
  local -a flags next
  for ((i = 2; i < CURRENT; i++)); do
    case "$place $words[i]" in
    ${places(nodes)}) place="$place $words[i]" ;;
    esac
  done
  case "$place $words[CURRENT-1]" in
${valueCases(nodes, ({ options, takesFile }) =>
  options.length > 0 ? `compadd -- ${options.join(" ")}` : takesFile ? "_files" : ":",
)}  esac
  case "$place" in
${words}  esac
  if [[ $words[CURRENT] == -* ]]; then
    _describe -o 'flag' flags
  elif [[ $files == yes ]]; then
    _files
  else
    _describe 'command' next
  fi
}
if [[ $funcstack[1] == _tattile ]]; then _tattile "$@"; else compdef _tattile tattile; fi
`;
}

function buildFish(nodes: readonly TreeNode[]): string {
  const fishQuote = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const lines = nodes.flatMap((node) => {
    const at = `complete -c tattile -n ${fishQuote(`__tattile_at "tattile${placeOf(node)}"`)}`;
    return [
      ...node.children.map(({ word, summary }) => `${at} -a ${word} -d ${fishQuote(summary)}`),
      ...(node.options.length > 0 ? [`${at} -a ${fishQuote(node.options.join(" "))}`] : []),
      ...(node.takesFile ? [`${at} -F`] : []),
      ...node.flags.map(({ name, about, hint, options, takesFile }) => {
        const value =
          hint === null
            ? ""
            : options.length > 0
              ? ` -x -a ${fishQuote(options.join(" "))}`
              : takesFile
                ? " -r -F"
                : " -x";
        return `${at} -l ${name}${value} -d ${fishQuote(about)}`;
      }),
    ];
  });
  return `# Completion of tattile for fish, made by: tattile completions fish
function __tattile_at
    set -l place
    for word in (commandline -opc)[2..-1]
        switch "$place $word"
            case ${nodes
              .filter(({ path }) => path.length > 0)
              .map((node) => fishQuote(placeOf(node)))
              .join(" ")}
                set place "$place $word"
        end
    end
    test "tattile$place" = $argv[1]
end
complete -c tattile -f
${lines.join("\n")}
`;
}
