import { quoted } from "./finding.ts";
import { countOf, formatBytes, formatDuration } from "./format.ts";
import { REASON } from "./message.ts";
import type { StatusReport } from "./status-report.ts";
import type { SpoolCounts } from "./store/transfer.ts";

/** What can need somebody; the dashboard has a sentence for each in its languages. */
export const ATTENTION_CODES = [
  "service-missing",
  "service-dead",
  "service-stalled",
  "sender-off",
  "balance-off",
  "disk-full",
  "disk-low",
  "clock-off",
  "endpoint-paused",
  "route-paused",
  "certificate-over",
  "certificate-ends",
  "certificate-missing",
  "certificate-refused",
  "dead",
  "dead-others",
  "waiting-old",
  "camera-silent",
  "camera-never",
  "camera-none",
  "held-unregistered",
  "held-malformed",
  "spool-waiting",
  "spool-held-back",
] as const;
export type AttentionCode = (typeof ATTENTION_CODES)[number];

/** One thing that is not as it should be, in words, with the command that mends it. */
export interface Attention {
  /** down: readings are not taken in, or nothing is delivered by anybody. */
  level: "down" | "attention";
  code: AttentionCode;
  /** What the sentence is made of, for who says it in other words. */
  facts: Readonly<Record<string, string | number | readonly string[]>>;
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
    ...balance(report),
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
      if (task === "ingest" || (task === "sender" && senderEnabled)) {
        yield down("service-missing", { task }, `${task} is not running: ${work(task)}`, "systemctl start tattile");
      }
    } else if (service.state === "dead") {
      const text = `${task} died (process ${service.pid} is gone)`;
      const mend = "systemctl restart tattile; journalctl -u tattile -n 50";
      if (task === "api") yield attention("service-dead", { task, pid: service.pid }, text, mend);
      else yield down("service-dead", { task, pid: service.pid }, `${text}: ${work(task)}`, mend);
    } else if (service.state === "stalled") {
      const silentMs = at.getTime() - service.renewedAt.getTime();
      const text = `${task} does not answer for ${formatDuration(silentMs)}`;
      yield attention("service-stalled", { task, silentMs }, text, "journalctl -u tattile -n 50");
    }
  }
  if (!senderEnabled) {
    yield attention("sender-off", {}, "the sender is switched off", "set SENDER_ENABLED=true and restart");
  }
}

function* balance({ balance: { difference } }: StatusReport): Generator<Attention> {
  if (difference === 0) return;
  const text = `balance: ${countOf(Math.abs(difference), "reading")} too ${difference > 0 ? "few" : "many"}`;
  yield down("balance-off", { difference }, text, "tattile status --json; keep the log and report it");
}

function* disk({ disk }: StatusReport): Generator<Attention> {
  const { freeBytes, minFreeBytes, folder } = disk;
  const free = `${formatBytes(freeBytes)} free`;
  const mend = `free some space on the disk of ${folder}, or lower DISK_MIN_FREE_BYTES`;
  if (freeBytes < minFreeBytes) {
    const text = `the disk is full (${free}): the cameras must keep their readings`;
    yield down("disk-full", { freeBytes, folder }, text, mend);
  } else if (freeBytes < 2 * minFreeBytes) {
    yield attention("disk-low", { freeBytes, folder }, `the disk is nearly full (${free})`, mend);
  }
}

function* clock({ clockOffsetMs }: StatusReport): Generator<Attention> {
  if (clockOffsetMs === null || Math.abs(clockOffsetMs) < CLOCK_MS) return;
  const direction = clockOffsetMs > 0 ? "behind" : "ahead of";
  const text = `this clock is ${formatDuration(Math.abs(clockOffsetMs))} ${direction} that of the police`;
  yield attention("clock-off", { offsetMs: clockOffsetMs }, text, "timedatectl set-ntp true");
}

function* endpoints({ endpoints }: StatusReport): Generator<Attention> {
  for (const { name, pauses } of endpoints) {
    for (const { certificateId, pauseKind, detail } of pauses) {
      const what = certificateId === 0 ? `endpoint ${name}` : `endpoint ${name} with certificate ${certificateId}`;
      const text = `${what} is paused, ${pauseKind ?? "unknown"}: ${detail ?? "no detail"}`;
      const code = certificateId === 0 ? "endpoint-paused" : "route-paused";
      const facts = { endpoint: name, certificateId, kind: pauseKind ?? "unknown", detail: detail ?? "" };
      if (pauseKind !== "misconfigured") {
        yield attention(code, facts, text, "check the network; it is tried again by itself");
      } else if (certificateId === 0) {
        yield attention(code, facts, text, `tattile endpoint set ${quoted(name)} --url URL`);
      } else yield attention(code, facts, text, "tattile cert import FILE.pfx --municipality NAME");
    }
  }
}

