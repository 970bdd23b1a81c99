import type { CommandContext } from "./context.ts";

/**
 * Erases picture files whose rows are gone already; what stays behind after a crash here is an orphan that the service
 * sweeps. @returns how many there were.
 */
export async function eraseImages(paths: readonly string[], context: CommandContext): Promise<number> {
  if (paths.length === 0) return 0;
  const { openImages } = await import("../images/open.ts");
  const images = openImages(await context.config());
  try {
    let erased = 0;
    for (let at = 0; at < paths.length; at += 1000) {
      erased += await images.erase(paths.slice(at, at + 1000));
      context.out.progress(`erasing images: ${at} of ${paths.length}`);
    }
    return erased;
  } finally {
    images.close();
    context.out.clearProgress();
  }
}
