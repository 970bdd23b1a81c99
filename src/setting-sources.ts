import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseEnvFile } from "./env-file.ts";
import { AppError, errorText, systemCode } from "./errors.ts";
import { nearestName } from "./name-distance.ts";
import type { Setting } from "./settings/setting.ts";
import { listSettings } from "./settings.ts";

/** Where a value came from. */
export type SettingSource = "default" | "file" | "environment" | "flag";

export interface LoadOptions {
  /** The process's environment. */
  env: Readonly<Record<string, string | undefined>>;
  /** From `--env-file`; it must exist. Goes before TATTILE_ENV_FILE. */
  envFile?: string | undefined;
  /** Values from the command line, by the variable's name. */
  flags?: Readonly<Record<string, string>>;
  /** True: data in /var/lib/tattile. False: in ./data, and the system's file is not read. Not given: as found on this machine. */
  installed?: boolean | undefined;
  /** What relative paths count from, unless a file gave them: then they count from the file's folder. */
  folder?: string;
  /** Read when it exists and no other file is named. */
  systemEnvFile?: string;
}

const SYSTEM_DATA_DIR = "/var/lib/tattile";
const SYSTEM_ENV_FILE = "/etc/tattile/tattile.env";
const ENV_FILE_VARIABLE = "TATTILE_ENV_FILE";
const MAX_ENV_FILE_BYTES = 1024 * 1024;

/** In the environment only names like these can be meant for tattile; in its own file every name is. */
const OWN_PREFIX =
  /^(DB|DATABASE|SENDER|INGEST|API|MOSSOS|TRANSIT|QUARANTINE|DEDUPE|DISK|CAMERA|CERTS|IMAGES|SUCCESS|SOAP|AUDIT|LECTORVISION)_/;

/** A value as somebody wrote it. */
export interface Given {
  text: string;
  source: SettingSource;
  /** What a relative path counts from. */
  folder: string;
}

/** A settings file as it was read. */
export interface EnvFile {
  path: string;
  values: ReadonlyMap<string, string>;
}

/** The settings file, or null when none is named and the system has none. @throws AppError `config` */
export function readEnvFile(options: LoadOptions, folder: string): EnvFile | null {
  const named = options.envFile ?? (options.env[ENV_FILE_VARIABLE] || undefined);
  if (named === undefined && options.installed === false) return null;
  const path = resolve(folder, named ?? options.systemEnvFile ?? SYSTEM_ENV_FILE);
  try {
    if (statSync(path).size > MAX_ENV_FILE_BYTES) throw new Error(`it is larger than ${MAX_ENV_FILE_BYTES} bytes`);
    return { path, values: parseEnvFile(readFileSync(path, "utf8"), path) };
  } catch (error) {
    if (error instanceof AppError) throw error;
    if (named === undefined && systemCode(error) === "ENOENT") return null;
    throw new AppError("config", `reading the settings file: ${errorText(error)} (${path})`, {
      hint:
        systemCode(error) === "EACCES"
          ? "Run the command as root, or as the user tattile."
          : "Name a file that exists, or none.",
      cause: error,
    });
  }
}

/** Strongest first. The unit hands the file's values over as environment too: what is equal there counts as the file's. */
export function collectLayers(
  options: LoadOptions,
  folder: string,
  file: EnvFile | null,
): readonly Map<string, Given>[] {
  const flags = new Map<string, Given>();
  for (const [name, text] of Object.entries(options.flags ?? {})) flags.set(name, { text, source: "flag", folder });
  const fromFile = new Map<string, Given>();
  for (const [name, text] of file?.values ?? []) {
    fromFile.set(name, { text, source: "file", folder: dirname(file?.path ?? folder) });
  }
  const environment = new Map<string, Given>();
  for (const [name, text] of Object.entries(options.env)) {
    if (text !== undefined && fromFile.get(name)?.text !== text) {
      environment.set(name, { text, source: "environment", folder });
    }
  }
  return [flags, environment, fromFile];
}

/** The strongest value that is given for a setting under any of its names, trimmed; null: none. */
export function findGiven(
  one: Setting<unknown>,
  layers: readonly Map<string, Given>[],
  warnings: string[],
): Given | null {
  for (const layer of layers) {
    const found = [one.name, ...one.aliases].flatMap((name) => {
      const given = layer.get(name);
      return given === undefined || given.text.trim() === "" ? [] : [{ name, ...given, text: given.text.trim() }];
    });
    const [first, second] = found;
    if (first === undefined) continue;
    if (second !== undefined && second.text !== first.text) {
      warnings.push(`${first.name} and ${second.name} mean the same and differ: ${first.name} is used`);
    }
    return first;
  }
  return null;
}

/** A sentence for each name that is no setting, with the one that was probably meant. */
export function warnOfNames(env: LoadOptions["env"], file: EnvFile | null): string[] {
  const known = listSettings().flatMap((one) => [one.name, ...one.aliases]);
  const warnings: string[] = [];
  const fromFile = [...(file?.values.keys() ?? [])];
  const fromEnvironment = Object.keys(env).filter((name) => OWN_PREFIX.test(name));
  for (const name of new Set([...fromEnvironment, ...fromFile])) {
    if (known.includes(name) || (name === ENV_FILE_VARIABLE && !file?.values.has(name))) continue;
    const place = fromFile.includes(name) ? (file?.path ?? "file") : "environment";
    const nearest = nearestName(name, known);
    const guess = nearest === null ? "" : `; did you mean ${nearest}?`;
    warnings.push(`${name} is not a setting of tattile and has no effect (${place})${guess}`);
  }
  return warnings;
}

/** Where a value stands, for the operator. */
export function placeOf(given: Given, file: EnvFile | null): string {
  return given.source === "file" ? (file?.path ?? "file") : given.source;
}

/** Where data lies when nobody says so: the system's folder where tattile is installed and may use it, else ./data. */
export function defaultDataDir(options: LoadOptions, folder: string, warnings: string[]): string {
  const local = resolve(folder, "data");
  if (options.installed !== undefined) return options.installed ? SYSTEM_DATA_DIR : local;
  // systemd sets it from the unit's StateDirectory.
  const state = options.env["STATE_DIRECTORY"]?.split(":")[0];
  if (state !== undefined && state !== "") return resolve(state);
  try {
    if (!statSync(SYSTEM_DATA_DIR).isDirectory()) return local;
    accessSync(SYSTEM_DATA_DIR, constants.R_OK | constants.W_OK | constants.X_OK);
    return SYSTEM_DATA_DIR;
  } catch (error) {
    if (systemCode(error) === "EACCES") {
      warnings.push(
        `${SYSTEM_DATA_DIR} is there but not for this user: ${local} is used instead; run as root or set DATA_DIR`,
      );
    }
    return local;
  }
}
