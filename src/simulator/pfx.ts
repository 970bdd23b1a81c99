import { createHash, createHmac, randomBytes } from "node:crypto";
import forge from "node-forge";
import * as der from "./der.ts";

/** `aes256`: PBES2, as issued today; `3des`: the older files (RFC 7292, appendix C). */
export type PfxCipher = "aes256" | "3des";

export interface PfxContent {
  /** PrivateKeyInfo, DER. */
  keyPkcs8: Uint8Array;
  leaf: Uint8Array;
  chain: readonly Uint8Array[];
  password: string;
  cipher: PfxCipher;
}

const DATA = der.oid("1.2.840.113549.1.7.1");
const ITERATIONS = 2048;

/**
 * A PKCS#12 file (RFC 7292): certificates in the clear, the key shrouded, a SHA-1 MAC over both. Written by hand because
 * node-forge only takes RSA keys; its ciphers are used. The chain stands before the leaf, as many issuers write it.
 */
export function buildPfx(content: PfxContent): Buffer {
  const localKeyId = createHash("sha1").update(content.leaf).digest();
  const certs = der.sequence(...content.chain.map((cert) => certBag(cert, null)), certBag(content.leaf, localKeyId));
  const keys = der.sequence(
    der.sequence(der.oid("1.2.840.113549.1.12.10.1.2"), der.tagged(0, shroud(content)), attributes(localKeyId)),
  );
  const safe = der.sequence(dataContent(certs), dataContent(keys));
  return der.sequence(der.integer(3), dataContent(safe), macData(safe, content.password));
}

function dataContent(bytes: Buffer): Buffer {
  return der.sequence(DATA, der.tagged(0, der.octets(bytes)));
}

function certBag(cert: Uint8Array, localKeyId: Buffer | null): Buffer {
  const value = der.sequence(der.oid("1.2.840.113549.1.9.22.1"), der.tagged(0, der.octets(cert)));
  const bag = [der.oid("1.2.840.113549.1.12.10.1.3"), der.tagged(0, value)];
  return der.sequence(...bag, ...(localKeyId === null ? [] : [attributes(localKeyId)]));
}

function attributes(localKeyId: Buffer): Buffer {
  return der.set(der.sequence(der.oid("1.2.840.113549.1.9.21"), der.set(der.octets(localKeyId))));
}

/** PBES2 takes the password as UTF-8, the older scheme as UTF-16 (which forge makes itself). */
function shroud(content: PfxContent): Buffer {
  const info = forge.asn1.fromDer(forge.util.createBuffer(Buffer.from(content.keyPkcs8).toString("binary")));
  const password = content.cipher === "aes256" ? forge.util.encodeUtf8(content.password) : content.password;
  const shrouded = forge.pki.encryptPrivateKeyInfo(info, password, { algorithm: content.cipher, count: ITERATIONS });
  return Buffer.from(forge.asn1.toDer(shrouded).getBytes(), "binary");
}

function macData(safe: Buffer, password: string): Buffer {
  const salt = randomBytes(8);
  const key = macKey(password, salt);
  const digest = createHmac("sha1", key).update(safe).digest();
  const sha1 = der.sequence(der.oid("1.3.14.3.2.26"), der.nothing());
  return der.sequence(der.sequence(sha1, der.octets(digest)), der.octets(salt), der.integer(ITERATIONS));
}

/** RFC 7292, appendix B.2, with SHA-1 and purpose 3 (MAC): one block of 20 bytes is all that is needed. */
function macKey(password: string, salt: Buffer): Buffer {
  const encoded = Buffer.from(`${password}\0`, "utf16le").swap16();
  const fill = (bytes: Buffer): Buffer => {
    const filled = Buffer.alloc(64 * Math.ceil(bytes.length / 64));
    for (let i = 0; i < filled.length; i += 1) filled[i] = bytes[i % bytes.length] ?? 0;
    return filled;
  };
  let block = Buffer.concat([Buffer.alloc(64, 3), fill(salt), fill(encoded)]);
  for (let round = 0; round < ITERATIONS; round += 1) block = createHash("sha1").update(block).digest();
  return block;
}
