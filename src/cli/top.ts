import { errorText } from "../errors.ts";
import { formatAge, formatBytes, formatDuration } from "../format.ts";
import { foldersOfReadings, readSpace } from "../images/disk-space.ts";
import { listServices, type RunningService } from "../run-file.ts";
import type { QueueSummary } from "../store/messages.ts";
import type { Store } from "../store/store.ts";
import { version } from "../version.ts";
import { defineTattileCommand } from "./command.ts";
import type { CommandContext } from "./context.ts";
import { type MachineSample, type MachineUse, machineUse, sampleMachine } from "./machine-sample.ts";
import { cut, type Output } from "./output.ts";
import { JSON_ARG } from "./registry-output.ts";
import { waitForSignal } from "./signals.ts";
import { parseWhole } from "./values.ts";

/** Everything one picture of `top` is made of. */
interface Moment {
  at: Date;
  machine: MachineSample;
  services: readonly RunningService[];
  queue: QueueSummary;
  /** Ever counted, all cameras together. */
  queued: number;
  delivered: number;
  disk: { freeBytes: number; totalBytes: number };
}

export interface Picture {
  at: Date;
  use: MachineUse;
  disk: { freeBytes: number; totalBytes: number };
  /** One line a process; `run all` has several tasks in one. */
  services: readonly {
    tasks: readonly string[];
    pid: number;
    state: string;
    startedAt: Date;
    cpu: number;
    bytes: number;
  }[];
  queue: QueueSummary;
  queuedPerSecond: number;
  deliveredPerSecond: number;
}

/** q, Ctrl-C, Ctrl-D. */
const END_KEYS = ["q", "Q", "\x03", "\x04"];
const SCREEN_ON = "\x1b[?1049h\x1b[?25l";
const SCREEN_OFF = "\x1b[?25h\x1b[?1049l";
const HOME = "\x1b[H";
const TO_END_OF_LINE = "\x1b[K";
const TO_END_OF_SCREEN = "\x1b[J";

export const topCommand = defineTattileCommand({
  name: "top",
  summary: "show live what machine, services and queue are doing",
  notes: ["q or Ctrl-C ends it. Without a terminal, or with --json, it measures once and prints that."],
  examples: ["tattile top", "tattile top --interval 5", "tattile top --json"],
  args: {
    interval: { kind: "value", hint: "SECONDS", about: "from one picture to the next, 1 to 60 (default 2)" },
    ...JSON_ARG,
  },
  async run(args, context) {
    const { out } = context;
    const seconds = args.interval === undefined ? 2 : parseWhole("--interval", args.interval, 1, 60);
    const store = await context.store();
    let before = await takeMoment(store, context);
    if (args.json || !out.interactive || !context.input.isTTY) {
      await Bun.sleep(seconds * 1000);
      const picture = comparePictures(before, await takeMoment(store, context));
      const { processes: _processes, ...use } = picture.use;
      return args.json ? out.json({ ...picture, use }) : out.line(drawTop(picture, out).join("\n"));
    }
    const ended = waitForEnd(context.input);
    process.stdout.write(SCREEN_ON);
    try {
      for (let over = false; !over; ) {
        over = await Promise.race([ended.then(() => true), Bun.sleep(seconds * 1000).then(() => false)]);
        if (over) break;
        let lines: readonly string[];
        try {
          const after = await takeMoment(store, context);
          lines = drawTop(comparePictures(before, after), out);
          before = after;
        } catch (error) {
          lines = [cut(out.words(`not now: ${errorText(error)}`), out.width), out.words("it is tried again; q ends")];
        }
        const shown = lines.slice(0, Math.max(1, (process.stdout.rows || 24) - 1));
        process.stdout.write(
          `${HOME}${shown.map((line) => `${line}${TO_END_OF_LINE}`).join("\r\n")}${TO_END_OF_SCREEN}`,
        );
      }
    } finally {
      process.stdout.write(SCREEN_OFF);
      if (context.input.isTTY) context.input.setRawMode(false);
      context.input.pause();
    }
  },
});

/** `q`, Ctrl-C or a signal. */
function waitForEnd(input: NodeJS.ReadStream): Promise<void> {
  input.setRawMode(true);
  input.setEncoding("utf8");
  input.resume();
  return new Promise((resolve) => {
    input.on("data", (keys: string) => {
      if ([...keys].some((key) => END_KEYS.includes(key))) resolve();
    });
    void waitForSignal().then(() => resolve());
  });
}

