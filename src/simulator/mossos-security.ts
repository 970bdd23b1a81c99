import { createHash, verify, X509Certificate } from "node:crypto";
import { ExclusiveCanonicalization } from "xml-crypto";
import type { SignatureProfile } from "../store/registry.ts";
import { attributesOf, childElements, isNamed, type ReceivedDocument, textOf } from "./mossos-document.ts";
import { DS_NS, SOAP_NS, SoapFault, WSSE_NS, WSU_NS } from "./mossos-fault.ts";

const EXC_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#";
const X509_TOKEN = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3";
const BASE64 = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary";
const ID = `{${WSU_NS}}Id`;

interface ProfileRules {
  order: string;
  signature: string;
  digest: string;
  hash: "sha1" | "sha256";
}

const PROFILES: Readonly<Record<SignatureProfile, ProfileRules>> = {
  compat: {
    order: "Signature BinarySecurityToken Timestamp",
    signature: `${DS_NS}rsa-sha1`,
    digest: `${DS_NS}sha1`,
    hash: "sha1",
  },
  strict: {
    order: "Timestamp BinarySecurityToken Signature",
    signature: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    digest: "http://www.w3.org/2001/04/xmlenc#sha256",
    hash: "sha256",
  },
};

export interface SecurityPolicy {
  /** Which of the two forms is taken; `any`: both, but never a mixture. */
  profile: SignatureProfile | "any";
  /** PEM of the authorities that are trusted; null: every certificate is. */
  trustedCa: readonly string[] | null;
  now: Date;
  /** Oldest and most future Created that is taken, ms. */
  maxAgeMs: number;
  maxFutureMs: number;
}

/** A header that holds in itself; freshness and trust are checked, a replay is not (that needs memory). */
export interface VerifiedSecurity {
  body: Element;
  profile: SignatureProfile;
  certificate: X509Certificate;
  createdAt: Date;
  /** Without line breaks; unique per signing because the timestamp is signed. */
  signatureValue: string;
  signature: Element;
}

/**
 * Checks envelope and WS-Security header (SOAP Message Security 1.1, X.509 Certificate Token Profile 1.1) as WSS4J does with
 * the actions Timestamp and Signature, and beyond it: no element, attribute or order that is not sent today.
 * @throws SoapFault
 */
export function checkSecurity(document: ReceivedDocument, policy: SecurityPolicy): VerifiedSecurity {
  const { security, body } = checkEnvelope(document.root);
  const ids = collectIds(document.root);
  const parts = childElements(security, "invalid-security");
  const names = parts.map((part) => part.localName).join(" ");
  if (names.split(" ").sort().join(" ") !== "BinarySecurityToken Signature Timestamp") {
    throw new SoapFault("actions-mismatch", `Security holds ${names || "nothing"}`);
  }
  const timestamp = findPart(parts, WSU_NS, "Timestamp");
  const token = findPart(parts, WSSE_NS, "BinarySecurityToken");
  const signature = findPart(parts, DS_NS, "Signature");
  const certificate = readCertificate(token);
  const [signedInfo, value, keyInfo, ...rest] = childElements(signature, "invalid-security");
  if (
    !isNamed(signedInfo, DS_NS, "SignedInfo") ||
    !isNamed(value, DS_NS, "SignatureValue") ||
    !isNamed(keyInfo, DS_NS, "KeyInfo") ||
    rest.length > 0
  ) {
    throw new SoapFault("invalid-security", "Signature must hold SignedInfo, SignatureValue and KeyInfo");
  }
  checkKeyInfo(keyInfo, idOf(token));
  const profile = checkSignedInfo(document, signedInfo, [body, timestamp], policy, names);
  const signatureValue = textOf(value, "invalid-security").replace(/[ \t\r\n]/g, "");
  const canonical = canonicalize(signedInfo);
  const holds = verify(
    PROFILES[profile].hash,
    Buffer.from(canonical),
    certificate.publicKey,
    Buffer.from(signatureValue, "base64"),
  );
  if (!holds) throw new SoapFault("failed-check", "the signature value does not verify");
  checkTrust(certificate, policy);
  const createdAt = checkTimestamp(timestamp, policy);
  if (ids.get(idOf(body)) !== body) throw new SoapFault("invalid-security", "the Body's id is not its own");
  return { body, profile, certificate, createdAt, signatureValue, signature };
}

