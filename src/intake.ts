import { captureTime } from "./capture-time.ts";
import type { Clock } from "./clock.ts";
import { createDedupeKey } from "./dedupe-key.ts";
import { AppError, errorText } from "./errors.ts";
import { imagePath, imageStem, uniqueStem } from "./image-path.ts";
import type { ImageStore } from "./images/image-store.ts";
import type { Log } from "./log.ts";
import type { CameraReading, ParsedMessage, Protocol } from "./reading.ts";
import type { IntakeEntry, IntakeResult, NewQuarantined, QuarantineKind, Store } from "./store/store.ts";

/** One whole message as it arrived, from whatever protocol. */
export interface IncomingMessage {
  protocol: Protocol;
  parsed: ParsedMessage;
  /** The message itself, for quarantine. Like the pictures of `parsed`, not touched any more once `release` was called. */
  bytes: Uint8Array;
  /** Address it came from. */
  peer: string;
  receivedAt: Date;
  /** Called as soon as the message itself is not to be quarantined; the pictures may still be needed. */
  releaseBytes?(): void;
  /** Called once, as soon as neither is needed any more; also when `accept` rejects. */
  release(): void;
}

export interface IntakeStats {
  /** Messages accepted and not yet durable. */
  waiting: number;
  commits: number;
  committed: number;
  failures: number;
}

/** The one way into the queue, for every protocol: classify, write images, make durable in groups. */
export interface Intake {
  /** Resolves when the message's fate is durable. Rejects when it could not be stored: the sender must keep it. */
  accept(message: IncomingMessage): Promise<IntakeResult>;
  readonly stats: Readonly<IntakeStats>;
  /** Resolves when everything accepted so far is settled, well or not. */
  drain(): Promise<void>;
}

export interface IntakeDeps {
  store: Pick<Store, "enqueue" | "isKnown" | "findCamera" | "findReferenced" | "findHeld">;
  images: ImageStore;
  quarantine: ImageStore;
  cameraTimezone: string;
  dedupeSecret: Uint8Array;
  clock: Clock;
  log: Log;
  randomId(): string;
  /** How long a group took to become durable; null: it did not. */
  onCommit?(durationMs: number | null): void;
  /** Called after a commit that queued something. */
  onQueued(count: number): void;
}

/** One group's transaction stays short, whatever has piled up. */
const MAX_GROUP = 128;
/** Two readings of one plate in one millisecond are rare; a thousand are a broken camera. */
const MAX_NAME_ATTEMPTS = 1000;

interface Prepared {
  entry: IntakeEntry;
  /** Written already, to be erased when the entry is not queued. */
  imagePaths: readonly string[];
  resolve(result: IntakeResult): void;
  reject(error: unknown): void;
}

/**
 * Group commit: while one group is being synced and committed, whatever arrives is written to files and waits for the
 * next; so a lone reading pays for one commit at once, and two hundred cameras share one.
 */
