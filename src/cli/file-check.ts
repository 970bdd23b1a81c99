import type { ImageStore } from "../images/image-store.ts";
import type { Store } from "../store/store.ts";

const STEP = 500;
const LOOKS_AT_ONCE = 32;
const MOST_NAMED = 10;
const MOST_HELD = 1_000_000;

/** What rows and files have of each other. */
export interface Files {
  /** Pictures that a reading refers to. */
  checked: number;
  /** Ids of readings whose picture is gone, the first few. */
  missing: { count: number; readings: readonly number[] };
  /** Files that no row refers to. */
  orphans: { images: number; quarantine: number };
  heldMissing: number;
}

/** Whose rows are compared with the files beside them. */
export type CheckedRows = Pick<Store, "findReferenced" | "findHeld" | "listPictured" | "listQuarantine">;

/** Compares rows and files, both ways. Files that came less than ten minutes ago may still get their row: they do not count. */
export async function checkFiles(
  rows: CheckedRows,
  { images, quarantine }: { images: ImageStore; quarantine: ImageStore },
  now: Date,
  onProgress: (text: string) => void,
): Promise<Files> {
  const { listOrphans, ORPHAN_AGE_MS } = await import("../cleanup.ts");
  const before = new Date(now.getTime() - ORPHAN_AGE_MS);
  const orphans = {
    images: await countAll(listOrphans(images, (paths) => rows.findReferenced(paths), before)),
    quarantine: await countAll(listOrphans(quarantine, (paths) => rows.findHeld(paths), before)),
  };
  const { checked, missing } = await checkPictures(rows, images, onProgress);
  const held = await rows.listQuarantine({}, MOST_HELD);
  const heldPaths = held.map(({ path }) => path).filter((path) => path !== null);
  const lost = await listMissing(heldPaths, quarantine);
  const heldMissing = (await rows.findHeld(lost)).size;
  return { checked, missing, orphans, heldMissing };
}

/** `3, 7, 12`: the readings that are named, and whether there are more. */
export function namesOf({ count, readings }: Files["missing"]): string {
  return `${readings.join(", ")}${count > MOST_NAMED ? ", …" : ""}`;
}

async function checkPictures(rows: CheckedRows, images: ImageStore, onProgress: (text: string) => void) {
  let checked = 0;
  let count = 0;
  const readings: number[] = [];
  for (let after = 0, full = true; full; ) {
    const step = await rows.listPictured(after, STEP);
    for (const { readingId, paths } of step) {
      const lost = await listMissing(paths, images);
      checked += paths.length;
      // Delivered and erased since it was listed: then no reading refers to it any more.
      const missing = lost.length === 0 ? 0 : (await rows.findReferenced(lost)).size;
      count += missing;
      if (missing > 0 && readings.length < MOST_NAMED) readings.push(readingId);
    }
    onProgress(`looking at pictures: ${checked}`);
    after = step.at(-1)?.readingId ?? after;
    full = step.length === STEP;
  }
  return { checked, missing: { count, readings } };
}

async function listMissing(paths: readonly string[], files: ImageStore): Promise<string[]> {
  const lost: string[] = [];
  for (let at = 0; at < paths.length; at += LOOKS_AT_ONCE) {
    const step = paths.slice(at, at + LOOKS_AT_ONCE);
    const there = await Promise.all(step.map((path) => files.has(path)));
    lost.push(...step.filter((_, index) => !there[index]));
  }
  return lost;
}

async function countAll(steps: AsyncIterable<readonly string[]>): Promise<number> {
  let count = 0;
  for await (const step of steps) count += step.length;
  return count;
}
