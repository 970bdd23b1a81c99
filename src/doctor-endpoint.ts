import { judgeServerClock } from "./doctor-clock.ts";
import { bad, type Finding, good, quoted, warning } from "./finding.ts";

/** What was found on the way to an endpoint; later steps are null where an earlier one failed. */
export interface EndpointProbe {
  host: string;
  port: number;
  secure: boolean;
  /** `failure`: what went wrong, in words; null: nothing. */
  dns: { failure: string | null; addresses: readonly string[] };
  tcp: { failure: string | null; ms: number; address: string } | null;
  tls: TlsProbe | null;
  http: { failure: string | null; status: number; offsetMs: number | null; ms: number } | null;
}

export interface TlsProbe {
  failure: string | null;
  /** What the chain lacks, by the code of OpenSSL. */
  code: string | null;
  protocol: string | null;
  /** End of the server's certificate. */
  validTo: Date | null;
  subject: string | null;
  issuer: string | null;
}

/** Their certificate's end is theirs to see to, but readings stop with it. */
const EXPIRY_DAYS = 14;
const DAY_MS = 86_400_000;

/** @param name null: the configured default endpoint */
export function judgeEndpoint(
  name: string | null,
  probe: EndpointProbe,
  now: Date,
  timeServerMs: number | null,
): readonly Finding[] {
  const label = `endpoint ${name ?? "(default)"}`;
  const setUrl = name === null ? "correct MOSSOS_ENDPOINT_URL" : `tattile endpoint set ${quoted(name)} --url URL`;
  const { dns, tcp, tls, http, host, port } = probe;
  if (dns.failure !== null) {
    const cure = `correct the name (${setUrl}), or the name servers (resolvectl status)`;
    return [bad(`${label}, name`, `${host}: ${dns.failure}`, cure)];
  }
  const findings = [good(`${label}, name`, `${host} is ${some(dns.addresses)}`)];
  if (tcp === null) return findings;
  if (tcp.failure !== null) {
    const cure = `ask who runs the firewall to let port ${port} of ${host} through, or correct the address: ${setUrl}`;
    return [...findings, bad(`${label}, connection`, `${host} port ${port}: ${tcp.failure}`, cure)];
  }
  findings.push(good(`${label}, connection`, `stands after ${Math.round(tcp.ms)} ms (${tcp.address})`));
  if (tls !== null) findings.push(judgeTls(`${label}, TLS`, name, host, setUrl, tls, now));
  else if (!probe.secure && !isLoopback(host)) {
    findings.push(warning(`${label}, TLS`, "none: plates and pictures can be read on the way", setUrl));
  }
  if (http === null) return findings;
  if (http.failure !== null) {
    return [...findings, bad(`${label}, answer`, http.failure, `look whether it is the police's service: ${setUrl}`)];
  }
  if (http.offsetMs === null) {
    findings.push(warning(`${label}, clock`, "its answer has no Date to compare with", setUrl));
  } else findings.push(judgeServerClock(`${label}, clock`, http.offsetMs, timeServerMs));
  return findings;
}

function judgeTls(check: string, name: string | null, host: string, setUrl: string, tls: TlsProbe, now: Date): Finding {
  if (tls.failure !== null) {
    const who = tls.subject === null ? "" : ` (${tls.subject}, issued by ${tls.issuer ?? "nobody"})`;
    return bad(check, `${tls.failure}${who}`, tlsCure(tls.code ?? "", name, host, setUrl));
  }
  const days = tls.validTo === null ? null : Math.floor((tls.validTo.getTime() - now.getTime()) / DAY_MS);
  if (days !== null && days < EXPIRY_DAYS) {
    return warning(
      check,
      `the police's certificate runs out in ${days} days`,
      "tell the police; nothing can be done here",
    );
  }
  const left = days === null ? "" : `, ${days} days left`;
  return good(check, `${tls.protocol ?? "TLS"}, the chain is trusted${left}`);
}

function tlsCure(code: string, name: string | null, host: string, setUrl: string): string {
  if (code.includes("EXPIRED")) return "tell the police that their certificate has run out; check this clock too";
  if (code.includes("NOT_YET_VALID")) return "timedatectl set-ntp true";
  if (/ALTNAME|HOSTNAME/.test(code))
    return `give the address with the name that the certificate has, not ${host}: ${setUrl}`;
  if (/ISSUER|SELF_SIGNED|VERIFY|UNTRUSTED|SIGNATURE/.test(code)) {
    const set =
      name === null
        ? "register the endpoint (tattile endpoint add) with --ca FILE"
        : `tattile endpoint set ${quoted(name)} --ca FILE`;
    return `${set} with the authority of the police (or what stands between reads along)`;
  }
  return `look what answers there: ${setUrl}`;
}

function some(addresses: readonly string[]): string {
  const more = addresses.length > 2 ? ` and ${addresses.length - 2} more` : "";
  return `${addresses.slice(0, 2).join(", ")}${more}`;
}

function isLoopback(host: string): boolean {
  return /^(localhost|127\.[\d.]+|::1|\[::1\])$/.test(host);
}
