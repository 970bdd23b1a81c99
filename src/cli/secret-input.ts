import { readFile } from "node:fs/promises";
import { MAX_PFX_BYTES } from "../certificate-import.ts";
import { AppError, systemCode } from "../errors.ts";
import type { CommandContext } from "./context.ts";
import { readStdin } from "./prompt.ts";

/** @throws AppError `not-found` or `invalid` naming the file */
export async function readPfxFile(path: string): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new AppError("not-found", `reading the PFX file: ${systemCode(cause) ?? "unreadable"} (${path})`, { cause });
  }
  if (bytes.byteLength <= MAX_PFX_BYTES) return bytes;
  throw new AppError(
    "invalid",
    `reading the PFX file: ${bytes.byteLength} bytes, at most ${MAX_PFX_BYTES} are one (${path})`,
  );
}

/** @returns null: neither file nor standard input was named, it has to be asked for */
export async function readPassword(
  file: string | undefined,
  stdin: boolean,
  context: CommandContext,
): Promise<string | null> {
  if (file !== undefined && stdin) {
    throw new AppError("usage", "cert: --password-file and --password-stdin exclude each other");
  }
  if (stdin) return readStdin(context.input);
  return file === undefined ? null : readFirstLine("--password-file", file);
}

/** What a file says that is for nobody's eyes: its first line. @throws AppError `not-found` naming flag and file */
export async function readFirstLine(flag: string, path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new AppError("not-found", `reading ${flag}: ${systemCode(cause) ?? "unreadable"} (${path})`, { cause });
  });
  return text.split(/\r?\n/)[0] ?? "";
}
