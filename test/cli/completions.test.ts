import { afterAll, beforeAll, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { listNodes } from "../../src/cli/command-tree.ts";
import { program } from "../../src/cli/program.ts";
import { type CommandFolder, openCommandFolder } from "../support/tattile-command.ts";

let cli: CommandFolder;
const file = (name: string): string => join(cli.folder, name);
beforeAll(async () => {
  cli = await openCommandFolder();
  for (const shell of ["bash", "zsh", "fish"]) {
    const { code, stdout } = await cli.run("completions", shell);
    expect(code).toBe(0);
    writeFileSync(file(`tattile.${shell}`), stdout);
  }
  writeFileSync(file("some.pfx"), "");
});
afterAll(() => cli[Symbol.asyncDispose]());

function shell(command: string, ...words: string[]): string[] {
  const { stdout, stderr, error } = spawnSync(command, words, { cwd: cli.folder, encoding: "utf8" });
  if (error !== undefined) throw error;
  expect(stderr).toBe("");
  return stdout.split("\n").filter((line) => line !== "");
}

/** What bash offers where the cursor stands behind these words. */
function inBash(...words: string[]): string[] {
  const list = words.map((word) => `'${word}'`).join(" ");
  const call = `COMP_WORDS=(tattile ${list}); COMP_CWORD=${words.length}; _tattile; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return shell("bash", "-c", `source tattile.bash; ${call}`);
}

/** What fish offers behind this line, without the descriptions. */
function inFish(line: string): string[] {
  const command = `source tattile.fish; complete -C "${line}"`;
  return shell("fish", "--no-config", "-c", command).map((text) => text.split("\t")[0] ?? "");
}

test("bash offers commands, flags of the command at hand, allowed values, and files", () => {
  expect(inBash("cam")).toEqual(["camera"]);
  expect(inBash("camera", "")).toEqual(["add", "list", "show", "set", "remove"]);
  expect(inBash("camera", "add", "2001", "--re")).toEqual(["--reader"]);
  expect(inBash("--env-file", "x", "endpoint", "add", "lectio", "https://x/", "--pro")).toEqual(["--profile"]);
  expect(inBash("endpoint", "add", "--profile", "")).toEqual(["compat", "strict"]);
  expect(inBash("cert", "import", "so")).toEqual(["some.pfx"]);
  expect(inBash("cert", "import", "--password-file", "so")).toEqual(["some.pfx"]);
  expect(inBash("camera", "add", "--reader", "")).toEqual([]);
  expect(inBash("completions", "z")).toEqual(["zsh"]);
});

test("fish offers the same, with what each means", () => {
  expect(inFish("tattile cam")).toEqual(["camera"]);
  expect(inFish("tattile camera ").toSorted()).toEqual(["add", "list", "remove", "set", "show"]);
  expect(inFish("tattile camera add 2001 --re")).toEqual(["--reader"]);
  expect(inFish("tattile endpoint add --profile ")).toEqual(["compat", "strict"]);
  expect(inFish("tattile cert import so")).toEqual(["some.pfx"]);
  expect(shell("fish", "--no-config", "-c", 'source tattile.fish; complete -C "tattile doc"')[0]).toContain(
    "doctor\tlook at",
  );
});

test("zsh completes on a terminal, with what each means", async () => {
  let shown = "";
  const steps: [waitFor: string, type: string][] = [
    ["start> ", "autoload -U compinit; compinit -u -D; source ./tattile.zsh; PROMPT='re''ady> '\r"],
    ["ready> ", "tattile camera sh\t"],
    ["camera show", "\x15tattile endpoint add --prof\t"],
    ["--profile", "\x15tattile doc\t"],
    ["doctor", "\x15tattile camera \t"],
    ["register a camera", "\x15exit\r"],
  ];
  const child = Bun.spawn(["zsh", "-f", "-i"], {
    cwd: cli.folder,
    env: { PATH: process.env["PATH"] ?? "", TERM: "xterm", HOME: cli.folder, PROMPT: "start> " },
    terminal: {
      cols: 120,
      rows: 40,
      data(terminal, data) {
        shown += Buffer.from(data).toString("utf8");
        const next = steps[0];
        if (next === undefined || !Bun.stripANSI(shown).includes(next[0])) return;
        steps.shift();
        shown = "";
        terminal.write(next[1]);
      },
    },
  });
  await child.exited;
  child.terminal?.close();
  expect(steps).toEqual([]);
});

test("every command and flag is in every script and in the manual", async () => {
  const manual = (await cli.run("man")).stdout.replaceAll("\\-", "-");
  const scripts = await Promise.all(["bash", "zsh", "fish"].map((name) => Bun.file(file(`tattile.${name}`)).text()));
  for (const { path, flags } of listNodes(program)) {
    for (const word of path) for (const script of scripts) expect(script).toContain(word);
    if (path.length > 0 && listNodes(program).some((n) => n.command?.name === path.join(" "))) {
      expect(manual).toContain(`.SS tattile ${path.join(" ")}`);
    }
    for (const { name } of flags) {
      expect(manual).toContain(`--${name}`);
      expect(scripts[0]).toContain(`--${name}`);
      expect(scripts[2]).toContain(`-l ${name}`);
    }
  }
});

test("the manual is set by groff without a warning, within 80 columns", async () => {
  writeFileSync(file("tattile.1"), (await cli.run("man")).stdout);
  const words = ["-man", "-Tutf8", "-ww", "-rLL=80n", "-P-cbou", "tattile.1"];
  const lines = shell("groff", ...words);
  expect(lines[0]).toMatch(/^TATTILE\(1\)/);
  expect(lines.join("\n")).toContain("tattile camera add SERIAL --reader CODE --municipality NAME");
});
