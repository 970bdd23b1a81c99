import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { AppError } from "../errors.ts";

/** What the operator is shown of a certificate, and the store keeps. */
export interface CertificateFacts {
  /** `CN=…, O=…`, in the order of the certificate. */
  subject: string;
  /** Hex. */
  serialNumber: string;
  /** SHA-256 of the DER, hex with colons. */
  fingerprint: string;
  validFrom: Date;
  validTo: Date;
}

/** Names and dates of a certificate. */
export function describeX509(certificate: X509Certificate): CertificateFacts {
  return {
    subject: certificate.subject.split("\n").join(", "),
    serialNumber: certificate.serialNumber,
    fingerprint: certificate.fingerprint256,
    validFrom: new Date(certificate.validFrom),
    validTo: new Date(certificate.validTo),
  };
}

/** Every certificate of a PEM text, in its order. @throws AppError `invalid` when there is none or one cannot be read. */
export function parseCertificates(pem: string, doing: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new AppError("invalid", `${doing}: no certificate in it`);
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch (cause) {
      throw new AppError("invalid", `${doing}: certificate ${index + 1} cannot be read`, { cause });
    }
  });
}

/** The private key of a PEM text. @throws AppError `invalid` when there is none, it is encrypted, damaged or not RSA. */
export function parsePrivateKey(pem: string, doing: string): KeyObject {
  const block = /-----BEGIN ((?:[A-Z]+ )*)PRIVATE KEY-----[\s\S]*?-----END \1PRIVATE KEY-----/.exec(pem)?.[0];
  if (block === undefined) throw new AppError("invalid", `${doing}: no private key in it`);
  if (block.includes("BEGIN ENCRYPTED") || block.includes("Proc-Type: 4,ENCRYPTED")) {
    throw new AppError("invalid", `${doing}: the private key is encrypted`, {
      hint: "Import the PFX file with its password instead.",
    });
  }
  let key: KeyObject;
  try {
    key = createPrivateKey(block);
  } catch (cause) {
    throw new AppError("invalid", `${doing}: the private key cannot be read`, { cause });
  }
  requireRsa(key, doing);
  return key;
}

/** @throws AppError `invalid` naming the key's type when it is not RSA: both signature profiles are RSA. */
export function requireRsa(key: KeyObject, doing: string): void {
  const type = key.asymmetricKeyType;
  if (type === "rsa") return;
  const shown = type === "ec" ? "an elliptic curve (EC) key" : `a key of type ${type}`;
  throw new AppError("invalid", `${doing}: the private key is ${shown}, an RSA key is needed`, {
    hint: "Ask the issuer for a certificate with an RSA key.",
  });
}

/** The certificate that belongs to the key, wherever it stands. */
export function findLeaf(certificates: readonly X509Certificate[], key: KeyObject): X509Certificate | undefined {
  return certificates.find((certificate) => certificate.checkPrivateKey(key));
}

/** The others, each issuer behind what it issued; what belongs to no one comes last. Duplicates are dropped. */
export function orderChain(leaf: X509Certificate, all: readonly X509Certificate[]): readonly X509Certificate[] {
  const rest = new Map(all.map((c) => [c.fingerprint256, c]));
  rest.delete(leaf.fingerprint256);
  const chain: X509Certificate[] = [];
  let current = leaf;
  for (;;) {
    const issuer = [...rest.values()].find((candidate) => current.checkIssued(candidate));
    if (issuer === undefined) return [...chain, ...rest.values()];
    rest.delete(issuer.fingerprint256);
    chain.push(issuer);
    current = issuer;
  }
}
