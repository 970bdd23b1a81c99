import readline from "node:readline";
import { type ConsolaInstance, consola } from "consola";

/**
 * consola's prompts, in a form that works under Bun. They keep readline quiet by giving it a tty.WriteStream whose `_write`
 * they replace; Bun's has a `write` of its own that never calls it (seen in 1.4.5). Then readline draws on the screen too,
 * lists are a line off, and a text comes out undefined. So for as long as a prompt lasts, such a stream's `write` does
 * what its `_write` says. With `cancel: "symbol"`, Esc and Ctrl-C give a symbol.
 */
export const promptConsola: ConsolaInstance["prompt"] = async (message, options) => {
  const create = readline.createInterface;
  readline.createInterface = ((given: readline.ReadLineOptions, ...rest: []) => {
    const { output } = given;
    if (output !== undefined && Object.hasOwn(output, "_write")) obeyOwnWrite(output);
    return create(given, ...rest);
  }) as typeof readline.createInterface;
  try {
    return await consola.prompt(message, options);
  } finally {
    readline.createInterface = create;
  }
};

type Done = (error?: Error | null) => void;

function obeyOwnWrite(stream: NodeJS.WritableStream): void {
  const { _write } = stream as unknown as { _write: (chunk: Buffer, encoding: string, done: Done) => void };
  stream.write = (chunk: string | Uint8Array, encoding?: unknown, done?: Done): boolean => {
    const after = typeof encoding === "function" ? (encoding as Done) : (done ?? (() => {}));
    _write.call(stream, Buffer.from(chunk as string), "buffer", after);
    return true;
  };
}
