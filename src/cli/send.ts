import { readFile } from "node:fs/promises";
import { systemClock } from "../clock.ts";
import type { HandDelivery, HandReading } from "../deeds/hand-delivery.ts";
import { describeOutcome } from "../delivery.ts";
import { AppError, systemCode } from "../errors.ts";
import { formatBytes, formatInstant, maskPlate } from "../format.ts";
import { grayPicture, pictureProblem } from "../gray-picture.ts";
import { audited } from "./audited.ts";
import { type ArgValues, defineTattileCommand } from "./command.ts";
import type { CommandContext } from "./context.ts";
import { lookUpCamera } from "./lookup.ts";
import { askLine, confirm, readStdin } from "./prompt.ts";
import { JSON_ARG, REMOVE_ARGS } from "./registry-output.ts";
import { readFirstLine } from "./secret-input.ts";

const ARGS = {
  camera: {
    kind: "value",
    required: true,
    hint: "SERIAL",
    about: "camera whose reader code, endpoint and certificate are used",
  },
  plate: {
    kind: "value",
    hint: "P",
    about:
      "plate; stays in the shell's history, and others can see it meanwhile: - asks for it, or reads it from standard input",
  },
  "plate-file": { kind: "value", hint: "F", about: "file whose first line is the plate" },
  "plate-stdin": { kind: "switch", about: "read the plate from standard input" },
  ocr: { kind: "value", hint: "FILE", about: "picture of the plate, JPEG (not given: a small grey one)" },
  ctx: { kind: "value", hint: "FILE", about: "picture of the scene, JPEG (not given: none)" },
  ...REMOVE_ARGS,
  ...JSON_ARG,
} as const;
type SendArgs = ArgValues<typeof ARGS>;

export const sendCommand = defineTattileCommand({
  name: "send",
  summary: "deliver one reading by hand, and show everything about it",
  notes: [
    "The reading is taken now, is in no queue, and nothing of it is kept here. To the police it is a reading like any other: use a plate that may be reported.",
    "Without --plate, --plate-file and --plate-stdin, and with --plate - on a terminal, the plate is asked for; with --dry-run and none of them it is made up.",
    "Exit code 0: the police took it, or with --dry-run it could be sent.",
  ],
  examples: [
    "tattile send --camera 2001008851 --dry-run",
    "tattile send --camera 2001008851 --plate-file plate.txt --ocr ocr.jpg --ctx ctx.jpg",
  ],
  args: ARGS,
  async run(args, context) {
    const { out } = context;
    // Files first: with the store open root is no longer root.
    const [ocr, ctx] = [await readPicture("--ocr", args.ocr), await readPicture("--ctx", args.ctx)];
    const given = await readPlate(args, context);
    const store = await context.store();
    const config = await context.config();
    const camera = await lookUpCamera(store, args.camera);
    const { deliverByHand, findRoute, MADE_UP_PLATE, reportDelivery } = await import("../deeds/hand-delivery.ts");
    const route = await findRoute(camera, store);
    const { endpoint } = route;
    const plate =
      given?.plate ?? (args["dry-run"] && args.plate === undefined ? MADE_UP_PLATE : await askLine("Plate: ", context));
    if (plate.trim() === "") throw new AppError("usage", "send: the plate is empty", { hint: "tattile send --help" });
    const url = endpoint?.url ?? config.mossos.endpointUrl ?? "nowhere";
    if (!args["dry-run"]) await confirm(`deliver one reading of camera ${camera.serial} to ${url}`, args.yes, context);
    const reading: HandReading = {
      ...{ plate: plate.trim(), capturedAt: context.now(), ocrImage: ocr ?? grayPicture(16, 4), ctxImage: ctx },
      camera,
      ...route,
    };
    const stopping = new AbortController();
    const stop = (): void => stopping.abort();
    process.once("SIGINT", stop);
    process.once("SIGTERM", stop);
    const deliver = () => deliverByHand(reading, config, systemClock, args["dry-run"], stopping.signal);
    const detail = `camera ${camera.serial} to ${endpoint?.name ?? "the default endpoint"}`;
    const delivery = args["dry-run"]
      ? await deliver()
      : await audited({ what: "message send", detail }, context, deliver);
    const shown = {
      plate: given?.secret === false || given === null ? null : maskPlate(reading.plate),
      madeUp: ocr === null,
    };
    if (args.json) out.json(await reportDelivery(delivery, reading, shown.plate, args["dry-run"]));
    else await print(delivery, reading, shown, args["dry-run"], context);
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
    const { result } = delivery;
    return result.kind === "sent" && (args["dry-run"] || result.outcome.kind === "accepted") ? 0 : 1;
  },
});

