import { AppError, systemCode } from "../errors.ts";
import { relativeImagePath } from "../image-path.ts";
import type { ImageStore } from "./image-store.ts";
import type { S3Credentials } from "./s3-credentials.ts";

/** A bucket and where in it; `prefix` ends in `/` or is empty. */
export interface S3Place {
  bucket: string;
  prefix: string;
  /** Null: that of AWS in this region. */
  endpoint: string | null;
  region: string;
}

export interface S3Options extends S3Place {
  /** Asked before every request, so that renewed ones are taken up. @throws AppError `config` */
  credentials(): S3Credentials;
  /** Longest time for one request, from connecting to the last byte. */
  deadlineMs?: number;
  /** Most requests at once; further ones wait for one to end, and their callers with them. */
  concurrency?: number;
  /** Objects per page of a list. */
  pageSize?: number;
  /** Space of the disk that stands in when this store is away. */
  space: ImageStore["space"];
}

const DEADLINE_MS = 15_000;
const CONCURRENCY = 32;
/** A signature is good for so long; requests are sent at once. */
const SIGNED_SECONDS = 300;
/** A connection that the server closed while it lay idle, or a server that asks to come again: tried once more. */
const TRIES = 2;
/** Erasures that are tried again by themselves; further ones are left to the sweep of orphans. */
const MOST_OWED = 10_000;
const MAX_ERROR_BYTES = 16 * 1024;

/**
 * Pictures as objects of a bucket, `prefix` + relative path. A put is durable when it resolves: S3 acknowledges what is
 * stored. Bun's client signs; the requests are sent by `fetch`, which can be cut off at its deadline, as Bun's client cannot.
 * Whatever keeps the bucket from being used is `store-unreachable`, a wrong key too: the readings wait in the spool meanwhile.
 */
