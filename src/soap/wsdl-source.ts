import { createHash } from "node:crypto";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Pool, request } from "undici/index.js";
import { errorText } from "../errors.ts";
import type { Log } from "../log.ts";
import type { ServiceContract } from "./contract.ts";
import { createTrust } from "./trust.ts";
import { builtinContract, parseWsdl } from "./wsdl.ts";

const REFRESH_MS = 24 * 3_600_000;
const RETRY_MS = 3_600_000;
const FETCH_DEADLINE_MS = 30_000;
const MAX_WSDL_BYTES = 1024 * 1024;
/** Sources remembered at one time. */
const MAX_SOURCES = 64;

/** The contract to fill, from the WSDL where one is given. */
export interface ContractSource {
  /**
   * At once, from what is known: the WSDL's as last read (also by an earlier run), else the built-in one. Reads the WSDL
   * behind the scenes, daily, and hourly after a failure, which is logged and never a reason not to send.
   * @param wsdl address or file; null: the built-in contract
   */
  contractFor(wsdl: string | null, caPath: string | null): ServiceContract;
  close(): Promise<void>;
}

export interface ContractSourceDeps {
  cacheDir: string;
  now(): Date;
  log: Log;
}

interface Source {
  contract: ServiceContract;
  nextReadAt: number;
  reading: Promise<void> | null;
  problem: string | null;
}

export function createContractSource({ cacheDir, now, log }: ContractSourceDeps): ContractSource {
  const sources = new Map<string, Source>();
  const stopping = new AbortController();

  const refresh = async (wsdl: string, caPath: string | null, source: Source): Promise<void> => {
    try {
      const bytes = await readWsdl(wsdl, caPath, stopping.signal);
      const contract = parseWsdl(bytes);
      await writeCache(cacheFile(cacheDir, wsdl), bytes);
      source.contract = contract;
      source.nextReadAt = now().getTime() + REFRESH_MS;
      if (source.problem !== null) log.info("the WSDL is read again", { wsdl });
      source.problem = null;
    } catch (error) {
      if (stopping.signal.aborted) return;
      source.nextReadAt = now().getTime() + RETRY_MS;
      const problem = errorText(error);
      if (problem !== source.problem)
        log.warn("the WSDL could not be read; going on with the contract known", { wsdl, problem });
      source.problem = problem;
    }
  };

  /** What an earlier run read; then the network's answer. */
  const load = async (wsdl: string, caPath: string | null, source: Source): Promise<void> => {
    const cached = await readFile(cacheFile(cacheDir, wsdl)).catch(() => null);
    if (cached !== null) {
      try {
        source.contract = parseWsdl(cached);
      } catch {
        // A cache that cannot be read is as good as none.
      }
    }
    await refresh(wsdl, caPath, source);
  };

  return {
    contractFor(wsdl, caPath) {
      if (wsdl === null) return builtinContract;
      let source = sources.get(wsdl);
      if (source === undefined) {
        if (sources.size >= MAX_SOURCES) sources.clear();
        source = { contract: builtinContract, nextReadAt: Number.POSITIVE_INFINITY, reading: null, problem: null };
        sources.set(wsdl, source);
        begin(source, load(wsdl, caPath, source));
      } else if (source.reading === null && now().getTime() >= source.nextReadAt) {
        begin(source, refresh(wsdl, caPath, source));
      }
      return source.contract;
    },
    async close() {
      stopping.abort();
      await Promise.all([...sources.values()].map(({ reading }) => reading));
    },
  };
}

function begin(source: Source, reading: Promise<void>): void {
  source.reading = reading.finally(() => {
    source.reading = null;
  });
}

/**
 * Reads a WSDL from an http(s) address or a file.
 * @throws what the file system or the network says; more than 1 MiB is refused
 */
export async function readWsdl(wsdl: string, caPath: string | null, signal: AbortSignal): Promise<Buffer> {
  if (!/^https?:\/\//i.test(wsdl)) return await readFile(wsdl);
  const { authorities } = await createTrust().load(caPath);
  const dispatcher = new Pool(new URL(wsdl).origin, {
    connections: 1,
    connect: { ca: [...authorities], timeout: FETCH_DEADLINE_MS },
  });
  try {
    const answer = await request(wsdl, {
      dispatcher,
      signal: AbortSignal.any([signal, AbortSignal.timeout(FETCH_DEADLINE_MS)]),
      headers: { accept: "text/xml", "user-agent": "tattile" },
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of answer.body) {
      bytes += chunk.length;
      if (bytes > MAX_WSDL_BYTES) throw new Error(`more than ${MAX_WSDL_BYTES} bytes`);
      chunks.push(chunk);
    }
    if (answer.statusCode !== 200) throw new Error(`HTTP ${answer.statusCode}`);
    return Buffer.concat(chunks);
  } finally {
    await dispatcher.destroy();
  }
}

function cacheFile(cacheDir: string, wsdl: string): string {
  return join(cacheDir, `${createHash("sha256").update(wsdl).digest("hex").slice(0, 16)}.wsdl`);
}

async function writeCache(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o750 });
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, "w", 0o640);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}
