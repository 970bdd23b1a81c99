import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openRunFile } from "../../src/run-file.ts";
import { createPki } from "../../src/simulator/pki.ts";
import { messageOf, takeIn } from "../support/queued-readings.ts";
import { type CommandFolder, openCommandFolder } from "../support/tattile-command.ts";

/** One camera that has just read something, everything it needs, and a service that runs (this process stands for it). */
async function openHealthy(): Promise<CommandFolder> {
  const cli = await openCommandFolder();
  const pki = await createPki({ now: new Date() });
  const client = await pki.issueClient({ organization: "Òdena" });
  await writeFile(join(cli.folder, "town.pfx"), client.pfx("secret"));
  for (const words of [
    ["endpoint", "add", "lectio", "https://police.example/matr-ws"],
    ["municipality", "add", "Òdena", "--endpoint", "lectio"],
    ["camera", "add", "2001008851", "--reader", "1", "--municipality", "Òdena"],
  ]) {
    expect((await cli.run(...words)).code).toBe(0);
  }
  const words = ["cert", "import", "town.pfx", "--municipality", "Òdena", "--password-stdin"];
  expect((await cli.runWith({ stdin: "secret" }, ...words)).code).toBe(0);
  await takeIn(cli.dataDir, [messageOf("2001008851", "1000BCD", 1)]);
  for (const task of ["ingest", "sender", "api"]) await openRunFile(cli.dataDir, task, "1", new Date());
  return cli;
}

test("everything in order ends with 0, on one screen, without a plate", async () => {
  await using cli = await openHealthy();
  const said = await cli.run("status");
  expect(said).toMatchObject({ code: 0, stderr: "" });
  const lines = said.stdout.trimEnd().split("\n");
  expect(lines.at(-1)).toBe("All is fine.");
  expect(lines.length).toBeLessThanOrEqual(24);
  for (const line of lines) expect([...line].length).toBeLessThanOrEqual(80);
  for (const word of [
    "ingest running",
    "1 pending",
    "2001008851: read",
    "lectio: open",
    "Òdena: 72",
    "GiB free",
    "clock",
  ]) {
    expect(said.stdout).toContain(word);
  }
  expect(said.stdout).not.toContain("BCD");
  const json = JSON.parse((await cli.run("status", "--json")).stdout);
  expect(json).toMatchObject({ status: "fine", attention: [], queue: { byStatus: { PENDING: 1 }, readings: 1 } });
});

test("something to mend ends with 1 and names the command", async () => {
  await using cli = await openHealthy();
  await cli.run("camera", "add", "2001008852", "--reader", "2", "--municipality", "Òdena");
  const said = await cli.run("status");
  expect(said.code).toBe(1);
  expect(said.stdout).toContain("ATTENTION never a reading from camera 2001008852\n  mend: ");
});

test("without a service it ends with 2 and says how to start it", async () => {
  await using cli = await openCommandFolder();
  const said = await cli.run("status");
  expect(said.code).toBe(2);
  expect(said.stdout).toContain("DOWN ingest is not running: no reading is taken in\n  mend: systemctl start tattile");
  expect(JSON.parse((await cli.run("status", "--json")).stdout).status).toBe("down");
});

test("a store that cannot be opened ends with 2, in words", async () => {
  await using cli = await openHealthy();
  await writeFile(join(cli.dataDir, "tattile.db"), "this is no database ".repeat(1000));
  const said = await cli.run("status", "--json");
  expect(said.code).toBe(2);
  expect(said.stderr).toStartWith("Error: ");
  expect(JSON.parse(said.stdout)).toMatchObject({ status: "down", error: expect.stringContaining("tattile.db") });
});

test("two hundred cameras still fit on one screen", async () => {
  await using cli = await openHealthy();
  const { withStore } = await import("../support/queued-readings.ts");
  await withStore(cli.dataDir, async (store) => {
    const [camera] = await store.listCameras();
    if (camera === undefined) throw new Error("no camera");
    for (let i = 0; i < 200; i++) await store.saveCamera({ ...camera, serial: `30010000${i}`, readerCode: `R${i}` });
  });
  const said = await cli.run("status");
  expect(said.stdout.trimEnd().split("\n").length).toBeLessThanOrEqual(24);
  expect(said.stdout).toContain("201, of which 1 read something within an hour");
});
