import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type ServerOptions } from "node:https";
import type { AddressInfo, Socket } from "node:net";

/** A server of one handler that counts what comes in and closes with everything. */
export interface TestServer {
  port: number;
  url: string;
  /** TCP connections accepted so far. */
  connections: number;
  /** Bodies of the requests that came in whole, and their heads. */
  bodies: Buffer[];
  requests: IncomingMessage[];
  /** Those open now. */
  sockets: Set<Socket>;
  [Symbol.asyncDispose](): Promise<void>;
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** @param tls Null: plain HTTP. */
export async function openServer(tls: ServerOptions | null, handler: Handler, port = 0): Promise<TestServer> {
  const take = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("error", () => {});
    request.on("end", () => {
      server.bodies.push(Buffer.concat(chunks));
      server.requests.push(request);
      handler(request, response);
    });
  };
  const listener = tls === null ? createServer(take) : createTlsServer(tls, take);
  const sockets = new Set<Socket>();
  const server: TestServer = {
    port: 0,
    url: "",
    connections: 0,
    bodies: [],
    requests: [],
    sockets,
    [Symbol.asyncDispose]: async () => {
      listener.closeAllConnections();
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => listener.close(() => resolve()));
    },
  };
  listener.on("tlsClientError", () => {});
  listener.on("connection", (socket: Socket) => {
    server.connections += 1;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => listener.listen(port, "127.0.0.1", resolve));
  server.port = (listener.address() as AddressInfo).port;
  server.url = `${tls === null ? "http" : "https"}://localhost:${server.port}/matr-ws?x=1`;
  return server;
}
