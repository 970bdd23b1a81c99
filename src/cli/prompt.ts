import { AppError } from "../errors.ts";
import type { CommandContext } from "./context.ts";

/** In each language that the question is asked in. */
const YES = ["yes", "sí", "si"];

/**
 * Asks before something is erased. `--yes` goes ahead at once; without it and without a terminal nothing is done, since
 * a script that forgot it must stop rather than erase.
 * @param what the deed with its numbers: `erase 12 messages with their images`
 * @throws AppError `usage` when nobody can be asked or the answer is not yes
 */
export async function confirm(what: string, yes: boolean, context: CommandContext): Promise<void> {
  if (yes) return;
  if (!context.input.isTTY) {
    throw new AppError("usage", `${what}: nobody to ask (no terminal)`, {
      hint: "say --yes to go ahead, or --dry-run to only look",
    });
  }
  context.out.clearProgress();
  const question = context.out.aside(`This will ${what}. Type yes to go ahead: `);
  const answer = await readLine(context.input, question, "shown");
  if (!YES.includes(answer.trim().toLowerCase().normalize())) {
    throw new AppError("usage", `${what}: not confirmed, nothing was changed`, { hint: "answer yes, or say --yes" });
  }
}

/** Asks for a password on the terminal without showing it. @throws AppError `usage` without a terminal. */
export async function askPassword(question: string, context: CommandContext): Promise<string> {
  if (!context.input.isTTY) {
    throw new AppError("usage", "asking for the password: no terminal", {
      hint: "give it with --password-file FILE or --password-stdin",
    });
  }
  return askHidden(context.out.aside(question), context.input);
}

/** The same of any terminal; Esc gives up too. @throws AppError `usage` when it is given up */
export function askHidden(question: string, input: NodeJS.ReadStream): Promise<string> {
  return readLine(input, question, "hidden");
}

/** Asks for one line on the terminal, which shows what is typed. @throws AppError `usage` without a terminal. */
export async function askLine(question: string, context: CommandContext): Promise<string> {
  if (!context.input.isTTY) {
    throw new AppError("usage", `asking (${question.trim()}): no terminal`, { hint: "give it as a flag; see --help" });
  }
  return readLine(context.input, context.out.aside(question), "shown");
}

const ENTER = /[\r\n]/;
const INTERRUPT = "\x03";
const END = "\x04";
const ESCAPE = "\x1b";
const ERASE_ALL = "\x15";
const ERASE = /[\b\x7f]/;

/** One line from a terminal in raw mode, so that a hidden one never shows; Ctrl-C and Ctrl-D give up. */
function readLine(input: NodeJS.ReadStream, question: string, echo: "shown" | "hidden"): Promise<string> {
  // Before the question: what is typed the moment it appears must not show either.
  input.setRawMode(true);
  input.setEncoding("utf8");
  process.stderr.write(question);
  return new Promise((resolve, reject) => {
    let text = "";
    const erase = (): void => {
      if (text !== "" && echo === "shown") process.stderr.write("\b \b");
      text = [...text].slice(0, -1).join("");
    };
    const finish = (): void => {
      input.off("data", onData);
      input.setRawMode(false);
      input.pause();
      process.stderr.write("\n");
    };
    const giveUp = (): void => {
      finish();
      reject(new AppError("usage", "asking: given up, nothing was changed"));
    };
    const onData = (chunk: string): void => {
      // Alone it is the key; at the head of more it is an arrow or the like, which means nothing here.
      if (chunk === ESCAPE) giveUp();
      if (chunk.startsWith(ESCAPE)) return;
      for (const character of chunk) {
        if (ENTER.test(character)) {
          finish();
          resolve(text);
          return;
        }
        if (character === INTERRUPT || character === END) {
          giveUp();
          return;
        }
        if (ERASE.test(character)) {
          erase();
        } else if (character === ERASE_ALL) {
          while (text !== "") erase();
        } else if (character >= " ") {
          text += character;
          if (echo === "shown") process.stderr.write(character);
        }
      }
    };
    input.on("data", onData);
    input.resume();
  });
}

/** Everything on stdin, as text; without a terminal's end-of-line at the end. */
export async function readStdin(input: NodeJS.ReadStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of input) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks)
    .toString("utf8")
    .replace(/\r?\n$/, "");
}
