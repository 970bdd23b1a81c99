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
import type { SocketCalls } from "./socket-calls.ts";

/** Messages of one camera that may wait for their commit before its socket is paused. */
const MAX_UNCOMMITTED = 24;

/** A camera that has sent so much at once is likely to have sent more. */
const LARGE_CHUNK_BYTES = 32_768;
/** Under load a camera that is not done sends on within this; one that has ended is not kept waiting longer for our end. */
const LOOK_AGAIN_MS = 5;
const MAX_EMPTY_LOOKS = 4;

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
  /** For messages as they arrive. */
  pool: SlabPool;
  /** For their pictures until they are written. */
  pictures: SlabPool;
  socketCalls: SocketCalls;
  intake: Intake;
  clock: Clock;
  log: Log;
  maxMessageBytes: number;
  tagAliases: TagAliases;
  /** So much is received that looking for more is better than waiting to be told. */
  isBusy(): boolean;
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
  /** Set while a look at what has arrived is planned; the runtime does not read then. */
  let cancelReceive: (() => void) | null = null;
  /** How many looks in a row found nothing. */
  let emptyLooks = 0;

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
      emptyLooks = 0;
      receiveNext();
    } else {
      receiveNoMore();
      deps.socketCalls.pause(socket);
    }
  }

  /** As soon as others have had their turn. */
  function receiveNext(): void {
    receiveNoMore();
    const next = setImmediate(receive);
    cancelReceive = () => clearImmediate(next);
  }

  function receiveIn(ms: number): void {
    receiveNoMore();
    const next = setTimeout(receive, ms);
    cancelReceive = () => clearTimeout(next);
  }

  function receiveNoMore(): void {
    cancelReceive?.();
    cancelReceive = null;
  }

  /**
   * What lies in the stream first: to resume it at once would have the runtime read on for every connection each time there is
   * room for a few of them. Then straight from the system, in turns with the other connections. Where nothing has arrived the
   * runtime is to tell when something does; under load, when it soon will, asking again spares its reading it for us.
   */
  function receive(): void {
    while (reading && !over && socket.readableLength > 0 && socket.read() !== null);
    if (!reading || over) return;
    receiveNoMore();
    deps.socketCalls.pause(socket);
    const wanted = Math.min(deps.socketCalls.arrivedBytes(socket), framer.wantedBytes);
    let came = 0;
    if (wanted > 0) {
      digest(() =>
        framer.receive(wanted, (room) => {
          const bytes = deps.socketCalls.receive(socket, room);
          came += Math.max(0, bytes);
          return bytes;
        }),
      );
    }
    if (!reading || over) return;
    emptyLooks = came > 0 ? 0 : emptyLooks + 1;
    if (came > 0) receiveNext();
    else if (emptyLooks <= MAX_EMPTY_LOOKS && deps.isBusy()) receiveIn(LOOK_AGAIN_MS);
    else socket.resume();
  }

  socket.on("data", (chunk: Buffer) => {
    if (over) return;
    const isLarge = chunk.length >= LARGE_CHUNK_BYTES;
    digest(() => {
      const frames = framer.push(chunk);
      freeMemory(chunk);
      return frames;
    });
    if (!reading || over || cancelReceive !== null || !(isLarge || deps.isBusy())) return;
    deps.socketCalls.pause(socket);
    emptyLooks = 0;
    receiveNext();
  });

  /** Has the framer take what has come. */
  function digest(push: () => Frame[]): void {
    lastByteAt = clock.monotonicMs();
    const heldBefore = framer.heldBytes;
    const frames = push();
    for (const frame of frames) take(frame);
    if (framer.pendingBytes === 0) messageBeganAt = null;
    else if (messageBeganAt === null || frames.length > 0) messageBeganAt = lastByteAt;
    if (framer.heldBytes !== heldBefore || frames.length > 0) deps.onBytes();
    update();
  }

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
    let decoded: Buffer | null = null;
    const memory = (minBytes: number): Buffer => {
      decoded = deps.pictures.take(minBytes);
      return decoded;
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
          if (decoded !== null) deps.pictures.give(decoded);
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
    deps.socketCalls.closeInOrder(socket);
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
    receiveNoMore();
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
