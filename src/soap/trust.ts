import { readFileSync, statSync } from "node:fs";
import { createSecureContext, getCACertificates, rootCertificates, type SecureContext } from "node:tls";
import { AppError, systemCode } from "../errors.ts";
import { parseCertificates } from "./x509.ts";

/** PEM files of a client certificate (leaf first) and its key, for TLS with mutual authentication. */
export interface ClientCertificatePaths {
  certPath: string;
  keyPath: string;
}

/**
 * TLS settings of one endpoint: the operating system's authorities, those of `caPath` besides, and the client certificate if
 * any. Reading some 150 authorities takes 5 ms: make one for a pool of connections, not one for each.
 * @throws AppError `config` naming the file that cannot be used.
 */
export function createTrust(caPath: string | null, client: ClientCertificatePaths | null): SecureContext {
  const system = getCACertificates("system");
  // A machine without the ca-certificates package: what the runtime was built with.
  const authorities = system.length > 0 ? system : rootCertificates;
  const own = caPath === null ? [] : parseAuthorities(readText(caPath, "the CA file"), caPath);
  const presented = client && {
    cert: readText(client.certPath, "the TLS client certificate"),
    key: readText(client.keyPath, "the key of the TLS client certificate"),
  };
  try {
    return createSecureContext({ ca: [...authorities, ...own], ...presented });
  } catch (cause) {
    const files = `${client?.certPath}, ${client?.keyPath}`;
    throw new AppError("config", `setting up TLS: client certificate and key do not fit together (${files})`, {
      cause,
    });
  }
}

/** Changes whenever a file of createTrust does, so that what was made from it is made anew. */
export function trustStamp(caPath: string | null, client: ClientCertificatePaths | null): string {
  const paths = [caPath, client?.certPath ?? null, client?.keyPath ?? null];
  return paths.map((path) => (path === null ? "" : stampOf(path))).join("|");
}

function stampOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return `${path}:${stat?.ino}:${stat?.mtimeMs}:${stat?.size}`;
}

function parseAuthorities(pem: string, path: string): string[] {
  try {
    return parseCertificates(pem, "setting up TLS: the CA file").map((certificate) => certificate.toString());
  } catch (cause) {
    const why = cause instanceof AppError ? cause.message : "it cannot be read";
    throw new AppError("config", `${why} (${path})`, { cause });
  }
}

function readText(path: string, what: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new AppError("config", `setting up TLS: ${what} cannot be read: ${systemCode(cause)} (${path})`, { cause });
  }
}
