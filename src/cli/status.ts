import { type Attention, findAttention, findSpoolAttention } from "../attention.ts";
import type { Config } from "../config.ts";
import { AppError, errorText, isStoreAway } from "../errors.ts";
import { countOf, formatAge, formatBytes } from "../format.ts";
import { type EndpointStatus, gatherStatus, type StatusReport } from "../status-report.ts";
import type { SpoolCounts } from "../store/transfer.ts";
import { sayAttention } from "./attention-said.ts";
import { defineTattileCommand } from "./command.ts";
import { wrap } from "./help.ts";
import { cut, type Output } from "./output.ts";
import { JSON_ARG } from "./registry-output.ts";

const WORDS = ["fine", "attention", "down"] as const;
/** One screen: of many cameras, endpoints or troubles only the first are listed. */
const LIST = 6;

export const statusCommand = defineTattileCommand({
  name: "status",
  summary: "show on one screen how everything is, and what to mend",
  notes: ["Exit code: 0 all is fine, 1 something needs attention, 2 readings are not taken in or not delivered."],
  examples: ["tattile status", "tattile status --json"],
  args: JSON_ARG,
  async run(args, context) {
    const { out } = context;
    const config = await context.config();
    const spool = await lookIntoSpool(config);
    let report: StatusReport;
    let storeMs: number;
    try {
      const store = await context.store();
      const askedAtMs = performance.now();
      await store.check();
      storeMs = Math.round(performance.now() - askedAtMs);
      report = await gatherStatus(store, config, context.now());
    } catch (error) {
      if (args.json) out.json({ status: "down", error: errorText(error), spool });
      out.complaint(out.aside("Error:"), errorText(error));
      if (isStoreAway(error) && spool !== null) {
        const waiting = countOf(spool.waiting + spool.heldMessages, "reading");
        out.note(`Readings are taken in meanwhile: ${waiting} in the spool of this machine.`);
      }
      if (error instanceof AppError && error.hint !== undefined) out.complaint(out.aside("Try:"), error.hint);
      return 2;
    }
    const attention = [...findAttention(report), ...findSpoolAttention(spool)];
    const code = attention.some((a) => a.level === "down") ? 2 : attention.length > 0 ? 1 : 0;
    if (args.json) out.json({ status: WORDS[code], attention, ...report, storeMs, spool });
    else printStatus(report, await sayAttention(attention, out.interactive ? out.language : "en"), out, storeMs);
    return code;
  },
});

/** What waits here for a store on another machine; null where nothing can. */
async function lookIntoSpool(config: Config): Promise<SpoolCounts | null> {
  if (config.database === null && config.imagesUrl === null) return null;
  const [{ peekSpool }, { spoolPath }] = await Promise.all([
    import("../store/spool-file.ts"),
    import("../store/spool-open.ts"),
  ]);
  return peekSpool(spoolPath(config.dataDir));
}

