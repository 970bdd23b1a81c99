import { AppError } from "../errors.ts";
import { countOf, formatAge, formatBytes, formatInstant, maskPlate } from "../format.ts";
import type { OperatorStore, Quarantined, QuarantineKind } from "../store/store.ts";
import { audited, notePlates } from "./audited.ts";
import { type ArgValues, defineGroup, defineTattileCommand } from "./command.ts";
import { eraseHeld, parseHeld, retryHeld } from "./held-messages.ts";
import { confirm } from "./prompt.ts";
import { JSON_ARG, REMOVE_ARGS } from "./registry-output.ts";
import { parseAfter, parseIds, parseWhole } from "./values.ts";

const FILTER = {
  kind: {
    kind: "value",
    hint: "KIND",
    options: ["unregistered", "malformed"],
    about: "held for want of a camera, or because it could not be understood",
  },
  camera: { kind: "value", hint: "SERIAL", about: "messages with this serial, registered or not" },
} as const;
const DEED = {
  ids: { kind: "positional", rest: true, about: "ids of held messages, as quarantine list shows them" },
  ...FILTER,
  all: { kind: "switch", about: "every held message" },
} as const;
/** More than the bound on the quarantine's size allows by default. */
const MOST = 1_000_000;

type ListFilter = Parameters<OperatorStore["listQuarantine"]>[0];

function readFilter(args: ArgValues<typeof FILTER>): ListFilter {
  return {
    ...(args.kind === undefined ? {} : { kind: args.kind as QuarantineKind }),
    ...(args.camera === undefined ? {} : { cameraSerial: args.camera }),
  };
}

async function find(id: number, store: OperatorStore): Promise<Quarantined> {
  const held = await store.findQuarantined(id);
  if (held === null) throw new AppError("not-found", `unknown held message ${id}`, { hint: "tattile quarantine list" });
  return held;
}

/** What a deed is about; nothing given must not mean everything. */
async function select(
  command: string,
  args: ArgValues<typeof DEED>,
  store: OperatorStore,
): Promise<readonly Quarantined[]> {
  const filter = readFilter(args);
  const filtered = Object.keys(filter).length > 0;
  if ([args.ids.length > 0, filtered, args.all].filter(Boolean).length !== 1) {
    throw new AppError("usage", `${command}: which held messages?`, {
      hint: "give ids, or --kind and --camera, or --all",
    });
  }
  if (args.ids.length === 0) return store.listQuarantine(filter, MOST);
  return Promise.all(parseIds(args.ids).map((id) => find(id, store)));
}

/** What was meant and how much, for the audit log. */
function describeHeld(args: ArgValues<typeof DEED>, held: readonly Quarantined[]): string {
  const parts = [
    ...(args.ids.length > 0 ? [`ids ${args.ids.join(",")}`] : []),
    ...(args.kind === undefined ? [] : [`kind ${args.kind}`]),
    ...(args.camera === undefined ? [] : [`camera ${args.camera}`]),
  ];
  return `${parts.join(", ") || "all"}: ${countOf(held.length, "held message")}`;
}

const list = defineTattileCommand({
  name: "quarantine list",
  summary: "list held messages: of unregistered cameras, and malformed ones",
  examples: ["tattile quarantine list", "tattile quarantine list --kind malformed"],
  args: {
    ...FILTER,
    limit: { kind: "value", hint: "N", about: "at most this many (default 50)" },
    after: { kind: "value", hint: "ID", about: "only those that come behind this one in the list" },
    ...JSON_ARG,
  },
  async run(args, { store: openStore, out, now }) {
    const limit = args.limit === undefined ? 50 : parseWhole("--limit", args.limit, 1, MOST);
    const found = await (await openStore()).listQuarantine(readFilter(args), limit + 1, parseAfter(args.after));
    const held = found.slice(0, limit);
    if (args.json) return out.json(held);
    if (held.length === 0) return out.line("Nothing is held.");
    const rows = held.map((h) => [
      `${h.id}`,
      h.kind,
      h.cameraSerial ?? "-",
      h.peer,
      formatAge(h.receivedAt, now()),
      formatBytes(h.sizeBytes),
      h.reason,
    ]);
    const columns = [
      { title: "ID", whole: true },
      { title: "KIND", whole: true },
      { title: "CAMERA", whole: true },
      { title: "FROM" },
      { title: "RECEIVED", whole: true, words: true },
      { title: "SIZE", align: "right", whole: true },
      { title: "REASON", words: true },
    ] as const;
    out.table(columns, rows);
    if (found.length > limit) out.note(`More than ${limit}; go on with --after ${held.at(-1)?.id}`);
  },
});

