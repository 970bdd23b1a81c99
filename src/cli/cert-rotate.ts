import { systemClock } from "../clock.ts";
import { AppError } from "../errors.ts";
import { daysUntil, formatDay, formatDuration, formatInstant } from "../format.ts";
import type { PfxContents } from "../soap/certificate.ts";
import type { Certificate, Municipality, Rotation } from "../store/registry.ts";
import { audited } from "./audited.ts";
import { type ArgValues, defineTattileCommand } from "./command.ts";
import type { CommandContext } from "./context.ts";
import { lookUpMunicipality } from "./lookup.ts";
import { askPassword } from "./prompt.ts";
import { JSON_ARG, REMOVE_ARGS } from "./registry-output.ts";
import { readPassword, readPfxFile } from "./secret-input.ts";
import { parseName } from "./values.ts";

const ARGS = {
  file: { kind: "positional", about: "the next .pfx or .p12 file; without it, what is being rotated is listed" },
  municipality: { kind: "value", hint: "NAME", about: "the municipality it was issued for" },
  alias: { kind: "value", hint: "A", about: "a name of your own for it" },
  "password-file": { kind: "value", hint: "F", about: "file whose first line is the password" },
  "password-stdin": { kind: "switch", about: "read the password from standard input" },
  cancel: { kind: "switch", about: "forget the rotation; what signs now goes on signing" },
  "dry-run": REMOVE_ARGS["dry-run"],
  ...JSON_ARG,
} as const;
type RotateArgs = ArgValues<typeof ARGS>;

export const certRotateCommand = defineTattileCommand({
  name: "cert rotate",
  summary: "stage the next certificate, to be used from its first valid moment",
  notes: [
    "It is checked and tried with a dry run: a message of one of the municipality's cameras is signed with it and verified, and not sent. The service then uses it by itself once it is valid.",
    "The earlier certificate is kept until the police have taken the first message signed with the next one. When they refuse the next one, the earlier one signs again, and status and doctor say so.",
  ],
  examples: [
    'tattile cert rotate nou.pfx --municipality "Sant Cugat" --password-file /root/pfx.txt',
    "tattile cert rotate",
    'tattile cert rotate --cancel --municipality "Sant Cugat"',
  ],
  args: ARGS,
  async run(args, context) {
    if (args.cancel) return cancel(args, context);
    if (args.file === undefined) return list(args, context);
    if (args.municipality === undefined) {
      throw new AppError("usage", "cert rotate: --municipality NAME is missing", {
        hint: 'tattile cert rotate FILE.pfx --municipality "Sant Cugat"',
      });
    }
    await stage(args, args.file, args.municipality, context);
  },
});

async function stage(args: RotateArgs, file: string, town: string, context: CommandContext): Promise<void> {
  const alias = args.alias === undefined ? null : parseName("--alias", args.alias, 100);
  // Before the store: to open it root becomes the service's user, who may not read what only root may.
  const bytes = await readPfxFile(file);
  const given = await readPassword(args["password-file"], args["password-stdin"], context);
  const store = await context.store();
  const config = await context.config();
  const municipality = await lookUpMunicipality(store, town);
  const password = given ?? (await askPassword(`Password of ${file}: `, context));
  const [{ readPfx }, { stageNextCertificate }] = await Promise.all([
    import("../soap/certificate.ts"),
    import("../deeds/certificate-staging.ts"),
  ]);
  const contents = readPfx(bytes, password, context.now(), true);
  const { tried, present, state } = await stageNextCertificate(
    contents,
    { municipality, alias, dryRun: args["dry-run"] },
    {
      ...{ store, config, clock: systemClock },
      audited: (detail, run) => audited({ what: "certificate rotate", detail }, context, run),
    },
  );
  const wait = formatDuration(contents.validFrom.getTime() - context.now().getTime());
  const words = {
    checked: "not staged (--dry-run)",
    signing: "signs from now on; the earlier one is kept until its first success",
    staged: `staged: signs from ${formatInstant(contents.validFrom, config.cameraTimezone)}, in ${wait}, by itself`,
  };
  report({ context, args, municipality, contents, present, tried, state: words[state] });
}

function report(about: {
  context: CommandContext;
  args: RotateArgs;
  municipality: Municipality;
  contents: PfxContents;
  present: Certificate | null;
  tried: string;
  state: string;
}): void {
  const { context, args, municipality, contents, present, tried, state } = about;
  const { out } = context;
  const { subject, fingerprint, validFrom, validTo } = contents;
  if (args.json) {
    out.json({ municipality: municipality.name, subject, fingerprint, validFrom, validTo, tried, state });
    return;
  }
  out.line(`next certificate of ${municipality.name}: ${subject}`);
  const days = daysUntil(validTo, context.now());
  out.facts([
    ["valid", `${formatDay(validFrom)} to ${formatDay(validTo)} (${days} days left)`, "words"],
    ["tried", tried, "words"],
    ["state", state, "words"],
  ]);
  if (present?.validTo != null && present.validTo < validFrom) {
    out.note(
      `Warning: the present one runs out on ${formatDay(present.validTo)}, before that: readings wait in between.`,
    );
  }
}

const STATES: Readonly<Record<Rotation["state"], string>> = {
  staged: "staged",
  trying: "no success yet",
  failed: "refused",
};

async function list(args: RotateArgs, context: CommandContext): Promise<void> {
  const { out } = context;
  const store = await context.store();
  const [rotations, municipalities, certificates] = [
    await store.listRotations(),
    await store.listMunicipalities(),
    await store.listCertificates(),
  ];
  const items = rotations.map((rotation) => ({
    ...rotation,
    municipality: municipalities.find(({ id }) => id === rotation.municipalityId)?.name ?? "",
    validFrom: certificates.find(({ id }) => id === rotation.nextId)?.validFrom ?? null,
  }));
  if (args.json) return out.json(items);
  if (items.length === 0) {
    return out.line("Nothing is being rotated. To stage:\n  tattile cert rotate FILE.pfx --municipality NAME");
  }
  const columns = [
    { title: "MUNICIPALITY" },
    { title: "NEXT", whole: true },
    { title: "VALID FROM", whole: true },
    { title: "STATE", whole: true, words: true },
    { title: "DETAIL" },
  ] as const;
  const rows = items.map((item) => [
    item.municipality,
    `${item.nextId}`,
    item.validFrom === null ? "?" : formatDay(item.validFrom),
    STATES[item.state],
    item.detail ?? "",
  ]);
  out.table(columns, rows);
}

async function cancel(args: RotateArgs, context: CommandContext): Promise<void> {
  if (args.municipality === undefined || args.file !== undefined) {
    throw new AppError("usage", "cert rotate: --cancel goes with --municipality NAME and no file");
  }
  const store = await context.store();
  const { id, name } = await lookUpMunicipality(store, args.municipality);
  const { out } = context;
  if (args["dry-run"]) {
    return args.json ? out.json({ wouldForget: name }) : out.line(`would forget the rotation of ${name}`);
  }
  const forgotten = await audited({ what: "certificate rotate", detail: `${name}: forgotten` }, context, () =>
    store.cancelRotation(id),
  );
  if (!forgotten) {
    throw new AppError("not-found", `cert rotate: nothing is being rotated for ${name}`, {
      hint: "tattile cert rotate",
    });
  }
  if (args.json) return out.json({ forgotten: name });
  out.line(`forgot the rotation of ${name}; its certificate stays listed: tattile cert list`);
}
