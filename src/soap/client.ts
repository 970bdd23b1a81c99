import { readFile } from "node:fs/promises";
import { type Dispatcher, Pool } from "undici/index.js";
import type { DeliveryOutcome } from "../delivery.ts";
import { errorText, systemCode } from "../errors.ts";
import { cleanDetail, parseResponse } from "./response.ts";
import type { SignedEnvelope } from "./sign.ts";
import { createTrust, type Trust } from "./trust.ts";

/** An answer is a few hundred bytes; more is no answer of this service. */
const MAX_ANSWER_BYTES = 64 * 1024;
const CONNECT_TIMEOUT_MS = 10_000;
/** Idle connections are given up before common servers do it (60 s), so that few are found dead. */
const KEEP_ALIVE_MS = 30_000;
/** Endpoints with connections of their own at one time. */
const MAX_POOLS = 64;

/** Where a message is posted, and how its answer is read. */
export interface PostTarget {
  url: string;
  /** PEM file of authorities to trust besides the system's. */
  caPath: string | null;
  /** Presented on TLS; null: none. */
  clientCertificate: { certPath: string; keyPath: string } | null;
  soapAction: string;
  successCodes: readonly string[];
  /** What no detail may repeat: the plate. */
  secrets: readonly string[];
}

export interface PostResult {
  outcome: DeliveryOutcome;
  /** The answer's Date header. */
  dateHeader: Date | null;
  durationMs: number;
}

export interface SoapClient {
  /** Posts once, never again by itself. Never rejects: what went wrong is the outcome. */
  post(
    target: PostTarget,
    envelope: SignedEnvelope,
    options: { deadlineMs: number; signal: AbortSignal },
  ): Promise<PostResult>;
  close(): Promise<void>;
}

export interface SoapClientDeps {
  monotonicMs(): number;
  /** Most connections to one endpoint. */
  connections: number;
}

/** The HTTP side (SOAP 1.1, RFC 9110): a pool of connections for each endpoint, and what its errors mean for a message. */
export function createSoapClient(deps: SoapClientDeps): SoapClient {
  const pools = new Map<string, Pool>();
  const trust = createTrust();

  async function post(
    target: PostTarget,
    envelope: SignedEnvelope,
    { deadlineMs, signal }: { deadlineMs: number; signal: AbortSignal },
  ): Promise<PostResult> {
    const startedAt = deps.monotonicMs();
    const deadline = AbortSignal.timeout(deadlineMs);
    let dateHeader: Date | null = null;
    let key: string | null = null;
    let pool: Pool | null = null;
    let outcome: DeliveryOutcome;
    try {
      const url = new URL(target.url);
      const opened = await openPool(url, target);
      ({ pool, key } = opened);
      const answer = await send(pool, url, target, envelope, AbortSignal.any([deadline, signal]));
      dateHeader = parseDate(answer.headers["date"]);
      const body = await readBody(answer.body);
      outcome =
        body === null
          ? { kind: "unanswered", detail: `HTTP ${answer.statusCode} with more than ${MAX_ANSWER_BYTES} bytes` }
          : parseResponse(
              { status: answer.statusCode, body, contentType: headerText(answer.headers["content-type"]) },
              target.successCodes,
              target.secrets,
            );
    } catch (error) {
      outcome = deadline.aborted
        ? { kind: "unanswered", detail: `no answer within ${deadlineMs} ms` }
        : judgeError(error, target);
      // A connection that hung or broke is not used again, and neither are its siblings to the same server.
      if (pool !== null && key !== null && pools.get(key) === pool) {
        pools.delete(key);
        void pool.close().catch(() => {});
      }
    }
    return { outcome, dateHeader, durationMs: deps.monotonicMs() - startedAt };
  }

  async function openPool(url: URL, target: PostTarget): Promise<{ pool: Pool; key: string }> {
    const secure = url.protocol === "https:";
    const tls = secure ? await tlsOptions(target, trust) : null;
    const key = [url.origin, tls?.stamp ?? "", target.clientCertificate?.certPath ?? ""].join(" ");
    const present = pools.get(key);
    if (present !== undefined) {
      // The one used last is the last to go.
      pools.delete(key);
      pools.set(key, present);
      return { pool: present, key };
    }
    const pool = new Pool(url.origin, {
      connections: deps.connections,
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      connect: { timeout: CONNECT_TIMEOUT_MS, ...tls?.connect },
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    pools.set(key, pool);
    for (const [oldKey, old] of pools) {
      if (pools.size <= MAX_POOLS) break;
      pools.delete(oldKey);
      void old.close().catch(() => {});
    }
    return { pool, key };
  }

  return {
    post,
    async close() {
      const open = [...pools.values()];
      pools.clear();
      await Promise.all(open.map((pool) => pool.destroy().catch(() => {})));
    },
  };
}

function send(
  pool: Pool,
  url: URL,
  target: PostTarget,
  envelope: SignedEnvelope,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  return pool.request({
    method: "POST",
    path: `${url.pathname}${url.search}`,
    headers: {
      "content-type": "text/xml; charset=utf-8",
      // RFC 2616 quoting, required by SOAP 1.1 §6.1.1; empty is `""`.
      soapaction: `"${target.soapAction}"`,
      accept: "text/xml",
      "user-agent": "tattile",
      "content-length": String(envelope.bytes),
    },
    // Buffers one after the other: the pictures are not joined with the rest.
    body: envelope.parts as unknown as Dispatcher.DispatchOptions["body"] & object,
    signal,
  });
}

/** @returns null when it is longer than an answer may be */
async function readBody(body: Dispatcher.ResponseData["body"]): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) {
      body.destroy();
      return null;
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function tlsOptions(target: PostTarget, trust: Trust) {
  const { authorities, stamp } = await trust.load(target.caPath);
  const client = target.clientCertificate;
  const pair =
    client === null
      ? {}
      : { cert: await readFile(client.certPath, "utf8"), key: await readFile(client.keyPath, "utf8") };
  return { stamp, connect: { ca: authorities, rejectUnauthorized: true, ...pair } };
}

/** Nobody was reached: refused, unroutable, no such name, or no connection within the time. */
const UNREACHABLE = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EAI_NODATA",
  "EAI_NONAME",
  "EAI_FAIL",
  "ENODATA",
  "ESERVFAIL",
  "ETIMEOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EHOSTDOWN",
  "ENETDOWN",
  "EADDRNOTAVAIL",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** Trust and handshake problems in the operator's words (OpenSSL's verify codes as node:tls names them). */
const TLS_PROBLEMS: ReadonlyMap<string, string> = new Map([
  ["CERT_HAS_EXPIRED", "the server's certificate has expired"],
  ["CERT_NOT_YET_VALID", "the server's certificate is not valid yet (check this machine's clock)"],
  [
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    "the server's certificate is of an authority that is not trusted here (give it with --ca)",
  ],
  [
    "UNABLE_TO_GET_ISSUER_CERT",
    "the server's certificate is of an authority that is not trusted here (give it with --ca)",
  ],
  [
    "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    "the server's certificate is of an authority that is not trusted here (give it with --ca)",
  ],
  [
    "SELF_SIGNED_CERT_IN_CHAIN",
    "the server's certificate is of an authority that is not trusted here (give it with --ca)",
  ],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "the server's certificate is self-signed (give it with --ca)"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "the server's certificate is for another name"],
  ["CERT_SIGNATURE_FAILURE", "the server's certificate has a wrong signature"],
  ["CERT_REVOKED", "the server's certificate was revoked"],
  ["INVALID_CA", "the server's certificate chain is not valid"],
  ["ERR_SSL_WRONG_VERSION_NUMBER", "the server does not speak TLS on this port"],
]);

