import { COMMON_ARGS } from "./command.ts";
import type { FlagFacts, TreeNode } from "./command-tree.ts";
import { usageLine } from "./help.ts";

/** The manual page of section 1 (man(7) macros), from the definitions that parse and help. */
export function buildManPage(nodes: readonly TreeNode[], version: string): string {
  const commands = nodes.filter((node) => node.command !== null);
  const common = nodes[0]?.flags ?? [];
  const lines = [
    `.TH TATTILE 1 "" "tattile ${roff(version)}" "tattile"`,
    ".SH NAME",
    "tattile \\- takes number\\-plate readings from cameras to the police",
    ".SH SYNOPSIS",
    ".B tattile",
    ".I COMMAND",
    "[flags]",
    ".SH DESCRIPTION",
    ...paragraph(
      "tattile receives the readings of Tattile cameras over TCP, makes them durable, signs them (WS-Security) and delivers them to the SOAP service of the police, and erases them once they are taken. The service is run all; every other command sets it up, looks at it or mends it, while it runs.",
    ),
    ".SH FLAGS OF EVERY COMMAND",
    ...common.flatMap(flagLines),
    ".SH COMMANDS",
    ...commands.flatMap(commandLines),
    ".SH EXIT STATUS",
    ...pairs([
      ["0", "done; for status, doctor and cert check: all is fine"],
      ["1", "failed; there: something needs attention"],
      ["2", "used wrongly; there: readings are not taken in or not delivered"],
      ["3", "the settings are wrong"],
    ]),
    ".SH ENVIRONMENT",
    ...paragraph("Every setting may be given in the environment too; the settings file lists them."),
    ...pairs([
      ["TATTILE_ENV_FILE", "settings file, unless --env-file names one"],
      ["NO_COLOR", "when it is not empty, nothing is coloured; in a pipe nothing is either"],
    ]),
    ".SH FILES",
    ...pairs([
      ["/etc/tattile/tattile.env", "settings"],
      ["/var/lib/tattile", "queue, pictures, keys"],
      ["/usr/local/share/doc/tattile", "the documents: operation.md, operacion.md (español)"],
    ]),
    ".SH SEE ALSO",
    ".BR systemctl (1),",
    ".BR journalctl (1)",
  ];
  return `${lines.join("\n")}\n`;
}

function commandLines({ command, flags }: TreeNode): readonly string[] {
  if (command === null) return [];
  const places = Object.entries(command.args).flatMap(([name, spec]): (readonly [string, string])[] =>
    spec.kind === "positional" ? [[name.toUpperCase(), spec.about]] : [],
  );
  return [
    `.SS ${roff(usageLine(command))}`,
    ...paragraph(`${command.summary.charAt(0).toUpperCase()}${command.summary.slice(1)}.`),
    ...pairs(places),
    ...flags.filter(({ name }) => !(name in COMMON_ARGS)).flatMap(flagLines),
    ...command.notes.flatMap((note) => [".PP", ...paragraph(note)]),
    ".PP",
    ".nf",
    ...command.examples.map((example) => `.RS\n${roff(example)}\n.RE`),
    ".fi",
  ];
}

function flagLines({ name, hint, options, about }: FlagFacts): readonly string[] {
  const value = hint === null ? "" : ` \\fI${roff(options.length > 0 ? options.join("|") : hint)}\\fR`;
  return [".TP", `\\fB${roff(`--${name}`)}\\fR${value}`, ...paragraph(about)];
}

function pairs(entries: readonly (readonly [string, string])[]): readonly string[] {
  return entries.flatMap(([name, text]) => [".TP", `.B ${roff(name)}`, ...paragraph(text)]);
}

function paragraph(text: string): readonly string[] {
  return [roff(text)];
}

/** groff_char(7): a hyphen that is to be copied is \\-; a line that begins with a dot or a quote would be a request. */
function roff(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("'", "\\(aq")
    .replaceAll(
      /[^\x20-\x7e]/gu,
      (character) => `\\[u${character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0")}]`,
    )
    .replace(/^\./, "\\&.");
}
