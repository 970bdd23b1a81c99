import { UNIT_TASKS } from "../doctor-machine.ts";
import { defineTattileCommand } from "./command.ts";
import { listUnits, show, type UnitTask, unitsOf } from "./systemd.ts";
import { parseSince, parseWhole } from "./values.ts";

/** As journalctl names them; the words of LOG_LEVEL. */
const PRIORITIES = { error: "err", warn: "warning", info: "info", debug: "debug" } as const;

export const logsCommand = defineTattileCommand({
  name: "logs",
  summary: "show what the services say, the newest last",
  notes: [
    "This is journalctl for tattile's units. Where one process does all (tattile.service), --task shows that one.",
    "Run it with sudo: others see only what the journal lets them.",
  ],
  examples: ["tattile logs", "tattile logs -f --task ingest", "tattile logs --since 12h --level warn --lines 200"],
  args: {
    follow: { kind: "switch", short: "f", about: "go on as more comes; Ctrl-C ends it" },
    task: { kind: "value", hint: "TASK", options: UNIT_TASKS, about: "one service only" },
    lines: { kind: "value", hint: "N", about: "at most this many (default 100)" },
    since: { kind: "value", hint: "WHEN", about: "not older: 45min, 12h, 7d, or 2026-01-23 [10:30]" },
    level: {
      kind: "value",
      hint: "LEVEL",
      options: Object.keys(PRIORITIES),
      about: "this severity and worse",
    },
  },
  async run(args, context) {
    const lines = args.lines === undefined ? 100 : parseWhole("--lines", args.lines, 1, 1_000_000);
    const zone = (await context.config()).cameraTimezone;
    const since = args.since === undefined ? null : parseSince(args.since, context.now(), zone);
    const units = unitsOf((args.task as UnitTask | undefined) ?? null, await listUnits());
    const level = args.level as keyof typeof PRIORITIES | undefined;
    return show("journalctl", [
      ...(units.length > 0 ? units : ["tattile.service"]).map((unit) => `--unit=${unit}`),
      `--lines=${lines}`,
      ...(since === null ? [] : [`--since=@${Math.floor(since.getTime() / 1000)}`]),
      ...(level === undefined ? [] : [`--priority=${PRIORITIES[level]}`]),
      ...(args.follow ? ["--follow"] : []),
      "--no-pager",
    ]);
  },
});
