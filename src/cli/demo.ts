import { systemClock } from "../clock.ts";
import type { DemoProgress, DemoReport } from "../demo.ts";
import { countOf } from "../format.ts";
import { defineTattileCommand } from "./command.ts";
import type { Output } from "./output.ts";
import { JSON_ARG } from "./registry-output.ts";
import { parseWhole } from "./values.ts";

export const demoCommand = defineTattileCommand({
  name: "demo",
  summary: "show the whole way with simulated cameras and police, in a temporary folder",
  notes: [
    "In the middle the service is killed (kill -9) and the police go away for three seconds.",
    "At the end every reading is compared with what the police got, and every file is searched for plates and pictures.",
  ],
  examples: ["tattile demo", "tattile demo --cameras 5 --readings 50 --calm"],
  args: {
    cameras: { kind: "value", hint: "N", about: "cameras (default 20)" },
    readings: { kind: "value", hint: "N", about: "readings in all (default 200)" },
    rate: { kind: "value", hint: "N", about: "readings a second (default 20)" },
    calm: { kind: "switch", about: "nothing is killed and nobody goes away" },
    keep: { kind: "switch", about: "leave the folder behind" },
    ...JSON_ARG,
  },
  async run(args, { out }) {
    const { runDemo } = await import("../demo.ts");
    const stopping = new AbortController();
    const stop = (): void => stopping.abort();
    process.once("SIGINT", stop);
    process.once("SIGTERM", stop);
    const show = createShow(out, args.json);
    const report = await runDemo({
      cameras: args.cameras === undefined ? 20 : parseWhole("--cameras", args.cameras, 1, 200),
      readings: args.readings === undefined ? 200 : parseWhole("--readings", args.readings, 1, 100_000),
      ratePerSecond: args.rate === undefined ? 20 : parseWhole("--rate", args.rate, 1, 1000),
      stormy: !args.calm,
      keep: args.keep,
      clock: systemClock,
      signal: stopping.signal,
      tell: (text) => (args.json ? out.note(text) : out.line(text)),
      show,
    });
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
    if (args.json) out.json(summarize(report));
    else printReport(report, out);
    return isGood(report) ? 0 : 1;
  },
});

/** One line that renews itself on a terminal; elsewhere a line a second. */
function createShow(out: Output, quiet: boolean): (progress: DemoProgress) => void {
  let printedAt = Number.NEGATIVE_INFINITY;
  return ({ sent, durable, delivered, erased }) => {
    const pad = (value: number): string => String(value).padStart(5);
    const text = `sent ${pad(sent)}   durable ${pad(durable)}   delivered ${pad(delivered)}   erased ${pad(erased)}`;
    out.progress(text);
    const now = systemClock.monotonicMs();
    if (out.interactive || quiet || now - printedAt < 1000) return;
    printedAt = now;
    out.line(text);
  };
}

function summarize({ comparison, ...rest }: DemoReport) {
  const { missing, invented, differing, ...counts } = comparison;
  return { ...counts, lost: missing.length, invented: invented.length, differing: differing.length, ...rest };
}

function isGood({ comparison, traces, erased }: DemoReport): boolean {
  const { missing, invented, differing, sent } = comparison;
  return missing.length + invented.length + differing.length + traces.length === 0 && erased === sent;
}

function printReport(report: DemoReport, out: Output): void {
  const { comparison, erased, filesSearched, replays, traces, folder } = report;
  const { sent, delivered, duplicates, missing, invented, differing } = comparison;
  const bad = (count: number): string => out.paint(count === 0 ? "good" : "bad", `${count}`);
  out.line();
  out.line(out.paint("bold", "The balance"));
  out.facts([
    ["sent", `${sent}${replays === 0 ? "" : `, and ${countOf(replays, "replay")} from SD cards, recognised as such`}`],
    ["delivered", `${delivered}, each compared bit for bit with what was sent`],
    ["erased", `${erased}`],
    ["twice", `${duplicates} (the answer was lost on the way: sent again rather than lost)`],
    ["altered", bad(differing.length)],
    ["invented", bad(invented.length)],
    ["lost", bad(missing.length)],
    [
      "left",
      traces.length === 0
        ? `no plate, no picture in ${countOf(filesSearched, "file")}`
        : countOf(traces.length, "trace"),
    ],
  ]);
  for (const { file, kind } of traces.slice(0, 10)) out.line(`  ${kind} in ${file}`);
  if (folder !== null) out.line(`The folder is still there: ${folder}`);
  out.line(isGood(report) ? out.paint("good", "Nothing was lost.") : out.paint("bad", "This is not as it should be."));
}
