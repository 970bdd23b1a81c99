import { type TSchema, Type } from "typebox";
import { ATTENTION_CODES } from "../attention.ts";
import { MESSAGE_STATUSES } from "../message.ts";
import { ROTATION_STATES, SIGNATURE_PROFILES } from "../store/registry.ts";
import { TOKEN_ROLES } from "../store/tokens.ts";

const names = new Map<TSchema, string>();

/** Gives a schema the name under which the OpenAPI document knows it. */
export function named<S extends TSchema>(name: string, schema: S): S {
  names.set(schema, name);
  return schema;
}

/** By schema; for the OpenAPI document. */
export function schemaNames(): ReadonlyMap<TSchema, string> {
  return names;
}

export function nullable<S extends TSchema>(schema: S) {
  return Type.Union([schema, Type.Null()]);
}

/** An object of exactly these fields. */
export function exactly<P extends Record<string, TSchema>>(properties: P) {
  return Type.Object(properties, { additionalProperties: false });
}

/** An instant: a Date here, ISO 8601 in UTC on the wire. */
export const Instant = Type.Unsafe<Date>({ type: "string", format: "date-time" });
export const Id = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
const Count = Type.Integer({ minimum: 0 });
const Text = Type.String();

/** A list as the store gives it. */
export function listOf<S extends TSchema>(item: S) {
  return Type.Unsafe<readonly Type.Static<S>[]>(Type.Array(item));
}

export const Failure = named(
  "Failure",
  exactly({
    code: Type.String({ description: "a word for programs" }),
    error: Type.String({ description: "what was wrong, in a sentence" }),
    hint: Type.Optional(Type.String({ description: "what to try" })),
    field: Type.Optional(nullable(Type.String({ description: "of a reading: what was wrong" }))),
    item: Type.Optional(nullable(Type.Integer({ minimum: 0, description: "of an array of readings: which, from 0" }))),
    accepted: Type.Optional(Type.Integer({ minimum: 0, description: "of an array of readings: how many are durable" })),
  }),
);

export const Role = Type.Enum([...TOKEN_ROLES]);
export const Status = Type.Enum([...MESSAGE_STATUSES]);

export const Session = named(
  "Session",
  exactly({
    name: Text,
    role: Role,
    via: Type.Enum(["token", "session"]),
    expiresAt: nullable(
      Type.Unsafe<Date>({ ...Instant, description: "when the session ends, or the token without one; null: never" }),
    ),
  }),
);

export const Setup = named(
  "Setup",
  exactly({
    hasToken: Type.Boolean({ description: "false: nobody can log in yet" }),
    command: Type.String({ description: "makes the first token, on the machine itself" }),
    version: Text,
  }),
);

export const Municipality = named(
  "Municipality",
  exactly({
    id: Id,
    name: Text,
    code: nullable(Text),
    endpointId: nullable(Id),
    certificateId: nullable(Id),
    active: Type.Boolean(),
  }),
);

export const Endpoint = named(
  "Endpoint",
  exactly({
    id: Id,
    name: Text,
    url: Text,
    timeoutMs: Count,
    retryMax: Count,
    retryBackoffMs: Count,
    profile: Type.Enum([...SIGNATURE_PROFILES]),
    soapAction: nullable(Text),
    caPath: nullable(Text),
    timezone: nullable(Text),
    wsdl: nullable(Text),
    tlsClientCertificate: Type.Boolean(),
  }),
);

export const Camera = named(
  "Camera",
  exactly({
    id: Id,
    serial: Text,
    readerCode: Text,
    description: nullable(Text),
    municipalityId: Id,
    endpointId: nullable(Id),
    coordX: nullable(Text),
    coordY: nullable(Text),
    timezone: nullable(Text),
    active: Type.Boolean(),
    lastReadingAt: nullable(Instant),
    lastSentAt: nullable(Instant),
  }),
);

const Pause = exactly({
  endpointId: Type.Integer({ minimum: 0, description: "0: the configured default" }),
  certificateId: Type.Integer({ minimum: 0, description: "0: whatever certificate" }),
  pausedUntil: nullable(Instant),
  pauseKind: nullable(Type.Enum(["unreachable", "unanswered", "misconfigured"])),
  detail: nullable(Text),
  pauses: Count,
  lastAcceptedAt: nullable(Instant),
  clockOffsetMs: nullable(Type.Number()),
  latencyMs: nullable(Type.Number()),
  mendedAt: nullable(Instant),
  triedAt: nullable(Instant),
});

