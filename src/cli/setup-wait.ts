import { type Answer, BACK } from "./setup-dialog.ts";
import type { Kit } from "./setup-kit.ts";

const LOOK_EVERY_MS = 500;
/** Esc, Ctrl-C, Ctrl-D. */
const END_KEYS = ["\x1b", "\x03", "\x04"];

/** Looks again and again until `look` finds something, or a key says that it is enough. `text`: what is waited for. */
export async function waitFor<T>(kit: Kit, text: () => string, look: () => Promise<T | null>): Promise<Answer<T>> {
  const { input, out } = kit;
  let over = false;
  let wake = (): void => {};
  const onData = (keys: string): void => {
    if (!END_KEYS.includes(keys)) return;
    over = true;
    wake();
  };
  input.setRawMode(true);
  input.setEncoding("utf8");
  input.on("data", onData);
  input.resume();
  try {
    while (!over) {
      out.progress(text());
      const found = await look();
      if (found !== null) return found;
      if (over) break;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, LOOK_EVERY_MS);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return BACK;
  } finally {
    input.off("data", onData);
    input.setRawMode(false);
    input.pause();
    out.clearProgress();
  }
}
