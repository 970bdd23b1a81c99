import { REASON } from "../message.ts";
import { countOf, formatBytes, formatDuration } from "./format.ts";
import type { StatusReport } from "./status-report.ts";

/** One thing that is not as it should be, in words, with the command that mends it. */
export interface Attention {
  /** down: readings are not taken in, or nothing is delivered by anybody. */
  level: "down" | "attention";
  text: string;
  mend: string;
}

const OLD_MS = 15 * 60_000;
const SILENT_MS = 24 * 3_600_000;
/** The police refuse what is 60 s in the future or 300 s old; half of the smaller is time to act. */
const CLOCK_MS = 30_000;
const CERTIFICATE_DAYS = 30;
const SHOWN = 3;

/** What the report says needs somebody, the worst first. Pure. */
export function findAttention(report: StatusReport): readonly Attention[] {
  const found = [
    ...services(report),
    ...disk(report),
    ...clock(report),
    ...endpoints(report),
    ...certificates(report),
    ...queue(report),
    ...cameras(report),
    ...quarantine(report),
  ];
  return [...found.filter((a) => a.level === "down"), ...found.filter((a) => a.level === "attention")];
}

function* services({ services, senderEnabled, at }: StatusReport): Generator<Attention> {
  const work = (task: string): string => (task === "ingest" ? "no reading is taken in" : "nothing is delivered");
  for (const task of ["ingest", "sender", "api"]) {
    const service = services.find((s) => s.task === task);
    if (service === undefined) {
      if (task === "ingest") yield down(`ingest is not running: ${work(task)}`, "systemctl start tattile");
      if (task === "sender" && senderEnabled)
        yield down(`sender is not running: ${work(task)}`, "systemctl start tattile");
    } else if (service.state === "dead") {
      const text = `${task} died (process ${service.pid} is gone)`;
      const mend = "systemctl restart tattile; journalctl -u tattile -n 50";
      yield task === "api" ? attention(text, mend) : down(`${text}: ${work(task)}`, mend);
    } else if (service.state === "stalled") {
      const silence = formatDuration(at.getTime() - service.renewedAt.getTime());
      yield attention(`${task} does not answer for ${silence}`, "journalctl -u tattile -n 50");
    }
  }
  if (!senderEnabled) yield attention("the sender is switched off", "set SENDER_ENABLED=true and restart");
}

function* disk({ disk }: StatusReport): Generator<Attention> {
  const { freeBytes, minFreeBytes } = disk;
  const free = `${formatBytes(freeBytes)} free`;
  const mend = "free some space below DATA_DIR, or lower DISK_MIN_FREE_BYTES";
  if (freeBytes < minFreeBytes) yield down(`the disk is full (${free}): the cameras must keep their readings`, mend);
  else if (freeBytes < 2 * minFreeBytes) yield attention(`the disk is nearly full (${free})`, mend);
}

function* clock({ clockOffsetMs }: StatusReport): Generator<Attention> {
  if (clockOffsetMs === null || Math.abs(clockOffsetMs) < CLOCK_MS) return;
  const direction = clockOffsetMs > 0 ? "behind" : "ahead of";
  const text = `this clock is ${formatDuration(Math.abs(clockOffsetMs))} ${direction} that of the police`;
  yield attention(text, "timedatectl set-ntp true");
}

function* endpoints({ endpoints }: StatusReport): Generator<Attention> {
  for (const { name, pauses } of endpoints) {
    for (const { certificateId, pauseKind, detail } of pauses) {
      const what = certificateId === 0 ? `endpoint ${name}` : `endpoint ${name} with certificate ${certificateId}`;
      const text = `${what} is paused, ${pauseKind ?? "unknown"}: ${detail ?? "no detail"}`;
      if (pauseKind !== "misconfigured") yield attention(text, "check the network; it is tried again by itself");
      else if (certificateId === 0) yield attention(text, `tattile endpoint set ${quoted(name)} --url URL`);
      else yield attention(text, "tattile cert import FILE.pfx --municipality NAME");
    }
  }
}

