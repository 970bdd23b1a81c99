import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { REASON } from "../../src/message.ts";
import { messageOf, takeIn, withStore } from "../support/queued-readings.ts";
import { type CommandFolder, openCommandFolder, tattileCommand } from "../support/tattile-command.ts";

const SERIALS = ["2001008851", "2001008852"] as const;

async function openQueue(readings: number): Promise<CommandFolder> {
  const cli = await openCommandFolder();
  await cli.run("municipality", "add", "Òdena");
  for (const serial of SERIALS) await cli.run("camera", "add", serial, "--reader", serial, "--municipality", "Òdena");
  const messages = Array.from({ length: readings }, (_, i) => messageOf(SERIALS[i % 2] ?? "", `${1000 + i}BCD`, i));
  expect(new Set(await takeIn(cli.dataDir, messages))).toEqual(new Set(["queued"]));
  return cli;
}

/** Gives up the messages of these ids for lack of an OCR image. */
async function giveUp(cli: CommandFolder, ids: readonly number[]): Promise<void> {
  await withStore(cli.dataDir, async (store) => {
    const now = new Date();
    const claims = await store.claim(
      {
        owner: "test",
        leaseMs: 60_000,
        defaultTimeoutMs: 1000,
        limit: 1000,
        slots: new Map(),
        routeSlots: new Map(),
        probedEndpoints: new Set(),
        slotsPerEndpoint: 1000,
      },
      now,
    );
    const settled = claims.map((claim) => {
      const dead = { kind: "dead", reason: REASON.noOcrImage, detail: "", spent: true } as const;
      return {
        claim,
        settlement: ids.includes(claim.messageId) ? dead : ({ kind: "release" } as const),
        attempt: null,
      };
    });
    await store.settle(settled, now);
  });
}

async function ids(cli: CommandFolder, ...filter: string[]): Promise<number[]> {
  const said = await cli.run("queue", "list", "--json", ...filter);
  return (JSON.parse(said.stdout) as { messageId: number }[]).map((m) => m.messageId);
}

async function images(cli: CommandFolder): Promise<number> {
  const names = await readdir(join(cli.dataDir, "images"), { recursive: true }).catch(() => []);
  return names.filter((name) => name.endsWith(".jpg")).length;
}

test("the list masks plates unless they are asked for, and filters by state, reason, camera and id", async () => {
  await using cli = await openQueue(6);
  const all = await ids(cli);
  expect(all.length).toBe(6);
  await giveUp(cli, all.slice(0, 2));
  expect(await ids(cli, "--state", "dead")).toEqual(all.slice(0, 2));
  expect(await ids(cli, "--state", "PENDING,FAILED")).toEqual(all.slice(2));
  expect(await ids(cli, "--reason", "NO_IMAGE")).toEqual(all.slice(0, 2));
  expect((await ids(cli, "--camera", SERIALS[1])).length).toBe(3);
  expect(await ids(cli, `${all[3]}`, `#${all[4]}`)).toEqual([all[3] ?? 0, all[4] ?? 0]);
  const list = await cli.run("queue", "list");
  expect(list.stdout).toContain("10•••CD");
  expect(`${list.stdout}${(await cli.run("queue", "list", "--json")).stdout}`).not.toContain("1000BCD");
  expect((await cli.run("queue", "list", "--show-plates")).stdout).toContain("1000BCD");
  for (const line of list.stdout.trimEnd().split("\n")) expect([...line].length).toBeLessThanOrEqual(80);
});

test("a list that was cut says so", async () => {
  await using cli = await openQueue(4);
  const said = await cli.run("queue", "list", "--limit", "3");
  const behind = await cli.run("queue", "list", "--json", "--after", "#3");
  expect(JSON.parse(behind.stdout).map((one: { messageId: number }) => one.messageId)).toEqual([4]);
  expect(await cli.run("queue", "list", "--after", "x")).toMatchObject({ code: 2 });
  expect(said.stdout.trimEnd().split("\n").length).toBe(1 + 3);
  expect(said.stderr).toContain("More than 3");
  expect((await cli.run("queue", "list", "--limit", "4")).stderr).toBe("");
});