const EndpointStatus = named(
  "EndpointStatus",
  exactly({
    id: Type.Integer({ minimum: 0, description: "0: the configured default (MOSSOS_ENDPOINT_URL)" }),
    name: Text,
    url: Text,
    pauses: listOf(Pause),
    lastAcceptedAt: nullable(Instant),
    latencyMs: nullable(Type.Number()),
  }),
);

const CertificateStatus = named(
  "CertificateStatus",
  exactly({
    id: Id,
    name: Text,
    municipality: Text,
    validTo: nullable(Instant),
    daysLeft: nullable(Type.Integer({ description: "negative: over" })),
    next: nullable(
      exactly({
        state: Type.Enum([...ROTATION_STATES]),
        validFrom: nullable(Instant),
        detail: nullable(Text),
      }),
    ),
  }),
);

export const Attention = named(
  "Attention",
  exactly({
    level: Type.Enum(["down", "attention"]),
    code: Type.Enum([...ATTENTION_CODES]),
    facts: Type.Unsafe<Readonly<Record<string, string | number | readonly string[]>>>(
      Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Array(Type.String())])),
    ),
    text: Type.String({ description: "in English" }),
    mend: Type.String({ description: "a command, or what to do" }),
  }),
);

const byStatus = <S extends TSchema>(value: S) =>
  exactly({ PENDING: value, SENDING: value, SUCCESS: value, FAILED: value, DEAD: value });

export const Queue = named(
  "Queue",
  exactly({
    byStatus: byStatus(Count),
    oldestAt: byStatus(nullable(Instant)),
    deadByReason: listOf(exactly({ reason: Text, count: Count })),
    readings: Count,
  }),
);

const Balance = named(
  "Balance",
  exactly({
    received: Count,
    delivered: Count,
    expired: Count,
    discarded: Count,
    waiting: Count,
    dead: Count,
    difference: Type.Integer({
      description: "received less all the others; anything but 0 is a reading lost or counted twice",
    }),
  }),
);

export const StatusReport = named(
  "StatusReport",
  exactly({
    status: Type.Enum(["fine", "attention", "down"]),
    attention: listOf(Attention),
    balance: Balance,
    at: Instant,
    version: Text,
    store: exactly({
      kind: Type.Enum(["sqlite", "postgres"]),
      version: Text,
      schemaVersion: Count,
      location: Text,
    }),
    services: listOf(
      exactly({
        task: Text,
        pid: Type.Integer(),
        startedAt: Instant,
        version: Text,
        renewedAt: Instant,
        state: Type.Enum(["running", "stalled", "dead"]),
      }),
    ),
    queue: Queue,
    cameras: listOf(Camera),
    municipalities: listOf(Municipality),
    endpoints: listOf(EndpointStatus),
    certificates: listOf(CertificateStatus),
    quarantine: exactly({
      unregistered: listOf(exactly({ serial: Text, messages: Count })),
      malformed: Count,
      more: Type.Boolean({ description: "more is held than was counted" }),
    }),
    disk: exactly({
      freeBytes: Count,
      totalBytes: Count,
      minFreeBytes: Count,
      folder: Type.String({
        description: "on the fuller one of the disks of DATA_DIR and of the pictures, which this is",
      }),
    }),
    clockOffsetMs: nullable(Type.Number({ description: "the police's clock minus ours" })),
    senderEnabled: Type.Boolean(),
  }),
);

/** Readings in the spool of this machine: on their way to the store, and those whose camera is not registered any more. */
const SPOOL_HEALTH = {
  spool_waiting: Count,
  spool_held_back: Count,
  spooling_since: nullable(Instant),
  cameras_held: Type.Boolean({ description: "cameras are not read: the disk is full; they keep their readings" }),
};

const Health = named(
  "Health",
  exactly({
    status: Type.Enum(["ok", "degraded"]),
    version: Text,
    pending_messages: Count,
    sending_messages: Count,
    failed_messages: Count,
    dead_messages: Count,
    total_readings: Count,
    oldest_waiting_at: nullable(Instant),
    ...SPOOL_HEALTH,
  }),
);

/** The store is away and the spool takes readings in: nothing is lost, nothing is delivered. */
const DegradedHealth = named(
  "DegradedHealth",
  exactly({ status: Type.Enum(["degraded"]), version: Text, error: Text, ...SPOOL_HEALTH }),
);
export const AnyHealth = Type.Union([Health, DegradedHealth]);
