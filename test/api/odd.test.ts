import { expect, test } from "bun:test";
import { type ApiUnderTest, openApi } from "../support/api-fixture.ts";
import { usePostgres } from "../support/postgres-server.ts";
import { seededRandom } from "../support/random.ts";
import { addCameras } from "../support/store-fixture.ts";

const ODD: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  1,
  1.5,
  2 ** 53,
  1e308,
  "",
  " ",
  "1",
  "Girona",
  "A1",
  "\0",
  "\ud800",
  "%00",
  "../../etc/passwd",
  "' OR 1=1 --",
  "x".repeat(5000),
  "2026-05-04T10:00:00Z",
  "9999-12-31T23:59:59Z",
  "0000-01-01T00:00:00Z",
  [],
  [1, 2],
  ["DEAD"],
  {},
  { __proto__: 1 },
];

const postgres = usePostgres();

test("on SQLite no request, however odd, is answered with an error of ours, and none stops the service", async () => {
  await using api = await openApi({}, { prepare: (store) => addCameras(store, "A1") });
  await ask(api, 600);
}, 60_000);

test("on PostgreSQL neither", async () => {
  await postgres().createDatabase("odd");
  const settings = { DATABASE_URL: postgres().url("odd") };
  await using api = await openApi(settings, { prepare: (store) => addCameras(store, "A1") });
  await ask(api, 600);
}, 60_000);

async function ask(api: ApiUnderTest, rounds: number): Promise<void> {
  const random = seededRandom("odd requests");
  const { json } = await api.call("GET", "/api/v1/openapi.json");
  const operations = Object.entries(json.paths as Record<string, Record<string, object>>)
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => ({ path, method: method.toUpperCase() })))
    .filter(({ path }) => path !== "/api/v1/events");
  const fields = [...new Set(JSON.stringify(json).match(/"[a-zA-Z]{2,20}":/g) ?? [])].map((name) => name.slice(1, -2));
  const pick = <T>(list: readonly T[]): T => list[random.below(list.length)] as T;
  const failed: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const { path, method } = pick(operations);
    const real = path.replaceAll(/\{\w+\}/g, () => encodeURIComponent(String(pick(ODD)).toWellFormed()) || "1");
    const query =
      random.below(2) === 0 ? "" : `?${pick(fields)}=${encodeURIComponent(String(pick(ODD)).toWellFormed())}`;
    const body = Object.fromEntries(Array.from({ length: random.below(4) }, () => [pick(fields), pick(ODD)]));
    const url = api.url + real + query;
    const answer = await fetch(url, {
      method,
      headers: { authorization: `Bearer ${api.tokens.admin}`, "content-type": "application/json" },
      ...(method === "GET" ? {} : { body: JSON.stringify(random.below(10) === 0 ? pick(ODD) : body) }),
    });
    const text = await answer.text();
    // A readiness that is not is no error.
    if (answer.status >= 500 && path !== "/readyz")
      failed.push(`${method} ${real}${query} ${JSON.stringify(body)}: ${text}`);
  }
  expect(failed).toEqual([]);
  expect((await api.call("GET", "/health")).status).toBe(200);
  expect((await api.store.balance()).difference).toBe(0);
}
