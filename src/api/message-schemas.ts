import { Type } from "typebox";
import { PROTOCOLS, TIME_SOURCES } from "../reading.ts";
import { exactly, Id, Instant, listOf, named, nullable, Status } from "./schemas.ts";

const Count = Type.Integer({ minimum: 0 });
const Text = Type.String();

/** When a reading was taken. Of those of the replaced system only the digits are known that the camera's clock showed. */
const CAPTURED = {
  capturedAt: nullable(Instant),
  capturedWallClock: nullable(
    Type.String({
      pattern: "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}$",
      description: "where timeSource is wall-clock: what the camera's clock showed, in no zone, as the police get it",
    }),
  ),
};

export const Message = named(
  "Message",
  exactly({
    messageId: Id,
    status: Status,
    attempts: Type.Integer({ minimum: 0, description: "attempts spent" }),
    reason: nullable(Type.String({ description: "why it is DEAD" })),
    lastError: nullable(Text),
    cameraSerial: Text,
    municipality: Text,
    endpointName: nullable(Type.String({ description: "null: the configured default" })),
    plate: nullable(Type.String({ description: "null for a viewer; masked (12•••CD) unless plates=true" })),
    direction: nullable(Text),
    laneId: nullable(Type.Number()),
    ocrScore: nullable(Type.Number()),
    countryCode: nullable(Text),
    ...CAPTURED,
    timeSource: Type.Enum([...TIME_SOURCES]),
    receivedAt: Instant,
    nextRetryAt: nullable(Instant),
    hasOcrImage: Type.Boolean(),
    hasCtxImage: Type.Boolean(),
    leaseOwner: nullable(Text),
    leaseUntil: nullable(Instant),
  }),
);

/** Where a list goes on; the same in every answer that is one. */
export const Next = nullable(
  Type.Integer({ minimum: 1, description: "give it as `after` for what comes behind these; null: these are the last" }),
);
export const After = Type.Optional(
  Type.Integer({
    minimum: 1,
    maximum: Number.MAX_SAFE_INTEGER,
    description: "`next` of the answer before: only what comes behind it",
  }),
);

export const MessageList = named(
  "MessageList",
  exactly({
    messages: listOf(Message),
    more: Type.Boolean({ description: "there are more than the limit let through" }),
    next: Next,
  }),
);

/** A reading as `tattile readings list` has it: what was seen, not what becomes of it. */
export const ReadingList = named(
  "ReadingList",
  exactly({
    readings: listOf(
      named(
        "Reading",
        exactly({
          id: Type.Integer({ minimum: 1, description: "of its message" }),
          ...CAPTURED,
          timeSource: Type.Enum([...TIME_SOURCES]),
          receivedAt: Instant,
          camera: Text,
          municipality: Text,
          plate: nullable(Type.String({ description: "null for a viewer; masked (12•••CD) unless plates=true" })),
          country: nullable(Text),
          direction: nullable(Text),
          lane: nullable(Type.Number()),
          score: nullable(Type.Number()),
          images: exactly({ ocr: Type.Boolean(), ctx: Type.Boolean() }),
          state: Status,
        }),
      ),
    ),
    more: Type.Boolean(),
    next: Next,
  }),
);

export const MessageDetail = named(
  "MessageDetail",
  exactly({
    message: Message,
    history: listOf(
      exactly({
        at: Instant,
        kind: Type.Enum(["accepted", "rejected", "unreachable", "unanswered", "misconfigured"]),
        detail: Text,
        durationMs: Type.Number(),
      }),
    ),
  }),
);

const FILTER = {
  reason: Type.Optional(
    Type.String({ minLength: 1, maxLength: 200, description: "the beginning of reason or last error" }),
  ),
  camera: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: "a serial" })),
  municipality: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: "a name" })),
  since: Type.Optional(Type.String({ format: "date-time", description: "an instant, taken at or after it" })),
};
const State = Type.Enum(["PENDING", "SENDING", "FAILED", "DEAD"]);

export const MessageQuery = exactly({
  ...FILTER,
  state: Type.Optional(
    Type.String({
      pattern: "^(PENDING|SENDING|FAILED|DEAD)(,(PENDING|SENDING|FAILED|DEAD))*$",
      description: "one or more of PENDING, SENDING, FAILED, DEAD, with commas between",
    }),
  ),
  order: Type.Optional(Type.Enum(["oldest", "newest"])),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
  after: After,
  plates: Type.Optional(Type.Boolean({ description: "true: plates in full, one line in the audit log" })),
});

/** Which messages a bulk deed means; nothing must not mean everything. */
export const MessageSelection = named(
  "MessageSelection",
  exactly({
    ...FILTER,
    ids: Type.Optional(Type.Array(Id, { minItems: 1, maxItems: 1000 })),
    states: Type.Optional(Type.Array(State, { minItems: 1 })),
    all: Type.Optional(Type.Boolean({ description: "true: every message; without any other field" })),
  }),
);

export const Changed = named(
  "Changed",
  exactly({ messages: Type.Integer({ minimum: 0, description: "how many were changed" }) }),
);

export const Held = named(
  "Held",
  exactly({
    id: Id,
    kind: Type.Enum(["unregistered", "malformed"]),
    reason: Text,
    cameraSerial: nullable(Text),
    protocol: Type.Enum([...PROTOCOLS]),
    peer: Text,
    receivedAt: Instant,
    sizeBytes: Count,
    path: nullable(Type.String({ description: "below the quarantine folder; null: the content was not kept" })),
  }),
);

export const HeldList = named("HeldList", exactly({ held: listOf(Held), more: Type.Boolean(), next: Next }));

export const HeldDetail = named(
  "HeldDetail",
  exactly({
    held: Held,
    understood: Type.Enum(["yes", "no", "gone"]),
    problem: nullable(Text),
    plate: nullable(Text),
    ocrBytes: Count,
    ctxBytes: Count,
  }),
);

export const HeldSelection = named(
  "HeldSelection",
  exactly({
    ids: Type.Optional(Type.Array(Id, { minItems: 1, maxItems: 1000 })),
    kind: Type.Optional(Type.Enum(["unregistered", "malformed"])),
    camera: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: "a serial" })),
    all: Type.Optional(Type.Boolean({ description: "true: everything held; without any other field" })),
  }),
);

export const HeldResults = named(
  "HeldResults",
  Type.Unsafe<Record<string, number>>(
    Type.Record(Type.String(), Type.Integer({ minimum: 0 }), { description: "how many became what" }),
  ),
);

export const Explained = named(
  "Explained",
  exactly({
    messageId: Id,
    status: Status,
    story: listOf(Type.String({ description: "a sentence in English; the plate in it is masked unless plates=true" })),
    waitsFor: Text,
    cures: listOf(Type.String({ description: "a command, or what to do" })),
  }),
);

const StateCounts = exactly({ PENDING: Count, SENDING: Count, FAILED: Count, DEAD: Count });

export const QueueGroups = named(
  "QueueGroups",
  listOf(
    exactly({
      name: Type.String({ description: "a serial, or the name of a municipality" }),
      counts: StateCounts,
      total: Count,
      oldestAt: nullable(Instant),
      lastReadingAt: nullable(Instant),
      lastSentAt: nullable(Instant),
    }),
  ),
);
