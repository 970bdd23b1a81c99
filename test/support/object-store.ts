import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createS3Store, type S3Options } from "../../src/images/s3.ts";

export const S3_KEYS = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER", sessionToken: null };
const BUCKET = "tattile";

/** A real S3 server on its own port, which a test may stop, freeze and start again on the same port and objects. */
export class ObjectStore implements AsyncDisposable {
  readonly endpoint: string;
  readonly #folder: string;
  readonly #port: string;
  #process: Bun.Subprocess;

  private constructor(folder: string, port: string, child: Bun.Subprocess) {
    this.#folder = folder;
    this.#port = port;
    this.#process = child;
    this.endpoint = `http://127.0.0.1:${port}`;
  }

  static async open(): Promise<ObjectStore> {
    const folder = mkdtempSync(join(tmpdir(), "tattile-s3-"));
    const { child, port } = await launch(folder, "0");
    return new ObjectStore(folder, port, child);
  }

  /** What makes a store of ours in this bucket. */
  options(change: Partial<S3Options> = {}): S3Options {
    return {
      bucket: BUCKET,
      prefix: "girona/images/",
      endpoint: this.endpoint,
      region: "us-east-1",
      credentials: () => S3_KEYS,
      space: async () => ({ freeBytes: 1, totalBytes: 2, folder: "here" }),
      ...change,
    };
  }

  create(change: Partial<S3Options> = {}): ReturnType<typeof createS3Store> {
    return createS3Store(this.options(change));
  }

  /** Settings that make the program use it. */
  get settings(): Record<string, string> {
    return {
      IMAGES_URL: `s3://${BUCKET}/girona`,
      IMAGES_S3_ENDPOINT: this.endpoint,
      IMAGES_S3_ACCESS_KEY_ID: S3_KEYS.accessKeyId,
      IMAGES_S3_SECRET_ACCESS_KEY: S3_KEYS.secretAccessKey,
    };
  }

  async stop(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exited;
  }

  async start(): Promise<void> {
    this.#process = (await launch(this.#folder, this.#port)).child;
  }

  /** Takes connections, and answers none until `thaw`. */
  freeze(): void {
    this.#process.kill("SIGSTOP");
  }

  thaw(): void {
    this.#process.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function launch(folder: string, port: string) {
  const script = new URL("s3-server.ts", import.meta.url).pathname;
  const child = Bun.spawn([process.execPath, script, folder, port, BUCKET], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const { value } = await child.stdout.getReader().read();
  const said = Buffer.from(value ?? new Uint8Array()).toString();
  if (!/^\d+\n$/.test(said)) throw new Error(`the S3 server did not start: ${await new Response(child.stderr).text()}`);
  return { child, port: said.trim() };
}
