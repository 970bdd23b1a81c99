import { type Static, Type } from "typebox";
import { gatherExplanation } from "../explanation.ts";
import { captured, formatDay, maskPlate, nameIds } from "../format.ts";
import { listedReading, type ShownMessage } from "../listed-reading.ts";
import { groupQueue } from "../queue-groups.ts";
import type { MessageFilter, QueuedMessage } from "../store/messages.ts";
import type { Auditor } from "./audit.ts";
import type { ApiDeps } from "./deps.ts";
import {
  Changed,
  Explained,
  MessageDetail,
  MessageList,
  MessageQuery,
  MessageSelection,
  QueueGroups,
  ReadingList,
} from "./message-schemas.ts";
import { invalid, mustFind, Refusal } from "./refusal.ts";
import { createReuse } from "./reuse.ts";
import { type Caller, defineMediaRoute, defineRoute, LONG_SECONDS, type Route } from "./route.ts";
import { exactly, Id } from "./schemas.ts";

const USUAL_LIMIT = 50;
/** However often it is asked for, counting the whole queue takes a twentieth of the time at most. */
const COUNT = { keepMs: 0, share: 20 };
const DELIVERED = "A delivered message is erased.";

interface FilterFields {
  reason?: string;
  camera?: string;
  municipality?: string;
  since?: string;
}

