import { createSocket } from "node:dgram";

/** A time server on this machine whose clock is off by as much as it is told; silent while `offsetMs` is null. */
export interface FakeTimeServer {
  /** `host:port` */
  address: string;
  offsetMs: number | null;
  [Symbol.asyncDispose](): Promise<void>;
}

const EPOCH = 2_208_988_800;

export async function openTimeServer(offsetMs: number | null = 0): Promise<FakeTimeServer> {
  const socket = createSocket("udp4");
  const server: FakeTimeServer = {
    address: "",
    offsetMs,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => socket.close(() => resolve())),
  };
  socket.on("message", (question, { port, address }) => {
    if (server.offsetMs !== null) socket.send(timeAnswer(question, Date.now() + server.offsetMs), port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  server.address = `127.0.0.1:${socket.address().port}`;
  return server;
}

/** A server's answer (RFC 4330): the question's cookie, and the same instant for arrival and departure. */
export function timeAnswer(question: Uint8Array, atMs: number, stratum = 2): Uint8Array {
  const answer = new Uint8Array(48);
  const view = new DataView(answer.buffer);
  answer[0] = 0x24;
  answer[1] = stratum;
  answer.set(question.subarray(40, 48), 24);
  for (const at of [32, 40]) {
    view.setUint32(at, (Math.floor(atMs / 1000) + EPOCH) % 2 ** 32);
    view.setUint32(at + 4, Math.round(((atMs % 1000) / 1000) * 2 ** 32) % 2 ** 32);
  }
  return answer;
}
