import { expect, test } from "bun:test";
import { openApi } from "../support/api-fixture.ts";
import { OCR_JPEG } from "../support/messages.ts";
import { startPostgres } from "../support/postgres-server.ts";
import { addCameras } from "../support/store-fixture.ts";

function reading(number: number): object {
  return {
    Plate: `${number}BCD`,
    TimeStamp: "2026/05/04 10:00:00.000",
    SerialNumber: "LV-1",
    ImageOcr: OCR_JPEG.toString("base64"),
  };
}

test("on PostgreSQL the API says the same, and while it is away readings are still taken in", async () => {
  await using server = await startPostgres();
  await server.createDatabase("town");
  await using api = await openApi(
    { DATABASE_URL: server.url("town") },
    { prepare: (store) => addCameras(store, "LV-1") },
  );
  const send = (number: number) => api.call("POST", "/ingest/lectorvision", { body: reading(number) });
  const get = (path: string) => api.call("GET", path, { as: "operator" });
  expect((await send(1001)).status).toBe(202);
  expect((await get("/api/v1/messages?plates=true")).json.messages).toMatchObject([{ plate: "1001BCD" }]);
  expect((await get("/api/v1/status")).json).toMatchObject({
    store: { kind: "postgres" },
    balance: { received: 1, waiting: 1, difference: 0 },
  });
  expect((await get("/metrics")).text).toContain('tattile_received_total{camera="LV-1",result="queued"} 1');
  const { points } = (await get("/api/v1/series?span=hour")).json;
  expect(points.reduce((sum: number, point: { received: number }) => sum + point.received, 0)).toBe(1);
  expect((await get("/readyz")).status).toBe(200);

  await server.stop("fast");
  expect((await send(1002)).status).toBe(202);
  expect(await api.call("GET", "/health")).toMatchObject({ status: 200, json: { status: "degraded" } });
  expect((await api.call("GET", "/readyz")).json.checks[0]).toMatchObject({ name: "store", ok: false });
  expect((await api.call("GET", "/metrics")).text).toContain("tattile_store_up 0");
  expect(await get("/api/v1/status")).toMatchObject({ status: 503, json: { code: "store-unreachable" } });
  expect((await api.call("GET", "/livez")).status).toBe(200);

  await server.start();
  while ((await api.store.balance().catch(() => null))?.received !== 2) await Bun.sleep(50);
  expect((await get("/api/v1/status")).json.balance).toMatchObject({ received: 2, waiting: 2, difference: 0 });

  const admin = (method: string, path: string, body?: object) =>
    api.call(method, path, { as: "admin", ...(body === undefined ? {} : { body }) });
  expect((await admin("GET", "/api/v1/totals")).json).toMatchObject({ store: { kind: "postgres", bytes: null } });
  const found: { check: string; grade: string }[] = (await admin("GET", "/api/v1/doctor")).json.findings;
  expect(found.find(({ check }) => check === "store")?.grade).toBe("good");
  expect((await admin("POST", "/api/v1/endpoints/Police/try")).json).toEqual({ endpoint: "Police", pauses: 0 });
  const { counts, confirm } = (await admin("POST", "/api/v1/wipe/readings", {})).json;
  expect(counts).toMatchObject({ storedReadings: 2 });
  expect((await admin("POST", "/api/v1/wipe/readings", { confirm })).json).toMatchObject({ counts: { readings: 2 } });
  expect(await api.store.balance()).toMatchObject({ received: 2, discarded: 2, waiting: 0, difference: 0 });
}, 60_000);
