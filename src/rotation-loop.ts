import { makeCertificateCurrent } from "./certificate-files.ts";
import type { Clock } from "./clock.ts";
import { errorText, isStoreAway } from "./errors.ts";
import type { IdentityStore } from "./identity-store.ts";
import type { Log } from "./log.ts";
import { type RotationDeps, stepRotations } from "./rotation.ts";
import type { AuditLog } from "./store/audit.ts";

/** A certificate signs at most so long after its first valid moment. */
const ROTATE_EVERY_MS = 5000;

/** Brings certificates that wait for their first valid moment into use, again and again. @returns how to stop it */
export function startRotations(parts: {
  store: RotationDeps["store"] & Pick<AuditLog, "recordAudit">;
  identities: IdentityStore;
  certsDir: string;
  clock: Clock;
  log: Log;
  /** There is something to send with another certificate. */
  onSwitched(): void;
  /** Called at each turn of the loop: it still turns. */
  onTurn(): void;
}): () => Promise<void> {
  const { store, identities, certsDir, clock, log } = parts;
  const deps: RotationDeps = {
    store,
    isUsable: async (certificate) => (await identities.usable([certificate])).has(certificate.id),
    note: (detail) =>
      store.recordAudit({ who: "tattile (service)", what: "certificate rotate", messageId: null, detail }, clock.now()),
    onSwitched: ({ keyPath }) => {
      if (keyPath !== null) makeCertificateCurrent(certsDir, keyPath);
      parts.onSwitched();
    },
    now: clock.now,
    log,
  };
  const stopping = new AbortController();
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      parts.onTurn();
      try {
        await stepRotations(deps);
      } catch (error) {
        // An outage of the store was said by whoever met it first.
        if (!isStoreAway(error))
          log.warn("rotations of certificates could not be looked at", { error: errorText(error) });
      }
      await clock.sleep(ROTATE_EVERY_MS, stopping.signal);
    }
  };
  const loop = run();
  return async () => {
    stopping.abort();
    await loop;
  };
}
