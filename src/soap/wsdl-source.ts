import { createHash, randomUUID } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { mkdir, open, rename, rm, utimes } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AppError, errorText, systemCode } from "../errors.ts";
import type { Log } from "../log.ts";
import type { ServiceContract } from "./contract.ts";
import { withDeadline } from "./deadline.ts";
import { Client } from "./http-client.ts";
import { createTrust } from "./trust.ts";
import { builtinContract, parseWsdl } from "./wsdl.ts";

const MAX_WSDL_BYTES = 1024 * 1024;
const FETCH_DEADLINE_MS = 30_000;
const REFRESH_MS = 86_400_000;
const RETRY_MS = 3_600_000;
/** WSDLs kept in memory; beyond it the one used longest ago is read from the cache again. */
const MAX_ENTRIES = 256;

/**
 * Reads a WSDL from an http(s) address or a file (path or file:// URL). Redirects are not followed.
 * @param options.deadlineMs The whole time for an address; a file is read at once.
 * @throws AppError `unavailable` saying what was answered, or that it is over 1 MiB.
 */
export async function fetchWsdl(
  source: string,
  options: { caPath: string | null; deadlineMs: number; signal?: AbortSignal },
): Promise<Uint8Array> {
  const url = URL.parse(source);
  if (url?.protocol === "https:" || url?.protocol === "http:") return await download(url, options);
  const path = url?.protocol === "file:" ? fileURLToPath(url) : source;
  try {
    const stat = statSync(path);
    // A pipe would block the whole process until somebody writes to it.
    if (!stat.isFile()) throw new AppError("unavailable", "it is not a file");
    if (stat.size > MAX_WSDL_BYTES) throw new AppError("unavailable", "it is over 1 MiB");
    return readFileSync(path);
  } catch (cause) {
    const why = cause instanceof AppError ? cause.message : (systemCode(cause) ?? errorText(cause));
    throw new AppError("unavailable", `reading the WSDL: ${why} (${path})`, { cause });
  }
}

async function download(
  url: URL,
  { caPath, deadlineMs, signal }: { caPath: string | null; deadlineMs: number; signal?: AbortSignal },
): Promise<Uint8Array> {
  const doing = "fetching the WSDL";
  const where = withoutUser(url.href);
  const secure = url.protocol === "https:";
  const client = new Client(url.origin, {
    connect: secure ? { secureContext: createTrust(caPath, null) } : {},
  });
  try {
    return await withDeadline(deadlineMs, signal, async (ending) => {
      const response = await client.request({ method: "GET", path: url.pathname + url.search, signal: ending });
      if (response.statusCode !== 200) {
        throw new AppError("unavailable", `${doing}: HTTP ${response.statusCode} (${where})`);
      }
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of response.body as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > MAX_WSDL_BYTES) throw new AppError("unavailable", `${doing}: it is over 1 MiB (${where})`);
        chunks.push(chunk);
      }
      return Buffer.concat(chunks);
    });
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError("unavailable", `${doing}: ${systemCode(cause) ?? errorText(cause)} (${where})`, { cause });
  } finally {
    await client.destroy();
  }
}

/** The contracts of all endpoints. */
export interface ContractSource {
  /**
   * Answers at once, from memory, the cache on disk, or what is built in: a WSDL is never a reason not to send. A look at the
   * source itself follows in the background, once a day, after a failure once an hour.
   * @param wsdl Address or file; null: the built-in contract.
   */
  contractFor(wsdl: string | null, caPath: string | null): ServiceContract;
  /** Resolves when no look at a source is under way. */
  settled(): Promise<void>;
  /** Gives up what is under way. */
  close(): Promise<void>;
}

interface Entry {
  contract: ServiceContract;
  /** Hash of the WSDL it was read from; null: built in. */
  hash: string | null;
  refreshAt: number;
  failure: string | null;
  refreshing: Promise<void> | null;
}

