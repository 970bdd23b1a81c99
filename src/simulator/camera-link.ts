import { connect, type Socket } from "node:net";
import type { Clock } from "../clock.ts";

/** A camera's connection to the receiver, one batch after the other. */
export interface CameraLink {
  /** Sends until it is confirmed or the time is over. Never rejects. */
  send(pieces: readonly Buffer[]): Promise<{ confirmed: boolean; resent: number }>;
  close(): Promise<void>;
  /** Connections made so far. */
  connections(): number;
}

export interface LinkOptions {
  host: string;
  port: number;
  /** Half-close after each batch and wait for the receiver's FIN; send again after a reset, as a camera with an SD card does. */
  acknowledged: boolean;
  /** One connection for many batches; without acknowledgement only. */
  keepOpen: boolean;
  /** Cut the bytes at random places. */
  split: boolean;
  /** Longest pause in the middle of a message, ms; 0: none. */
  pauseMs: number;
  /** Time after which a batch that is not confirmed is given up, all attempts and waits together. */
  giveUpAfterMs: number;
  clock: Clock;
  signal: AbortSignal;
}

const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 2000;
const CLOSE_WAIT_MS = 2000;
/** Cuts of one batch: flakes of a few bytes each would take minutes for a picture. */
const MAX_CUTS = 40;

/** Nothing is connected before the first `send`. */
export function openLink(options: LinkOptions, random: () => number): CameraLink {
  const { clock } = options;
  let kept: Socket | null = null;
  let connections = 0;

  async function attempt(pieces: readonly Buffer[], signal: AbortSignal): Promise<boolean> {
    const reused = kept !== null && isUsable(kept) ? kept : null;
    const socket = reused ?? (await openSocket(options, signal));
    if (reused === null) connections += 1;
    kept = options.keepOpen && !options.acknowledged ? socket : null;
    const cut = (): void => void socket.destroy();
    signal.addEventListener("abort", cut, { once: true });
    try {
      if (options.acknowledged) return await sendAndWait(socket, pieces);
      await write(socket, pieces);
      return options.keepOpen || (await endQuietly(socket));
    } finally {
      signal.removeEventListener("abort", cut);
    }
  }

  /** The receiver's FIN is the acknowledgement, but only after ours: one that comes before it confirms nothing. */
  async function sendAndWait(socket: Socket, pieces: readonly Buffer[]): Promise<boolean> {
    const { promise: answered, resolve } = Promise.withResolvers<boolean>();
    let ended = false;
    let failed = false;
    const fail = (): void => {
      failed = true;
      resolve(false);
    };
    socket.once("error", fail);
    socket.once("close", fail);
    socket.once("end", () => resolve(ended && !failed && !socket.destroyed));
    socket.resume();
    try {
      await Promise.race([write(socket, pieces), answered]);
      if (failed || socket.destroyed) return false;
      ended = true;
      socket.end();
      return await answered;
    } finally {
      socket.destroy();
    }
  }

  async function write(socket: Socket, pieces: readonly Buffer[]): Promise<void> {
    if (!options.split && options.pauseMs === 0) {
      // One write for all of it, without joining the pictures.
      socket.cork();
      for (const piece of pieces) if (piece.length > 0) socket.write(piece);
      socket.uncork();
      if (socket.writableNeedDrain) await drained(socket);
      return;
    }
    const cuts = cutUp(Buffer.concat(pieces), options.split ? random : null);
    for (const [index, piece] of cuts.entries()) {
      if (index > 0 && options.pauseMs > 0) await clock.sleep(random() * options.pauseMs, options.signal);
      if (socket.destroyed) throw new Error("the connection broke");
      if (!socket.write(piece)) await drained(socket);
    }
  }

  return {
    async send(pieces) {
      // One deadline over connecting, writing, waiting and trying again.
      const deadline = new AbortController();
      const stop = (): void => deadline.abort();
      const over = deadline.signal;
      if (options.signal.aborted) stop();
      options.signal.addEventListener("abort", stop, { once: true });
      const timer = clock.sleep(options.giveUpAfterMs, over).then(() => deadline.abort());
      let wait = FIRST_WAIT_MS;
      try {
        for (let resent = 0; ; resent += 1) {
          if (await attempt(pieces, over).catch(() => false)) return { confirmed: true, resent };
          kept?.destroy();
          kept = null;
          await clock.sleep(wait * (0.5 + random()), over);
          if (over.aborted) return { confirmed: false, resent };
          wait = Math.min(LONGEST_WAIT_MS, wait * 2);
        }
      } finally {
        options.signal.removeEventListener("abort", stop);
        deadline.abort();
        await timer;
      }
    },
    async close() {
      if (kept !== null && isUsable(kept)) await endQuietly(kept);
    },
    connections: () => connections,
  };
}

/** A receiver that has closed its side takes nothing more. */
function isUsable(socket: Socket): boolean {
  return !socket.destroyed && socket.writable && !socket.readableEnded;
}

function openSocket({ host, port }: LinkOptions, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
    const giveUp = (): void => {
      socket.destroy();
      reject(new Error("gave up connecting"));
    };
    const settled = (): void => signal.removeEventListener("abort", giveUp);
    socket.once("error", (error) => {
      settled();
      reject(error);
    });
    socket.once("connect", () => {
      settled();
      socket.on("error", () => {});
      // Nothing is ever sent to a camera; reading on is how its end is noticed.
      socket.resume();
      resolve(socket);
    });
    if (signal.aborted) giveUp();
    else signal.addEventListener("abort", giveUp, { once: true });
  });
}

/** Waits for the receiver's end, two seconds at most. False: not even the kernel had taken everything by then. */
function endQuietly(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      const taken = socket.writableFinished;
      socket.destroy();
      resolve(taken);
    };
    const timer = setTimeout(done, CLOSE_WAIT_MS);
    socket.once("close", done);
    socket.once("end", done);
    socket.end();
  });
}

/** Rejects when the connection breaks first. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = (): void => reject(new Error("the connection broke"));
    socket.once("close", onClose);
    socket.once("drain", () => {
      socket.off("close", onClose);
      resolve();
    });
    if (socket.destroyed) onClose();
  });
}

/** Pieces of random sizes, from one byte to all of it; without `random`, two halves. */
function cutUp(bytes: Buffer, random: (() => number) | null): Buffer[] {
  if (random === null) return [bytes.subarray(0, bytes.length >> 1), bytes.subarray(bytes.length >> 1)];
  const pieces: Buffer[] = [];
  let at = 0;
  while (at < bytes.length && pieces.length < MAX_CUTS) {
    const size = Math.max(1, Math.floor(random() ** 4 * bytes.length));
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return at < bytes.length ? [...pieces, bytes.subarray(at)] : pieces;
}
