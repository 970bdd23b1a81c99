import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMetrics } from "../src/metrics.ts";
import { type ApiUnderTest, openApi } from "./support/api-fixture.ts";
import { OCR_JPEG } from "./support/messages.ts";
import { messageOf, takeIn } from "./support/queued-readings.ts";
import { addCameras, claimRequest, DELIVERED, dead, newCertificate, settled } from "./support/store-fixture.ts";

const RULES = new URL("../install/prometheus", import.meta.url).pathname;
const DASHBOARD = new URL("../install/grafana/tattile.json", import.meta.url).pathname;
const PLATES = ["1111AAA", "2222BBB", "3333CCC", "4444DDD"];

function promtool(words: readonly string[], input: string, cwd?: string): { status: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync("promtool", words, { encoding: "utf8", input, cwd });
  return { status, text: `${stdout}${stderr}` };
}

/** A town after a day's work: one reading delivered, one dead, one waiting, one of an unknown camera. */
async function openTown(): Promise<ApiUnderTest> {
  return openApi(
    {},
    {
      prepare: async (store, config) => {
        const { municipality, endpoint } = await addCameras(store, "A1");
        const value = { municipalityId: municipality, validTo: new Date("2031-01-01T00:00:00Z") };
        await store.addCertificate(newCertificate("Girona", value));
        await store.saveRouteState({
          endpointId: endpoint,
          certificateId: 1,
          pausedUntil: new Date(Date.now() + 60_000),
          pauseKind: "misconfigured",
          detail: "FailedAuthentication",
          pauses: 1,
          lastAcceptedAt: new Date(),
          clockOffsetMs: -1500,
          latencyMs: 120,
          mendedAt: null,
          triedAt: null,
        });
        await takeIn(
          config.dataDir,
          PLATES.map((plate, n) => messageOf(n === 3 ? "9" : "A1", plate, n)),
        );
        const now = new Date();
        const [first, second] = await store.claim(claimRequest({ limit: 2 }), now);
        if (first === undefined || second === undefined) throw new Error("nothing was claimed");
        const accepted = { at: now, outcome: { kind: "accepted", returnCode: "1" }, durationMs: 120 } as const;
        const refused = {
          at: now,
          outcome: { kind: "rejected", returnCode: "9", detail: "" },
          durationMs: 80,
        } as const;
        await store.settle([settled(first, DELIVERED, accepted), settled(second, dead("codiRetorn=9"), refused)], now);
      },
    },
  );
}

