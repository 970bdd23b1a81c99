import { connect } from "node:net";
import { type RunningProxy, startProxy } from "./proxy.ts";

/** Stands between a client and a PostgreSQL server, and can let the answers to one statement get lost. */
export interface CuttingProxy extends RunningProxy {
  /** While true, the server carries the statement out, and then the connection is cut without a byte of the answer having come through. */
  loseAnswers: boolean;
  /** How many answers were lost so far. */
  lost(): number;
}

/** The last message of every answer: ReadyForQuery, with the state outside of a transaction. */
const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

/**
 * @param serverPort where the server listens on 127.0.0.1, without TLS
 * @param comment what the statement begins with
 */
export async function startCuttingProxy(serverPort: number, comment: string): Promise<CuttingProxy> {
  let lost = 0;
  const proxy = await startProxy(
    () => connect({ host: "127.0.0.1", port: serverPort }),
    (client, server) => {
      // What the statement is called once it is prepared, and whether its answer is being kept from the client.
      let name: string | null = null;
      let losing = false;
      let answer = Buffer.alloc(0);
      client.on("data", (bytes: Buffer) => {
        const text = bytes.toString("latin1");
        // Parse says length, name and text; the statement is carried out by a later Bind that says only the name.
        const before = text.slice(0, Math.max(0, text.indexOf(comment)));
        name = /P\0\0.{2}([a-z0-9]+)\0$/s.exec(before)?.[1] ?? name;
        if (before === "" && name !== null && text.includes(`\0${name}\0`)) losing = cutting.loseAnswers;
        server.write(bytes);
      });
      server.on("data", (bytes: Buffer) => {
        if (!losing) return void client.write(bytes);
        answer = Buffer.concat([answer.subarray(-READY.length), bytes]);
        if (!answer.subarray(-READY.length).equals(READY)) return;
        lost += 1;
        client.destroy();
      });
    },
  );
  const cutting: CuttingProxy = { ...proxy, loseAnswers: false, lost: () => lost };
  return cutting;
}
