import { closeSync, openSync, writeSync } from "node:fs";
import type { Clock } from "../clock.ts";
import { wallClockAt } from "../time-zone.ts";
import { type CameraLink, openLink } from "./camera-link.ts";
import {
  buildTattileXml,
  buildTlvMessage,
  createSyntheticImage,
  plateOf,
  type SimulatedImage,
  type SimulatedReading,
} from "./camera-message.ts";
import { createRandom, mixSeed } from "./seeded.ts";

export const MESSAGE_KINDS = ["reading", "replay", "not-read", "malformed", "unregistered"] as const;
export type MessageKind = (typeof MESSAGE_KINDS)[number];

/** What was sent, one line of the manifest. Holds the plate. */
export interface ManifestEntry {
  kind: MessageKind;
  serial: string;
  plate: string;
  date: string;
  /** `HH:MM:SS`, as the police get it. */
  time: string;
  transitId: number;
  ocrSha256: string | null;
  ctxSha256: string | null;
  /** The receiver's FIN came after it (or, where none is waited for, TCP took it). */
  confirmed: boolean;
}

export interface CameraOptions {
  host: string;
  port: number;
  serials: readonly string[];
  /** Everything is derived from it. */
  seed: number;
  /** Messages in all; with `durationMs`, whichever comes first. */
  total: number;
  durationMs?: number;
  /** All cameras together; null: flat out. */
  ratePerSecond: number | null;
  protocol: "xml" | "tlv" | "mixed";
  /** Wait for the receiver's FIN after each batch, and send again after a reset, as a camera with an SD card does. */
  acknowledged: boolean;
  /** One connection for many messages; without acknowledgement only. */
  keepOpen: boolean;
  /** Messages in one write. */
  batch: number;
  /** Cut the bytes at random places. */
  split: boolean;
  /** Longest pause in the middle of a message, ms; 0: none. */
  pauseMs: number;
  shares: Readonly<Partial<Record<Exclude<MessageKind, "reading">, number>>>;
  /** Given pictures are sent in turn; else synthetic ones of these sizes. */
  images: readonly { ocr: SimulatedImage; ctx: SimulatedImage | null }[] | { ocrBytes: number; ctxBytes: number };
  /** A different synthetic picture in every message; false: one for each camera. */
  distinctImages: boolean;
  /** Time after which what is not confirmed is given up. */
  giveUpAfterMs: number;
  timezone: string;
  clock: Clock;
  signal: AbortSignal;
  /** JSONL file (0600), appended to as messages are settled. */
  manifestPath?: string;
  onSettled?(entry: ManifestEntry): void;
}

export interface CameraRunReport {
  sent: Readonly<Record<MessageKind, number>>;
  confirmed: number;
  /** Not confirmed when the time was over. */
  unconfirmed: number;
  /** Times a batch was sent again. */
  resent: number;
  bytes: number;
}

/** Runs the cameras until the number or the time is reached and everything is settled. */
export async function runCameras(options: CameraOptions): Promise<CameraRunReport> {
  const { clock } = options;
  const report = {
    sent: { reading: 0, replay: 0, "not-read": 0, malformed: 0, unregistered: 0 },
    confirmed: 0,
    unconfirmed: 0,
    resent: 0,
    bytes: 0,
  };
  const manifest = options.manifestPath === undefined ? null : openSync(options.manifestPath, "a", 0o600);
  const startedAt = clock.monotonicMs();
  let taken = 0;

  /** The number of the next message, in its time; null when all are taken. */
  async function takeNumber(): Promise<number | null> {
    if (options.signal.aborted || taken >= options.total) return null;
    if (options.durationMs !== undefined && clock.monotonicMs() - startedAt >= options.durationMs) return null;
    const number = taken++;
    if (options.ratePerSecond !== null) {
      const dueAt = startedAt + (number * 1000) / options.ratePerSecond;
      const wait = dueAt - clock.monotonicMs();
      if (wait > 0) await clock.sleep(wait, options.signal);
    }
    return number;
  }

  function settle(entries: readonly ManifestEntry[], confirmed: boolean): void {
    for (const entry of entries) {
      const settled = { ...entry, confirmed };
      report.sent[entry.kind] += 1;
      if (confirmed) report.confirmed += 1;
      else report.unconfirmed += 1;
      if (manifest !== null) writeSync(manifest, `${JSON.stringify(settled)}\n`);
      options.onSettled?.(settled);
    }
  }

  async function runCamera(index: number, serial: string): Promise<void> {
    const scene = createScene(options, index, serial);
    const link: CameraLink = openLink(options, createRandom(mixSeed(options.seed, index, 7)));
    try {
      for (;;) {
        const batch: { entry: ManifestEntry; pieces: Buffer[] }[] = [];
        while (batch.length < options.batch) {
          const number = await takeNumber();
          if (number === null) break;
          batch.push(scene.next(number));
        }
        if (batch.length === 0) return;
        const pieces = batch.flatMap((message) => message.pieces);
        const result = await link.send(pieces);
        report.resent += result.resent;
        report.bytes += pieces.reduce((sum, piece) => sum + piece.length, 0);
        settle(
          batch.map(({ entry }) => entry),
          result.confirmed,
        );
      }
    } finally {
      await link.close();
    }
  }

  try {
    await Promise.all(options.serials.map((serial, index) => runCamera(index, serial)));
  } finally {
    if (manifest !== null) closeSync(manifest);
  }
  return report;
}

