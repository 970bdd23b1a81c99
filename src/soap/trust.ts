import { readFileSync } from "node:fs";
import { createSecureContext, getCACertificates, rootCertificates, type SecureContext } from "node:tls";
import { AppError, systemCode } from "../errors.ts";

/** PEM files of a client certificate (leaf first) and its key, for TLS with mutual authentication. */
export interface ClientCertificatePaths {
  certPath: string;
  keyPath: string;
}

/**
 * TLS settings of one endpoint: the runtime's own authorities, those an operator added to the machine's store, those of
 * `caPath`, and the client certificate if any.
 * Reading some 150 authorities takes 5 ms: make one for a pool of connections, not one for each.
 * @throws AppError `config` naming the file that cannot be used.
 */
export function createTrust(caPath: string | null, client: ClientCertificatePaths | null): SecureContext {
  const own = caPath === null ? [] : [readPem(caPath, "the CA file", "CERTIFICATE")];
  const presented = client && {
    cert: readPem(client.certPath, "the TLS client certificate", "CERTIFICATE"),
    key: readPem(client.keyPath, "the key of the TLS client certificate", "PRIVATE KEY"),
  };
  try {
    return createSecureContext({
      ca: [...new Set([...rootCertificates, ...getCACertificates("system"), ...own])],
      ...presented,
    });
  } catch (cause) {
    const files = [caPath, client?.certPath, client?.keyPath].filter((p) => typeof p === "string").join(", ");
    throw new AppError("config", `setting up TLS: the files do not fit together or cannot be read (${files})`, {
      cause,
    });
  }
}

function readPem(path: string, what: string, label: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new AppError("config", `setting up TLS: ${what} cannot be read: ${systemCode(cause)} (${path})`, { cause });
  }
  if (!text.includes(`${label}-----`)) throw new AppError("config", `setting up TLS: ${what} is not PEM (${path})`);
  return text;
}
