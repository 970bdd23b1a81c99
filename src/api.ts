import type { Config } from "./config.ts";
import { AppError, errorText, systemCode } from "./errors.ts";
import type { Log } from "./log.ts";
import { findPortOwner } from "./port-owner.ts";
import type { OperatorStore, Store } from "./store/store.ts";
import { version } from "./version.ts";

export interface Api {
  /** @returns the port. @throws AppError naming who holds it */
  listen(): Promise<number>;
  close(): Promise<void>;
}

export interface ApiDeps {
  api: Config["api"];
  store: Pick<OperatorStore, "summarize"> & Pick<Store, "check">;
  log: Log;
}

/** The HTTP side: health, for whoever watches this machine. Loopback by default; no plate is ever in an answer. */
export function createApi(deps: ApiDeps): Api {
  let server: ReturnType<typeof Bun.serve> | undefined;

  async function health(): Promise<Response> {
    try {
      await deps.store.check();
      const { byStatus, oldestAt, readings } = await deps.store.summarize();
      const waiting = [oldestAt.PENDING, oldestAt.FAILED, oldestAt.SENDING].filter((at) => at !== null);
      const oldest = waiting.length === 0 ? null : new Date(Math.min(...waiting.map((at) => at.getTime())));
      return Response.json({
        status: "ok",
        version,
        pending_messages: byStatus.PENDING,
        sending_messages: byStatus.SENDING,
        failed_messages: byStatus.FAILED,
        dead_messages: byStatus.DEAD,
        total_readings: readings,
        oldest_waiting_at: oldest?.toISOString() ?? null,
      });
    } catch (error) {
      deps.log.error("health: the store does not answer", { error: errorText(error) });
      return Response.json({ status: "error", version, error: "the store does not answer" }, { status: 503 });
    }
  }

  return {
    async listen() {
      const { host, port } = deps.api;
      try {
        server = Bun.serve({
          hostname: host,
          port,
          idleTimeout: 10,
          maxRequestBodySize: 64 * 1024,
          routes: { "/health": { GET: health } },
          fetch: () => Response.json({ error: "not found" }, { status: 404 }),
        });
      } catch (cause) {
        const owner = systemCode(cause) === "EADDRINUSE" ? await findPortOwner(port) : null;
        const by = owner === null ? "" : ` by ${owner}`;
        throw new AppError(
          "config",
          `listening for HTTP: port ${port} is taken or not allowed${by} (API_HOST=${host}, API_PORT)`,
          {
            hint: "Stop that program, or set API_PORT to a free port.",
            cause,
          },
        );
      }
      return server.port ?? port;
    },
    async close() {
      await server?.stop(true);
    },
  };
}
