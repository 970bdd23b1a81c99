import { AppError } from "../errors.ts";
import { MESSAGE_STATUSES, type MessageStatus } from "../message.ts";
import type { MessageFilter } from "../store/messages.ts";
import type { Registry } from "../store/registry.ts";
import type { ArgValues } from "./command.ts";
import type { CommandContext } from "./context.ts";
import { lookUpCamera, lookUpMunicipality } from "./lookup.ts";
import { parseIds, parseSince } from "./values.ts";

/** Which messages are meant; for every command that looks at several or changes them. */
export const MESSAGE_FILTER = {
  ids: { kind: "positional", rest: true, about: "ids of messages, as queue list shows them" },
  state: {
    kind: "value",
    hint: "STATE",
    about: `one or more of ${MESSAGE_STATUSES.filter((s) => s !== "SUCCESS").join(",")}`,
  },
  reason: { kind: "value", hint: "TEXT", about: "what the reason or the last error begins with" },
  camera: { kind: "value", hint: "SERIAL", about: "readings of this camera" },
  municipality: { kind: "value", hint: "NAME", about: "readings of this municipality's cameras" },
  since: { kind: "value", hint: "WHEN", about: "taken not before: 45min, 12h, 7d, or 2026-01-23 [10:30]" },
} as const;
export type FilterArgs = ArgValues<typeof MESSAGE_FILTER>;

/** @throws AppError `usage` or `not-found` for what cannot be meant */
export async function readFilter(
  args: FilterArgs,
  registry: Registry,
  context: CommandContext,
): Promise<MessageFilter> {
  const filter: MessageFilter = {};
  if (args.ids.length > 0) filter.ids = parseIds(args.ids);
  if (args.state !== undefined) filter.statuses = args.state.split(",").map(parseStatus);
  if (args.reason !== undefined) filter.reason = args.reason;
  if (args.camera !== undefined) filter.cameraSerial = (await lookUpCamera(registry, args.camera)).serial;
  if (args.municipality !== undefined) {
    filter.municipalityId = (await lookUpMunicipality(registry, args.municipality)).id;
  }
  if (args.since !== undefined) {
    filter.capturedSince = parseSince(args.since, context.now(), (await context.config()).cameraTimezone);
  }
  return filter;
}

function parseStatus(text: string): MessageStatus {
  const status = MESSAGE_STATUSES.find((s) => s === text.trim().toUpperCase());
  if (status !== undefined && status !== "SUCCESS") return status;
  throw new AppError("usage", `--state is ${JSON.stringify(text)}, allowed are PENDING, SENDING, FAILED, DEAD`);
}

/** The filter as it was given, for the audit log. */
export function describeFilter(args: FilterArgs): string {
  const parts = [
    ...(args.ids.length > 0 ? [`ids ${args.ids.join(",")}`] : []),
    ...(["state", "reason", "camera", "municipality", "since"] as const).flatMap((key) =>
      args[key] === undefined ? [] : [`${key} ${args[key]}`],
    ),
  ];
  return parts.join(", ") || "all messages";
}

/** The id where a single message is meant. */
export function onlyId(filter: MessageFilter): number | null {
  return filter.ids?.length === 1 ? (filter.ids[0] ?? null) : null;
}
