import { randomBytes, randomUUID } from "node:crypto";
import { link, mkdir, open, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { AppError, systemCode } from "./errors.ts";

const SECRET_BYTES = 32;

/**
 * The secret of this installation in `path` (0600), made at the first start. Two processes that start at once agree on
 * one: whoever links its file first has made it.
 * @throws AppError `config` when the file is there and holds something else
 */
export async function openSecret(path: string): Promise<Uint8Array> {
  const present = await readSecret(path);
  if (present !== null) return present;
  await mkdir(dirname(path), { recursive: true, mode: 0o750 });
  // No number of a process: in two containers that share the folder it is the same.
  const temporary = `${path}.${randomUUID()}.tmp`;
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(randomBytes(SECRET_BYTES));
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(temporary, path);
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolder(dirname(path));
  const made = await readSecret(path);
  if (made === null) throw new AppError("config", `making a secret: the file vanished (${path})`);
  return made;
}

async function readSecret(path: string): Promise<Uint8Array | null> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return null;
    throw new AppError("config", `reading a secret: ${systemCode(error) ?? "error"} (${path})`, { cause: error });
  }
  if (bytes.byteLength === SECRET_BYTES) return bytes;
  throw new AppError("config", `reading a secret: it has ${bytes.byteLength} bytes and not ${SECRET_BYTES} (${path})`, {
    hint: "Put the file back from a backup, or delete it: then replays of older readings are delivered again.",
  });
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
