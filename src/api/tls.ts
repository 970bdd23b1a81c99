import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { AppError, errorText, systemCode } from "../errors.ts";

export interface TlsFiles {
  certPath: string;
  keyPath: string;
}

/**
 * The operator's certificate (with its chain) and key for HTTPS, checked so that a browser would not be the first to find out.
 * @throws AppError `config` naming the file and what is wrong with it
 */
export function readTls({ certPath, keyPath }: TlsFiles, now: Date): { cert: string; key: string; validTo: Date } {
  const cert = readText("API_TLS_CERT", certPath);
  const key = readText("API_TLS_KEY", keyPath);
  const leaf = parse("API_TLS_CERT", certPath, () => new X509Certificate(cert));
  const privateKey = parse("API_TLS_KEY", keyPath, () => createPrivateKey(key));
  if (!leaf.checkPrivateKey(privateKey)) {
    throw new AppError(
      "config",
      `setting up HTTPS: certificate and key do not belong together (${certPath}, ${keyPath})`,
      {
        hint: "Give the certificate first in its file, its chain behind it, and the key it was issued for.",
      },
    );
  }
  if (leaf.validToDate <= now) {
    throw new AppError("config", `setting up HTTPS: the certificate ran out on ${leaf.validTo} (${certPath})`, {
      hint: "Renew it, or leave API_TLS_CERT and API_TLS_KEY unset.",
    });
  }
  return { cert, key, validTo: leaf.validToDate };
}

function readText(setting: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new AppError("config", `setting up HTTPS: ${systemCode(cause) ?? "unreadable"} (${setting}=${path})`, {
      hint: "Name a file that the service's user can read.",
      cause,
    });
  }
}

function parse<T>(setting: string, path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new AppError("config", `setting up HTTPS: not a PEM file of what it should be (${setting}=${path})`, {
      hint: "Give PEM files, the key without a password.",
      cause: errorText(error),
    });
  }
}
