/** Writes docs/configuration.md and install/tattile.env.example from the one table of settings: `npm run docs`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { SETTING_GROUPS, type Setting } from "../src/settings/setting.ts";
import { listSettings } from "../src/settings.ts";

const INTRODUCTION = `# Configuration

<!-- Written by \`npm run docs\` from src/settings/; change it there. -->

tattile is set by variables. They are read once, at the start, from the weakest to the strongest:

1. the defaults below;
2. a file: the one named by \`--env-file\` or \`TATTILE_ENV_FILE\` (it must exist), else \`/etc/tattile/tattile.env\` when it exists;
3. the environment;
4. flags of the command.

The file has the format of systemd's \`EnvironmentFile\`: one \`NAME=value\` per line, \`#\` at the start of a line for a comment,
quotes where a value has blanks at its ends, nothing expanded. A comment behind a value would be part of the value.
An empty value counts as not set. A relative path in a file counts from that file's folder.

A value that is not allowed stops the start, and all such values are named at once, each with what is allowed. A name that
looks like one of these and is none is warned of, with the nearest known one. Names marked *kept* are those of the system
that tattile replaces, with their old meaning.

Sizes take \`KiB\`, \`MiB\` or \`GiB\` behind the number. Switches take \`true\`/\`false\`, \`yes\`/\`no\`, \`on\`/\`off\`, \`1\`/\`0\`.
After a change: \`systemctl restart tattile\`.
`;

const AFTERWORD = `
## What differs from the replaced system

- \`SENDER_DEAD_RETENTION_MINUTES\`: three days instead of ten minutes.
- \`SENDER_DEFAULT_RETRY_MAX\` counts only attempts that failed while the endpoint took other readings. An outage spends none.
- \`SUCCESS_CODES\` must not hold \`0\`, and an answer without a code is never a success.
- \`API_HOST\`: the API listens on this machine only, unless it is set.
`;

/** What stands for the default in the documents. */
function defaultOf(one: Setting<unknown>): string {
  return one.defaultText ?? one.kind.show(one.default);
}

/** The whole text of docs/configuration.md. */
export function buildConfigurationPage(): string {
  let page = INTRODUCTION;
  for (const group of SETTING_GROUPS) {
    page += `\n## ${group}\n`;
    for (const one of listSettings().filter((each) => each.group === group)) {
      const aliases = one.aliases.map((name) => `\`${name}\``).join(", ");
      page += `\n### \`${one.name}\`${one.legacy ? " (*kept*)" : ""}\n\n${one.description}\n\n`;
      page += `- Default: ${one.defaultText === undefined ? `\`${defaultOf(one)}\`` : one.defaultText}\n`;
      page += `- Allowed: ${one.kind.allowed}\n`;
      if (aliases !== "") page += `- Also: ${aliases}\n`;
    }
  }
  return page + AFTERWORD;
}

/** The whole text of install/tattile.env.example: every setting, commented out, with its default. */
export function buildEnvExample(): string {
  let text = `# Settings of tattile. Every line is commented out and shows the default; take away the # and change what you need.
# Format: NAME=value, comments on lines of their own. Then: systemctl restart tattile
# All of it explained: docs/configuration.md
`;
  for (const group of SETTING_GROUPS) {
    text += `\n# ---- ${group} ----\n`;
    for (const one of listSettings().filter((each) => each.group === group)) {
      text += `\n${wrap(one.description)}# Allowed: ${one.kind.allowed}\n`;
      const shown = one.kind.show(one.default);
      text += shown === "" ? `# Default: ${defaultOf(one)}\n#${one.name}=\n` : `#${one.name}=${shown}\n`;
    }
  }
  return text;
}

function wrap(text: string): string {
  const lines: string[] = [];
  let line = "#";
  for (const word of text.replaceAll("`", "").split(" ")) {
    if (line.length + word.length > 100) {
      lines.push(line);
      line = "#";
    }
    line += ` ${word}`;
  }
  return `${[...lines, line].join("\n")}\n`;
}

if (import.meta.main) {
  const root = join(import.meta.dir, "..");
  writeFileSync(join(root, "docs/configuration.md"), buildConfigurationPage());
  writeFileSync(join(root, "install/tattile.env.example"), buildEnvExample());
}
