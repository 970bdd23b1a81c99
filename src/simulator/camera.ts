import type { Clock } from "../clock.ts";
import { type CameraLink, type LinkOptions, openLink } from "./camera-link.ts";
import { countBytes } from "./camera-message.ts";
import { type ManifestEntry, type MessageKind, openManifest } from "./manifest.ts";
import { createScene, type SceneMessage, type SceneOptions } from "./scene.ts";
import { createRandom, mixSeed } from "./seeded.ts";

export type { ManifestEntry, MessageKind } from "./manifest.ts";

export interface CameraOptions extends Omit<SceneOptions, "startAt" | "intervalMs">, LinkOptions {
  /** Messages in all; with `durationMs`, whichever comes first. */
  total: number;
  durationMs?: number;
  /** All cameras together; null: flat out. */
  ratePerSecond: number | null;
  /** Messages in one write. */
  batch: number;
  clock: Clock;
  signal: AbortSignal;
  /** Capture time of the first message; now when not given. With it, a run can be repeated byte for byte. */
  startAt?: Date;
  /** JSONL file (0600), appended to as messages are settled. */
  manifestPath?: string;
  onSettled?(entry: () => ManifestEntry): void;
}

export interface CameraRunReport {
  sent: Readonly<Record<MessageKind, number>>;
  confirmed: number;
  /** Not confirmed when the time was over. */
  unconfirmed: number;
  /** Times a batch was sent again. */
  resent: number;
  connections: number;
  bytes: number;
  durationMs: number;
}

/** Flat out, captures are a millisecond apart: they must not all fall into one second. */
const FLAT_OUT_INTERVAL_MS = 1;

/**
 * Runs the cameras until the number or the time is reached and everything is confirmed or given up. Camera i of n sends the
 * messages i, i + n, i + 2n, …; which those are depends on the options alone, not on who is faster. What a camera has not
 * yet sent is only a number, so a long outage costs no memory.
 * @throws AppError `usage` when a serial cannot be written in the protocol asked for
 */
export async function runCameras(options: CameraOptions): Promise<CameraRunReport> {
  const { clock, signal } = options;
  const report = {
    sent: { reading: 0, replay: 0, "not-read": 0, malformed: 0, unregistered: 0 },
    confirmed: 0,
    unconfirmed: 0,
    resent: 0,
    connections: 0,
    bytes: 0,
    durationMs: 0,
  };
  const intervalMs = options.ratePerSecond === null ? FLAT_OUT_INTERVAL_MS : 1000 / options.ratePerSecond;
  const scene = createScene({ ...options, startAt: options.startAt ?? clock.now(), intervalMs });
  const manifest = options.manifestPath === undefined ? null : openManifest(options.manifestPath);
  const startedAt = clock.monotonicMs();

  /** Waits for a message's time. False: it is not to be sent any more. */
  async function waitFor(number: number): Promise<boolean> {
    if (options.ratePerSecond !== null) {
      if (options.durationMs !== undefined && number * intervalMs >= options.durationMs) return false;
      const wait = startedAt + number * intervalMs - clock.monotonicMs();
      if (wait > 0) await clock.sleep(wait, signal);
    } else if (options.durationMs !== undefined && clock.monotonicMs() - startedAt >= options.durationMs) {
      return false;
    }
    return !signal.aborted;
  }

  function settle(batch: readonly SceneMessage[], confirmed: boolean): void {
    for (const { kind, entry } of batch) {
      const settled = (): ManifestEntry => ({ ...entry(), confirmed });
      report.sent[kind] += 1;
      if (confirmed) report.confirmed += 1;
      else report.unconfirmed += 1;
      manifest?.append(settled());
      options.onSettled?.(settled);
    }
  }

  async function runCamera(index: number): Promise<void> {
    const link: CameraLink = openLink(options, createRandom(mixSeed(options.seed, index, 7)));
    let number = index;
    let more = true;
    try {
      while (more) {
        const batch: SceneMessage[] = [];
        while (more && batch.length < options.batch) {
          more = number < options.total && (await waitFor(number));
          if (!more) break;
          batch.push(scene(number));
          number += options.serials.length;
        }
        if (batch.length === 0) break;
        const pieces = batch.flatMap((message) => message.pieces);
        const result = await link.send(pieces);
        report.resent += result.resent;
        report.bytes += countBytes(pieces);
        settle(batch, result.confirmed);
      }
    } finally {
      await link.close();
      report.connections += link.connections();
    }
  }

  try {
    await Promise.all(options.serials.map((_, index) => runCamera(index)));
  } finally {
    manifest?.close();
  }
  report.durationMs = clock.monotonicMs() - startedAt;
  return report;
}
