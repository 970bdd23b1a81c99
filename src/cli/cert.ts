import { AppError } from "../errors.ts";
import { daysUntil, formatDay } from "../format.ts";
import type { Certificate } from "../store/registry.ts";
import type { Store } from "../store/store.ts";
import { audited } from "./audited.ts";
import { certCheckCommand } from "./cert-check.ts";
import { certRotateCommand } from "./cert-rotate.ts";
import { defineGroup, defineTattileCommand } from "./command.ts";
import type { CommandContext } from "./context.ts";
import { lookUpCertificate, lookUpMunicipality } from "./lookup.ts";
import { askPassword, confirm } from "./prompt.ts";
import { JSON_ARG, REMOVE_ARGS } from "./registry-output.ts";
import { readPassword, readPfxFile } from "./secret-input.ts";
import { parseName } from "./values.ts";

const importPfx = defineTattileCommand({
  name: "cert import",
  summary: "take a municipality's certificate from its PFX file",
  notes: [
    "The password comes from a file, from standard input, or is asked for; never from the command line.",
    "The earlier certificate is replaced only once the new one is complete. The PFX itself is not kept.",
  ],
  examples: [
    'tattile cert import santcugat.pfx --municipality "Sant Cugat"',
    'tattile cert import santcugat.pfx --municipality "Sant Cugat" --password-file /root/pfx.txt',
  ],
  args: {
    file: { kind: "positional", required: true, about: "the .pfx or .p12 file" },
    municipality: { kind: "value", required: true, hint: "NAME", about: "the municipality it was issued for" },
    alias: { kind: "value", hint: "A", about: "a name of your own for it" },
    "password-file": { kind: "value", hint: "F", about: "file whose first line is the password" },
    "password-stdin": { kind: "switch", about: "read the password from standard input" },
    ...JSON_ARG,
  },
  async run(args, context) {
    const alias = args.alias === undefined ? null : parseName("--alias", args.alias, 100);
    // Before the store: to open it root becomes the service's user, who may not read what only root may.
    const bytes = await readPfxFile(args.file);
    const given = await readPassword(args["password-file"], args["password-stdin"], context);
    const store = await context.store();
    const { certsDir } = await context.config();
    const municipality = await lookUpMunicipality(store, args.municipality);
    const password = given ?? (await askPassword(`Password of ${args.file}: `, context));
    const [{ readPfx }, { assignImported }] = await Promise.all([
      import("../soap/certificate.ts"),
      import("../certificate-import.ts"),
    ]);
    const contents = readPfx(bytes, password, context.now());
    const detail = `${municipality.name}: ${contents.subject}, ${contents.fingerprint}`;
    const { id, result } = await audited({ what: "certificate import", detail }, context, () =>
      assignImported(contents, { municipality, alias, certsDir }, store),
    );
    const facts = { id, municipality: municipality.name, result };
    const days = daysUntil(contents.validTo, context.now());
    if (args.json) {
      const { subject, serialNumber, fingerprint, validFrom, validTo } = contents;
      return context.out.json({ ...facts, subject, serialNumber, fingerprint, validFrom, validTo, daysLeft: days });
    }
    context.out.line(`certificate of ${municipality.name}: ${facts.result}`);
    context.out.facts([
      ["subject", contents.subject],
      ["valid", `${formatDay(contents.validFrom)} to ${formatDay(contents.validTo)} (${days} days left)`, "words"],
      ["fingerprint", contents.fingerprint],
    ]);
  },
});

const list = defineTattileCommand({
  name: "cert list",
  summary: "list the certificates with the days they have left",
  examples: ["tattile cert list"],
  args: JSON_ARG,
  async run(args, context) {
    const { out } = context;
    const items = await describeAll(await context.store(), context.now());
    if (args.json) return out.json(items);
    if (items.length === 0)
      return out.line("No certificate yet. Import one: tattile cert import FILE.pfx --municipality NAME");
    const columns = [
      { title: "ID", whole: true },
      { title: "NAME" },
      { title: "MUNICIPALITY" },
      { title: "USE", whole: true, words: true },
      { title: "VALID TO", whole: true },
      { title: "DAYS LEFT", align: "right", whole: true, words: true },
    ] as const;
    const rows = items.map((c) => [
      `${c.id}`,
      c.name,
      c.municipality ?? "-",
      c.inUse ? "in use" : c.rotation === "next" ? "next" : c.rotation === "kept" ? "kept" : "earlier",
      c.validTo === null ? "?" : formatDay(c.validTo),
      c.daysLeft === null ? "?" : c.daysLeft < 0 ? "run out" : `${c.daysLeft}`,
    ]);
    out.table(columns, rows);
  },
});

