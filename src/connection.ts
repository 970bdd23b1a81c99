import type { Socket } from "node:net";
import type { TagAliases } from "./camera/fields.ts";
import { type Frame, Framer } from "./camera/frame.ts";
import { freeMemory, type SlabPool } from "./camera/slab-pool.ts";
import { parseTattileTlv } from "./camera/tattile-tlv.ts";
import { parseTattileXml } from "./camera/tattile-xml.ts";
import type { Clock } from "./clock.ts";
import { errorText } from "./errors.ts";
import type { Intake } from "./intake.ts";
import type { Log } from "./log.ts";
import type { ParsedMessage } from "./reading.ts";
import type { SocketOptions } from "./socket-options.ts";

/** Messages of one camera that may wait for their commit before its socket is paused. */
const MAX_UNCOMMITTED = 24;

/** One camera's TCP connection. Nothing is ever written to it; its end is what the camera learns from. */
export interface CameraConnection {
  /** Monotonic ms at which the unfinished message began, or null between messages. */
  readonly messageBeganAt: number | null;
  /** Stops or resumes reading: the whole ingest is held. */
  setHeld(held: boolean): void;
  /** Stops or resumes reading: too much memory is held by unfinished messages. */
  setSqueezed(squeezed: boolean): void;
  /** Resets the connection when its message stalls or takes too long; time in which we did not read does not count. */
  checkDeadlines(idleMs: number, messageMs: number): void;
  /** Resolves when nothing of it waits for a commit. */
  settled(): Promise<void>;
  /** The camera sees a reset, and sends again what it cannot know to be safe. */
  reset(): void;
}

export interface ConnectionDeps {
  socket: Socket;
  peer: string;
  pool: SlabPool;
  socketOptions: SocketOptions;
  intake: Intake;
  clock: Clock;
  log: Log;
  maxMessageBytes: number;
  tagAliases: TagAliases;
  /** The memory held by unfinished messages has changed. */
  onBytes(): void;
  /** A message of so many bytes was parsed. */
  onParsed(bytes: number): void;
  onClosed(wasCut: boolean): void;
}

