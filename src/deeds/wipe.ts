import { listOrphans, ORPHAN_AGE_MS } from "../cleanup.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { eraseMany, type ImageStore } from "../images/image-store.ts";
import type { WipeKind } from "../store/holdings.ts";
import type { MessageFilter } from "../store/messages.ts";
import { wipeSpool } from "../store/spool-open.ts";
import type { Store } from "../store/store.ts";

/** By noun: `held message` is 3. */
export type Counts = Readonly<Record<string, number>>;

export interface WipeDeps {
  store: Store;
  images: ImageStore;
  quarantine: ImageStore;
  config: Pick<Config, "dataDir">;
  clock: Clock;
  /** Told now and then, for eyes. */
  onProgress?(text: string): void;
  /** Between two steps: whether the rest must wait for another call. Not asked: all of it. */
  isOver?(): boolean;
}

/** Of discard: any store of pictures will do that can erase. */
export type DiscardDeps = Pick<WipeDeps, "onProgress" | "isOver"> & { images: Pick<ImageStore, "erase"> };

/** Messages whose rows go before their pictures do; then the next. Their paths take a few megabytes. */
const DISCARD_STEP = 10_000;
/** The same where somebody waits for an answer. */
const SHORT_STEP = 1000;
const HELD_STEP = 500;

/** What is there to be erased. */
export async function countWipe(
  kind: WipeKind,
  store: Pick<Store, "summarize" | "countUnqueued" | "countQuarantine" | "countPictured">,
): Promise<Counts> {
  if (kind === "images") return { "stored reading with images": await store.countPictured() };
  const { byStatus } = await store.summarize();
  if (kind === "queue") return { "waiting reading": byStatus.PENDING + byStatus.FAILED };
  return {
    "stored reading": byStatus.PENDING + byStatus.FAILED + byStatus.DEAD + (await store.countUnqueued(null)),
    "held message": await store.countQuarantine(),
  };
}

/** Erases it; what is being sent at this moment stays. @returns what was erased, and whether there is more */
export async function runWipe(kind: WipeKind, deps: WipeDeps): Promise<{ erased: Counts; more: boolean }> {
  switch (kind) {
    case "queue": {
      const { readings, images, more } = await discard({ statuses: ["PENDING", "FAILED"] }, deps);
      return { erased: { reading: readings, image: images }, more };
    }
    case "readings":
      return wipeReadings(deps);
    case "images":
      return wipeImages(deps);
  }
}

/** Part by part: in each the readings forget their pictures, then the pictures go. */
async function wipeImages(deps: WipeDeps): Promise<{ erased: Counts; more: boolean }> {
  const step = stepOf(deps);
  let reading = 0;
  let image = 0;
  let more = false;
  for (let after = 0; !more; ) {
    const { readings, imagePaths, last } = await deps.store.detachImages(step, after);
    reading += readings;
    image += await eraseImages(imagePaths, deps);
    if (readings < step) break;
    after = last;
    more = deps.isOver?.() === true;
  }
  const orphans = more ? NONE : await eraseOrphans(deps);
  return { erased: { reading, image: image + orphans.images }, more: more || orphans.more };
}

const stepOf = ({ isOver }: Pick<WipeDeps, "isOver">): number => (isOver === undefined ? DISCARD_STEP : SHORT_STEP);

async function wipeReadings(deps: WipeDeps): Promise<{ erased: Counts; more: boolean }> {
  const { store, quarantine, config, clock } = deps;
  const discarded = await discard({}, deps);
  const left = discarded.more ? { readings: 0, images: 0, more: true } : await discardUnqueued(null, deps);
  let held = 0;
  let more = left.more;
  while (!more) {
    // Rows first: a row without its file would be a message that cannot be shown; a file without its row is swept.
    const step = await store.listQuarantine({}, HELD_STEP);
    await quarantine.erase(await store.dropQuarantined(step.map(({ id }) => id)));
    held += step.length;
    if (step.length < HELD_STEP) break;
    deps.onProgress?.(`erased: ${held} held messages`);
    more = deps.isOver?.() === true;
  }
  const spooled = more ? 0 : await wipeSpool(config, clock);
  const orphans = more ? NONE : await eraseOrphans(deps);
  const reading = discarded.readings + left.readings + spooled;
  const image = discarded.images + left.images + orphans.images;
  return { erased: { reading, image, "held message": held }, more: more || orphans.more };
}

/**
 * Messages with readings and pictures, part by part: rows before pictures in each. What was to go and has not yet is still
 * whole when it is interrupted.
 */
export async function discard(
  filter: MessageFilter,
  deps: DiscardDeps & { store: Pick<Store, "discardMessages"> },
): Promise<{ readings: number; images: number; more: boolean }> {
  const step = stepOf(deps);
  let readings = 0;
  let images = 0;
  for (;;) {
    const { messages, imagePaths } = await deps.store.discardMessages(filter, step);
    readings += messages;
    images += await eraseImages(imagePaths, deps);
    if (messages < step) return { readings, images, more: false };
    if (deps.isOver?.() === true) return { readings, images, more: true };
    deps.onProgress?.(`erased: ${readings} readings`);
  }
}

/** The same for readings that the replaced system left without a message: of one camera, or (null) of all. */
export async function discardUnqueued(
  cameraSerial: string | null,
  deps: DiscardDeps & { store: Pick<Store, "discardUnqueued"> },
): Promise<{ readings: number; images: number; more: boolean }> {
  const step = stepOf(deps);
  let readings = 0;
  let images = 0;
  for (;;) {
    const gone = await deps.store.discardUnqueued(cameraSerial, step);
    readings += gone.readings;
    images += await eraseImages(gone.imagePaths, deps);
    if (gone.readings < step) return { readings, images, more: false };
    if (deps.isOver?.() === true) return { readings, images, more: true };
  }
}

function eraseImages(paths: readonly string[], { images, onProgress }: DiscardDeps): Promise<number> {
  return eraseMany(images, paths, (done) => onProgress?.(`erasing images: ${done} of ${paths.length}`));
}

const NONE = { images: 0, more: false };

/** Pictures that no reading refers to. However late it is, it ends only after it erased some: each call begins at the first folder again. */
async function eraseOrphans({ store, images, clock, isOver }: WipeDeps): Promise<{ images: number; more: boolean }> {
  const before = new Date(clock.now().getTime() - ORPHAN_AGE_MS);
  let erased = 0;
  for await (const orphans of listOrphans(images, (paths) => store.findReferenced(paths), before)) {
    erased += await images.erase(orphans);
    if (erased > 0 && isOver?.() === true) return { images: erased, more: true };
  }
  return { images: erased, more: false };
}

/** `12 readings, 24 images`; what is none is left out. */
export function describeCounts(counts: Counts): string {
  const parts = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([noun, count]) => (count === 1 ? `1 ${noun}` : `${count.toLocaleString("en")} ${plural(noun)}`));
  return parts.join(", ") || "nothing";
}

/** `stored reading with images` is many `stored readings with images`. */
function plural(noun: string): string {
  const [first = "", ...rest] = noun.split(" with ");
  const many = first.endsWith("y") ? `${first.slice(0, -1)}ies` : `${first}s`;
  return [many, ...rest].join(" with ");
}

/** Fields of JSON: `held message` is `heldMessages`. */
export function countFields(counts: Counts): Counts {
  const name = (noun: string): string => plural(noun).replace(/ (\w)/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(counts).map(([noun, count]) => [name(noun), count]));
}