function checkEnvelope(root: Element): { security: Element; body: Element } {
  if (root.localName === "Envelope" && root.namespaceURI !== SOAP_NS) {
    throw new SoapFault("version-mismatch", `the envelope is in ${root.namespaceURI}`);
  }
  if (!isNamed(root, SOAP_NS, "Envelope")) throw new SoapFault("client", "the root is no SOAP envelope");
  const [header, body, ...more] = childElements(root, "client");
  if (!isNamed(header, SOAP_NS, "Header")) throw new SoapFault("invalid-security", "there is no SOAP Header");
  if (!isNamed(body, SOAP_NS, "Body") || more.length > 0) {
    throw new SoapFault("client", "the envelope must hold Header and Body, nothing else");
  }
  const [security, ...others] = childElements(header, "client");
  if (!isNamed(security, WSSE_NS, "Security")) throw new SoapFault("invalid-security", "there is no wsse:Security");
  if (others.length > 0) throw new SoapFault("invalid-security", "the Header holds more than one wsse:Security");
  expectAttributes(root, []);
  expectAttributes(header, []);
  expectAttributes(security, []);
  expectAttributes(body, [ID]);
  return { security, body };
}

/** Every id in the document, of whatever spelling: one that stands twice is the beginning of a wrapping attack. */
function collectIds(root: Element): ReadonlyMap<string, Element> {
  const ids = new Map<string, Element>();
  const visit = (element: Element): void => {
    for (const [name, value] of attributesOf(element)) {
      if (!/(^|\})id$/i.test(name)) continue;
      if (ids.has(value)) throw new SoapFault("invalid-security", "an id stands twice");
      ids.set(value, element);
    }
    for (let child = element.firstChild; child; child = child.nextSibling) {
      if (child.nodeType === 1) visit(child as Element);
    }
  };
  visit(root);
  return ids;
}

function findPart(parts: readonly Element[], namespace: string, name: string): Element {
  const part = parts.find((candidate) => isNamed(candidate, namespace, name));
  if (part === undefined) throw new SoapFault("actions-mismatch", `${name} is in another namespace`);
  return part;
}

function readCertificate(token: Element): X509Certificate {
  const attributes = expectAttributes(token, [ID, "ValueType", "EncodingType"]);
  if (attributes.get("ValueType") !== X509_TOKEN || attributes.get("EncodingType") !== BASE64) {
    throw new SoapFault("invalid-security", "BinarySecurityToken is not an X509v3 in Base64Binary");
  }
  const text = textOf(token, "invalid-security").replace(/[ \t\r\n]/g, "");
  try {
    const der = Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
    const certificate = new X509Certificate(der);
    // Bytes behind the certificate would be ignored by the parser: a chain or rubbish is not what X509v3 means.
    if (certificate.raw.length !== der.length) throw new Error("more than one certificate");
    if (certificate.publicKey.asymmetricKeyType !== "rsa") throw new Error("not an RSA key");
    return certificate;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "unreadable";
    throw new SoapFault("invalid-security", `BinarySecurityToken is no usable certificate (${why})`);
  }
}

function checkKeyInfo(keyInfo: Element, tokenId: string): void {
  const reference = onlyChild(onlyChild(keyInfo, WSSE_NS, "SecurityTokenReference"), WSSE_NS, "Reference");
  const attributes = expectAttributes(reference, ["URI", "ValueType"]);
  if (attributes.get("URI") !== `#${tokenId}`) {
    throw new SoapFault("invalid-security", "KeyInfo refers to something else than the BinarySecurityToken");
  }
  if (attributes.get("ValueType") !== X509_TOKEN) {
    throw new SoapFault("invalid-security", "KeyInfo's reference has another ValueType");
  }
}

function checkSignedInfo(
  document: ReceivedDocument,
  signedInfo: Element,
  signed: readonly Element[],
  policy: SecurityPolicy,
  order: string,
): SignatureProfile {
  const [method, algorithm, ...references] = childElements(signedInfo, "invalid-security");
  if (!isNamed(method, DS_NS, "CanonicalizationMethod") || algorithmOf(method) !== EXC_C14N) {
    throw new SoapFault("invalid-security", "SignedInfo is not in exclusive canonical form");
  }
  if (!isNamed(algorithm, DS_NS, "SignatureMethod")) {
    throw new SoapFault("invalid-security", "SignedInfo has no SignatureMethod");
  }
  const profile = pickProfile(policy, algorithmOf(algorithm), order);
  if (references.length !== signed.length) {
    throw new SoapFault("invalid-security", `the signature covers ${references.length} elements`);
  }
  signed.forEach((element, index) => {
    checkReference(document, references[index], element, PROFILES[profile]);
  });
  return profile;
}

function pickProfile(policy: SecurityPolicy, algorithm: string, order: string): SignatureProfile {
  const wanted: readonly SignatureProfile[] = policy.profile === "any" ? ["compat", "strict"] : [policy.profile];
  const found = wanted.find((profile) => PROFILES[profile].signature === algorithm);
  if (found === undefined) throw new SoapFault("invalid-security", `signature algorithm ${algorithm} is not allowed`);
  if (PROFILES[found].order !== order) {
    throw new SoapFault("invalid-security", `order is ${order}; ${found} has ${PROFILES[found].order}`);
  }
  return found;
}

