import { connect, createServer } from "node:net";

/** Stands between a client and a PostgreSQL server, and counts how often the client had to wait for an answer. */
export interface CountingProxy extends AsyncDisposable {
  port: number;
  trips(): number;
}

/** Every answer ends with one: what the client asked is done, and it may ask the next. */
const READY_FOR_QUERY = 0x5a;
const NO_TLS = 0x4e;
/** Type and length; the length counts itself. */
const HEAD_BYTES = 5;

/** @param socket the server's unix socket */
export async function startCountingProxy(socket: string): Promise<CountingProxy> {
  let trips = 0;
  const open = new Set<{ destroy(): void }>();
  const listener = createServer((client) => {
    const server = connect(socket);
    let rest = Buffer.alloc(0);
    let begun = false;
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      open.add(one);
      one.on("error", () => {});
      one.on("close", () => {
        open.delete(one);
        other.destroy();
      });
    }
    client.on("data", (bytes: Buffer) => server.write(bytes));
    server.on("data", (bytes: Buffer) => {
      client.write(bytes);
      // The first thing asked is for TLS; the answer is a byte that says no.
      rest = Buffer.concat([rest, !begun && bytes[0] === NO_TLS ? bytes.subarray(1) : bytes]);
      begun = true;
      while (rest.length >= HEAD_BYTES) {
        const length = 1 + rest.readUInt32BE(1);
        if (rest.length < length) break;
        if (rest[0] === READY_FOR_QUERY) trips += 1;
        rest = rest.subarray(length);
      }
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const address = listener.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    trips: () => trips,
    [Symbol.asyncDispose]: async () => {
      for (const one of open) one.destroy();
      await new Promise<void>((resolve) => listener.close(() => resolve()));
    },
  };
}
