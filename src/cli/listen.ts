import { createHash } from "node:crypto";
import { systemClock } from "../clock.ts";
import type { Config } from "../config.ts";
import { AppError } from "../errors.ts";
import { formatInstant } from "../format.ts";
import type { Intake } from "../intake.ts";
import { describeHeard, findRemarks, type Heard, summarizeHeard } from "../listen.ts";
import { createLog } from "../log.ts";
import { notePlates } from "./audited.ts";
import { defineTattileCommand } from "./command.ts";
import type { CommandContext } from "./context.ts";
import { wrap } from "./help.ts";
import type { Output } from "./output.ts";
import { confirm } from "./prompt.ts";
import { waitForSignal } from "./signals.ts";
import { parseWhole } from "./values.ts";

/** A camera that sends again what was reset is not news; of so many messages it is remembered. */
const REMEMBERED = 5000;

export const listenCommand = defineTattileCommand({
  name: "listen",
  summary: "show what cameras send, live, without storing it; for mounting a camera",
  notes: [
    "Nothing is stored or sent on. Every connection ends with a reset, so that a camera that looks at it keeps the reading and sends it again; one that does not has lost it. Point only the camera that is being mounted here, with --port, or stop the service first.",
    "Plates are masked. Ends with Ctrl-C, after --count messages or --seconds.",
  ],
  examples: ["tattile listen --port 33340", "tattile listen --port 33340 --count 1 --json"],
  args: {
    port: { kind: "value", hint: "N", about: "TCP port (default: TRANSIT_PORT, when no service has it)" },
    camera: { kind: "value", hint: "SERIAL", about: "show this camera only" },
    count: { kind: "value", hint: "N", about: "end after so many messages" },
    seconds: { kind: "value", hint: "N", about: "end after so long" },
    "show-plates": { kind: "switch", about: "show plates in full (personal data)" },
    yes: { kind: "switch", about: "do not ask, though registered cameras send to this port" },
    json: { kind: "switch", about: "one JSON object a line" },
  },
  async run(args, context) {
    const { out } = context;
    const port = args.port === undefined ? null : parseWhole("--port", args.port, 0, 65_535);
    const count = args.count === undefined ? Number.POSITIVE_INFINITY : parseWhole("--count", args.count, 1, 1_000_000);
    const seconds = args.seconds === undefined ? null : parseWhole("--seconds", args.seconds, 1, 86_400);
    const config = await context.config();
    const store = await context.store();
    const cameras = await store.listCameras();
    await notePlates(args["show-plates"], "listen", null, context);
    if (port === null || port === config.transit.port)
      await warnOfCameras(cameras.filter((c) => c.active).length, args.yes, context);

    let [shown, wholeCount] = [0, 0];
    const enough = Promise.withResolvers<void>();
    const seen = new Set<string>();
    const show = (heard: Heard, again: boolean): void => {
      wholeCount += 1;
      if (args.camera !== undefined && heard.serial !== args.camera) return;
      shown += 1;
      if (args.json) {
        const plate = args["show-plates"] ? heard.plate : null;
        out.line(JSON.stringify({ ...heard, plate, again, remarks: findRemarks(heard) }));
      } else printHeard(heard, again, args["show-plates"], config.cameraTimezone, out);
      if (shown >= count) enough.resolve();
    };
    const intake = createShowingIntake((message) => {
      const { parsed, bytes } = message;
      const serial = parsed.kind === "reading" ? parsed.reading.cameraSerial : parsed.cameraSerial;
      const camera = cameras.find((c) => c.serial === serial) ?? null;
      const hash = createHash("sha256").update(bytes).digest("base64");
      const again = seen.has(hash);
      if (seen.size >= REMEMBERED) seen.clear();
      seen.add(hash);
      show(describeHeard({ ...message, bytes: bytes.byteLength }, camera, config.cameraTimezone), again);
    });
    const listener = await openListener({ ...config.transit, port: port ?? config.transit.port }, intake, out);
    const signalled = waitForSignal();
    out.note(`Listening on port ${listener.port}; nothing is stored. Ctrl-C ends it.`);
    const ending = new AbortController();
    const timeUp = seconds === null ? null : systemClock.sleep(seconds * 1000, ending.signal);
    await Promise.race([signalled, enough.promise, ...(timeUp === null ? [] : [timeUp])]);
    ending.abort();
    await listener.close();
    if (!args.json) out.line(`${shown} shown of ${wholeCount} messages.`);
  },
});

/** To listen where registered cameras send would lose what they do not send again. */
async function warnOfCameras(active: number, yes: boolean, context: CommandContext): Promise<void> {
  if (active === 0) return;
  const noun = active === 1 ? "1 registered camera sends" : `${active} registered cameras send`;
  await confirm(`listen on TRANSIT_PORT, where ${noun}, and store nothing of it`, yes, context);
}

/** Shows and forgets; to the connection that is as good as stored, and its end says otherwise. */
function createShowingIntake(show: (message: Parameters<Intake["accept"]>[0]) => void): Intake {
  const stats = { waiting: 0, commits: 0, committed: 0, failures: 0 };
  return {
    stats,
    drain: async () => {},
    accept: async (message) => {
      try {
        show(message);
        return "queued";
      } finally {
        message.release();
      }
    },
  };
}

async function openListener(
  transit: Config["transit"],
  intake: Intake,
  out: Output,
): Promise<{ port: number; close(): Promise<void> }> {
  const [{ createIngest }, { openSocketCalls }] = await Promise.all([
    import("../ingest.ts"),
    import("../socket-calls.ts"),
  ]);
  const options = openSocketCalls();
  const ingest = createIngest({
    transit,
    intake,
    // Never in good order: that would tell the camera that its readings are safe.
    socketCalls: { ...options, closeInOrder: (socket) => socket.destroy() !== undefined },
    clock: systemClock,
    log: createLog({
      level: "warn",
      journal: false,
      write: (line) => out.note(line.trimEnd()),
      now: () => new Date(),
    }),
  });
  try {
    const port = await ingest.listen();
    return { port, close: () => ingest.close(0) };
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause;
    throw new AppError("unavailable", cause.message, {
      hint: "stop the service (systemctl stop tattile), or give another port: tattile listen --port 33340",
      cause,
    });
  }
}

function printHeard(heard: Heard, again: boolean, showPlate: boolean, zone: string, out: Output): void {
  const time = formatInstant(heard.at, zone).slice(11);
  const said = [...summarizeHeard(heard, showPlate), ...(again ? ["(again)"] : [])];
  const line = [time, ...said.map((part) => (part === heard.plate ? part : out.words(part)))].join("  ");
  out.line(out.paint(heard.malformed === null ? "bold" : "bad", line));
  if (again) return;
  const about = [
    // What somebody called it is no word of ours.
    ...(heard.registered === null
      ? []
      : [/^reader \S+$/.test(heard.registered) ? out.words(heard.registered) : heard.registered]),
    ...[`from ${heard.peer.replace(/^::ffff:/, "")}`, ...findRemarks(heard)].map((part) => out.words(part)),
  ].join("; ");
  for (const part of wrap(about, out.width - 10)) out.line(`          ${part}`);
}
