import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openCommandFolder } from "../support/tattile-command.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
/** Rejects, with nobody to hear of it, as soon as the program has set its last resort. */
const PRELOADED = `
const on = process.on.bind(process);
process.on = (name, listener) => {
  if (name === "uncaughtException") setImmediate(() => void Promise.reject(new Error("nobody waited for this")));
  return on(name, listener);
};`;

async function runSurprised(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  await using cli = await openCommandFolder();
  const preloaded = join(cli.folder, "surprise.ts");
  await writeFile(preloaded, PRELOADED);
  const child = Bun.spawn([process.execPath, "--preload", preloaded, MAIN, ...words], {
    env: {
      ...{ PATH: process.env["PATH"] ?? "", DATA_DIR: cli.dataDir, TATTILE_ENV_FILE: "/dev/null" },
      ...{ API_PORT: "0", TRANSIT_PORT: "0", DISK_MIN_FREE_BYTES: "1048576" },
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { code: await child.exited, stdout, stderr };
}

test("a rejection that nobody waits for ends a command with two lines", async () => {
  const { code, stderr } = await runSurprised("status");
  expect({ code, lines: stderr.trimEnd().split("\n") }).toEqual({
    code: 1,
    lines: ["Error: nobody waited for this", "Try: the same again with LOG_LEVEL=debug, and report what it prints"],
  });
});

test("a rejection that nobody waits for ends the service with a line in its log", async () => {
  const { code, stdout, stderr } = await runSurprised("run", "all");
  expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
  expect(stdout).toContain("unexpected error");
  expect(stdout).toContain("nobody waited for this");
});
