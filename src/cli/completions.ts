import { type Command, type CommandGroup, defineTattileCommand } from "./command.ts";
import { SHELLS, type Shell } from "./completion-scripts.ts";

/** @param program everything there is to complete; a function, since this command is part of it */
export function createCompletionsCommand(program: () => CommandGroup): Command {
  return defineTattileCommand({
    name: "completions",
    summary: "print the completion script of a shell",
    notes: [
      "install.sh puts the three where the shells look for them. By hand, for one user: tattile completions bash > ~/.local/share/bash-completion/completions/tattile",
    ],
    examples: ["tattile completions bash", "tattile completions zsh", "tattile completions fish"],
    args: { shell: { kind: "positional", required: true, options: SHELLS, about: "which shell" } },
    async run(args, { out }) {
      const [{ buildCompletions }, { listNodes }] = await Promise.all([
        import("./completion-scripts.ts"),
        import("./command-tree.ts"),
      ]);
      out.text(buildCompletions(args.shell as Shell, listNodes(program())));
    },
  });
}

/** @param program everything there is to describe */
export function createManCommand(program: () => CommandGroup): Command {
  return defineTattileCommand({
    name: "man",
    summary: "print the manual page",
    notes: ["install.sh puts it where man finds it: man tattile"],
    examples: ["tattile man"],
    args: {},
    async run(_args, { out }) {
      const [{ buildManPage }, { listNodes }, { version }] = await Promise.all([
        import("./man-page.ts"),
        import("./command-tree.ts"),
        import("../version.ts"),
      ]);
      out.text(buildManPage(listNodes(program()), version));
    },
  });
}
