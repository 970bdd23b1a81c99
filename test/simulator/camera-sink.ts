import { createServer, type Socket } from "node:net";

/** What a receiver does with a connection once the camera has sent its FIN (or at once, for `reset-early`). */
export type Ending = "fin" | "reset" | "reset-early" | "fin-early" | "never";

export interface CameraSink {
  port: number;
  /** Bytes of each connection, in the order of connecting. */
  streams: Buffer[];
  /** Sizes of the pieces in which they came. */
  close(): Promise<void>;
}

/** A receiver that keeps every byte. @param endingOf how the n-th connection ends, from 0 */
export async function startSink(endingOf: (connection: number) => Ending = () => "fin"): Promise<CameraSink> {
  const streams: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const index = streams.push(Buffer.alloc(0)) - 1;
    const ending = endingOf(index);
    const pieces: Buffer[] = [];
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (piece: Buffer) => {
      pieces.push(piece);
      streams[index] = Buffer.concat(pieces);
      if (ending === "reset-early") socket.resetAndDestroy();
      if (ending === "fin-early") socket.end();
    });
    socket.on("end", () => {
      if (ending === "reset") socket.resetAndDestroy();
      else if (ending !== "never") socket.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    streams,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** A message as a naive reader of the protocol finds it. */
export interface FoundMessage {
  kind: "xml" | "tlv";
  text: string;
  serial: string;
  plate: string;
  date: string;
  time: string;
  transitId: number;
  ocr: Buffer;
  ctx: Buffer;
}

/** Reads a whole stream in the plainest way. @throws Error when something is left that is no message */
export function readMessages(stream: Buffer): readonly FoundMessage[] {
  const found: FoundMessage[] = [];
  let at = 0;
  for (;;) {
    while (at < stream.length && [0, 9, 10, 13, 32].includes(stream[at] ?? -1)) at += 1;
    if (stream.subarray(at, at + 3).equals(Buffer.from([0xef, 0xbb, 0xbf]))) at += 3;
    if (at >= stream.length) return found;
    if (stream.subarray(at, at + 8).toString("hex") === "18000000409c0000") {
      const end = at + 24 + stream.readInt32LE(at + 20);
      found.push(readTlv(stream.subarray(at + 24, end)));
      at = end;
      continue;
    }
    const head = /^(?:<\?xml[^>]*\?>\s*)?<([\w.]+)>/.exec(stream.toString("latin1", at, at + 200));
    if (head === null) throw new Error(`no message at ${at} of ${stream.length}`);
    const close = Buffer.from(`</${head[1]}>`);
    const end = stream.indexOf(close, at);
    if (end < 0) throw new Error(`the message at ${at} has no end`);
    found.push(readXml(stream.subarray(at, end + close.length)));
    at = end + close.length;
  }
}

function readXml(bytes: Buffer): FoundMessage {
  const isLatin1 = bytes.subarray(0, 100).includes("ISO-8859-1");
  const text = bytes.toString(isLatin1 ? "latin1" : "utf8");
  const tag = (name: string): string => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1] ?? "";
  return {
    kind: "xml",
    text,
    serial: tag("DEVICE_SN"),
    plate: tag("PLATE_STRING"),
    date: tag("DATE"),
    time: tag("TIME"),
    transitId: Number(tag("TRANSIT_ID")),
    ocr: Buffer.from(tag("IMAGE_OCR"), "base64"),
    ctx: Buffer.from(tag("IMAGE_CTX"), "base64"),
  };
}

function readTlv(bytes: Buffer): FoundMessage {
  const records = new Map<number, Buffer>();
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readInt32LE(at + 4);
    records.set(bytes.readInt32LE(at), bytes.subarray(at + 8, at + 8 + length));
    at += 8 + Math.ceil(length / 4) * 4;
  }
  const text = (tag: number): string => records.get(tag)?.toString("utf8").replace(/\0$/, "") ?? "";
  const number = (tag: number): number => records.get(tag)?.readInt32LE(0) ?? Number.NaN;
  return {
    kind: "tlv",
    text: "",
    serial: records.has(14017) ? String(number(14017)) : "",
    plate: text(14004),
    date: text(14000),
    time: text(14001),
    transitId: number(14009),
    ocr: records.get(14020) ?? Buffer.alloc(0),
    ctx: records.get(14021) ?? Buffer.alloc(0),
  };
}
