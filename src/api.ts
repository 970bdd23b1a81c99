import type { Answers } from "./api/answers.ts";
import type { ApiDeps } from "./api/deps.ts";
import { createListener } from "./api/listener.ts";

export interface Api {
  /** @returns the ports. @throws AppError naming who holds one */
  listen(): Promise<{ api: number; lectorVision: number | null }>;
  /** Answers what was asked already, for a moment at most, and ends the rest. */
  close(): Promise<void>;
}

const CLOSE_GRACE_MS = 2000;

/**
 * The HTTP side; loopback by default. What answers is loaded with the first request: a gateway that nobody asks anything
 * does without its memory.
 */
export function createApi(deps: ApiDeps): Api {
  const { config, clock } = deps;
  let loaded: Promise<Answers> | null = null;
  const answers = (): Promise<Answers> => {
    loaded ??= import("./api/answers.ts").then(({ createAnswers }) => createAnswers(deps));
    return loaded;
  };
  const { api, lectorVision } = config;
  const listener = createListener(
    { ...api, what: "HTTP", names: ["API_HOST", "API_PORT"] },
    async (asked) => (await answers()).api(asked),
    deps,
  );
  const own =
    lectorVision.port === null
      ? null
      : createListener(
          {
            host: lectorVision.host,
            port: lectorVision.port,
            tls: null,
            what: "Lector Vision",
            names: ["LECTORVISION_HOST", "LECTORVISION_PORT"],
          },
          async (asked) => (await answers()).lectorVision(asked),
          deps,
        );

  return {
    listen: async () => ({ api: await listener.open(), lectorVision: (await own?.open()) ?? null }),
    async close() {
      await (await loaded)?.close();
      const endMs = clock.monotonicMs() + CLOSE_GRACE_MS;
      await Promise.all([listener.close(endMs), own?.close(endMs)]);
    },
  };
}
