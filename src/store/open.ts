import { randomUUID } from "node:crypto";
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Clock, systemClock } from "../clock.ts";
import type { Config } from "../config.ts";
import { AppError, systemCode } from "../errors.ts";
import type { Store } from "./store.ts";

export type StorePlace = Pick<Config, "databasePath"> & Partial<Pick<Config, "database" | "certsDir" | "imagesUrl">>;

/**
 * Opens the store that the configuration names, its schema brought up to date. The only place that picks an implementation.
 * @throws AppError when it cannot be opened; the text names the file or server.
 */
export async function openStore(config: StorePlace, clock: Clock = systemClock): Promise<Store> {
  if (config.database === null || config.database === undefined) {
    const { openSqlite } = await import("./sqlite.ts");
    return openSqlite({ path: config.databasePath, clock });
  }
  const { openPostgres } = await import("./postgres.ts");
  return openPostgres({
    ...config.database,
    node: openNodeName(dirname(config.databasePath)),
    sharesQuarantine: config.imagesUrl !== null && config.imagesUrl !== undefined,
    certsDir: config.certsDir,
    clock,
  });
}

/**
 * What names this data folder among those of other machines, for ever: a host may be renamed, and then what it holds must
 * not look like nobody's.
 */
export function openNodeName(dataDir: string): string {
  const path = join(dataDir, "node.id");
  const draft = `${path}.${randomUUID()}`;
  try {
    const known = readName(path);
    if (known !== null) return known;
    mkdirSync(dataDir, { recursive: true, mode: 0o750 });
    const file = openSync(draft, "wx", 0o640);
    writeSync(file, `${randomUUID()}\n`);
    fsyncSync(file);
    closeSync(file);
    try {
      // Of two processes that start at once the first one's name counts.
      linkSync(draft, path);
    } catch (error) {
      if (systemCode(error) !== "EEXIST") throw error;
    }
    rmSync(draft);
    const folder = openSync(dataDir, "r");
    fsyncSync(folder);
    closeSync(folder);
    const name = readName(path);
    if (name === null) throw new AppError("unavailable", `opening the store: the file is empty (${path})`);
    return name;
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError("unavailable", `opening the store: ${systemCode(cause) ?? "error"} (${path})`, {
      hint: "Check that DATA_DIR exists and belongs to the user tattile runs as.",
      cause,
    });
  }
}

function readName(path: string): string | null {
  try {
    return readFileSync(path, "utf8").trim() || null;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return null;
    throw error;
  }
}
