import { expect, test } from "bun:test";
import { join } from "node:path";
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
