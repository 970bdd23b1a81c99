import { AppError } from "../errors.ts";
import { captured, countOf, formatAge, formatCaptured, formatInstant, maskPlate } from "../format.ts";
import type { MessageStatus } from "../message.ts";
import type { MessageFilter, QueuedMessage } from "../store/messages.ts";
import type { Registry } from "../store/registry.ts";
import { audited, noteListedPlates, notePlates } from "./audited.ts";
import { type ArgValues, defineGroup, defineTattileCommand } from "./command.ts";
import type { CommandContext } from "./context.ts";
import { explainMessageCommand } from "./explain.ts";
import { discardWithImages } from "./images.ts";
import { lookUpMessage } from "./lookup.ts";
import { describeFilter, type FilterArgs, MESSAGE_FILTER, onlyId, readFilter } from "./message-filter.ts";
import { confirm } from "./prompt.ts";
import { summary } from "./queue-summary.ts";
import { JSON_ARG, REMOVE_ARGS } from "./registry-output.ts";
import { parseAfter, parseIds, parseWhole } from "./values.ts";

const ALL = { all: { kind: "switch", about: "every message" } } as const;
const PLATES = { "show-plates": { kind: "switch", about: "show plates in full (personal data)" } } as const;
/** Counting for a question stops here; the deed itself does not. */
const COUNT_LIMIT = 100_000;

/** Nothing given must not mean everything. */
async function readDeedFilter(
  command: string,
  args: FilterArgs & ArgValues<typeof ALL>,
  registry: Registry,
  context: CommandContext,
): Promise<MessageFilter> {
  const filter = await readFilter(args, registry, context);
  const given = Object.keys(filter).length > 0;
  if (given === args.all) {
    const text = given ? "--all together with a filter" : "which messages?";
    throw new AppError("usage", `${command}: ${text}`, {
      hint: "give ids, --state, --reason, --camera, --municipality or --since, or --all alone",
    });
  }
  return filter;
}

/** Of what the filter means those that the deed can change: others, of any number, do not stand before them in the count. */
function only(filter: MessageFilter, changeable: readonly MessageStatus[]): MessageFilter {
  const { statuses } = filter;
  return { ...filter, statuses: changeable.filter((status) => statuses?.includes(status) ?? true) };
}

function asJson(message: QueuedMessage, showPlates: boolean) {
  return { ...message, ...captured(message), plate: showPlates ? message.plate : maskPlate(message.plate) };
}

const list = defineTattileCommand({
  name: "queue list",
  summary: "list waiting messages, oldest first",
  examples: ["tattile queue list --state DEAD", "tattile queue list --camera 2001008851 --limit 20"],
  args: {
    ...MESSAGE_FILTER,
    limit: { kind: "value", hint: "N", about: "at most this many (default 50)" },
    after: { kind: "value", hint: "ID", about: "only those that come behind this one in the list" },
    ...PLATES,
    ...JSON_ARG,
  },
  async run(args, context) {
    const { out, now } = context;
    const store = await context.store();
    const limit = args.limit === undefined ? 50 : parseWhole("--limit", args.limit, 1, 1_000_000);
    const filter = await readFilter(args, store, context);
    const found = await store.listMessages(filter, limit + 1, "oldest", parseAfter(args.after));
    const messages = found.slice(0, limit);
    await noteListedPlates(args["show-plates"], "queue list", messages, describeFilter(args), context);
    if (args.json) return out.json(messages.map((m) => asJson(m, args["show-plates"])));
    if (messages.length === 0) return out.line("No message.");
    const rows = messages.map((m) => [
      `${m.messageId}`,
      m.status,
      m.cameraSerial,
      args["show-plates"] ? m.plate : maskPlate(m.plate),
      formatAge(m.receivedAt, now()),
      `${m.attempts}`,
      m.reason ?? m.lastError ?? "",
    ]);
    const columns = [
      { title: "ID", whole: true },
      { title: "STATE", whole: true },
      { title: "CAMERA", whole: true },
      { title: "PLATE", whole: true },
      { title: "RECEIVED", whole: true, words: true },
      { title: "TRIES", align: "right", whole: true },
      { title: "REASON", words: true },
    ] as const;
    out.table(columns, rows);
    if (found.length > limit) out.note(`More than ${limit}; go on with --after ${messages.at(-1)?.messageId}`);
  },
});

