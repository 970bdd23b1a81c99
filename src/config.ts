import type { LogLevel } from "./log.ts";

/** Everything that can be set, validated. Durations in ms, sizes in bytes, paths absolute. */
export interface Config {
  logLevel: LogLevel;
  /** Log outcomes of every POST in detail (never plates or images). */
  soapDebug: boolean;
  dataDir: string;
  imagesDir: string;
  certsDir: string;
  quarantineDir: string;
  /** The SQLite file. */
  databasePath: string;
  transit: {
    host: string;
    port: number;
    /** Addresses and CIDRs; empty: everyone. */
    allow: readonly string[];
    maxConnections: number;
    maxMessageBytes: number;
    /** Bytes of unfinished messages in memory, all connections together. */
    bufferBytes: number;
    /** Longest silence in the middle of a message. */
    idleTimeoutMs: number;
    /** Longest time from a message's first byte to its last. */
    messageTimeoutMs: number;
    dedupeDays: number;
  };
  quarantine: { maxCount: number; maxBytes: number; maxDays: number };
  /** Below this much free space no reading is taken in (the cameras keep them); delivery goes on. */
  diskMinFreeBytes: number;
  cameraTimezone: string;
  sender: {
    enabled: boolean;
    pollIntervalMs: number;
    maxBatchSize: number;
    concurrency: number;
    retryMax: number;
    backoffMs: number;
    stuckTimeoutMs: number;
    deadRetentionMs: number;
    /** Longest pause of an endpoint between two probes. */
    pauseMaxMs: number;
  };
  mossos: {
    /** Default endpoint; null: none. */
    endpointUrl: string | null;
    wsdl: string | null;
    timeoutMs: number;
    timezone: string;
    successCodes: readonly string[];
  };
  api: { host: string; port: number };
}
