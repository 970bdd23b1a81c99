import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ask, ServerFailure } from "./server.ts";
import type { Activity, Counts, Status } from "./wire.ts";

/** The whole report: at most so often while things happen, less over a slow line, and so often when nothing does, or something is wrong. */
const SOON_MS = 3000;
const IDLE_MS = 30_000;
const WORRIED_MS = 10_000;
/** After the stream of events was refused; a stream that broke is opened again by the browser itself. */
const REOPEN_MS = 5000;

/**
 * `lost`: the service is not reached. `store`: it is, but its database is not; so many readings wait in its spool (null: not
 * known), and where its disk is full, cameras keep theirs.
 */
export type Trouble = { kind: "lost" } | { kind: "store"; spooled: number | null; isFull: boolean };

export interface Live {
  status: Status | null;
  /** The server's time now, as far as is known: ages must not depend on this device's clock. */
  now: number;
  /** Why what is shown may be old; null: it is not. */
  trouble: Trouble | null;
  /** Grows when the queue changed: whoever shows a part of it looks again. */
  changes: number;
  refresh(): void;
}

/** How everything is, kept up to date by the server's events. */
export function useLive(): Live {
  const [status, setStatus] = useState<Status | null>(null);
  const [offset, setOffset] = useState(0);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [isListening, setListening] = useState(true);
  const [changes, setChanges] = useState(0);
  const [, tick] = useState(0);
  const looking = useRef<{
    timer: ReturnType<typeof setTimeout> | undefined;
    dueAt: number;
    lastAt: number;
    tookMs: number;
  }>({
    timer: undefined,
    dueAt: 0,
    lastAt: 0,
    tookMs: 0,
  });

  const look = useCallback(async (): Promise<void> => {
    const own = looking.current;
    clearTimeout(own.timer);
    // Else what was planned would count as still to come.
    own.timer = undefined;
    own.lastAt = performance.now();
    let nextMs = REOPEN_MS;
    try {
      const fresh = await ask<Status>("GET", "/api/v1/status");
      setStatus(fresh);
      setOffset(Date.parse(fresh.at) - Date.now());
      setTrouble(null);
      nextMs = fresh.status === "fine" ? IDLE_MS : WORRIED_MS;
    } catch (error) {
      setTrouble(await findTrouble(error));
    }
    own.tookMs = performance.now() - own.lastAt;
    plan(nextMs);
  }, []);
  /** Not later than this from now. */
  const plan = useCallback(
    (inMs: number): void => {
      const own = looking.current;
      const dueAt = Math.max(
        performance.now(),
        own.lastAt + Math.max(SOON_MS, own.tookMs * 5),
        performance.now() + inMs,
      );
      if (own.timer !== undefined && own.dueAt > performance.now() && own.dueAt <= dueAt) return;
      clearTimeout(own.timer);
      own.dueAt = dueAt;
      own.timer = setTimeout(look, dueAt - performance.now());
    },
    [look],
  );

  /** Now, and once more when what was done has had its effect. */
  const refresh = useCallback(async (): Promise<void> => {
    await look();
    plan(SOON_MS);
  }, [look, plan]);

  useEffect(() => {
    const seconds = setInterval(() => tick((n) => n + 1), 1000);
    const seen = () => document.visibilityState === "visible" && void look();
    document.addEventListener("visibilitychange", seen);
    void look();
    const stop = listen({
      onState: setListening,
      onCounts: ({ balance, ...queue }) => {
        setStatus((known) => known && { ...known, balance, queue: { ...known.queue, ...queue } });
        setChanges((n) => n + 1);
        plan(0);
      },
      onActivity: (activity) => setStatus((known) => known && withActivity(known, activity)),
    });
    return () => {
      stop();
      clearInterval(seconds);
      clearTimeout(looking.current.timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [look, plan]);
  return {
    status,
    now: Date.now() + offset,
    trouble: trouble ?? (isListening ? null : { kind: "lost" }),
    changes,
    refresh,
  };
}

/** A database that is away is another matter than a service that is: readings are still taken in. */
export async function findTrouble(error: unknown): Promise<Trouble> {
  if (!(error instanceof ServerFailure) || error.status !== 503) return { kind: "lost" };
  const health = await ask<{ spool_waiting?: number; cameras_held?: boolean }>("GET", "/health").catch(() => null);
  return { kind: "store", spooled: health?.spool_waiting ?? null, isFull: health?.cameras_held === true };
}

interface Listener {
  onState(isListening: boolean): void;
  onCounts(counts: Counts): void;
  onActivity(activity: Activity): void;
}

/** Hears the server's events until the function it gives is called. */
function listen({ onState, onCounts, onActivity }: Listener): () => void {
  let source: EventSource;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const open = (): void => {
    source = new EventSource("/api/v1/events");
    source.addEventListener("counts", (event) => {
      onState(true);
      onCounts(JSON.parse(event.data));
    });
    source.addEventListener("activity", (event) => onActivity(JSON.parse(event.data)));
    source.addEventListener("error", () => {
      onState(false);
      if (source.readyState === EventSource.CLOSED) timer = setTimeout(open, REOPEN_MS);
    });
  };
  open();
  return () => {
    source.close();
    clearTimeout(timer);
  };
}

function withActivity(status: Status, { at, cameras: active }: Activity): Status {
  const cameras = status.cameras.map((camera) => {
    const own = active.find(({ serial }) => serial === camera.serial);
    if (own === undefined) return camera;
    return {
      ...camera,
      lastReadingAt: own.queued === undefined ? camera.lastReadingAt : at,
      lastSentAt: own.delivered === undefined ? camera.lastSentAt : at,
    };
  });
  return { ...status, cameras };
}

/** What `path` answers, asked anew when `again` changes, at most every `everyMs`. */
export function useAnswer<T>(
  path: string | null,
  again: unknown,
  everyMs = 2000,
): { value: T | null; error: unknown; refresh(): void } {
  const [answer, setAnswer] = useState<{ path: string | null; value: T | null; error: unknown }>({
    path: null,
    value: null,
    error: null,
  });
  const lastAt = useRef(0);
  const wanted = useRef(path);
  wanted.current = path;
  const load = useCallback(async (): Promise<void> => {
    if (path === null) return;
    lastAt.current = performance.now();
    try {
      const value = await ask<T>("GET", path);
      if (wanted.current === path) setAnswer({ path, value, error: null });
    } catch (error) {
      // What was seen before stays: the page says itself that the connection is lost.
      if (wanted.current === path)
        setAnswer((known) => ({ path, value: known.path === path ? known.value : null, error }));
    }
  }, [path]);
  useEffect(() => {
    lastAt.current = 0;
  }, [path]);
  useEffect(() => {
    const waitMs = Math.max(0, lastAt.current + everyMs - performance.now());
    const timer = setTimeout(load, lastAt.current === 0 ? 0 : waitMs);
    return () => clearTimeout(timer);
  }, [load, again, everyMs]);
  const current = answer.path === path ? answer : { value: null, error: null };
  return { value: current.value, error: current.error, refresh: load };
}

/** What the server gives at once, at most. */
const MAX_LIMIT = 1000;

/** A list that is asked for `step` at a time; what is shown stays while more comes. `showMore` is null when there is no more to be had. */
export function useGrowing<T extends { more: boolean }>(path: string, again: unknown, step: number) {
  const [limit, setLimit] = useState(step);
  const last = useRef<{ path: string; value: T } | null>(null);
  const answer = useAnswer<T>(`${path}${path.includes("?") ? "&" : "?"}limit=${limit}`, again);
  if (answer.value !== null) last.current = { path, value: answer.value };
  const value = answer.value ?? (last.current?.path === path ? last.current.value : null);
  useEffect(() => setLimit(step), [path, step]);
  const hasMore = value?.more === true && limit < MAX_LIMIT;
  return { ...answer, value, showMore: hasMore ? () => setLimit(Math.min(MAX_LIMIT, limit + step)) : null };
}
