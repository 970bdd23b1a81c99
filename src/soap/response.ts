import type { DeliveryOutcome } from "../delivery.ts";
import { childrenNamed, parseXml, type XmlElement } from "./xml.ts";

/** What came back for one POST: the whole body, already within the client's limit. */
export interface HttpAnswer {
  status: number;
  body: Uint8Array;
  /** The Content-Type header; null: none. */
  contentType: string | null;
}

const SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/";
const SOAP12 = "http://www.w3.org/2003/05/soap-envelope";
const MAX_DETAIL = 200;
/** No code in use is longer; what is longer is no code. */
const MAX_CODE = 40;

/** Security fault codes (WS-Security 1.0, chapter 12, and WSS4J's own) that speak of this municipality's certificate or signature. */
const CERTIFICATE_CODES = new Set([
  "FailedAuthentication",
  "FailedCheck",
  "InvalidSecurity",
  "InvalidSecurityToken",
  "SecurityTokenUnavailable",
  "UnsupportedSecurityToken",
  "SecurityError",
]);
const CLOCK = /message has expired|timestamp (?:has|is) expired|security semantics of the message have expired/i;
const ACTIONS = /actions mismatch/i;
const SECURITY =
  /signature[^.]{0,80}\b(?:invalid|not valid)\b|\binvalid signature\b|wsse:Security|WS-Security|certificate path|no trusted certs|security error/i;

/**
 * Judges an answer (SOAP 1.1; a SOAP 1.2 fault is understood too). Only a code of `successCodes`, alone in codiRetorn in
 * matriculaResponse in the Body of an HTTP 200, is success: taking anything else for one would erase a reading that nobody has.
 * @param secrets Texts that no detail may repeat (the plate, the reader code); a validation fault quotes the value it refuses.
 */
export function parseResponse(
  answer: HttpAnswer,
  successCodes: readonly string[],
  secrets: readonly string[] = [],
): DeliveryOutcome {
  const clean = (text: string): string => cleanDetail(text, secrets);
  const body = readBody(answer);
  if (body instanceof Error) return withoutSoap(answer, body.message, clean);
  const fault = body.children.find((c) => c.name === "Fault" && c.namespace === body.namespace);
  if (fault !== undefined) return judgeFault(fault, answer.status, clean);
  if (answer.status !== 200) return withoutSoap(answer, "a SOAP answer without a fault", clean);
  return judgeCode(body, successCodes, clean);
}

function judgeCode(
  body: XmlElement,
  successCodes: readonly string[],
  clean: (text: string) => string,
): DeliveryOutcome {
  const responses = childrenNamed(body, "matriculaResponse");
  const codes = responses.flatMap((response) => childrenNamed(response, "codiRetorn"));
  const [element] = codes;
  if (element === undefined)
    return unanswered(`no codiRetorn in the answer${responses.length > 0 ? "" : " (no matriculaResponse)"}`);
  if (codes.length > 1) return unanswered(`${codes.length} codiRetorn in the answer`);
  const code = element.text;
  if (code === "" || element.children.length > 0) return unanswered("codiRetorn is empty");
  if (code.length > MAX_CODE || /[\r\n]/.test(code)) return unanswered("codiRetorn is no code");
  // Before the success codes: a setting that lists it would erase readings while the service is down.
  if (code === "0") return unanswered("codiRetorn=0, service not operational");
  if (successCodes.includes(code)) return { kind: "accepted", returnCode: code };
  return { kind: "rejected", returnCode: clean(code), detail: clean(`codiRetorn=${code}`) };
}

function judgeFault(fault: XmlElement, status: number, clean: (text: string) => string): DeliveryOutcome {
  const codes = [...textsOf(fault, "faultcode"), ...textsOf(fault, "Value")].map(localName);
  const reason = [...textsOf(fault, "faultstring"), ...textsOf(fault, "Text")].join(" ");
  const details = fault.children.filter((c) => c.name === "detail" || c.name === "Detail");
  const detail = details.map(allText).join(" ").trim();
  const said = clean(`SOAP fault ${codes.join(" ")}: ${reason}${detail === "" ? "" : ` (${detail})`}`);
  // Security first: taken for a refusal it would kill every reading while a certificate waits to be renewed.
  if (codes.includes("MessageExpired") || CLOCK.test(reason)) {
    return { kind: "misconfigured", scope: "endpoint", detail: clean(`check this machine's clock: ${said}`) };
  }
  if (codes.includes("UnsupportedAlgorithm") || ACTIONS.test(reason)) {
    return { kind: "misconfigured", scope: "endpoint", detail: clean(`check the signature profile: ${said}`) };
  }
  if (codes.some((code) => CERTIFICATE_CODES.has(code)) || SECURITY.test(reason)) {
    return { kind: "misconfigured", scope: "certificate", detail: said };
  }
  const named = details.some((d) => hasDescendant(d, "ValidationError"));
  if (named || /validation error/i.test(`${reason} ${detail}`)) {
    return { kind: "rejected", returnCode: "Validation error", detail: said };
  }
  return unanswered(clean(`HTTP ${status}, ${said}`));
}

