import { commit, version } from "../version.ts";
import { defineTattileCommand } from "./command.ts";
import { JSON_ARG } from "./registry-output.ts";

export const versionCommand = defineTattileCommand({
  name: "version",
  summary: "say which build this is",
  examples: ["tattile version"],
  args: JSON_ARG,
  async run(args, { out }) {
    if (args.json)
      return out.json({ version, commit, bun: Bun.version, platform: `${process.platform}-${process.arch}` });
    out.line(`tattile ${version} (${commit}), bun ${Bun.version}, ${process.platform}-${process.arch}`);
  },
});
