import { SignedXml } from "xml-crypto";
import type { ClientIdentity } from "../../src/simulator/pki.ts";

/** A sender as simple as can be: template text, the whole document signed by xml-crypto. Independent of src/soap. */
export const WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
export const WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
const TOKEN = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3";
const ENCODING = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary";
export const SHA1 = "http://www.w3.org/2000/09/xmldsig#sha1";
export const SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256";
export const RSA_SHA1 = "http://www.w3.org/2000/09/xmldsig#rsa-sha1";
export const RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
export const EXC = "http://www.w3.org/2001/10/xml-exc-c14n#";
const INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";

export function jpeg(size: number, fill = 7): Buffer {
  return Buffer.concat([Buffer.from([0xff, 0xd8]), Buffer.alloc(size, fill), Buffer.from([0xff, 0xd9])]);
}

export interface PlainMessage {
  identity: ClientIdentity;
  now: Date;
  profile?: "compat" | "strict";
  ocr?: string;
  ctx?: string;
  plate?: string;
  readerCode?: string;
  /** Replaces the children of the request. */
  children?: string;
  /** Replaces the whole body content. */
  content?: string;
  created?: string;
  expires?: string;
  timestamp?: string;
  /** Signed elements, by local name. */
  signed?: readonly string[];
  signatureAlgorithm?: string;
  digest?: string;
  c14n?: "inclusive";
  order?: readonly ("Timestamp" | "BinarySecurityToken" | "Signature")[];
  securityAttributes?: string;
  securityExtra?: string;
  headerExtra?: string;
  tokenBase64?: string;
  keyInfoUri?: string;
}

export function buildChildren(message: PlainMessage): string {
  const ocr = message.ocr ?? jpeg(30_000).toString("base64");
  const ctx = message.ctx ?? jpeg(200_000, 9).toString("base64");
  return [
    `<m:codiLector>${message.readerCode ?? "LEC-0001"}</m:codiLector>`,
    `<m:matricula>${message.plate ?? "1234BCD"}</m:matricula>`,
    "<m:dataLectura>2026-01-23</m:dataLectura>",
    "<m:horaLectura>09:25:57</m:horaLectura>",
    `<m:imgMatricula>${ocr}</m:imgMatricula>`,
    `<m:imgContext>${ctx}</m:imgContext>`,
    "<m:coordenadaX>430124.45</m:coordenadaX>",
    "<m:coordenadaY>4578123.45</m:coordenadaY>",
    "<m:pais>ES</m:pais>",
  ].join("");
}

export function buildPlain(message: PlainMessage): string {
  const strict = message.profile === "strict";
  const token = message.tokenBase64 ?? message.identity.certPem.replace(/-----[^-]+-----|\s/g, "");
  const created = message.created ?? message.now.toISOString();
  const expires = message.expires ?? new Date(message.now.getTime() + 300_000).toISOString();
  const timestamp =
    message.timestamp ??
    `<wsu:Timestamp xmlns:wsu="${WSU}" wsu:Id="TS-1"><wsu:Created>${created}</wsu:Created><wsu:Expires>${expires}</wsu:Expires></wsu:Timestamp>`;
  const bst = `<wsse:BinarySecurityToken xmlns:wsu="${WSU}" EncodingType="${ENCODING}" ValueType="${TOKEN}" wsu:Id="X509-1">${token}</wsse:BinarySecurityToken>`;
  const content =
    message.content ??
    `<m:matriculaRequest xmlns:m="http://dgp.gencat.cat/matricules">${message.children ?? buildChildren(message)}</m:matriculaRequest>`;
  const order = message.order ?? (strict ? ["Timestamp", "BinarySecurityToken"] : ["BinarySecurityToken", "Timestamp"]);
  const parts = order.map((name) => (name === "Timestamp" ? timestamp : name === "BinarySecurityToken" ? bst : ""));
  const xml = `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Header><wsse:Security xmlns:wsse="${WSSE}"${message.securityAttributes ?? ""}>${parts.join("")}${message.securityExtra ?? ""}</wsse:Security>${message.headerExtra ?? ""}</soap:Header><soap:Body xmlns:wsu="${WSU}" wsu:Id="B-1">${content}</soap:Body></soap:Envelope>`;
  const signer = new SignedXml({
    idMode: "wssecurity",
    privateKey: message.identity.keyPem,
    signatureAlgorithm: message.signatureAlgorithm ?? (strict ? RSA_SHA256 : RSA_SHA1),
    canonicalizationAlgorithm: message.c14n === "inclusive" ? INCLUSIVE : EXC,
    getKeyInfoContent: () =>
      `<wsse:SecurityTokenReference xmlns:wsse="${WSSE}"><wsse:Reference URI="${message.keyInfoUri ?? "#X509-1"}" ValueType="${TOKEN}"/></wsse:SecurityTokenReference>`,
  });
  for (const name of message.signed ?? ["Body", "Timestamp"]) {
    signer.addReference({
      xpath: `//*[local-name()='${name}']`,
      transforms: [EXC],
      digestAlgorithm: message.digest ?? (strict ? SHA256 : SHA1),
    });
  }
  signer.computeSignature(xml, {
    prefix: "ds",
    location: { reference: "//*[local-name()='Security']", action: strict ? "append" : "prepend" },
  });
  return signer.getSignedXml();
}
