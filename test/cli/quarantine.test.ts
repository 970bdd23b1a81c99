import { expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, takeIn } from "../support/queued-readings.ts";
import { type CommandFolder, openCommandFolder } from "../support/tattile-command.ts";

const SERIAL = "2001008851";

/** Two messages of an unregistered camera and a malformed one. */
async function openHeld(): Promise<CommandFolder> {
  const cli = await openCommandFolder();
  await cli.run("municipality", "add", "Òdena");
  const messages = [messageOf(SERIAL, "1000BCD", 1), messageOf(SERIAL, "1001BCD", 2), Buffer.from("<root><a></root>")];
  expect(await takeIn(cli.dataDir, messages)).toEqual(["quarantined", "quarantined", "quarantined"]);
  return cli;
}

async function held(cli: CommandFolder, ...filter: string[]): Promise<Record<string, unknown>[]> {
  return JSON.parse((await cli.run("quarantine", "list", "--json", ...filter)).stdout);
}

async function files(cli: CommandFolder): Promise<number> {
  const names = await readdir(join(cli.dataDir, "quarantine"), { recursive: true });
  return names.filter((name) => name.endsWith(".msg")).length;
}

test("what is held is listed with its reason, by kind and by camera", async () => {
  await using cli = await openHeld();
  expect((await held(cli)).length).toBe(3);
  expect((await held(cli, "--after", "1")).map(({ id }) => id)).toEqual([2, 3]);
  expect((await held(cli, "--kind", "malformed")).length).toBe(1);
  expect((await held(cli, "--camera", SERIAL)).map((h) => h["kind"])).toEqual(["unregistered", "unregistered"]);
  const said = await cli.run("quarantine", "list");
  expect(said.stdout).toContain("no camera of this s");
  for (const line of said.stdout.trimEnd().split("\n")) expect([...line].length).toBeLessThanOrEqual(80);
});

test("show tells what can be understood, the plate only when asked", async () => {
  await using cli = await openHeld();
  const [one] = await held(cli, "--camera", SERIAL);
  const show = (...more: string[]) => cli.run("quarantine", "show", `${one?.["id"]}`, ...more);
  const said = await show();
  expect(said.code).toBe(0);
  expect(said.stdout).toContain("10•••CD");
  expect(`${said.stdout}${(await show("--json")).stdout}`).not.toMatch(/100[01]BCD/);
  expect((await show("--show-plates")).stdout).toMatch(/100[01]BCD/);
  const [broken] = await held(cli, "--kind", "malformed");
  expect((await cli.run("quarantine", "show", `${broken?.["id"]}`)).stdout).toContain("understood now  no:");
  expect((await cli.run("quarantine", "show", "999")).code).toBe(1);
});

test("retry takes in what has a camera meanwhile, and holds the rest again", async () => {
  await using cli = await openHeld();
  await cli.run("camera", "add", SERIAL, "--reader", "1", "--municipality", "Òdena");
  expect((await cli.run("quarantine", "retry", "--all", "--dry-run")).stdout).toBe("would retry 3 messages\n");
  expect(JSON.parse((await cli.run("quarantine", "retry", "--all", "--json")).stdout)).toEqual({
    queued: 2,
    quarantined: 1,
  });
  expect((await held(cli)).map((h) => h["kind"])).toEqual(["malformed"]);
  expect(await files(cli)).toBe(1);
  expect(JSON.parse((await cli.run("queue", "list", "--json")).stdout).length).toBe(2);
});

test("drop erases rows and files, after a yes, by id, kind, camera or all", async () => {
  await using cli = await openHeld();
  const drop = (...words: string[]) => cli.run("quarantine", "drop", ...words);
  expect(await drop("--all")).toMatchObject({ code: 2, stderr: expect.stringContaining("erase 3 held messages") });
  expect((await drop("--kind", "malformed", "--dry-run")).stdout).toBe("would erase 1 held message\n");
  expect([(await held(cli)).length, await files(cli)]).toEqual([3, 3]);
  expect((await drop("--kind", "malformed", "--yes")).stdout).toBe("erased 1 held message\n");
  const [first] = await held(cli);
  expect((await drop(`${first?.["id"]}`, "--yes")).code).toBe(0);
  expect([(await held(cli)).length, await files(cli)]).toEqual([1, 1]);
  expect((await drop("--camera", SERIAL, "--yes")).stdout).toBe("erased 1 held message\n");
  expect([await held(cli), await files(cli)]).toEqual([[], 0]);
  expect((await drop("--all")).stdout).toBe("erased 0 held messages\n");
  expect((await drop("77", "--yes")).code).toBe(1);
});
