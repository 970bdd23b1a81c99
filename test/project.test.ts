import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buildConfigurationPage, buildEnvExample } from "../scripts/setting-docs.ts";
import { type RunFacts, summarize } from "../scripts/test-summary.ts";
import { ERRORS } from "../src/i18n/errors-said.ts";
import { FINDINGS } from "../src/i18n/findings-said.ts";
import { HEARD } from "../src/i18n/heard-said.ts";
import { LIFE } from "../src/i18n/life-said.ts";
import { PHRASES } from "../src/i18n/phrases.ts";
import { RESULTS } from "../src/i18n/results-said.ts";
import { SENT } from "../src/i18n/sent-said.ts";
import { WORDS } from "../src/i18n/words.ts";

const PROJECT = join(import.meta.dir, "..");
const SOURCES = (readdirSync(join(PROJECT, "src"), { recursive: true }) as string[]).filter((path) =>
  path.endsWith(".ts"),
);

interface Finding {
  path: string;
  rule: string;
  line: number;
}

/** Lints these files, and nothing else, by the project's rules. */
function lint(files: Record<string, string>): Finding[] {
  const folder = mkdtempSync(join(tmpdir(), "lint-"));
  try {
    cpSync(join(PROJECT, "biome.json"), join(folder, "biome.json"));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const words = ["lint", "--vcs-enabled=false", "--reporter=json", "--max-diagnostics=none", "."];
    const { stdout } = spawnSync(join(PROJECT, "node_modules/.bin/biome"), words, { cwd: folder, encoding: "utf8" });
    const report: { diagnostics: { category: string; location: { path: string; start: { line: number } } }[] } =
      JSON.parse(stdout);
    return report.diagnostics.map(({ category, location }) => ({
      path: location.path,
      rule: category.replace(/.*\//, ""),
      line: location.start.line,
    }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A file whose line n imports the nth source. */
function importingAll(sources: readonly string[]): string {
  const imports = sources.map((source, index) => `import { thing as thing${index} } from "${source}";\n`);
  return `${imports.join("")}export const used = [${sources.map((_, index) => `thing${index}`).join(", ")}];\n`;
}

/** A file that imports `source` and uses it. */
function importing(source: string, name = "thing"): string {
  return `import { ${name} } from "${source}";\n\nexport const used = ${name};\n`;
}

// Each line: a file, what it must not import, and what it may.
const PURE_IO = [
  "node:fs",
  "node:fs/promises",
  "node:http",
  "node:https",
  "node:tls",
  "node:child_process",
  "bun",
  "bun:sqlite",
  "bun:ffi",
];
const LAYERS: [file: string, forbidden: readonly string[], allowed: readonly string[]][] = [
  ["src/errors.ts", ["./reading.ts", "node:fs"], ["./clock.ts", "node:util"]],
  ["src/log.ts", ["./config.ts"], ["./errors.ts"]],
  ["src/reading.ts", [...PURE_IO, "node:net", "undici", "undici/index.js"], ["./errors.ts", "node:crypto", "./log.ts"]],
  ["src/retry-policy.ts", ["./store/sqlite.ts", "./sender.ts", "./config.ts"], ["./store/store.ts", "./delivery.ts"]],
  [
    "src/breaker.ts",
    ["./identity-store.ts", "./run-file.ts", "./secret-file.ts", "./port-owner.ts"],
    ["./delivery.ts"],
  ],
  ["src/image-path.ts", ["./images/disk.ts", "./process-name.ts", "./socket-calls.ts"], ["./images/image-store.ts"]],
  [
    "src/camera/tattile-xml.ts",
    ["../ingest.ts", "../images/disk.ts", "node:net", "../service.ts"],
    ["./fields.ts", "./images.ts"],
  ],
  [
    "src/soap/sign.ts",
    ["./client.ts", "./trust.ts", "./wsdl-source.ts", "node:fs", "../store/open.ts"],
    ["../store/registry.ts"],
  ],
  ["src/soap/envelope.ts", ["../attempt.ts", "../simulator/mossos.ts"], ["./contract.ts", "node:crypto"]],
  ["src/store/store.ts", ["./sqlite.ts", "bun:sqlite"], ["./registry.ts", "../delivery.ts"]],
  [
    "src/store/sqlite.ts",
    ["../ingest.ts", "../intake.ts", "../sender.ts", "../api.ts", "../cleanup.ts"],
    ["./store.ts", "bun:sqlite"],
  ],
  ["src/images/disk.ts", ["../connection.ts", "../service.ts", "../cli/run.ts"], ["./image-store.ts", "node:fs"]],
  ["src/soap/client.ts", ["undici", "../sender.ts", "../route-watch.ts"], ["undici/index.js", "./response.ts"]],
  ["src/site/plan.ts", ["./apply.ts", "../api.ts", "node:fs/promises"], ["./names.ts", "../store/registry.ts"]],
  ["src/site/apply.ts", ["../api.ts", "../service.ts"], ["./plan.ts", "../certificate-files.ts", "node:fs/promises"]],
  ["src/identity-store.ts", ["./adoption.ts", "./attempt.ts", "./main.ts"], ["./soap/sign.ts", "node:fs/promises"]],
  [
    "src/ingest.ts",
    ["./sender.ts", "./api.ts", "./cleanup.ts", "./service.ts"],
    ["./intake.ts", "./connection.ts", "node:net"],
  ],
  [
    "src/intake.ts",
    ["./images/disk.ts", "./store/sqlite.ts", "./attempt.ts"],
    ["./store/store.ts", "./images/image-store.ts"],
  ],
  [
    "src/sender.ts",
    ["./ingest.ts", "./intake.ts", "./api.ts", "./cleanup.ts", "./cli/run.ts"],
    ["./attempt.ts", "./route-watch.ts"],
  ],
  ["src/cleanup.ts", ["./ingest.ts", "./sender.ts", "./api.ts", "./images/disk.ts"], ["./images/image-store.ts"]],
  ["src/adoption.ts", ["./sender.ts", "./ingest.ts"], ["./intake.ts"]],
  [
    "src/api.ts",
    ["./ingest.ts", "./sender.ts", "./cleanup.ts", "./store/open.ts"],
    ["./store/store.ts", "./port-owner.ts"],
  ],
  ["src/api/status-routes.ts", ["../intake.ts", "../store/sqlite.ts", "../cli/run.ts"], ["../api.ts", "./route.ts"]],
  [
    "src/web/pages.ts",
    ["../api.ts", "../api/dispatch.ts", "../store/store.ts", "../sender.ts"],
    ["../format.ts", "../api/schemas.ts"],
  ],
  [
    "src/service.ts",
    ["./cli/run.ts", "./main.ts", "./simulator/mossos.ts", "undici"],
    ["./ingest.ts", "./store/open.ts"],
  ],
  ["src/demo.ts", ["./cli/demo.ts", "./main.ts"], ["./simulator/mossos.ts"]],
  ["src/cli/run.ts", ["../main.ts", "undici"], ["../service.ts", "./command.ts"]],
  [
    "src/simulator/mossos.ts",
    ["../soap/sign.ts", "../soap/contract.ts", "../sender.ts", "../cli/run.ts"],
    ["../store/registry.ts"],
  ],
  ["test/sender.test.ts", ["undici"], ["../src/sender.ts"]],
  ["scripts/setting-docs.ts", ["undici"], ["../src/settings.ts"]],
];

const findings = lazily(() =>
  lint(
    Object.fromEntries(LAYERS.map(([file, forbidden, allowed]) => [file, importingAll([...forbidden, ...allowed])])),
  ),
);

function lazily<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

test.each(LAYERS)(
  "%s: imports against the direction of the layers are lint errors, and only these",
  (file, forbidden, allowed) => {
    const lines = findings()
      .filter(({ path }) => path === file)
      .map(({ line }) => line);
    expect(lines.map((line) => [...forbidden, ...allowed][line - 1]).toSorted()).toEqual(forbidden.toSorted());
  },
);

test("every way of importing is seen: types, effects, later, handed on, without an extension", () => {
  const rules = (text: string): string[] =>
    lint({ "src/reading.ts": text, "src/sender.ts": "export const createSender = 1;\n" }).map(({ rule }) => rule);
  const restricted = "noRestrictedImports";
  expect(rules('import type { Sender } from "./sender.ts";\n\nexport type Mine = Sender;\n')).toEqual([restricted]);
  expect(rules('import "./sender.ts";\n')).toEqual([restricted]);
  expect(rules('export const later = () => import("./sender.ts");\n')).toEqual([restricted]);
  expect(rules('export { createSender } from "./sender.ts";\n')).toContain(restricted);
  expect(rules(importing("./sender"))).toEqual(["useImportExtensions"]);
});

test("the pure domain may parse addresses with node:net, and no more", () => {
  const rules = (name: string): string[] =>
    lint({ "src/cidr.ts": importing("node:net", name) }).map(({ rule }) => rule);
  expect(rules("isIP")).toEqual([]);
  expect(rules("connect")).toEqual(["noRestrictedImports"]);
});

test("every source file belongs to exactly one layer, and every layer names files that exist", () => {
  const config: { overrides: { includes: string[] }[] } = JSON.parse(readFileSync(join(PROJECT, "biome.json"), "utf8"));
  const layers = config.overrides.map(({ includes }) => {
    const isIn = (path: string): boolean =>
      includes.some((glob) => !glob.startsWith("!") && new Bun.Glob(glob).match(path)) &&
      !includes.some((glob) => glob.startsWith("!") && new Bun.Glob(glob.slice(1)).match(path));
    return { includes, isIn };
  });
  const counts = SOURCES.map((path) => [path, layers.filter(({ isIn }) => isIn(`src/${path}`)).length] as const);
  expect(counts.filter(([path, count]) => count !== (path === "main.ts" ? 0 : 1))).toEqual([]);
  const named = layers.flatMap(({ includes }) => includes).flatMap((glob) => expandBraces(glob.replace("!", "")));
  expect(named.filter((glob) => !SOURCES.some((path) => new Bun.Glob(glob).match(`src/${path}`)))).toEqual([]);
});

function expandBraces(glob: string): string[] {
  const braces = /^(.*)\{(.*)\}(.*)$/.exec(glob);
  return braces?.[2]?.split(",").map((name) => `${braces[1]}${name}${braces[3]}`) ?? [glob];
}

test("the pages made from the table of settings are as `npm run docs` writes them", () => {
  expect(readFileSync(join(PROJECT, "docs/configuration.md"), "utf8")).toBe(buildConfigurationPage());
  expect(readFileSync(join(PROJECT, "install/tattile.env.example"), "utf8")).toBe(buildEnvExample());
});

test("every link between the documents leads somewhere", () => {
  const pages = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"];
  for (const name of readdirSync(join(PROJECT, "docs"))) if (name.endsWith(".md")) pages.push(`docs/${name}`);
  const broken = pages.flatMap((page) => {
    const text = readFileSync(join(PROJECT, page), "utf8");
    return [...text.matchAll(/\]\((?!https?:)([^)#\s]+)(#[^)]*)?\)/g)]
      .map(([, target]) => join(dirname(page), target ?? ""))
      .filter((target) => !Bun.file(join(PROJECT, target)).size)
      .map((target) => `${page}: ${target}`);
  });
  expect(broken).toEqual([]);
});

test("every tattile command in the documents exists, with the flags it is given there", () => {
  const names = readdirSync(join(PROJECT, "docs")).filter((name) => name.endsWith(".md"));
  const pages = ["README.md", ...names.map((name) => `docs/${name}`)];
  const written = pages.flatMap((page) => {
    const text = readFileSync(join(PROJECT, page), "utf8");
    const blocks = [...text.matchAll(/^```$([^`]*)^```$/gm)].flatMap(([, block]) => (block ?? "").split("\n"));
    const inline = [...text.replace(/^```$[^`]*^```$/gm, "").matchAll(/`([^`\n]+)`/g)].map(([, code]) => code ?? "");
    const commands = [...blocks, ...inline].flatMap((code) => {
      const words = /(?:^|&& )(?:sudo )?tattile ([a-z][^#]*)/.exec(code)?.[1];
      return words === undefined ? [] : [words];
    });
    return commands.map((words) => ({ page, words: words.split("&&")[0]?.trim() ?? "" }));
  });
  expect(written.length).toBeGreaterThan(60);
  const helps = new Map<string, string>();
  const wrong = written.filter(({ words }) => {
    const [command = "", sub = ""] = words.split(/[ ,]+/);
    const name =
      /^[a-z]+$/.test(sub) &&
      !["demo", "status", "version", "totals", "top", "logs", "restart", "setup", "completions"].includes(command)
        ? [command, sub]
        : [command];
    const key = name.join(" ");
    const help =
      helps.get(key) ?? spawnSync(join(PROJECT, "dist/tattile"), [...name, "--help"], { encoding: "utf8" }).stdout;
    helps.set(key, help);
    const flags = words.match(/--[a-z-]+/g) ?? [];
    return !help.includes(`Usage: tattile ${key}`) || flags.some((flag) => !help.includes(flag));
  });
  expect(wrong).toEqual([]);
});

test("docs/dependencies.md gives every dependency a reason, and no other", () => {
  const manifest = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8"));
  const page = readFileSync(join(PROJECT, "docs/dependencies.md"), "utf8");
  const reasons = [...page.matchAll(/^\| `([^`]+)` \| (.{20,}) \|$/gm)].map(([, name]) => name);
  const declared = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)];
  expect(reasons.toSorted()).toEqual(declared.toSorted());
  for (const version of Object.values({ ...manifest.dependencies, ...manifest.devDependencies })) {
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  }
});

test("the lock file holds the packages for other machines too: without them npm ci refuses it whole", () => {
  // npm leaves them out silently where the registry at hand does not have them.
  const packages: Record<string, { optionalDependencies?: Record<string, string> }> = JSON.parse(
    readFileSync(join(PROJECT, "package-lock.json"), "utf8"),
  ).packages;
  const wanted = Object.values(packages).flatMap(({ optionalDependencies }) => Object.keys(optionalDependencies ?? {}));
  expect(wanted.length).toBeGreaterThan(0);
  expect(wanted.filter((name) => packages[`node_modules/${name}`] === undefined)).toEqual([]);
});

const GOOD: RunFacts = {
  junit: '<testsuites name="bun test" tests="3" failures="0" skipped="0">',
  log: "\n 3 pass\n 0 fail\n",
  status: 0,
  leaked: [],
};

test.each<[string, Partial<RunFacts>, number, string]>([
  ["a test that ends the run: no report", { junit: null }, 0, "no report was written"],
  ["a test that ends the run: no summary", { log: "" }, 3, "printed no summary"],
  [
    "no test at all",
    { junit: GOOD.junit?.replace('"3"', '"0"') ?? "", log: " 0 pass\n 0 fail\n" },
    0,
    "no test was run",
  ],
  [
    "a test that is skipped",
    { junit: GOOD.junit?.replace('skipped="0"', 'skipped="1"') ?? "", log: " 2 pass\n" },
    2,
    "1 skipped",
  ],
  ["a report that disagrees with the summary", { log: " 2 pass\n 0 fail\n" }, 3, "the report counts 3, the runner 2"],
  ["a runner that fails without a failed test", { status: 7 }, 3, "ended with 7"],
  ["what tests leave behind", { leaked: ["bench-1"] }, 3, "left behind: bench-1"],
])("a test run is not green with %s", (_what, facts, passed, complaint) => {
  const result = summarize({ ...GOOD, ...facts });
  expect(result.failed).toBeGreaterThan(0);
  expect(result.passed).toBe(passed);
  expect(result.complaints.join("; ")).toContain(complaint);
});

test("a test run counts what passed and what failed", () => {
  expect(summarize(GOOD)).toEqual({ passed: 3, failed: 0, complaints: [] });
  const failed = {
    junit: GOOD.junit?.replace('failures="0"', 'failures="1"') ?? "",
    log: " 2 pass\n 1 fail\n",
    status: 1,
  };
  expect(summarize({ ...GOOD, ...failed })).toEqual({ passed: 2, failed: 1, complaints: [] });
});

/** Texts that are translated and put together from several pieces. */
const COMPOSED = `a whole number of|day left|s behind the police|s ahead of the police|s ahead of|is taken by
is taken or not allowed by|it is not a PFX file, but PEM text|no service of tattile is enabled or running
it waits for one, for|fields in the order that is sent|right in the readings of the one that was heard
when one message tries. A pause spends no attempt|older ones of its camera go first. The last error was|is not base64|is a JPEG that was cut off|clock right
this certificate pauses until it is mended|the endpoint pauses until it is mended|built in|fields as they should be|the signature verifies|the signature DOES NOT VERIFY|grey, made up), context
with no certificate|plate, context`.split(/[|\n]/);

test("an English text that was changed is changed in src/i18n too, or its translation is lost", () => {
  const own = SOURCES.filter((path) => !/^(i18n|web|simulator)\//.test(path));
  const english = own.map((path) => readFileSync(join(PROJECT, "src", path), "utf8")).join("\n");
  const texts = Object.keys({
    ...WORDS,
    ...PHRASES,
    ...ERRORS,
    ...FINDINGS,
    ...RESULTS,
    ...LIFE,
    ...HEARD,
    ...SENT,
  }).filter((text) => !/^E[A-Z]+$/.test(text));
  const gone = texts.flatMap((text) =>
    text
      .replaceAll("\n", "\\n")
      .split(/\{[~#@]?\d\}|[;:] | \(|(?<=removing) /)
      .map((piece) => piece.replace(/^[ (),.:;"?]+|[ (),.:;"?]+$/g, ""))
      .filter((piece) => !english.includes(piece) && !COMPOSED.includes(piece))
      .map((piece) => `${text}: nobody says ${JSON.stringify(piece)}`),
  );
  expect(gone).toEqual([]);
});
