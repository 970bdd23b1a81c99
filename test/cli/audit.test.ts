import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { operatorName } from "../../src/cli/audited.ts";
import { parseSince } from "../../src/cli/values.ts";
import { createPki } from "../../src/simulator/pki.ts";
import type { AuditEntry } from "../../src/store/audit.ts";
import { messageOf, takeIn } from "../support/queued-readings.ts";
import { type CommandFolder, openCommandFolder } from "../support/tattile-command.ts";

const OWN_NAME = Bun.spawnSync(["id", "-nu"]).stdout.toString().trim();

async function entries(cli: CommandFolder, ...words: string[]): Promise<AuditEntry[]> {
  return JSON.parse((await cli.run("audit", "list", "--json", ...words)).stdout);
}

async function openSite(readings: number): Promise<CommandFolder> {
  const cli = await openCommandFolder();
  await cli.run("municipality", "add", "Òdena");
  await cli.run("camera", "add", "2001008851", "--reader", "00012", "--municipality", "Òdena");
  await takeIn(
    cli.dataDir,
    Array.from({ length: readings }, (_, i) => messageOf("2001008851", `${1000 + i}BCD`, i)),
  );
  return cli;
}

test("what was looked at, sent again, erased and removed is listed with who did it, and never with a plate", async () => {
  await using cli = await openSite(3);
  expect((await cli.run("audit", "list")).stdout).toBe("No entry.\n");
  await cli.run("queue", "list");
  await cli.run("queue", "show", "1");
  expect(await entries(cli)).toEqual([]);
  await cli.run("queue", "list", "--show-plates", "--camera", "2001008851");
  await cli.run("queue", "show", "2", "--show-plates");
  await cli.run("queue", "retry", "3");
  await cli.run("queue", "discard", "1", "--yes");
  await cli.run("queue", "discard", "--state", "PENDING", "--yes");
  await cli.run("camera", "remove", "2001008851", "--yes");
  await cli.run("endpoint", "add", "lectio", "https://police.example/");
  await cli.run("endpoint", "remove", "lectio", "--yes");
  await cli.run("municipality", "remove", "Òdena", "--yes");
  const all = await entries(cli);
  expect(all.map(({ what, messageId }) => [what, messageId])).toEqual([
    ["plates show", null],
    ["plates show", 2],
    ["queue retry", 3],
    ["queue discard", 1],
    ["queue discard", null],
    ["camera remove", null],
    ["endpoint remove", null],
    ["municipality remove", null],
  ]);
  expect(new Set(all.map(({ who }) => who))).toEqual(new Set([`${OWN_NAME} (cli)`]));
  expect(all[0]?.detail).toBe("queue list 1-3: camera 2001008851");
  expect(all[4]?.detail).toBe("state PENDING: 2 messages");
  const table = (await cli.run("audit", "list")).stdout;
  expect(table).toContain("plates show");
  expect(`${JSON.stringify(all)}${table}`).not.toContain("BCD");
  expect((await entries(cli, "--limit", "2")).map(({ what }) => what)).toEqual([
    "endpoint remove",
    "municipality remove",
  ]);
  expect((await cli.run("audit", "list", "--limit", "2")).stderr).toContain("More than 2");
  const [, third] = all.slice(-4);
  expect(await entries(cli, "--limit", "2", "--before", `${third?.id}`)).toEqual(all.slice(-5, -3));
  expect((await entries(cli, "--since", "1h")).length).toBe(8);
  expect((await entries(cli, "--what", "plates", "--message", "2")).map(({ detail }) => detail)).toEqual([
    "queue show",
  ]);
  expect((await entries(cli, "--what", "remove")).length).toBe(3);
  expect((await entries(cli, "--who", "(cli)", "--limit", "100")).length).toBe(8);
  expect(await entries(cli, "--who", "nobody else")).toEqual([]);
  expect((await cli.run("audit", "list", "--message", "x")).code).toBe(2);
});

test("a deed that is refused has a second entry that says so, and one that is not confirmed has none", async () => {
  await using cli = await openSite(1);
  expect((await cli.run("municipality", "remove", "Òdena", "--yes")).code).toBe(1);
  expect((await cli.run("municipality", "remove", "Òdena")).code).toBe(2);
  expect((await entries(cli)).map(({ detail }) => detail)).toEqual([
    "remove municipality Òdena",
    "did not come about (conflict): remove municipality Òdena",
  ]);
});

test("certificates that come and go are in it by subject and fingerprint, and a file that is none is not", async () => {
  await using cli = await openSite(0);
  const pki = await createPki({ now: new Date() });
  const issued = await pki.issueClient({ organization: "Òdena", commonName: "Seal", intermediate: true });
  await writeFile(join(cli.folder, "seal.pfx"), await issued.pfx("secret"));
  await writeFile(join(cli.folder, "wrong.pfx"), "no PFX");
  const importPfx = (file: string) =>
    cli.runWith({ stdin: "secret" }, "cert", "import", file, "--municipality", "Òdena", "--password-stdin");
  expect((await importPfx("wrong.pfx")).code).toBe(1);
  expect(await entries(cli)).toEqual([]);
  expect((await importPfx("seal.pfx")).code).toBe(0);
  expect((await cli.run("cert", "remove", "Òdena", "--yes")).code).toBe(1);
  const all = await entries(cli);
  expect(all.map(({ what }) => what)).toEqual(["certificate import", "certificate remove", "certificate remove"]);
  expect(all[0]?.detail).toMatch(/^Òdena: .*CN=Seal.*, ([0-9A-F]{2}:){31}[0-9A-F]{2}$/s);
  expect(JSON.stringify(all)).not.toContain("secret");
  const table = (await cli.run("audit", "list")).stdout.trimEnd();
  expect(table.replace(/\s+/g, "")).toContain(all[0]?.detail.replace(/\s+/g, "") ?? "nothing");
  for (const line of table.split("\n")) expect([...line].length).toBeLessThanOrEqual(80);
});

test("who did it is the person behind sudo, else the user of the process, and never what USER claims", () => {
  const uid = process.getuid?.() ?? -1;
  expect(operatorName(0, { SUDO_USER: "anna\u001b[2J" })).toBe("anna[2J (cli)");
  expect(operatorName(65534, { SUDO_USER: "anna" })).toBe("anna as nobody (cli)");
  expect(operatorName(uid, { USER: "somebody else" })).toBe(`${OWN_NAME} (cli)`);
  expect(operatorName(4_000_000, {})).toBe("uid 4000000 (cli)");
});

test.each([
  ["45min", "2026-05-04T09:15:00.000Z"],
  ["12h", "2026-05-03T22:00:00.000Z"],
  ["7d", "2026-04-27T10:00:00.000Z"],
  ["999999d", "1970-01-01T00:00:00.000Z"],
  ["2026-01-23", "2026-01-22T23:00:00.000Z"],
  ["2026-07-23 10:30", "2026-07-23T08:30:00.000Z"],
  ["2026-07-23T10:30:05", "2026-07-23T08:30:05.000Z"],
])("--since %s is an instant as the site's clocks show it", (text, instant) => {
  expect(parseSince(text, new Date("2026-05-04T10:00:00Z"), "Europe/Madrid").toISOString()).toBe(instant);
});

test.each(["", "yesterday", "7", "7w", "2026-02-30", "2026-01-23 25:00", "2026-13-01"])(
  "--since %p is refused and says what is allowed",
  (text) => {
    expect(() => parseSince(text, new Date(), "UTC")).toThrow(/--since is .* allowed is so long ago as 45min/);
  },
);
