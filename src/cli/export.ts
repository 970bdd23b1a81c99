import { countOf } from "../format.ts";
import { listRegistered } from "../store/registry.ts";
import { defineTattileCommand } from "./command.ts";

const FORMATS = ["yaml", "json", "csv"] as const;

export const exportCommand = defineTattileCommand({
  name: "export",
  summary: "write what is registered as a site file, which apply brings about again",
  notes: [
    "No secret is in it: keys of certificates are named by their files, which have to be copied apart.",
    "csv writes the cameras alone, as a table for a spreadsheet; tattile import cameras takes it back.",
  ],
  examples: ["tattile export site.yaml", "tattile export cameras.csv --format csv", "tattile export --format json"],
  args: {
    file: { kind: "positional", about: "the file to write (default: standard output)" },
    format: { kind: "value", hint: "F", options: FORMATS, about: "yaml (default), json or csv" },
  },
  async run(args, context) {
    const { out } = context;
    const store = await context.store();
    const registered = await listRegistered(store);
    const { endpoints, municipalities, cameras } = registered;
    const { buildSite } = await import("../site/export.ts");
    const site = buildSite(registered);
    const text = await render();
    if (args.file === undefined) return out.text(text);
    const { writeFileDurably } = await import("../durable-file.ts");
    await writeFileDurably(args.file, text, 0o640);
    const cameraCount = countOf(cameras.length, "camera");
    const rest = `${countOf(endpoints.length, "endpoint")}, ${countOf(municipalities.length, "municipality", "municipalities")}`;
    out.line(`wrote ${args.format === "csv" ? cameraCount : `${rest} and ${cameraCount}`} to ${args.file}`);

    async function render(): Promise<string> {
      if (args.format === "json") return `${JSON.stringify(site, null, 2)}\n`;
      if (args.format === "csv") return (await import("../site/csv.ts")).writeCameraTable(site.cameras);
      const { writeSiteText } = await import("../site/yaml.ts");
      return writeSiteText(site, [
        "A tattile site. Bring it about: tattile apply FILE",
        "What is left out stays as it is, null clears. Schema for editors: tattile apply --schema",
      ]);
    }
  },
});
