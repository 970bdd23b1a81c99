import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { AppError } from "../errors.ts";
import { APPLY_ARGS, applyWithPlan, readSiteInput } from "./apply.ts";
import { defineGroup, defineTattileCommand } from "./command.ts";
import { parseName } from "./values.ts";

const cameras = defineTattileCommand({
  name: "import cameras",
  summary: "register the cameras of a table (CSV), or change those of the same serial",
  notes: [
    "The heading names the columns: serial, reader, municipality are needed; description, endpoint, x, y, timezone, active may be there. Comma, semicolon or tab between.",
    "A column that is not there changes nothing; an empty cell clears. Municipalities and endpoints must be registered already.",
  ],
  examples: ["tattile import cameras cameras.csv --dry-run", "tattile import cameras cameras.csv"],
  args: {
    file: { kind: "positional", required: true, about: "the table" },
    prune: { kind: "switch", about: "remove cameras that the table does not have" },
    ...APPLY_ARGS,
  },
  async run(args, context) {
    const [{ parseCameraTable }, { parseSite }] = await Promise.all([
      import("../site/csv.ts"),
      import("../site/file.ts"),
    ]);
    const table = parseCameraTable(await readSiteInput(args.file), args.file);
    await applyWithPlan(parseSite(table, dirname(resolve(args.file))), { ...args, source: args.file }, context);
  },
});

const mossosws = defineTattileCommand({
  name: "import mossosws",
  summary: "take over Configuration.json of the older Windows program",
  notes: [
    "Its endpoint, certificate and cameras become those of one municipality. The certificate's password is asked for again and never read from the file.",
    "The PFX file is looked for beside Configuration.json; or name it with --pfx.",
  ],
  examples: [
    'tattile import mossosws Configuration.json --municipality "Sant Cugat"',
    'tattile import mossosws Configuration.json --municipality "Sant Cugat" --pfx santcugat.pfx --password-file /root/pfx.txt',
  ],
  args: {
    file: { kind: "positional", required: true, about: "the older program's Configuration.json" },
    municipality: { kind: "value", required: true, hint: "NAME", about: "the municipality that the cameras belong to" },
    endpoint: { kind: "value", hint: "NAME", about: "name of the endpoint (default: lectio)" },
    pfx: { kind: "value", hint: "FILE", about: "the certificate, where it is not beside Configuration.json" },
    "password-file": { kind: "value", hint: "F", about: "file whose first line is the certificate's password" },
    "without-certificate": { kind: "switch", about: "leave the certificate for later (tattile cert import)" },
    ...APPLY_ARGS,
  },
  async run(args, context) {
    const [{ parseMossosWs }, { parseSite }] = await Promise.all([import("../mossosws.ts"), import("../site/file.ts")]);
    const older = parseMossosWs(await readSiteInput(args.file), args.file);
    const municipality = parseName("--municipality", args.municipality, 100);
    const endpoint = older.endpointUrl === null ? null : parseName("--endpoint", args.endpoint ?? "lectio", 100);
    const pfx = args["without-certificate"] ? null : findPfx(args.file, args.pfx, older.pfxName);
    const passwordFile = args["password-file"];
    const site = parseSite(
      {
        version: 1,
        endpoints: endpoint === null ? [] : [{ name: endpoint, url: older.endpointUrl }],
        certificates:
          pfx === null ? [] : [{ name: municipality, pfx, ...(passwordFile === undefined ? {} : { passwordFile }) }],
        municipalities: [
          {
            name: municipality,
            ...(endpoint === null ? {} : { endpoint }),
            ...(pfx === null ? {} : { certificate: municipality }),
          },
        ],
        cameras: older.cameras.map((camera) => ({ ...camera, municipality })),
      },
      process.cwd(),
    );
    await applyWithPlan(site, { ...args, prune: false, source: args.file }, context);
    const { transit } = await context.config();
    if (older.transitPort !== null && older.transitPort !== transit.port) {
      context.out.note(
        `The cameras send to port ${older.transitPort}, tattile listens on ${transit.port}: set TRANSIT_PORT=${older.transitPort} in /etc/tattile/tattile.env and restart, or change the port in the cameras.`,
      );
    }
  },
});

function findPfx(configuration: string, given: string | undefined, name: string | null): string {
  if (given !== undefined) return resolve(given);
  const beside = name === null ? null : join(dirname(resolve(configuration)), name);
  if (beside !== null && existsSync(beside)) return beside;
  const where = beside === null ? "CertPath is empty" : `it is not beside Configuration.json (${beside})`;
  throw new AppError("not-found", `import mossosws: no certificate, ${where}`, {
    hint: "give it with --pfx FILE, or say --without-certificate",
  });
}

export const importCommands = defineGroup("import", "take over cameras of a table, or the older program's settings", [
  cameras,
  mossosws,
]);
