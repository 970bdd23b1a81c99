import { connect, type Socket } from "node:net";
import type { CameraOptions } from "./camera.ts";

/** A camera's connection to the receiver, one batch after the other. */
export interface CameraLink {
  /** Sends until it is confirmed or the time is over. Never rejects. */
  send(pieces: readonly Buffer[]): Promise<{ confirmed: boolean; resent: number }>;
  close(): Promise<void>;
}

const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 2000;

type LinkOptions = Pick<
  CameraOptions,
  "host" | "port" | "acknowledged" | "keepOpen" | "split" | "pauseMs" | "giveUpAfterMs" | "clock" | "signal"
>;

export function openLink(options: LinkOptions, random: () => number): CameraLink {
  const { clock, signal } = options;
  let kept: Socket | null = null;

  async function attempt(pieces: readonly Buffer[]): Promise<boolean> {
    if (options.acknowledged) return sendAndWait(await open(options), pieces);
    const socket = kept !== null && !kept.destroyed ? kept : await open(options);
    kept = options.keepOpen ? socket : null;
    await write(socket, pieces);
    if (!options.keepOpen) socket.end();
    return true;
  }

  /** Half-closes and waits: the receiver's FIN is the acknowledgement, anything else is none. */
  async function sendAndWait(socket: Socket, pieces: readonly Buffer[]): Promise<boolean> {
    const { promise: answered, resolve } = Promise.withResolvers<boolean>();
    const giveUp = (): void => resolve(false);
    socket.once("end", () => resolve(true));
    socket.once("error", giveUp);
    socket.once("close", giveUp);
    signal.addEventListener("abort", giveUp, { once: true });
    socket.resume();
    try {
      await Promise.race([write(socket, pieces), answered]);
      if (!socket.destroyed) socket.end();
      return await answered;
    } finally {
      signal.removeEventListener("abort", giveUp);
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
    for (const piece of cutUp(Buffer.concat(pieces), options.split ? random : null)) {
      if (!socket.write(piece)) await drained(socket);
      if (options.pauseMs > 0) await clock.sleep(random() * options.pauseMs, signal);
    }
  }

  return {
    async send(pieces) {
      const giveUpAt = clock.monotonicMs() + options.giveUpAfterMs;
      let wait = FIRST_WAIT_MS;
      for (let resent = 0; ; resent++) {
        const confirmed = await attempt(pieces).catch(() => false);
        if (confirmed) return { confirmed: true, resent };
        kept?.destroy();
        kept = null;
        if (signal.aborted || clock.monotonicMs() + wait > giveUpAt) return { confirmed: false, resent };
        await clock.sleep(wait * (0.5 + random()), signal);
        wait = Math.min(LONGEST_WAIT_MS, wait * 2);
      }
    },
    async close() {
      const socket = kept;
      if (socket === null || socket.destroyed) return;
      // Everything written must leave before the end: a receiver that never closes gets two seconds.
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, LONGEST_WAIT_MS);
        const done = (): void => {
          clearTimeout(timer);
          resolve();
        };
        socket.once("close", done);
        socket.once("end", done);
        socket.end();
      });
      socket.destroy();
    },
  };
}

function open({ host, port }: LinkOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      socket.on("error", () => {});
      resolve(socket);
    });
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
  });
}

/** Pieces of random sizes, from one byte to all of it; without `random`, two halves. */
function* cutUp(bytes: Buffer, random: (() => number) | null): Generator<Buffer> {
  if (random === null) {
    yield bytes.subarray(0, bytes.length >> 1);
    yield bytes.subarray(bytes.length >> 1);
    return;
  }
  for (let at = 0; at < bytes.length; ) {
    const size = Math.max(1, Math.floor(random() ** 4 * bytes.length));
    yield bytes.subarray(at, at + size);
    at += size;
  }
}
