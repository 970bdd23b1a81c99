import { type Clock, systemClock } from "../clock.ts";
import { errorText } from "../errors.ts";
import { type Log, silentLog } from "../log.ts";
import type { SignatureProfile } from "../store/registry.ts";
import { type HttpExchange, startHttpServer, type TlsOptions } from "./http-server.ts";
import wsdl from "./matricules.wsdl" with { type: "text" };
import { type BehaviourRule, createBehaviour } from "./mossos-behaviour.ts";
import { startControl } from "./mossos-control.ts";
import { buildFault, escapeText, MATRICULES_NS, SOAP_NS, SoapFault } from "./mossos-fault.ts";
import { openRecordBook, type RecordBook } from "./mossos-records.ts";
import { createReplayGuard } from "./mossos-replay.ts";
import { type VerifiedRequest, verifyRequest } from "./mossos-verify.ts";

export interface MossosOptions {
  /** Default 127.0.0.1. */
  host?: string;
  /** Default 0: any free one. */
  port?: number;
  /** Null or not given: plain HTTP. */
  tls?: TlsOptions | null;
  /** Default `/matr-ws`; the WSDL is below it. */
  path?: string;
  /** Authorities whose certificates may sign, PEM; null or not given: any certificate. */
  trustedCa?: readonly string[] | null;
  /** Default `any`. */
  profile?: SignatureProfile | "any";
  /** Also verify the whole document with xml-crypto, slowly. Default false. */
  verifyWhole?: boolean;
  /** codiRetorn of an accepted message. Default `1`. */
  successCode?: string;
  rules?: readonly BehaviourRule[];
  /** The police's clock minus ours, ms: moves the Date header and what counts as fresh. Default 0. */
  clockOffsetMs?: number;
  /** Default 300 s and 60 s. */
  maxAgeMs?: number;
  maxFutureMs?: number;
  /** JSONL file for accepted messages, 0600. */
  recordPath?: string | null;
  /** Records kept in memory. Default 100,000. */
  maxRecords?: number;
  /** Port of POST /_control and GET /_records, on 127.0.0.1 only; 0: any free one; null or not given: none. */
  controlPort?: number | null;
  clock?: Clock;
  log?: Log;
}

