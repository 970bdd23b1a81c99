import { AppError } from "../errors.ts";
import type { Catalogue } from "../i18n/catalogue.ts";
import { promptConsola } from "./consola-prompt.ts";
import type { Output } from "./output.ts";
import { askHidden } from "./prompt.ts";

/** What a question gives when the operator wants back instead. */
export const BACK = Symbol("back");
export type Answer<T> = T | typeof BACK;

export interface Choice<T> {
  label: string;
  hint?: string;
  value: T;
}

export interface TextQuestion {
  /** Stands there already, to be taken or changed. */
  initial?: string;
  placeholder?: string;
  mayBeEmpty?: boolean;
  /** @returns what is wrong with it, or null */
  check?: (text: string) => string | null;
}

/** Questions to a person at a terminal. Esc or Ctrl-C at any of them is BACK. */
export interface Dialog {
  /** A list to pick from; the way back is always its last line. */
  choose<T>(question: string, choices: readonly Choice<T>[], back?: string): Promise<Answer<T>>;
  ask(question: string, options?: TextQuestion): Promise<Answer<string>>;
  /** Is not shown while it is typed. */
  askSecret(question: string): Promise<Answer<string>>;
  /** Not yes until yes is picked. */
  isSure(question: string): Promise<boolean>;
  say(text: string): void;
  /** Leaves what is on the screen until a key says that it was read: a list that opens below would push it away. */
  pause(): Promise<void>;
}

export function createDialog(t: Catalogue, out: Output, input: NodeJS.ReadStream): Dialog {
  const pick = async (
    question: string,
    labels: readonly { label: string; hint?: string }[],
  ): Promise<number | null> => {
    out.clearProgress();
    await out.flush();
    const options = labels.map((choice, index) => ({ ...choice, value: `${index}` }));
    const picked: unknown = await promptConsola(question, { type: "select", options, cancel: "symbol" });
    input.pause();
    return typeof picked === "string" ? Number(picked) : null;
  };
  return {
    async choose(question, choices, back = t.back) {
      const at = await pick(question, [...choices, { label: back }]);
      const choice = at === null ? undefined : choices[at];
      return choice === undefined ? BACK : choice.value;
    },
    async ask(question, { initial = "", placeholder, mayBeEmpty = false, check } = {}) {
      let shown = initial;
      for (;;) {
        out.clearProgress();
        await out.flush();
        const given: unknown = await promptConsola(question, {
          type: "text",
          cancel: "symbol",
          ...(shown === "" ? {} : { initial: shown }),
          // Without one consola shows "undefined" for an empty answer.
          placeholder: placeholder ?? "",
        });
        input.pause();
        if (typeof given === "symbol") return BACK;
        const text = typeof given === "string" ? given.trim() : "";
        const problem = text === "" ? (mayBeEmpty ? null : t.mustNotBeEmpty) : (check?.(text) ?? null);
        if (problem === null) return text;
        out.line(out.paint("warn", problem));
        shown = text;
      }
    },
    async askSecret(question) {
      await out.flush();
      try {
        return await askHidden(question, input);
      } catch (error) {
        if (error instanceof AppError && error.code === "usage") return BACK;
        throw error;
      }
    },
    async isSure(question) {
      // No first: a key pressed once too often must not erase anything.
      return (await pick(question, [{ label: t.no }, { label: t.yes }])) === 1;
    },
    say: (text) => out.line(text),
    async pause() {
      out.line(out.paint("dim", t.goOn));
      await out.flush();
      input.setRawMode(true);
      input.resume();
      await new Promise<void>((resolve) => input.once("data", () => resolve()));
      input.setRawMode(false);
      input.pause();
    },
  };
}

/** Offers deeds until the operator goes back. */
export async function offer(
  dialog: Pick<Dialog, "choose">,
  question: string,
  deeds: readonly Choice<() => Promise<unknown>>[],
): Promise<void> {
  for (;;) {
    const picked = await dialog.choose(question, deeds);
    if (picked === BACK) return;
    await picked();
  }
}

/** Puts an answer where it belongs; BACK stays BACK. */
export function keep<T>(answer: Answer<T>, set: (value: T) => void): Answer<"next"> {
  if (answer === BACK) return BACK;
  set(answer);
  return "next";
}

/**
 * Asks one thing after another; BACK asks the one before again. A step that has nothing to ask says `skip`.
 * @returns false: the operator went back past the first
 */
export async function inOrder(steps: readonly (() => Promise<Answer<"next" | "skip">>)[]): Promise<boolean> {
  let direction = 1;
  for (let at = 0; at < steps.length; at += direction) {
    const said = await steps[at]?.();
    if (said === BACK) direction = -1;
    else if (said === "next") direction = 1;
    if (at + direction < 0) return false;
  }
  return true;
}
