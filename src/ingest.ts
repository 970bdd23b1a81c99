import { createServer, type Server, type Socket } from "node:net";
import { createSlabPool } from "./camera/slab-pool.ts";
import { parseAddressList } from "./cidr.ts";
import type { Clock } from "./clock.ts";
import type { Config } from "./config.ts";
import { type CameraConnection, openConnection } from "./connection.ts";
import { AppError, systemCode } from "./errors.ts";
import type { Intake } from "./intake.ts";
import type { Log } from "./log.ts";
import { findPortOwner } from "./port-owner.ts";
import type { SocketCalls } from "./socket-calls.ts";

/** Connections that wait to be accepted; 200 cameras that come back together must all find room. */
const BACKLOG = 1024;
/** How often deadlines are looked at; they are tens of seconds long. */
const SWEEP_MS = 1000;
/**
 * Bytes of messages after which the collector is asked to run. The runtime decodes base64 from strings alone; left to its own
 * pace the collector lets a gigabyte of them gather under load, and memory that is used again at once is faster besides.
 */
const COLLECT_AFTER_BYTES = 8 * 1024 * 1024;
/** Ingest is busy while one part in four of its memory for messages is taken, and a while after it. */
const BUSY_PART = 4;
const BUSY_MS = 1000;
/** Of the same memory for pictures that wait to be written; more of them only make each wait longer, in colder memory. */
const WRITING_PART = 8;
/** A slab holds any usual message whole. */
const SLAB_BYTES = 512 * 1024;

export interface IngestStats {
  connections: number;
  accepted: number;
  refused: number;
  /** Connections cut because a message stalled, was too long or made no sense. */
  cut: number;
  heldBytes: number;
  paused: boolean;
}

export interface Ingest {
  /** Starts listening. @returns the port (the system's choice when 0 was asked for). @throws AppError naming who holds the port */
  listen(): Promise<number>;
  /** Stops reading from every camera for a reason (disk full, store away), or goes on with null: they feel TCP back-pressure. */
  hold(reason: string | null): void;
  stats(): IngestStats;
  /** Takes no more, waits for what is being committed (at most `graceMs`), then resets the rest: the cameras send it again. */
  close(graceMs: number): Promise<void>;
}

export interface IngestDeps {
  transit: Config["transit"];
  intake: Intake;
  socketCalls: SocketCalls;
  clock: Clock;
  log: Log;
}

