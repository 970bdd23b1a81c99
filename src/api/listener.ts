import type { Clock } from "../clock.ts";
import { AppError, errorText, systemCode } from "../errors.ts";
import type { Log } from "../log.ts";
import { findPortOwner } from "../port-owner.ts";
import { compressAnswer } from "./compress.ts";
import { addSecurityHeaders } from "./headers.ts";
import { readTls, type TlsFiles } from "./tls.ts";

export interface Place {
  host: string;
  port: number;
  /** Null: plain HTTP. */
  tls: TlsFiles | null;
  /** For errors: what is listened for, and the settings of host and port. */
  what: string;
  names: readonly [host: string, port: string];
}

export interface Asked {
  request: Request;
  /** Of the request, read once. */
  url: URL;
  /** Address of the other side. */
  peer: string;
  /** The answer may take so long: the connection is kept open meanwhile. */
  wait(seconds: number): void;
}

/** Answers one request; does not reject. */
export type Answer = (asked: Asked) => Promise<Response>;

export interface Listener {
  /** @returns the port. @throws AppError naming who holds it, or what is wrong with the certificate */
  open(): Promise<number>;
  /** Waits for what is being answered until `endMs` (monotonic), then ends the rest. */
  close(endMs: number): Promise<void>;
}

/** Silence on a connection after which it is closed; a stream of events says something more often. */
const IDLE_SECONDS = 30;
/** Above every limit of ours: what is too large is to be refused in our words. */
const MAX_BODY_BYTES = 256 * 1024 * 1024;
/** Requests that are being answered; streams of events have a bound of their own. */
const MOST_UNDER_WAY = 256;
/** How often it is looked whether the certificate's files were renewed. */
const TLS_EVERY_MS = 60_000;

/** One port that speaks HTTP, or HTTPS with a certificate that may be renewed meanwhile. */
export function createListener(
  place: Place,
  answer: Answer,
  deps: { clock: Clock; log: Log /** For tests: less. */; idleSeconds?: number },
): Listener {
  const { clock, log, idleSeconds = IDLE_SECONDS } = deps;
  const isTls = place.tls !== null;
  const stopping = new AbortController();
  let server: Bun.Server<undefined> | null = null;
  let shown: ReturnType<typeof readTls> | null = null;
  let watching: Promise<void> = Promise.resolve();
  let underWay = 0;
  /** With an earlier certificate, until the last of its connections ends. */
  const former = new Set<Bun.Server<undefined>>();

  async function respond(request: Request, running: Bun.Server<undefined>): Promise<Response> {
    const peer = running.requestIP(request)?.address ?? "";
    if (underWay >= MOST_UNDER_WAY) {
      return refuse(503, "unavailable", "too many requests at once", { "retry-after": "1" });
    }
    const url = URL.parse(request.url);
    // No client's library makes such a thing, so no agent's reading is refused for good by this.
    if (url === null) return refuse(400, "invalid", "the Host header or the address cannot be understood");
    const wait = (seconds: number): void => running.timeout(request, seconds);
    underWay += 1;
    try {
      return addSecurityHeaders(await compressAnswer(request, await answer({ request, url, peer, wait })), isTls);
    } finally {
      underWay -= 1;
    }
  }

  const refuse = (status: number, code: string, error: string, headers: Record<string, string> = {}): Response =>
    addSecurityHeaders(Response.json({ code, error }, { status, headers }), isTls);

  async function serve(port: number): Promise<Bun.Server<undefined>> {
    try {
      return Bun.serve({
        hostname: place.host,
        port,
        ...(shown === null ? {} : { tls: shown }),
        idleTimeout: idleSeconds,
        maxRequestBodySize: MAX_BODY_BYTES,
        // Else Bun shows a page with our source and stack to whoever made something go wrong.
        development: false,
        fetch: respond,
        error: (error) => {
          log.error("a request could not be answered", { error: errorText(error) });
          return refuse(500, "internal", "something unexpected went wrong");
        },
      });
    } catch (cause) {
      const owner = systemCode(cause) === "EADDRINUSE" ? await findPortOwner(port) : null;
      const by = owner === null ? "" : ` by ${owner}`;
      const text = `port ${port} is taken or not allowed${by} (${place.names[0]}=${place.host}, ${place.names[1]})`;
      throw new AppError("config", `listening for ${place.what}: ${text}`, {
        hint: `Stop that program, or set ${place.names[1]} to a free port.`,
        cause,
      });
    }
  }

  function retire(old: Bun.Server<undefined>): void {
    former.add(old);
    void old.stop(false).finally(() => former.delete(old));
  }

  /** A renewed certificate is shown to whoever connects from now on; connections that are open go on with the old one. */
  async function watchTls(files: TlsFiles, port: number): Promise<void> {
    let problem = "";
    while (!stopping.signal.aborted) {
      await clock.sleep(TLS_EVERY_MS, stopping.signal);
      if (stopping.signal.aborted) return;
      try {
        const found = readTls(files, clock.now());
        if (found.cert !== shown?.cert || found.key !== shown.key || server === null) {
          shown = found;
          // It listens no more at once; who is being answered keeps his connection, however long that is.
          if (server !== null) retire(server);
          server = null;
          server = await serve(port);
          log.info("the renewed certificate for HTTPS is in use", { validTo: found.validTo.toISOString() });
        }
        problem = "";
      } catch (error) {
        // Half-written files are whole at the next look; what stays wrong is said once.
        if (problem !== errorText(error)) log.error("the certificate for HTTPS", { error: errorText(error) });
        problem = errorText(error);
      }
    }
  }

  return {
    async open() {
      shown = place.tls === null ? null : readTls(place.tls, clock.now());
      server = await serve(place.port);
      const port = server.port ?? place.port;
      if (place.tls !== null) watching = watchTls(place.tls, port);
      return port;
    },
    async close(endMs) {
      stopping.abort();
      await watching;
      while (underWay > 0 && clock.monotonicMs() < endMs) await clock.sleep(10);
      for (const one of [...former, ...(server === null ? [] : [server])]) await one.stop(true);
    },
  };
}
