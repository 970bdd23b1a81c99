import { resolve } from "node:path";
import { AppError } from "../errors.ts";
import type { CommandContext } from "./context.ts";

/**
 * Copies pictures to a folder of the operator's before their readings go; durable when it resolves. What lies there is no
 * longer tattile's: nothing erases it.
 * @param listPaths asked once the folder is known to be there
 * @returns how many there were
 */
export async function copyImages(
  listPaths: () => Promise<readonly string[]>,
  folder: string,
  context: CommandContext,
): Promise<number> {
  const [{ openDiskStore }, { openImages }] = await Promise.all([
    import("../images/disk.ts"),
    import("../images/open.ts"),
  ]);
  const images = openImages(await context.config());
  const target = openTarget(() => openDiskStore(resolve(folder)), folder);
  try {
    const paths = await listPaths();
    let copied = 0;
    for (const [index, path] of paths.entries()) {
      const bytes = await images.read(path);
      if (bytes === null) continue;
      // False: an earlier try that was cut short has left it there. The name holds moment and plate, so it is the same.
      await target.put(path, bytes);
      copied += 1;
      context.out.progress(`copying images: ${index + 1} of ${paths.length}`);
    }
    await target.flush();
    return copied;
  } finally {
    images.close();
    target.close();
    context.out.clearProgress();
  }
}

function openTarget<T>(open: () => T, folder: string): T {
  try {
    return open();
  } catch (cause) {
    throw new AppError("unavailable", `opening --keep-images: the folder cannot be made or written (${folder})`, {
      hint: "name a folder that the service's user may write",
      cause,
    });
  }
}
