import type { TagAliases } from "./camera/fields.ts";
import { parseLectorVisionText } from "./camera/lectorvision.ts";
import { parseTattileTlv } from "./camera/tattile-tlv.ts";
import { parseTattileXml } from "./camera/tattile-xml.ts";
import type { Clock } from "./clock.ts";
import { AppError, errorText, isStoreAway, systemCode } from "./errors.ts";
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
    intake: Pick<Intake, "accept">;
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
/** One that cannot be taken up is tried again ever later: its file is read each time. */
const LONGEST_WAIT_MS = 600_000;

/**
 * Takes up held messages whose camera has been registered. One that cannot be taken up keeps none of the others back, and is
 * told of once. @returns how to stop it
 */
export function startAdoption(parts: {
  store: Pick<OperatorStore, "listAdoptable" | "dropQuarantined">;
  quarantine: ImageStore;
  intake: Pick<Intake, "accept">;
  tagAliases: TagAliases;
  /** Called at each turn of the loop: it still turns. */
  onTurn(): void;
  log: Log;
  clock: Clock;
}): () => Promise<void> {
  const { store, quarantine, intake, tagAliases, log, clock } = parts;
  const stopping = new AbortController();
  /** What could not be taken up; no more of them than the quarantine holds. */
  let bad: ReadonlyMap<number, { waitMs: number; dueMs: number }> = new Map();

  /** Looks at all of them once. @throws when the store is away */
  async function round(): Promise<void> {
    const stillBad = new Map<number, { waitMs: number; dueMs: number }>();
    let taken = 0;
    try {
      for (let after = 0; ; ) {
        const adoptable = await store.listAdoptable(ADOPT_STEP, after);
        for (const held of adoptable) {
          parts.onTurn();
          if (stopping.signal.aborted) return;
          after = held.id;
          const earlier = bad.get(held.id);
          if (earlier !== undefined && clock.monotonicMs() < earlier.dueMs) {
            stillBad.set(held.id, earlier);
            continue;
          }
          try {
            await retryQuarantined(held, { intake, quarantine, store, tagAliases });
            taken += 1;
          } catch (error) {
            if (isStoreAway(error)) throw error;
            const waitMs = Math.min((earlier?.waitMs ?? ADOPT_EVERY_MS / 2) * 2, LONGEST_WAIT_MS);
            stillBad.set(held.id, { waitMs, dueMs: clock.monotonicMs() + waitMs });
            if (earlier === undefined)
              log.warn("a held message could not be taken up yet; it is tried again", {
                id: held.id,
                error: said(error),
              });
          }
        }
        if (adoptable.length < ADOPT_STEP) break;
      }
      bad = stillBad;
    } catch (error) {
      bad = new Map([...bad, ...stillBad]);
      throw error;
    } finally {
      if (taken > 0) log.info("held messages of newly registered cameras were taken up", { messages: taken });
    }
  }

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      parts.onTurn();
      try {
        await round();
      } catch (error) {
        // An outage of the store was said by whoever met it first.
        if (!isStoreAway(error)) log.warn("held messages could not be looked at", { error: errorText(error) });
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

/** A parser that stumbles may quote what it read, a plate among it: of an error that was not thrown on purpose, only the kind. */
function said(error: unknown): string {
  if (error instanceof AppError) return error.message;
  return systemCode(error) ?? (error instanceof Error ? error.name : "error");
}