/** What a failed POST means. Whatever may have reached the far side is `unanswered`. */
export function judgeError(error: unknown, target: Pick<PostTarget, "url" | "caPath" | "secrets">): DeliveryOutcome {
  const code = systemCode(error) ?? "";
  const problem = TLS_PROBLEMS.get(code);
  if (problem !== undefined) return { kind: "misconfigured", detail: problem, scope: "endpoint" };
  if (code.startsWith("ERR_SSL_") || code === "EPROTO") {
    return { kind: "misconfigured", detail: `no TLS connection: ${code}`, scope: "endpoint" };
  }
  if (code === "ERR_INVALID_URL" || code === "UND_ERR_INVALID_ARG") {
    return { kind: "misconfigured", detail: "the endpoint's address is not a URL", scope: "endpoint" };
  }
  if (code === "TRUST") return { kind: "misconfigured", detail: errorText(error), scope: "endpoint" };
  if (UNREACHABLE.has(code)) return { kind: "unreachable", detail: describeUnreachable(code) };
  return {
    kind: "unanswered",
    detail: cleanDetail(`no answer: ${code === "" ? errorText(error) : code}`, target.secrets),
  };
}

function describeUnreachable(code: string): string {
  switch (code) {
    case "ECONNREFUSED":
      return "connection refused";
    case "UND_ERR_CONNECT_TIMEOUT":
      return `no connection within ${CONNECT_TIMEOUT_MS} ms`;
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "EHOSTDOWN":
    case "ENETDOWN":
      return `no way to the server (${code})`;
    default:
      return `the server's name does not resolve (${code})`;
  }
}

function parseDate(header: string | string[] | undefined): Date | null {
  const at = Date.parse(headerText(header) ?? "");
  return Number.isNaN(at) ? null : new Date(at);
}

function headerText(header: string | string[] | undefined): string | null {
  return (Array.isArray(header) ? header[0] : header) ?? null;
}