function* certificates({ certificates, municipalities, cameras }: StatusReport): Generator<Attention> {
  for (const { municipality, daysLeft } of certificates) {
    const mend = `tattile cert import FILE.pfx --municipality ${quoted(municipality)}`;
    if (daysLeft === null) continue;
    if (daysLeft < 0) yield attention(`the certificate of ${municipality} has run out`, mend);
    else if (daysLeft < CERTIFICATE_DAYS) {
      yield attention(`the certificate of ${municipality} runs out in ${countOf(daysLeft, "day")}`, mend);
    }
  }
  for (const { id, name, certificateId } of municipalities) {
    if (certificateId !== null || !cameras.some((c) => c.municipalityId === id)) continue;
    yield attention(
      `${name} has cameras but no certificate`,
      `tattile cert import FILE.pfx --municipality ${quoted(name)}`,
    );
  }
}

function* queue({ queue, at }: StatusReport): Generator<Attention> {
  for (const { reason, count } of queue.deadByReason.slice(0, SHOWN)) {
    yield attention(`${countOf(count, "reading")} given up: ${reason}`, mendReason(reason));
  }
  const hidden = queue.deadByReason.length - SHOWN;
  if (hidden > 0)
    yield attention(`readings given up for ${countOf(hidden, "other reason")}`, "tattile queue list --state DEAD");
  const waiting = [queue.oldestAt.PENDING, queue.oldestAt.FAILED].filter((received) => received !== null);
  const age = Math.max(0, ...waiting.map((received) => at.getTime() - received.getTime()));
  if (age > OLD_MS)
    yield attention(`the oldest waiting reading came ${formatDuration(age)} ago`, "tattile queue list --limit 5");
}

function mendReason(reason: string): string {
  if (reason === REASON.noEndpoint) return "tattile municipality set NAME --endpoint NAME";
  if (reason === REASON.noCertificate || reason === REASON.incompleteCertificate) {
    return "tattile cert import FILE.pfx --municipality NAME";
  }
  if (reason === REASON.attemptsExhausted) return `tattile queue retry --reason ${reason}`;
  return `tattile queue list --state DEAD --reason ${reason.split(/[:\s]/)[0]}`;
}

function* cameras({ cameras, at }: StatusReport): Generator<Attention> {
  const active = cameras.filter((c) => c.active);
  const silent = active.filter((c) => c.lastReadingAt !== null && at.getTime() - c.lastReadingAt.getTime() > SILENT_MS);
  const never = active.filter((c) => c.lastReadingAt === null);
  if (silent.length > 0) {
    yield attention(
      `no reading for a day from ${some(silent.map((c) => c.serial))}`,
      "check the camera and its network",
    );
  }
  if (never.length > 0) {
    const mend = "check serial, address and TRANSIT_PORT in the camera";
    yield attention(`never a reading from ${some(never.map((c) => c.serial))}`, mend);
  }
  if (cameras.length === 0) yield attention("no camera is registered", "tattile camera add --help");
}

function* quarantine({ quarantine }: StatusReport): Generator<Attention> {
  const { unregistered, malformed } = quarantine;
  const [first] = unregistered;
  if (first !== undefined) {
    const serials = some(unregistered.map((u) => u.serial));
    yield attention(
      `readings are held of unregistered ${serials}`,
      `tattile camera add ${first.serial} --reader CODE --municipality NAME`,
    );
  }
  if (malformed > 0) {
    yield attention(
      `${countOf(malformed, "message")} could not be understood`,
      "tattile quarantine list --kind malformed",
    );
  }
}

function some(serials: readonly string[]): string {
  const shown = serials.slice(0, SHOWN).join(", ");
  const noun = serials.length === 1 ? "camera" : "cameras";
  return `${noun} ${shown}${serials.length > SHOWN ? ` and ${serials.length - SHOWN} more` : ""}`;
}

/** As a shell takes it for one word. */
function quoted(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : `"${name.replace(/["\\$`]/g, "\\$&")}"`;
}

function down(text: string, mend: string): Attention {
  return { level: "down", text, mend };
}

function attention(text: string, mend: string): Attention {
  return { level: "attention", text, mend };
}
