import { AppError } from "../errors.ts";
import type { Camera } from "../store/registry.ts";
import type { Store } from "../store/store.ts";
import { type DiscardDeps, discard, discardUnqueued } from "./wipe.ts";

/** What went, and the serials of cameras that stay, switched off, until the last of their readings is sent. */
export interface CameraErasure {
  readings: number;
  images: number;
  leaving: readonly string[];
}

/**
 * Takes cameras away with all that is stored of them: rows, then pictures, then what may still be readable of the rows. Each
 * is switched off first; were this interrupted, the service would deliver what is left and then remove it. What is being sent
 * at that moment stays, and its camera goes with it.
 */
export async function eraseCameras(
  cameras: readonly Camera[],
  deps: DiscardDeps & { store: Store },
): Promise<CameraErasure> {
  const { store } = deps;
  let readings = 0;
  let images = 0;
  for (const { id, serial } of cameras) {
    // It may have left with its last reading since it was looked up.
    if ((await store.findCamera(serial)) === null) continue;
    await store.retireCamera(id);
    const gone = await discard({ cameraSerial: serial }, deps);
    const left = await discardUnqueued(serial, deps);
    readings += gone.readings + left.readings;
    images += gone.images + left.images;
  }
  await store.removeRetired();
  const leaving: string[] = [];
  for (const { serial } of cameras) if ((await store.findCamera(serial)) !== null) leaving.push(serial);
  await store.scrub();
  return { readings, images, leaving };
}

/** @throws AppError `conflict` while cameras stay that were to go with the municipality: it cannot go before them */
export function requireGone(municipality: string, { readings, leaving }: CameraErasure): void {
  if (leaving.length === 0) return;
  throw new AppError(
    "conflict",
    `removing the municipality ${municipality}: readings of ${leaving.join(", ")} are being sent (erased so far: ${readings})`,
    { hint: "try again in a moment: its cameras are off and go with their last reading" },
  );
}