export function createIntake(deps: IntakeDeps): Intake {
  const { store, images, quarantine, clock } = deps;
  const dedupeKey = createDedupeKey(deps.dedupeSecret);
  const stats: IntakeStats = { waiting: 0, commits: 0, committed: 0, failures: 0 };
  const group: Prepared[] = [];
  let committing: Promise<void> | null = null;
  /** Of each camera its last message that is not in a group yet: pictures are written side by side, rows stand in the order of arrival. */
  const lastOf = new Map<string | null, Promise<void>>();

  const accepted = new Set<Promise<IntakeResult>>();

  function accept(message: IncomingMessage): Promise<IntakeResult> {
    const result = prepareAndCommit(message).finally(() => {
      accepted.delete(result);
      stats.waiting = accepted.size;
    });
    accepted.add(result);
    stats.waiting = accepted.size;
    return result;
  }

  async function prepareAndCommit(message: IncomingMessage): Promise<IntakeResult> {
    const { parsed } = message;
    const serial = parsed.kind === "reading" ? parsed.reading.cameraSerial : parsed.cameraSerial;
    const before = lastOf.get(serial);
    const { promise: inGroup, resolve: isInGroup } = Promise.withResolvers<void>();
    lastOf.set(serial, inGroup);
    let result: Promise<IntakeResult>;
    try {
      const { entry, imagePaths } = await prepare(message);
      await before;
      result = new Promise<IntakeResult>((resolve, reject) => {
        group.push({ entry, imagePaths, resolve, reject });
        committing ??= commitGroups();
      });
    } finally {
      isInGroup();
      if (lastOf.get(serial) === inGroup) lastOf.delete(serial);
    }
    return await result;
  }

  async function prepare(message: IncomingMessage): Promise<Pick<Prepared, "entry" | "imagePaths">> {
    try {
      const { parsed } = message;
      if (parsed.kind === "malformed") return await hold("malformed", parsed.reason, parsed.cameraSerial, message);
      const { reading } = parsed;
      const { cameraSerial } = reading;
      if (reading.notRead) return counted("not-read", cameraSerial, message);
      const camera = await store.findCamera(cameraSerial);
      if (camera === null)
        return await hold("unregistered", "no camera of this serial is registered", cameraSerial, message);
      if (!camera.active) return counted("inactive", cameraSerial, message);
      const key = dedupeKey(reading);
      if (await store.isKnown(key)) return counted("duplicate", cameraSerial, message);
      // Memory that goes round while the processor's cache still holds it costs a fraction of what cold memory does.
      message.releaseBytes?.();
      return await prepareReading(reading, key, camera.timezone ?? deps.cameraTimezone, message);
    } finally {
      message.release();
    }
  }

  async function prepareReading(
    reading: CameraReading,
    key: Uint8Array,
    zone: string,
    message: IncomingMessage,
  ): Promise<Pick<Prepared, "entry" | "imagePaths">> {
    const { capturedAt, timeSource } = captureTime(reading.wallClock, zone, message.receivedAt);
    const { imageOcrPath, imageCtxPath } = await putImages(reading, capturedAt);
    return {
      imagePaths: [imageOcrPath, imageCtxPath].filter((path) => path !== null),
      entry: {
        kind: "reading",
        reading: {
          dedupeKey: key,
          protocol: reading.protocol,
          cameraSerial: reading.cameraSerial,
          facts: reading.facts,
          capturedAt,
          timeSource,
          receivedAt: message.receivedAt,
          extra: reading.extra,
          rawText: reading.rawText,
          imageOcrPath,
          imageCtxPath,
        },
      },
    };
  }

  /** Both pictures under one stem; a stem that is taken gets a number, so no reading ever carries another's picture. */
  async function putImages(reading: CameraReading, capturedAt: Date) {
    const plain = imageStem(reading.cameraSerial, capturedAt, reading.facts.plate);
    const stem = images.refusesTaken ? plain : uniqueStem(plain, deps.randomId());
    const { ocrImage, ctxImage } = reading;
    for (let attempt = 1; attempt <= MAX_NAME_ATTEMPTS; attempt++) {
      const imageOcrPath = ocrImage === null ? null : imagePath(stem, attempt, "ocr");
      const imageCtxPath = ctxImage === null ? null : imagePath(stem, attempt, "ctx");
      if (ocrImage !== null && imageOcrPath !== null && !(await images.put(imageOcrPath, ocrImage))) continue;
      try {
        if (ctxImage === null || imageCtxPath === null || (await images.put(imageCtxPath, ctxImage))) {
          return { imageOcrPath, imageCtxPath };
        }
      } catch (error) {
        if (imageOcrPath !== null) await eraseQuietly(images, [imageOcrPath]);
        throw error;
      }
      if (imageOcrPath !== null) await eraseQuietly(images, [imageOcrPath]);
    }
    throw new AppError("unavailable", "writing images: a thousand readings of one plate in one millisecond", {
      hint: "Look at the camera: it repeats itself.",
    });
  }

  async function hold(kind: QuarantineKind, reason: string, cameraSerial: string | null, message: IncomingMessage) {
    const day = message.receivedAt.toISOString().slice(0, 10);
    const path = message.bytes.byteLength === 0 ? null : `${day}/${deps.randomId()}.msg`;
    if (path !== null && !(await quarantine.put(path, message.bytes))) {
      throw new AppError("internal", "quarantining a message: its file name is taken");
    }
    const quarantined: NewQuarantined = {
      kind,
      reason,
      cameraSerial,
      protocol: message.protocol,
      peer: message.peer,
      receivedAt: message.receivedAt,
      sizeBytes: message.bytes.byteLength,
      path,
    };
    return { entry: { kind: "quarantine", quarantined } as const, imagePaths: [] };
  }

  async function commitGroups(): Promise<void> {
    // One turn of the loop, so that whatever came in the same batch of socket events shares the first commit.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      while (group.length > 0) {
        const current = group.splice(0, MAX_GROUP);
        try {
          await commit(current);
        } catch (error) {
          stats.failures += 1;
          deps.onCommit?.(null);
          await undo(current);
          deps.log.error("readings could not be stored; the cameras keep them", {
            readings: current.length,
            error: errorText(error),
          });
          for (const item of current) item.reject(error);
        }
      }
    } finally {
      committing = null;
    }
  }

  async function commit(current: readonly Prepared[]): Promise<void> {
    const startedMs = clock.monotonicMs();
    if (current.some((item) => item.imagePaths.length > 0)) await images.flush();
    if (current.some((item) => item.entry.kind === "quarantine")) await quarantine.flush();
    const results = await store.enqueue(
      current.map((item) => item.entry),
      clock.now(),
    );
    // From here on the group is durable: nothing below may fail it any more.
    deps.onCommit?.(clock.monotonicMs() - startedMs);
    stats.commits += 1;
    stats.committed += current.length;
    const useless: string[] = [];
    let queued = 0;
    for (const [index, item] of current.entries()) {
      const result = results[index] ?? "unregistered";
      if (result === "queued") queued += 1;
      else useless.push(...item.imagePaths);
      // The camera was removed between our look and the commit: the sender keeps it, and next time it is quarantined.
      if (result === "unregistered")
        item.reject(new AppError("unavailable", "storing a reading: its camera was just removed"));
      else item.resolve(result);
    }
    if (queued > 0) deps.onQueued(queued);
    if (useless.length > 0) await eraseQuietly(images, useless);
  }

  /**
   * A commit that reports an error may still have happened (a lost connection, a failing disk), so files go only when no
   * row refers to them. An orphan is swept later; a row without its picture would be a lost reading.
   */
  async function undo(current: readonly Prepared[]): Promise<void> {
    const held = current.map(({ entry }) => (entry.kind === "quarantine" ? entry.quarantined.path : null));
    await eraseUnowned(
      images,
      current.flatMap((item) => item.imagePaths),
      store.findReferenced,
    );
    await eraseUnowned(
      quarantine,
      held.filter((path) => path !== null),
      store.findHeld,
    );
  }

  async function eraseUnowned(
    files: ImageStore,
    paths: readonly string[],
    findOwned: (paths: readonly string[]) => Promise<ReadonlySet<string>>,
  ): Promise<void> {
    if (paths.length === 0) return;
    const owned = await findOwned(paths).catch(() => null);
    if (owned === null) return;
    await eraseQuietly(
      files,
      paths.filter((path) => !owned.has(path)),
    );
  }

  async function eraseQuietly(files: ImageStore, paths: readonly string[]): Promise<void> {
    // What stays behind has no row: the sweep of orphans takes it.
    await files.erase(paths).catch(() => 0);
  }

  return {
    accept,
    stats,
    async drain() {
      while (accepted.size > 0) await Promise.allSettled(accepted);
      await committing;
    },
  };
}

function counted(kind: "not-read" | "inactive" | "duplicate", cameraSerial: string, message: IncomingMessage) {
  return { entry: { kind, cameraSerial, receivedAt: message.receivedAt }, imagePaths: [] };
}
