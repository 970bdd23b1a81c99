import { AppError } from "../errors.ts";
import { CATALOGUES, type Catalogue } from "../i18n/catalogue.ts";
import type { Language } from "../i18n/language.ts";
import { translate, translateError } from "../i18n/translate.ts";
import type { CommandContext } from "./context.ts";
import type { Output } from "./output.ts";
import { createDialog, type Dialog } from "./setup-dialog.ts";

/**
 * What every part of the menu works with. Each deed is a command of its own in a process of its own, exactly as an operator
 * would type it: the menu can do nothing that a script could not, and root stays root for the next one.
 */
export interface Kit extends Dialog {
  readonly t: Catalogue;
  readonly language: Language;
  readonly out: Output;
  readonly input: NodeJS.ReadStream;
  /**
   * Does it, and shows the command and what came of it: in the operator's words where `say` makes them of its --json, else
   * as the command puts it. @returns false when it failed, which has been shown
   */
  run<T>(words: readonly string[], say?: ((said: T) => string) | null, stdin?: string): Promise<boolean>;
  /** Lets a command have the terminal. */
  show(words: readonly string[]): Promise<void>;
  /** Shows a command that goes on until any key, or Ctrl-C, ends it. */
  showUntilKey(words: readonly string[]): Promise<void>;
  /** What a command says with --json. @throws AppError with its error */
  query<T>(words: readonly string[]): Promise<T>;
  /** The words before a command's own. */
  readonly program: readonly string[];
}

export function createKit(language: Language, context: CommandContext): Kit {
  const t = CATALOGUES[language];
  const { out, input, envFile } = context;
  const program = [...tattileProgram(), ...(envFile === undefined ? [] : ["--env-file", envFile])];
  // What a command shows on the terminal by itself is to be in the language of the menu.
  const env = { ...process.env, TATTILE_LANG: language };
  const sayError = (text: string): string =>
    text
      .split("\n")
      .map((line) => {
        const [, word, said = ""] = /^(Error|Try): (.*)$/.exec(line) ?? [];
        if (word === undefined) return translate(line, language);
        return `${word === "Error" ? out.paint("bad", t.failed) : t.tryThis} ${translateError(said, language)}`;
      })
      .join("\n");
  const call = async (words: readonly string[], stdin?: string) => {
    const child = Bun.spawn([...program, ...words], {
      stdin: stdin === undefined ? "ignore" : Buffer.from(stdin),
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    return { stdout: stdout.trimEnd(), stderr: stderr.trimEnd(), code };
  };
  return {
    ...createDialog(t, out, input),
    t,
    language,
    out,
    input,
    program,
    async run<T>(words: readonly string[], say: ((said: T) => string) | null = null, stdin?: string) {
      out.line(out.paint("dim", `${t.sameAs} ${shellLine(words)}`));
      const { stdout, stderr, code } = await call(say === null ? words : [...words, "--json"], stdin);
      if (stdout !== "") out.line(say === null ? stdout : say(JSON.parse(stdout) as T));
      if (stderr !== "") out.line(sayError(stderr));
      return code === 0;
    },
    async show(words) {
      out.line(out.paint("dim", `${t.sameAs} ${shellLine(words)}`));
      await out.flush();
      input.pause();
      // Ctrl-C ends what is shown, not the menu.
      const ignore = (): void => {};
      process.on("SIGINT", ignore);
      try {
        await Bun.spawn([...program, ...words], { env, stdin: "inherit", stdout: "inherit", stderr: "inherit" }).exited;
      } finally {
        process.off("SIGINT", ignore);
      }
    },
    async showUntilKey(words) {
      out.line(out.paint("dim", `${t.sameAs} ${shellLine(words)}`));
      await out.flush();
      const child = Bun.spawn([...program, ...words], { env, stdin: "ignore", stdout: "inherit", stderr: "inherit" });
      const end = (): void => child.kill("SIGINT");
      input.setRawMode(true);
      input.resume();
      input.on("data", end);
      try {
        await child.exited;
      } finally {
        input.off("data", end);
        input.setRawMode(false);
        input.pause();
      }
    },
    async query<T>(words: readonly string[]) {
      const { stdout, stderr } = await call([...words, "--json"]);
      if (stdout !== "") return JSON.parse(stdout) as T;
      const [text = "", hint] = stderr.split("\n").map((line) => line.replace(/^(Error|Try): /, ""));
      throw new AppError("unavailable", text, hint === undefined ? {} : { hint });
    },
  };
}

/** This program, compiled or from source. */
function tattileProgram(): string[] {
  return Bun.main.startsWith("/$bunfs/") ? [process.execPath] : [process.execPath, Bun.main];
}

/** The command as a shell takes it. */
function shellLine(words: readonly string[]): string {
  const quoted = words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`));
  return ["tattile", ...quoted].join(" ");
}
