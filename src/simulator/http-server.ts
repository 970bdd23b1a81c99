import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { AppError } from "../errors.ts";
import { resetConnection } from "./reset.ts";

/**
 * HTTP/1.1 (RFC 9112) on bare sockets, because the simulated police must be able to do what a good server never does:
 * reset before the body, stop in the middle of an answer, vanish and come back on the same port.
 */
export interface HttpServerOptions {
  host: string;
  /** 0: any free one. */
  port: number;
  tls: TlsOptions | null;
  /** Larger bodies are answered with 413. */
  maxBodyBytes: number;
  handle(exchange: HttpExchange): Promise<void>;
}

export interface TlsOptions {
  keyPem: string;
  certPem: string;
  /** When given, the client must present a certificate that this authority issued. */
  clientCaPem?: string;
}

/** One request and its answer. After `reset`, `end` or the peer's departure, everything else does nothing. */
export interface HttpExchange {
  method: string;
  target: string;
  /** Names in lower case; of repeated ones the values joined with a comma. */
  headers: ReadonlyMap<string, string>;
  /** The whole body. Rejects when the peer leaves before it is complete. */
  readBody(): Promise<Buffer>;
  respond(status: number, headers: Readonly<Record<string, string>>, body: string | Uint8Array): void;
  /** Sends the head with the full length and only half the body; what follows is the caller's. */
  respondHalf(status: number, headers: Readonly<Record<string, string>>, body: string): Promise<void>;
  /** TCP reset. */
  reset(): void;
  /** Closes in good order without an answer. */
  end(): void;
  /** Resolves when the connection is gone. */
  readonly gone: Promise<void>;
}

export interface HttpServer {
  readonly port: number;
  /** Stops listening and drops every connection: a caller is refused. */
  pause(): Promise<void>;
  /** Listens again on the same port. */
  resume(): Promise<void>;
  close(): Promise<void>;
}

const MAX_HEAD_BYTES = 32 * 1024;
const IDLE_MS = 120_000;

/** @throws AppError `unavailable` when the port is taken. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const sockets = new Set<Socket>();
  let port = options.port;
  let server: Server | null = null;
  const onSocket = (socket: Socket): void => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
    serve(socket, options);
  };
  const listen = async (): Promise<void> => {
    const { tls } = options;
    const created =
      tls === null
        ? createServer({ allowHalfOpen: true }, onSocket)
        : createTlsServer(
            {
              key: tls.keyPem,
              cert: tls.certPem,
              ...(tls.clientCaPem === undefined
                ? {}
                : { ca: tls.clientCaPem, requestCert: true, rejectUnauthorized: true }),
            },
            onSocket,
          );
    created.on("tlsClientError", () => {});
    await new Promise<void>((resolve, reject) => {
      created.once("error", (cause) =>
        reject(
          new AppError("unavailable", `starting the server: cannot listen (${options.host}:${port})`, {
            hint: "Choose another port, or stop what listens there.",
            cause,
          }),
        ),
      );
      created.listen(port, options.host, () => resolve());
    });
    const address = created.address();
    if (address !== null && typeof address === "object") port = address.port;
    server = created;
  };
  const pause = async (): Promise<void> => {
    const closing = server;
    server = null;
    if (closing === null) return;
    const closed = new Promise<void>((resolve) => closing.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  await listen();
  return {
    get port() {
      return port;
    },
    pause,
    resume: async () => {
      if (server === null) await listen();
    },
    close: pause,
  };
}

/** What is left to read of the body of the request at hand. */
interface PendingBody {
  /** Null: chunked. */
  length: number | null;
  resolve(body: Buffer): void;
  reject(error: Error): void;
}

