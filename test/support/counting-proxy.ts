import { connect } from "node:net";
import { type RunningProxy, startProxy } from "./proxy.ts";

/** Stands between a client and a PostgreSQL server, and counts how often the client had to wait for an answer. */
export interface CountingProxy extends RunningProxy {
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
  const proxy = await startProxy(
    () => connect(socket),
    (client, server) => {
      let rest = Buffer.alloc(0);
      let begun = false;
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
    },
  );
  return { ...proxy, trips: () => trips };
}
