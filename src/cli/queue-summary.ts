import { formatAge } from "../format.ts";
import { groupQueue, QUEUE_STATES } from "../queue-groups.ts";
import { defineTattileCommand } from "./command.ts";
import { JSON_ARG } from "./registry-output.ts";

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
      const items = QUEUE_STATES.map((state) => ({ state, count: byStatus[state], oldestAt: oldestAt[state] }));
      if (args.json) return out.json({ states: items, deadByReason });
      const rows = items.map((i) => [i.state, `${i.count}`, i.oldestAt === null ? "-" : formatAge(i.oldestAt, now())]);
      for (const { reason, count } of deadByReason) rows.push([`  ${reason}`, `${count}`, ""]);
      const columns = [
        { title: "STATE", whole: true },
        { title: "COUNT", align: "right", whole: true },
        { title: "OLDEST", whole: true, words: true },
      ] as const;
      return out.table(columns, rows);
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
      ...QUEUE_STATES.map((title) => ({ title, align: "right", whole: true }) as const),
      { title: "OLDEST", whole: true, words: true },
      { title: "READ", whole: true, words: true },
      { title: "SENT", whole: true, words: true },
    ] as const;
    const rows = groups.map((g) => [
      g.name,
      ...QUEUE_STATES.map((state) => `${g.counts[state]}`),
      g.oldestAt === null ? "-" : formatAge(g.oldestAt, now()),
      formatAge(g.lastReadingAt, now()),
      formatAge(g.lastSentAt, now()),
    ]);
    out.table(columns, rows);
  },
});