function* certificates({ certificates, municipalities, cameras }: StatusReport): Generator<Attention> {
  for (const { municipality, daysLeft, validTo, next } of certificates) {
    const mend = `tattile cert import FILE.pfx --municipality ${quoted(municipality)}`;
    if (next?.state === "failed") {
      const text = `the next certificate of ${municipality} was refused, the earlier one signs again: ${next.detail ?? "no detail"}`;
      const again = `tattile cert rotate FILE.pfx --municipality ${quoted(municipality)}`;
      yield attention("certificate-refused", { municipality, detail: next.detail ?? "" }, text, again);
    }
    if (daysLeft === null) continue;
    // The next one is staged and valid before this one is over: nobody has to do anything.
    const isFollowed =
      next?.state === "staged" && validTo !== null && next.validFrom !== null && next.validFrom <= validTo;
    if (isFollowed && daysLeft >= 0) continue;
    if (daysLeft < 0) {
      yield attention("certificate-over", { municipality }, `the certificate of ${municipality} has run out`, mend);
    } else if (daysLeft < CERTIFICATE_DAYS) {
      const text = `the certificate of ${municipality} runs out in ${countOf(daysLeft, "day")}`;
      yield attention("certificate-ends", { municipality, daysLeft }, text, mend);
    }
  }
  for (const { id, name, certificateId } of municipalities) {
    if (certificateId !== null || !cameras.some((c) => c.municipalityId === id)) continue;
    yield attention(
      "certificate-missing",
      { municipality: name },
      `${name} has cameras but no certificate`,
      `tattile cert import FILE.pfx --municipality ${quoted(name)}`,
    );
  }
}

function* queue({ queue, at }: StatusReport): Generator<Attention> {
  for (const { reason, count } of queue.deadByReason.slice(0, SHOWN)) {
    yield attention("dead", { reason, count }, `${countOf(count, "reading")} given up: ${reason}`, mendReason(reason));
  }
  const hidden = queue.deadByReason.length - SHOWN;
  if (hidden > 0) {
    const text = `readings given up for ${countOf(hidden, "other reason")}`;
    yield attention("dead-others", { reasons: hidden }, text, "tattile queue list --state DEAD");
  }
  const waiting = [queue.oldestAt.PENDING, queue.oldestAt.FAILED].filter((received) => received !== null);
  const age = Math.max(0, ...waiting.map((received) => at.getTime() - received.getTime()));
  if (age > OLD_MS) {
    const text = `the oldest waiting reading came ${formatDuration(age)} ago`;
    yield attention("waiting-old", { ageMs: age }, text, "tattile queue list --limit 5");
  }
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
    const serials = silent.map((c) => c.serial);
    const text = `no reading for a day from ${some(serials)}`;
    yield attention("camera-silent", { serials }, text, "check the camera and its network");
  }
  if (never.length > 0) {
    const mend = "check serial, address and TRANSIT_PORT in the camera";
    const serials = never.map((c) => c.serial);
    yield attention("camera-never", { serials }, `never a reading from ${some(serials)}`, mend);
  }
  if (cameras.length === 0) yield attention("camera-none", {}, "no camera is registered", "tattile camera add --help");
}

function* quarantine({ quarantine }: StatusReport): Generator<Attention> {
  const { unregistered, malformed } = quarantine;
  const [first] = unregistered;
  if (first !== undefined) {
    const serials = unregistered.map((u) => u.serial);
    yield attention(
      "held-unregistered",
      { serials },
      `readings are held of unregistered ${some(serials)}`,
      `tattile camera add ${first.serial} --reader CODE --municipality NAME`,
    );
  }
  if (malformed > 0) {
    yield attention(
      "held-malformed",
      { messages: malformed },
      `${countOf(malformed, "message")} could not be understood`,
      "tattile quarantine list --kind malformed",
    );
  }
}

/** What waits on this machine for a store or a bucket elsewhere; null: nothing can. Pure. */
export function findSpoolAttention(spool: SpoolCounts | null): readonly Attention[] {
  if (spool === null) return [];
  const found: Attention[] = [];
  const waiting = spool.waiting + spool.heldMessages;
  if (waiting > 0) {
    const text = `${countOf(waiting, "reading")} wait in the spool of this machine for the store or the bucket`;
    const mend = "it moves by itself while a service runs; look at PostgreSQL, the bucket and tattile logs";
    found.push(attention("spool-waiting", { readings: waiting }, text, mend));
  }
  if (spool.heldBack > 0) {
    const whose = "are of cameras that are not registered any more, or off";
    const text = `${countOf(spool.heldBack, "reading")} in the spool ${whose}`;
    const mend = "tattile camera add SERIAL …, or leave them: they go after SENDER_DEAD_RETENTION_MINUTES";
    found.push(attention("spool-held-back", { readings: spool.heldBack }, text, mend));
  }
  return found;
}

function some(serials: readonly string[]): string {
  const shown = serials.slice(0, SHOWN).join(", ");
  const noun = serials.length === 1 ? "camera" : "cameras";
  return `${noun} ${shown}${serials.length > SHOWN ? ` and ${serials.length - SHOWN} more` : ""}`;
}

function down(code: AttentionCode, facts: Attention["facts"], text: string, mend: string): Attention {
  return { level: "down", code, facts, text, mend };
}

function attention(code: AttentionCode, facts: Attention["facts"], text: string, mend: string): Attention {
  return { level: "attention", code, facts, text, mend };
}