function serve(socket: Socket, options: HttpServerOptions): void {
  let received: Buffer[] = [];
  let size = 0;
  let busy = false;
  let body: PendingBody | null = null;
  let finished = false;
  const gone = new Promise<void>((resolve) => socket.once("close", () => resolve()));

  const take = (bytes: number): Buffer => {
    const all = received.length === 1 && received[0] ? received[0] : Buffer.concat(received, size);
    received = all.length > bytes ? [all.subarray(bytes)] : [];
    size = all.length - bytes;
    return all.subarray(0, bytes);
  };
  const peek = (): Buffer => {
    if (received.length !== 1) received = [Buffer.concat(received, size)];
    return received[0] ?? Buffer.alloc(0);
  };

  const refuse = (status: number, text: string): void => {
    finished = true;
    socket.end(formatHead(status, { "content-type": "text/plain", connection: "close" }, text.length) + text);
  };

  const advance = (): void => {
    if (finished) return;
    if (body !== null) {
      if (body.length !== null) {
        if (size >= body.length) finishBody(take(body.length));
      } else {
        const chunked = readChunked(peek(), options.maxBodyBytes);
        if (chunked === "bad") refuse(400, "bad chunk\n");
        else if (chunked !== null) {
          take(chunked.used);
          finishBody(chunked.body);
        }
      }
      return;
    }
    if (busy || size === 0) return;
    const bytes = peek();
    const end = bytes.indexOf("\r\n\r\n");
    if (end < 0) {
      if (size > MAX_HEAD_BYTES) refuse(431, "head too large\n");
      return;
    }
    const head = parseHead(take(end + 4).toString("latin1"));
    if (head === null) refuse(400, "not an HTTP/1.1 request\n");
    else startExchange(head);
  };

  const finishBody = (bytes: Buffer): void => {
    const pending = body;
    body = null;
    pending?.resolve(bytes);
  };

  const startExchange = (head: RequestHead): void => {
    busy = true;
    const length = bodyLength(head.headers);
    if (length === "bad") {
      refuse(400, "bad content-length\n");
      return;
    }
    if (length !== null && length > options.maxBodyBytes) {
      refuse(413, "too large\n");
      return;
    }
    let whole: Promise<Buffer> | null = null;
    const readBody = (): Promise<Buffer> => {
      whole ??= new Promise<Buffer>((resolve, reject) => {
        if (head.headers.get("expect")?.toLowerCase() === "100-continue") socket.write("HTTP/1.1 100 Continue\r\n\r\n");
        body = { length, resolve, reject };
        advance();
      });
      return whole;
    };
    const keepAlive = head.headers.get("connection")?.toLowerCase() !== "close";
    const exchange: HttpExchange = {
      ...head,
      gone,
      readBody,
      respond: (status, headers, content) => {
        if (finished) return;
        const bytes = typeof content === "string" ? Buffer.from(content) : content;
        const stays = keepAlive && headers["connection"] !== "close" && whole !== null;
        const all = stays ? headers : { ...headers, connection: "close" };
        const answer = Buffer.concat([Buffer.from(formatHead(status, all, bytes.length), "latin1"), bytes]);
        if (stays) {
          socket.write(answer);
          busy = false;
          queueMicrotask(advance);
        } else {
          finished = true;
          socket.end(answer);
        }
      },
      respondHalf: (status, headers, content) => {
        finished = true;
        const bytes = Buffer.from(content);
        const half = bytes.subarray(0, bytes.length >> 1);
        const text = Buffer.concat([Buffer.from(formatHead(status, headers, bytes.length), "latin1"), half]);
        return new Promise<void>((resolve) => socket.write(text, () => resolve()));
      },
      reset: () => {
        finished = true;
        resetConnection(socket);
      },
      end: () => {
        finished = true;
        socket.end();
      },
    };
    options.handle(exchange).catch(() => socket.destroy());
  };

  socket.on("data", (chunk: Buffer) => {
    if (finished) return;
    received.push(chunk);
    size += chunk.length;
    // A chunked body grows without a declared length: it is bounded here, with its framing.
    if (size > options.maxBodyBytes + MAX_HEAD_BYTES) {
      refuse(413, "too large\n");
      return;
    }
    if (body?.length !== undefined && body.length !== null && size < body.length) return;
    advance();
  });
  socket.on("end", () => {
    if (!busy) socket.end();
    else body?.reject(new Error("the peer left before its body was complete"));
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    finished = true;
    body?.reject(new Error("the connection broke before the body was complete"));
  });
}

interface RequestHead {
  method: string;
  target: string;
  headers: Map<string, string>;
}

function parseHead(text: string): RequestHead | null {
  const [line = "", ...fields] = text.slice(0, -4).split("\r\n");
  const request = /^([A-Z]+) (\S+) HTTP\/1\.1$/.exec(line);
  if (request === null) return null;
  const headers = new Map<string, string>();
  for (const field of fields) {
    const parts = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(field);
    if (parts === null) return null;
    const name = (parts[1] ?? "").toLowerCase();
    const before = headers.get(name);
    headers.set(name, before === undefined ? (parts[2] ?? "") : `${before}, ${parts[2]}`);
  }
  return { method: request[1] ?? "", target: request[2] ?? "", headers };
}

/** Null: chunked. */
function bodyLength(headers: ReadonlyMap<string, string>): number | null | "bad" {
  const encoding = headers.get("transfer-encoding");
  const length = headers.get("content-length");
  if (encoding !== undefined) return encoding.toLowerCase() === "chunked" && length === undefined ? null : "bad";
  if (length === undefined) return 0;
  return /^\d{1,12}$/.test(length) ? Number(length) : "bad";
}

/** A whole chunked body, or null while more must come. */
function readChunked(bytes: Buffer, maxBytes: number): { body: Buffer; used: number } | null | "bad" {
  const parts: Buffer[] = [];
  let total = 0;
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return null;
    const size = /^([0-9a-fA-F]{1,8})(?:;.*)?$/.exec(bytes.toString("latin1", at, lineEnd))?.[1];
    if (size === undefined) return "bad";
    const length = Number.parseInt(size, 16);
    const start = lineEnd + 2;
    if (bytes.length < start + length + 2) return null;
    if (bytes.toString("latin1", start + length, start + length + 2) !== "\r\n") return "bad";
    at = start + length + 2;
    if (length === 0) return { body: Buffer.concat(parts, total), used: at };
    total += length;
    if (total > maxBytes) return "bad";
    parts.push(bytes.subarray(start, start + length));
  }
}

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  204: "No Content",
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  413: "Content Too Large",
  429: "Too Many Requests",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
};

function formatHead(status: number, headers: Readonly<Record<string, string>>, length: number): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${REASONS[status] ?? "Status"}\r\n${lines.join("")}content-length: ${length}\r\n\r\n`;
}
