import { systemClock } from "../clock.ts";
import { type Finding, type Grade, STATUS_OF, worstGrade } from "../finding.ts";
import { countOf } from "../format.ts";
import { defineTattileCommand } from "./command.ts";
import { wrap } from "./help.ts";
import type { Output, Tone } from "./output.ts";
import { JSON_ARG } from "./registry-output.ts";

const EXIT_CODES: Record<Grade, number> = { good: 0, warning: 1, bad: 2 };
const MARKS: Record<Grade, [mark: string, tone: Tone]> = {
  good: ["good", "good"],
  warning: ["warn", "warn"],
  bad: ["BAD", "bad"],
};

export const doctorCommand = defineTattileCommand({
  name: "doctor",
  summary: "look at everything that can be wrong, and say what to do about it",
  notes: [
    "Clock, endpoints (name, connection, TLS, WSDL), certificates, folders and disk, ports, store, cameras, systemd unit. Nothing is sent to the police but a HEAD and a GET of the WSDL; nothing is changed.",
    "Exit code as that of status: 0 all is fine, 1 something needs attention, 2 readings are not taken in or not delivered.",
  ],
  examples: ["tattile doctor", "tattile doctor --quiet --json"],
  args: { ...JSON_ARG, quiet: { kind: "switch", about: "only what is not good" } },
  async run(args, context) {
    const { out } = context;
    const config = await context.config();
    const [{ listChecks, probePorts }, { runChecks }] = await Promise.all([
      import("../deeds/doctor-checks.ts"),
      import("../doctor.ts"),
    ]);
    out.progress("looking …");
    const ports = await probePorts(config);
    const opened = await context.store().then(
      (store) => ({ store }),
      (failure: unknown) => ({ failure }),
    );
    const findings = await runChecks(await listChecks(config, opened, ports, systemClock), systemClock);
    return reportFindings(findings, args, out);
  },
});

/** Prints what was found. @returns the exit code that the worst of it gives */
export function reportFindings(
  findings: readonly Finding[],
  { json, quiet = false }: { json: boolean; quiet?: boolean },
  out: Output,
): number {
  const grade = worstGrade(findings);
  if (json) out.json({ status: STATUS_OF[grade], findings });
  else printFindings(quiet ? findings.filter((f) => f.grade !== "good") : findings, out);
  return EXIT_CODES[grade];
}

/** One line a check, its cure under it; longer ones go on below. */
function printFindings(findings: readonly Finding[], out: Output): void {
  const width = Math.max(...Object.values(MARKS).map(([mark]) => out.finding(mark).length));
  const indent = " ".repeat(width + 1);
  const label = `${out.finding("cure")}: `;
  for (const { check, grade, text, cure } of findings) {
    const [mark, tone] = MARKS[grade];
    const [first = "", ...more] = wrap(`${out.finding(check)}: ${out.finding(text)}`, out.width - indent.length);
    out.line(`${out.paint(tone, out.finding(mark).padEnd(width))} ${first}`);
    for (const line of more) out.line(indent + line);
    if (cure === null) continue;
    for (const [at, line] of wrap(out.finding(cure), out.width - indent.length - label.length).entries()) {
      out.line(`${indent}${at === 0 ? label : " ".repeat(label.length)}${line}`);
    }
  }
  const count = (grade: Grade): number => findings.filter((f) => f.grade === grade).length;
  out.line();
  if (count("bad") + count("warning") === 0) out.line(out.paint("good", out.finding("All is fine.")));
  else out.line(out.finding(`${count("bad")} bad, ${countOf(count("warning"), "warning")}.`));
}
