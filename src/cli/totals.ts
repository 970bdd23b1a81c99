import { formatBytes } from "../format.ts";
import { defineTattileCommand } from "./command.ts";
import { JSON_ARG } from "./registry-output.ts";

export const totalsCommand = defineTattileCommand({
  name: "totals",
  summary: "count the rows of every table and the files beside them",
  examples: ["tattile totals", "tattile totals --json"],
  args: JSON_ARG,
  async run(args, context) {
    const { out } = context;
    const config = await context.config();
    const [{ countTotals }, { openImages, openQuarantine }] = await Promise.all([
      import("../deeds/totals.ts"),
      import("../images/open.ts"),
    ]);
    const images = openImages(config);
    const quarantine = openQuarantine(config);
    const totals = await countTotals(await context.store(), { images, quarantine }).finally(() => {
      images.close();
      quarantine.close();
    });
    if (args.json) return out.json(totals);
    const { store, tables, files } = totals;
    const rows = [
      ...tables.map(({ table, rows }) => [table, rows.toLocaleString("en")]),
      ...files.map(({ name, files }) => [`files in ${name}`, files.toLocaleString("en")]),
    ];
    const columns = [
      { title: "TABLE", whole: true },
      { title: "ROWS", align: "right", whole: true },
    ] as const;
    out.table(columns, rows);
    const size = store.bytes === null ? "" : `, ${formatBytes(store.bytes)}`;
    out.line(`${store.kind} ${store.version}, schema ${store.schemaVersion}${size}: ${store.location}`);
  },
});
