import { bad, type Finding, good, quoted, warning } from "./finding.ts";
import type { CameraHour } from "./store/activity.ts";
import type { QueuedMessage } from "./store/messages.ts";
import type { Camera, Endpoint, Municipality } from "./store/registry.ts";

const SILENT_MS = 24 * 3_600_000;
/** Less than this may be the way through network and queue. */
const DRIFT_MS = 20_000;
/** So many readings, all late or early by the same, are a clock and no replay. */
const FEWEST = 3;
const SAME_MS = 15_000;
/** Of many cameras with one trouble the first are named. */
const NAMED = 5;

/** Cameras that are not heard, and that were never. */
export function judgeSilence(cameras: readonly Camera[], now: Date): readonly Finding[] {
  const active = cameras.filter(({ active }) => active);
  if (active.length === 0) {
    return [warning("cameras", "no camera is registered and switched on", "tattile camera add --help")];
  }
  const never = active.filter(({ lastReadingAt }) => lastReadingAt === null);
  const silent = active.filter(
    (c) => c.lastReadingAt !== null && now.getTime() - c.lastReadingAt.getTime() > SILENT_MS,
  );
  const findings: Finding[] = [];
  if (never.length > 0) {
    const cure = "check serial, address and port in the camera, and TRANSIT_ALLOW; tattile listen shows what comes";
    findings.push(warning("cameras", `never heard: ${some(never)}`, cure));
  }
  if (silent.length > 0) {
    findings.push(warning("cameras", `silent for a day: ${some(silent)}`, "check the camera's power and network"));
  }
  if (findings.length === 0) findings.push(good("cameras", `all ${active.length} were heard within a day`));
  return findings;
}

function some(cameras: readonly Camera[]): string {
  const more = cameras.length > NAMED ? ` and ${cameras.length - NAMED} more` : "";
  return `${cameras
    .slice(0, NAMED)
    .map(({ serial }) => serial)
    .join(", ")}${more}`;
}

/** By how much a camera's clock is off, from its waiting readings; null: not to be told. Positive: it is ahead. */
export function estimateDrift(
  messages: readonly Pick<QueuedMessage, "capturedAt" | "receivedAt" | "timeSource">[],
): number | null {
  const differences = messages
    .filter(({ timeSource }) => timeSource === "camera")
    .map(({ capturedAt, receivedAt }) => capturedAt.getTime() - receivedAt.getTime())
    .toSorted((a, b) => a - b);
  const [least, most] = [differences[0], differences.at(-1)];
  if (least === undefined || most === undefined || differences.length < FEWEST) return null;
  // A reading cannot be taken after it came: one that is dated so shows the clock, whatever was replayed beside it.
  if (most > 0) return most;
  return most - least <= SAME_MS ? most : null;
}

/** Of a camera so many of its newest hours with readings count: a clock that was set right is right from then on. */
const HOURS = 2;

/** The same by what was counted of its hours, also where everything is delivered. The oldest hour stands first. */
export function estimateHourlyDrift(hours: readonly Pick<CameraHour, "leastDelayMs">[]): number | null {
  const delays = hours.flatMap(({ leastDelayMs }) => (leastDelayMs === null ? [] : [leastDelayMs])).slice(-HOURS);
  if (delays.length === 0) return null;
  const [least, most] = [Math.min(...delays), Math.max(...delays)];
  // A single hour of late readings may be a replay; two that are late by the same are a clock.
  if (least < DRIFT_MS || (delays.length === HOURS && most - least <= SAME_MS)) return -least;
  return null;
}

/** Cameras whose clock is off, of those whose drift is known. */
export function judgeDrift(drifts: readonly { serial: string; driftMs: number | null }[]): readonly Finding[] {
  const known = drifts.filter((d): d is { serial: string; driftMs: number } => d.driftMs !== null);
  const off = known.filter(({ driftMs }) => Math.abs(driftMs) >= DRIFT_MS);
  if (known.length === 0)
    return [good("clocks of cameras", "no readings of a day to tell by; tattile listen shows them live")];
  if (off.length === 0)
    return [
      good(
        "clocks of cameras",
        `right in the readings of ${known.length === 1 ? "the one that was heard" : `${known.length} that were heard`}`,
      ),
    ];
  const text = off
    .slice(0, NAMED)
    .map(
      ({ serial, driftMs }) =>
        `${serial} ${Math.round(Math.abs(driftMs) / 1000)} s ${driftMs > 0 ? "ahead" : "behind"}`,
    )
    .join(", ");
  const more = off.length > NAMED ? ` and ${off.length - NAMED} more` : "";
  const cure = "set NTP in the camera, and its zone to CAMERA_TIMEZONE (a whole hour off is a zone)";
  return [warning("clocks of cameras", `${text}${more}`, cure)];
}

/** What no waiting mends: municipalities that nobody signs for, readings that have nowhere to go. */
export function judgeRegistrations(
  registered: {
    cameras: readonly Camera[];
    municipalities: readonly Municipality[];
    endpoints: readonly Endpoint[];
  },
  defaultUrl: string | null,
): readonly Finding[] {
  const findings: Finding[] = [];
  for (const { id, name, certificateId, endpointId } of registered.municipalities) {
    const own = registered.cameras.filter((camera) => camera.active && camera.municipalityId === id);
    if (own.length === 0) continue;
    const check = `municipality ${name}`;
    if (certificateId === null) {
      findings.push(
        bad(
          check,
          "has no certificate: nothing is sent",
          `tattile cert import FILE.pfx --municipality ${quoted(name)}`,
        ),
      );
    }
    const lost = own.filter((camera) => (camera.endpointId ?? endpointId) === null);
    if (lost.length > 0 && defaultUrl === null) {
      const text = `its readings have no endpoint (${some(lost)})`;
      findings.push(bad(check, text, `tattile municipality set ${quoted(name)} --endpoint NAME`));
    }
    if (!findings.some((f) => f.check === check)) findings.push(good(check, "has its certificate and its endpoint"));
  }
  return findings;
}
