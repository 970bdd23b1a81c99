import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { AppError, systemCode } from "./errors.ts";

/**
 * Writes a file whole or not at all: a temporary name beside it, fsync, rename, fsync of the folder.
 * @throws AppError `unavailable` naming the file; what was there before is unchanged then
 */
export async function writeFileDurably(path: string, text: string, mode: number): Promise<void> {
  const temporary = `${path}.${randomUUID()}.new`;
  try {
    const file = await open(temporary, "wx", mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    const folder = await open(dirname(path));
    await folder.sync().finally(() => folder.close());
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new AppError("unavailable", `writing a file: ${systemCode(cause) ?? "error"} (${path})`, {
      hint: "Name a file in a folder that can be written; as root write to standard output instead (> FILE).",
      cause,
    });
  }
}
