import { formatBytes } from "../format.ts";
import type { ImageStore } from "../images/image-store.ts";
import type { Store } from "../store/store.ts";
import { defineTattileCommand } from "./command.ts";
import type { CommandContext } from "./context.ts";
import { JSON_ARG } from "./registry-output.ts";

const STEP = 500;
const LOOKS_AT_ONCE = 32;
const MOST_NAMED = 10;

interface Files {
  checked: number;
  /** Ids of readings whose picture is gone, the first few. */
  missing: { count: number; readings: readonly number[] };
  orphans: { images: number; quarantine: number };
  heldMissing: number;
}

export const dbCheck = defineTattileCommand({
  name: "db check",
  summary: "look through the database and its pictures for damage",
  notes: [
    "Reads everything: the file's integrity, references, counts, every picture of every reading, every file without a reading.",
    "Changes nothing. Files without a reading are no loss: the service erases them. Exit code 1 when something is wrong.",
  ],
  examples: ["tattile db check", "tattile db check --json"],
  args: JSON_ARG,
  async run(args, context) {
    const { out } = context;
    const store = await context.store();
    const info = store.info();
    out.progress("looking through the database");
    const faults = await store.findFaults();
    const files = await checkFiles(store, context);
    out.clearProgress();
    const good = faults.length === 0 && files.missing.count === 0;
    if (args.json) out.json({ good, store: info, faults, files });
    else {
      const size = await sizeOf(context);
      out.facts([
        ["store", `${info.kind} ${info.version}, schema ${info.schemaVersion}${size}: ${info.location}`],
        ["database", faults.length === 0 ? "good" : `${faults.length} faults`],
        ["pictures", `${files.checked} looked at, ${files.missing.count} missing`],
        ["without a reading", `${files.orphans.images} pictures, ${files.orphans.quarantine} held messages`],
        ["held messages", `${files.heldMissing} without their file`],
      ]);
      for (const fault of faults) out.line(`${out.paint("bad", "FAULT")} ${fault}`);
      if (files.missing.count > 0) {
        const more = files.missing.count > MOST_NAMED ? ", …" : "";
        out.line(
          `${out.paint("bad", "FAULT")} pictures are missing of the readings ${files.missing.readings.join(", ")}${more}`,
        );
        out.line("  mend: restore the pictures, or tattile queue discard ID");
      }
      if (faults.length > 0) out.line("  mend: stop the service, tattile db restore FILE");
      if (good) out.line(out.paint("good", "Nothing is wrong."));
    }
    return good ? 0 : 1;
  },
});

async function checkFiles(store: Store, context: CommandContext): Promise<Files> {
  const [{ listOrphans, ORPHAN_AGE_MS }, { openImages, openQuarantine }] = await Promise.all([
    import("../cleanup.ts"),
    import("../images/open.ts"),
  ]);
  const config = await context.config();
  const [images, quarantine] = [openImages(config), openQuarantine(config)];
  try {
    const before = new Date(context.now().getTime() - ORPHAN_AGE_MS);
    const orphans = {
      images: await countAll(listOrphans(images, (paths) => store.findReferenced(paths), before)),
      quarantine: await countAll(listOrphans(quarantine, (paths) => store.findHeld(paths), before)),
    };
    const { checked, missing } = await checkPictures(store, images, context);
    const held = await store.listQuarantine({}, 1_000_000);
    const heldPaths = held.map(({ path }) => path).filter((path) => path !== null);
    const lost = await listMissing(heldPaths, quarantine);
    const heldMissing = (await store.findHeld(lost)).size;
    return { checked, missing, orphans, heldMissing };
  } finally {
    images.close();
    quarantine.close();
  }
}

async function checkPictures(store: Store, images: ImageStore, { out }: CommandContext) {
  let checked = 0;
  let count = 0;
  const readings: number[] = [];
  for (let after = 0, full = true; full; ) {
    const step = await store.listPictured(after, STEP);
    for (const { readingId, paths } of step) {
      const lost = await listMissing(paths, images);
      checked += paths.length;
      // Delivered and erased since it was listed: then no reading refers to it any more.
      const missing = lost.length === 0 ? 0 : (await store.findReferenced(lost)).size;
      count += missing;
      if (missing > 0 && readings.length < MOST_NAMED) readings.push(readingId);
    }
    out.progress(`looking at pictures: ${checked}`);
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

async function sizeOf(context: CommandContext): Promise<string> {
  const config = await context.config();
  if (config.database !== null) return "";
  const { stat } = await import("node:fs/promises");
  return `, ${formatBytes((await stat(config.databasePath)).size)}`;
}
