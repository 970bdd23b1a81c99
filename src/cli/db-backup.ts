import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { systemClock } from "../clock.ts";
import { AppError } from "../errors.ts";
import { countOf, formatBytes } from "../format.ts";
import type { BackupFacts } from "../store/sqlite-backup.ts";
import type { Store } from "../store/store.ts";
import { audited, noteDeed } from "./audited.ts";
import { defineTattileCommand } from "./command.ts";
import type { CommandContext } from "./context.ts";
import { confirm } from "./prompt.ts";
import { JSON_ARG, REMOVE_ARGS } from "./registry-output.ts";

const FILE = { kind: "positional", required: true, about: "the backup's file" } as const;

export const dbBackup = defineTattileCommand({
  name: "db backup",
  summary: "copy the database to a file while the service runs",
  notes: [
    "The file holds plates of what waits: it is for its owner's eyes only (0600). Pictures, keys and dedupe.key are not in it.",
    "With PostgreSQL it holds what is registered, no queue: the rest is PostgreSQL's own backup (pg_dump).",
  ],
  examples: ["tattile db backup /root/tattile-2026-05-04.db"],
  args: { file: FILE, ...JSON_ARG },
  async run(args, context) {
    const { out } = context;
    const config = await context.config();
    const file = resolve(args.file);
    const { backUpSqlite } = await import("../store/sqlite-backup.ts");
    const facts =
      config.database === null ? backUpSqlite(config.databasePath, file) : await backUpRegistry(file, context);
    if (args.json) return out.json({ file, ...facts });
    out.line(`${file}: ${describe(facts)}`);
  },
});

export const dbRestore = defineTattileCommand({
  name: "db restore",
  summary: "put a backup in the place of the database, while no service runs",
  notes: [
    "What was there stays beside it as tattile.db.replaced, with its plates: delete it once all is well.",
    "The backup knows what waited when it was made. What was delivered since would be sent again: --without-queue leaves it out.",
    "With PostgreSQL the backup's registrations are added to those that are there.",
  ],
  examples: ["tattile db restore /root/tattile-2026-05-04.db --without-queue"],
  args: {
    file: FILE,
    "without-queue": { kind: "switch", about: "take the registrations and counts, not what waited" },
    ...REMOVE_ARGS,
    ...JSON_ARG,
  },
  async run(args, context) {
    const { out } = context;
    const config = await context.config();
    const file = resolve(args.file);
    const { inspectBackup, requireUnused, restoreSqlite } = await import("../store/sqlite-backup.ts");
    const facts = inspectBackup(file);
    await requireStopped(context);
    const place = config.database === null ? config.databasePath : "the PostgreSQL database";
    const what = `restore ${place} from ${file} (${describe(facts)})`;
    if (args["dry-run"]) return args.json ? out.json({ file, ...facts }) : out.line(`would ${what}`);
    await confirm(what, args.yes, context);
    if (config.database !== null) {
      await audited({ what: "database restore", detail: what }, context, () => restoreRegistry(file, context));
      return args.json
        ? out.json({ file, ...facts, replaced: null })
        : out.line(`registered again: ${describe(facts)}`);
    }
    requireUnused(config.databasePath);
    const replaced = restoreSqlite(file, config.databasePath);
    // Opened once: brought up to date, or refused now and not at the next start of the service.
    const store = await context.store();
    // Into what was restored: what was there is no longer the audit log that is looked at.
    await noteDeed({ what: "database restore", detail: what }, context);
    const left = args["without-queue"] ? await leaveOutQueue(store, context.now()) : 0;
    if (args.json) return out.json({ file, ...facts, replaced, discarded: left });
    out.line(`restored: ${describe(facts)}${left > 0 ? `, of which ${countOf(left, "message")} were left out` : ""}`);
    if (replaced !== null) out.line(`what was there: ${replaced} (it holds plates; delete it once all is well)`);
  },
});

/** Nobody sends from what was just restored: what was being sent when the backup was made belongs to no one now. */
async function leaveOutQueue(store: Store, now: Date): Promise<number> {
  for (const owner of await store.listOwners()) await store.releaseOwner(owner, now);
  return (await store.discardMessages({})).messages;
}

function describe({ cameras, messages, schemaVersion, bytes }: BackupFacts): string {
  return `${countOf(cameras, "camera")}, ${countOf(messages, "waiting message")}, schema ${schemaVersion}, ${formatBytes(bytes)}`;
}

/** @throws AppError `conflict` naming the services that run on this data folder */
export async function requireStopped(context: CommandContext): Promise<void> {
  const { listServices } = await import("../run-file.ts");
  const { dataDir } = await context.config();
  const alive = (await listServices(dataDir, context.now())).filter(({ state }) => state !== "dead");
  if (alive.length === 0) return;
  throw new AppError("conflict", `a service runs here (${alive.map(({ task, pid }) => `${task} ${pid}`).join(", ")})`, {
    hint: "systemctl stop tattile, and again",
  });
}

/**
 * The PostgreSQL store, as whoever runs the command: root must be able to write its backup where it likes. Only who makes the
 * name of this machine has to be the owner of the data folder.
 */
async function openRemote(context: CommandContext): Promise<Store> {
  const config = await context.config();
  if (!existsSync(join(config.dataDir, "node.id"))) return context.store();
  const { openStore } = await import("../store/open.ts");
  return openStore(config);
}

/** A store in a file of its own, gone when `work` is done. */
async function withScratch<T>(work: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "tattile-db-"));
  try {
    return await work(join(folder, "tattile.db"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @param from true: into the PostgreSQL database; false: out of it */
async function copyRegistrations(path: string, from: boolean, context: CommandContext): Promise<void> {
  const [{ openSqlite }, { copyRegistry }] = await Promise.all([
    import("../store/sqlite.ts"),
    import("../store/copy.ts"),
  ]);
  const file = await openSqlite({ path, clock: systemClock });
  try {
    const remote = await openRemote(context);
    try {
      await (from ? copyRegistry(file, remote) : copyRegistry(remote, file));
    } finally {
      await remote.close();
    }
  } finally {
    await file.close();
  }
}

async function backUpRegistry(file: string, context: CommandContext): Promise<BackupFacts> {
  const { backUpSqlite } = await import("../store/sqlite-backup.ts");
  return withScratch(async (path) => {
    await copyRegistrations(path, false, context);
    return backUpSqlite(path, file);
  });
}

async function restoreRegistry(file: string, context: CommandContext): Promise<void> {
  const { restoreSqlite } = await import("../store/sqlite-backup.ts");
  await withScratch(async (path) => {
    // Opening brings it up to date, and the backup itself is not to change: a copy is opened.
    restoreSqlite(file, path);
    await copyRegistrations(path, true, context);
  });
}
