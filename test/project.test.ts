import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buildConfigurationPage, buildEnvExample } from "../scripts/setting-docs.ts";
import { type RunFacts, summarize } from "../scripts/test-summary.ts";

const ROOT = join(import.meta.dir, "..");
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

/** A file, what it imports, and whether the import rules of biome.json must refuse that. */
const IMPORTS: readonly (readonly [string, string, "refused" | "allowed"])[] = [
  // Pure code does no I/O.
  ...["node:fs", "node:fs/promises", "node:net", "node:http", "node:https", "node:tls", "node:child_process"].map(
    (name) => ["src/reading.ts", name, "refused"] as const,
  ),
  ...["bun", "bun:sqlite", "bun:ffi"].map((name) => ["src/camera/frame.ts", name, "refused"] as const),
  ...[
    "src/message.ts",
    "src/delivery.ts",
    "src/image-path.ts",
    "src/time-zone.ts",
    "src/capture-time.ts",
    "src/retry-policy.ts",
    "src/breaker.ts",
    "src/cidr.ts",
    "src/camera/tattile-xml.ts",
    "src/soap/envelope.ts",
    "src/soap/sign.ts",
    "src/soap/response.ts",
    "src/soap/certificate.ts",
    "src/soap/wsdl.ts",
    "src/soap/contract.ts",
  ].map((file) => [file, "node:fs", "refused"] as const),
  ["src/soap/sign.ts", "node:crypto", "allowed"],
  ["src/cidr.ts", "node:net", "allowed"],
  ["src/soap/client.ts", "node:tls", "allowed"],
  // Pure code knows ports, not what implements them, and nothing above it.
  ["src/retry-policy.ts", "./store/store.ts", "allowed"],
  ["src/retry-policy.ts", "./store/sqlite.ts", "refused"],
  ["src/soap/sign.ts", "../store/registry.ts", "allowed"],
  ["src/soap/sign.ts", "../store/sqlite-registry.ts", "refused"],
  ["src/soap/envelope.ts", "./client.ts", "refused"],
  ["src/soap/response.ts", "../images/disk.ts", "refused"],
  ["src/camera/tattile-tlv.ts", "../ingest.ts", "refused"],
  ["src/camera/fields.ts", "./images.ts", "allowed"],
  // Adapters do not know services.
  ["src/store/sqlite.ts", "../sender.ts", "refused"],
  ["src/store/sqlite.ts", "../service.ts", "refused"],
  ["src/store/sqlite.ts", "./sqlite-claim.ts", "allowed"],
  ["src/images/disk.ts", "../intake.ts", "refused"],
  ["src/soap/client.ts", "../attempt.ts", "refused"],
  // Services do not know each other, nor what implements their ports, nor the service that wires them.
  ["src/sender.ts", "./ingest.ts", "refused"],
  ["src/sender.ts", "./attempt.ts", "allowed"],
  ["src/sender.ts", "./store/sqlite.ts", "refused"],
  ["src/sender.ts", "./images/image-store.ts", "allowed"],
  ["src/ingest.ts", "./sender.ts", "refused"],
  ["src/ingest.ts", "./intake.ts", "allowed"],
  ["src/intake.ts", "./ingest.ts", "refused"],
  ["src/intake.ts", "./images/disk.ts", "refused"],
  ["src/cleanup.ts", "./sender.ts", "refused"],
  ["src/api.ts", "./service.ts", "refused"],
  ["src/api.ts", "./cleanup.ts", "refused"],
  ["src/service.ts", "./sender.ts", "allowed"],
  ["src/service.ts", "./demo.ts", "refused"],
  // Only main knows the command line.
  ["src/service.ts", "./cli/program.ts", "refused"],
  ["src/sender.ts", "./cli/output.ts", "refused"],
  ["src/demo.ts", "./cli/output.ts", "refused"],
  ["src/main.ts", "./cli/program.ts", "allowed"],
  ["src/cli/run.ts", "../service.ts", "allowed"],
  // Bun's stand-in for undici ignores CA, certificates and deadlines.
  ["src/soap/client.ts", "undici", "refused"],
  ["src/soap/client.ts", "undici/index.js", "allowed"],
  ["src/cli/status.ts", "undici", "refused"],
  ["src/main.ts", "undici", "refused"],
  ["src/service.ts", "undici", "refused"],
  ["src/simulator/mossos.ts", "undici", "refused"],
  ["test/support/anything.ts", "undici", "refused"],
  // The simulated police must not agree with the mistakes of the code they check.
  ["src/simulator/mossos.ts", "../soap/sign.ts", "refused"],
  ["src/simulator/mossos.ts", "../store/sqlite.ts", "refused"],
  ["src/simulator/mossos.ts", "../store/registry.ts", "allowed"],
];