function printStatus(
  report: StatusReport,
  attention: readonly Pick<Attention, "level" | "text" | "mend">[],
  out: Output,
  storeMs: number,
): void {
  const { queue, disk, at } = report;
  const print = (name: string, text: string): void =>
    out.line(cut(`${out.words(name).padEnd(13)}${out.words(text)}`, out.width));
  const services = report.services.map((s) => `${s.task} ${out.words(s.state)}`).join(", ");
  print("services", services || "none running");
  const { kind, version, schemaVersion, location } = report.store;
  print("store", `${kind} ${version}, schema ${schemaVersion}, answers in ${storeMs} ms: ${location}`);
  const { PENDING, SENDING, FAILED, DEAD } = queue.byStatus;
  print("queue", `${PENDING} pending, ${SENDING} being sent, ${FAILED} to be tried again, ${DEAD} given up`);
  const { received, delivered, expired, discarded, difference } = report.balance;
  const gone = `${delivered} delivered, ${expired} expired, ${discarded} discarded`;
  print(
    "balance",
    `${received} received, ${gone}: ${difference === 0 ? "nothing is missing" : `${difference} missing`}`,
  );
  const ages = (["PENDING", "FAILED", "DEAD"] as const)
    .filter((status) => queue.oldestAt[status] !== null)
    .map((status) => out.words(`${status.toLowerCase()} ${formatAge(queue.oldestAt[status], at)}`));
  print("oldest", ages.join(", ") || "nothing waits");
  printCameras(report, print);
  report.endpoints.slice(0, LIST).forEach((e, i) => {
    print(
      i === 0 ? "endpoints" : "",
      `${e.name}: ${endpointState(e)}, last accepted ${formatAge(e.lastAcceptedAt, at)}`,
    );
  });
  if (report.endpoints.length === 0) print("endpoints", "none");
  const { certificates } = report;
  certificates
    .toSorted((a, b) => (a.daysLeft ?? 0) - (b.daysLeft ?? 0))
    .slice(0, LIST)
    .forEach((c, i) => {
      const left =
        c.daysLeft === null ? "no end known" : c.daysLeft < 0 ? "run out" : `${countOf(c.daysLeft, "day")} left`;
      print(i === 0 ? "certificates" : "", `${c.municipality}: ${left}`);
    });
  if (certificates.length === 0) print("certificates", "none");
  print("disk", `${formatBytes(disk.freeBytes)} free of ${formatBytes(disk.totalBytes)}`);
  print("clock", clockText(report.clockOffsetMs));
  out.line();
  if (attention.length === 0) {
    out.line(out.paint("good", out.words("All is fine.")));
    return;
  }
  for (const { level, text, mend } of attention.slice(0, LIST + 2)) {
    const mark = level === "down" ? out.paint("bad", out.words("DOWN")) : out.paint("warn", out.words("ATTENTION"));
    // Whole where another program reads it; a command can always be copied in one piece.
    const [first = "", ...more] = out.interactive ? wrap(text, out.width - 10) : [text];
    out.line([`${mark} ${first}`, ...more.map((line) => `  ${line}`)].join("\n"));
    out.line(`  ${out.words("mend")}: ${mend}`);
  }
  const hidden = attention.length - LIST - 2;
  if (hidden > 0) out.line(`and ${hidden} more: tattile status --json`);
}

function printCameras({ cameras, at }: StatusReport, print: (name: string, text: string) => void): void {
  if (cameras.length === 0) print("cameras", "none");
  if (cameras.length > LIST) {
    const recent = cameras.filter(
      (c) => c.lastReadingAt !== null && at.getTime() - c.lastReadingAt.getTime() < 3_600_000,
    );
    const newest = (key: "lastReadingAt" | "lastSentAt"): string => {
      const times = cameras.map((c) => c[key]?.getTime() ?? 0);
      const latest = Math.max(...times);
      return formatAge(latest === 0 ? null : new Date(latest), at);
    };
    print("cameras", `${cameras.length}, of which ${recent.length} read something within an hour`);
    print("", `last reading ${newest("lastReadingAt")}, last sent ${newest("lastSentAt")}`);
    return;
  }
  cameras.forEach((c, i) => {
    const off = c.active ? "" : ", off";
    const text = `${c.serial}: read ${formatAge(c.lastReadingAt, at)}, sent ${formatAge(c.lastSentAt, at)}${off}`;
    print(i === 0 ? "cameras" : "", text);
  });
}

function endpointState({ pauses, latencyMs }: EndpointStatus): string {
  const whole = pauses.find((p) => p.certificateId === 0);
  if (whole !== undefined) return `paused (${whole.pauseKind})`;
  if (pauses.length > 0) return `paused for ${countOf(pauses.length, "certificate")}`;
  return latencyMs === null ? "open" : `open, answers in ${Math.round(latencyMs)} ms`;
}

function clockText(offsetMs: number | null): string {
  if (offsetMs === null) return "not compared yet";
  return `${Math.abs(offsetMs / 1000).toFixed(1)} s ${offsetMs > 0 ? "behind" : "ahead of"} the police`;
}
