import { eraseMany } from "../images/image-store.ts";
import type { MessageFilter, OperatorStore } from "../store/store.ts";
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
    return await eraseMany(images, paths, (done) => context.out.progress(`erasing images: ${done} of ${paths.length}`));
  } finally {
    images.close();
    context.out.clearProgress();
  }
}

/** Erases messages with readings and pictures; see discard. */
export async function discardWithImages(
  filter: MessageFilter,
  store: Pick<OperatorStore, "discardMessages">,
  context: CommandContext,
): Promise<{ readings: number; images: number }> {
  const [{ discard }, { openImages }] = await Promise.all([import("../deeds/wipe.ts"), import("../images/open.ts")]);
  const images = openImages(await context.config());
  try {
    return await discard(filter, { store, images, onProgress: (text) => context.out.progress(text) });
  } finally {
    images.close();
    context.out.clearProgress();
  }
}
