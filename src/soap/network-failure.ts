import type { DeliveryOutcome } from "../delivery.ts";
import { systemCode } from "../errors.ts";

/** What the peer's certificate lacks, in the operator's words, by the codes of OpenSSL and Node. */
const CERTIFICATE_PROBLEMS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "the server's certificate has expired",
  CERT_NOT_YET_VALID: "the server's certificate is not valid yet: check this machine's clock",
  ERR_TLS_CERT_ALTNAME_INVALID: "the server's certificate is for another name",
  HOSTNAME_MISMATCH: "the server's certificate is for another name",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the server's certificate is self-signed: give its CA file",
  SELF_SIGNED_CERT_IN_CHAIN: "the server's certificate is from an unknown authority: give its CA file",
  UNABLE_TO_GET_ISSUER_CERT: "the server's certificate is from an unknown authority: give its CA file",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the server's certificate is from an unknown authority: give its CA file",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the server's certificate is from an unknown authority: give its CA file",
  CERT_SIGNATURE_FAILURE: "the server's certificate has a wrong signature",
  CERT_REVOKED: "the server's certificate is revoked",
  CERT_UNTRUSTED: "the server's certificate is not trusted",
  INVALID_PURPOSE: "the server's certificate is not one for servers",
  INVALID_CA: "the server's certificate is from an authority that may not issue it",
};

const NOT_REACHED: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused",
  ENOTFOUND: "the name is not known",
  EAI_AGAIN: "the name could not be looked up",
  EAI_FAIL: "the name could not be looked up",
  EHOSTUNREACH: "no route to the host",
  EHOSTDOWN: "the host is down",
  ENETUNREACH: "no route to the network",
  ETIMEDOUT: "no connection in time",
  UND_ERR_CONNECT_TIMEOUT: "no connection in time",
};

/**
 * What a POST that got no answer is known to have done.
 * @param error What the HTTP client threw.
 * @param begun True once a byte of the body may have left: from then on the far side may have taken it, and nothing that
 *   follows can be called unreachable. False: it certainly has not.
 */
export function judgeFailure(error: unknown, begun: boolean): DeliveryOutcome {
  const code = systemCode(error) ?? (error instanceof Error ? error.name : "");
  const tls = tlsProblem(code);
  if (tls !== null) return { kind: "misconfigured", scope: "endpoint", detail: `${tls} (${code})` };
  if (!begun) {
    const deadline = code === "TimeoutError" ? "no connection before the deadline" : null;
    const stopped = code === "AbortError" ? "stopped before a connection stood" : null;
    const what = NOT_REACHED[code] ?? deadline ?? stopped ?? "the connection broke before anything was sent";
    return { kind: "unreachable", detail: withCode(what, code) };
  }
  if (code === "TimeoutError") return { kind: "unanswered", detail: "no whole answer before the deadline" };
  if (code === "AbortError") return { kind: "unanswered", detail: "stopped while waiting for the answer" };
  if (code.startsWith("HPE_")) return { kind: "unanswered", detail: withCode("the answer is not HTTP", code) };
  return { kind: "unanswered", detail: withCode("the connection was closed without a whole answer", code) };
}

/** What a code of the network or of TLS means, in the operator's words; null: nothing is known of it. */
export function describeFailure(code: string): string | null {
  const what = tlsProblem(code) ?? NOT_REACHED[code] ?? null;
  return what === null ? null : withCode(what, code);
}

function tlsProblem(code: string): string | null {
  const known = CERTIFICATE_PROBLEMS[code];
  if (known !== undefined) return known;
  if (/CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|UNKNOWN_CA/.test(code)) {
    return "the server refused the TLS handshake: it may ask for a client certificate, or not like this one";
  }
  if (/WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH|UNKNOWN_PROTOCOL/.test(code))
    return "the server does not speak TLS there";
  if (/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/.test(code)) return "the server speaks no TLS version that is safe";
  return /^ERR_(?:SSL|TLS)_/.test(code) ? "the TLS handshake failed" : null;
}

function withCode(what: string, code: string): string {
  return code === "" || code.endsWith("Error") ? what : `${what} (${code})`;
}
