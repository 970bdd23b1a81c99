import { type AttemptDeps, type AttemptResult, attempt } from "./attempt.ts";
import type { Clock } from "./clock.ts";
import type { Config } from "./config.ts";
import { errorText, isStoreAway } from "./errors.ts";
import type { ImageStore } from "./images/image-store.ts";
import type { Log } from "./log.ts";
import { inCompany, settle } from "./retry-policy.ts";
import { RouteWatch } from "./route-watch.ts";
import { createSettlements } from "./settlements.ts";
import {
  type Claim,
  type OperatorStore,
  type QueueStore,
  routeKey,
  type Settled,
  type Settlement,
} from "./store/store.ts";

/** Messages under way in all, whatever the number of endpoints: their pictures are in memory. */
const MAX_IN_FLIGHT = 64;
/** How long a free slot waits for others to share a claim with. */
const REFILL_WAIT_MS = 20;
/** How long a slot rests whose pictures could not be fetched: a bucket that is away need not be asked more often. */
const PICTURES_AWAY_MS = 3000;
/** When a message is tried again that could not be prepared: a picture the disk does not give, a bug of ours. */
const UNPREPARED_RETRY_MS = 60_000;
/** A clock that goes back by this much was set, not corrected bit by bit. */
const SET_BACK_MS = 5000;
const BRING_FORWARD_STEP = 1000;
/** How often it is looked whether an operator mended a paused endpoint, or wants it tried. */
const REFRESH_MS = 1000;
/** How often the store is asked for what a claim without an answer took: it may still carry it out after we gave it up. */
const TAKE_BACK_EVERY_MS = 15_000;
/** Unanswered in a row before an endpoint is paused. */
const PAUSE_THRESHOLD = 3;
const FIRST_PAUSE_MS = 1000;

export interface Sender {
  start(): Promise<void>;
  /** Something was queued in this process. */
  nudge(): void;
  /** An operator changed something by this process: pauses are looked at anew, too. */
  lookAgain(): void;
  /** Messages under way now. */
  inFlight(): number;
  /** Claims no more; what is under way may finish for `graceMs`, then is left for the next start. */
  stop(graceMs: number): Promise<void>;
}

export interface SenderDeps extends Omit<AttemptDeps, "images"> {
  store: Pick<QueueStore, "claim" | "takeBack" | "settle" | "nextDueAt" | "bringForward"> &
    Pick<OperatorStore, "listRouteStates" | "saveRouteState">;
  images: Pick<ImageStore, "read" | "erase">;
  sender: Config["sender"];
  mossos: Config["mossos"];
  owner: string;
  clock: Clock;
  log: Log;
  random(): number;
  /** Log every attempt's outcome. */
  soapDebug: boolean;
  /** Called at each turn of the loop: it still turns. */
  onTurn?(): void;
}

/** `unprepared`: it was not even tried, for a reason that no one foresaw. */
type DeliveryResult = AttemptResult | { kind: "unprepared"; error: string };

