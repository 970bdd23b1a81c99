import { createHash } from "node:crypto";
import { existsSync, realpathSync } from "node:fs";
import { systemClock } from "../clock.ts";
import type { Config } from "../config.ts";
import { parseDatabaseAddress, showDatabaseAddress } from "../database-address.ts";
import { AppError } from "../errors.ts";
import { countOf } from "../format.ts";
import type { CopiedFiles } from "../store/copy.ts";
import type { ArgValues } from "./command.ts";
import { defineTattileCommand } from "./command.ts";
import { adoptOwner } from "./context.ts";
import { requireStopped } from "./db-backup.ts";
import { confirm } from "./prompt.ts";
import { JSON_ARG, REMOVE_ARGS } from "./registry-output.ts";
import { readFirstLine } from "./secret-input.ts";

const ARGS = {
  to: { kind: "value", hint: "URL", about: "the PostgreSQL database, without its password (default: DATABASE_URL)" },
  "password-file": { kind: "value", hint: "FILE", about: "file whose first line is the password for --to" },
  ...REMOVE_ARGS,
  ...JSON_ARG,
} as const;

export const dbCopy = defineTattileCommand({
  name: "db copy",
  summary: "copy everything from the SQLite file into an empty PostgreSQL database",
  notes: [
    "While no service runs. Interrupted, it goes on where it was when it is called again. The SQLite file is only read.",
    "Pictures stay where they are; with IMAGES_URL they are copied into the bucket, and compared.",
    "Tokens, the audit log and the counts of the last days come along; browsers have to log in again.",
    "At the end both are read through and compared, message by message and entry by entry.",
  ],
  examples: [
    "tattile db copy --to postgresql://tattile@db.example/tattile --password-file /root/pg.txt",
    "tattile db copy --dry-run",
  ],
  args: ARGS,
  async run(args, context) {
    const { out } = context;
    const config = await context.config();
    const database = await readTarget(args, config);
    const place = showDatabaseAddress(database.address);
    if (!existsSync(config.databasePath)) {
      throw new AppError("not-found", `copying: there is no SQLite database (${config.databasePath})`, {
        hint: "Check DATA_DIR.",
      });
    }
    await requireStopped(context);
    const what = `copy ${config.databasePath} to ${place}`;
    if (args["dry-run"]) {
      return args.json ? out.json({ from: config.databasePath, to: place, would: what }) : out.line(`would ${what}`);
    }
    await confirm(what, args.yes, context);
    // Only now: the password was read as whoever runs the command, and what is made is for the service.
    await adoptOwner(config.dataDir);
    const [{ openSqlite }, { openStore }, { copyStore }] = await Promise.all([
      import("../store/sqlite.ts"),
      import("../store/open.ts"),
      import("../store/copy.ts"),
    ]);
    const source = await openSqlite({ path: config.databasePath, clock: systemClock });
    const files = await openFiles(config);
    try {
      const target = await openStore({ ...config, database });
      try {
        const report = await copyStore({
          source,
          sourceId: nameOf(config.databasePath),
          target,
          ...files.places,
          now: context.now,
          onProgress: (text) => out.progress(text),
        });
        out.clearProgress();
        if (args.json) return out.json({ from: config.databasePath, to: place, ...report });
        const { cameras, messages, heldMessages, hashes, tokens, auditEntries, cameraHours } = report;
        out.line(
          `copied and compared: ${countOf(cameras, "camera")}, ${countOf(messages, "message")}, ` +
            `${countOf(heldMessages, "held message")}, ${countOf(hashes, "remembered reading")}`,
        );
        out.line(
          `and beside them: ${countOf(tokens, "token")}, ${countOf(auditEntries, "entry", "entries")} of the audit log, ` +
            `counts of ${countOf(cameraHours, "camera hour")}`,
        );
        if (files.places.images !== null) {
          out.line(`files copied: ${report.files}, gone in the source already: ${report.missingFiles}`);
        }
        out.line(`next: set DATABASE_URL in the settings, keep dedupe.key, and start the service`);
      } finally {
        await target.close();
      }
    } finally {
      files.close();
      await source.close();
      out.clearProgress();
    }
  },
});

async function readTarget(args: ArgValues<typeof ARGS>, config: Config): Promise<NonNullable<Config["database"]>> {
  if (args.to === undefined) {
    if (config.database !== null) return config.database;
    throw new AppError("usage", "copying: where to?", { hint: "give --to URL, or set DATABASE_URL" });
  }
  const address = parseDatabaseAddress(args.to);
  if (address === null) {
    throw new AppError("usage", "--to is not the address of a PostgreSQL database", {
      hint: "write it as postgresql://USER@HOST/DATABASE",
    });
  }
  if (address.password !== null) {
    throw new AppError("usage", "--to holds a password, which every user of this machine could see", {
      hint: "leave it out and give --password-file FILE, or set DATABASE_URL in the settings",
    });
  }
  const password =
    args["password-file"] === undefined
      ? null
      : (await readFirstLine("--password-file", args["password-file"])).trimEnd();
  return { address: { ...address, password }, poolSize: config.database?.poolSize ?? 4 };
}

/** Pictures go along only where they will be looked for elsewhere: in a bucket. */
async function openFiles(
  config: Config,
): Promise<{ places: { images: CopiedFiles | null; quarantine: CopiedFiles | null }; close(): void }> {
  if (config.imagesUrl === null) return { places: { images: null, quarantine: null }, close() {} };
  const [{ openBucket }, { openDiskStore }] = await Promise.all([
    import("../images/open.ts"),
    import("../images/disk.ts"),
  ]);
  const images = { from: openDiskStore(config.imagesDir), to: openBucket(config, config.imagesUrl, "images") };
  const quarantine = {
    from: openDiskStore(config.quarantineDir),
    to: openBucket(config, config.imagesUrl, "quarantine"),
  };
  return {
    places: { images, quarantine },
    close() {
      for (const { from, to } of [images, quarantine]) {
        from.close();
        to.close();
      }
    },
  };
}

function nameOf(path: string): string {
  return createHash("sha256").update(realpathSync(path)).digest("hex").slice(0, 16);
}
