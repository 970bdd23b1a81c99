import { X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { getCACertificates, rootCertificates } from "node:tls";
import { AppError, systemCode } from "../errors.ts";

/** Whom TLS trusts: the operating system's authorities, and those of one file besides. */
export interface Trust {
  /**
   * @param caPath PEM file, or null; read again when it changes
   * @returns PEM texts, and a stamp that differs when they do
   * @throws an error of code `TRUST` when the file cannot be used
   */
  load(caPath: string | null): Promise<{ authorities: readonly string[]; stamp: string }>;
}

export function createTrust(): Trust {
  let system: readonly string[] | null = null;
  const files = new Map<string, { stamp: string; authorities: readonly string[] }>();

  const systemAuthorities = (): readonly string[] => {
    if (system !== null) return system;
    const own = getCACertificates("system");
    // A machine without the ca-certificates package: what Bun brings along.
    system = own.length > 0 ? own : rootCertificates;
    return system;
  };

  return {
    async load(caPath) {
      if (caPath === null) return { authorities: systemAuthorities(), stamp: "" };
      try {
        const { mtimeMs, size, ino } = await stat(caPath);
        const stamp = `${caPath}:${ino}:${mtimeMs}:${size}`;
        const known = files.get(caPath);
        if (known?.stamp === stamp) return known;
        const loaded = {
          stamp,
          authorities: [...systemAuthorities(), ...parseAuthorities(await readFile(caPath, "utf8"))],
        };
        files.set(caPath, loaded);
        return loaded;
      } catch (cause) {
        const why = cause instanceof AppError ? cause.message : (systemCode(cause) ?? "unreadable");
        throw Object.assign(new Error(`the CA file cannot be used: ${why} (${caPath})`), { code: "TRUST" });
      }
    },
  };
}

/** The certificates of a PEM text. @throws AppError `invalid` when there is none, or one cannot be read */
export function parseAuthorities(pem: string): readonly string[] {
  const found = pem.match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]+-----END (?:TRUSTED )?CERTIFICATE-----/g) ?? [];
  if (found.length === 0) throw new AppError("invalid", "no PEM certificate in it");
  for (const text of found) {
    try {
      new X509Certificate(text);
    } catch (cause) {
      throw new AppError("invalid", "a certificate in it cannot be read", { cause });
    }
  }
  return found;
}
