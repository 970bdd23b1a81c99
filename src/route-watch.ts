import {
  afterOutcome,
  allowance,
  type Breaker,
  type BreakerChange,
  CLOSED,
  mend,
  type PausePolicy,
  setBack,
  tryNow,
} from "./breaker.ts";
import type { DeliveryOutcome } from "./delivery.ts";
import type { Log } from "./log.ts";
import { type Route, type RouteState, routeKey } from "./store/store.ts";

/** What is only nice to know (latency, last accepted) reaches the store at most this often. */
const SAVE_EVERY_MS = 60_000;
/** A difference of clocks that is worth a line: the police refuse 60 s of future. */
const CLOCK_WARN_MS = 30_000;

interface Watched extends Route {
  breaker: Breaker;
  lastAcceptedAt: Date | null;
  clockOffsetMs: number | null;
  latencyMs: number | null;
  /** The last wish to have it tried that was followed: each is followed once. */
  triedAt: Date | null;
  savedAt: number;
  dirty: boolean;
}

export interface RouteWatchDeps {
  listRouteStates(): Promise<readonly RouteState[]>;
  saveRouteState(state: RouteState): Promise<void>;
  pause: PausePolicy;
  random(): number;
  log: Log;
}

/**
 * What is known of every endpoint, and of every certificate at it (a refused certificate must not hold the towns beside
 * it). Lives in memory; the store has a copy for `status` and for the next start.
 */
export class RouteWatch {
  readonly #deps: RouteWatchDeps;
  readonly #watched = new Map<string, Watched>();

  constructor(deps: RouteWatchDeps) {
    this.#deps = deps;
  }

  /** Takes over what the last run knew. Its pauses are probed at once: whoever restarts has often just mended something. */
  async load(now: Date): Promise<void> {
    for (const state of await this.#deps.listRouteStates()) {
      const watched = this.#of(state);
      watched.lastAcceptedAt = state.lastAcceptedAt;
      watched.clockOffsetMs = state.clockOffsetMs;
      watched.latencyMs = state.latencyMs;
      watched.triedAt = state.triedAt;
      if (state.pausedUntil === null || state.pauseKind === null) continue;
      watched.breaker = { ...CLOSED, pausedAt: now, pausedUntil: now, kind: state.pauseKind, detail: state.detail };
    }
  }