/** @param deps.cacheDir Made when needed; losing it costs one look at each source. */
export function createContractSource(deps: { cacheDir: string; now(): Date; log: Log }): ContractSource {
  const { cacheDir, now, log } = deps;
  const entries = new Map<string, Entry>();
  const running = new Set<Promise<void>>();
  const closing = new AbortController();
  const cachePath = (wsdl: string): string => join(cacheDir, `${hashOf(wsdl).slice(0, 32)}.wsdl`);

  function readCache(wsdl: string): Entry {
    const entry: Entry = { contract: builtinContract, hash: null, refreshAt: 0, failure: null, refreshing: null };
    try {
      const path = cachePath(wsdl);
      const bytes = readFileSync(path);
      entry.contract = parseWsdl(bytes);
      entry.hash = hashOf(bytes);
      // A clock that was ahead when it was written must not put the next look off for ever.
      entry.refreshAt = Math.min(statSync(path).mtimeMs, now().getTime()) + REFRESH_MS;
    } catch {
      // No cache, or one that is damaged: the source itself is asked next.
    }
    return entry;
  }

  async function refresh(entry: Entry, wsdl: string, caPath: string | null): Promise<void> {
    const shown = withoutUser(wsdl);
    try {
      const bytes = await fetchWsdl(wsdl, { caPath, deadlineMs: FETCH_DEADLINE_MS, signal: closing.signal });
      const contract = parseWsdl(bytes);
      const hash = hashOf(bytes);
      if (hash !== entry.hash) log.info("the contract was read from its WSDL", { wsdl: shown });
      else if (entry.failure !== null) log.info("the WSDL can be read again", { wsdl: shown });
      Object.assign(entry, { contract, hash, failure: null, refreshAt: now().getTime() + REFRESH_MS });
      await writeCache(cacheDir, cachePath(wsdl), bytes, now()).catch((error: unknown) =>
        log.warn("the WSDL cannot be kept on disk", { path: cacheDir, failure: errorText(error) }),
      );
    } catch (error) {
      if (closing.signal.aborted) return;
      entry.refreshAt = now().getTime() + RETRY_MS;
      const failure = errorText(error).slice(0, 300);
      if (failure === entry.failure) return;
      entry.failure = failure;
      const used = entry.hash === null ? "built-in" : "last read";
      log.warn("the WSDL cannot be used, the contract known so far stays", { wsdl: shown, used, failure });
    }
  }

  return {
    contractFor(wsdl, caPath) {
      if (wsdl === null) return builtinContract;
      const key = JSON.stringify([wsdl, caPath]);
      const entry = entries.get(key) ?? readCache(wsdl);
      entries.delete(key);
      entries.set(key, entry);
      const [oldest] = entries.keys();
      if (entries.size > MAX_ENTRIES && oldest !== undefined) entries.delete(oldest);
      if (entry.refreshing === null && now().getTime() >= entry.refreshAt && !closing.signal.aborted) {
        const look = refresh(entry, wsdl, caPath).finally(() => {
          entry.refreshing = null;
          running.delete(look);
        });
        entry.refreshing = look;
        running.add(look);
      }
      return entry.contract;
    },
    async settled() {
      while (running.size > 0) await Promise.all(running);
    },
    async close() {
      closing.abort();
      await Promise.all(running);
    },
  };
}

/** An address without the user, the password and the query that it may hold; a path as it is. */
function withoutUser(source: string): string {
  const url = URL.parse(source);
  return url?.protocol === "https:" || url?.protocol === "http:" ? url.origin + url.pathname : source;
}

function hashOf(value: string | Uint8Array): string {
  return createHash("sha256").update(value).digest("hex");
}

/** The file's own time says when the source was last looked at, so that a restart does not ask again. */
async function writeCache(dir: string, path: string, bytes: Uint8Array, at: Date): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o750 });
  // No number of a process: in two containers that share the folder it is the same.
  const temporary = `${path}.${randomUUID()}.new`;
  try {
    const file = await open(temporary, "wx", 0o640);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await utimes(temporary, at, at);
    await rename(temporary, path);
    const folder = await open(dir);
    await folder.sync().finally(() => folder.close());
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