const show = defineTattileCommand({
  name: "cert show",
  summary: "show one certificate",
  examples: ['tattile cert show "Sant Cugat"'],
  args: { cert: { kind: "positional", required: true, about: "id, alias or name" }, ...JSON_ARG },
  async run(args, context) {
    const store = await context.store();
    const { id } = await lookUpCertificate(store, args.cert);
    const item = (await describeAll(store, context.now())).find((c) => c.id === id);
    if (item === undefined) throw new AppError("not-found", `unknown certificate ${args.cert}`);
    if (args.json) return context.out.json(item);
    const facts: [string, string, "words"?][] = [
      ["id", `${item.id}`],
      ["name", item.name],
      item.inUse
        ? ["municipality", item.municipality ?? "none"]
        : [
            "municipality",
            `${item.municipality ?? "none"} ${item.rotation === "next" ? "(the next one)" : "(an earlier one, not in use)"}`,
            "words",
          ],
      ["subject", item.subject ?? "?"],
      ["serial", item.serialNumber ?? "?"],
      ["fingerprint", item.fingerprint ?? "?"],
      ["valid from", item.validFrom?.toISOString() ?? "?"],
      ["valid to", `${item.validTo?.toISOString() ?? "?"} (${item.daysLeft ?? "?"} days left)`, "words"],
      ["certificate", item.clientCertPath ?? "missing", "words"],
      ["key", item.keyPath ?? "missing", "words"],
    ];
    context.out.facts(facts);
  },
});

async function describeAll(store: Store, now: Date) {
  const municipalities = await store.listMunicipalities();
  const rotations = await store.listRotations();
  return (await store.listCertificates()).map((certificate: Certificate) => {
    const { municipalityId, ...facts } = certificate;
    const next = rotations.find(({ nextId, state }) => nextId === certificate.id && state !== "failed");
    const kept = rotations.some(({ previousId }) => previousId === certificate.id);
    const ownerId = municipalityId ?? next?.municipalityId;
    return {
      ...facts,
      municipality: municipalities.find((m) => m.id === ownerId)?.name ?? null,
      /** next: to sign once it is valid; kept: until the next one had its first success. */
      rotation: next !== undefined ? "next" : kept ? "kept" : null,
      inUse: municipalities.some((m) => m.certificateId === certificate.id),
      daysLeft: certificate.validTo === null ? null : daysUntil(certificate.validTo, now),
    };
  });
}

const remove = defineTattileCommand({
  name: "cert remove",
  summary: "remove a certificate with its files",
  notes: [
    "Refused while a municipality signs with it; with --force it has none then, and its readings wait for the next one.",
  ],
  examples: ["tattile cert remove 3", 'tattile cert remove "Sant Cugat" --force --dry-run'],
  args: {
    cert: { kind: "positional", required: true, about: "id, alias or name" },
    force: { kind: "switch", about: "also while municipalities sign with it" },
    ...REMOVE_ARGS,
    ...JSON_ARG,
  },
  async run(args, context) {
    const store = await context.store();
    const certificate = await lookUpCertificate(store, args.cert);
    const users = (await store.listMunicipalities()).filter((m) => m.certificateId === certificate.id);
    const name = `certificate ${certificate.id} (${certificate.name})`;
    const from = args.force && users.length > 0 ? `, used by ${users.map((m) => m.name).join(", ")},` : "";
    const what = `remove ${name}${from} and its key`;
    const { out } = context;
    if (args["dry-run"]) return args.json ? out.json({ would: what }) : out.line(`would ${what}`);
    await confirm(what, args.yes, context);
    await audited({ what: "certificate remove", detail: what }, context, () =>
      eraseCertificate(certificate, args.force, store, context),
    );
    if (args.json) out.json({ removed: certificate.id });
    else out.line(`removed ${name}`);
  },
});

/** The row, then key and certificate, unless another row names the same files. */
export async function eraseCertificate(
  certificate: Certificate,
  fromUsers: boolean,
  store: Store,
  context: CommandContext,
): Promise<void> {
  await store.removeCertificate(certificate.id, fromUsers);
  const { removeCertificateFolder } = await import("../certificate-files.ts");
  const { certsDir } = await context.config();
  const shared = (await store.listCertificates()).some(({ keyPath }) => keyPath === certificate.keyPath);
  if (certificate.keyPath !== null && !shared) removeCertificateFolder(certsDir, certificate.keyPath);
}

export const certCommands = defineGroup("cert", "import, check and look at certificates", [
  importPfx,
  list,
  show,
  certCheckCommand,
  certRotateCommand,
  remove,
]);
