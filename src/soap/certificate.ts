import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import forge from "node-forge";
import { AppError, errorText } from "../errors.ts";
import {
  type CertificateFacts,
  describeX509,
  findLeaf,
  orderChain,
  parseCertificates,
  parsePrivateKey,
  requireRsa,
} from "./x509.ts";

/** A certificate with its key, checked: they belong together, the key is RSA, and it is valid now. */
export interface PfxContents extends CertificateFacts {
  /** PKCS#8, not encrypted. */
  keyPem: string;
  leafPem: string;
  /** From the leaf's issuer upwards; what belongs to no one comes last. */
  chainPem: readonly string[];
}

/** Names and dates of the first certificate of a PEM text. @throws AppError `invalid`. */
export function describeCertificate(pem: string): CertificateFacts {
  const [first] = parseCertificates(pem, "reading the certificate");
  if (first === undefined) throw new AppError("invalid", "reading the certificate: no certificate in it");
  return describeX509(first);
}

/**
 * Reads certificates (any order) and a private key from PEM texts, with the same checks as a PFX.
 * @throws AppError `invalid`, one sentence for each problem.
 */
export function readPemPair(certPem: string, keyPem: string, now: Date): PfxContents {
  const doing = "reading the certificate";
  return assemble(parseCertificates(certPem, doing), [parsePrivateKey(keyPem, doing)], now, doing);
}

/**
 * Reads a PKCS#12 file (RFC 7292): RC2-40, 3DES and AES, certificates in any order, UTF-8 and empty passwords.
 * Blocks for as long as the file's iterations take, up to 2 s.
 * @param mayBeginLater also one that is not valid yet
 * @throws AppError `invalid`, one sentence for each problem; the password is in none.
 */
export function readPfx(bytes: Uint8Array, password: string, now: Date, mayBeginLater = false): PfxContents {
  const doing = "reading the PFX file";
  const bags = openPfx(bytes, password, doing);
  const keys = bags.filter((bag) => bag.type === OID.keyBag || bag.type === OID.pkcs8ShroudedKeyBag);
  if (keys.length === 0) {
    throw new AppError("invalid", `${doing}: no private key in it`, {
      hint: "Export the certificate again, with its private key.",
    });
  }
  const certificates = bags.filter((bag) => bag.type === OID.certBag).map((bag) => toCertificate(bag, doing));
  if (certificates.length === 0) throw new AppError("invalid", `${doing}: no certificate in it`);
  return assemble(
    certificates,
    keys.map((bag) => toPrivateKey(bag, doing)),
    now,
    doing,
    mayBeginLater,
  );
}

const OID = {
  keyBag: forge.pki.oids["keyBag"],
  pkcs8ShroudedKeyBag: forge.pki.oids["pkcs8ShroudedKeyBag"],
  certBag: forge.pki.oids["certBag"],
};