export function createS3Store(options: S3Options): ImageStore {
  const { bucket, prefix, region, endpoint, deadlineMs = DEADLINE_MS, pageSize = 1000 } = options;
  const { concurrency = CONCURRENCY } = options;
  const enter = createGate(concurrency);
  const place = `s3://${bucket}/${prefix}`;
  /** Keys that could not be erased when they were to be. */
  let owed: string[] = [];
  const keyOf = (path: string): string => prefix + relativeImagePath(path);

  const createClient = (): Bun.S3Client => {
    const { accessKeyId, secretAccessKey, sessionToken } = options.credentials();
    return new Bun.S3Client({
      bucket,
      region,
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === null ? {} : { sessionToken }),
      ...(endpoint === null ? {} : { endpoint }),
      retry: 0,
    });
  };

  /** @returns the bytes of the answer; null when there is no such object */
  async function request(doing: string, method: "GET" | "HEAD" | "PUT" | "DELETE", key: string, body?: Uint8Array) {
    for (let tries = 1; ; tries++) {
      const url = createClient().presign(key, { method, expiresIn: SIGNED_SECONDS });
      let answer: Response;
      let bytes: Uint8Array;
      try {
        answer = await fetch(url, {
          method,
          redirect: "manual",
          signal: AbortSignal.timeout(deadlineMs),
          // A view of a larger buffer is sent as that view; a Blob would be one more copy.
          ...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> }),
        });
        bytes = await answer.bytes();
      } catch (error) {
        const late = error instanceof Error && error.name === "TimeoutError";
        if (!late && tries < TRIES) continue;
        // Not as cause: its text may hold the address, and the address the plate.
        throw away(doing, late ? `no answer within ${deadlineMs} ms` : (systemCode(error) ?? "connection lost"));
      }
      if (answer.ok) return bytes;
      // An answer to HEAD has no body to say what is absent: that the bucket is there was seen by whoever listed or wrote.
      const code = method === "HEAD" && answer.status === 404 ? "NoSuchKey" : errorCode(bytes);
      // Only an object that is said to be absent is absent: without its bucket every picture would seem to be gone.
      if (answer.status === 404 && code === "NoSuchKey") return null;
      if ((answer.status >= 500 || answer.status === 429) && tries < TRIES) continue;
      throw away(doing, `${answer.status}${code === null ? "" : ` ${code}`}`);
    }
  }

  const away = (doing: string, why: string): AppError =>
    new AppError("store-unreachable", `${doing}: the object store cannot be used now (${why}, ${place})`, {
      hint: "Check that it runs and can be reached from here, and IMAGES_URL, endpoint, region and keys.",
    });

  async function listPage(continuationToken: string | undefined) {
    const page = createClient().list({
      ...(prefix === "" ? {} : { prefix }),
      maxKeys: pageSize,
      ...(continuationToken === undefined ? {} : { continuationToken }),
    });
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error("late")), deadlineMs);
    });
    try {
      return await Promise.race([page, late]);
    } catch (error) {
      page.catch(() => {});
      throw away("listing images", systemCode(error) ?? `no answer within ${deadlineMs} ms`);
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    refusesTaken: false,
    async put(path, bytes) {
      const key = keyOf(path);
      await enter(() => request("writing an image", "PUT", key, bytes));
      return true;
    },
    async replace(path, bytes) {
      const key = keyOf(path);
      await enter(() => request("writing an image", "PUT", key, bytes));
    },
    flush: async () => {},
    read: async (path) => {
      const key = keyOf(path);
      return enter(() => request("reading an image", "GET", key));
    },
    has: async (path) => {
      const key = keyOf(path);
      return (await enter(() => request("looking for an image", "HEAD", key))) !== null;
    },
    async erase(paths) {
      const keys = [...paths.map(keyOf), ...owed];
      owed = [];
      const failed: string[] = [];
      let failure: unknown = null;
      // Some at a time, and no further once one failed: whoever writes a picture meanwhile waits behind one step, not behind all.
      for (let at = 0; at < keys.length; at += concurrency) {
        const step = keys.slice(at, at + concurrency);
        const asked = step.map((key) => enter(() => request("erasing an image", "DELETE", key)));
        for (const [index, result] of (await Promise.allSettled(asked)).entries()) {
          if (result.status === "fulfilled") continue;
          failure ??= result.reason;
          failed.push(step[index] as string);
        }
        if (failure === null) continue;
        // Their rows are gone already: kept for the next call, so that no picture waits for the sweep because of a short
        // outage. What failed comes last, so that a key which is always refused keeps no other one back.
        owed = [...keys.slice(at + concurrency), ...failed, ...owed].slice(0, MOST_OWED);
        throw failure;
      }
      return paths.length;
    },
    async *list() {
      for (let token: string | undefined; ; ) {
        const page = await enter(() => listPage(token));
        const folders = new Map<string, { name: string; modifiedAt: Date }[]>();
        for (const { key, lastModified } of page.contents ?? []) {
          if (!key.startsWith(prefix) || key.endsWith("/") || lastModified === undefined) continue;
          const path = key.slice(prefix.length);
          const at = path.lastIndexOf("/");
          const folder = path.slice(0, Math.max(0, at));
          const files = folders.get(folder) ?? [];
          if (files.length === 0) folders.set(folder, files);
          files.push({ name: path.slice(at + 1), modifiedAt: new Date(lastModified) });
        }
        for (const [folder, files] of folders) yield { folder, files };
        token = page.nextContinuationToken;
        if (page.isTruncated !== true || token === undefined) return;
      }
    },
    space: options.space,
    close() {},
  };
}

/** Lets so many in at once; the others wait in the order they came. */
function createGate(places: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = places;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}

/** `<Error><Code>NoSuchKey</Code>…`; nothing else of the answer goes further, it quotes the key. */
function errorCode(bytes: Uint8Array): string | null {
  const text = Buffer.from(bytes.subarray(0, MAX_ERROR_BYTES)).toString("latin1");
  return /<Code>(\w{1,64})<\/Code>/.exec(text)?.[1] ?? null;
}