function checkReference(
  document: ReceivedDocument,
  reference: Element | undefined,
  signed: Element,
  rules: ProfileRules,
): void {
  if (!isNamed(reference, DS_NS, "Reference")) throw new SoapFault("invalid-security", "SignedInfo holds a stranger");
  if (expectAttributes(reference, ["URI"]).get("URI") !== `#${idOf(signed)}`) {
    throw new SoapFault("invalid-security", `the ${signed.localName} that is used is not the one that is signed`);
  }
  const [transforms, method, value, ...rest] = childElements(reference, "invalid-security");
  if (
    !isNamed(transforms, DS_NS, "Transforms") ||
    !isNamed(method, DS_NS, "DigestMethod") ||
    !isNamed(value, DS_NS, "DigestValue") ||
    rest.length > 0
  ) {
    throw new SoapFault("invalid-security", "Reference must hold Transforms, DigestMethod and DigestValue");
  }
  if (algorithmOf(onlyChild(transforms, DS_NS, "Transform")) !== EXC_C14N) {
    throw new SoapFault("invalid-security", "exclusive canonicalisation must be the only transform");
  }
  if (algorithmOf(method) !== rules.digest) {
    throw new SoapFault("invalid-security", `digest algorithm ${algorithmOf(method)} is not allowed`);
  }
  const hash = createHash(rules.hash);
  for (const piece of document.restore(canonicalize(signed))) hash.update(piece);
  if (hash.digest("base64") !== textOf(value, "invalid-security").trim()) {
    throw new SoapFault("failed-check", `the digest of ${signed.localName} does not match`);
  }
}

function checkTrust(certificate: X509Certificate, policy: SecurityPolicy): void {
  const now = policy.now.getTime();
  if (now < Date.parse(certificate.validFrom) || now > Date.parse(certificate.validTo)) {
    throw new SoapFault("failed-authentication", "the certificate is outside its dates");
  }
  if (policy.trustedCa === null) return;
  const trusted = policy.trustedCa.some((pem) => {
    const ca = new X509Certificate(pem);
    return certificate.checkIssued(ca) && certificate.verify(ca.publicKey);
  });
  if (!trusted) throw new SoapFault("failed-authentication", "the certificate's issuer is not trusted");
}

function checkTimestamp(timestamp: Element, policy: SecurityPolicy): Date {
  expectAttributes(timestamp, [ID]);
  const [created, expires, ...rest] = childElements(timestamp, "invalid-security");
  if (!isNamed(created, WSU_NS, "Created") || !isNamed(expires, WSU_NS, "Expires") || rest.length > 0) {
    throw new SoapFault("invalid-security", "Timestamp must hold Created and Expires");
  }
  const createdAt = readInstant(created);
  const expiresAt = readInstant(expires);
  const ageMs = policy.now.getTime() - createdAt.getTime();
  if (expiresAt <= createdAt) throw new SoapFault("invalid-security", "Expires is not after Created");
  if (ageMs < -policy.maxFutureMs) throw new SoapFault("message-expired", `Created is ${-ageMs} ms in the future`);
  if (ageMs > policy.maxAgeMs) throw new SoapFault("message-expired", `Created is ${ageMs} ms old`);
  if (expiresAt <= policy.now) throw new SoapFault("message-expired", "Expires is over");
  return createdAt;
}

/** xs:dateTime with a zone that means UTC. */
function readInstant(element: Element): Date {
  const text = textOf(element, "invalid-security");
  expectAttributes(element, []);
  const at = Date.parse(text.replace(/\+00:00$/, "Z"));
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|\+00:00)$/.test(text) || Number.isNaN(at)) {
    throw new SoapFault("invalid-security", `${element.localName} is no instant in UTC (${text.slice(0, 40)})`);
  }
  return new Date(at);
}

function canonicalize(element: Element): string {
  return new ExclusiveCanonicalization().process(element, {}).toString();
}

function idOf(element: Element): string {
  const id = element.getAttributeNS(WSU_NS, "Id");
  if (!id) throw new SoapFault("invalid-security", `${element.localName} has no wsu:Id`);
  return id;
}

/** The Algorithm of an element that holds nothing else: InclusiveNamespaces would change what is signed. */
function algorithmOf(element: Element): string {
  if (childElements(element, "invalid-security").length > 0) {
    throw new SoapFault("invalid-security", `${element.localName} must be empty`);
  }
  return expectAttributes(element, ["Algorithm"]).get("Algorithm") ?? "";
}

function onlyChild(parent: Element, namespace: string, name: string): Element {
  const [child, ...more] = childElements(parent, "invalid-security");
  if (!isNamed(child, namespace, name) || more.length > 0) {
    throw new SoapFault("invalid-security", `${parent.localName} must hold one ${name}`);
  }
  return child;
}

function expectAttributes(element: Element, allowed: readonly string[]): ReadonlyMap<string, string> {
  const attributes = attributesOf(element);
  for (const name of attributes.keys()) {
    if (!allowed.includes(name)) {
      throw new SoapFault("invalid-security", `attribute ${name} is not allowed on ${element.localName}`);
    }
  }
  return attributes;
}
