import { formatBytes, formatDuration } from "./format.ts";
import type { Beat } from "./heartbeat.ts";
import type { StatusReport } from "./status-report.ts";

/** One thing that must be so; `reason` says why it is not. */
export interface Check {
  name: string;
  ok: boolean;
  reason: string | null;
}

/** The police refuse what is signed 60 s in the future or 300 s ago. */
const CLOCK_AHEAD_MS = 60_000;
const CLOCK_BEHIND_MS = 300_000;

/** Whether every loop of this process turns. */
export function checkLoops(beats: readonly Beat[]): readonly Check[] {
  return beats.map(({ loop, silentMs, allowedMs }) =>
    check(`loop ${loop}`, silentMs <= allowedMs ? null : `it did not turn for ${formatDuration(silentMs)}`),
  );
}

/**
 * Whether readings can be taken in and delivered. `storeProblem`: what the store said when something was written, or null.
 * `report` is null when it could not even be read.
 */
export function checkReadiness(storeProblem: string | null, report: StatusReport | null): readonly Check[] {
  const checks = [check("store", storeProblem)];
  if (report === null) return checks;
  const { disk, clockOffsetMs, certificates } = report;
  const isFull = disk.freeBytes < disk.minFreeBytes;
  const over = certificates.filter(({ daysLeft }) => daysLeft !== null && daysLeft < 0);
  return [
    ...checks,
    check(
      "disk",
      isFull ? `${formatBytes(disk.freeBytes)} free, DISK_MIN_FREE_BYTES is ${formatBytes(disk.minFreeBytes)}` : null,
    ),
    check("clock", clockProblem(clockOffsetMs)),
    check(
      "certificates",
      over.length === 0 ? null : `run out: ${over.map(({ municipality }) => municipality).join(", ")}`,
    ),
  ];
}

/** The offset is the police's clock minus ours: negative when ours is ahead. */
function clockProblem(offsetMs: number | null): string | null {
  if (offsetMs === null) return null;
  if (offsetMs < -CLOCK_AHEAD_MS) return `${formatDuration(-offsetMs)} ahead of the police`;
  return offsetMs > CLOCK_BEHIND_MS ? `${formatDuration(offsetMs)} behind the police` : null;
}

function check(name: string, reason: string | null): Check {
  return { name, ok: reason === null, reason };
}
