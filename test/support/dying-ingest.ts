import { DEFAULT_TAG_ALIASES } from "../../src/camera/fields.ts";
import { systemClock } from "../../src/clock.ts";
import { createIngest } from "../../src/ingest.ts";
import { silentLog } from "../../src/log.ts";
import { openSocketCalls } from "../../src/socket-calls.ts";

// A process of its own that is killed the moment it first looks at an accepted connection. `unarmed`: with a listener that
// was not prepared for that, the tampered twin. Prints its port.
const real = openSocketCalls();
const ingest = createIngest({
  transit: {
    host: "127.0.0.1",
    port: 0,
    allow: [],
    maxConnections: 10,
    maxMessageBytes: 1024 * 1024,
    tagAliases: DEFAULT_TAG_ALIASES,
    bufferBytes: 16 * 1024 * 1024,
    idleTimeoutMs: 60_000,
    messageTimeoutMs: 60_000,
    dedupeDays: 30,
  },
  intake: {
    accept: () => new Promise(() => {}),
    stats: { waiting: 0, commits: 0, committed: 0, failures: 0 },
    drain: async () => {},
  },
  socketCalls: {
    ...real,
    resetOnClose(target) {
      if ("listening" in target) return process.argv[2] === "unarmed" || real.resetOnClose(target);
      process.kill(process.pid, "SIGKILL");
      return true;
    },
  },
  clock: systemClock,
  log: silentLog,
});
console.log(await ingest.listen());
