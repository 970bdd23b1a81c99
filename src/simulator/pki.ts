import { createHash, generateKeyPair, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIP } from "node:net";
import { promisify } from "node:util";
import * as der from "./der.ts";
import { buildPfx, type PfxCipher } from "./pfx.ts";

/** Certificates for demos, acceptance on site and tests. The keys are thrown away with the run: never use them for anything real. */
export interface Pki {
  /** The authority that the simulated police trust, PEM. */
  caPem: string;
  /** For the TLS side of the simulated police: localhost, 127.0.0.1, ::1. */
  server: { keyPem: string; certPem: string };
  issueClient(options: ClientOptions): Promise<ClientIdentity>;
}

export interface ClientOptions {
  /** Name of the municipality as it stands in the subject. */
  organization: string;
  commonName?: string;
  /** Signed by an intermediate authority that the chain then holds. */
  intermediate?: boolean;
  /** An elliptic key cannot sign for this service; for tests of the import. */
  keyType?: "rsa" | "ec";
  /** `other`: issued by an authority that nobody trusts. */
  issuer?: "trusted" | "other";
  validFrom?: Date;
  validTo?: Date;
}

export interface ClientIdentity {
  keyPem: string;
  certPem: string;
  /** Intermediate certificates, leaf's issuer first; empty when there are none. */
  chainPem: readonly string[];
  /** A PKCS#12 file of key, leaf and chain. */
  pfx(password: string, cipher?: PfxCipher): Buffer;
}

interface Authority {
  name: Buffer;
  key: KeyObject;
  publicKey: KeyObject;
  certDer: Buffer;
}

interface Subject {
  name: Buffer;
  publicKey: KeyObject;
  validFrom: Date;
  validTo: Date;
  extensions: readonly Buffer[];
}

const DAY_MS = 86_400_000;
const RSA_SHA256 = der.sequence(der.oid("1.2.840.113549.1.1.11"), der.nothing());
const newKeyPair = promisify(generateKeyPair);

/** @param options.now certificates are valid from a day before it, for two years. */
export async function createPki(options: { now: Date; hosts?: readonly string[] }): Promise<Pki> {
  const validFrom = new Date(options.now.getTime() - DAY_MS);
  const validTo = new Date(options.now.getTime() + 730 * DAY_MS);
  const [ca, serverKeys] = await Promise.all([
    createAuthority("Simulated Police CA", null, validFrom, validTo),
    newRsaKeys(),
  ]);
  const hosts = options.hosts ?? ["localhost", "127.0.0.1", "::1"];
  const serverDer = issue(ca, {
    name: distinguishedName("Simulated Police", hosts[0] ?? "localhost"),
    publicKey: serverKeys.publicKey,
    validFrom,
    validTo,
    extensions: [keyUsage(0xa0, 5), extendedKeyUsage("1.3.6.1.5.5.7.3.1"), subjectAltNames(hosts)],
  });
  let intermediate: Promise<Authority> | null = null;
  let other: Promise<Authority> | null = null;
  return {
    caPem: toPem(ca.certDer),
    server: { keyPem: privatePem(serverKeys.privateKey), certPem: toPem(serverDer) },
    issueClient: async (client) => {
      if (client.issuer === "other") other ??= createAuthority("Unknown CA", null, validFrom, validTo);
      if (client.intermediate) intermediate ??= createAuthority("Intermediate CA", ca, validFrom, validTo);
      const issuer = (client.issuer === "other" ? await other : client.intermediate ? await intermediate : ca) ?? ca;
      const keys = client.keyType === "ec" ? await newKeyPair("ec", { namedCurve: "prime256v1" }) : await newRsaKeys();
      const leaf = issue(issuer, {
        name: distinguishedName(client.organization, client.commonName ?? "CAM SIMULATED CLIENT"),
        publicKey: keys.publicKey,
        validFrom: client.validFrom ?? validFrom,
        validTo: client.validTo ?? validTo,
        extensions: [keyUsage(0xc0, 6), extendedKeyUsage("1.3.6.1.5.5.7.3.2")],
      });
      const chain = client.intermediate && client.issuer !== "other" ? [issuer.certDer] : [];
      return {
        keyPem: privatePem(keys.privateKey),
        certPem: toPem(leaf),
        chainPem: chain.map(toPem),
        pfx: (password, cipher = "aes256") =>
          buildPfx({
            keyPkcs8: keys.privateKey.export({ type: "pkcs8", format: "der" }),
            leaf,
            chain,
            password,
            cipher,
          }),
      };
    },
  };
}