/** The TCP listener: who may connect, how many, how much memory they hold together, and how long a message may take. */
export function createIngest(deps: IngestDeps): Ingest {
  const { transit, clock, log, socketCalls } = deps;
  const allowed = transit.allow.length === 0 ? null : parseAddressList(transit.allow);
  // As many as may be taken: making one again costs more than keeping it until the next sweep, which trims to what was in use.
  const keep = Math.ceil(transit.bufferBytes / SLAB_BYTES);
  const messages = createSlabPool({ slabBytes: SLAB_BYTES, keep });
  const pictures = createSlabPool({ slabBytes: SLAB_BYTES, keep });
  const takenBytes = (): number => messages.takenBytes + pictures.takenBytes;
  const connections = new Set<CameraConnection>();
  const stats = { accepted: 0, refused: 0, cut: 0 };
  let holdReason: string | null = null;
  let squeezed = false;
  let busyUntil = 0;
  let uncollectedBytes = 0;
  let sweeper: ReturnType<typeof setInterval> | undefined;

  const server: Server = createServer(
    { allowHalfOpen: true, pauseOnConnect: true, noDelay: true, keepAlive: true },
    welcome,
  );
  server.on("error", (error) => log.error("the camera listener has trouble", { error: error.message }));

  function welcome(socket: Socket): void {
    const peer = socket.remoteAddress ?? "";
    if (!socketCalls.resetOnClose(socket)) {
      // Gone before we could look, or a system without SO_LINGER: either way no promise could be kept.
      socket.destroy();
      return;
    }
    if (allowed !== null && !allowed.allows(peer)) {
      stats.refused += 1;
      log.warn("connection refused: address not in TRANSIT_ALLOW", { peer });
      socket.destroy();
      return;
    }
    if (connections.size >= transit.maxConnections) {
      stats.refused += 1;
      log.warn("connection refused: INGEST_MAX_CONNECTIONS reached", { peer, connections: connections.size });
      socket.destroy();
      return;
    }
    stats.accepted += 1;
    const connection = openConnection({
      socket,
      peer,
      pool: messages,
      pictures,
      socketCalls,
      intake: deps.intake,
      clock,
      log,
      maxMessageBytes: transit.maxMessageBytes,
      tagAliases: transit.tagAliases,
      isBusy,
      onBytes: squeeze,
      onParsed: (bytes) => {
        uncollectedBytes += bytes;
        if (uncollectedBytes < COLLECT_AFTER_BYTES) return;
        uncollectedBytes = 0;
        Bun.gc(false);
      },
      onClosed: (wasCut) => {
        connections.delete(connection);
        if (wasCut) stats.cut += 1;
        squeeze();
      },
    });
    connections.add(connection);
    connection.setHeld(holdReason !== null);
    squeeze();
  }

  /** Whether a good part of the memory for messages is taken, or was a moment ago. */
  function isBusy(): boolean {
    const now = clock.monotonicMs();
    if (takenBytes() > transit.bufferBytes / BUSY_PART) busyUntil = now + BUSY_MS;
    return now < busyUntil;
  }

  /**
   * Messages that are unfinished and pictures that are not yet written to files share one budget. Above it, everyone waits but
   * the connection whose message began first: it can always finish, so there is no deadlock, and no stalled camera lasts
   * longer than its message's deadline. Where no message is unfinished, the files being written make room, and everyone waits
   * for them. Long before that, nobody begins another message while as many pictures wait as the disk can be kept busy with.
   */
  function squeeze(): void {
    const over = takenBytes() > transit.bufferBytes;
    const writing = pictures.takenBytes > transit.bufferBytes / WRITING_PART;
    if (!over && !writing && !squeezed) return;
    let eldest: CameraConnection | null = null;
    for (const connection of connections) {
      if (connection.messageBeganAt !== null && connection.messageBeganAt < (eldest?.messageBeganAt ?? Infinity))
        eldest = connection;
    }
    for (const connection of connections) {
      connection.setSqueezed(over ? connection !== eldest : writing && connection.messageBeganAt === null);
    }
    squeezed = over || writing;
  }

  function sweep(): void {
    messages.trim();
    pictures.trim();
    for (const connection of connections) connection.checkDeadlines(transit.idleTimeoutMs, transit.messageTimeoutMs);
  }

  return {
    async listen() {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen({ host: transit.host, port: transit.port, backlog: BACKLOG }, () => {
          server.off("error", reject);
          resolve();
        });
      }).catch(async (cause) => {
        throw await listenError(transit.host, transit.port, cause);
      });
      if (!socketCalls.resetOnClose(server)) {
        server.close();
        throw new AppError(
          "unavailable",
          "listening for cameras: the system refuses SO_LINGER, so no reset could be sent",
        );
      }
      if (!socketCalls.setBacklog(server, BACKLOG)) log.warn("the accept backlog is smaller than it should be");
      sweeper = setInterval(sweep, SWEEP_MS);
      const address = server.address();
      return typeof address === "object" && address !== null ? address.port : transit.port;
    },
    hold(reason) {
      if (reason === holdReason) return;
      if (reason === null) log.info("cameras are being read again");
      else log.error("cameras are not being read; they keep their readings", { reason });
      holdReason = reason;
      for (const connection of connections) connection.setHeld(reason !== null);
    },
    stats: () => ({
      ...stats,
      connections: connections.size,
      heldBytes: takenBytes(),
      paused: holdReason !== null,
    }),
    async close(graceMs) {
      clearInterval(sweeper);
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const connection of connections) connection.setHeld(true);
      const abort = new AbortController();
      await Promise.race([
        Promise.all([...connections].map((connection) => connection.settled())),
        clock.sleep(graceMs, abort.signal),
      ]);
      abort.abort();
      for (const connection of connections) connection.reset();
      await closed;
    },
  };
}

async function listenError(host: string, port: number, cause: unknown): Promise<AppError> {
  const code = systemCode(cause);
  if (code === "EADDRINUSE") {
    const owner = await findPortOwner(port);
    return new AppError(
      "config",
      `listening for cameras: port ${port} is taken${owner === null ? "" : ` by ${owner}`} (TRANSIT_PORT)`,
      {
        hint: "Stop that program, or reserve the port (sysctl net.ipv4.ip_local_reserved_ports) and try again.",
        cause,
      },
    );
  }
  return new AppError(
    "config",
    `listening for cameras: ${code ?? "error"} (TRANSIT_HOST=${host}, TRANSIT_PORT=${port})`,
    { cause },
  );
}
