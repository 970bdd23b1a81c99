import { statfs } from "node:fs/promises";
import type { Config } from "../config.ts";
import { AppError, systemCode } from "../errors.ts";
import type { Space } from "./image-store.ts";

/** Where a reading needs room: its rows, the spool and held messages below DATA_DIR, its pictures perhaps on another disk. */
export function foldersOfReadings(config: Pick<Config, "imagesUrl" | "imagesDir" | "dataDir">): readonly string[] {
  return config.imagesUrl === null ? [config.imagesDir, config.dataDir] : [config.dataDir];
}

/**
 * The space of the fullest of the disks on which these folders lie; one that is not there yet says nothing.
 * @throws AppError `unavailable` when a disk does not answer
 */
export async function readSpace(folders: readonly string[]): Promise<Space> {
  let least: Space | null = null;
  for (const folder of folders) {
    try {
      const { bavail, blocks, bsize } = await statfs(folder);
      const space = { freeBytes: bavail * bsize, totalBytes: blocks * bsize, folder };
      if (least === null || space.freeBytes < least.freeBytes) least = space;
    } catch (cause) {
      if (systemCode(cause) === "ENOENT") continue;
      throw new AppError("unavailable", `looking at the disk: ${systemCode(cause) ?? "error"} (${folder})`, { cause });
    }
  }
  return least ?? { freeBytes: 0, totalBytes: 0, folder: folders.at(-1) ?? "" };
}
