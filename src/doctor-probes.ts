import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Clock } from "./clock.ts";
import { buildTimeRequest, parseTimeAnswer, type TimeAnswer } from "./doctor-clock.ts";
import type { EndpointProbe, TlsProbe } from "./doctor-endpoint.ts";
import { errorText, systemCode } from "./errors.ts";
import type { ServiceContract } from "./soap/contract.ts";
import { withDeadline } from "./soap/deadline.ts";
import { Client } from "./soap/http-client.ts";
import { describeFailure } from "./soap/network-failure.ts";
import { createTrust } from "./soap/trust.ts";
import { parseWsdl } from "./soap/wsdl.ts";
import { fetchWsdl } from "./soap/wsdl-source.ts";

/** Each step of a probe. The first that fails ends the way: a silent far side takes one, wherever it is silent. */
const STEP_MS = 5000;
const NTP_MS = 3000;
/** A question that got lost is asked again. */
const NTP_TRIES = 2;
/** Of a name with many addresses so many are tried. */
const MOST_ADDRESSES = 3;

/** Asks a time server (`host` or `host:port`). @returns null: no answer */
export async function askTimeServer(server: string, clock: Clock, signal: AbortSignal): Promise<TimeAnswer | null> {
  const [, host = server, port = "123"] = /^\[?([^\]]*?)\]?(?::(\d+))?$/.exec(server) ?? [];
  for (let attempt = 1; attempt <= NTP_TRIES && !signal.aborted; attempt += 1) {
    const answer = await askOnce(host, Number(port), clock, signal).catch(() => null);
    if (answer !== null) return answer;
  }
  return null;
}

async function askOnce(host: string, port: number, clock: Clock, signal: AbortSignal): Promise<TimeAnswer> {
  const { address, family } = await withDeadline(NTP_MS, signal, () => lookup(host));
  const socket = createSocket(family === 6 ? "udp6" : "udp4");
  const cookie = randomBytes(8);
  try {
    return await withDeadline(
      NTP_MS,
      signal,
      () =>
        new Promise<TimeAnswer>((resolve, reject) => {
          let sentAt = 0;
          socket.on("error", reject);
          socket.on("message", (packet) => resolve(parseTimeAnswer(packet, cookie, sentAt, clock.now().getTime())));
          sentAt = clock.now().getTime();
          socket.send(buildTimeRequest(cookie), port, address, (error) => error && reject(error));
        }),
    );
  } finally {
    socket.close();
  }
}

/** Goes the whole way to an endpoint, step by step, without sending anything of ours. Never rejects for what happens out there. */
export async function probeEndpoint(
  target: { url: string; caPath: string | null },
  clock: Clock,
  signal: AbortSignal,
): Promise<EndpointProbe> {
  const url = new URL(target.url);
  const secure = url.protocol === "https:";
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = Number(url.port || (secure ? 443 : 80));
  const probe: EndpointProbe = {
    host,
    port,
    secure,
    dns: { failure: null, addresses: [] },
    tcp: null,
    tls: null,
    http: null,
  };
  try {
    const found = await withDeadline(STEP_MS, signal, () => lookup(host, { all: true }));
    probe.dns = { failure: null, addresses: found.map(({ address }) => address) };
  } catch (error) {
    probe.dns = { failure: failureOf(error), addresses: [] };
    return probe;
  }
  const tcp = await probeTcp(probe.dns.addresses, port, clock, signal);
  probe.tcp = tcp;
  if (tcp.failure !== null) return probe;
  if (secure) {
    probe.tls = await probeTls(tcp.address, port, host, target.caPath, signal);
    if (probe.tls.failure !== null) return probe;
  }
  probe.http = await probeHttp(url, target.caPath, clock, signal);
  return probe;
}