/** Claims what is due, delivers it with bounded concurrency per endpoint, and settles in groups. */
export function createSender(deps: SenderDeps): Sender {
  const { store, clock, log, sender: config } = deps;
  const routes = new RouteWatch({
    listRouteStates: () => store.listRouteStates(),
    saveRouteState: (state) => store.saveRouteState(state),
    pause: { threshold: PAUSE_THRESHOLD, firstMs: FIRST_PAUSE_MS, maxMs: config.pauseMaxMs },
    random: deps.random,
    log,
  });
  /** Slots taken on each route, and in all. */
  const onRoute = new Map<string, number>();
  let taken = 0;
  /** Answered, and what became of them not yet durable. */
  let settling = 0;
  /** Each delivery, and its message. */
  const underWay = new Map<Promise<void>, number>();
  const stopping = new AbortController();
  const aborting = new AbortController();
  const write = createSettlements({ store, clock, log, signal: aborting.signal });
  let loop: Promise<void> = Promise.resolve();
  let isAway = false;
  let wake = new AbortController();
  let peak = 0;
  let refill: ReturnType<typeof setTimeout> | undefined;
  let refreshedAt = Number.NEGATIVE_INFINITY;
  /** Until then the store may hold messages for us that we know nothing of: later their leases are over. */
  let strayUntil = Number.NEGATIVE_INFINITY;
  let takeBackAt = Number.NEGATIVE_INFINITY;
  /** How far the wall clock was ahead of the monotonic one at the last turn. */
  let aheadBefore = Number.NEGATIVE_INFINITY;
  /** The clock was set back, and the store does not know it yet. */
  let isSetBack = false;

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      deps.onTurn?.();
      let mayHaveMore = false;
      try {
        mayHaveMore = await fill();
        if (isAway) log.info("the store is back; messages are delivered again");
        isAway = false;
      } catch (error) {
        strayUntil = clock.monotonicMs() + config.stuckTimeoutMs;
        takeBackAt = clock.monotonicMs();
        if (!isStoreAway(error)) log.error("messages could not be claimed", { error: errorText(error) });
        else if (!isAway) log.warn("the store is away; messages wait until it is back", { error: errorText(error) });
        isAway = isStoreAway(error);
        await clock.sleep(REFRESH_MS, stopping.signal);
        continue;
      }
      if (!mayHaveMore) await rest();
    }
  }

  /** @returns whether there may be more to claim at once; whatever changes meanwhile wakes the rest that follows */
  async function fill(): Promise<boolean> {
    // Aborting before anything is read: whatever changes while this runs wakes the next round.
    wake = new AbortController();
    const now = clock.now();
    await noticeSetBack(now);
    if (clock.monotonicMs() - refreshedAt >= REFRESH_MS) {
      refreshedAt = clock.monotonicMs();
      await routes.refresh(now);
    }
    await takeBack(now);
    const { endpoints, routes: limited, probed } = routes.slots(onRoute, config.concurrency, now);
    const limit = Math.min(config.maxBatchSize, MAX_IN_FLIGHT - underWay.size);
    if (limit <= 0) return false;
    const claims = await store.claim(
      {
        owner: deps.owner,
        leaseMs: config.stuckTimeoutMs,
        defaultTimeoutMs: deps.mossos.timeoutMs,
        limit,
        slots: endpoints,
        slotsPerEndpoint: config.concurrency,
        probedEndpoints: probed,
        routeSlots: limited,
      },
      now,
    );
    for (const claim of claims) begin(claim);
    peak = taken;
    if (claims.length === limit) return true;
    const left = routes.slots(onRoute, config.concurrency, now).endpoints;
    return claims.some(({ route }) => (left.get(route.endpointId) ?? config.concurrency) > 0);
  }

  /** Instants of the time before would hold messages and endpoints for as long as the clock was set back. */
  async function noticeSetBack(now: Date): Promise<void> {
    const ahead = now.getTime() - clock.monotonicMs();
    if (aheadBefore - ahead > SET_BACK_MS) {
      isSetBack = true;
      routes.setBack(now);
      log.warn("the clock was set back; what was to wait for a later time is tried now", {
        seconds: Math.round((aheadBefore - ahead) / 1000),
      });
    }
    aheadBefore = ahead;
    if (!isSetBack) return;
    while ((await store.bringForward(now, BRING_FORWARD_STEP)) === BRING_FORWARD_STEP && !stopping.signal.aborted);
    isSetBack = false;
  }

  /** After a claim that failed: the store may have carried it out all the same. */
  async function takeBack(now: Date): Promise<void> {
    const monotonicMs = clock.monotonicMs();
    if (monotonicMs < takeBackAt || monotonicMs > strayUntil) return;
    const count = await store.takeBack(deps.owner, new Set(underWay.values()), now);
    takeBackAt = monotonicMs + TAKE_BACK_EVERY_MS;
    if (count > 0) log.warn("messages of a claim whose answer was lost are free again", { messages: count });
  }

  /** Until something is queued, a slot is free, a message falls due, a pause ends, or the poll interval is over. */
  async function rest(): Promise<void> {
    const now = clock.now();
    const instants = [await store.nextDueAt(now).catch(() => null), routes.nextWakeAt(now)];
    let wait = config.pollIntervalMs;
    for (const instant of instants) {
      if (instant !== null) wait = Math.min(wait, instant.getTime() - now.getTime());
    }
    await clock.sleep(wait, AbortSignal.any([wake.signal, stopping.signal]));
  }

  function begin(claim: Claim): void {
    const key = routeKey(claim.route);
    onRoute.set(key, (onRoute.get(key) ?? 0) + 1);
    taken += 1;
    let hasSlot = true;
    const leaveSlot = (): void => {
      if (!hasSlot) return;
      hasSlot = false;
      taken -= 1;
      const left = (onRoute.get(key) ?? 1) - 1;
      if (left === 0) onRoute.delete(key);
      else onRoute.set(key, left);
      slotFreed();
    };
    const done = deliver(claim, leaveSlot).finally(() => {
      leaveSlot();
      underWay.delete(done);
      if (underWay.size === MAX_IN_FLIGHT - 1) wake.abort();
    });
    underWay.set(done, claim.messageId);
  }

  /** A claim costs a commit, so slots are refilled by the half, or after a moment when some are slow. */
  function slotFreed(): void {
    if (taken * 2 <= peak) wake.abort();
    else
      refill ??= setTimeout(() => {
        refill = undefined;
        wake.abort();
      }, REFILL_WAIT_MS);
  }

  async function deliver(claim: Claim, leaveSlot: () => void): Promise<void> {
    let result: DeliveryResult;
    try {
      result = await attempt(claim, deps, aborting.signal);
    } catch (error) {
      // Our own fault, the disk's or the bucket's: the message waits, and the operator hears of it.
      const isAway = isStoreAway(error);
      const text = errorText(error);
      log[isAway ? "warn" : "error"]("message could not be prepared", {
        message: claim.messageId,
        camera: claim.camera.serial,
        error: text,
      });
      result = isAway ? { kind: "late" } : { kind: "unprepared", error: text };
      if (isAway) await clock.sleep(PICTURES_AWAY_MS, aborting.signal);
    }
    // The process must stop: what the far side made of it is not known, so the message is left as it is.
    if (aborting.signal.aborted) return;
    const settlement = await judge(claim, result);
    const settled: Settled = {
      claim,
      settlement,
      attempt:
        result.kind === "sent"
          ? { at: result.startedAt, outcome: result.outcome, durationMs: Math.round(result.durationMs) }
          : null,
    };
    // The next message need not wait for the disk. A disk that is slow, or refuses, holds up as many and no more: after a
    // power cut each of them is sent a second time.
    if (settling < config.concurrency) leaveSlot();
    settling += 1;
    const isKept = await write(settled).finally(() => {
      settling -= 1;
    });
    if (isKept) await conclude(claim, settlement);
  }

  async function judge(claim: Claim, result: DeliveryResult): Promise<Settlement> {
    switch (result.kind) {
      case "unprepared": {
        // Behind the others: one whose picture cannot be read must not be all that is ever claimed of its camera.
        const at = new Date(clock.now().getTime() + UNPREPARED_RETRY_MS);
        return { kind: "retry", at, spent: false, error: result.error };
      }
      case "lacking":
        return { kind: "dead", reason: result.reason, detail: result.detail, spent: false };
      case "late":
        return { kind: "release" };
      case "sent": {
        const now = clock.now();
        const { startedAt, durationMs, serverDate } = result;
        const works = routes.endpointWorks(claim.route.endpointId, claim.lastFailedAt);
        const outcome = inCompany(result.outcome, works);
        await routes.record(claim.route, outcome, { startedAt, now, durationMs, serverDate }).catch((error) => {
          log.warn("endpoint state could not be saved", { error: errorText(error) });
        });
        if (deps.soapDebug) {
          const detail = "detail" in outcome ? outcome.detail : outcome.returnCode;
          log.info("attempt", { message: claim.messageId, outcome: outcome.kind, detail, ms: Math.round(durationMs) });
        }
        return settle(outcome, claim.attempts, works, result.target, now, deps.random());
      }
    }
  }

  /** After the commit: pictures go after their rows, and what the operator should know is said. */
  async function conclude(claim: Claim, settlement: Settlement): Promise<void> {
    switch (settlement.kind) {
      case "delivered": {
        const paths = [claim.imageOcrPath, claim.imageCtxPath].filter((path) => path !== null);
        await deps.images.erase(paths).catch((error) => {
          log.warn("images of a delivered message could not be erased; the sweep will", {
            message: claim.messageId,
            error: errorText(error),
          });
        });
        return;
      }
      case "dead":
        log.error("message is DEAD", {
          message: claim.messageId,
          camera: claim.camera.serial,
          reason: settlement.reason,
          detail: settlement.detail,
        });
        return;
      case "retry":
      case "release":
        return;
    }
  }

  return {
    async start() {
      await routes.load(clock.now());
      loop = run();
    },
    nudge: () => wake.abort(),
    lookAgain: () => {
      refreshedAt = Number.NEGATIVE_INFINITY;
      wake.abort();
    },
    inFlight: () => underWay.size,
    async stop(graceMs) {
      stopping.abort();
      await loop;
      const patience = new AbortController();
      await Promise.race([Promise.all(underWay.keys()), clock.sleep(graceMs, patience.signal)]);
      patience.abort();
      clearTimeout(refill);
      aborting.abort();
      await Promise.all(underWay.keys());
      await routes.flush(clock.now()).catch(() => {});
    },
  };
}
