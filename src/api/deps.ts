import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { ImageStore } from "../images/image-store.ts";
import type { Log } from "../log.ts";
import type { ParsedMessage } from "../reading.ts";
import type { IntakeResult, Quarantined, Store } from "../store/store.ts";
import type { SpoolStatus } from "../store/transfer.ts";

/** What the API works with; what other services do comes as functions. */
export interface ApiDeps {
  config: Config;
  store: Store;
  images: ImageStore;
  quarantine: ImageStore;
  /** Held messages: taking one in again, and what can be understood of its bytes. */
  held: {
    retry(held: Quarantined): Promise<IntakeResult | null>;
    understand(held: Quarantined, bytes: Uint8Array): ParsedMessage;
  };
  /** Messages may be due now: wakes the sender of this process, where there is one. */
  onDue(): void;
  /** What waits in the spool; null where nothing can be away. */
  spoolStatus(): SpoolStatus | null;
  clock: Clock;
  log: Log;
}
