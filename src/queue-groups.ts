import type { MessageStatus } from "./message.ts";
import type { QueueCount } from "./store/holdings.ts";
import type { Camera, Municipality } from "./store/registry.ts";

export const QUEUE_STATES = ["PENDING", "SENDING", "FAILED", "DEAD"] as const satisfies readonly MessageStatus[];
type State = (typeof QUEUE_STATES)[number];

/** One line of the summary: what waits under one name. */
export interface QueueGroup {
  name: string;
  counts: Readonly<Record<State, number>>;
  total: number;
  /** Receipt of the oldest that waits. */
  oldestAt: Date | null;
  lastReadingAt: Date | null;
  lastSentAt: Date | null;
}

/** Adds up the counts by camera, municipality or state; cameras and municipalities without messages stand there too. Pure. */
export function groupQueue(
  by: "camera" | "municipality",
  counts: readonly QueueCount[],
  cameras: readonly Camera[],
  municipalities: readonly Municipality[],
): readonly QueueGroup[] {
  const groups = by === "camera" ? cameras : municipalities;
  return groups.map((item) => {
    const own = cameras.filter((c) => (by === "camera" ? c.id : c.municipalityId) === item.id);
    const found = counts.filter(({ cameraId }) => own.some(({ id }) => id === cameraId));
    const countOfState = (state: State): number =>
      found.filter(({ status }) => status === state).reduce((sum, { count }) => sum + count, 0);
    return {
      name: "serial" in item ? item.serial : item.name,
      counts: Object.fromEntries(QUEUE_STATES.map((state) => [state, countOfState(state)])) as Record<State, number>,
      total: found.reduce((sum, { count }) => sum + count, 0),
      oldestAt: earliest(found.map(({ oldestAt }) => oldestAt)),
      lastReadingAt: latest(own.map((c) => c.lastReadingAt)),
      lastSentAt: latest(own.map((c) => c.lastSentAt)),
    };
  });
}

function earliest(instants: readonly Date[]): Date | null {
  return instants.reduce<Date | null>((best, at) => (best === null || at < best ? at : best), null);
}

function latest(instants: readonly (Date | null)[]): Date | null {
  return instants.reduce<Date | null>((best, at) => (at !== null && (best === null || at > best) ? at : best), null);
}
