import { captured, formatCaptured, maskPlate } from "../format.ts";
import { listedReading } from "../listed-reading.ts";
import { noteListedPlates } from "./audited.ts";
import { defineGroup, defineTattileCommand } from "./command.ts";
import { describeFilter, MESSAGE_FILTER, readFilter } from "./message-filter.ts";
import { JSON_ARG } from "./registry-output.ts";
import { parseAfter, parseWhole } from "./values.ts";

const list = defineTattileCommand({
  name: "readings list",
  summary: "list the readings that are stored, newest first",
  notes: [
    "A reading is stored until the police have it; then it is erased. Plates are masked; --show-plates is written to the audit log.",
  ],
  examples: [
    "tattile readings list",
    'tattile readings list --municipality "Sant Cugat" --since 12h --limit 20',
    "tattile readings list --camera 2001008851 --show-plates",
  ],
  args: {
    ...MESSAGE_FILTER,
    limit: { kind: "value", hint: "N", about: "at most this many (default 50)" },
    after: { kind: "value", hint: "ID", about: "only those that come behind this one in the list" },
    "show-plates": { kind: "switch", about: "show plates in full (personal data)" },
    ...JSON_ARG,
  },
  async run(args, context) {
    const { out } = context;
    const store = await context.store();
    const zone = (await context.config()).cameraTimezone;
    const limit = args.limit === undefined ? 50 : parseWhole("--limit", args.limit, 1, 1_000_000);
    const filter = await readFilter(args, store, context);
    const found = await store.listMessages(filter, limit + 1, "newest", parseAfter(args.after));
    const readings = found
      .slice(0, limit)
      .map((r) => ({ ...r, plate: args["show-plates"] ? r.plate : maskPlate(r.plate) }));
    await noteListedPlates(args["show-plates"], "readings list", readings, describeFilter(args), context);
    if (args.json) return out.json(readings.map((r) => listedReading({ ...r, ...captured(r) })));
    if (readings.length === 0) return out.line("No reading.");
    const columns = [
      { title: "ID", whole: true },
      { title: "TAKEN", whole: true },
      { title: "CAMERA", whole: true },
      { title: "PLATE", whole: true },
      { title: "LANE", align: "right", whole: true },
      { title: "SCORE", align: "right", whole: true },
      { title: "STATE", whole: true },
      { title: "MUNICIPALITY" },
    ] as const;
    const rows = readings.map((r) => [
      `${r.messageId}`,
      formatCaptured(r, zone),
      r.cameraSerial,
      r.plate,
      `${r.laneId ?? "-"}`,
      `${r.ocrScore ?? "-"}`,
      r.status,
      r.municipality,
    ]);
    out.table(columns, rows);
    if (found.length > limit) out.note(`More than ${limit}; go on with --after ${readings.at(-1)?.messageId}`);
  },
});

export const readingsCommands = defineGroup("readings", "look at the readings that are stored", [list]);
