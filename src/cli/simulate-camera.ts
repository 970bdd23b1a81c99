import { resolve } from "node:path";
import { systemClock } from "../clock.ts";
import { AppError } from "../errors.ts";
import { countOf } from "../format.ts";
import { defineTattileCommand } from "./command.ts";
import { JSON_ARG } from "./registry-output.ts";
import { parseTimezone, parseWhole } from "./values.ts";

export const simulateCameraCommand = defineTattileCommand({
  name: "simulate camera",
  summary: "play cameras: send readings as Tattile cameras do",
  notes: [
    "By default each message has a connection of its own, and is sent again until the receiver's orderly close confirms it.",
    "Plates and pictures are made up. The manifest says what was sent, for comparing with what the police got.",
  ],
  examples: [
    "tattile simulate camera --serial 2001008851 --count 10",
    "tattile simulate camera --cameras 50 --count 1000 --rate 20 --manifest sent.jsonl",
  ],
  args: {
    host: { kind: "value", hint: "ADDRESS", about: "receiver (default 127.0.0.1)" },
    port: { kind: "value", hint: "PORT", about: "its port (default TRANSIT_PORT)" },
    serial: { kind: "value", hint: "SN", about: "serial of the first camera (default 2001008851)" },
    cameras: { kind: "value", hint: "N", about: "cameras, with consecutive serials (default 1)" },
    count: { kind: "value", hint: "N", about: "messages in all (default 10)" },
    rate: { kind: "value", hint: "N", about: "messages a second, all cameras together (default 10)" },
    "flat-out": { kind: "switch", about: "as fast as it goes" },
    protocol: { kind: "value", hint: "P", options: ["xml", "tlv", "mixed"], about: "message format (default xml)" },
    "keep-open": { kind: "switch", about: "one connection for all messages, nothing waited for" },
    batch: { kind: "value", hint: "N", about: "messages in one write (default 1)" },
    split: { kind: "switch", about: "cut the bytes at random places" },
    "pause-ms": { kind: "value", hint: "MS", about: "longest pause in the middle of a message" },
    replays: { kind: "value", hint: "PERCENT", about: "messages that come a second time" },
    "not-read": { kind: "value", hint: "PERCENT", about: "messages without a plate" },
    malformed: { kind: "value", hint: "PERCENT", about: "messages that are broken" },
    unregistered: { kind: "value", hint: "PERCENT", about: "messages of a camera nobody knows" },
    "ocr-bytes": { kind: "value", hint: "N", about: "size of the plate picture (default 30000)" },
    "ctx-bytes": { kind: "value", hint: "N", about: "size of the context picture, 0 for none (default 200000)" },
    "give-up-seconds": {
      kind: "value",
      hint: "S",
      about: "how long an unconfirmed message is sent again (default 60)",
    },
    timezone: { kind: "value", hint: "Z", about: "zone of the cameras' clocks (default CAMERA_TIMEZONE)" },
    seed: { kind: "value", hint: "N", about: "what everything random is derived from (default: the time)" },
    manifest: { kind: "value", hint: "FILE", about: "append what was sent, as JSON lines" },
    ...JSON_ARG,
  },
  async run(args, context) {
    const { runCameras } = await import("../simulator/camera.ts");
    const config = await context.config();
    const number = (flag: keyof typeof args & string, otherwise: number, least: number, most: number): number => {
      const given = args[flag];
      return typeof given === "string" ? parseWhole(`--${flag}`, given, least, most) : otherwise;
    };
    const share = (flag: "replays" | "not-read" | "malformed" | "unregistered"): number =>
      number(flag, 0, 0, 100) / 100;
    const firstSerial = parseSerial(args.serial ?? "2001008851");
    const total = number("count", 10, 1, 100_000_000);
    const stopping = new AbortController();
    const stop = (): void => stopping.abort();
    process.once("SIGINT", stop);
    process.once("SIGTERM", stop);
    let settled = 0;
    const report = await runCameras({
      host: args.host ?? "127.0.0.1",
      port: number("port", config.transit.port, 1, 65_535),
      serials: Array.from({ length: number("cameras", 1, 1, 10_000) }, (_, index) =>
        String(firstSerial + BigInt(index)),
      ),
      seed: number("seed", context.now().getTime() % 0xffffffff, 0, 0xffffffff),
      total,
      ratePerSecond: args["flat-out"] ? null : number("rate", 10, 1, 100_000),
      protocol: (args.protocol as "xml" | "tlv" | "mixed" | undefined) ?? "xml",
      acknowledged: !args["keep-open"],
      keepOpen: args["keep-open"],
      batch: number("batch", 1, 1, 1000),
      split: args.split,
      pauseMs: number("pause-ms", 0, 0, 600_000),
      shares: {
        replay: share("replays"),
        "not-read": share("not-read"),
        malformed: share("malformed"),
        unregistered: share("unregistered"),
      },
      images: {
        ocrBytes: number("ocr-bytes", 30_000, 16, 8_000_000),
        ctxBytes: number("ctx-bytes", 200_000, 0, 8_000_000),
      },
      distinctImages: true,
      giveUpAfterMs: number("give-up-seconds", 60, 1, 86_400) * 1000,
      timezone: args.timezone === undefined ? config.cameraTimezone : parseTimezone(args.timezone),
      clock: systemClock,
      signal: stopping.signal,
      ...(args.manifest === undefined ? {} : { manifestPath: resolve(args.manifest) }),
      onSettled: () => {
        settled += 1;
        context.out.progress(`sent ${settled} of ${total}`);
      },
    });
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
    if (args.json) context.out.json(report);
    else {
      const { sent, confirmed, unconfirmed, resent } = report;
      const kinds = Object.entries(sent).filter(([, count]) => count > 0);
      context.out.line(`sent: ${kinds.map(([kind, count]) => `${count} ${kind}`).join(", ") || "nothing"}`);
      context.out.line(`confirmed ${confirmed}, not confirmed ${unconfirmed}, sent again ${countOf(resent, "time")}`);
    }
    return report.unconfirmed === 0 ? 0 : 1;
  },
});

function parseSerial(text: string): bigint {
  if (/^\d{1,18}$/.test(text)) return BigInt(text);
  throw new AppError("usage", `--serial is ${JSON.stringify(text)}, allowed is up to 18 digits`);
}
