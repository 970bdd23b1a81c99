import { formatAge } from "../format.ts";
import type { MessageStatus } from "../message.ts";
import type { QueueCount } from "../store/holdings.ts";
import type { Camera, Municipality } from "../store/registry.ts";
import { defineTattileCommand } from "./command.ts";
import { formatTable } from "./output.ts";
import { JSON_ARG } from "./registry-output.ts";

const STATES = ["PENDING", "SENDING", "FAILED", "DEAD"] as const satisfies readonly MessageStatus[];
type State = (typeof STATES)[number];

/** One line of the summary: what waits under one name. */
export interface QueueGroup {
  name: string;
  counts: Readonly<Record<State, number>>;
  total: number;
  /** Receipt of the oldest that waits. */
  oldestAt: Date | null;
  lastReadingAt: Date | null;
  lastSentAt: Date | null;
}

/** Adds up the counts by camera, municipality or state; cameras and municipalities without messages stand there too. Pure. */
export function groupQueue(
  by: "camera" | "municipality",
  counts: readonly QueueCount[],
  cameras: readonly Camera[],
  municipalities: readonly Municipality[],
): readonly QueueGroup[] {
  const groups = by === "camera" ? cameras : municipalities;
  return groups.map((item) => {
    const own = cameras.filter((c) => (by === "camera" ? c.id : c.municipalityId) === item.id);
    const found = counts.filter(({ cameraId }) => own.some(({ id }) => id === cameraId));
    const countOfState = (state: State): number =>
      found.filter(({ status }) => status === state).reduce((sum, { count }) => sum + count, 0);
    return {
      name: "serial" in item ? item.serial : item.name,
      counts: Object.fromEntries(STATES.map((state) => [state, countOfState(state)])) as Record<State, number>,
      total: found.reduce((sum, { count }) => sum + count, 0),
      oldestAt: earliest(found.map(({ oldestAt }) => oldestAt)),
      lastReadingAt: latest(own.map((c) => c.lastReadingAt)),
      lastSentAt: latest(own.map((c) => c.lastSentAt)),
    };
  });
}

function earliest(instants: readonly Date[]): Date | null {
  return instants.reduce<Date | null>((best, at) => (best === null || at < best ? at : best), null);
}

function latest(instants: readonly (Date | null)[]): Date | null {
  return instants.reduce<Date | null>((best, at) => (at !== null && (best === null || at > best) ? at : best), null);
}

export const summary = defineTattileCommand({
  name: "queue summary",
  summary: "count what waits, by camera, municipality or state, with the last delivery",
  notes: ["FAILED waits for another attempt, DEAD for an operator; queue list --state FAILED,DEAD shows them singly."],
  examples: ["tattile queue summary", "tattile queue summary --by municipality"],
  args: {
    by: { kind: "value", hint: "WHAT", options: ["camera", "municipality", "state"], about: "default: camera" },
    ...JSON_ARG,
  },
  async run(args, { store: openStore, out, now }) {
    const store = await openStore();
    if (args.by === "state") {
      const { byStatus, oldestAt, deadByReason } = await store.summarize();
      const items = STATES.map((state) => ({ state, count: byStatus[state], oldestAt: oldestAt[state] }));
      if (args.json) return out.json({ states: items, deadByReason });
      const rows = items.map((i) => [i.state, `${i.count}`, i.oldestAt === null ? "-" : formatAge(i.oldestAt, now())]);
      for (const { reason, count } of deadByReason) rows.push([`  ${reason}`, `${count}`, ""]);
      const columns = [
        { title: "STATE", whole: true },
        { title: "COUNT", align: "right", whole: true },
        { title: "OLDEST", whole: true },
      ] as const;
      return out.line(formatTable(columns, rows, out.width));
    }
    const by = args.by === "municipality" ? "municipality" : "camera";
    const [counts, cameras, municipalities] = await Promise.all([
      store.countQueue(),
      store.listCameras(),
      store.listMunicipalities(),
    ]);
    const groups = groupQueue(by, counts, cameras, municipalities);
    if (args.json) return out.json(groups);
    if (groups.length === 0) return out.line(`No ${by} yet.`);
    const columns = [
      { title: by.toUpperCase() },
      ...STATES.map((title) => ({ title, align: "right", whole: true }) as const),
      { title: "OLDEST", whole: true },
      { title: "READ", whole: true },
      { title: "SENT", whole: true },
    ] as const;
    const rows = groups.map((g) => [
      g.name,
      ...STATES.map((state) => `${g.counts[state]}`),
      g.oldestAt === null ? "-" : formatAge(g.oldestAt, now()),
      formatAge(g.lastReadingAt, now()),
      formatAge(g.lastSentAt, now()),
    ]);
    out.line(formatTable(columns, rows, out.width));
  },
});
