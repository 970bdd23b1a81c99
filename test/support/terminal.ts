import { join } from "node:path";

/** A program in a real terminal (tmux), as a person sees and drives it. */
export interface Terminal extends AsyncDisposable {
  /** What is on the screen, lines that were wrapped joined. */
  screen(): string;
  /** Waits until the screen is so; the test's own time limit ends it, and `last` says what was there. */
  until(isSo: (screen: string) => boolean, what: string): Promise<string>;
  see(text: string): Promise<string>;
  /** Keys as tmux names them. */
  press(...keys: string[]): void;
  /** In the list that is open: goes down to this line, and Enter. */
  choose(label: string): Promise<void>;
  /** Once this is asked: what stands there is replaced, and Enter. */
  answer(question: string, text: string): Promise<void>;
}

const LOOK_EVERY_MS = 50;
/** Looks that a screen may take to become as it should: a minute, on a machine that is busy with other things. */
const MOST_LOOKS = 400;

export function openTerminal(folder: string, command: readonly string[], env: Record<string, string>): Terminal {
  const socket = join(folder, "tmux");
  const tmux = (...words: string[]): string => {
    const { stdout, stderr, exitCode } = Bun.spawnSync(["tmux", "-u", "-S", socket, "-f", "/dev/null", ...words], {
      env: { PATH: process.env["PATH"] ?? "", LC_ALL: "C.UTF-8", TMPDIR: process.env["TMPDIR"] ?? "/tmp" },
    });
    if (exitCode !== 0) throw new Error(`tmux ${words[0]}: ${stderr}`);
    return stdout.toString();
  };
  const environment = Object.entries({ ...env, TMPDIR: process.env["TMPDIR"] ?? "/tmp" });
  tmux(
    ...["new-session", "-d", "-s", "t", "-x", "100", "-y", "50", "-c", folder],
    ...["env", "-i", "TERM=screen-256color", ...environment.map(([name, value]) => `${name}=${value}`), ...command],
    // The last screen stays for whoever looks.
    ...[";", "set-option", "remain-on-exit", "on"],
  );
  const screen = (): string => tmux("capture-pane", "-p", "-J", "-t", "t").trimEnd();
  const terminal: Terminal = {
    screen,
    async until(isSo, what) {
      for (let look = 0; look < MOST_LOOKS; look += 1) {
        const shown = screen();
        if (isSo(shown)) return shown;
        await Bun.sleep(LOOK_EVERY_MS);
      }
      throw new Error(`the terminal never showed ${what}; it shows:\n${screen()}`);
    },
    see: (text) => terminal.until((shown) => shown.includes(text), text),
    press: (...keys) => {
      tmux("send-keys", "-t", "t", ...keys);
    },
    async choose(label) {
      const isOpen = (shown: string): boolean => listOf(shown).some((line) => line.slice(2).startsWith(label));
      for (;;) {
        const lines = listOf(await terminal.until(isOpen, `a list with ${label}`));
        const at = lines.findIndex((line) => line.startsWith("●"));
        if (lines[at]?.slice(2).startsWith(label)) break;
        terminal.press("Down");
        await terminal.until((shown) => listOf(shown).findIndex((line) => line.startsWith("●")) !== at, "a step down");
      }
      const before = screen();
      terminal.press("Enter");
      await terminal.until((shown) => shown !== before, `what follows ${label}`);
    },
    async answer(question, text) {
      // A text prompt has the question above, a secret one before what is typed.
      const isAsked = (shown: string): boolean =>
        shown
          .split("\n")
          .slice(-2)
          .some((line) => line.startsWith(`❯ ${question}`) || line.startsWith(question));
      await terminal.until(isAsked, question);
      terminal.press("C-u");
      if (text !== "") tmux("send-keys", "-t", "t", "-l", "--", text);
      const before = screen();
      terminal.press("Enter");
      await terminal.until((shown) => shown !== before, `what follows ${question}`);
    },
    async [Symbol.asyncDispose]() {
      Bun.spawnSync(["tmux", "-S", socket, "kill-server"]);
      await Bun.sleep(0);
    },
  };
  return terminal;
}

/** The lines of the list that is open. */
function listOf(shown: string): string[] {
  return shown.split("\n").filter((line) => /^[●○] /.test(line));
}
