import { closeSync, fsyncSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { Worker } from "node:worker_threads";
import { AppError, systemCode } from "../errors.ts";

/** Makes what was written below one folder durable. */
export interface FilesystemSync {
  /** @param files those written since the last call. @throws AppError `unavailable` when any of it did not reach the disk. */
  sync(files: readonly string[]): Promise<void>;
  close(): void;
}

/**
 * syncfs(2) blocks for as long as the disk takes, so it runs in a worker: the cameras' sockets and the police's go on.
 * Inlined as text because a compiled binary has no worker file to open.
 */
const WORKER = `
const { parentPort } = require("node:worker_threads");
const { dlopen, FFIType } = require("bun:ffi");
const libc = dlopen(process.platform === "linux" ? "libc.so.6" : "libSystem.dylib", {
  syncfs: { args: [FFIType.i32], returns: FFIType.i32 },
});
parentPort.on("message", (descriptor) => parentPort.postMessage(libc.symbols.syncfs(descriptor) === 0));
`;

/**
 * One syncfs for a whole group: data, names and folders. It reports write errors from Linux 5.8 on; on older kernels, and
 * where libc has no such call, every file and folder is synced by itself, which is slower and just as safe.
 * @param root an existing folder; @param release `os.release()`
 */
export function createFilesystemSync(root: string, release: string): FilesystemSync {
  const [major = 0, minor = 0] = release.split(".").map((part) => Number.parseInt(part, 10));
  if (process.platform !== "linux" || major < 5 || (major === 5 && minor < 8)) return createFileByFileSync(root);

  // The descriptor lives as long as the store: an error since it was opened is reported exactly once (errseq).
  const descriptor = openSync(root, "r");
  const fallback = createFileByFileSync(root);
  let worker: Worker | null = null;
  let usable = true;
  let waiting: { resolve: (done: boolean) => void; reject: (error: Error) => void } | null = null;
  let closed = false;

  const start = (): Worker => {
    const started = new Worker(WORKER, { eval: true });
    started.unref();
    started.on("message", (done: boolean) => waiting?.resolve(done));
    started.on("error", () => {
      // libc without syncfs (musl names it otherwise): the slow way from now on.
      usable = false;
      waiting?.reject(new Error("syncfs is not available"));
    });
    return started;
  };

  return {
    async sync(files) {
      if (closed) throw new AppError("unavailable", "syncing images: the store is closed");
      if (usable) {
        worker ??= start();
        const running = worker;
        try {
          const done = await new Promise<boolean>((resolve, reject) => {
            waiting = { resolve, reject };
            running.postMessage(descriptor);
          });
          if (done) return;
          throw new AppError("unavailable", `syncing images: the disk reported a write error (${root})`, {
            hint: "Check the disk: `dmesg` and `df -h` say more.",
          });
        } catch (error) {
          if (error instanceof AppError) throw error;
        } finally {
          waiting = null;
        }
      }
      await fallback.sync(files);
    },
    close() {
      if (closed) return;
      closed = true;
      void worker?.terminate();
      closeSync(descriptor);
    },
  };
}

/** fsync of each file, then of each folder up to the root, once. */
export function createFileByFileSync(root: string): FilesystemSync {
  return {
    async sync(files) {
      const folders = new Set<string>([root]);
      for (const file of files) {
        syncOne(file);
        for (let folder = dirname(file); folder.length > root.length; folder = dirname(folder)) folders.add(folder);
      }
      for (const folder of folders) syncOne(folder);
    },
    close() {},
  };
}

function syncOne(path: string): void {
  let descriptor: number | null = null;
  try {
    descriptor = openSync(path, "r");
    fsyncSync(descriptor);
  } catch (error) {
    // Not as cause: its text names the file, and the file the plate.
    throw new AppError("unavailable", `syncing images: the disk reported an error (${systemCode(error) ?? "unknown"})`);
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}
