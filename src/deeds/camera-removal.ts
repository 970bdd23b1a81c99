import { AppError } from "../errors.ts";
import { eraseMany } from "../images/image-store.ts";
import type { Camera } from "../store/registry.ts";
import type { Store } from "../store/store.ts";
import { type DiscardDeps, discard } from "./wipe.ts";

/**
 * Takes cameras away with all that is stored of them: rows, then pictures, then what may still be readable of the rows. Each
 * is switched off first; were this interrupted, the service would deliver what is left and then remove it.
 * @throws AppError `conflict` while a reading of one is being sent; then nothing was done
 */
export async function eraseCameras(
  cameras: readonly Camera[],
  deps: DiscardDeps & { store: Store },
): Promise<{ readings: number; images: number }> {
  const { store } = deps;
  const sending = (await store.countQueue()).filter(({ status }) => status === "SENDING");
  const busy = cameras.find(({ id }) => sending.some(({ cameraId }) => cameraId === id));
  if (busy !== undefined) {
    throw new AppError("conflict", `removing the camera ${busy.serial}: a reading of it is being sent`, {
      hint: "try again in a moment, or let what waits be delivered first",
    });
  }
  let readings = 0;
  let images = 0;
  for (const { id, serial } of cameras) {
    await store.retireCamera(id);
    const gone = await discard({ cameraSerial: serial }, deps);
    const last = await store.removeCamera(id, true);
    readings += gone.readings + last.readings;
    images += gone.images + (await eraseMany(deps.images, last.imagePaths));
  }
  await store.scrub();
  return { readings, images };
}
