import { stat } from "node:fs/promises";
import { systemCode } from "../errors.ts";
import { formatBytes } from "../format.ts";
import type { ImageStore } from "../images/image-store.ts";
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
    const store = await context.store();
    const tables = await store.countRows();
    const { openImages, openQuarantine } = await import("../images/open.ts");
    const folders = [
      { name: "images", open: openImages },
      { name: "quarantine", open: openQuarantine },
    ];
    const files: { name: string; files: number }[] = [];
    for (const { name, open } of folders) {
      const images = open(config);
      try {
        files.push({ name, files: await countFiles(images) });
      } finally {
        images.close();
      }
    }
    const info = store.info();
    const databaseBytes = info.kind === "sqlite" ? await sizeOf(info.location) : null;
    if (args.json) return out.json({ store: { ...info, bytes: databaseBytes }, tables, files });
    const rows = [
      ...tables.map(({ table, rows }) => [table, rows.toLocaleString("en")]),
      ...files.map(({ name, files }) => [`files in ${name}`, files.toLocaleString("en")]),
    ];
    const columns = [
      { title: "TABLE", whole: true },
      { title: "ROWS", align: "right", whole: true },
    ] as const;
    out.table(columns, rows);
    const size = databaseBytes === null ? "" : `, ${formatBytes(databaseBytes)}`;
    out.line(`${info.kind} ${info.version}, schema ${info.schemaVersion}${size}: ${info.location}`);
  },
});

async function countFiles(images: Pick<ImageStore, "list">): Promise<number> {
  let count = 0;
  for await (const { files } of images.list()) count += files.length;
  return count;
}

/** The database with what stands beside it. */
async function sizeOf(path: string): Promise<number> {
  let bytes = 0;
  for (const file of [path, `${path}-wal`]) {
    bytes += await stat(file).then(
      ({ size }) => size,
      (error: unknown) => {
        if (systemCode(error) === "ENOENT") return 0;
        throw error;
      },
    );
  }
  return bytes;
}
