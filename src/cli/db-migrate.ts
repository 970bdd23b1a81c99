import { access } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../clock.ts";
import type { Config } from "../config.ts";
import { countOf } from "../format.ts";
import { maskImagePath } from "../image-path.ts";
import type { Adoption, DatabaseMigration, MigrationPlan } from "../store/postgres-adopt.ts";
import { type Command, defineTattileCommand } from "./command.ts";
import type { CommandContext } from "./context.ts";
import { confirm } from "./prompt.ts";
import { JSON_ARG, REMOVE_ARGS } from "./registry-output.ts";

/** So many files are looked for; with more the rest is taken for present. */
const MOST_PICTURES = 200_000;

export const dbMigrate: Command = defineTattileCommand({
  name: "db migrate",
  summary: "bring the database up to date, or take over the replaced system's",
  notes: [
    "Says first what it will do. A database of the replaced system is taken over as it is: stop its services before.",
    "What is added leaves the replaced system able to work on the database again: docs/postgresql.md says how to go back.",
  ],
  examples: ["tattile db migrate --dry-run", "tattile db migrate --yes"],
  args: { ...REMOVE_ARGS, ...JSON_ARG },
  async run(args, context) {
    const config = await context.config();
    const { out } = context;
    if (config.database === null) {
      // An SQLite file is brought up to date by being opened.
      const { schemaVersion, location } = (await context.store()).info();
      if (args.json) return out.json({ kind: "current", to: schemaVersion, location });
      return out.line(`${location}: schema ${schemaVersion}, up to date.`);
    }
    const { openMigration } = await import("../store/postgres-adopt.ts");
    const { showDatabaseAddress } = await import("../database-address.ts");
    const migration = openMigration(config.database.address, systemClock);
    try {
      const plan = await migration.plan();
      const location = showDatabaseAddress(config.database.address);
      const pictures = plan.kind === "adopt" ? await lookForPictures(migration, config) : null;
      if (args.json)
        out.json({ ...plan, location, ...(pictures === null ? {} : { pictures }), dryRun: args["dry-run"] });
      else for (const line of describePlan(plan, location, pictures, config)) out.line(line);
      if (args["dry-run"] || plan.kind === "current") return;
      if (plan.kind === "adopt") await confirm(`take over the database ${location}`, args.yes, context);
      await migration.apply();
      if (!args.json) report(plan, context);
    } finally {
      await migration.close();
    }
  },
});

interface Pictures {
  total: number;
  missing: number;
  /** A path of one that is missing, its plate left out. */
  example: string | null;
}

async function lookForPictures(migration: DatabaseMigration, config: Config): Promise<Pictures | null> {
  if (config.imagesUrl !== null) return null;
  const pictures: Pictures = { total: 0, missing: 0, example: null };
  for await (const paths of migration.pictures()) {
    for (const path of paths) {
      pictures.total += 1;
      const found = await access(join(config.imagesDir, path)).then(
        () => true,
        () => false,
      );
      if (found) continue;
      pictures.missing += 1;
      pictures.example ??= join(config.imagesDir, maskImagePath(path));
    }
    if (pictures.total >= MOST_PICTURES) break;
  }
  return pictures;
}

function describePlan(plan: MigrationPlan, location: string, pictures: Pictures | null, config: Config): string[] {
  switch (plan.kind) {
    case "create":
      return [`${location}: empty; it gets its tables (schema ${plan.to}).`];
    case "upgrade":
      return [`${location}: schema ${plan.from}, brought to ${plan.to}.`];
    case "current":
      return [`${location}: schema ${plan.to}, up to date.`];
    case "adopt":
      return describeAdoption(plan.adoption, location, pictures, config);
  }
}

function describeAdoption(found: Adoption, location: string, pictures: Pictures | null, config: Config): string[] {
  const { messages } = found;
  const of = (status: string): number => messages[status] ?? 0;
  const lines = [
    `${location}: the replaced system's database. It is taken over as it is:`,
    `  ${countOf(found.municipalities, "municipality", "municipalities")}, ${countOf(found.endpoints, "endpoint")}, ${countOf(found.cameras, "camera")}, ${countOf(found.certificates, "certificate")}`,
    `  ${of("PENDING") + of("FAILED")} readings wait and are delivered, with the date and time that the replaced system would have sent`,
  ];
  if (of("SENDING") > 0) lines.push(`  ${of("SENDING")} were being sent when it stopped: they are sent again`);
  if (of("DEAD") > 0) {
    lines.push(
      `  ${of("DEAD")} are DEAD: they are kept as long as SENDER_DEAD_RETENTION_MINUTES says (tattile queue retry sends them)`,
    );
  }
  if (of("SUCCESS") > 0) lines.push(`  ${of("SUCCESS")} were delivered and not erased: they are erased`);
  if (found.readingsWithoutMessage > 0) {
    lines.push(
      `  without a message: ${countOf(found.readingsWithoutMessage, "reading")}; they stay in the table alpr_readings until their camera is removed or readings are wiped`,
    );
  }
  for (const { what, id, from, to } of found.renamings) {
    lines.push(`  two have the name ${from}: the ${what} with the id ${id} is called ${to} from now on`);
  }
  for (const { municipality, certificate } of found.assignments) {
    lines.push(`  ${municipality} signs with the certificate ${certificate}`);
  }
  if (pictures !== null) lines.push(`  ${pictures.total} pictures below ${config.imagesDir}`);
  lines.push("Columns, tables and indexes are added; nothing is changed or removed that the replaced system needs.");
  if (pictures !== null && pictures.missing > 0) {
    lines.push(
      `Warning: ${pictures.missing} of the pictures are not there (${pictures.example}). Without them readings become DEAD: set IMAGES_BASE_DIR to the replaced system's folder.`,
    );
  }
  if (found.municipalitiesWithoutCertificate.length > 0) {
    lines.push(
      `Warning: no certificate: ${found.municipalitiesWithoutCertificate.join(", ")}. Import one: tattile cert import`,
    );
  }
  if (found.connections.length > 0) {
    lines.push(
      `Warning: others are connected to the database now: ${found.connections.join(", ")}. Stop the replaced system first.`,
    );
  }
  return lines;
}

function report(plan: MigrationPlan, { out }: CommandContext): void {
  const adopted = "Taken over. Look at everything once: tattile doctor. Then: systemctl start tattile";
  out.line(plan.kind === "adopt" ? adopted : "Done.");
}
