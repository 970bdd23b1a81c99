/**
 * The faults of a Spring-WS server with WSS4J. SOAP 1.1 sends every one of them as HTTP 500; the codes of the wsse family
 * are those of WS-Security 1.1, section 12.
 */
const FAULTS = {
  validation: { code: "SOAP-ENV:Client", text: "Validation error" },
  client: { code: "SOAP-ENV:Client", text: "Could not read the request" },
  "must-understand": {
    code: "SOAP-ENV:MustUnderstand",
    text: "One or more mandatory SOAP header blocks not understood",
  },
  "version-mismatch": { code: "SOAP-ENV:VersionMismatch", text: "SOAP version mismatch" },
  server: { code: "SOAP-ENV:Server", text: "Internal error" },
  "failed-authentication": {
    code: "wsse:FailedAuthentication",
    text: "The security token could not be authenticated or authorized",
  },
  "failed-check": { code: "wsse:FailedCheck", text: "The signature or decryption was invalid" },
  "message-expired": { code: "wsse:MessageExpired", text: "The message has expired" },
  "invalid-security": {
    code: "wsse:InvalidSecurity",
    text: "An error was discovered processing the <wsse:Security> header",
  },
  "actions-mismatch": { code: "wsse:InvalidSecurity", text: "Security processing failed (actions mismatch)" },
} as const;

export type FaultKind = keyof typeof FAULTS;
export const FAULT_KINDS = Object.keys(FAULTS) as readonly FaultKind[];

/** Why a message was refused. `reason` is for the record of refusals and holds no plate; the peer gets the fault's own text. */
export class SoapFault extends Error {
  readonly kind: FaultKind;

  constructor(kind: FaultKind, reason: string) {
    super(reason);
    this.name = "SoapFault";
    this.kind = kind;
  }
}

/** The envelope of a fault. `detail`: what is wrong with the content, as Spring-WS adds it to a validation error. */
export function buildFault(kind: FaultKind, detail: string | null): string {
  const fault = FAULTS[kind];
  const errors =
    kind === "validation" && detail !== null
      ? `<detail><spring-ws:ValidationError xmlns:spring-ws="http://springframework.org/spring-ws">${escapeText(detail)}</spring-ws:ValidationError></detail>`
      : "";
  const wsse = fault.code.startsWith("wsse:") ? ` xmlns:wsse="${WSSE_NS}"` : "";
  return (
    `<SOAP-ENV:Envelope xmlns:SOAP-ENV="${SOAP_NS}"><SOAP-ENV:Header/><SOAP-ENV:Body><SOAP-ENV:Fault>` +
    `<faultcode${wsse}>${fault.code}</faultcode><faultstring xml:lang="en">${escapeText(fault.text)}</faultstring>${errors}` +
    "</SOAP-ENV:Fault></SOAP-ENV:Body></SOAP-ENV:Envelope>"
  );
}

export const SOAP_NS = "http://schemas.xmlsoap.org/soap/envelope/";
export const WSSE_NS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
export const WSU_NS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
export const DS_NS = "http://www.w3.org/2000/09/xmldsig#";
export const MATRICULES_NS = "http://dgp.gencat.cat/matricules";

export function escapeText(text: string): string {
  return text.replace(/[&<>]/g, (sign) => (sign === "&" ? "&amp;" : sign === "<" ? "&lt;" : "&gt;"));
}
