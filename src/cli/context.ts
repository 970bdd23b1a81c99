import { existsSync } from "node:fs";
import type { Config } from "../config.ts";
import { AppError, systemCode } from "../errors.ts";
import type { Store } from "../store/store.ts";
import { operatorName } from "./audited.ts";
import type { Output } from "./output.ts";

/** What a command works with. Settings and store are opened only when it asks for them, and closed after it. */
export interface CommandContext extends AsyncDisposable {
  readonly out: Output;
  readonly input: NodeJS.ReadStream;
  readonly envFile: string | undefined;
  /** Who sits at this terminal, for the audit log. */
  readonly operator: string;
  now(): Date;
  /** The settings, read once. @throws AppError `config` */
  config(): Promise<Config>;
  /** The store, opened once. @throws AppError `unavailable` with its place */
  store(): Promise<Store>;
}

export function createContext(options: { out: Output; envFile: string | undefined }): CommandContext {
  const { out, envFile } = options;
  // Before root becomes the owner of the data folder, and loses its own name.
  const uid = process.getuid?.();
  let config: Promise<Config> | undefined;
  let isDataDirSet = false;
  let store: Promise<Store> | undefined;
  const readConfig = async (): Promise<Config> => {
    const { loadConfig } = await import("../config.ts");
    const loaded = loadConfig({ env: process.env, envFile });
    for (const warning of loaded.warnings) out.note(`Warning: ${warning}`);
    isDataDirSet = loaded.sources["DATA_DIR"] !== "default";
    return loaded.config;
  };
  const openStore = async (config: Config): Promise<Store> => {
    if (isDataDirSet) requireDataDir(config.dataDir);
    await adoptOwner(config.dataDir);
    const { openStore } = await import("../store/open.ts");
    return openStore(config);
  };
  const context: CommandContext = {
    out,
    envFile,
    get operator() {
      return operatorName(uid);
    },
    get input() {
      return process.stdin;
    },
    now: () => new Date(),
    config: () => (config ??= readConfig()),
    store: () => (store ??= context.config().then(openStore)),
    async [Symbol.asyncDispose]() {
      const opened = await store?.catch(() => null);
      await opened?.close();
    },
  };
  return context;
}

/**
 * Where tattile is installed root must not make a data folder that was set and is missing, its disk not mounted perhaps: the
 * service could not use what lies in it, and would not start any more.
 * @throws AppError `config`
 */
function requireDataDir(dataDir: string): void {
  if (process.getuid?.() !== 0 || existsSync(dataDir)) return;
  if (Bun.which("id") === null || Bun.spawnSync(["id", "-u", "tattile"]).exitCode !== 0) return;
  throw new AppError("config", `opening the data folder: DATA_DIR is not there (${dataDir})`, {
    hint: `mount its disk, or make it: install -d -o tattile -g tattile -m 0750 ${dataDir}`,
  });
}

/**
 * Root works as the owner of the data folder from here on: files that root would leave in it (a new database, keys,
 * folders of images) could not be read or erased by the service, which is worse than being refused something here.
 */
export async function adoptOwner(dataDir: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { stat } = await import("node:fs/promises");
  const owner = await stat(dataDir).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return null;
    throw new AppError("unavailable", `opening the data folder: ${systemCode(error)} (${dataDir})`, { cause: error });
  });
  if (owner === null || owner.uid === 0) return;
  process.setgroups?.([owner.gid]);
  process.setgid?.(owner.gid);
  process.setuid?.(owner.uid);
}
