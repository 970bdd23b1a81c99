import type { NewReading } from "./store.ts";

/**
 * Where everything is that was ever received: received = delivered + expired + discarded + waiting + dead. `difference`
 * is what is missing (or too much), and must be 0: anything else is a reading lost, or counted twice.
 */
export interface Balance {
  /** Readings that came into the queue, each once. */
  received: number;
  /** Erased after the police took them. */
  delivered: number;
  /** Erased because they were DEAD for too long. */
  expired: number;
  /** Erased by an operator. */
  discarded: number;
  /** PENDING, SENDING and FAILED. */
  waiting: number;
  dead: number;
  difference: number;
}

/** What came in and went out within the minute that begins at `at`. */
export interface MinuteCount {
  at: Date;
  received: number;
  delivered: number;
}

/** What one camera sent within the hour that begins at `at`. */
export interface CameraHour {
  cameraSerial: string;
  at: Date;
  received: number;
  /**
   * The shortest time from taking to receipt among them: what the camera's clock is off by, less than 0 when it is fast. What
   * a camera sends later than at once does not matter to it. Null when none had a time of the camera's own.
   */
  leastDelayMs: number | null;
}

/** Time from taking to receipt, where the camera's own clock says when it was taken. */
export function clockDelayMs(reading: Pick<NewReading, "timeSource" | "capturedAt" | "receivedAt">): number | null {
  return reading.timeSource === "camera" ? reading.receivedAt.getTime() - reading.capturedAt.getTime() : null;
}

/** How long minutes and hours are kept: a week to look at, and the day that is going on. */
export const ACTIVITY_DAYS = 8;

/** Upper bounds of the histograms, in seconds; what is longer counts as Infinity. */
export const ANSWER_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, Number.POSITIVE_INFINITY] as const;
export const DELIVERY_SECONDS = [
  1,
  2,
  5,
  10,
  30,
  60,
  300,
  900,
  3600,
  21_600,
  86_400,
  Number.POSITIVE_INFINITY,
] as const;

/**
 * One lasting number about an endpoint (0: the configured default). `attempt`: attempts of the outcome `label`. `answer`,
 * `delivery`: how many took at most `label` seconds and more than the bound before, from the POST to its answer, and from
 * the receipt of a reading to its delivery; `answer-sum` and `delivery-sum`: the seconds of all of them.
 */
export interface DeliveryCount {
  endpointId: number;
  kind: "attempt" | "answer" | "answer-sum" | "delivery" | "delivery-sum";
  label: string;
  count: number;
}

/** The first bound that is not below `seconds`, as a label. */
export function bucketOf(seconds: number, bounds: readonly number[]): string {
  return String(bounds.find((bound) => seconds <= bound) ?? Number.POSITIVE_INFINITY);
}

/** Lasting counts of how things went; written in the transactions of what they count. No plate is in any of them. */
export interface Activity {
  /** All parts as they stood at one moment. */
  balance(): Promise<Balance>;
  /** Minutes from `since` on in which something happened, the oldest first. */
  listMinutes(since: Date): Promise<readonly MinuteCount[]>;
  /** Hours from `since` on in which a camera sent something, the oldest first. */
  listCameraHours(since: Date): Promise<readonly CameraHour[]>;
  listDeliveryCounts(): Promise<readonly DeliveryCount[]>;
}
