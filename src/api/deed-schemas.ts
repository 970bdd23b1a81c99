import { Type } from "typebox";
import { WIPE_KINDS } from "../store/holdings.ts";
import { CameraSerial } from "./registry-schemas.ts";
import { exactly, Instant, listOf, named, nullable } from "./schemas.ts";

const Count = Type.Integer({ minimum: 0 });
const Text = Type.String();

export const Totals = named(
  "Totals",
  exactly({
    store: exactly({
      kind: Type.Enum(["sqlite", "postgres"]),
      version: Text,
      schemaVersion: Count,
      location: Text,
      bytes: nullable(Type.Integer({ minimum: 0, description: "of an SQLite database; null: on a server" })),
    }),
    tables: listOf(exactly({ table: Text, rows: Count })),
    files: listOf(exactly({ name: Type.Enum(["images", "quarantine"]), files: Count })),
  }),
);

/** What was looked at, as `tattile doctor --json` has it. */
export const Findings = named(
  "Findings",
  exactly({
    status: Type.Enum(["fine", "attention", "down"]),
    findings: listOf(
      exactly({
        check: Type.String({ description: "what was looked at" }),
        grade: Type.Enum(["good", "warning", "bad"]),
        text: Text,
        cure: nullable(Type.String({ description: "a command, or what to do" })),
      }),
    ),
  }),
);

export const WipeWhat = exactly({
  what: Type.Enum([...WIPE_KINDS], {
    description: `one of ${WIPE_KINDS.join(", ")}; everything is wiped on the machine only, with the service stopped`,
  }),
});
export const WipeOrder = named(
  "WipeOrder",
  exactly({
    confirm: Type.Optional(
      Type.String({ minLength: 1, maxLength: 100, description: "of the answer before; without it nothing is erased" }),
    ),
  }),
);
export const Wiped = named(
  "Wiped",
  exactly({
    done: Type.Boolean({ description: "false: nothing was erased" }),
    counts: Type.Unsafe<Readonly<Record<string, number>>>(
      Type.Record(Type.String(), Count, { description: "what was erased; of an answer without done, what would be" }),
    ),
    confirm: nullable(
      Type.String({ description: "to be sent for it to be done, or to go on; null: there is no more" }),
    ),
    confirmUntil: nullable(Instant),
  }),
);

const Picture = Type.String({
  minLength: 1,
  maxLength: 11_200_000,
  contentEncoding: "base64",
  writeOnly: true,
  description: "a JPEG in base64, at most 8 MiB",
});
export const SendOrder = named(
  "SendOrder",
  exactly({
    camera: CameraSerial.properties.serial,
    plate: Type.Optional(
      Type.String({ minLength: 1, maxLength: 20, writeOnly: true, description: "1 to 20 characters" }),
    ),
    ocr: Type.Optional(Picture),
    ctx: Type.Optional(Picture),
    dryRun: Type.Optional(
      Type.Boolean({ description: "false: it is sent to the police; else only signed and checked" }),
    ),
  }),
);

/** As `tattile send --json` has it; the plate is masked. */
export const SentByHand = named(
  "SentByHand",
  exactly({
    sent: Type.Boolean(),
    camera: Text,
    endpoint: nullable(Type.String({ description: "null: the configured default" })),
    contract: exactly({ source: Text, fields: listOf(Text) }),
    verified: Type.String({ description: "what was looked at before sending, in words" }),
    envelope: nullable(Type.String({ description: "the signed message, its pictures cut and its plate masked" })),
    outcome: nullable(
      Type.Unsafe<object>({
        type: "object",
        properties: { kind: { enum: ["accepted", "rejected", "unreachable", "unanswered", "misconfigured"] } },
        required: ["kind"],
      }),
    ),
    durationMs: nullable(Count),
    httpStatus: nullable(Type.Integer()),
    lacking: nullable(exactly({ reason: Text, detail: Text })),
    fate: nullable(Type.String({ description: "what the queue would do with such a message, in words" })),
  }),
);