async function takeMoment(store: Store, context: CommandContext): Promise<Moment> {
  const config = await context.config();
  const at = context.now();
  const services = await listServices(config.dataDir, at);
  const [machine, queue, tallies, disk] = await Promise.all([
    sampleMachine(
      services.filter(({ state }) => state !== "dead").map(({ pid }) => pid),
      performance.now(),
    ),
    store.summarize(),
    store.tallies(),
    readSpace(foldersOfReadings(config)),
  ]);
  const sum = (tally: string): number =>
    tallies.filter((t) => t.tally === tally).reduce((total, { count }) => total + count, 0);
  return { at, machine, services, queue, queued: sum("queued"), delivered: sum("delivered"), disk };
}

function comparePictures(before: Moment, after: Moment): Picture {
  const use = machineUse(before.machine, after.machine);
  const seconds = Math.max(0.001, (after.machine.atMs - before.machine.atMs) / 1000);
  const pids = [...new Set(after.services.map(({ pid }) => pid))];
  const services = pids.flatMap((pid) => {
    const own = after.services.filter((s) => s.pid === pid);
    const [first] = own;
    if (first === undefined) return [];
    const { cpu, residentBytes } = use.processes.get(pid) ?? { cpu: 0, residentBytes: 0 };
    const tasks = own.map(({ task }) => task);
    return [{ tasks, pid, state: first.state, startedAt: first.startedAt, cpu, bytes: residentBytes }];
  });
  return {
    at: after.at,
    use,
    disk: after.disk,
    services,
    queue: after.queue,
    queuedPerSecond: Math.max(0, after.queued - before.queued) / seconds,
    deliveredPerSecond: Math.max(0, after.delivered - before.delivered) / seconds,
  };
}

/** The picture as lines that fit. */
function drawTop(picture: Picture, out: Output): readonly string[] {
  const { use, disk, queue, at } = picture;
  const percent = (part: number): string => `${Math.round(part * 100)} %`;
  const rate = (perSecond: number): string => `${perSecond.toFixed(perSecond < 10 ? 1 : 0)}/s`;
  const { PENDING, SENDING, FAILED, DEAD } = queue.byStatus;
  const waiting = [queue.oldestAt.PENDING, queue.oldestAt.FAILED].filter((received) => received !== null);
  const oldest = waiting.length === 0 ? null : new Date(Math.min(...waiting.map((received) => received.getTime())));
  const columns = [
    { title: "TASKS" },
    { title: "PID", align: "right", whole: true },
    { title: "STATE", whole: true, words: true },
    { title: "CPU", align: "right", whole: true },
    { title: "MEMORY", align: "right", whole: true },
    { title: "SINCE", align: "right", whole: true },
  ] as const;
  const rows = picture.services.map((s) => [
    s.tasks.join(", "),
    `${s.pid}`,
    s.state,
    percent(s.cpu),
    formatBytes(s.bytes),
    formatDuration(at.getTime() - s.startedAt.getTime()),
  ]);
  const line = (name: string, text: string): string => `${out.words(name).padEnd(11)}${out.words(text)}`;
  return [
    `tattile ${version}  ${at.toISOString().slice(0, 19).replace("T", " ")} UTC   ${out.words("q ends")}`,
    "",
    line("cpu", `${percent(use.cpu)} of ${use.cores} ${use.cores === 1 ? "core" : "cores"}`),
    line("memory", `${formatBytes(use.memory.usedBytes)} of ${formatBytes(use.memory.totalBytes)} used`),
    line("disk", `${formatBytes(disk.freeBytes)} free of ${formatBytes(disk.totalBytes)}`),
    line(
      "network",
      `in ${formatBytes(use.network.receivedPerSecond)}/s, out ${formatBytes(use.network.sentPerSecond)}/s`,
    ),
    "",
    ...(rows.length === 0 ? [out.words("no service is running here")] : out.layTable(columns, rows).split("\n")),
    "",
    line("queue", `${PENDING} pending, ${SENDING} being sent, ${FAILED} to be tried again, ${DEAD} given up`),
    line("readings", `in ${rate(picture.queuedPerSecond)}, delivered ${rate(picture.deliveredPerSecond)}`),
    line("oldest", oldest === null ? "nothing waits" : formatAge(oldest, at)),
  ].map((text) => cut(text, out.width));
}