/** All addresses at once, within one step: a name whose addresses are all silent is found out in the time of one. */
async function probeTcp(
  addresses: readonly string[],
  port: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<NonNullable<EndpointProbe["tcp"]>> {
  const startedAt = clock.monotonicMs();
  const tries = addresses
    .slice(0, MOST_ADDRESSES)
    .map((address) => ({ address, socket: connect({ host: address, port }) }));
  try {
    return await Promise.any(
      tries.map(async ({ address, socket }) => {
        await withDeadline(STEP_MS, signal, () => once(socket, "connect"));
        return { failure: null, ms: clock.monotonicMs() - startedAt, address };
      }),
    );
  } catch (error) {
    const failures: unknown[] = error instanceof AggregateError ? error.errors : [error];
    const failure = failures.length === 0 ? "no address" : failureOf(failures[0]);
    return { failure, ms: 0, address: addresses[0] ?? "" };
  } finally {
    for (const { socket } of tries) socket.destroy();
  }
}

async function probeTls(
  address: string,
  port: number,
  host: string,
  caPath: string | null,
  signal: AbortSignal,
): Promise<TlsProbe> {
  const none: TlsProbe = { failure: null, code: null, protocol: null, validTo: null, subject: null, issuer: null };
  let secureContext: ReturnType<typeof createTrust>;
  try {
    secureContext = createTrust(caPath, null);
  } catch (error) {
    return { ...none, failure: errorText(error), code: "UNTRUSTED_CA_FILE" };
  }
  const name = /^[\d.]+$|:/.test(host) ? {} : { servername: host };
  const socket = connectTls({ host: address, port, ...name, secureContext, rejectUnauthorized: false });
  try {
    await withDeadline(STEP_MS, signal, () => once(socket, "secureConnect"));
    const peer = socket.getPeerCertificate();
    const problem = socket.authorized ? null : String(socket.authorizationError ?? "UNKNOWN");
    return {
      failure: problem === null ? null : (describeFailure(problem) ?? problem),
      code: problem,
      protocol: socket.getProtocol(),
      validTo: peer.valid_to === undefined ? null : new Date(peer.valid_to),
      subject: first(peer.subject?.CN),
      issuer: first(peer.issuer?.CN),
    };
  } catch (error) {
    return { ...none, failure: failureOf(error), code: systemCode(error) ?? "" };
  } finally {
    socket.destroy();
  }
}

/** HEAD asks for nothing that the police would count or keep; every answer has a Date. */
async function probeHttp(
  url: URL,
  caPath: string | null,
  clock: Clock,
  signal: AbortSignal,
): Promise<NonNullable<EndpointProbe["http"]>> {
  const secure = url.protocol === "https:";
  const client = new Client(url.origin, { connect: secure ? { secureContext: createTrust(caPath, null) } : {} });
  const startedAt = clock.monotonicMs();
  try {
    return await withDeadline(STEP_MS, signal, async (ending) => {
      const sentAt = clock.now().getTime();
      const response = await client.request({ method: "HEAD", path: url.pathname + url.search, signal: ending });
      const receivedAt = clock.now().getTime();
      await response.body.dump();
      const header = response.headers["date"];
      const date = Date.parse(String(Array.isArray(header) ? header[0] : header));
      // Whole seconds: half a one is added, and what is below one is no difference.
      const offset = date + 500 - (sentAt + receivedAt) / 2;
      return {
        failure: null,
        status: response.statusCode,
        offsetMs: Number.isNaN(date) ? null : Math.abs(offset) < 1000 ? 0 : offset,
        ms: clock.monotonicMs() - startedAt,
      };
    });
  } catch (error) {
    return { failure: failureOf(error), status: 0, offsetMs: null, ms: clock.monotonicMs() - startedAt };
  } finally {
    await client.destroy();
  }
}

/** Reads a WSDL where one is set, else looks beside the address. `absent`: nothing is there. */
export async function probeWsdl(
  source: string,
  caPath: string | null,
  signal: AbortSignal,
): Promise<{ contract: ServiceContract } | { problem: string } | "absent"> {
  let bytes: Uint8Array;
  try {
    bytes = await fetchWsdl(source, { caPath, deadlineMs: STEP_MS, signal });
  } catch (error) {
    return /HTTP (404|405|403|410)|ENOENT/.test(errorText(error)) ? "absent" : { problem: errorText(error) };
  }
  try {
    return { contract: parseWsdl(bytes) };
  } catch (error) {
    return { problem: errorText(error) };
  }
}

/** Where a service of this kind has its WSDL. */
export function wsdlBeside(endpointUrl: string): string {
  const url = new URL(endpointUrl);
  return `${url.origin}${url.pathname.replace(/\/$/, "")}/matricules.wsdl`;
}

function once(
  socket: { once(event: string, listener: (...values: unknown[]) => void): unknown },
  event: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => resolve());
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("the connection was closed")));
  });
}

function failureOf(error: unknown): string {
  const code = systemCode(error) ?? (error instanceof Error ? error.name : "");
  if (code === "TimeoutError") return "no answer in time";
  return describeFailure(code) ?? errorText(error);
}

function first(value: string | string[] | undefined): string | null {
  return (Array.isArray(value) ? value[0] : value) ?? null;
}
