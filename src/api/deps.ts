import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { Beat } from "../heartbeat.ts";
import type { ImageStore } from "../images/image-store.ts";
import type { Log } from "../log.ts";
import type { Metrics, ProcessSnapshot } from "../metrics.ts";
import type { ParsedMessage, Protocol } from "../reading.ts";
import type { IntakeResult, Quarantined, Store } from "../store/store.ts";
import type { SpoolStatus } from "../store/transfer.ts";

/** One whole message as it arrived over HTTP; what intake.ts takes. */
export interface ReceivedMessage {
  protocol: Protocol;
  parsed: ParsedMessage;
  /** The message itself, for quarantine. */
  bytes: Uint8Array;
  peer: string;
  receivedAt: Date;
  release(): void;
}

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
  /** Takes a reading in: resolves when its fate is durable, rejects when it could not be stored. */
  take(message: ReceivedMessage): Promise<IntakeResult>;
  /** Of this process: what is counted here only, whether its loops turn, and its listener's figures where it has one. */
  metrics: Metrics;
  beats(): readonly Beat[];
  ingestStats(): ProcessSnapshot["ingest"];
  /** Messages may be due now: wakes the sender of this process, where there is one. */
  onDue(): void;
  /** What waits in the spool; null where nothing can be away. */
  spoolStatus(): SpoolStatus | null;
  clock: Clock;
  log: Log;
}