/** An answer with neither code nor fault: only its HTTP status speaks. */
function withoutSoap(answer: HttpAnswer, why: string, clean: (text: string) => string): DeliveryOutcome {
  const { status } = answer;
  const moved = status >= 300 && status < 400;
  if (moved || [400, 401, 403, 404, 405, 415].includes(status)) {
    return {
      kind: "misconfigured",
      scope: "endpoint-or-message",
      detail: clean(`check the endpoint's address: HTTP ${status}: ${why}`),
    };
  }
  return unanswered(clean(`HTTP ${status}: ${why}`));
}

function unanswered(detail: string): DeliveryOutcome {
  return { kind: "unanswered", detail };
}

/** No answer that says yes or no is longer. */
const REMEMBERED_BYTES = 4096;
let remembered: { body: Uint8Array; contentType: string | null; read: XmlElement | Error } | null = null;

/**
 * The Body of the SOAP envelope, or why there is none. A service says the same to almost every message, and parsing that is a
 * tenth of the loop's work for one: what is the same byte for byte as the last answer is not parsed again.
 */
function readBody(answer: HttpAnswer): XmlElement | Error {
  const { body, contentType } = answer;
  if (remembered?.contentType === contentType && Buffer.compare(remembered.body, body) === 0) return remembered.read;
  const read = parseBody(answer);
  // A fault comes with another status, and may quote a plate.
  if (answer.status === 200 && body.length <= REMEMBERED_BYTES)
    remembered = { body: Buffer.from(body), contentType, read };
  return read;
}

function parseBody(answer: HttpAnswer): XmlElement | Error {
  if (answer.body.length === 0) return new Error("an empty answer");
  let root: XmlElement;
  try {
    root = parseXml(answer.body, /charset\s*=\s*"?([\w.:-]{1,40})/i.exec(answer.contentType ?? "")?.[1]);
  } catch {
    const start = Buffer.from(answer.body.subarray(0, 512)).toString("latin1");
    return new Error(/<html|<!doctype html/i.test(start) ? "an HTML page" : "an answer that is not XML");
  }
  if (root.name.toLowerCase() === "html") return new Error("an HTML page");
  if (root.name !== "Envelope" || (root.namespace !== SOAP11 && root.namespace !== SOAP12)) {
    return new Error("an answer that is not SOAP");
  }
  const bodies = childrenNamed(root, "Body", root.namespace);
  const [body] = bodies;
  return body === undefined || bodies.length > 1 ? new Error("a SOAP envelope without one Body") : body;
}

function textsOf(element: XmlElement, name: string): string[] {
  return element.children.flatMap((child) => {
    if (child.name === "detail" || child.name === "Detail") return [];
    return child.name === name ? [child.text] : textsOf(child, name);
  });
}

function allText(element: XmlElement): string {
  return [element.text, ...element.children.map(allText)].filter((t) => t !== "").join(" ");
}

function hasDescendant(element: XmlElement, name: string): boolean {
  return element.children.some((child) => child.name === name || hasDescendant(child, name));
}

function localName(qualified: string): string {
  return qualified.slice(qualified.lastIndexOf(":") + 1);
}

/** One line, at most 200 characters, without any of the secrets in any case, plain or escaped. */
export function cleanDetail(text: string, secrets: readonly string[]): string {
  let line = text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
  const forms = secrets.flatMap((secret) => {
    const plain = secret.trim();
    if (plain === "") return [];
    const escaped = plain.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
    return [plain, escaped, escaped.replace(/"/g, "&quot;").replace(/'/g, "&apos;"), escaped.replace(/'/g, "&#39;")];
  });
  // The longest first: a part of it replaced before would leave the rest standing.
  for (const form of [...new Set(forms)].sort((a, b) => b.length - a.length)) {
    const literal = form.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
    line = line.replace(new RegExp(literal, "giu"), "[…]");
  }
  const characters = [...line];
  return characters.length <= MAX_DETAIL ? line : `${characters.slice(0, MAX_DETAIL - 1).join("")}…`;
}
