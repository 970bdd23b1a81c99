import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import postgres from "postgres";
import { openStore } from "../../src/store/open.ts";
import { usePostgres } from "../support/postgres-server.ts";
import { readingEntry } from "../support/store-fixture.ts";
import { openCommandFolder } from "../support/tattile-command.ts";

const server = usePostgres({ durable: false });

test("on PostgreSQL too an operator looks, retires a camera, wipes, and it is all written down", async () => {
  await using cli = await openCommandFolder();
  await server().createDatabase("deeds");
  const env = { DATABASE_URL: server().url("deeds") };
  const done = async (...words: string[]): Promise<string> => {
    const said = await cli.runWith({ env }, ...words);
    expect([words.join(" "), said.stderr, said.code]).toEqual([words.join(" "), "", 0]);
    return said.stdout.trimEnd();
  };
  const json = async <T>(...words: string[]): Promise<T> => JSON.parse(await done(...words, "--json"));
  for (const [town, serial] of [
    ["Òdena", "2001008851"],
    ["Olot", "2001008852"],
  ] as const) {
    await done("municipality", "add", town);
    await done("camera", "add", serial, "--reader", "1", "--municipality", town);
  }
  const database = { address: server().address("deeds"), poolSize: 2 };
  const store = await openStore({ databasePath: join(cli.dataDir, "tattile.db"), database });
  try {
    await store.enqueue(
      Array.from({ length: 5 }, (_, i) => readingEntry(i, i % 2 === 0 ? "2001008851" : "2001008852")),
      new Date(),
    );
  } finally {
    await store.close();
  }
  expect((await json<{ total: number }[]>("queue", "summary")).map(({ total }) => total)).toEqual([3, 2]);
  expect((await json<object[]>("readings", "list", "--municipality", "olot", "--show-plates")).length).toBe(2);
  expect(await json<object>("camera", "remove", "2001008852", "--dry-run")).toMatchObject({ readings: 2, images: 4 });
  expect(await done("camera", "remove", "2001008852", "--keep-queue", "--yes")).toContain("its 2 readings");
  expect(await json<object[]>("camera", "list")).toMatchObject([{ leaving: false }, { leaving: true }]);
  expect(await json<object>("wipe", "images", "--yes")).toMatchObject({ erased: { readings: 5 } });
  expect(await done("municipality", "remove", "Òdena", "--cascade", "--yes")).toContain("erased 3 readings");
  const { tables } = await json<{ tables: { table: string; rows: number }[] }>("totals");
  expect(tables).toContainEqual({ table: "alpr_readings", rows: 2 });
  expect(await done("wipe", "all", "--yes")).toContain("2 readings");
  expect((await json<{ what: string }[]>("audit", "list")).map(({ what }) => what)).toEqual([
    "plates show",
    "camera remove",
    "images wipe",
    "municipality remove",
    "everything wipe",
  ]);
});

test("what lasts is said on the terminal while it lasts, until another's change is through", async () => {
  await using cli = await openCommandFolder();
  await server().createDatabase("slow");
  const env = { DATABASE_URL: server().url("slow") };
  await writeFile(join(cli.folder, "site.yaml"), "version: 1\nmunicipalities:\n  - name: Òdena\n  - name: Olot\n");
  await cli.runWith({ env }, "municipality", "list");
  const [host] = server().address("slow").hosts;
  const sql = postgres({ path: `${host?.host}/.s.PGSQL.${host?.port}`, database: "slow", user: "tattile", max: 1 });
  const { promise: isHeld, resolve: held } = Promise.withResolvers<void>();
  const { promise: isOver, resolve: over } = Promise.withResolvers<void>();
  // Somebody else changes the registry.
  const holding = sql.begin(async (other) => {
    await other`SELECT pg_advisory_xact_lock(7311, 2)`;
    held();
    await isOver;
  });
  try {
    await isHeld;
    const said = await cli.onTerminal(
      {
        env: { ...env, TATTILE_LANG: "ca" },
        answers: [["aplicant 2 canvis: 1 s", "", async () => over()]],
      },
      ...["apply", "site.yaml", "--yes"],
    );
    expect(said.stdout).toContain("aplicant 2 canvis: 1 s");
    expect(said.code).toBe(0);
  } finally {
    over();
    await holding;
    await sql.end();
  }
  expect(JSON.parse((await cli.runWith({ env }, "municipality", "list", "--json")).stdout).length).toBe(2);
});
