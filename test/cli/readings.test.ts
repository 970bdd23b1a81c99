import { expect, test } from "bun:test";
import { groupQueue, type QueueGroup } from "../../src/queue-groups.ts";
import type { Camera } from "../../src/store/registry.ts";
import { messageOf, takeIn } from "../support/queued-readings.ts";
import { type CommandFolder, openCommandFolder } from "../support/tattile-command.ts";

/** Two towns with a camera each; readings of 10:00:00, 10:00:01 and so on, by turns. */
async function openTowns(readings: number): Promise<CommandFolder> {
  const cli = await openCommandFolder();
  const towns = [
    ["Òdena", "2001008851"],
    ["Sant Cugat", "2001008852"],
  ] as const;
  for (const [town, serial] of towns) {
    await cli.run("municipality", "add", town);
    await cli.run("camera", "add", serial, "--reader", serial, "--municipality", town);
  }
  const messages = Array.from({ length: readings }, (_, i) => messageOf(towns[i % 2]?.[1] ?? "", `${1000 + i}BCD`, i));
  await takeIn(cli.dataDir, messages);
  return cli;
}

async function json<T>(cli: CommandFolder, ...words: string[]): Promise<T> {
  return JSON.parse((await cli.run(...words, "--json")).stdout);
}

test("readings are listed newest first, masked, by camera, municipality and time", async () => {
  await using cli = await openTowns(5);
  const ids = async (...words: string[]): Promise<number[]> =>
    (await json<{ id: number }[]>(cli, "readings", "list", ...words)).map(({ id }) => id);
  expect(await ids()).toEqual([5, 4, 3, 2, 1]);
  expect(await ids("--limit", "2")).toEqual([5, 4]);
  expect((await cli.run("readings", "list", "--limit", "2")).stderr).toContain("--after 4");
  expect(await ids("--limit", "2", "--after", "4")).toEqual([3, 2]);
  expect(await ids("--after", "1")).toEqual([]);
  expect(await ids("--camera", "2001008851")).toEqual([5, 3, 1]);
  expect(await ids("--municipality", "sant cugat")).toEqual([4, 2]);
  expect(await ids("--municipality", "2")).toEqual([4, 2]);
  const [{ capturedAt }] = await json<[{ capturedAt: string }]>(cli, "readings", "list", "3");
  const clock = new Date(capturedAt).toLocaleString("sv-SE", { timeZone: "Europe/Madrid" });
  expect(await ids("--since", clock)).toEqual([5, 4, 3]);
  const table = await cli.run("readings", "list");
  expect(table.stdout).toContain(clock);
  expect(table.stdout).toContain("10•••CD");
  for (const line of table.stdout.trimEnd().split("\n")) expect([...line].length).toBeLessThanOrEqual(80);
  const said = JSON.stringify([table, await json(cli, "readings", "list"), await json(cli, "audit", "list")]);
  expect(said).not.toContain("1000BCD");
  expect(await json<unknown[]>(cli, "audit", "list")).toEqual([]);
});

test("plates in full are written to the audit log before they are shown", async () => {
  await using cli = await openTowns(2);
  expect((await cli.run("readings", "list", "2", "--show-plates")).stdout).toContain("1001BCD");
  expect(await json<object[]>(cli, "audit", "list")).toMatchObject([
    { what: "plates show", messageId: 2, detail: "readings list 2: ids 2" },
  ]);
});

test("a name with a slip of the finger gets the one that was meant", async () => {
  await using cli = await openTowns(0);
  expect(await cli.run("readings", "list", "--camera", "200100885")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("unknown camera 200100885; did you mean 2001008851?"),
  });
  expect((await cli.run("queue", "list", "--municipality", "Odena")).stderr).toContain("did you mean Òdena?");
});

test("the queue is counted by camera, by municipality and by state", async () => {
  await using cli = await openTowns(3);
  const byCamera = await json<QueueGroup[]>(cli, "queue", "summary");
  expect(byCamera.map(({ name, counts, total }) => [name, counts.PENDING, total])).toEqual([
    ["2001008851", 2, 2],
    ["2001008852", 1, 1],
  ]);
  expect(byCamera[0]?.lastReadingAt).not.toBeNull();
  expect(byCamera[0]?.lastSentAt).toBeNull();
  const byTown = await json<QueueGroup[]>(cli, "queue", "summary", "--by", "municipality");
  expect(byTown.map(({ name, total }) => [name, total])).toEqual([
    ["Òdena", 2],
    ["Sant Cugat", 1],
  ]);
  expect(await json<object>(cli, "queue", "summary", "--by", "state")).toMatchObject({
    states: [{ state: "PENDING", count: 3 }, { count: 0 }, { count: 0 }, { state: "DEAD", count: 0 }],
  });
  for (const by of ["camera", "municipality", "state"]) {
    const table = (await cli.run("queue", "summary", "--by", by)).stdout.trimEnd().split("\n");
    expect(table.length).toBe(by === "state" ? 5 : 3);
    for (const line of table) expect([...line].length).toBeLessThanOrEqual(80);
  }
});

test("a municipality's line has the sum of its cameras, the oldest receipt and the latest delivery", () => {
  const camera = (id: number, lastSentAt: Date | null): Camera => ({
    id,
    serial: `S${id}`,
    readerCode: "1",
    description: null,
    municipalityId: 1,
    endpointId: null,
    coordX: null,
    coordY: null,
    timezone: null,
    active: true,
    lastReadingAt: null,
    lastSentAt,
  });
  const town = { id: 1, name: "Òdena", code: null, endpointId: null, certificateId: null, active: true };
  const at = (ms: number): Date => new Date(ms);
  expect(
    groupQueue(
      "municipality",
      [
        { cameraId: 1, status: "DEAD", count: 2, oldestAt: at(50) },
        { cameraId: 2, status: "DEAD", count: 3, oldestAt: at(20) },
        { cameraId: 2, status: "PENDING", count: 4, oldestAt: at(90) },
      ],
      [camera(1, at(7)), camera(2, at(9)), camera(3, null)],
      [town, { ...town, id: 2, name: "Olot" }],
    ),
  ).toEqual([
    {
      name: "Òdena",
      counts: { PENDING: 4, SENDING: 0, FAILED: 0, DEAD: 5 },
      total: 9,
      oldestAt: at(20),
      lastReadingAt: null,
      lastSentAt: at(9),
    },
    {
      name: "Olot",
      counts: { PENDING: 0, SENDING: 0, FAILED: 0, DEAD: 0 },
      total: 0,
      oldestAt: null,
      lastReadingAt: null,
      lastSentAt: null,
    },
  ]);
});

test("totals counts the rows of each table and the files that belong to them", async () => {
  await using cli = await openTowns(3);
  const totals = await json<{ tables: { table: string; rows: number }[]; files: object[] }>(cli, "totals");
  const rows = Object.fromEntries(totals.tables.map(({ table, rows }) => [table, rows]));
  expect(rows).toMatchObject({ alpr_readings: 3, messages_queue: 3, cameras: 2, municipalities: 2, audit_log: 0 });
  expect(totals.files).toEqual([
    { name: "images", files: 6 },
    { name: "quarantine", files: 0 },
  ]);
  expect((await cli.run("totals")).stdout).toContain("files in images");
});
