import { beforeAll, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createPki } from "../../src/simulator/pki.ts";
import { askedOfSystemd, installFakeSystemd, unitsText } from "../support/fake-systemd.ts";
import { messageOf, takeIn } from "../support/queued-readings.ts";
import { type CommandFolder, openCommandFolder } from "../support/tattile-command.ts";

const PAGE = readFileSync(new URL("../../docs/from-ajustes.md", import.meta.url), "utf8");
/** The last cell of every row of the tables with what the menu did, in the order of the page. */
const COMMANDS = [...PAGE.matchAll(/^\|.*\| `(?:sudo )?tattile ([^`]+)` \|$/gm)].map(([, words]) => words ?? "");

// What the menu could do, each by words that one of the commands must have.
const PROMISED: readonly (readonly string[])[] = [
  ["municipality add"],
  ["camera add"],
  ["endpoint add"],
  ["cert import"],
  ["municipality set", "--certificate"],
  ["municipality set", "--endpoint"],
  ["camera set", "--endpoint"],
  ["municipality set", "--code"],
  ["camera set", "--reader"],
  ["endpoint set"],
  ["camera remove", "--keep-readings"],
  ["camera remove", "--keep-images"],
  ["camera remove", "--keep-queue"],
  ["municipality remove"],
  ["municipality remove", "--cascade"],
  ["cert remove", "--force"],
  ["endpoint remove", "--force"],
  ["wipe readings"],
  ["wipe queue"],
  ["wipe images"],
  ["wipe all"],
  ["readings list", "--camera"],
  ["readings list", "--municipality"],
  ["queue summary", "--by state"],
  ["queue summary", "--by municipality"],
  ["queue list", "--state FAILED,DEAD"],
  ["camera list"],
  ["totals"],
  ["top"],
  ["logs", "-f", "--task ingest"],
  ["restart"],
  ["audit list"],
];

/** What a command asks on the terminal, and what is answered. */
const ANSWERS: readonly (readonly [command: RegExp, question: string, answer: string])[] = [
  [/^cert import/, "Password of", "secret"],
  [/^(\w+ remove|wipe|restart)/, "Type yes", "yes"],
  [/^top/, "readings   in", "q"],
];

/** Nothing is at work in this folder: status says so by its exit code, as it should. */
const CODES: Readonly<Record<string, number>> = { status: 2 };

function wordsOf(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? "");
}

let pfx: readonly Buffer[] = [];
beforeAll(async () => {
  const pki = await createPki({ now: new Date() });
  const issue = async (commonName: string): Promise<Buffer> =>
    (await pki.issueClient({ organization: "Sant Cugat", commonName })).pfx("secret");
  pfx = [await issue("Old"), await issue("New")];
});

/** What the page takes for granted at some place: cameras with readings, and towns to be removed. */
async function prepare(cli: CommandFolder, command: string): Promise<void> {
  const [noun = "", verb = "", name = ""] = wordsOf(command);
  const add = async (serial: string, town: string): Promise<void> => {
    expect((await cli.run("camera", "add", serial, "--reader", "1", "--municipality", town)).code).toBe(0);
    await takeIn(cli.dataDir, [messageOf(serial, "1234BCD", serial.charCodeAt(9))]);
  };
  if (noun === "camera" && verb === "remove") await add(name, "Sant Cugat");
  if (noun === "municipality" && verb === "remove") {
    expect((await cli.run("municipality", "add", name)).code).toBe(0);
    if (command.includes("--cascade")) await add("2001008859", name);
  }
  if (noun === "wipe") {
    await takeIn(cli.dataDir, [messageOf("2001008851", `${COMMANDS.indexOf(command) + 1000}BCD`, 30)]);
  }
}

test("every entry of the old menu has its command on the page", () => {
  expect(COMMANDS.length).toBeGreaterThan(40);
  const missing = PROMISED.filter(
    (parts) => !COMMANDS.some((command) => parts.every((part) => command.includes(part))),
  );
  expect(missing).toEqual([]);
});

test("each command of the page does its work, one after the other as they stand there", async () => {
  await using cli = await openCommandFolder();
  const kept = join(cli.folder, "evidence");
  await mkdir(kept);
  await writeFile(join(cli.folder, "santcugat.pfx"), pfx[0] ?? "");
  await writeFile(join(cli.folder, "nou.pfx"), pfx[1] ?? "");
  const units = unitsText({ tattile: ["loaded", "active", "enabled"] });
  const env = await installFakeSystemd(cli.folder, units);
  for (const command of COMMANDS) {
    await prepare(cli, command);
    const words = wordsOf(command).map((word) => (word === "/srv/evidence" ? kept : word));
    const answers = ANSWERS.filter(([one]) => one.test(command)).map(([, ...answer]) => answer);
    const said = await cli.onTerminal({ answers, env }, ...words);
    expect([command, said.code, said.stdout]).toEqual([command, CODES[words[0] ?? ""] ?? 0, expect.any(String)]);
    for (const [question] of answers)
      expect([command, said.stdout]).toEqual([command, expect.stringContaining(question)]);
  }
  // What the last ones left: nothing but what is to stay.
  const totals = JSON.parse((await cli.run("totals", "--json")).stdout) as {
    tables: { table: string; rows: number }[];
  };
  const left = totals.tables.filter(({ rows }) => rows > 0).map(({ table }) => table);
  expect(left).toContain("audit_log");
  for (const table of ["alpr_readings", "messages_queue", "cameras", "municipalities", "endpoints", "certificates"]) {
    expect(left).not.toContain(table);
  }
  expect(existsSync(join(kept, "2001008855"))).toBe(true);
  const asked = (await askedOfSystemd(cli.folder)).replace(/=@\d+/, "=@THEN");
  expect(asked.split("\n")).toEqual([
    "journalctl --unit=tattile.service --lines=100 --no-pager",
    "journalctl --unit=tattile.service --lines=100 --follow --no-pager",
    "journalctl --unit=tattile.service --lines=100 --since=@THEN --no-pager",
    "systemctl restart tattile.service",
  ]);
});