test("show tells everything of one message but its plate", async () => {
  await using cli = await openQueue(1);
  const [id] = await ids(cli);
  const said = await cli.run("queue", "show", `${id}`);
  expect(said.stdout).toContain(SERIALS[0]);
  expect(said.stdout).toContain("plate, context");
  expect(said.stdout).not.toContain("1000BCD");
  expect((await cli.run("queue", "show", `${id}`, "--show-plates")).stdout).toContain("1000BCD");
  expect(JSON.parse((await cli.run("queue", "show", `${id}`, "--json")).stdout)).toMatchObject({
    plate: "10•••CD",
    history: [],
  });
  expect(await cli.run("queue", "show", "999")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("unknown message 999"),
  });
});

test("retry makes dead messages pending again, and only those that are meant", async () => {
  await using cli = await openQueue(4);
  const all = await ids(cli);
  await giveUp(cli, all);
  expect((await cli.run("queue", "retry", "--camera", SERIALS[0], "--dry-run")).stdout).toBe(
    "would retry 2 messages\n",
  );
  expect(await ids(cli, "--state", "DEAD")).toEqual(all);
  expect((await cli.run("queue", "retry", "--camera", SERIALS[0])).stdout).toBe("retried 2 messages\n");
  expect((await ids(cli, "--state", "PENDING")).length).toBe(2);
  expect((await cli.run("queue", "retry", "--reason", "NO_IMAGE")).stdout).toBe("retried 2 messages\n");
  expect(JSON.parse((await cli.run("queue", "retry", "--all", "--json")).stdout)).toEqual({ retried: 0 });
});

test("what is dead is counted also behind more messages than are looked at", async () => {
  await using cli = await openQueue(1);
  const database = new Database(join(cli.dataDir, "tattile.db"));
  const copy = (table: string): string => {
    const columns = (database.query(`PRAGMA table_info(${table})`).all() as { name: string }[]).map(({ name }) => name);
    const values = columns.map((name) => (name === "id" || name === "reading_id" ? "n" : name)).join(", ");
    return `WITH RECURSIVE t(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM t WHERE n < 100001)
      INSERT INTO ${table} (${columns.join(", ")}) SELECT ${values} FROM t, ${table} o WHERE o.id = 1`;
  };
  for (const table of ["alpr_readings", "messages_queue"]) database.run(copy(table));
  database.run("UPDATE messages_queue SET status = 'DEAD', reason = 'x' WHERE id = 100001");
  database.close();
  expect((await cli.run("queue", "retry", "--all", "--dry-run")).stdout).toBe("would retry 1 message\n");
  expect((await cli.run("queue", "discard", "--all", "--dry-run")).stdout).toContain("at least 100,000 messages");
});

test("discard erases messages with their images, after a yes, and only those that are meant", async () => {
  await using cli = await openQueue(4);
  const all = await ids(cli);
  expect(await images(cli)).toBe(8);
  const discard = ["queue", "discard", "--camera", SERIALS[0]];
  expect((await cli.run(...discard, "--dry-run")).stdout).toBe("would erase 2 messages unsent, with images\n");
  expect(await cli.run(...discard)).toMatchObject({ code: 2, stderr: expect.stringContaining("erase 2 messages") });
  expect([(await ids(cli)).length, await images(cli)]).toEqual([4, 8]);
  expect((await cli.run(...discard, "--yes")).stdout).toBe("erased 2 messages and 4 images\n");
  expect([await ids(cli), await images(cli)]).toEqual([all.filter((_, i) => i % 2 === 1), 4]);
  const said = await cli.onTerminal({ answers: [["Type yes", "yes"]] }, "queue", "discard", "--all");
  expect(said.stdout).toContain("erased 2 messages and 4 images");
  expect([await ids(cli), await images(cli)]).toEqual([[], 0]);
});

test("a reader that is slow gets all of a long output, and one that leaves early is no error", async () => {
  await using cli = await openQueue(600);
  const words = [...tattileCommand(), "queue", "list", "--json", "--limit", "1000"];
  const env = { PATH: process.env["PATH"] ?? "", DATA_DIR: cli.dataDir, TATTILE_ENV_FILE: "/dev/null" };
  const shell = (tail: string) =>
    Bun.spawnSync(["bash", "-c", `"$@" | ${tail}; echo "\${PIPESTATUS[0]}" >&2`, "bash", ...words], { env });
  const slow = shell("(sleep 0.5; cat)");
  expect(slow.stderr.toString()).toBe("0\n");
  expect(slow.stdout.length).toBeGreaterThan(200_000);
  expect(JSON.parse(slow.stdout.toString()).length).toBe(600);
  const early = shell("head -c 10");
  expect([early.stdout.toString().length, early.stderr.toString()]).toEqual([10, "0\n"]);
});
