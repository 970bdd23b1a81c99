import type { Connection } from "./sqlite-connection.ts";
import type { Store } from "./store.ts";

export function createScrubber(connection: Connection): Pick<Store, "scrub"> {
  return {
    scrub: async () => {
      connection.database.run("PRAGMA wal_checkpoint(TRUNCATE)");
    },
  };
}
