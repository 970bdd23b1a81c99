import { readFile, stat } from "node:fs/promises";
import { AppError, systemCode } from "./errors.ts";
import { loadIdentity, type SigningIdentity } from "./soap/sign.ts";
import type { Certificate } from "./store/registry.ts";

/** Keys of this many municipalities stay loaded. */
const KEPT = 512;

/** The certificates and keys that the registry's paths lead to, loaded once and again when a file changes. */
export interface IdentityStore {
  /** @throws AppError saying which file is missing, unreadable, or does not belong to the other */
  load(certificate: Certificate): Promise<SigningIdentity>;
  /** Ids of those that can sign. */
  usable(certificates: readonly Certificate[]): Promise<ReadonlySet<number>>;
}

export function createIdentityStore(): IdentityStore {
  const loaded = new Map<number, { stamp: string; identity: SigningIdentity }>();

  async function load(certificate: Certificate): Promise<SigningIdentity> {
    const { clientCertPath, keyPath } = certificate;
    if (clientCertPath === null || keyPath === null) {
      throw new AppError(
        "invalid",
        `loading a certificate: no ${keyPath === null ? "key" : "certificate"} file is set (${certificate.name})`,
      );
    }
    // A look at both files costs 20 µs, and a renewed certificate is used from the next message on.
    const stamp = (await Promise.all([clientCertPath, keyPath].map(stampOf))).join("|");
    const known = loaded.get(certificate.id);
    if (known?.stamp === stamp) return known.identity;
    const [certPem, keyPem] = await Promise.all([readFile(clientCertPath, "utf8"), readFile(keyPath, "utf8")]);
    const identity = loadIdentity(certPem, keyPem);
    if (loaded.size >= KEPT) loaded.clear();
    loaded.set(certificate.id, { stamp, identity });
    return identity;
  }

  return {
    load,
    async usable(certificates) {
      const ids = new Set<number>();
      for (const certificate of certificates) {
        if (!certificate.active) continue;
        await load(certificate).then(
          () => ids.add(certificate.id),
          () => {},
        );
      }
      return ids;
    },
  };
}

async function stampOf(path: string): Promise<string> {
  try {
    const { ino, mtimeMs, size } = await stat(path);
    return `${path}:${ino}:${mtimeMs}:${size}`;
  } catch (cause) {
    throw new AppError("not-found", `loading a certificate: ${systemCode(cause) ?? "unreadable"} (${path})`, {
      hint: "Import the municipality's PFX again: `tattile cert import`.",
      cause,
    });
  }
}
