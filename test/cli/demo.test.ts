import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { runDemo } from "../../src/demo.ts";
import { findTraces } from "../../src/demo-traces.ts";
import { openCommandFolder, tattileCommand } from "../support/tattile-command.ts";

test("the demo delivers everything through a kill -9 and an outage, and leaves nothing behind", async () => {
  await using cli = await openCommandFolder();
  const temporary = join(cli.folder, "tmp");
  await mkdir(temporary);
  const words = ["demo", "--cameras", "5", "--readings", "40", "--rate", "20"];
  const said = await cli.runWith({ env: { TMPDIR: temporary } }, ...words);
  expect([said.code, said.stderr]).toEqual([0, ""]);
  for (const line of ["kill -9:", "The police are away", "Nothing was lost."]) expect(said.stdout).toContain(line);
  expect(said.stdout).toMatch(/lost +0\n/);
  expect(said.stdout).toMatch(/left +no plate, no picture in \d+ files/);
  expect(await readdir(temporary)).toEqual([]);
});

test("a calm demo says the balance as JSON, and keeps its folder when told to", async () => {
  await using cli = await openCommandFolder();
  const words = ["demo", "--cameras", "2", "--readings", "6", "--rate", "50", "--calm", "--keep", "--json"];
  const said = await cli.runWith({ env: { TMPDIR: cli.folder } }, ...words);
  expect(said.code).toBe(0);
  const report = JSON.parse(said.stdout);
  expect(report).toMatchObject({ lost: 0, invented: 0, differing: 0, traces: [] });
  expect(report.delivered).toBe(report.sent);
  expect(await readFile(join(report.folder, "service.log"), "utf8")).toContain("stopped");
});

test("a demo that breaks off in the middle of its storm leaves nothing behind", async () => {
  let folder = "";
  const demo = runDemo({
    cameras: 2,
    readings: 12,
    ratePerSecond: 20,
    stormy: true,
    keep: false,
    clock: systemClock,
    signal: new AbortController().signal,
    tell(text) {
      folder ||= /happens in (\S+):/.exec(text)?.[1] ?? "";
      if (text.startsWith("The police are away")) throw new Error("the storm broke");
    },
    show() {},
  });
  expect(await demo.catch((error: Error) => error.message)).toBe("the storm broke");
  expect(folder).not.toBe("");
  expect(existsSync(folder)).toBe(false);
});

test("a demo that is killed takes its service with it", async () => {
  await using cli = await openCommandFolder();
  const words = ["demo", "--cameras", "2", "--readings", "2000", "--rate", "20", "--calm"];
  const demo = Bun.spawn([...tattileCommand(), ...words], {
    env: { ...process.env, TMPDIR: cli.folder },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  const servicePid = async (): Promise<string> => {
    for (;;) {
      const found = Bun.spawnSync(["pgrep", "-f", `run all --env-file ${cli.folder}`])
        .stdout.toString()
        .trim();
      if (found !== "") return found;
      await Bun.sleep(20);
    }
  };
  const pid = await servicePid();
  demo.kill("SIGKILL");
  await demo.exited;
  while (existsSync(`/proc/${pid}`)) await Bun.sleep(20);
});

test("the search finds a plate and a picture in any file, and in file names", async () => {
  await using cli = await openCommandFolder();
  const folder = join(cli.folder, "searched");
  await mkdir(join(folder, "1234BCD-folder"), { recursive: true });
  await writeFile(join(folder, "a.db"), Buffer.concat([Buffer.alloc(9000), Buffer.from("x1234BCDx")]));
  await writeFile(join(folder, "b.log"), Buffer.from([0, 0xff, 0xd8, 0xff, 0xe0]));
  await writeFile(join(folder, "c.xml"), `<i>/9j/${"A".repeat(100)}</i>`);
  await writeFile(join(folder, "clean"), "1234BC");
  const { files, traces } = await findTraces(folder, ["1234BCD"]);
  expect(files).toBe(4);
  expect(traces.toSorted((a, b) => (a.file < b.file ? -1 : 1))).toEqual([
    { file: "1234BCD-folder", kind: "plate in a name" },
    { file: "a.db", kind: "plate" },
    { file: "b.log", kind: "picture" },
    { file: "c.xml", kind: "picture in base64" },
  ]);
});