/** Takes over a socket that is paused and has SO_LINGER 0 set, and starts reading. */
export function openConnection(deps: ConnectionDeps): CameraConnection {
  const { socket, peer, clock, log } = deps;
  const framer = new Framer({ pool: deps.pool, maxMessageBytes: deps.maxMessageBytes });
  const uncommitted = new Set<Promise<void>>();
  let held = false;
  let squeezed = false;
  let reading = false;
  let messageBeganAt: number | null = null;
  let lastByteAt = clock.monotonicMs();
  let peerDone = false;
  /** Something of this connection could not be stored: its end must be a reset. */
  let broken = false;
  let cut = false;
  let over = false;

  function update(): void {
    if (over) return;
    const mayRead = !held && !squeezed && !peerDone && !broken && uncommitted.size < MAX_UNCOMMITTED;
    if (mayRead === reading) return;
    reading = mayRead;
    if (mayRead) {
      const now = clock.monotonicMs();
      // The pause was ours: the camera gets its time back.
      if (messageBeganAt !== null) messageBeganAt += now - lastByteAt;
      lastByteAt = now;
      process.nextTick(resume);
    } else socket.pause();
  }

  /**
   * First what lies in the stream already. To resume at once would have the system read on for every connection each time
   * there is room for a few of them: with two hundred, gigabytes gathered in their streams.
   */
  function resume(): void {
    while (reading && !over && socket.readableLength > 0 && socket.read() !== null);
    if (reading && !over) socket.resume();
  }

  socket.on("data", (chunk: Buffer) => {
    if (over) return;
    lastByteAt = clock.monotonicMs();
    const heldBefore = framer.heldBytes;
    const frames = framer.push(chunk);
    freeMemory(chunk);
    for (const frame of frames) take(frame);
    if (framer.pendingBytes === 0) messageBeganAt = null;
    else if (messageBeganAt === null || frames.length > 0) messageBeganAt = lastByteAt;
    if (framer.heldBytes !== heldBefore || frames.length > 0) deps.onBytes();
    update();
  });

  // Bun also tells the end after our own destroy(): `over` keeps that from completing anything.
  socket.on("end", () => {
    if (over || peerDone) return;
    peerDone = true;
    const rest = framer.finish();
    messageBeganAt = null;
    if (rest !== null) {
      // A FIN completes nothing: what it leaves is kept to be looked at, and the camera hears a reset.
      broken = true;
      take(rest);
    }
    void settled().then(finish);
  });
  socket.on("error", (error) => log.debug("camera connection ended", { peer, error: error.message }));
  socket.on("close", () => end());

  function take(frame: Frame): void {
    const receivedAt = clock.now();
    let pictures: Buffer | null = null;
    const memory = (minBytes: number): Buffer => {
      pictures = deps.pool.take(minBytes);
      return pictures;
    };
    let parsed: ParsedMessage;
    if (frame.kind === "broken") {
      parsed = { kind: "malformed", reason: frame.reason, cameraSerial: null };
      if (frame.fatal) {
        cut = true;
        broken = true;
        log.warn("camera connection cut", { peer, reason: frame.reason });
      }
    } else {
      parsed =
        frame.protocol === "tattile-tlv"
          ? parseTattileTlv(frame.bytes, deps.tagAliases)
          : parseTattileXml(frame.bytes, deps.tagAliases, memory);
      deps.onParsed(frame.bytes.length);
    }
    const done = deps.intake
      .accept({
        protocol: frame.kind === "message" ? frame.protocol : "tattile-xml",
        parsed,
        bytes: frame.bytes,
        peer,
        receivedAt,
        releaseBytes: () => {
          // The pictures of a binary message are pieces of it.
          if (frame.kind !== "message" || frame.protocol === "tattile-tlv") return;
          frame.release();
          deps.onBytes();
        },
        release: () => {
          if (frame.kind === "message") frame.release();
          if (pictures !== null) deps.pool.give(pictures);
          deps.onBytes();
        },
      })
      .then(
        (result) => {
          if (result === "quarantined") {
            const reason = parsed.kind === "malformed" ? parsed.reason : "no camera of this serial is registered";
            const camera = parsed.kind === "malformed" ? parsed.cameraSerial : parsed.reading.cameraSerial;
            log.warn("message quarantined", { peer, camera, reason });
          }
        },
        (error) => {
          broken = true;
          log.debug("message not stored", { peer, error: errorText(error) });
        },
      )
      .finally(() => {
        uncommitted.delete(done);
        // What could not be stored, or follows what made no sense, is the camera's to send again.
        if (broken && !peerDone) void settled().then(reset);
        else update();
      });
    uncommitted.add(done);
  }

  async function settled(): Promise<void> {
    while (uncommitted.size > 0) await Promise.all(uncommitted);
  }

  /** The peer has sent its FIN and everything is durable: now, and only now, it gets ours. */
  function finish(): void {
    if (over) return;
    if (broken) {
      reset();
      return;
    }
    deps.socketOptions.closeInOrder(socket);
    socket.end();
    // Both directions are closed; what is left is to free the descriptor.
    socket.once("finish", () => socket.destroy());
  }

  function reset(): void {
    if (over) return;
    over = true;
    socket.destroy();
    end();
  }

  let ended = false;
  function end(): void {
    if (ended) return;
    ended = true;
    over = true;
    framer.release();
    messageBeganAt = null;
    deps.onClosed(cut);
  }

  function checkDeadlines(idleMs: number, messageMs: number): void {
    if (!reading || messageBeganAt === null) return;
    const now = clock.monotonicMs();
    const silent = now - lastByteAt > idleMs;
    if (!silent && now - messageBeganAt <= messageMs) return;
    cut = true;
    log.warn(silent ? "camera fell silent in the middle of a message" : "camera took too long for a message", {
      peer,
      bytes: framer.pendingBytes,
    });
    void settled().then(reset);
  }

  update();
  return {
    get messageBeganAt() {
      return messageBeganAt;
    },
    setHeld(value) {
      held = value;
      update();
    },
    setSqueezed(value) {
      squeezed = value;
      update();
    },
    checkDeadlines,
    settled,
    reset,
  };
}
