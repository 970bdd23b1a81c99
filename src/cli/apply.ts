import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { AppError, systemCode } from "../errors.ts";
import { countOf } from "../format.ts";
import type { SiteFile } from "../site/file.ts";
import type { SitePlan, SiteStep } from "../site/plan.ts";
import { endpointDefaults } from "../store/registry.ts";
import { audited } from "./audited.ts";
import { defineTattileCommand } from "./command.ts";
import type { CommandContext } from "./context.ts";
import { cut, type Output, type Tone } from "./output.ts";
import { askPassword, confirm, readStdin } from "./prompt.ts";
import { JSON_ARG, REMOVE_ARGS } from "./registry-output.ts";
import { saidWhileWaiting } from "./waiting.ts";

export const APPLY_ARGS = { ...REMOVE_ARGS, ...JSON_ARG } as const;
export interface ApplyOptions {
  prune: boolean;
  "dry-run": boolean;
  yes: boolean;
  json: boolean;
  /** Where it came from, for the audit log. */
  source: string;
}

export const applyCommand = defineTattileCommand({
  name: "apply",
  summary: "bring everything registered to what a site file says",
  notes: [
    "Municipalities, endpoints, certificates and cameras are in the file.",
    "Shows first what it would change, and asks. All of it is done, or nothing.",
    "What the file leaves out stays as it is; null clears. With --prune, what the sections of the file do not name is removed.",
    "The file is YAML or JSON; tattile export writes one of what is registered.",
  ],
  examples: ["tattile apply site.yaml", "tattile apply site.yaml --prune --dry-run", "tattile apply --schema"],
  args: {
    file: { kind: "positional", about: "the site file; - for standard input" },
    prune: { kind: "switch", about: "remove what the file's sections do not name" },
    schema: { kind: "switch", about: "print the JSON Schema of the file, for editors" },
    ...APPLY_ARGS,
  },
  async run(args, context) {
    if (args.schema) {
      const { buildSiteSchema } = await import("../site/schema.ts");
      return context.out.json(buildSiteSchema());
    }
    if (args.file === undefined) {
      throw new AppError("usage", "apply: FILE is missing", { hint: "tattile apply site.yaml" });
    }
    const [{ parseSiteText }, { parseSite }] = await Promise.all([
      import("../site/yaml.ts"),
      import("../site/file.ts"),
    ]);
    const fromStdin = args.file === "-";
    const text = fromStdin ? await readStdin(context.input) : await readSiteInput(args.file);
    const folder = fromStdin ? process.cwd() : dirname(resolve(args.file));
    await applyWithPlan(parseSite(parseSiteText(text, args.file), folder), { ...args, source: args.file }, context);
  },
});

/** @throws AppError `not-found` naming the file */
export async function readSiteInput(path: string): Promise<string> {
  return readFile(path, "utf8").catch((cause: unknown) => {
    throw new AppError("not-found", `reading the site: ${systemCode(cause) ?? "unreadable"} (${path})`, { cause });
  });
}

/** Plans, shows the plan, asks, does it. Reads files first of all: with the store open root is no longer root. */
export async function applyWithPlan(file: SiteFile, options: ApplyOptions, context: CommandContext): Promise<void> {
  const { out } = context;
  const { applySite, prepareSite, readCertificateInputs } = await import("../site/apply.ts");
  const inputs = await readCertificateInputs(file);
  const store = await context.store();
  const config = await context.config();
  const passwords = new Map<string, string>();
  const deps = {
    store,
    certsDir: config.certsDir,
    defaults: endpointDefaults(config),
    now: context.now,
    askPassword: async (path: string) => {
      const password = passwords.get(path) ?? (await askPassword(`Password of ${path}: `, context));
      passwords.set(path, password);
      return password;
    },
  };
  // Nothing is shown over the question for a password.
  const asks = [...inputs.values()].some(({ pfx, password }) => pfx !== null && password === null);
  const compare = () => prepareSite(file, inputs, options, deps);
  const prepare = () => (asks ? compare() : saidWhileWaiting("comparing with what is registered", out, compare));
  const prepared = await prepare();
  const { plan } = prepared;
  if (!options.json) printPlan(plan, out);
  if (plan.steps.length > 0 && !options["dry-run"]) {
    await confirm(summarizePlan(plan), options.yes, context);
    // Somebody else may have changed something while this one was read.
    const again = options.yes ? prepared : await prepare();
    if (JSON.stringify(again.plan.steps) !== JSON.stringify(plan.steps)) {
      throw new AppError("conflict", "applying the site: something was changed meanwhile, nothing was done", {
        hint: "run it again and look at the new plan",
      });
    }
    const detail = `${options.source}: ${summarizePlan(plan)}`;
    await audited({ what: "registry apply", detail }, context, () =>
      saidWhileWaiting(`applying ${countOf(plan.steps.length, "change")}`, out, () => applySite(again, deps)),
    );
    if (!options.json) out.line("Done.");
  }
  const { steps, unchanged } = plan;
  if (options.json) out.json({ applied: steps.length > 0 && !options["dry-run"], unchanged, steps });
}

const MARKS: Record<SiteStep["action"], [mark: string, tone: Tone]> = {
  add: ["+", "good"],
  change: ["~", "warn"],
  remove: ["-", "bad"],
};

function printPlan(plan: SitePlan, out: Output): void {
  for (const { action, noun, name, fields } of plan.steps) {
    const [mark, tone] = MARKS[action];
    out.line(out.paint(tone, cut(`${mark} ${out.words(noun)} ${name}`, out.width)));
    for (const { field, before, after } of fields) {
      if (action === "add" && after === null) continue;
      const [was, is] = [before, after].map((value) => (isWord(value) ? out.words(value ?? "(none)") : value));
      out.line(cut(`    ${out.words(field).padEnd(20)} ${action === "add" ? is : `${was} -> ${is}`}`, out.width));
    }
  }
  if (plan.steps.length > 0) out.line();
  const { add, change, remove } = countSteps(plan);
  out.line(
    plan.steps.length === 0
      ? `Nothing to change: ${countOf(plan.unchanged, "record")} as the file says.`
      : `${add} to add, ${change} to change, ${remove} to remove, ${plan.unchanged} unchanged.`,
  );
}

/** A name of theirs that happens to be a word of ours stays as it is. */
function isWord(value: string | null): value is "true" | "false" | null {
  return value === null || value === "true" || value === "false";
}

function summarizePlan(plan: SitePlan): string {
  const { add, change, remove } = countSteps(plan);
  const parts = [
    ...(add > 0 ? [`add ${countOf(add, "record")}`] : []),
    ...(change > 0 ? [`change ${countOf(change, "record")}`] : []),
    ...(remove > 0 ? [`remove ${countOf(remove, "record")}`] : []),
  ];
  return parts.join(", ");
}

function countSteps({ steps }: SitePlan): Record<SiteStep["action"], number> {
  const count = (action: SiteStep["action"]): number => steps.filter((step) => step.action === action).length;
  return { add: count("add"), change: count("change"), remove: count("remove") };
}
