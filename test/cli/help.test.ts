import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { type Command, type CommandGroup, checkWords } from "../../src/cli/command.ts";
import { commandHelp, groupHelp } from "../../src/cli/help.ts";
import { program } from "../../src/cli/program.ts";
import { openCommandFolder } from "../support/tattile-command.ts";

function allOf(group: CommandGroup): { commands: Command[]; groups: CommandGroup[] } {
  const found = { commands: [] as Command[], groups: [group] };
  for (const child of group.children) {
    if (child.kind === "command") found.commands.push(child);
    else {
      const below = allOf(child);
      found.commands.push(...below.commands);
      found.groups.push(...below.groups);
    }
  }
  return found;
}

const { commands, groups } = allOf(program);

/** As a shell would part a line; examples use nothing but blanks and double quotes. */
function partWords(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? "");
}

test("the program has every command it promises", () => {
  const names = commands.map((command) => command.name);
  const registry = ["municipality", "endpoint", "camera"].flatMap((noun) =>
    ["add", "list", "show", "set", "remove"].map((verb) => `${noun} ${verb}`),
  );
  expect(names.toSorted()).toEqual(
    [
      ...["all", "ingest", "sender", "api"].map((task) => `run ${task}`),
      ...registry,
      "endpoint try",
      ...["import", "list", "show", "check", "rotate", "remove"].map((verb) => `cert ${verb}`),
      ...["list", "show", "explain", "retry", "discard"].map((verb) => `queue ${verb}`),
      ...["list", "show", "retry", "drop"].map((verb) => `quarantine ${verb}`),
      "audit list",
      "readings list",
      "queue summary",
      "totals",
      "setup",
      "db backup",
      "db check",
      "db copy",
      "db migrate",
      "db restore",
      "top",
      "logs",
      "restart",
      ...["readings", "queue", "images", "all"].map((what) => `wipe ${what}`),
      ...["create", "list", "revoke"].map((verb) => `token ${verb}`),
      "simulate camera",
      "simulate mossos",
      "apply",
      "doctor",
      "send",
      "completions",
      "man",
      "listen",
      "export",
      "import cameras",
      "import mossosws",
      "status",
      "demo",
      "version",
    ].toSorted(),
  );
});

test.each(commands.map((command) => [command.name, command] as const))(
  "the examples of %s are commands that it accepts",
  (name, command) => {
    expect(command.examples.length).toBeGreaterThan(0);
    for (const example of command.examples) {
      const words = partWords(example);
      const own = ["tattile", ...name.split(" ")];
      expect(words.slice(0, own.length)).toEqual(own);
      expect(() =>
        checkWords(
          name,
          { ...command.args, "env-file": { kind: "value", hint: "F", about: "" } },
          words.slice(own.length),
        ),
      ).not.toThrow();
    }
  },
);

test.each(commands.map((command) => [command.name, command] as const))(
  "the help of %s fits into 80 columns and names every flag",
  (_name, command) => {
    const help = commandHelp(command);
    const text = help.split("\n").filter((line) => !line.startsWith("  tattile ") && !line.startsWith("Usage:"));
    for (const line of text) expect(line.length).toBeLessThanOrEqual(80);
    for (const [flag, spec] of Object.entries(command.args)) {
      expect(help).toContain(spec.kind === "positional" ? flag.toUpperCase() : `--${flag}`);
    }
  },
);

test("--help says the same through the program, for every command and group, and touches no store", async () => {
  await using cli = await openCommandFolder();
  const expected = [
    ...commands.map((command) => [command.name, commandHelp(command)] as const),
    ...groups.map((group) => [group.name, groupHelp(group)] as const),
  ];
  const pending = [...expected];
  const ask = async (): Promise<void> => {
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const [name, help] = next;
      const said = await cli.run(...name.split(" ").filter((word) => word !== ""), "--help");
      expect([name, said]).toEqual([name, { code: 0, stdout: `${help}\n`, stderr: "" }]);
    }
  };
  await Promise.all([ask(), ask(), ask()]);
  expect(existsSync(cli.dataDir)).toBe(false);
});
