import { expect, test } from "bun:test";
import { createHeartbeats } from "../../src/heartbeat.ts";
import { checkLoops, checkReadiness } from "../../src/readiness.ts";
import { openApi } from "../support/api-fixture.ts";
import { addMunicipality, newCertificate } from "../support/store-fixture.ts";

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
