import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { systemClock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { ImageStore } from "../images/image-store.ts";
import { createLog } from "../log.ts";
import type { ParsedMessage } from "../reading.ts";
import { keepRunFiles } from "../run-file.ts";
import type { OperatorStore, Quarantined } from "../store/store.ts";
import { version } from "../version.ts";
import type { CommandContext } from "./context.ts";

/** The place of held messages. The caller closes it. */
async function openQuarantine(config: Config): Promise<ImageStore> {
  const { openQuarantine } = await import("../images/open.ts");
  return openQuarantine(config);
}

/** What the parsers make of a held message today; null when its content was not kept or is gone. */
export async function parseHeld(held: Quarantined, config: Config): Promise<ParsedMessage | null> {
  if (held.path === null) return null;
  const { parseAgain } = await import("../adoption.ts");
  const quarantine = await openQuarantine(config);
  try {
    const bytes = await quarantine.read(held.path);
    return bytes === null ? null : parseAgain(held, Buffer.from(bytes), config.transit.tagAliases);
  } finally {
    quarantine.close();
  }
}

/**
 * Puts held messages through the intake once more, as if they had just come. A service that runs beside sees what was
 * queued at its next look.
 * @returns how many became what; `gone` are those whose content was not kept
 */
export async function retryHeld(
  held: readonly Quarantined[],
  context: CommandContext,
): Promise<ReadonlyMap<string, number>> {
  const [{ retryQuarantined }, { createIntake }, { openImages }, { openSecret }] = await Promise.all([
    import("../adoption.ts"),
    import("../intake.ts"),
    import("../images/open.ts"),
    import("../secret-file.ts"),
  ]);
  const config = await context.config();
  const store = await context.store();
  const images = openImages(config);
  const quarantine = await openQuarantine(config);
  const counts = new Map<string, number>();
  const log = createLog({
    level: "warn",
    journal: false,
    write: (line) => context.out.note(line.trimEnd()),
    now: context.now,
  });
  // Seen by a service that starts meanwhile: it must not take our pictures for orphans.
  const runFiles = await keepRunFiles(["quarantine-retry"], config.dataDir, version, systemClock, log);
  try {
    const intake = createIntake({
      store,
      images,
      quarantine,
      cameraTimezone: config.cameraTimezone,
      dedupeSecret: await openSecret(join(config.dataDir, "dedupe.key")),
      clock: systemClock,
      log,
      randomId: randomUUID,
      onQueued() {},
    });
    for (const [index, one] of held.entries()) {
      const result =
        (await retryQuarantined(one, { intake, quarantine, store, tagAliases: config.transit.tagAliases })) ?? "gone";
      counts.set(result, (counts.get(result) ?? 0) + 1);
      context.out.progress(`taking in: ${index + 1} of ${held.length}`);
    }
    await intake.drain();
    return counts;
  } finally {
    await runFiles.remove();
    images.close();
    quarantine.close();
  }
}

/** Rows first: a row without its file would be a message that cannot be shown; a file without its row is swept. */
export async function eraseHeld(
  held: readonly Quarantined[],
  store: OperatorStore,
  context: CommandContext,
): Promise<void> {
  if (held.length === 0) return;
  const files = await openQuarantine(await context.config());
  try {
    for (let at = 0; at < held.length; at += 500) {
      const paths = await store.dropQuarantined(held.slice(at, at + 500).map((h) => h.id));
      await files.erase(paths);
      context.out.progress(`erasing held messages: ${at} of ${held.length}`);
    }
  } finally {
    files.close();
  }
}
