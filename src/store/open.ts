import { type Clock, systemClock } from "../clock.ts";
import type { Config } from "../config.ts";
import { openSqlite } from "./sqlite.ts";
import type { Store } from "./store.ts";

/**
 * Opens the store that the configuration names, its schema brought up to date. The only place that picks an implementation.
 * @throws AppError when it cannot be opened; the text names the file or server.
 */
export function openStore(config: Pick<Config, "databasePath">, clock: Clock = systemClock): Promise<Store> {
  return openSqlite({ path: config.databasePath, clock });
}
