import { expect, test } from "bun:test";
import { dirname } from "node:path";
import type { Access } from "../../src/api/access.ts";
import type { ApiDeps } from "../../src/api/deps.ts";
import { healthRoutes } from "../../src/api/health-routes.ts";
import { createReuse } from "../../src/api/reuse.ts";
import { loadConfig } from "../../src/config.ts";
import { AppError } from "../../src/errors.ts";
import { createHeartbeats } from "../../src/heartbeat.ts";
import { checkLoops, checkReadiness } from "../../src/readiness.ts";
import type { Store } from "../../src/store/store.ts";
import { collectingLog, openApi } from "../support/api-fixture.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { addMunicipality, newCertificate, SqliteUnderTest } from "../support/store-fixture.ts";

test("a process whose loops turn lives, and is ready when all is as it should be", async () => {
  await using api = await openApi();
  const live = await api.call("GET", "/livez");
  expect(live).toMatchObject({ status: 200, json: { ok: true, checks: [{ name: "loop adoption", ok: true }] } });
  expect(await api.call("GET", "/readyz")).toMatchObject({
    status: 200,
    json: {
      ok: true,
      checks: ["store", "disk", "clock", "certificates"].map((name) => ({ name, ok: true, reason: null })),
    },
  });
});

test("what is not ready says why, to this machine only", async () => {
  await using api = await openApi(
    { DISK_MIN_FREE_BYTES: "1000GiB" },
    {
      prepare: async (store) => {
        const municipalityId = await addMunicipality(store, "Òdena");
        const validTo = new Date(Date.now() - 86_400_000 * 2);
        await store.addCertificate(newCertificate("Òdena", { municipalityId, validTo }));
        await store.saveRouteState({
          endpointId: 0,
          certificateId: 0,
          pausedUntil: null,
          pauseKind: null,
          detail: null,
          pauses: 0,
          lastAcceptedAt: null,
          clockOffsetMs: -90_000,
          latencyMs: null,
          mendedAt: null,
          triedAt: null,
        });
      },
    },
  );
  const here = await api.call("GET", "/readyz");
  expect(here.status).toBe(503);
  expect(Object.fromEntries(here.json.checks.map((c: { name: string; reason: string }) => [c.name, c.reason]))).toEqual(
    {
      store: null,
      disk: expect.stringContaining("DISK_MIN_FREE_BYTES"),
      clock: "90 s ahead of the police",
      certificates: "run out: Òdena",
    },
  );
  const elsewhere = await api.call("GET", "/readyz", { headers: { "x-forwarded-for": "192.0.2.7" } });
  expect(elsewhere.status).toBe(503);
  expect(elsewhere.text).not.toContain("Òdena");
});

test("a loop that did not turn for longer than it may is told", () => {
  let nowMs = 0;
  const beats = createHeartbeats(() => nowMs);
  const turn = beats.watch("sender", 1000);
  beats.watch("cleanup", 5000);
  nowMs = 1500;
  expect(checkLoops(beats.list())).toEqual([
    { name: "loop sender", ok: false, reason: "it did not turn for 2 s" },
    { name: "loop cleanup", ok: true, reason: null },
  ]);
  turn();
  expect(checkLoops(beats.list()).every(({ ok }) => ok)).toBe(true);
});

test("a store that takes nothing is not ready, and says so alone", () => {
  expect(checkReadiness("the disk is full", null)).toEqual([{ name: "store", ok: false, reason: "the disk is full" }]);
});

/** Health and readiness beside a store that is changed at will. */
async function besideStore() {
  const under = await SqliteUnderTest.open();
  const clock = createFakeClock();
  let changed: Partial<Store> = {};
  let checks = 0;
  const counted: Pick<Store, "check"> = {
    check: () => {
      checks += 1;
      return (changed.check ?? under.store.check)();
    },
  };
  const store = new Proxy(under.store, {
    get: (target, name) => Reflect.get(name in counted ? counted : name in changed ? changed : target, name),
  });
  const { config } = loadConfig({
    env: { DATA_DIR: dirname(under.path), DISK_MIN_FREE_BYTES: "1MiB" },
    installed: false,
  });
  const deps = { store, config, clock, log: collectingLog([]), spoolStatus: () => null, ingestStats: () => null };
  const routes = healthRoutes(deps as unknown as ApiDeps, {} as Access);
  return {
    clock,
    checks: () => checks,
    change: (methods: Partial<Store>) => {
      changed = methods;
    },
    ask: async (path: string): Promise<{ ok?: boolean; status?: string; checks?: object[] }> => {
      const request = new Request("http://127.0.0.1/", { headers: { host: "127.0.0.1" } });
      const answer = await routes.find((route) => route.path === path)?.handle({ request, peer: "127.0.0.1" } as never);
      return (answer instanceof Response ? answer.json() : answer) as Promise<object>;
    },
    [Symbol.asyncDispose]: () => under[Symbol.asyncDispose](),
  };
}

test("who asks for health without end does not make the store write without end", async () => {
  await using site = await besideStore();
  for (let n = 0; n < 20; n++) expect(await site.ask(n % 2 === 0 ? "/health" : "/readyz")).not.toHaveProperty("error");
  expect(site.checks()).toBe(1);
  await site.clock.advance(5000);
  await Promise.all(Array.from({ length: 20 }, () => site.ask("/readyz")));
  expect(site.checks()).toBe(2);
});

test("a store that takes nothing is asked again each time, and well again at once", async () => {
  await using site = await besideStore();
  const full = async (): Promise<void> => {
    throw new AppError("unavailable", "checking the store: the disk is full");
  };
  site.change({ check: full });
  expect(await site.ask("/health")).toMatchObject({ status: "error" });
  expect(await site.ask("/readyz")).toMatchObject({ ok: false, checks: [{ name: "store", ok: false }] });
  expect(site.checks()).toBe(2);
  site.change({});
  expect(await site.ask("/readyz")).toMatchObject({ ok: true });
});

test("a store that goes away is told at once, however short ago it took something", async () => {
  await using site = await besideStore();
  expect(await site.ask("/readyz")).toMatchObject({ ok: true });
  const gone = async (): Promise<never> => {
    throw new AppError("store-unreachable", "asking the store: nobody is there");
  };
  site.change({ summarize: gone });
  expect(await site.ask("/readyz")).toEqual({
    ok: false,
    checks: [{ name: "store", ok: false, reason: "asking the store: nobody is there" }],
  });
  expect(await site.ask("/health")).toMatchObject({ status: "error" });
  expect(site.checks()).toBe(1);
});

test("an answer is found once for all who wait, good for its time or for its share of the cost, and a failure for nobody else", async () => {
  const clock = createFakeClock();
  let asked = 0;
  let fails = false;
  const find = createReuse(
    async () => {
      asked += 1;
      await clock.sleep(1000);
      if (fails) throw new Error("no");
      return asked;
    },
    { keepMs: 500, share: 20 },
    clock,
  );
  const first = Promise.all([find(), find()]);
  await clock.advance(1000);
  expect(await first).toEqual([1, 1]);
  await clock.advance(18_999);
  expect(await find()).toBe(1);
  await clock.advance(1);
  fails = true;
  const failing = Promise.allSettled([find(), find()]);
  await clock.advance(1000);
  expect((await failing).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  fails = false;
  const next = find();
  await clock.advance(1000);
  expect([await next, asked]).toEqual([3, 3]);
});
