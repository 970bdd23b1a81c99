import { formatInstant } from "../format.ts";
import { defineGroup, defineTattileCommand } from "./command.ts";
import { wrap } from "./help.ts";
import { JSON_ARG } from "./registry-output.ts";
import { parseAfter, parseIds, parseSince, parseWhole } from "./values.ts";

const list = defineTattileCommand({
  name: "audit list",
  summary: "list who looked at plates, erased, sent again or changed certificates",
  notes: [
    "An entry is written before the deed; one that did not come about has a second entry that says so. Plates never stand in it.",
  ],
  examples: [
    "tattile audit list",
    "tattile audit list --who jordi --what plates --since 7d",
    "tattile audit list --message 1234 --json",
  ],
  args: {
    since: { kind: "value", hint: "WHEN", about: "not older: 45min, 12h, 7d, or 2026-01-23 [10:30]" },
    who: { kind: "value", hint: "TEXT", about: "by whom: this is in it, as jordi, cli or dashboard" },
    what: { kind: "value", hint: "TEXT", about: "what was done: this is in it, as wipe, certificate or plates" },
    message: { kind: "value", hint: "ID", about: "about this message" },
    limit: { kind: "value", hint: "N", about: "the newest of this number (default 50)" },
    before: { kind: "value", hint: "ID", about: "only what was written before this entry (ids are in --json)" },
    ...JSON_ARG,
  },
  async run(args, context) {
    const { out } = context;
    const zone = (await context.config()).cameraTimezone;
    const limit = args.limit === undefined ? 50 : parseWhole("--limit", args.limit, 1, 1_000_000);
    const since = args.since === undefined ? undefined : parseSince(args.since, context.now(), zone);
    const found = await (await context.store()).listAudit({
      since,
      before: parseAfter(args.before, "--before"),
      who: args.who,
      what: args.what,
      messageId: args.message === undefined ? undefined : parseIds([args.message])[0],
      limit: limit + 1,
    });
    const entries = found.slice(-limit);
    if (args.json) return out.json(entries);
    if (entries.length === 0) return out.line("No entry.");
    const columns = [
      { title: "WHEN", whole: true },
      { title: "WHO" },
      { title: "WHAT", whole: true },
      { title: "MESSAGE", align: "right", whole: true },
    ] as const;
    const rows = entries.map((e) => [
      formatInstant(e.at, zone),
      e.who,
      e.what,
      e.messageId === null ? "-" : `${e.messageId}`,
    ]);
    const [titles = "", ...lines] = out.layTable(columns, rows).split("\n");
    out.line(titles);
    // Whole, below its entry: a detail that is cut is the one that is asked for.
    for (const [index, line] of lines.entries()) {
      const detail = inPieces(entries[index]?.detail ?? "", out.width - 2);
      out.line([line, ...wrap(detail, out.width - 2).map((text) => `  ${text}`)].join("\n"));
    }
    if (found.length > limit) out.note(`More than ${limit}; see earlier ones with --before ${entries[0]?.id}`);
  },
});

/** Words that are wider than the screen (a fingerprint), parted. */
function inPieces(text: string, width: number): string {
  return text.replace(new RegExp(`\\S{${width}}(?=\\S)`, "gu"), "$& ");
}

export const auditCommands = defineGroup("audit", "look at who did what", [list]);
