import type { Static } from "typebox";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { Finding } from "../finding.ts";
import type { Beat } from "../heartbeat.ts";
import type { ImageStore } from "../images/image-store.ts";
import type { Log } from "../log.ts";
import type { Metrics, ProcessSnapshot } from "../metrics.ts";
import type { ParsedMessage, Protocol } from "../reading.ts";
import type { PfxContents } from "../soap/certificate.ts";
import type { WipeKind } from "../store/holdings.ts";
import type { MessageFilter } from "../store/messages.ts";
import type { Camera, Municipality } from "../store/registry.ts";
import type { IntakeResult, Quarantined, Store } from "../store/store.ts";
import type { SpoolStatus } from "../store/transfer.ts";
import type { SentByHand, Totals } from "./deed-schemas.ts";

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

type Audited = <T>(detail: string, run: () => Promise<T>) => Promise<T>;
type Counts = Readonly<Record<string, number>>;

interface Gone {
  readings: number;
  images: number;
  /** Pictures that could not be erased, while their readings were; they are swept later. */
  failure: Error | null;
}

/** What is done for an operator with more than the store. */
export interface Deeds {
  totals(): Promise<Static<typeof Totals>>;
  /** Takes cameras away with all that is stored of them; `leaving`: those that go with what is being sent of them. */
  eraseCameras(cameras: readonly Camera[]): Promise<Gone & { leaving: readonly string[] }>;
  /** The same of a municipality that is to go after them. @throws AppError `conflict` while one must stay for what is being sent */
  eraseCamerasOf(municipality: string, cameras: readonly Camera[]): Promise<Gone>;
  /** Erases messages with readings and pictures, part by part; not what is being sent. */
  discard(filter: MessageFilter): Promise<Gone>;
  /** Looks at everything that can be wrong, for a minute at most. */
  doctor(): Promise<readonly Finding[]>;
  countWipe(kind: WipeKind): Promise<{ counts: Counts; text: string }>;
  /** Ends between two steps once `isOver`. */
  runWipe(kind: WipeKind, isOver: () => boolean): Promise<{ counts: Counts; more: boolean }>;
  stageCertificate(
    contents: PfxContents,
    options: { municipality: Municipality; alias: string | null; dryRun: boolean },
    audited: Audited,
  ): Promise<{ tried: string; state: "checked" | "signing" | "staged" }>;
  send(
    given: { camera: Camera; plate: string | null; ocr: Uint8Array | null; ctx: Uint8Array | null; dryRun: boolean },
    audited: Audited,
  ): Promise<Static<typeof SentByHand>>;
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
  /** Loaded when it is first asked for: few ask, and it takes memory. */
  deeds(): Promise<Deeds>;
  /** Messages may be due now: wakes the sender of this process, where there is one. */
  onDue(): void;
  /** What waits in the spool; null where nothing can be away. */
  spoolStatus(): SpoolStatus | null;
  clock: Clock;
  log: Log;
}
