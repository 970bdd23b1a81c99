import type { Readable } from "node:stream";
import type { Dispatcher } from "undici/index.js";
import type { DeliveryOutcome } from "../delivery.ts";
import { AppError } from "../errors.ts";
import { withDeadline } from "./deadline.ts";
import { Pool } from "./http-client.ts";
import { judgeFailure } from "./network-failure.ts";
import { parseResponse } from "./response.ts";
import type { SignedEnvelope } from "./sign.ts";
import { type ClientCertificatePaths, createTrust, trustStamp } from "./trust.ts";

// "undici/index.js" is the library itself: the bare name is the runtime's own stand-in, which ignores CA, limits and deadlines.

/** No honest answer is longer; more of it is not read. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** A host that does not even complete a handshake in this time is as good as down, whatever the deadline allows. */
const CONNECT_TIMEOUT_MS = 10_000;
/** Endpoints whose connections are kept; beyond it the one used longest ago is let go. */
const MAX_POOLS = 64;

export interface PostTarget {
  url: string;
  /** PEM file of authorities to trust besides the system's. */
  caPath: string | null;
  /** To be presented on TLS; null: none. */
  clientCertificate: ClientCertificatePaths | null;
  soapAction: string;
  successCodes: readonly string[];
  /** Texts that no detail may repeat: the plate. */
  secrets: readonly string[];
}

/** An answer as it came, for whoever wants to look at it besides its judgement. */
export interface RawAnswer {
  status: number;
  contentType: string | null;
  body: Buffer;
}

export interface PostResult {
  outcome: DeliveryOutcome;
  /** The far side's clock, from its Date header; null: not told. */
  dateHeader: Date | null;
  durationMs: number;
}

export interface PostOptions {
  deadlineMs: number;
  signal?: AbortSignal;
  onAnswer?(answer: RawAnswer): void;
}

export interface SoapClient {
  /**
   * Sends one signed message, once: nothing is repeated and no redirect followed, since the far side may have taken it.
   * Never throws for what happens out there. `deadlineMs` is the whole time, from connecting to the last byte of the answer.
   */
  post(target: PostTarget, envelope: SignedEnvelope, options: PostOptions): Promise<PostResult>;
  /** Cuts every connection; posts under way end as unanswered. */
  close(): Promise<void>;
}

/** @param deps.connections The most at once to one endpoint; further posts wait, and their deadline runs. */
export function createSoapClient(deps: { monotonicMs(): number; connections: number }): SoapClient {
  const pools = new Map<string, Pool>();
  /** Let go, but with posts under way. */
  const leaving = new Set<Pool>();

  function openPool(key: string, target: PostTarget, origin: string): Pool {
    const known = pools.get(key);
    pools.delete(key);
    const secure = origin.startsWith("https:");
    const pool =
      known ??
      new Pool(origin, {
        connections: deps.connections,
        headersTimeout: 0,
        bodyTimeout: 0,
        connect: {
          timeout: CONNECT_TIMEOUT_MS,
          ...(secure ? { secureContext: createTrust(target.caPath, target.clientCertificate) } : {}),
        },
      });
    pools.set(key, pool);
    for (const [oldKey, old] of pools) {
      if (pools.size <= MAX_POOLS) break;
      letGo(oldKey, old);
    }
    return pool;
  }

  /** Takes no new post, finishes those under way, closes. A connection that once failed may hang for the next post too. */
  function letGo(key: string, pool: Pool): void {
    if (pools.get(key) === pool) pools.delete(key);
    if (leaving.has(pool)) return;
    leaving.add(pool);
    pool
      .close()
      .catch(() => {})
      .finally(() => leaving.delete(pool));
  }

  async function post(
    target: PostTarget,
    envelope: SignedEnvelope,
    { deadlineMs, signal, onAnswer }: PostOptions,
  ): Promise<PostResult> {
    const startedAt = deps.monotonicMs();
    const result = (outcome: DeliveryOutcome, dateHeader: Date | null = null): PostResult => ({
      outcome,
      dateHeader,
      durationMs: deps.monotonicMs() - startedAt,
    });
    const url = parseTarget(target.url);
    if (url === null) return result(misconfigured("the address is not an http(s) URL"));
    if (!/^[\x20-\x7e]*$/.test(target.soapAction) || target.soapAction.includes('"')) {
      return result(misconfigured("the SOAPAction has characters that a header cannot hold"));
    }
    const key = url.origin + trustStamp(target.caPath, target.clientCertificate);
    let pool: Pool;
    try {
      pool = openPool(key, target, url.origin);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return result(misconfigured(error.message));
    }
    let begun = false;
    function* body(): Generator<Buffer> {
      begun = true;
      yield* envelope.parts;
    }
    try {
      const { response, answer } = await withDeadline(deadlineMs, signal, async (ending) => {
        const response = await pool.request({
          method: "POST",
          path: url.pathname + url.search,
          headers: {
            "content-type": "text/xml; charset=utf-8",
            "content-length": String(envelope.bytes),
            soapaction: `"${target.soapAction}"`,
            accept: "text/xml",
            "user-agent": "tattile",
          },
          // Any iterable of buffers is taken, which the types do not know: the pieces are sent as they are, never joined.
          body: body() as unknown as Readable,
          signal: ending,
        });
        return { response, answer: await readAnswer(response) };
      });
      const dateHeader = parseDate(response.headers["date"]);
      if (answer === null) {
        letGo(key, pool);
        return result({ kind: "unanswered", detail: `the answer is over ${MAX_ANSWER_BYTES / 1024} KiB` }, dateHeader);
      }
      const contentType = firstOf(response.headers["content-type"]);
      onAnswer?.({ status: response.statusCode, contentType, body: answer });
      const outcome = parseResponse(
        { status: response.statusCode, body: answer, contentType },
        target.successCodes,
        target.secrets,
      );
      return result(outcome, dateHeader);
    } catch (error) {
      letGo(key, pool);
      return result(judgeFailure(error, begun));
    }
  }

  return {
    post,
    async close() {
      const open = [...pools.values(), ...leaving];
      pools.clear();
      await Promise.all(open.map((pool) => pool.destroy()));
    },
  };
}

function misconfigured(detail: string): DeliveryOutcome {
  return { kind: "misconfigured", scope: "endpoint", detail };
}

function parseTarget(text: string): URL | null {
  const url = URL.parse(text);
  return url !== null && (url.protocol === "https:" || url.protocol === "http:") ? url : null;
}

/** The whole body, or null when it is over the limit: then the rest is not read. */
async function readAnswer(response: Dispatcher.ResponseData): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseDate(header: string | string[] | undefined): Date | null {
  const time = Date.parse(firstOf(header) ?? "");
  return Number.isNaN(time) ? null : new Date(time);
}

function firstOf(header: string | string[] | undefined): string | null {
  return (Array.isArray(header) ? header[0] : header) ?? null;
}