const ROOTS = ["root", "MESSAGE", "Msg"];

/** What one camera sees, one message after the other. */
function createScene(options: CameraOptions, index: number, serial: string) {
  const random = createRandom(mixSeed(options.seed, index));
  let last: { entry: ManifestEntry; pieces: Buffer[] } | null = null;

  const draw = (): MessageKind => {
    let at = random();
    for (const kind of ["replay", "not-read", "malformed", "unregistered"] as const) {
      at -= options.shares[kind] ?? 0;
      if (at < 0) return kind === "replay" && last === null ? "reading" : kind;
    }
    return "reading";
  };

  const imagesOf = (number: number): { ocr: SimulatedImage; ctx: SimulatedImage | null } => {
    if ("ocrBytes" in options.images) {
      const { ocrBytes, ctxBytes } = options.images;
      const which = options.distinctImages ? number : index;
      return {
        ocr: cachedImage(ocrBytes, options.seed, which, options.distinctImages),
        ctx: ctxBytes === 0 ? null : cachedImage(ctxBytes, options.seed + 1, which, options.distinctImages),
      };
    }
    const pair = options.images[number % options.images.length];
    if (pair === undefined) throw new Error("simulating a camera: no pictures given");
    return pair;
  };

  return {
    next(number: number): { entry: ManifestEntry; pieces: Buffer[] } {
      const kind = draw();
      if (kind === "replay" && last !== null) return { ...last, entry: { ...last.entry, kind } };
      const { date, time } = formatWall(options.clock.now(), options.timezone);
      const images = imagesOf(number);
      const reading: SimulatedReading = {
        serial: kind === "unregistered" ? `9${serial}` : serial,
        plate: kind === "not-read" ? "" : plateOf(number + (options.seed % 1000) * 10_000),
        date,
        time,
        transitId: number + 1,
        ocr: images.ocr,
        ctx: images.ctx,
      };
      const tlv = options.protocol === "tlv" || (options.protocol === "mixed" && random() < 0.3);
      const manner = {
        root: ROOTS[Math.floor(random() * ROOTS.length)] ?? "root",
        prolog: random() < 0.5,
        bom: random() < 0.1,
      };
      let pieces = tlv ? buildTlvMessage(reading) : buildTattileXml(reading, manner);
      if (kind === "malformed")
        pieces = [Buffer.from(`<root><PLATE_STRING>${reading.plate}</PLATE_STRING><DATE></root>\n`)];
      const entry: ManifestEntry = {
        kind,
        serial: reading.serial,
        plate: reading.plate,
        date,
        time: time.slice(0, 8).replaceAll("-", ":"),
        transitId: reading.transitId,
        ocrSha256: images.ocr.sha256,
        ctxSha256: images.ctx?.sha256 ?? null,
        confirmed: false,
      };
      if (kind === "reading") last = { entry, pieces };
      return { entry, pieces };
    },
  };
}

const kept = new Map<string, SimulatedImage>();

/** A camera's one picture is made once; distinct ones are not kept. */
function cachedImage(sizeBytes: number, seed: number, which: number, distinct: boolean): SimulatedImage {
  if (distinct) return createSyntheticImage(sizeBytes, seed, which);
  const key = `${sizeBytes}/${seed}/${which}`;
  let image = kept.get(key);
  if (image === undefined) {
    if (kept.size >= 1024) kept.clear();
    image = createSyntheticImage(sizeBytes, seed, which);
    kept.set(key, image);
  }
  return image;
}

function formatWall(at: Date, zone: string): { date: string; time: string } {
  const wall = wallClockAt(at, zone);
  const two = (value: number): string => String(value).padStart(2, "0");
  return {
    date: `${wall.year}-${two(wall.month)}-${two(wall.day)}`,
    time: `${two(wall.hour)}-${two(wall.minute)}-${two(wall.second)}-${String(wall.millisecond).padStart(3, "0")}`,
  };
}
