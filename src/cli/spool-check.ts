import { existsSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../clock.ts";
import type { Config } from "../config.ts";
import { errorText } from "../errors.ts";
import { countOf } from "../format.ts";
import type { SpoolCounts } from "../store/transfer.ts";
import { checkFiles, type Files, namesOf } from "./file-check.ts";
import type { Output } from "./output.ts";

/** How the spool of this machine is. */
export interface SpoolCheck extends SpoolCounts {
  good: boolean;
  faults: readonly string[];
  /** Null when its database cannot be read. */
  files: Files | null;
}

/** Looks through the spool of this machine, also while a service works on it; null when there is none. */
export async function checkSpool(
  config: Pick<Config, "dataDir" | "database" | "imagesUrl">,
  now: Date,
  onProgress: (text: string) => void,
): Promise<SpoolCheck | null> {
  const [{ spoolPath }, { openSpoolFile }, { openDiskStore }] = await Promise.all([
    import("../store/spool-open.ts"),
    import("../store/spool-file.ts"),
    import("../images/disk.ts"),
  ]);
  const path = spoolPath(config.dataDir);
  if (!existsSync(path)) return null;
  onProgress("looking through the spool");
  let file: Awaited<ReturnType<typeof openSpoolFile>> | null = null;
  const open: { close(): void }[] = [];
  const place = (name: string) => {
    const files = openDiskStore(join(config.dataDir, "spool", name));
    open.push(files);
    return files;
  };
  try {
    file = await openSpoolFile({ path, clock: systemClock });
    const faults = [...(await file.findFaults())];
    const files = await checkFiles(file, { images: place("images"), quarantine: place("quarantine") }, now, onProgress);
    const counts = file.count();
    if (counts.waiting + counts.heldMessages > 0 && config.database === null && config.imagesUrl === null) {
      faults.push("readings wait, and nothing empties the spool: neither DATABASE_URL (or DB_…) nor IMAGES_URL is set");
    }
    return { good: faults.length === 0 && files.missing.count === 0, ...counts, faults, files };
  } catch (error) {
    // Damaged, or of a newer tattile: what it holds is not known, and the rest is looked at all the same.
    return { good: false, waiting: 0, heldBack: 0, heldMessages: 0, faults: [errorText(error)], files: null };
  } finally {
    for (const one of open) one.close();
    await file?.close();
  }
}

/** For eyes: how it is in lines of facts. */
export function spoolFacts(spool: SpoolCheck | null): [string, string][] {
  if (spool === null) return [];
  const { waiting, heldBack, heldMessages, files } = spool;
  if (files === null) return [["spool", "cannot be read"]];
  const { checked, missing, orphans, heldMissing } = files;
  return [
    [
      "spool",
      `${countOf(waiting, "reading waits", "readings wait")}, ${heldBack} held back, ${countOf(heldMessages, "held message")}`,
    ],
    [
      "  its files",
      `${checked} pictures looked at, ${missing.count} missing; ${heldMissing} held messages without their file`,
    ],
    ["  without a row", `${orphans.images} pictures, ${orphans.quarantine} held messages`],
  ];
}

/** What is wrong with it, and what to do. */
export function printSpoolFaults(spool: SpoolCheck | null, out: Output): void {
  if (spool === null) return;
  for (const fault of spool.faults) out.line(`${out.paint("bad", "FAULT")} spool: ${fault}`);
  if (spool.files !== null && spool.files.missing.count > 0) {
    out.line(
      `${out.paint("bad", "FAULT")} spool: pictures are missing of its readings ${namesOf(spool.files.missing)}`,
    );
    out.line(
      "  mend: restore the pictures below DATA_DIR/spool/images; without them the readings move on without pictures",
    );
  }
  if (spool.files === null)
    out.line("  mend: stop the service, move DATA_DIR/spool away and keep it, start the service");
}
