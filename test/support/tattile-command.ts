import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Said {
  code: number;
  stdout: string;
  stderr: string;
}

export interface TerminalOptions {
  answers?: readonly (readonly [question: string, answer: string, before?: () => Promise<void>])[];
  env?: Record<string, string>;
}

export interface CommandFolder extends AsyncDisposable {
  /** Everything of this test; goes with it. */
  folder: string;
  dataDir: string;
  /** The whole program as a process of its own, with settings of this folder only. */
  run(...words: string[]): Promise<Said>;
  runWith(options: { stdin?: string; env?: Record<string, string> }, ...words: string[]): Promise<Said>;
  /** The same on a terminal, which answers each question of `answers` once it is asked. All it shows is in `stdout`. */
  onTerminal(options: TerminalOptions, ...words: string[]): Promise<Said>;
}

/** The compiled binary where TATTILE_BINARY names one, else the source. */
export function tattileCommand(): string[] {
  const binary = process.env["TATTILE_BINARY"];
  return binary === undefined ? [process.execPath, new URL("../../src/main.ts", import.meta.url).pathname] : [binary];
}

export async function openCommandFolder(): Promise<CommandFolder> {
  const folder = await mkdtemp(join(tmpdir(), "tattile-cli-"));
  const dataDir = join(folder, "data");
  const environment = (more: Record<string, string> = {}): Record<string, string> => ({
    PATH: process.env["PATH"] ?? "",
    TMPDIR: tmpdir(),
    DATA_DIR: dataDir,
    // Named, so that a file of this machine is never read.
    TATTILE_ENV_FILE: "/dev/null",
    DISK_MIN_FREE_BYTES: "1048576",
    ...more,
  });
  const runWith: CommandFolder["runWith"] = async ({ stdin, env }, ...words) => {
    const child = Bun.spawn([...tattileCommand(), ...words], {
      cwd: folder,
      env: environment(env),
      stdin: stdin === undefined ? "ignore" : Buffer.from(stdin),
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    return { code, stdout, stderr };
  };
  return {
    folder,
    dataDir,
    run: (...words) => runWith({}, ...words),
    runWith,
    async onTerminal({ answers = [], env }, ...words) {
      let shown = "";
      const waiting = [...answers];
      const child = Bun.spawn([...tattileCommand(), ...words], {
        cwd: folder,
        env: environment({ TERM: "xterm", ...env }),
        terminal: {
          cols: 100,
          rows: 30,
          data(terminal, data) {
            shown += Buffer.from(data).toString("utf8");
            const next = waiting[0];
            if (next === undefined || !shown.includes(next[0])) return;
            waiting.shift();
            const [, answer, before] = next;
            if (before === undefined) terminal.write(`${answer}\r`);
            else void before().then(() => terminal.write(`${answer}\r`));
          },
        },
      });
      const code = await child.exited;
      child.terminal?.close();
      return { code, stdout: shown, stderr: "" };
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** What a terminal shows, without colours and line ends of its own. */
export async function shown(cli: CommandFolder, language: string, ...words: string[]): Promise<string> {
  const said = await cli.onTerminal({ env: { TATTILE_LANG: language, NO_COLOR: "1" } }, ...words);
  return said.stdout.replaceAll("\r\n", "\n").trim();
}
