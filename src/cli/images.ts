import type { MessageFilter } from "../store/messages.ts";
import type { OperatorStore } from "../store/store.ts";
import type { CommandContext } from "./context.ts";

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