function openPfx(bytes: Uint8Array, password: string, doing: string): readonly forge.pkcs12.Bag[] {
  const binary = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  let asn1: forge.asn1.Asn1;
  try {
    asn1 = forge.asn1.fromDer(binary);
  } catch (cause) {
    throw notPfx(doing, binary, cause);
  }
  const state = { macWasRight: Array.isArray(asn1.value) && asn1.value.length > 2 };
  let problem: unknown;
  for (const attempt of attempts(asn1, password, state)) {
    try {
      return attempt().safeContents.flatMap((safe) => safe.safeBags);
    } catch (error) {
      problem = error;
      if (/ASN.1 object is not an PKCS#12 PFX|not supported|unsupported/i.test(errorText(error))) break;
    }
  }
  const text = errorText(problem);
  if (text.includes("is not an PKCS#12 PFX")) throw notPfx(doing, binary, problem);
  if (/not supported|unsupported/i.test(text) || state.macWasRight) {
    throw new AppError("invalid", `${doing}: it is of a kind that is not understood (${text})`, { cause: problem });
  }
  throw new AppError("invalid", `${doing}: the password is wrong${password === "" ? " (it was empty)" : ""}`, {
    hint: "Give the password that the file was exported with.",
  });
}

/**
 * The ways to open a file. An empty password may stand as two zero bytes or as none at all. Files with PBES2 encryption
 * take the password as UTF-8 while their MAC takes it as UTF-16: forge only does the latter, so a password with accents
 * passes the MAC and then fails; then the rest is opened with the UTF-8 bytes, without the MAC, which was right already.
 */
function* attempts(
  asn1: forge.asn1.Asn1,
  password: string,
  state: { macWasRight: boolean },
): Generator<() => forge.pkcs12.Pkcs12Pfx> {
  const hadMac = state.macWasRight;
  yield () => {
    try {
      return forge.pkcs12.pkcs12FromAsn1(asn1, true, password);
    } catch (error) {
      if (errorText(error).includes("MAC could not be verified")) state.macWasRight = false;
      throw error;
    }
  };
  // The types want text, the code takes undefined for "no password at all".
  if (password === "") yield () => forge.pkcs12.pkcs12FromAsn1(asn1, true, undefined);
  const utf8 = Buffer.from(password, "utf8").toString("latin1");
  if ((state.macWasRight || !hadMac) && utf8 !== password && Array.isArray(asn1.value)) {
    const withoutMac = { ...asn1, value: asn1.value.slice(0, 2) } as forge.asn1.Asn1;
    yield () => forge.pkcs12.pkcs12FromAsn1(withoutMac, true, utf8);
  }
}

function notPfx(doing: string, binary: string, cause: unknown): AppError {
  const pem = binary.includes("-----BEGIN ");
  return new AppError("invalid", `${doing}: it is not a PFX file${pem ? ", but PEM text" : ""}`, {
    hint: "Give the .pfx or .p12 file as the issuer sent it.",
    cause,
  });
}

/** By way of its DER: forge garbles names in UTF-8 and knows no certificate with an EC key. */
function toCertificate(bag: forge.pkcs12.Bag, doing: string): X509Certificate {
  const asn1 = bag.cert ? forge.pki.certificateToAsn1(bag.cert) : bag.asn1;
  try {
    return new X509Certificate(toDer(asn1));
  } catch (cause) {
    throw new AppError("invalid", `${doing}: a certificate in it cannot be read`, { cause });
  }
}

/** forge knows RSA keys only; node:crypto puts a name to the others. */
function toPrivateKey(bag: forge.pkcs12.Bag, doing: string): KeyObject {
  const asn1 = bag.key ? forge.pki.wrapRsaPrivateKey(forge.pki.privateKeyToAsn1(bag.key)) : bag.asn1;
  try {
    return createPrivateKey({ key: toDer(asn1), format: "der", type: "pkcs8" });
  } catch (cause) {
    throw new AppError("invalid", `${doing}: the private key cannot be read`, { cause });
  }
}

function toDer(asn1: forge.asn1.Asn1): Buffer {
  return Buffer.from(forge.asn1.toDer(asn1).getBytes(), "latin1");
}

function assemble(
  certificates: readonly X509Certificate[],
  keys: readonly KeyObject[],
  now: Date,
  doing: string,
  mayBeginLater = false,
): PfxContents {
  const pairs = keys.map((key) => ({ key, leaf: findLeaf(certificates, key) }));
  const pair = pairs.find((p) => p.leaf !== undefined) ?? pairs[0];
  if (pair === undefined) throw new AppError("invalid", `${doing}: no private key in it`);
  const { key, leaf } = pair;
  requireRsa(key, doing);
  if (leaf === undefined) {
    throw new AppError(
      "invalid",
      `${doing}: the private key belongs to none of its ${certificates.length} certificates`,
    );
  }
  const facts = describeX509(leaf);
  if (now > facts.validTo) {
    throw new AppError("invalid", `${doing}: the certificate expired on ${day(facts.validTo)} (${facts.subject})`, {
      hint: "Ask the issuer for a new one.",
    });
  }
  if (now < facts.validFrom && !mayBeginLater) {
    throw new AppError(
      "invalid",
      `${doing}: the certificate is not valid before ${day(facts.validFrom)} (${facts.subject})`,
      {
        hint: "Check this machine's clock, or wait until that day.",
      },
    );
  }
  return {
    ...facts,
    keyPem: key.export({ type: "pkcs8", format: "pem" }).toString(),
    leafPem: leaf.toString(),
    chainPem: orderChain(leaf, certificates).map((c) => c.toString()),
  };
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}