export interface MossosServer {
  /** Address for the sender: scheme, host, port and path. */
  readonly url: string;
  readonly wsdlUrl: string;
  readonly port: number;
  readonly controlUrl: string | null;
  readonly records: RecordBook;
  /** Replaces all rules; their counts start afresh. */
  behave(...rules: readonly BehaviourRule[]): void;
  setClockOffset(offsetMs: number): void;
  /** Nobody listens (refused) for `forMs`, or until `comeBack`; then again on the same port. */
  goDown(forMs?: number): Promise<void>;
  comeBack(): Promise<void>;
  /** Leaves no socket, timer or file open. */
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 32 * 1024 * 1024;
const XML = "text/xml; charset=utf-8";
const HTML =
  "<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Sign in to the network</h1></body></html>";

/** Starts the simulated police. @throws AppError `unavailable` when a port is taken. */
export async function startMossos(options: MossosOptions): Promise<MossosServer> {
  const clock = options.clock ?? systemClock;
  const log = options.log ?? silentLog;
  const path = options.path ?? "/matr-ws";
  const host = options.host ?? "127.0.0.1";
  const maxAgeMs = options.maxAgeMs ?? 300_000;
  const maxFutureMs = options.maxFutureMs ?? 60_000;
  const replays = createReplayGuard(maxAgeMs + maxFutureMs);
  const records = openRecordBook(options.recordPath ?? null, options.maxRecords ?? 100_000);
  const stop = new AbortController();
  let behaviour = createBehaviour(options.rules ?? []);
  let offsetMs = options.clockOffsetMs ?? 0;
  let returnTimer: ReturnType<typeof setTimeout> | null = null;

  const now = (): Date => new Date(clock.now().getTime() + offsetMs);
  const respond = (exchange: HttpExchange, status: number, type: string, body: string): void =>
    exchange.respond(status, { date: now().toUTCString(), "content-type": type }, body);
  const refuse = (kind: string, reason: string): void => {
    records.refuse({ receivedAt: now().toISOString(), kind, reason });
    log.info("message refused", { kind, reason });
  };
  const take = (request: VerifiedRequest, answered: boolean): void => {
    const { signatureValue, createdAt, ...rest } = request;
    records.accept({ receivedAt: now().toISOString(), ...rest, answered });
    log.info("message accepted", { readerCode: request.readerCode, profile: request.profile, answered });
  };

  const verifyBody = async (exchange: HttpExchange): Promise<VerifiedRequest> => {
    const body = await exchange.readBody();
    const request = verifyRequest(body, exchange.headers, {
      profile: options.profile ?? "any",
      trustedCa: options.trustedCa ?? null,
      now: now(),
      maxAgeMs,
      maxFutureMs,
      verifyWhole: options.verifyWhole ?? false,
    });
    if (!replays.admit(request.signatureValue, now())) {
      throw new SoapFault("invalid-security", "this signature was seen before: a replay");
    }
    return request;
  };

  const receive = async (exchange: HttpExchange): Promise<void> => {
    const early = behaviour.pick("head", null, now());
    if (early !== null) {
      refuse(`behaviour:${early.answer.kind}`, "before the body");
      await clock.sleep(early.delayMs ?? 0, stop.signal);
      if (early.answer.kind === "reset") exchange.reset();
      else exchange.end();
      return;
    }
    let request: VerifiedRequest;
    try {
      request = await verifyBody(exchange);
    } catch (error) {
      if (!(error instanceof SoapFault)) throw error;
      refuse(error.kind, error.message);
      respond(exchange, 500, XML, buildFault(error.kind, error.message));
      return;
    }
    const rule = behaviour.pick("body", request, now());
    const answer = rule?.answer ?? { kind: "accept" };
    if (answer.kind === "accept") take(request, true);
    else if (rule?.takes) take(request, false);
    else refuse(`behaviour:${answer.kind}`, JSON.stringify(answer));
    if (rule?.delayMs !== undefined) await Promise.race([clock.sleep(rule.delayMs, stop.signal), exchange.gone]);
    const success = buildResponse(options.successCode ?? "1");
    switch (answer.kind) {
      case "accept":
        return respond(exchange, 200, XML, success);
      case "code":
        return respond(exchange, 200, XML, buildResponse(answer.code));
      case "fault":
        return respond(exchange, 500, XML, buildFault(answer.fault, "as told"));
      case "status":
        return respond(exchange, answer.status, "text/plain", `status ${answer.status}\n`);
      case "html":
        return respond(exchange, 200, "text/html", HTML);
      case "empty":
        return respond(exchange, 200, XML, "");
      case "truncated":
        return respond(exchange, 200, XML, success.slice(0, success.indexOf("codiRetorn") + 12));
      case "hang":
        await exchange.gone;
        return;
      case "reset":
      case "close":
        if (answer.at === "mid-answer") await exchange.respondHalf(200, { "content-type": XML }, success);
        if (answer.kind === "reset") exchange.reset();
        else exchange.end();
    }
  };

  const handle = async (exchange: HttpExchange): Promise<void> => {
    const [target = "", query = ""] = exchange.target.split("?");
    const isService = target === path || target === `${path}/`;
    try {
      if (exchange.method === "POST" && isService) return await receive(exchange);
      // What is no message is read away, so that the connection can serve the next one.
      await exchange.readBody();
      const wantsWsdl = target === `${path}/matricules.wsdl` || (isService && query.toLowerCase() === "wsdl");
      if (exchange.method === "GET" && wantsWsdl) {
        return respond(exchange, 200, XML, wsdl.replace("http://localhost/matr-ws", escapeText(url())));
      }
      if (isService) {
        refuse("405", "method not allowed");
        return exchange.respond(405, { date: now().toUTCString(), allow: "POST" }, "");
      }
      refuse("404", "another path");
      respond(exchange, 404, "text/plain", "no endpoint here\n");
    } catch (error) {
      refuse("connection", errorText(error));
      exchange.reset();
    }
  };

  const server = await startHttpServer({
    host,
    port: options.port ?? 0,
    tls: options.tls ?? null,
    maxBodyBytes: MAX_BODY_BYTES,
    handle,
  }).catch((error: unknown) => {
    records.close();
    throw error;
  });
  const url = (): string => {
    const shown = host === "0.0.0.0" || host === "::" ? "localhost" : host.includes(":") ? `[${host}]` : host;
    return `${options.tls ? "https" : "http"}://${shown}:${server.port}${path}`;
  };
  const cancelReturn = (): void => {
    if (returnTimer !== null) clearTimeout(returnTimer);
    returnTimer = null;
  };
  const mossos: Omit<MossosServer, "controlUrl" | "close"> = {
    url: url(),
    wsdlUrl: `${url()}/matricules.wsdl`,
    port: server.port,
    records,
    behave: (...rules) => {
      behaviour = createBehaviour(rules);
    },
    setClockOffset: (ms) => {
      offsetMs = ms;
    },
    goDown: async (forMs) => {
      cancelReturn();
      await server.pause();
      if (forMs === undefined || stop.signal.aborted) return;
      returnTimer = setTimeout(() => {
        server.resume().catch((error) => log.error("coming back failed", { error: errorText(error) }));
      }, forMs);
    },
    comeBack: async () => {
      cancelReturn();
      await server.resume();
    },
  };
  const closeService = async (): Promise<void> => {
    stop.abort();
    cancelReturn();
    await server.close();
    records.close();
  };
  const { controlPort } = options;
  if (controlPort === undefined || controlPort === null) return { ...mossos, controlUrl: null, close: closeService };
  try {
    const control = await startControl(mossos, controlPort);
    return {
      ...mossos,
      controlUrl: control.url,
      close: async () => {
        await control.close();
        await closeService();
      },
    };
  } catch (error) {
    await closeService();
    throw error;
  }
}

/** Null: a response without codiRetorn. */
function buildResponse(code: string | null): string {
  const child = code === null ? "" : `<ns2:codiRetorn>${escapeText(code)}</ns2:codiRetorn>`;
  return (
    `<SOAP-ENV:Envelope xmlns:SOAP-ENV="${SOAP_NS}"><SOAP-ENV:Header/><SOAP-ENV:Body>` +
    `<ns2:matriculaResponse xmlns:ns2="${MATRICULES_NS}">${child}</ns2:matriculaResponse>` +
    "</SOAP-ENV:Body></SOAP-ENV:Envelope>"
  );
}
