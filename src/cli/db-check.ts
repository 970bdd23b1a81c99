import { errorText, isStoreAway } from "../errors.ts";
import { formatBytes } from "../format.ts";
import type { StoreInfo } from "../store/store.ts";
import { defineTattileCommand } from "./command.ts";
import { adoptOwner, type CommandContext } from "./context.ts";
import { checkFiles, type Files, namesOf } from "./file-check.ts";
import { JSON_ARG } from "./registry-output.ts";
import { checkSpool, printSpoolFaults, type SpoolCheck, spoolFacts } from "./spool-check.ts";

interface StoreCheck {
  info: StoreInfo;
  faults: readonly string[];
  files: Files;
}

export const dbCheck = defineTattileCommand({
  name: "db check",
  summary: "look through the database and its pictures for damage",
  notes: [
    "Reads everything: the file's integrity, references, counts, every picture of every reading, every file without a reading;",
    "and the same of the spool of this machine, where readings wait while PostgreSQL or the bucket is away.",
    "Changes nothing. Files without a reading are no loss: the service erases them. Exit code 1 when something is wrong.",
  ],
  examples: ["tattile db check", "tattile db check --json"],
  args: JSON_ARG,
  async run(args, context) {
    const { out } = context;
    const config = await context.config();
    await adoptOwner(config.dataDir);
    const spool = await checkSpool(config, context.now(), (text) => out.progress(text));
    let checked: StoreCheck;
    try {
      checked = await checkStore(context);
    } catch (error) {
      out.clearProgress();
      // Nothing waits here: then there is nothing more to say than that.
      if (spool === null || !isStoreAway(error)) throw error;
      if (args.json) out.json({ good: false, error: errorText(error), spool });
      else out.facts(spoolFacts(spool));
      printSpoolFaults(args.json ? null : spool, out);
      throw error;
    }
    out.clearProgress();
    const { info: store, faults, files } = checked;
    const good = faults.length === 0 && files.missing.count === 0 && (spool?.good ?? true);
    if (args.json) out.json({ good, store, faults, files, spool });
    else await print(checked, spool, context);
    return good ? 0 : 1;
  },
});

async function checkStore(context: CommandContext): Promise<StoreCheck> {
  const { out } = context;
  const config = await context.config();
  const store = await context.store();
  out.progress("looking through the database");
  const faults = await store.findFaults();
  const { openImages, openQuarantine } = await import("../images/open.ts");
  const [images, quarantine] = [openImages(config), openQuarantine(config)];
  try {
    const files = await checkFiles(store, { images, quarantine }, context.now(), (text) => out.progress(text));
    return { info: store.info(), faults, files };
  } finally {
    images.close();
    quarantine.close();
  }
}

async function print({ info, faults, files }: StoreCheck, spool: SpoolCheck | null, context: CommandContext) {
  const { out } = context;
  const size = await sizeOf(context);
  out.facts([
    ["store", `${info.kind} ${info.version}, schema ${info.schemaVersion}${size}: ${info.location}`],
    ["database", faults.length === 0 ? "good" : `${faults.length} faults`],
    ["pictures", `${files.checked} looked at, ${files.missing.count} missing`],
    ["without a reading", `${files.orphans.images} pictures, ${files.orphans.quarantine} held messages`],
    ["held messages", `${files.heldMissing} without their file`],
    ...spoolFacts(spool),
  ]);
  for (const fault of faults) out.line(`${out.paint("bad", "FAULT")} ${fault}`);
  if (files.missing.count > 0) {
    out.line(`${out.paint("bad", "FAULT")} pictures are missing of the readings ${namesOf(files.missing)}`);
    out.line("  mend: restore the pictures, or tattile queue discard ID");
  }
  if (faults.length > 0) out.line("  mend: stop the service, tattile db restore FILE");
  printSpoolFaults(spool, out);
  if (faults.length === 0 && files.missing.count === 0 && (spool?.good ?? true)) {
    out.line(out.paint("good", "Nothing is wrong."));
  }
}

async function sizeOf(context: CommandContext): Promise<string> {
  const config = await context.config();
  if (config.database !== null) return "";
  const { stat } = await import("node:fs/promises");
  return `, ${formatBytes((await stat(config.databasePath)).size)}`;
}