async function newRsaKeys(): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> {
  return await newKeyPair("rsa", { modulusLength: 2048 });
}

async function createAuthority(name: string, issuer: Authority | null, from: Date, to: Date): Promise<Authority> {
  const keys = await newRsaKeys();
  const own = { name: distinguishedName(name, name), key: keys.privateKey, publicKey: keys.publicKey };
  const isAuthority = extension("2.5.29.19", true, der.sequence(der.yes()));
  const certDer = issue(issuer ?? { ...own, certDer: Buffer.alloc(0) }, {
    name: own.name,
    publicKey: own.publicKey,
    validFrom: from,
    validTo: to,
    extensions: [isAuthority, keyUsage(0x06, 1)],
  });
  return { ...own, certDer };
}

/** A version 3 certificate (RFC 5280, 4.1), signed with RSA and SHA-256. */
function issue(issuer: Authority, subject: Subject): Buffer {
  const spki = subject.publicKey.export({ type: "spki", format: "der" });
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const authorityKeyId = extension("2.5.29.35", false, der.sequence(der.der(0x80, keyId(issuer.publicKey))));
  const subjectKeyId = extension("2.5.29.14", false, der.octets(keyId(subject.publicKey)));
  const tbs = der.sequence(
    der.tagged(0, der.integer(2)),
    der.integer(serial),
    RSA_SHA256,
    issuer.name,
    der.sequence(der.time(subject.validFrom), der.time(subject.validTo)),
    subject.name,
    spki,
    der.tagged(3, der.sequence(...subject.extensions, subjectKeyId, authorityKeyId)),
  );
  return der.sequence(tbs, RSA_SHA256, der.bits(sign("sha256", tbs, issuer.key)));
}

function keyId(key: KeyObject): Buffer {
  return createHash("sha1")
    .update(key.export({ type: "spki", format: "der" }))
    .digest();
}

function distinguishedName(organization: string, commonName: string): Buffer {
  const part = (id: string, value: Buffer): Buffer => der.set(der.sequence(der.oid(id), value));
  return der.sequence(
    part("2.5.4.6", der.der(0x13, Buffer.from("ES"))),
    part("2.5.4.10", der.utf8(organization)),
    part("2.5.4.3", der.utf8(commonName)),
  );
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return critical
    ? der.sequence(der.oid(id), der.yes(), der.octets(value))
    : der.sequence(der.oid(id), der.octets(value));
}

function keyUsage(mask: number, unusedBits: number): Buffer {
  return extension("2.5.29.15", true, der.bits(Buffer.from([mask]), unusedBits));
}

function extendedKeyUsage(id: string): Buffer {
  return extension("2.5.29.37", false, der.sequence(der.oid(id)));
}

function subjectAltNames(hosts: readonly string[]): Buffer {
  const names = hosts.map((host) =>
    isIP(host) === 0 ? der.der(0x82, Buffer.from(host)) : der.der(0x87, addressBytes(host)),
  );
  return extension("2.5.29.17", false, der.sequence(...names));
}

/** Network form of an address; of IPv6 only the forms `a:b:…` and `x::y` without an IPv4 tail. */
function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split(".").map(Number));
  const [left = "", right = ""] = address.split("::");
  const groups = (text: string): number[] => (text === "" ? [] : text.split(":").map((g) => Number.parseInt(g, 16)));
  const head = groups(left);
  const tail = groups(right);
  const all = [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

function privatePem(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

/** PEM of a certificate's DER. */
function toPem(certDer: Uint8Array): string {
  const lines =
    Buffer.from(certDer)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