/** @returns null: it has to be asked for. `secret`: it was not typed where it can be read, and is masked when shown. */
async function readPlate(args: SendArgs, context: CommandContext): Promise<{ plate: string; secret: boolean } | null> {
  const ways = [args.plate !== undefined, args["plate-file"] !== undefined, args["plate-stdin"]].filter(Boolean);
  if (ways.length > 1) {
    throw new AppError("usage", "send: --plate, --plate-file and --plate-stdin exclude each other");
  }
  if (args.plate === "-" && context.input.isTTY) return null;
  if (args.plate !== undefined && args.plate !== "-") return { plate: args.plate, secret: false };
  if (args["plate-stdin"] || args.plate === "-") return { plate: await readStdin(context.input), secret: true };
  const file = args["plate-file"];
  return file === undefined ? null : { plate: await readFirstLine("--plate-file", file), secret: true };
}

async function readPicture(flag: string, path: string | undefined): Promise<Uint8Array | null> {
  if (path === undefined) return null;
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new AppError("not-found", `reading ${flag}: ${systemCode(cause) ?? "unreadable"} (${path})`, { cause });
  });
  const problem = pictureProblem(bytes);
  if (problem === null) return bytes;
  throw new AppError("invalid", `reading ${flag}: ${problem} (${path})`);
}

async function print(
  delivery: HandDelivery,
  reading: HandReading,
  shown: { plate: string | null; madeUp: boolean },
  dryRun: boolean,
  { out, ...context }: CommandContext,
): Promise<void> {
  const { describeChecks, describeFate, maskAnswer, showEnvelope } = await import("../deeds/hand-delivery.ts");
  const { camera, municipality, endpoint, certificate, ocrImage, ctxImage } = reading;
  const { envelope, contract, result } = delivery;
  const config = await context.config();
  const url = endpoint?.url ?? config.mossos.endpointUrl;
  out.facts([
    ["camera", `${camera.serial}, reader ${camera.readerCode}, ${municipality.name}`, "words"],
    ["taken", formatInstant(reading.capturedAt, config.cameraTimezone)],
    endpoint === null
      ? ["endpoint", url === null ? "none" : `(default) ${url}`, "words"]
      : ["endpoint", `${endpoint.name} ${endpoint.url}`],
    certificate === null
      ? ["certificate", "none", "words"]
      : ["certificate", `${certificate.name}, ${certificate.subject ?? "?"}`],
    ["contract", `${contract.source}, ${contract.fields.length} fields`, "words"],
    [
      "pictures",
      `plate ${formatBytes(ocrImage.length)}${shown.madeUp ? " (grey, made up)" : ""}, context ${ctxImage === null ? "none" : formatBytes(ctxImage.length)}`,
      "words",
    ],
    ["verified", await describeChecks(delivery, reading), "words"],
  ]);
  if (envelope !== null) {
    out.line();
    out.line(showEnvelope(envelope, shown.plate));
  }
  out.line();
  if (dryRun && result.kind === "sent")
    return out.line(out.paint("good", out.sentence("Nothing was sent (--dry-run).")));
  if (result.kind === "sent")
    for (const line of describeAnswer(delivery, (text) => maskAnswer(text, reading.plate))) out.line(line);
  const good = result.kind === "sent" && result.outcome.kind === "accepted";
  out.line(out.paint(good ? "good" : "bad", out.sentence(`In the queue it would be ${describeFate(result)}.`)));
}

function describeAnswer({ result, answer }: HandDelivery, mask: (text: string) => string): readonly string[] {
  if (result.kind !== "sent") return [];
  const { outcome, durationMs, serverDate, startedAt } = result;
  const lines = [`Answer after ${Math.round(durationMs)} ms: ${outcome.kind}, ${describeOutcome(outcome)}`];
  if (serverDate !== null) {
    // The header has whole seconds, of the moment of the answer: less than one is no difference.
    const seconds = Math.trunc((serverDate.getTime() + 500 - startedAt.getTime() - durationMs) / 1000);
    lines.push(`Their clock: ${serverDate.toISOString()} (${seconds === 0 ? "as ours" : `${seconds} s from ours`})`);
  }
  if (answer !== null) {
    const text = mask(answer.body.toString("utf8")).slice(0, 2000);
    lines.push(`HTTP ${answer.status} ${answer.contentType ?? ""}`, text);
  }
  return lines;
}