const show = defineTattileCommand({
  name: "quarantine show",
  summary: "show one held message and what can be understood of it",
  examples: ["tattile quarantine show 12"],
  args: {
    id: { kind: "positional", required: true, about: "id of the held message" },
    "show-plates": { kind: "switch", about: "show the plate in full (personal data)" },
    ...JSON_ARG,
  },
  async run(args, context) {
    const { out } = context;
    const held = await find(parseIds([args.id])[0] ?? 0, await context.store());
    const config = await context.config();
    await notePlates(args["show-plates"], `quarantine show ${held.id}`, null, context);
    const parsed = await parseHeld(held, config);
    const reading = parsed?.kind === "reading" ? parsed.reading : null;
    const plate = reading === null ? null : args["show-plates"] ? reading.facts.plate : maskPlate(reading.facts.plate);
    if (args.json) {
      const images = reading && { ocrBytes: reading.ocrImage?.length ?? 0, ctxBytes: reading.ctxImage?.length ?? 0 };
      return out.json({ ...held, reading: reading && { ...reading.facts, plate, images } });
    }
    const understood =
      parsed === null ? "content was not kept" : parsed.kind === "reading" ? "yes" : `no: ${parsed.reason}`;
    out.facts([
      ["id", `${held.id}`],
      ["kind", held.kind],
      ["reason", held.reason, "words"],
      ["camera", held.cameraSerial ?? "-"],
      ["protocol", held.protocol],
      ["from", held.peer],
      ["received", formatInstant(held.receivedAt, config.cameraTimezone)],
      ["size", formatBytes(held.sizeBytes)],
      ["understood now", understood, "words"],
      ["plate", plate ?? "-"],
      ["plate image", formatBytes(reading?.ocrImage?.length ?? 0)],
      ["context image", formatBytes(reading?.ctxImage?.length ?? 0)],
    ]);
  },
});

const retry = defineTattileCommand({
  name: "quarantine retry",
  summary: "take held messages in again",
  notes: ["Messages of a camera that is registered meanwhile are taken up by the service without this."],
  examples: ["tattile quarantine retry 12", "tattile quarantine retry --camera 2001008851"],
  args: { ...DEED, "dry-run": REMOVE_ARGS["dry-run"], ...JSON_ARG },
  async run(args, context) {
    const { out } = context;
    const held = await select("quarantine retry", args, await context.store());
    if (args["dry-run"]) {
      return args.json
        ? out.json({ wouldRetry: held.length })
        : out.line(`would retry ${countOf(held.length, "message")}`);
    }
    const deed = { what: "quarantine retry", detail: describeHeld(args, held) } as const;
    const results = await audited(deed, context, () => retryHeld(held, context));
    if (args.json) return out.json(Object.fromEntries(results));
    const counts = [...results].map(([result, count]) => `${count} ${result}`).join(", ");
    out.line(`retried ${countOf(held.length, "message")}${counts === "" ? "" : `: ${counts}`}`);
  },
});

const drop = defineTattileCommand({
  name: "quarantine drop",
  summary: "erase held messages",
  examples: ["tattile quarantine drop 12", "tattile quarantine drop --kind malformed --yes"],
  args: { ...DEED, ...REMOVE_ARGS, ...JSON_ARG },
  async run(args, context) {
    const { out } = context;
    const store = await context.store();
    const held = await select("quarantine drop", args, store);
    const what = `erase ${countOf(held.length, "held message")}`;
    if (args["dry-run"]) return args.json ? out.json({ wouldDrop: held.length }) : out.line(`would ${what}`);
    if (held.length > 0) await confirm(what, args.yes, context);
    const deed = { what: "quarantine drop", detail: describeHeld(args, held) } as const;
    await audited(deed, context, () => eraseHeld(held, store, context));
    if (args.json) out.json({ dropped: held.length });
    else out.line(`erased ${countOf(held.length, "held message")}`);
  },
});

export const quarantineCommands = defineGroup("quarantine", "look at held messages, take them in again or erase them", [
  list,
  show,
  retry,
  drop,
]);