describe("import rules", () => {
  let folder = "";
  let refused: ReadonlySet<string> = new Set();
  const planted = (index: number, file: string): string => join(`case-${index}`, file);

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tattile-imports-"));
    const config: { overrides: { includes: string[] }[] } & Record<string, unknown> = JSON.parse(read("biome.json"));
    // Each breach lies in a tree of its own, so that one run judges them all with the very rules of this project.
    const anywhere = (glob: string): string => glob.replace(/^(!?)/, "$1**/");
    const overrides = config.overrides.map((one) => ({ ...one, includes: one.includes.map(anywhere) }));
    writeFileSync(join(folder, "biome.json"), JSON.stringify({ linter: config["linter"], overrides }));
    IMPORTS.forEach(([file, name], index) => {
      const path = join(folder, planted(index, file));
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, `import { thing } from "${name}";\n\nexport const other = thing;\n`);
    });
    const run = Bun.spawnSync(
      [
        join(ROOT, "node_modules/.bin/biome"),
        "lint",
        "--only=style/noRestrictedImports",
        "--reporter=github",
        "--max-diagnostics=none",
        ".",
      ],
      { cwd: folder },
    );
    const output = run.stdout.toString() + run.stderr.toString();
    const found = output.matchAll(/noRestrictedImports,file=([^,]+),/g);
    refused = new Set([...found].map((match) => match[1] ?? ""));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each(IMPORTS.map((one, index) => [...one, index] as const))(
    "%s importing %s is %s",
    (file, _, expected, index) => {
      const path = planted(index, file);
      expect([...refused].some((each) => each.endsWith(path))).toBe(expected === "refused");
    },
  );
});

describe("what is written from the table of settings", () => {
  test("docs/configuration.md is up to date (npm run docs)", () => {
    expect(read("docs/configuration.md")).toBe(buildConfigurationPage());
  });

  test("install/tattile.env.example is up to date, and sets nothing", () => {
    expect(read("install/tattile.env.example")).toBe(buildEnvExample());
    expect(buildEnvExample()).not.toMatch(/^[^#\n]/m);
  });
});

describe("the packages", () => {
  const manifest: Record<string, Record<string, string>> = JSON.parse(read("package.json"));
  const locked: Record<string, { optionalDependencies?: Record<string, string>; version?: string }> = JSON.parse(
    read("package-lock.json"),
  ).packages;

  test("are pinned to one version each", () => {
    for (const [name, wanted] of Object.entries({ ...manifest["dependencies"], ...manifest["devDependencies"] })) {
      expect([name, wanted]).toEqual([name, expect.stringMatching(/^\d+\.\d+\.\d+$/)]);
      expect(locked[`node_modules/${name}`]?.version).toBe(wanted);
    }
  });

  test("for other machines are locked too, or npm ci refuses the whole lock file", () => {
    const wanted = Object.values(locked).flatMap((one) => Object.keys(one.optionalDependencies ?? {}));
    expect(wanted.length).toBeGreaterThan(0);
    expect(wanted.filter((name) => locked[`node_modules/${name}`] === undefined)).toEqual([]);
  });

  test("have a line each in docs/dependencies.md", () => {
    const page = read("docs/dependencies.md");
    const names = Object.keys({ ...manifest["dependencies"], ...manifest["devDependencies"] });
    expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });
});

describe("the documents", () => {
  const pages = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    ...readdirSync(join(ROOT, "docs")).map((n) => `docs/${n}`),
  ].filter((name) => name.endsWith(".md"));

  test.each(pages)("%s links only to files that are there", (page) => {
    const links = [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map((match) => match[1] ?? "");
    const there = (link: string): boolean => {
      try {
        return readFileSync(join(ROOT, dirname(page), link)).length > 0;
      } catch {
        return false;
      }
    };
    expect(links.filter((link) => !there(link))).toEqual([]);
  });
});

describe("the judgement of a test run", () => {
  const junit = (tests: number, failures: number, skipped: number): string =>
    `<?xml version="1.0"?>\n<testsuites name="bun test" tests="${tests}" assertions="9" failures="${failures}" skipped="${skipped}" time="1">`;
  const good: RunFacts = { junit: junit(3, 0, 0), log: "\n 3 pass\n 0 fail\n", status: 0, leaked: [] };

  test("is good when runner and report agree", () => {
    expect(summarize(good)).toEqual({ passed: 3, failed: 0, complaints: [] });
  });

  test.each<[string, Partial<RunFacts>, string]>([
    ["a test that ended the run, before the report", { junit: null }, "no report"],
    ["a test that ended the run, before the summary", { log: " (pass) one\n" }, "no summary"],
    ["a report that counts other tests", { junit: junit(4, 0, 0) }, "counts 4"],
    ["no test at all", { junit: junit(0, 0, 0), log: " 0 pass\n 0 fail\n" }, "no test was run"],
    ["a skipped test", { junit: junit(4, 0, 1) }, "skipped"],
    ["an exit code without a failure", { status: 1 }, "ended with 1"],
    ["something left behind", { leaked: ["tattile-x"] }, "tattile-x"],
  ])("is bad for %s", (_, change, complaint) => {
    const result = summarize({ ...good, ...change });
    expect(result.complaints.join()).toContain(complaint);
    expect(result.failed).toBeGreaterThan(0);
  });

  test("counts failures as failures", () => {
    const run = { ...good, junit: junit(3, 2, 0), log: " 1 pass\n 2 fail\n", status: 1 };
    expect(summarize(run)).toEqual({ passed: 1, failed: 2, complaints: [] });
  });
});
