import type { CameraErasure } from "../deeds/camera-removal.ts";
import { countOf } from "../format.ts";
import type { Camera } from "../store/registry.ts";
import type { Store } from "../store/store.ts";
import { audited } from "./audited.ts";
import { defineTattileCommand } from "./command.ts";
import type { CommandContext } from "./context.ts";
import { copyImages } from "./keep-images.ts";
import { lookUpCamera } from "./lookup.ts";
import { confirm } from "./prompt.ts";
import { JSON_ARG, REMOVE_ARGS } from "./registry-output.ts";

/** What of some cameras would go with them. */
interface CameraHoldings {
  readings: number;
  imagePaths: readonly string[];
}

/** Counts what is stored of these cameras, in any state, and what the replaced system left without a message. */
export async function holdingsOf(cameras: readonly Camera[], store: Store): Promise<CameraHoldings> {
  if (cameras.length === 0) return { readings: 0, imagePaths: [] };
  const ids = cameras.map(({ id }) => id);
  const readings = (await countWaiting(cameras, store)) + (await store.countUnqueued(ids));
  return { readings, imagePaths: await store.listImagePaths(ids) };
}

/** What of these cameras is in the queue, in any state. */
async function countWaiting(cameras: readonly Camera[], store: Store): Promise<number> {
  const counts = await store.countQueue();
  return counts
    .filter(({ cameraId }) => cameras.some(({ id }) => id === cameraId))
    .reduce((sum, { count }) => sum + count, 0);
}

/** `12 readings that are stored and 24 images`. */
export function describeHoldings({ readings, imagePaths }: CameraHoldings): string {
  return `${countOf(readings, "stored reading")} and ${countOf(imagePaths.length, "image")}`;
}

/** Takes cameras away with all that is stored of them. */
export async function eraseCameras(
  cameras: readonly Camera[],
  store: Store,
  context: CommandContext,
): Promise<CameraErasure> {
  const [{ eraseCameras }, { openImages }] = await Promise.all([
    import("../deeds/camera-removal.ts"),
    import("../images/open.ts"),
  ]);
  const images = openImages(await context.config());
  try {
    return await eraseCameras(cameras, { store, images, onProgress: (text) => context.out.progress(text) });
  } finally {
    images.close();
    context.out.clearProgress();
  }
}

/**
 * Copies the pictures of a camera that is to go. It is switched off before they are listed, so that none arrives behind the
 * list and goes uncopied; when they cannot be copied it stays as it was.
 */
async function copyOfCamera(camera: Camera, folder: string, store: Store, context: CommandContext): Promise<number> {
  const wasLeaving = (await store.listRetiring()).includes(camera.id);
  try {
    return await copyImages(
      async () => {
        await store.retireCamera(camera.id);
        return store.listImagePaths([camera.id]);
      },
      folder,
      context,
    );
  } catch (error) {
    const { id: _, ...value } = camera;
    if (camera.active && !wasLeaving) await store.saveCamera(value);
    throw error;
  }
}

export const removeCamera = defineTattileCommand({
  name: "camera remove",
  summary: "remove a camera, by default with all that is stored of it",
  notes: [
    "A reading and its place in the queue are one: --keep-readings and --keep-queue mean the same. The camera is then switched off, what waits is still delivered, and the service removes the camera with the last of it (DEAD readings after their time).",
    "--keep-images copies the pictures to a folder of yours before they go; nothing erases them there.",
  ],
  examples: [
    "tattile camera remove 2001008851 --dry-run",
    "tattile camera remove 2001008851 --keep-queue",
    "tattile camera remove 2001008851 --keep-images /srv/evidence --yes",
  ],
  args: {
    serial: { kind: "positional", required: true, about: "serial number of the camera, or its id" },
    "keep-readings": { kind: "switch", about: "deliver what waits first, then remove" },
    "keep-queue": { kind: "switch", about: "the same" },
    "keep-images": { kind: "value", hint: "DIR", about: "copy its pictures to this folder first" },
    ...REMOVE_ARGS,
    ...JSON_ARG,
  },
  async run(args, context) {
    const { out } = context;
    const store = await context.store();
    const camera = await lookUpCamera(store, args.serial);
    const retires = args["keep-queue"] || args["keep-readings"];
    const all = await holdingsOf([camera], store);
    const held = retires ? { ...all, readings: await countWaiting([camera], store) } : all;
    const folder = args["keep-images"];
    const copies = folder === undefined ? "" : `copy ${countOf(held.imagePaths.length, "image")} to ${folder}, `;
    const what = retires
      ? `${copies}switch camera ${camera.serial} off and remove it after ${describeHoldings(held)} that wait`
      : `${copies}remove camera ${camera.serial}${held.readings === 0 ? "" : ` and erase ${describeHoldings(held)}, unsent`}`;
    if (args["dry-run"]) {
      const facts = { readings: held.readings, images: held.imagePaths.length };
      return args.json ? out.json({ would: what, ...facts }) : out.line(`would ${what}`);
    }
    await confirm(what, args.yes, context);
    const copied = folder === undefined ? 0 : await copyOfCamera(camera, folder, store, context);
    const kept = folder === undefined ? "" : `, kept ${countOf(copied, "image")} in ${folder}`;
    const isOff = (waiting: number): string =>
      `camera ${camera.serial} is off; it goes with the last of its ${countOf(waiting, "reading")}`;
    if (retires) {
      await audited({ what: "camera remove", detail: what }, context, async () => {
        // While pictures were copied it may have left with its last reading.
        if ((await store.findCamera(camera.serial)) !== null) await store.retireCamera(camera.id);
        await store.removeRetired();
      });
      const removed = (await store.findCamera(camera.serial)) === null;
      const waiting = removed ? 0 : await countWaiting([camera], store);
      if (args.json) out.json({ removed, waiting, copied });
      else out.line(removed ? `removed camera ${camera.serial}` : isOff(waiting));
      return;
    }
    const { readings, images, leaving } = await audited({ what: "camera remove", detail: what }, context, () =>
      eraseCameras([camera], store, context),
    );
    const waiting = leaving.length === 0 ? 0 : await countWaiting([camera], store);
    if (args.json) return out.json({ removed: leaving.length === 0, readings, images, waiting, copied });
    const went = `${countOf(readings, "reading")} and ${countOf(images, "image")}`;
    if (leaving.length > 0) {
      out.line(`erased ${went}${kept}`);
      return out.line(isOff(waiting));
    }
    out.line(`removed camera ${camera.serial}${readings === 0 ? "" : `, erased ${went}`}${kept}`);
  },
});
