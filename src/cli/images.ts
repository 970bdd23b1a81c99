import { eraseMany } from "../images/image-store.ts";
import type { MessageFilter, OperatorStore } from "../store/store.ts";
import type { CommandContext } from "./context.ts";

/** Messages whose rows go before their pictures do; then the next. Their paths take a few megabytes. */
const DISCARD_STEP = 10_000;

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

/**
 * Erases messages with readings and pictures, part by part: rows before pictures in each. What was to go and has not yet is
 * still whole when it is interrupted.
 */
export async function discardWithImages(
  filter: MessageFilter,
  store: Pick<OperatorStore, "discardMessages">,
  context: CommandContext,
): Promise<{ readings: number; images: number }> {
  let readings = 0;
  let images = 0;
  for (;;) {
    const { messages, imagePaths } = await store.discardMessages(filter, DISCARD_STEP);
    readings += messages;
    images += await eraseImages(imagePaths, context);
    if (messages < DISCARD_STEP) return { readings, images };
    context.out.progress(`erased: ${readings} readings`);
  }
}
