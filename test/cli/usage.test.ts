import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openCommandFolder } from "../support/tattile-command.ts";

const wrong: readonly (readonly [words: string, error: string])[] = [
  ["statsu", "unknown command statsu; did you mean status?"],
  ["camera lst", "unknown command camera lst; did you mean list?"],
  ["camera", "camera: which one? add, list, show, set, remove"],
  ["--bogus status", "unknown flag --bogus before the command"],
  ["status --jsno", "status: unknown flag --jsno; did you mean --json?"],
  ["status -j", "status: unknown flag -j"],
  ["status --no-json", "status: unknown flag --no-json"],
  ["status --json=yes", "status: --json takes no value"],
  ["status --json --json", "status: --json is given twice"],
  ["status now", "status: unexpected word now"],
  ["camera add", "camera add: SERIAL is missing"],
  ["camera add 2001008851 --municipality X", "camera add: --reader CODE is missing"],
  ["camera add 2001008851 --reader --municipality X", "camera add: --reader needs a value"],
  ["camera add 2001008851 --municipality X --reader", "camera add: --reader needs a value"],
  ["endpoint add a https://x/ --profile lax", "--profile is lax, allowed are compat, strict"],
  ["queue retry", "queue retry: which messages?"],
  ["queue discard --all --state DEAD", "queue discard: --all together with a filter"],
  ["queue list --state WAITING", '--state is "WAITING", allowed are PENDING, SENDING, FAILED, DEAD'],
  ["queue list --state SUCCESS", '--state is "SUCCESS", allowed are PENDING, SENDING, FAILED, DEAD'],
  ["queue show 12x", 'ID is "12x", allowed is a whole number'],
  ["quarantine drop --all --kind malformed", "quarantine drop: which held messages?"],
  ["run everything", "unknown command run everything"],
  ["--env-file", "--env-file needs a value"],
];

test.each(wrong)("`tattile %s` ends with 2 and says: %s", async (words, error) => {
  await using cli = await openCommandFolder();
  const said = await cli.run(...words.split(" "));
  expect(said).toMatchObject({ code: 2, stdout: "" });
  const lines = said.stderr.trimEnd().split("\n");
  expect(lines[0]).toStartWith("Error: ");
  expect(lines[0]).toContain(error);
  expect(lines.length).toBeLessThanOrEqual(2);
  if (lines.length === 2) expect(lines[1]).toStartWith("Try: ");
});

test("a wrong setting ends with 3 and names variable, value and what is allowed", async () => {
  await using cli = await openCommandFolder();
  const said = await cli.runWith({ env: { TRANSIT_PORT: "70000" } }, "camera", "list");
  expect(said.code).toBe(3);
  expect(said.stderr).toContain("TRANSIT_PORT");
  expect(said.stderr).toContain("70000");
  expect(said.stderr).toContain("65535");
});

test("an --env-file is read wherever it stands, and one that is missing ends with 3", async () => {
  await using cli = await openCommandFolder();
  const file = join(cli.folder, "wrong.env");
  await writeFile(file, "TRANSIT_PORT=70000\n");
  for (const words of [
    ["--env-file", file, "camera", "list"],
    ["camera", "list", `--env-file=${file}`],
    ["camera", "--env-file", file, "list"],
  ]) {
    const said = await cli.run(...words);
    expect(said.code).toBe(3);
    expect(said.stderr).toContain(file);
  }
  expect((await cli.run("camera", "list", "--env-file", join(cli.folder, "none.env"))).code).toBe(3);
});

test("a value after -- is a word, also when it looks like a flag", async () => {
  await using cli = await openCommandFolder();
  const said = await cli.run("camera", "show", "--", "--help");
  expect(said.code).toBe(1);
  expect(said.stderr).toContain("unknown camera --help");
});

test("version says which build it is, and touches nothing", async () => {
  await using cli = await openCommandFolder();
  expect((await cli.run("version")).stdout).toStartWith("tattile ");
  expect((await cli.run("--version")).stdout).toStartWith("tattile ");
  expect(JSON.parse((await cli.run("version", "--json")).stdout)).toHaveProperty("commit");
  expect(existsSync(cli.dataDir)).toBe(false);
});

test("no colours where nobody looks, and none on a terminal with NO_COLOR", async () => {
  await using cli = await openCommandFolder();
  const red = "\u001b[31m";
  expect((await cli.run("status")).stdout).not.toContain(red);
  expect((await cli.onTerminal({}, "status")).stdout).toContain(red);
  expect((await cli.onTerminal({ env: { NO_COLOR: "1" } }, "status")).stdout).not.toContain(red);
});
