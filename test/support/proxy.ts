import { createServer, type Socket } from "node:net";

/** Stands between clients and a server. */
export interface RunningProxy extends AsyncDisposable {
  port: number;
}

/** @param relay hands on what each says to the other; when one of them ends, the other is cut by itself */
export async function startProxy(
  openServer: () => Socket,
  relay: (client: Socket, server: Socket) => void,
): Promise<RunningProxy> {
  const open = new Set<Socket>();
  const listener = createServer((client) => {
    const server = openServer();
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
    relay(client, server);
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const address = listener.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    [Symbol.asyncDispose]: async () => {
      for (const one of open) one.destroy();
      await new Promise<void>((resolve) => listener.close(() => resolve()));
    },
  };
}
