import type { TagAliases } from "./camera/fields.ts";
import { parseLectorVisionText } from "./camera/lectorvision.ts";
import { parseTattileTlv } from "./camera/tattile-tlv.ts";
import { parseTattileXml } from "./camera/tattile-xml.ts";
import type { Clock } from "./clock.ts";
import { errorText, isStoreAway } from "./errors.ts";
import type { ImageStore } from "./images/image-store.ts";
import type { Intake } from "./intake.ts";
import type { Log } from "./log.ts";
import type { ParsedMessage } from "./reading.ts";
import type { IntakeResult, OperatorStore, Quarantined } from "./store/store.ts";

/**
 * Puts a held message through the intake again: its camera is registered now, or an operator asks for it. Exactly once
 * into the queue even when the process dies half-way: what was queued already is a duplicate the second time.
 * @returns what became of it; null when its content was not kept or is gone (then the row is dropped)
 */
export async function retryQuarantined(
  held: Quarantined,
  deps: {
    intake: Intake;
    quarantine: ImageStore;
    store: Pick<OperatorStore, "dropQuarantined">;
    tagAliases: TagAliases;
  },
): Promise<IntakeResult | null> {
  const bytes = held.path === null ? null : await deps.quarantine.read(held.path);
  let result: IntakeResult | null = null;
  if (bytes !== null) {
    result = await deps.intake.accept({
      protocol: held.protocol,
      parsed: parseAgain(held, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), deps.tagAliases),
      bytes,
      peer: held.peer,
      receivedAt: held.receivedAt,
      release() {},
    });
  }
  await deps.store.dropQuarantined([held.id]);
  if (held.path !== null) await deps.quarantine.erase([held.path]);
  return result;
}

/** What the parsers make of a held message today. */
export function parseAgain(held: Quarantined, bytes: Buffer, aliases: TagAliases): ParsedMessage {
  switch (held.protocol) {
    case "tattile-xml":
      return parseTattileXml(bytes, aliases);
    case "tattile-tlv":
      return parseTattileTlv(bytes, aliases);
    case "lector-vision":
      return parseLectorVisionText(bytes);
  }
}

/** How often held messages are looked at whose camera may have been registered meanwhile. */
const ADOPT_EVERY_MS = 3000;
const ADOPT_STEP = 20;

/** Takes up held messages whose camera has been registered. @returns how to stop it */
export function startAdoption(parts: {
  store: Pick<OperatorStore, "listAdoptable" | "dropQuarantined">;
  quarantine: ImageStore;
  intake: Intake;
  tagAliases: TagAliases;
  /** Called at each turn of the loop: it still turns. */
  onTurn(): void;
  log: Log;
  clock: Clock;
}): () => Promise<void> {
  const { store, quarantine, intake, tagAliases, log, clock } = parts;
  const stopping = new AbortController();
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      parts.onTurn();
      try {
        const adoptable = await store.listAdoptable(ADOPT_STEP);
        for (const held of adoptable) await retryQuarantined(held, { intake, quarantine, store, tagAliases });
        if (adoptable.length > 0)
          log.info("held messages of newly registered cameras were taken up", { messages: adoptable.length });
        if (adoptable.length === ADOPT_STEP) continue;
      } catch (error) {
        // An outage of the store was said by whoever met it first.
        if (!isStoreAway(error)) log.warn("held messages could not be taken up yet", { error: errorText(error) });
      }
      await clock.sleep(ADOPT_EVERY_MS, stopping.signal);
    }
  };
  const loop = run();
  return async () => {
    stopping.abort();
    await loop;
  };
}
