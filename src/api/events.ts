import { Type } from "typebox";
import { errorText } from "../errors.ts";
import type { Tally } from "../store/store.ts";
import type { Access } from "./access.ts";
import type { ApiDeps } from "./deps.ts";
import { Refusal } from "./refusal.ts";
import { defineMediaRoute, type Route } from "./route.ts";

/** How often the store is looked at while somebody listens. */
const LOOK_EVERY_MS = 500;
/** A line without meaning so often, so that whoever stands between does not think the connection dead; and whether its token still holds is asked. */
const BEAT_EVERY_MS = 15_000;
const MOST_LISTENERS = 64;
/** A listener that does not take what it is sent is let go; its browser comes back by itself. */
const MOST_UNSENT = 64;
const TOLD: readonly Tally[] = ["queued", "delivered", "dead", "duplicate", "not-read", "unregistered", "malformed"];

const STREAM_HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  "x-accel-buffering": "no",
};

interface Listener {
  send(text: string): void;
  close(): void;
  /** Its token still lets it in. */
  isWelcome(): Promise<boolean>;
}

export interface Events {
  route: Route;
  /** Ends every stream. */
  close(): Promise<void>;
}

/**
 * What goes on, by server-sent events. `counts`: queue and balance, when they change, and once at the beginning.
 * `activity`: by camera, how many readings came, were delivered and so on since the last. No plate is in either. The
 * store is looked at, not this process: whatever process takes readings in or delivers them, it is seen.
 */
export function createEvents(
  deps: Pick<ApiDeps, "store" | "clock" | "log"> & { access: Pick<Access, "identify"> },
): Events {
  const { store, clock, log, access } = deps;
  /** Who has a place, also while he has not been told how everything is yet. */
  const places = new Set<Listener>();
  const listeners = new Set<Listener>();
  const stopping = new AbortController();
  let looking: Promise<void> | null = null;
  // What was told last; anew for the first listener after a time without any.
  let known: ReadonlyMap<string, number> = new Map();
  let lastCounts = "";

  async function look(signal: AbortSignal): Promise<void> {
    let nextBeatMs = clock.monotonicMs() + BEAT_EVERY_MS;
    while (!signal.aborted && listeners.size > 0) {
      try {
        if (clock.monotonicMs() >= nextBeatMs) {
          nextBeatMs = clock.monotonicMs() + BEAT_EVERY_MS;
          await beat();
        }
        const counts = await readCounts();
        if (counts !== lastCounts) broadcast("counts", counts);
        lastCounts = counts;
        const tallies = await readTallies();
        const activity = differences(known, tallies);
        if (activity.length > 0) broadcast("activity", JSON.stringify({ at: clock.now(), cameras: activity }));
        known = tallies;
      } catch (error) {
        log.warn("live events: the store does not answer", { error: errorText(error) });
      }
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
    // At once, not when the promise is settled: who comes between would find nobody who looks.
    looking = null;
  }

  async function beat(): Promise<void> {
    for (const listener of [...listeners]) {
      const isWelcome = await listener.isWelcome();
      // It may have left meanwhile.
      if (!listeners.has(listener)) continue;
      if (isWelcome) listener.send(": alive\n\n");
      else listener.close();
    }
  }

  async function readCounts(): Promise<string> {
    const [{ byStatus, oldestAt, deadByReason }, balance] = await Promise.all([store.summarize(), store.balance()]);
    return JSON.stringify({ byStatus, oldestAt, deadByReason, balance });
  }

  async function readTallies(): Promise<ReadonlyMap<string, number>> {
    const tallies = (await store.tallies()).filter(({ tally }) => TOLD.includes(tally));
    return new Map(tallies.map(({ cameraSerial, tally, count }) => [`${tally} ${cameraSerial}`, count]));
  }

  function broadcast(event: string, data: string): void {
    const text = `event: ${event}\ndata: ${data}\n\n`;
    for (const listener of listeners) listener.send(text);
  }

  function open(request: Request, peer: string): Response {
    if (places.size >= MOST_LISTENERS) {
      throw new Refusal(503, "unavailable", `${MOST_LISTENERS} listen already`, { headers: { "retry-after": "10" } });
    }
    if (request.method === "HEAD") return new Response(null, { headers: STREAM_HEADERS });
    const encoder = new TextEncoder();
    let leave = (): void => {};
    const stream = new ReadableStream<Uint8Array>(
      {
        async start(controller) {
          const own: Listener = {
            send: (text) => {
              if (!places.has(own)) return;
              if ((controller.desiredSize ?? 0) < 1 - MOST_UNSENT) return own.close();
              try {
                controller.enqueue(encoder.encode(text));
              } catch {
                // The other side has gone, and nobody has said so yet.
                leave();
              }
            },
            close: () => {
              leave();
              try {
                controller.close();
              } catch {
                // The other side has gone already.
              }
            },
            isWelcome: async () => {
              try {
                return (await access.identify(request, peer)) !== null;
              } catch (error) {
                // A store that is away says nothing about the token.
                return !(error instanceof Refusal);
              }
            },
          };
          leave = () => {
            listeners.delete(own);
            places.delete(own);
          };
          // Before anything is waited for: of many who come at once no more get in.
          places.add(own);
          await greet(own);
        },
        cancel: () => leave(),
      },
      new CountQueuingStrategy({ highWaterMark: 1 }),
    );
    request.signal.addEventListener("abort", () => leave());
    if (request.signal.aborted) leave();
    return new Response(stream, { headers: STREAM_HEADERS });
  }

  /** How everything is, and from then on what changes. */
  async function greet(listener: Listener): Promise<void> {
    // Said before the first look, so that a page knows that it listens.
    listener.send("retry: 2000\n\n");
    try {
      const [counts, tallies] = await Promise.all([readCounts(), readTallies()]);
      if (stopping.signal.aborted) return listener.close();
      if (!places.has(listener)) return;
      if (looking === null) [lastCounts, known] = [counts, tallies];
      listener.send(`event: counts\ndata: ${counts}\n\n`);
      listeners.add(listener);
      looking ??= look(stopping.signal);
    } catch (error) {
      log.warn("live events: the store does not answer", { error: errorText(error) });
      listener.close();
    }
  }

  return {
    route: defineMediaRoute({
      method: "GET",
      path: "/api/v1/events",
      tag: "status",
      summary:
        "server-sent events: `counts` (queue and balance, when they change) and `activity` (what came and went, by camera)",
      access: "viewer",
      media: "text/event-stream",
      query: Type.Object({}, { additionalProperties: false }),
      handle: async ({ request, peer }) => open(request, peer),
    }),
    async close() {
      stopping.abort();
      for (const listener of [...places]) listener.close();
      await looking;
    },
  };
}

/** By camera, what grew. */
function differences(before: ReadonlyMap<string, number>, now: ReadonlyMap<string, number>): readonly object[] {
  const cameras = new Map<string, Record<string, number | string>>();
  for (const [key, count] of now) {
    const more = count - (before.get(key) ?? 0);
    if (more <= 0) continue;
    const at = key.indexOf(" ");
    const serial = key.slice(at + 1);
    const camera = cameras.get(serial) ?? { serial };
    camera[key.slice(0, at)] = more;
    cameras.set(serial, camera);
  }
  return [...cameras.values()];
}