/** The queue: what waits, why, its pictures, and sending it again. */
export function messageRoutes(deps: ApiDeps, auditor: Auditor): readonly Route[] {
  const { store, images, config, clock } = deps;

  const countQueue = createReuse(() => store.countQueue(), COUNT, clock);
  const findMessage = async (id: number) => mustFind(await store.findMessage(id), `message ${id}`, DELIVERED);

  async function readFilter(where: string, fields: FilterFields): Promise<MessageFilter> {
    const filter: MessageFilter = {};
    if (fields.reason !== undefined) filter.reason = fields.reason;
    if (fields.camera !== undefined) filter.cameraSerial = fields.camera;
    if (fields.since !== undefined) filter.capturedSince = new Date(fields.since);
    if (fields.municipality !== undefined) {
      const municipality = await store.findMunicipality(fields.municipality);
      if (municipality === null)
        throw invalid(
          `${where}.municipality is ${JSON.stringify(fields.municipality)}`,
          "Name a municipality that is registered.",
        );
      filter.municipalityId = municipality.id;
    }
    return filter;
  }

  async function readSelection(body: FilterFields & { ids?: number[]; states?: string[]; all?: boolean }) {
    const { ids, states, all, ...fields } = body;
    const filter = await readFilter("body", fields);
    if (ids !== undefined) filter.ids = ids;
    if (states !== undefined) filter.statuses = states as NonNullable<MessageFilter["statuses"]>;
    if (Object.keys(filter).length > 0 === (all === true)) {
      throw invalid("which messages?", "Give ids, states, reason, camera, municipality or since, or all: true alone.");
    }
    return filter;
  }

  return [
    defineRoute({
      method: "GET",
      path: "/api/v1/messages",
      tag: "messages",
      summary: "messages that wait or were given up",
      access: "viewer",
      query: MessageQuery,
      answer: MessageList,
      handle: ({ query, caller }) => list(query, "oldest", "messages", caller),
    }),
    defineRoute({
      method: "GET",
      path: "/api/v1/readings",
      tag: "messages",
      summary: "the readings that are stored, the newest first; what the police have is erased",
      access: "viewer",
      query: MessageQuery,
      answer: ReadingList,
      handle: async ({ query, caller }) => {
        const { messages, ...page } = await list(query, "newest", "readings", caller);
        return { readings: messages.map(listedReading), ...page };
      },
    }),
    defineRoute({
      method: "GET",
      path: "/api/v1/messages/{id}",
      tag: "messages",
      summary: "one message with its attempts",
      access: "viewer",
      params: exactly({ id: Id }),
      query: exactly({ plates: Type.Optional(Type.Boolean()) }),
      answer: MessageDetail,
      handle: async ({ params, query, caller }) => {
        const found = await findMessage(params.id);
        const plates = query.plates ?? false;
        if (plates) await notePlates(caller, `message ${params.id}`, params.id);
        return { message: show(found.message, caller, plates), history: found.attempts };
      },
    }),
    defineRoute({
      method: "GET",
      path: "/api/v1/messages/{id}/explain",
      tag: "messages",
      summary: "the life of a message in sentences, what it waits for and what would free it",
      access: "operator",
      params: exactly({ id: Id }),
      query: exactly({ plates: Type.Optional(Type.Boolean()) }),
      answer: Explained,
      handle: async ({ params, query, caller }) => {
        const found = await findMessage(params.id);
        const showPlate = query.plates ?? false;
        if (showPlate) await notePlates(caller, `message ${params.id}, explained`, params.id);
        const explanation = await gatherExplanation(found, store, config, { now: clock.now(), showPlate });
        return { messageId: params.id, status: found.message.status, ...explanation };
      },
    }),
    defineRoute({
      method: "GET",
      path: "/api/v1/queue/summary",
      tag: "messages",
      summary:
        "what waits of each camera or municipality; of a long queue it may be some seconds old, since all of it is counted",
      access: "viewer",
      query: exactly({ by: Type.Optional(Type.Enum(["camera", "municipality"])) }),
      answer: QueueGroups,
      handle: async ({ query: { by = "camera" } }) => {
        const [counts, cameras, municipalities] = await Promise.all([
          countQueue(),
          store.listCameras(),
          store.listMunicipalities(),
        ]);
        return groupQueue(by, counts, cameras, municipalities);
      },
    }),
    defineMediaRoute({
      method: "GET",
      path: "/api/v1/messages/{id}/images/{kind}",
      tag: "messages",
      summary: "a picture of a reading that was not delivered yet; one line in the audit log",
      access: "operator",
      params: exactly({ id: Id, kind: Type.Enum(["ocr", "ctx"]) }),
      media: "image/jpeg",
      handle: async ({ params, caller }) => {
        const paths = mustFind(await store.findMessageImages(params.id), `message ${params.id}`, DELIVERED);
        const path = params.kind === "ocr" ? paths.ocr : paths.ctx;
        const bytes = path === null ? null : await images.read(path);
        if (bytes === null) throw new Refusal(404, "not-found", `message ${params.id} has no such picture`);
        await auditor.note(caller, { what: "image show", detail: params.kind, messageId: params.id });
        return new Response(bytes as Uint8Array<ArrayBuffer>, {
          headers: { "content-type": "image/jpeg", "content-disposition": "inline" },
        });
      },
    }),
    defineRoute({
      method: "POST",
      path: "/api/v1/messages/retry",
      tag: "messages",
      summary: "send FAILED and DEAD messages again, now and with all their attempts",
      access: "operator",
      body: MessageSelection,
      answer: Changed,
      handle: async ({ body, caller, wait }) => {
        const filter = await readSelection(body);
        wait(LONG_SECONDS);
        const deed = { what: "queue retry" as const, detail: describe(body), messageId: onlyId(filter) };
        const messages = await auditor.around(caller, deed, () => store.retryMessages(filter, clock.now()));
        if (messages > 0) deps.onDue();
        return { messages };
      },
    }),
    defineRoute({
      method: "POST",
      path: "/api/v1/messages/discard",
      tag: "messages",
      summary: "erase messages with their pictures, unsent; not what is being sent",
      access: "operator",
      body: MessageSelection,
      answer: Changed,
      handle: async ({ body, caller, wait }) => {
        const filter = await readSelection(body);
        wait(LONG_SECONDS);
        const deed = { what: "queue discard" as const, detail: describe(body), messageId: onlyId(filter) };
        const { readings, failure } = await auditor.around(caller, deed, async () =>
          (await deps.deeds()).discard(filter),
        );
        // The readings are gone, whatever becomes of their pictures.
        if (failure !== null) throw failure;
        return { messages: readings };
      },
    }),
  ];

  /** One page of what the filter means. `what`: for the audit log. */
  async function list(
    query: Static<typeof MessageQuery>,
    usualOrder: "oldest" | "newest",
    what: string,
    caller: Caller | null,
  ) {
    const { state, order = usualOrder, limit = USUAL_LIMIT, plates = false, after, ...fields } = query;
    const filter = await readFilter("query", fields);
    if (state !== undefined) filter.statuses = state.split(",") as NonNullable<MessageFilter["statuses"]>;
    if (plates) requirePlates(caller);
    const found = await store.listMessages(filter, limit + 1, order, after);
    const messages = found.slice(0, limit).map((message) => show(message, caller, plates));
    if (plates) {
      const ids = messages.map(({ messageId }) => messageId);
      const onlyOne = ids.length === 1 ? (ids[0] ?? null) : null;
      // The ids first: the filter may be long, and what is too long is cut at its end.
      await notePlates(caller, `${what} ${nameIds(ids)}: ${describe({ ...fields, state })}`, onlyOne);
    }
    const more = found.length > limit;
    return { messages, more, next: more ? (messages.at(-1)?.messageId ?? null) : null };
  }

  /** Before plates are answered in full: that somebody saw these is written down. */
  async function notePlates(caller: Caller | null, detail: string, messageId: number | null): Promise<void> {
    requirePlates(caller);
    await auditor.note(caller, { what: "plates show", detail, messageId });
  }
}

/** @throws Refusal 403 for whom plates are not */
function requirePlates(caller: Caller | null): void {
  if (caller !== null && caller.token.role !== "viewer") return;
  throw new Refusal(403, "forbidden", "plates are not for viewers", { hint: "Use a token made with --role operator." });
}

function show(message: QueuedMessage, caller: Caller | null, plates: boolean): ShownMessage {
  const shown = { ...message, ...captured(message) };
  if (caller === null || caller.token.role === "viewer") return { ...shown, plate: null };
  return { ...shown, plate: plates ? message.plate : maskPlate(message.plate) };
}

/** A filter as it was given, for the audit log. */
export function describe(fields: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${value instanceof Date ? formatDay(value) : String(value)}`);
  return parts.join(", ") || "nothing else";
}

function onlyId(filter: MessageFilter): number | null {
  return filter.ids?.length === 1 ? (filter.ids[0] ?? null) : null;
}