  /** Looks whether an operator mended what a pause was about, or wants it tried now. */
  async refresh(now: Date): Promise<void> {
    if (![...this.#watched.values()].some(({ breaker }) => breaker.pausedUntil !== null && now < breaker.pausedUntil))
      return;
    for (const { mendedAt, triedAt, ...state } of await this.#deps.listRouteStates()) {
      const watched = this.#watched.get(routeKey(state));
      const pausedAt = watched?.breaker.pausedAt ?? null;
      if (watched === undefined || pausedAt === null) continue;
      if (mendedAt !== null && mendedAt >= pausedAt) watched.breaker = mend(watched.breaker, now);
      else if (triedAt !== null && triedAt.getTime() !== watched.triedAt?.getTime()) {
        watched.breaker = tryNow(watched.breaker, now);
      }
      watched.triedAt = triedAt;
    }
  }

  /** How many messages may be claimed now, for endpoints and for single routes that are limited; the rest has `concurrency`. */
  slots(inFlight: ReadonlyMap<string, number>, concurrency: number, now: Date) {
    const endpoints = new Map<number, number>();
    const routes = new Map<string, number>();
    const probed = new Set<number>();
    const busy = new Map<number, number>();
    for (const [key, count] of inFlight) {
      const endpointId = Number.parseInt(key, 10);
      busy.set(endpointId, (busy.get(endpointId) ?? 0) + count);
    }
    for (const [endpointId, count] of busy) endpoints.set(endpointId, Math.max(0, concurrency - count));
    for (const [key, { endpointId, certificateId, breaker }] of this.#watched) {
      const whole = certificateId === WHOLE_ENDPOINT;
      const count = (whole ? busy.get(endpointId) : inFlight.get(key)) ?? 0;
      const allowed = allowance(breaker, count, now);
      if (allowed === null) continue;
      if (whole && allowed > 0) probed.add(endpointId);
      if (whole) endpoints.set(endpointId, Math.min(allowed, endpoints.get(endpointId) ?? concurrency));
      else routes.set(key, allowed);
    }
    return { endpoints, routes, probed };
  }

  /** Whether the endpoint accepted another message since this one last failed: only then may an attempt be spent. */
  endpointWorks(endpointId: number, lastFailedAt: Date | null): boolean {
    const accepted = this.#watched.get(routeKey({ endpointId, certificateId: WHOLE_ENDPOINT }))?.lastAcceptedAt ?? null;
    return accepted !== null && lastFailedAt !== null && accepted > lastFailedAt;
  }

  /** Notes one outcome; logs a line when the endpoint's state changes, not for every attempt. */
  async record(
    route: Route,
    outcome: DeliveryOutcome,
    timing: { startedAt: Date; now: Date; durationMs: number; serverDate: Date | null },
  ): Promise<void> {
    const endpoint = this.#of({ endpointId: route.endpointId, certificateId: WHOLE_ENDPOINT });
    const own = this.#of(route);
    const concerned =
      outcome.kind === "misconfigured"
        ? [outcome.scope === "certificate" ? own : endpoint]
        : outcome.kind === "accepted" || outcome.kind === "rejected"
          ? [endpoint, own]
          : [endpoint];
    if (outcome.kind === "accepted") {
      endpoint.lastAcceptedAt = timing.now;
      // By it a new certificate is known to have had its first success.
      own.lastAcceptedAt = timing.now;
      own.dirty = true;
    }
    if (outcome.kind !== "unreachable") endpoint.latencyMs = Math.round(timing.durationMs);
    if (timing.serverDate !== null) this.#noteClock(endpoint, timing.serverDate, timing.now);
    endpoint.dirty = true;
    for (const watched of concerned) {
      const { breaker, change } = afterOutcome(
        watched.breaker,
        outcome,
        timing.startedAt,
        this.#deps.pause,
        timing.now,
        this.#deps.random(),
      );
      const before = watched.breaker;
      watched.breaker = breaker;
      this.#tell(watched, before, change);
      if (change !== null) await this.#save(watched, timing.now);
    }
    for (const watched of [endpoint, own]) {
      if (watched.dirty && timing.now.getTime() - watched.savedAt >= SAVE_EVERY_MS)
        await this.#save(watched, timing.now);
    }
  }

  /** When the next pause is over that is not over yet, or null. */
  nextWakeAt(now: Date): Date | null {
    let soonest: Date | null = null;
    for (const { breaker } of this.#watched.values()) {
      const { pausedUntil } = breaker;
      if (pausedUntil !== null && pausedUntil > now && (soonest === null || pausedUntil < soonest))
        soonest = pausedUntil;
    }
    return soonest;
  }

  /** The clock was set back to `now`: pauses of the time before are over, lest they last as much longer. */
  setBack(now: Date): void {
    for (const watched of this.#watched.values()) watched.breaker = setBack(watched.breaker, now);
  }

  /** Writes what has not reached the store yet. */
  async flush(now: Date): Promise<void> {
    for (const watched of this.#watched.values()) if (watched.dirty) await this.#save(watched, now);
  }

  #of({ endpointId, certificateId }: Route): Watched {
    const key = routeKey({ endpointId, certificateId });
    let watched = this.#watched.get(key);
    if (watched === undefined) {
      watched = {
        endpointId,
        certificateId,
        breaker: CLOSED,
        lastAcceptedAt: null,
        clockOffsetMs: null,
        latencyMs: null,
        triedAt: null,
        savedAt: 0,
        dirty: false,
      };
      this.#watched.set(key, watched);
    }
    return watched;
  }

  #noteClock(endpoint: Watched, serverDate: Date, now: Date): void {
    // The header has whole seconds: half a second is added, and less than one is no difference.
    const offset = serverDate.getTime() + 500 - now.getTime();
    const rounded = Math.abs(offset) < 1000 ? 0 : Math.round(offset / 1000) * 1000;
    const wasWrong = Math.abs(endpoint.clockOffsetMs ?? 0) > CLOCK_WARN_MS;
    const isWrong = Math.abs(rounded) > CLOCK_WARN_MS;
    if (isWrong && !wasWrong) {
      this.#deps.log.error("this machine's clock differs from the endpoint's; check NTP (timedatectl)", {
        endpoint: endpoint.endpointId,
        secondsBehind: rounded / 1000,
      });
    }
    endpoint.clockOffsetMs = rounded;
  }

  #tell(watched: Watched, before: Breaker, change: BreakerChange): void {
    if (change === null) return;
    const fields = {
      endpoint: watched.endpointId,
      certificate: watched.certificateId === WHOLE_ENDPOINT ? undefined : watched.certificateId,
    };
    const { breaker } = watched;
    if (change === "resumed") {
      this.#deps.log.info("endpoint answers again", { ...fields, pauses: before.pauses });
      return;
    }
    // A pause that only goes on is no news.
    if (before.pausedUntil !== null && before.kind === breaker.kind) return;
    const paused = { ...fields, kind: breaker.kind, detail: breaker.detail };
    if (breaker.kind === "misconfigured") this.#deps.log.error("endpoint paused: the operator is needed", paused);
    else this.#deps.log.warn("endpoint paused; its messages wait", paused);
  }

  async #save(watched: Watched, now: Date): Promise<void> {
    watched.dirty = false;
    watched.savedAt = now.getTime();
    await this.#deps.saveRouteState({
      endpointId: watched.endpointId,
      certificateId: watched.certificateId,
      pausedUntil: watched.breaker.pausedUntil,
      pauseKind: watched.breaker.kind,
      detail: watched.breaker.detail,
      pauses: watched.breaker.pauses,
      lastAcceptedAt: watched.lastAcceptedAt,
      clockOffsetMs: watched.clockOffsetMs,
      latencyMs: watched.latencyMs,
      mendedAt: null,
      triedAt: null,
    });
  }
}

/** The certificate id under which the state of a whole endpoint is kept; a route without a certificate is never sent on. */
const WHOLE_ENDPOINT = 0;