const show = defineTattileCommand({
  name: "queue show",
  summary: "show one message and its attempts",
  examples: ["tattile queue show 1234"],
  args: { id: { kind: "positional", required: true, about: "id of the message" }, ...PLATES, ...JSON_ARG },
  async run(args, context) {
    const { out } = context;
    const id = parseIds([args.id])[0] ?? 0;
    const store = await context.store();
    const found = await lookUpMessage(store, id);
    const { message, attempts } = found;
    await notePlates(args["show-plates"], "queue show", id, context);
    if (args.json) return out.json({ ...asJson(message, args["show-plates"]), history: attempts });
    const zone = (await context.config()).cameraTimezone;
    out.facts([
      ["id", `${message.messageId}`],
      ["state", message.status],
      ["reason", message.reason ?? "-"],
      ["last error", message.lastError ?? "-", "words"],
      ["camera", message.cameraSerial],
      ["municipality", message.municipality],
      message.endpointName === null
        ? ["endpoint", "(default: MOSSOS_ENDPOINT_URL)", "words"]
        : ["endpoint", message.endpointName],
      ["plate", args["show-plates"] ? message.plate : maskPlate(message.plate)],
      ["captured", `${formatCaptured(message, zone)} (${message.timeSource})`, "words"],
      ["received", formatInstant(message.receivedAt, zone)],
      ["attempts spent", `${message.attempts}`],
      ["next attempt", formatInstant(message.nextRetryAt, zone)],
      [
        "images",
        [message.hasOcrImage ? "plate" : "", message.hasCtxImage ? "context" : ""].filter(Boolean).join(", ") || "none",
        "words",
      ],
      ["being sent by", message.leaseOwner ?? "-"],
    ]);
    for (const attempt of attempts) {
      const [kind, detail] = [out.words(attempt.kind), out.words(attempt.detail)];
      out.line(`${formatInstant(attempt.at, zone)}  ${kind}, ${attempt.durationMs} ms: ${detail}`);
    }
  },
});

const retry = defineTattileCommand({
  name: "queue retry",
  summary: "send FAILED and DEAD messages again, now and with all their attempts",
  examples: ["tattile queue retry 1234 1235", "tattile queue retry --reason codiRetorn=", "tattile queue retry --all"],
  args: { ...MESSAGE_FILTER, ...ALL, "dry-run": REMOVE_ARGS["dry-run"], ...JSON_ARG },
  async run(args, context) {
    const { out, now } = context;
    const store = await context.store();
    const filter = await readDeedFilter("queue retry", args, store, context);
    if (args["dry-run"]) {
      const count = (await store.listMessages(only(filter, ["FAILED", "DEAD"]), COUNT_LIMIT)).length;
      const what = `retry ${count >= COUNT_LIMIT ? "at least " : ""}${countOf(count, "message")}`;
      return args.json ? out.json({ wouldRetry: count }) : out.line(`would ${what}`);
    }
    const deed = { what: "queue retry", detail: describeFilter(args), messageId: onlyId(filter) } as const;
    const retried = await audited(deed, context, () => store.retryMessages(filter, now()));
    if (args.json) out.json({ retried });
    else out.line(`retried ${countOf(retried, "message")}`);
  },
});

const discard = defineTattileCommand({
  name: "queue discard",
  summary: "erase messages unsent, with readings and images",
  notes: ["What is being sent at this moment stays. Erased readings cannot be brought back."],
  examples: ["tattile queue discard 1234", "tattile queue discard --state DEAD --reason NO_IMAGE --dry-run"],
  args: { ...MESSAGE_FILTER, ...ALL, ...REMOVE_ARGS, ...JSON_ARG },
  async run(args, context) {
    const { out } = context;
    const store = await context.store();
    const filter = await readDeedFilter("queue discard", args, store, context);
    const found = (await store.listMessages(only(filter, ["PENDING", "FAILED", "DEAD"]), COUNT_LIMIT)).length;
    const what = `erase ${found >= COUNT_LIMIT ? "at least " : ""}${countOf(found, "message")} unsent, with images`;
    if (args["dry-run"]) return args.json ? out.json({ wouldDiscard: found }) : out.line(`would ${what}`);
    if (found > 0) await confirm(what, args.yes, context);
    const detail = `${describeFilter(args)}: ${countOf(found, "message")}`;
    const deed = { what: "queue discard", detail, messageId: onlyId(filter) } as const;
    const { readings, images } = await audited(deed, context, () => discardWithImages(filter, store, context));
    await store.scrub();
    if (args.json) out.json({ discarded: readings, images });
    else out.line(`erased ${countOf(readings, "message")} and ${countOf(images, "image")}`);
  },
});

export const queueCommands = defineGroup("queue", "look at waiting messages, send them again or erase them", [
  list,
  summary,
  show,
  explainMessageCommand,
  retry,
  discard,
]);
