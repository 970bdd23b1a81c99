import { connect, type Socket } from "node:net";

/** A camera's end of one connection, as a test sees it: what was written back, and how it ended. */
export interface CameraSocket extends AsyncDisposable {
  socket: Socket;
  write(bytes: Uint8Array | string): Promise<void>;
  /** Sends our FIN and keeps listening for theirs. */
  halfClose(): void;
  /** How the other side ended it: in good order, with a reset, or not within `ms`. */
  ended(ms?: number): Promise<"fin" | "reset" | "open">;
  /** Bytes that came back; a camera must never get any. */
  received: number;
}

export async function connectCamera(port: number): Promise<CameraSocket> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  let ending: "fin" | "reset" | null = null;
  let tell: (() => void) | undefined;
  const end = (how: "fin" | "reset"): void => {
    ending ??= how;
    tell?.();
  };
  const camera: CameraSocket = {
    socket,
    received: 0,
    write: (bytes) =>
      new Promise((resolve, reject) => socket.write(bytes, (error) => (error ? reject(error) : resolve()))),
    halfClose: () => socket.end(),
    async ended(ms = 2000) {
      if (ending === null) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          tell = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      return ending ?? "open";
    },
    async [Symbol.asyncDispose]() {
      socket.destroy();
    },
  };
  socket.on("data", (chunk) => {
    camera.received += chunk.length;
  });
  socket.on("end", () => end("fin"));
  socket.on("error", () => end("reset"));
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  return camera;
}
