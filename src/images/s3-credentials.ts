import { readFileSync, statSync } from "node:fs";
import { AppError, systemCode } from "../errors.ts";

export interface S3Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string | null;
}

/** A credentials file is a few lines; anything larger is another file. */
const MAX_BYTES = 64 * 1024;
const SECTION = /^\[\s*(?:profile\s+)?([^\]]+?)\s*\]$/;

/**
 * The keys of the object store: those given, or else those in a file in the format of AWS (`[default]`,
 * `aws_access_key_id = …`), which is read again whenever it changed, so that renewed keys need no restart.
 * @throws AppError `config` when none are there
 */
export function openS3Credentials(given: S3Credentials | null, file: string | null): () => S3Credentials {
  let known: { changedMs: number; credentials: S3Credentials } | null = null;
  return () => {
    if (given !== null) return given;
    if (file === null) {
      throw new AppError("config", "opening the object store: no keys are set (IMAGES_S3_ACCESS_KEY_ID)", {
        hint: "Set IMAGES_S3_ACCESS_KEY_ID and IMAGES_S3_SECRET_ACCESS_KEY, or IMAGES_S3_CREDENTIALS_FILE.",
      });
    }
    try {
      const { mtimeMs, size } = statSync(file);
      if (known?.changedMs === mtimeMs) return known.credentials;
      if (size > MAX_BYTES) throw new AppError("config", `reading keys of the object store: too large (${file})`);
      const credentials = parseCredentials(readFileSync(file, "utf8"));
      if (credentials === null) {
        throw new AppError("config", `reading keys of the object store: no keys in its first section (${file})`, {
          hint: "Write the lines aws_access_key_id = … and aws_secret_access_key = … into it.",
        });
      }
      known = { changedMs: mtimeMs, credentials };
      return credentials;
    } catch (error) {
      // Replaced half-way, or a mount that is away: what was good goes on being used.
      if (known !== null) return known.credentials;
      if (error instanceof AppError) throw error;
      throw new AppError("config", `reading keys of the object store: ${systemCode(error) ?? "error"} (${file})`, {
        hint: "Name a file in IMAGES_S3_CREDENTIALS_FILE that the user tattile runs as may read.",
        cause: error,
      });
    }
  };
}

/** The keys of the section `[default]`, else of the first; null when there are none. */
export function parseCredentials(text: string): S3Credentials | null {
  const sections = new Map<string, Map<string, string>>();
  let section = "";
  for (const line of text.split(/\r?\n/).map((one) => one.trim())) {
    const name = SECTION.exec(line)?.[1];
    if (name !== undefined) section = name;
    const at = line.indexOf("=");
    if (name !== undefined || at < 0 || /^[#;]/.test(line)) continue;
    const values = sections.get(section) ?? new Map<string, string>();
    sections.set(section, values);
    values.set(line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim());
  }
  const values = sections.get("default") ?? [...sections.values()][0];
  const accessKeyId = values?.get("aws_access_key_id");
  const secretAccessKey = values?.get("aws_secret_access_key");
  if (!accessKeyId || !secretAccessKey) return null;
  return { accessKeyId, secretAccessKey, sessionToken: values?.get("aws_session_token") || null };
}
