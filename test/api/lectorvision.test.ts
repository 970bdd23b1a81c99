import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ApiUnderTest, openApi } from "../support/api-fixture.ts";
import { OCR_JPEG } from "../support/messages.ts";
import { addCameras } from "../support/store-fixture.ts";

const OCR = OCR_JPEG.toString("base64");
const withCamera = { prepare: async (store: ApiUnderTest["store"]) => void (await addCameras(store, "LV-1")) };

function item(number: number, change: object = {}): object {
  return {
    Plate: `${String(number).padStart(4, "0")}BCD`,
    TimeStamp: "2026/01/23 09:25:57.123",
    SerialNumber: "LV-1",
    ImageOcr: OCR,
    ...change,
  };
}

/** As an agent that somebody else wrote would send it. */
async function curl(url: string, body: string, ...more: string[]): Promise<{ status: number; body: string }> {
  const folder = mkdtempSync(join(tmpdir(), "curl-"));
  try {
    writeFileSync(join(folder, "body"), body);
    const words = ["curl", "-sS", "-o", "-", "-w", "\n%{http_code}", "--data-binary", `@${join(folder, "body")}`];
    const child = Bun.spawn([...words, "-H", "content-type: application/json", ...more, url], {
      stdout: "pipe",
      stderr: "inherit",
    });
    const text = await new Response(child.stdout).text();
    const at = text.lastIndexOf("\n");
    return { status: Number(text.slice(at + 1)), body: text.slice(0, at) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("a reading is answered 202 with plate and device once it is durable", async () => {
  await using api = await openApi({}, withCamera);
  const sent = await curl(`${api.url}/ingest/lectorvision`, JSON.stringify(item(1)));
  expect(sent).toEqual({
    status: 202,
    body: JSON.stringify({ status: "accepted", plate: "0001BCD", device_sn: "LV-1" }),
  });
  const [message] = await api.store.listMessages({}, 10);
  expect(message).toMatchObject({ plate: "0001BCD", cameraSerial: "LV-1", hasOcrImage: true, timeSource: "camera" });
  // Sent again, since the answer may have got lost.
  expect((await curl(`${api.url}/ingest/lectorvision`, JSON.stringify(item(1)))).status).toBe(202);
  expect(await api.store.balance()).toMatchObject({ received: 1, difference: 0 });
});

test("an array of a thousand readings is taken in one request, each of them once", async () => {
  await using api = await openApi({}, withCamera);
  const items = Array.from({ length: 1000 }, (_, n) => item(n));
  const body = JSON.stringify(items);
  expect(await curl(`${api.url}/ingest/lectorvision`, body)).toEqual({
    status: 202,
    body: JSON.stringify({ status: "accepted", readings: 1000, results: { queued: 1000 } }),
  });
  expect(await api.store.balance()).toMatchObject({ received: 1000, waiting: 1000, difference: 0 });
  const again = await curl(`${api.url}/ingest/lectorvision`, body);
  expect(JSON.parse(again.body)).toMatchObject({ results: { duplicate: 1000 } });
  expect(await api.store.balance()).toMatchObject({ received: 1000 });
}, 60_000);

test("of more than 5,000 readings in one request none is taken, and fewer are asked for", async () => {
  await using api = await openApi({}, withCamera);
  const refused = await curl(`${api.url}/ingest/lectorvision`, JSON.stringify(Array.from({ length: 5001 }, () => 0)));
  expect([refused.status, JSON.parse(refused.body)]).toMatchObject([
    429,
    { code: "too-many", error: "5001 readings in one request, at most 5000; send fewer at once" },
  ]);
  expect(await api.store.balance()).toMatchObject({ received: 0 });
});

test("a bad reading is answered 400 with its field, held, and the good ones beside it are durable", async () => {
  await using api = await openApi({}, withCamera);
  const single = await curl(`${api.url}/ingest/lectorvision`, JSON.stringify(item(1, { TimeStamp: undefined })));
  expect(single.status).toBe(400);
  expect(JSON.parse(single.body)).toMatchObject({ code: "invalid", error: "TimeStamp is missing", field: "TimeStamp" });
  const mixed = await curl(
    `${api.url}/ingest/lectorvision`,
    JSON.stringify([item(2), item(3, { Plate: null }), item(4)]),
  );
  expect(mixed.status).toBe(400);
  expect(JSON.parse(mixed.body)).toMatchObject({
    error: "item 1: Plate is missing",
    field: "Plate",
    item: 1,
    accepted: 2,
  });
  expect(await api.store.balance()).toMatchObject({ received: 2 });
  expect(await api.store.listQuarantine({ kind: "malformed" }, 10)).toMatchObject([
    { cameraSerial: "LV-1", protocol: "lector-vision", reason: "TimeStamp is missing" },
    { cameraSerial: "LV-1", reason: "Plate is missing" },
  ]);
  const broken = await curl(`${api.url}/ingest/lectorvision`, '{"Plate": "1234');
  expect([broken.status, JSON.parse(broken.body).error]).toEqual([400, "the body is not JSON"]);
  expect(api.logged.join()).not.toMatch(/\d{4}BCD/);
});

test("a reading of a device that nobody registered is answered 202, held, and taken up once it is registered", async () => {
  await using api = await openApi({}, withCamera);
  const sent = await curl(`${api.url}/ingest/lectorvision`, JSON.stringify(item(1, { SerialNumber: "NEW-7" })));
  expect(sent).toMatchObject({ status: 202, body: expect.stringContaining('"device_sn":"NEW-7"') });
  const [held] = await api.store.listQuarantine({ kind: "unregistered" }, 10);
  expect(held).toMatchObject({ cameraSerial: "NEW-7", protocol: "lector-vision" });
  const [camera] = await api.store.listCameras();
  const {
    id: _id,
    lastReadingAt: _r,
    lastSentAt: _s,
    ...value
  } = camera ?? { id: 0, lastReadingAt: null, lastSentAt: null };
  await api.store.saveCamera({ ...(value as Parameters<typeof api.store.saveCamera>[0]), serial: "NEW-7" });
  while ((await api.store.balance()).received === 0) await Bun.sleep(20);
  const [message] = await api.store.listMessages({}, 10);
  expect(message).toMatchObject({ plate: "0001BCD", cameraSerial: "NEW-7", hasOcrImage: true });
});

test("a listener of its own answers on every path that agents are set to, and nothing of the API", async () => {
  await using api = await openApi({ LECTORVISION_PORT: "0", LECTORVISION_HOST: "127.0.0.1" }, withCamera);
  const own = `http://127.0.0.1:${api.lectorVisionPort}`;
  for (const [n, path] of ["/ingest/lectorvision", "/ingest/v2/detection/", "/ingest", "/"].entries()) {
    expect((await curl(own + path, JSON.stringify(item(n)))).status).toBe(202);
  }
  expect(await api.store.balance()).toMatchObject({ received: 4 });
  expect((await fetch(`${own}/api/v1/setup`)).status).toBe(404);
  expect((await fetch(own)).status).toBe(405);
  expect((await curl(`${api.url}/ingest`, JSON.stringify(item(9)))).status).toBe(404);
});

test("who is not on the list, or lacks the token, is told to keep his readings", async () => {
  {
    await using api = await openApi({ LECTORVISION_ALLOW: "192.0.2.0/24" }, withCamera);
    const refused = await curl(`${api.url}/ingest/lectorvision`, JSON.stringify(item(1)));
    expect([refused.status, JSON.parse(refused.body).code]).toEqual([429, "not-allowed"]);
    expect(await api.store.balance()).toMatchObject({ received: 0 });
  }
  await using api = await openApi(
    { LECTORVISION_ALLOW: "127.0.0.0/8", LECTORVISION_TOKEN: "open sesame-7" },
    withCamera,
  );
  const send = (...more: string[]) => curl(`${api.url}/ingest/lectorvision`, JSON.stringify(item(1)), ...more);
  expect((await send()).status).toBe(429);
  expect((await send("-H", "x-api-key: open sesame")).status).toBe(429);
  expect((await send("-H", "x-api-key: open sesame-7")).status).toBe(202);
  expect(api.logged.join()).not.toContain("sesame");
});

test("many small requests of unknown length are taken at once, and too much at once is told to come again", async () => {
  await using api = await openApi({}, withCamera);
  const chunked = await Promise.all(
    Array.from({ length: 12 }, (_, n) =>
      curl(`${api.url}/ingest/lectorvision`, JSON.stringify(item(n)), "-H", "transfer-encoding: chunked"),
    ),
  );
  expect(chunked.map(({ status }) => status)).toEqual(chunked.map(() => 202));
  // Four announce all the memory there is, and say nothing more; the fifth has to wait.
  const { port } = new URL(api.url);
  const sockets = Array.from({ length: 4 }, () => connect(Number(port), "127.0.0.1"));
  for (const socket of sockets) {
    socket.write(`POST /ingest/lectorvision HTTP/1.1\r\nhost: x\r\ncontent-length: ${20 * 1024 * 1024}\r\n\r\n{`);
  }
  const status = async () => (await curl(`${api.url}/ingest/lectorvision`, JSON.stringify(item(99)))).status;
  while ((await status()) !== 503) await Bun.sleep(10);
  for (const socket of sockets) socket.destroy();
  while ((await status()) !== 202) await Bun.sleep(10);
}, 30_000);

test("a page of some site cannot make a browser post readings", async () => {
  await using api = await openApi({}, withCamera);
  for (const header of ["origin: https://evil.example", "sec-fetch-site: cross-site"]) {
    const words = ["-H", header, "-H", "content-type: text/plain"];
    expect((await curl(`${api.url}/ingest/lectorvision`, JSON.stringify(item(1)), ...words)).status).toBe(403);
  }
  expect(await api.store.balance()).toMatchObject({ received: 0 });
});

test("more than 20 MiB is refused with 413 and noted", async () => {
  await using api = await openApi({}, withCamera);
  const large = JSON.stringify(item(1, { Note: "x".repeat(20 * 1024 * 1024) }));
  expect((await curl(`${api.url}/ingest/lectorvision`, large, "-H", "expect:")).status).toBe(413);
  const chunked = await curl(
    `${api.url}/ingest/lectorvision`,
    large,
    "-H",
    "expect:",
    "-H",
    "transfer-encoding: chunked",
  );
  expect([413, 0]).toContain(chunked.status);
  const held = await api.store.listQuarantine({ kind: "malformed" }, 10);
  expect(held).toHaveLength(2);
  expect(held[0]).toMatchObject({ sizeBytes: 0, path: null, reason: expect.stringContaining("larger than") });
}, 30_000);

test("what cannot be stored is answered 503, and nothing of it is counted", async () => {
  {
    await using api = await openApi({ DISK_MIN_FREE_BYTES: "1000GiB" }, withCamera);
    expect((await curl(`${api.url}/ingest/lectorvision`, JSON.stringify(item(1)))).status).toBe(503);
  }
  await using api = await openApi({}, withCamera);
  // A file where the camera's folder would be: nothing can be written there.
  mkdirSync(api.config.imagesDir, { recursive: true });
  writeFileSync(join(api.config.imagesDir, "LV-1"), "");
  const sent = await curl(`${api.url}/ingest/lectorvision`, JSON.stringify([item(1), item(2)]));
  expect([sent.status, JSON.parse(sent.body).code]).toEqual([503, "unavailable"]);
  expect(await api.store.balance()).toMatchObject({ received: 0 });
  rmSync(join(api.config.imagesDir, "LV-1"));
  expect((await curl(`${api.url}/ingest/lectorvision`, JSON.stringify([item(1), item(2)]))).status).toBe(202);
  expect(await api.store.balance()).toMatchObject({ received: 2 });
});