async function scrape(api: ApiUnderTest): Promise<string> {
  const { status, headers, text } = await api.call("GET", "/metrics");
  expect([status, headers.get("content-type")]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"]);
  return text;
}

/** The value of a series as it is written. */
function valueIn(text: string, series: string): number | undefined {
  const line = text.split("\n").find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

test("promtool accepts the metrics, and they say what happened", async () => {
  await using api = await openTown();
  const text = await scrape(api);
  expect(promtool(["check", "metrics"], text)).toEqual({ status: 0, text: "" });
  const expected: [string, number][] = [
    ['tattile_received_total{camera="A1",result="queued"}', 3],
    ['tattile_received_total{camera="(unregistered)",result="unregistered"}', 1],
    ['tattile_erased_total{camera="A1",cause="delivered"}', 1],
    ['tattile_erased_total{camera="A1",cause="expired"}', 0],
    ['tattile_dead_total{camera="A1"}', 1],
    ['tattile_messages{state="PENDING"}', 1],
    ['tattile_messages{state="DEAD"}', 1],
    ['tattile_dead_messages{reason="codiRetorn=9"}', 1],
    ['tattile_endpoint_messages{endpoint="Police",state="DEAD"}', 1],
    ['tattile_quarantine_messages{kind="unregistered"}', 1],
    ['tattile_balance{part="received"}', 3],
    ["tattile_balance_difference", 0],
    ['tattile_attempts_total{endpoint="Police",outcome="accepted"}', 1],
    ['tattile_attempts_total{endpoint="Police",outcome="rejected"}', 1],
    ['tattile_answer_seconds_bucket{le="0.1",endpoint="Police"}', 1],
    ['tattile_answer_seconds_bucket{le="0.25",endpoint="Police"}', 2],
    ['tattile_answer_seconds_bucket{le="+Inf",endpoint="Police"}', 2],
    ['tattile_answer_seconds_sum{endpoint="Police"}', 0.2],
    ['tattile_delivery_seconds_count{endpoint="Police"}', 1],
    ['tattile_endpoint_paused{endpoint="Police"}', 0],
    ['tattile_certificate_paused{endpoint="Police",certificate="1"}', 1],
    ["tattile_police_clock_offset_seconds", -1.5],
    ['tattile_certificate_expiry_timestamp_seconds{municipality="Girona"}', Date.parse("2031-01-01T00:00:00Z") / 1000],
    ['tattile_camera_active{camera="A1",municipality="Girona"}', 1],
    ['tattile_service_up{task="api"}', 1],
  ];
  for (const [series, value] of expected) expect([series, valueIn(text, series)]).toEqual([series, value]);
  expect(valueIn(text, "tattile_disk_free_bytes")).toBeGreaterThan(0);
  const lastReading = 'tattile_camera_last_reading_timestamp_seconds{camera="A1",municipality="Girona"}';
  expect(valueIn(text, lastReading)).toBeGreaterThan(1_700_000_000);
  for (const plate of PLATES) expect(text).not.toContain(plate);
  expect(text).not.toMatch(/^tattile_(received_total|erased_total|endpoint_paused|attempts_total) /m);
});

test("commits of this process are counted and timed, good ones and bad ones", async () => {
  await using api = await openTown();
  const body = { Plate: "5555EEE", TimeStamp: "2026/01/23 09:25:57.123", SerialNumber: "A1" };
  const send = () =>
    api.call("POST", "/ingest/lectorvision", { body: { ...body, ImageOcr: OCR_JPEG.toString("base64") } });
  expect((await send()).status).toBe(202);
  const text = await scrape(api);
  expect(valueIn(text, "tattile_commit_seconds_count")).toBe(1);
  expect(valueIn(text, 'tattile_commit_seconds_bucket{le="+Inf"}')).toBe(1);
  expect(valueIn(text, "tattile_commit_failures_total")).toBe(0);

  const metrics = createMetrics();
  metrics.observeCommit(null);
  metrics.observeCommit(0.3);
  const ingest = { connections: 2, accepted: 5, refused: 1, cut: 0, heldBytes: 400, paused: false };
  const spool = { waiting: 7, heldBack: 0, heldMessages: 0, since: new Date(), reason: "away" };
  const built = await metrics.build({ ingest, spool, residentBytes: 1 }, null);
  expect(valueIn(built, "tattile_store_up")).toBe(0);
  expect(valueIn(built, "tattile_spooling")).toBe(1);
  expect(valueIn(built, "tattile_spool_messages")).toBe(7);
  expect(valueIn(built, "tattile_commit_failures_total")).toBe(1);
  expect(valueIn(built, 'tattile_commit_seconds_bucket{le="0.25"}')).toBe(0);
  expect(valueIn(built, 'tattile_commit_seconds_bucket{le="0.5"}')).toBe(1);
  expect(valueIn(built, "tattile_camera_connections")).toBe(2);
  expect(promtool(["check", "metrics"], built)).toEqual({ status: 0, text: "" });
});

test("the metrics are for this machine's programs, and for others with a token", async () => {
  await using api = await openApi();
  const port = new URL(api.url).port;
  const get = (headers: Record<string, string>) => api.call("GET", "/metrics", { headers });
  expect((await get({})).status).toBe(200);
  expect((await get({ host: `localhost:${port}` })).status).toBe(200);
  // Through a proxy, and by a page whose name was made to mean this machine.
  expect((await get({ "x-forwarded-for": "192.0.2.7" })).status).toBe(401);
  expect((await get({ host: `evil.example:${port}` })).status).toBe(401);
  const authorization = `Bearer ${api.tokens.viewer}`;
  expect((await get({ "x-forwarded-for": "192.0.2.7", authorization })).status).toBe(200);
});

test("promtool accepts the alert rules, and each fires when it should", () => {
  const checked = promtool(["check", "rules", "tattile.rules.yml"], "", RULES);
  expect([checked.status, checked.text]).toEqual([0, expect.stringContaining("SUCCESS")]);
  const tested = promtool(["test", "rules", "tattile.rules.test.yml"], "", RULES);
  expect([tested.status, tested.text]).toEqual([0, expect.stringContaining("SUCCESS")]);
  const broken = promtool(["check", "rules"], "groups: [{name: x, rules: [{alert: Y, expr: 'sum('}]}]");
  expect(broken.status).not.toBe(0);
});

test("rules and dashboard ask only for metrics that there are", async () => {
  await using api = await openTown();
  const known = [...(await scrape(api)).matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name = "", type]) =>
    type === "histogram" ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  );
  const dashboard: { panels: { targets: { expr: string }[] }[] } = JSON.parse(readFileSync(DASHBOARD, "utf8"));
  const asked = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  expect(asked.length).toBeGreaterThan(20);
  const rules = readFileSync(join(RULES, "tattile.rules.yml"), "utf8");
  const exprs = [...rules.matchAll(/expr: (.*)$/gm)].map(([, expr]) => expr ?? "");
  const names = [...asked, ...exprs].flatMap((expr) => expr.match(/tattile_[a-z_]+/g) ?? []);
  expect([...new Set(names)].filter((name) => !known.includes(name))).toEqual([]);

  // The dashboard's questions, with its variables filled in, as rules: promtool parses them.
  const folder = mkdtempSync(join(tmpdir(), "grafana-"));
  const file = join(folder, "rules.yml");
  const recorded = asked.map((expr, n) => ({ record: `panel:${n}`, expr: expr.replaceAll("$instance", "a") }));
  writeFileSync(file, JSON.stringify({ groups: [{ name: "panels", rules: recorded }] }));
  const checked = promtool(["check", "rules", file], "");
  rmSync(folder, { recursive: true });
  expect([checked.status, checked.text]).toEqual([0, expect.stringContaining(`${asked.length} rules found`)]);
});
