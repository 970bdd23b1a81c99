import { randomUUID } from "node:crypto";
import { mkdirSync, renameSync } from "node:fs";
import { opendir, readFile, rmdir, stat, unlink, writeFile } from "node:fs/promises";
import { release } from "node:os";
import { dirname, join } from "node:path";
import { AppError, systemCode } from "../errors.ts";
import { resolveImagePath } from "../image-path.ts";
import { readSpace } from "./disk-space.ts";
import { createFilesystemSync, type FilesystemSync } from "./filesystem-sync.ts";
import type { ImageStore } from "./image-store.ts";

/** Folders known to exist, so that a reading costs no mkdir; forgotten all at once at the bound. */
const KNOWN_FOLDERS = 4096;
/** A folder written to within this time stays when emptied: the next reading would only make it again, at two syncs' cost. */
const FOLDER_IN_USE_MS = 60_000;

/**
 * Files below `root` (made when missing: folders 0750, files 0640). A file is written under its final name with O_EXCL:
 * nothing refers to it before `flush` made it durable, so a torn one is only an orphan.
 * @param sync for tests: a disk that fails
 */
export function openDiskStore(
  root: string,
  sync?: FilesystemSync,
  monotonicMs: () => number = () => performance.now(),
): ImageStore {
  mkdirSync(root, { recursive: true, mode: 0o750 });
  const filesystem = sync ?? createFilesystemSync(root, release());
  /** When each was last written to. */
  const knownFolders = new Map<string, number>();
  const inUse = (folder: string): boolean => monotonicMs() - (knownFolders.get(folder) ?? -Infinity) < FOLDER_IN_USE_MS;
  let unsynced: string[] = [];
  let unsyncedAgain: string[] = [];
  let flushing: Promise<void> = Promise.resolve();

  /** Never with the system's own text as cause: it names the file, and the file the plate. */
  const failed = (doing: string, error: unknown): AppError =>
    new AppError("unavailable", `${doing}: ${systemCode(error) ?? "error"} (${root})`, {
      hint: "Free some space, check the disk, and that files and folders belong to the user tattile runs as.",
    });

  const ensureFolder = (folder: string): void => {
    if (!knownFolders.has(folder)) {
      mkdirSync(folder, { recursive: true, mode: 0o750 });
      if (knownFolders.size >= KNOWN_FOLDERS) knownFolders.clear();
    }
    knownFolders.set(folder, monotonicMs());
  };

  /** In a thread of the runtime's pool: creating and writing are a third of what a reading costs. @returns false when the name is taken */
  async function create(file: string, bytes: Uint8Array): Promise<boolean> {
    const folder = dirname(file);
    for (let attempt = 0; ; attempt++) {
      try {
        ensureFolder(folder);
        await writeFile(file, bytes, { flag: "wx", mode: 0o640 });
        return true;
      } catch (error) {
        if (systemCode(error) === "EEXIST") return false;
        // The last picture of this folder was erased, and the folder with it, since we looked.
        if (systemCode(error) !== "ENOENT" || attempt >= 3) {
          // Only what was begun here: where opening failed, the file of that name is another reading's.
          if ((error as NodeJS.ErrnoException).syscall === "write") await unlink(file).catch(() => {});
          throw failed("writing an image", error);
        }
        knownFolders.delete(folder);
      }
    }
  }

  async function rewrite(file: string, bytes: Uint8Array): Promise<void> {
    const temporary = `${file}.${randomUUID()}.tmp`;
    try {
      if (bytesEqual(await readFile(file), bytes)) return;
      await writeFile(temporary, bytes, { flag: "wx", mode: 0o640 });
      renameSync(temporary, file);
    } catch (error) {
      await unlink(temporary).catch(() => {});
      throw error instanceof AppError ? error : failed("writing an image", error);
    }
  }

  async function removeEmpty(folder: string): Promise<void> {
    for (let current = folder; current.length > root.length && current.startsWith(root); current = dirname(current)) {
      if (inUse(current)) return;
      knownFolders.delete(current);
      try {
        await rmdir(current);
      } catch (error) {
        if (!isMissing(error)) return;
      }
    }
  }

  async function* walk(folder: string): AsyncGenerator<Awaited<ReturnType<typeof readFolder>>> {
    const listed = await readFolder(root, folder);
    if (listed.files.length > 0) yield listed;
    for (const name of listed.folders) yield* walk(folder === "" ? name : `${folder}/${name}`);
    if (listed.files.length === 0) await removeEmpty(join(root, folder));
  }

  return {
    refusesTaken: true,

    async put(path, bytes) {
      const file = resolveImagePath(root, path);
      if (!(await create(file, bytes))) return false;
      unsynced.push(file);
      return true;
    },

    async replace(path, bytes) {
      const file = resolveImagePath(root, path);
      if (!(await create(file, bytes))) await rewrite(file, bytes);
      // Also when it was whole: a process that died may have written it and synced nothing.
      unsynced.push(file);
    },

    flush() {
      const result = flushing.then(async () => {
        const files = [...unsyncedAgain, ...unsynced];
        unsynced = [];
        unsyncedAgain = [];
        if (files.length === 0) return;
        try {
          await filesystem.sync(files);
        } catch (error) {
          // Kept for the next flush, except what the caller erases meanwhile; bounded by what one group writes.
          unsyncedAgain = files;
          throw error;
        }
      });
      flushing = result.catch(() => {});
      return result;
    },

    async read(path) {
      try {
        return await readFile(resolveImagePath(root, path));
      } catch (error) {
        if (isMissing(error)) return null;
        throw failed("reading an image", error);
      }
    },

    async has(path) {
      const found = await stat(resolveImagePath(root, path)).catch((error: unknown) => {
        if (isMissing(error)) return null;
        throw failed("looking for an image", error);
      });
      return found?.isFile() === true;
    },

    async erase(paths) {
      const gone = new Set<string>();
      let erased = 0;
      const folders = new Set<string>();
      let first: AppError | null = null;
      for (const path of paths) {
        const file = resolveImagePath(root, path);
        gone.add(file);
        folders.add(dirname(file));
        try {
          await unlink(file);
          erased += 1;
        } catch (error) {
          // One that cannot be erased keeps none of the others.
          if (!isMissing(error)) first ??= failed("erasing an image", error);
        }
      }
      if (unsyncedAgain.length > 0) unsyncedAgain = unsyncedAgain.filter((file) => !gone.has(file));
      if (unsynced.length > 0) unsynced = unsynced.filter((file) => !gone.has(file));
      for (const folder of folders) await removeEmpty(folder);
      if (first !== null) throw first;
      return erased;
    },

    async *list() {
      yield* walk("");
    },

    space: () => readSpace([root]),

    close() {
      filesystem.close();
    },
  };
}

function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function isMissing(error: unknown): boolean {
  const code = systemCode(error);
  return code === "ENOENT" || code === "ENOTDIR";
}

async function readFolder(root: string, folder: string) {
  const files: { name: string; modifiedAt: Date }[] = [];
  const folders: string[] = [];
  try {
    for await (const entry of await opendir(join(root, folder))) {
      if (entry.isDirectory()) folders.push(entry.name);
      else if (entry.isFile()) {
        const info = await stat(join(root, folder, entry.name)).catch(() => null);
        if (info !== null) files.push({ name: entry.name, modifiedAt: info.mtime });
      }
    }
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  return { folder, files, folders };
}
