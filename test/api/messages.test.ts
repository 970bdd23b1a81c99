import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Auditor } from "../../src/api/audit.ts";
import type { ApiDeps } from "../../src/api/deps.ts";
import { messageRoutes } from "../../src/api/message-routes.ts";
import { parseTattileXml } from "../../src/camera/tattile-xml.ts";
import type { Store } from "../../src/store/store.ts";
import type { ApiUnderTest } from "../support/api-fixture.ts";
import { openApi } from "../support/api-fixture.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { messageOf, takeIn } from "../support/queued-readings.ts";
import { addCameras, dead, readingEntry, SqliteUnderTest, settleAll } from "../support/store-fixture.ts";

const PLATES = ["1111AAA", "2222BBB", "3333CCC"];

/** An API beside three readings, two of one camera; all dead unless `wait`. */
async function openWithMessages(wait = false): Promise<ApiUnderTest> {
  return openApi(
    {},
    {
      prepare: async (store, config) => {
        await addCameras(store, "A1", "B2");
        const messages = PLATES.map((plate, n) => messageOf(n === 2 ? "B2" : "A1", plate, n));
        await takeIn(config.dataDir, messages);
        if (!wait) await settleAll(store, dead("codiRetorn=9"), new Date());
      },
    },
  );
}

test("messages are listed by filter, masked for an operator and without a plate for a viewer", async () => {
  await using api = await openWithMessages();
  const { json } = await api.call("GET", "/api/v1/messages?state=DEAD,FAILED&limit=2", { as: "operator" });
  expect(json.more).toBe(true);
  expect(json.messages.map((m: { plate: string }) => m.plate)).toEqual(["11•••AA", "22•••BB"]);
  expect(json.messages[0]).toMatchObject({ status: "DEAD", reason: "codiRetorn=9", hasOcrImage: true });
  const newest = await api.call("GET", "/api/v1/messages?order=newest&limit=1&camera=A1", { as: "operator" });
  expect(newest.json.messages.map((m: { plate: string }) => m.plate)).toEqual(["22•••BB"]);
  const viewed = await api.call("GET", "/api/v1/messages", { as: "viewer" });
  expect(viewed.json.messages.map((m: { plate: null }) => m.plate)).toEqual([null, null, null]);
  expect((await api.call("GET", "/api/v1/messages?municipality=girona", { as: "viewer" })).json.messages).toHaveLength(
    3,
  );
  expect(await api.store.listAudit({ limit: 10 })).toEqual([]);
});

test("a plate in full is for operators, and is one line in the audit log", async () => {
  await using api = await openWithMessages();
  const path = "/api/v1/messages/1?plates=true";
  expect((await api.call("GET", path, { as: "operator" })).json.message.plate).toBe("1111AAA");
  expect(await api.call("GET", path, { as: "viewer" })).toMatchObject({ status: 403 });
  const all = await api.call("GET", "/api/v1/messages?plates=true&camera=A1", { as: "admin" });
  expect(all.json.messages.map((m: { plate: string }) => m.plate)).toEqual(["1111AAA", "2222BBB"]);
  expect(
    (await api.store.listAudit({ limit: 10 })).map(({ who, what, messageId, detail }) => [
      who,
      what,
      messageId,
      detail,
    ]),
  ).toEqual([
    ["token operator (api)", "plates show", 1, "message 1"],
    ["token admin (api)", "plates show", null, "messages 1-2: camera A1"],
  ]);
});

test("a picture is the camera's, bit for bit, not for viewers, and each look is in the audit log", async () => {
  await using api = await openWithMessages();
  const fetchImage = (kind: string, role: "viewer" | "operator") =>
    fetch(`${api.url}/api/v1/messages/2/images/${kind}`, { headers: { authorization: `Bearer ${api.tokens[role]}` } });
  const ocr = await fetchImage("ocr", "operator");
  expect(ocr.headers.get("content-type")).toBe("image/jpeg");
  expect(ocr.headers.get("cache-control")).toBe("no-store");
  const bytes = Buffer.from(await ocr.arrayBuffer());
  const sent = parseTattileXml(messageOf("A1", "2222BBB", 1));
  expect(sent.kind === "reading" && sent.reading.ocrImage !== null && bytes.equals(sent.reading.ocrImage)).toBe(true);
  expect((await fetchImage("ctx", "operator")).status).toBe(200);
  expect((await fetchImage("ocr", "viewer")).status).toBe(403);
  expect(await api.call("GET", "/api/v1/messages/99/images/ocr", { as: "operator" })).toMatchObject({ status: 404 });
  expect(await api.call("GET", "/api/v1/messages/2/images/raw", { as: "operator" })).toMatchObject({ status: 400 });
  const looks = (await api.store.listAudit({ limit: 10 })).map(({ what, messageId, detail }) => [
    what,
    messageId,
    detail,
  ]);
  expect(looks).toEqual([
    ["image show", 2, "ocr"],
    ["image show", 2, "ctx"],
  ]);
});

test("dead messages are sent again by reason, and nothing means nothing", async () => {
  await using api = await openWithMessages();
  const retry = (body: unknown, as: "viewer" | "operator" = "operator") =>
    api.call("POST", "/api/v1/messages/retry", { as, body });
  expect(await retry({})).toMatchObject({ status: 400, json: { error: "which messages?" } });
  expect(await retry({ all: true, camera: "A1" })).toMatchObject({ status: 400 });
  expect(await retry({ reason: "codiRetorn=8" })).toMatchObject({ json: { messages: 0 } });
  expect(await retry({ reason: "codiRetorn" }, "viewer")).toMatchObject({ status: 403 });
  expect(await retry({ reason: "codiRetorn=9", camera: "A1" })).toMatchObject({ json: { messages: 2 } });
  expect((await api.store.summarize()).byStatus).toMatchObject({ PENDING: 2, DEAD: 1 });
  expect((await api.store.listAudit({ limit: 1 }))[0]).toMatchObject({
    what: "queue retry",
    detail: "reason codiRetorn=9, camera A1",
  });
});

test("discarded messages go with their pictures, and the balance says where they went", async () => {
  await using api = await openWithMessages(true);
  const { json } = await api.call("POST", "/api/v1/messages/discard", { as: "operator", body: { ids: [1, 2] } });
  expect(json).toEqual({ messages: 2 });
  const files = readdirSync(join(api.config.dataDir, "images"), { recursive: true }) as string[];
  expect(files.filter((name) => name.endsWith(".jpg") && name.startsWith("A1"))).toEqual([]);
  expect(files.filter((name) => name.endsWith(".jpg")).length).toBeGreaterThan(0);
  expect((await api.call("GET", "/api/v1/status", { as: "viewer" })).json.balance).toEqual({
    received: 3,
    delivered: 0,
    expired: 0,
    discarded: 2,
    waiting: 1,
    dead: 0,
    difference: 0,
  });
});

test("a camera that is removed while its pictures cannot be is not written down as if it were still there", async () => {
  await using api = await openWithMessages(true);
  const images = join(api.config.dataDir, "images");
  for (const name of readdirSync(images, { recursive: true }) as string[]) {
    if (!name.endsWith(".jpg")) continue;
    rmSync(join(images, name));
    mkdirSync(join(images, name));
  }
  const answer = await api.call("DELETE", "/api/v1/cameras/A1?readings=erase", { as: "admin" });
  expect(answer.status).toBeGreaterThanOrEqual(500);
  expect(await api.store.findCamera("A1")).toBeNull();
  expect(await api.store.listAudit({ limit: 10 })).toMatchObject([
    { what: "camera remove", detail: "camera A1, its readings: erased unsent" },
  ]);
});

test.each([
  ["/api/v1/messages?limit=0", "query.limit is 0", "Give a whole number from 1 to 1000."],
  ["/api/v1/messages?limit=many", 'query.limit is "many"', "Give a whole number from 1 to 1000."],
  ["/api/v1/messages?state=GONE", 'query.state is "GONE"', "Give one or more of PENDING, SENDING, FAILED, DEAD"],
  ["/api/v1/messages?plate=1", "query.plate is not known here", "Known are reason"],
  ["/api/v1/messages?since=yesterday", 'query.since is "yesterday"', "Give an instant"],
  ["/api/v1/messages?municipality=Nowhere", 'query.municipality is "Nowhere"', "registered"],
  ["/api/v1/messages?order=oldest&order=newest", "query.order is given twice", ""],
  ["/api/v1/messages/x", 'path.id is "x"', "Give a whole number from 1"],
])("%s is refused with what is allowed", async (path, error, hint) => {
  await using api = await openApi();
  const answer = await api.call("GET", path, { as: "operator" });
  expect(answer.status).toBe(400);
  expect(answer.json.error).toContain(error);
  expect(answer.json.hint ?? "").toContain(hint);
});

test("a message's life is told in sentences, and what waits is summed by camera and town", async () => {
  await using api = await openWithMessages();
  const told = await api.call("GET", "/api/v1/messages/1/explain", { as: "operator" });
  expect(told.json).toMatchObject({ messageId: 1, status: "DEAD" });
  expect(told.json.story.join(" ")).toContain("Camera A1");
  expect(told.text).not.toContain("1111AAA");
  const path = "/api/v1/messages/1/explain?plates=true";
  expect((await api.call("GET", path, { as: "operator" })).text).toContain("1111AAA");
  expect(await api.store.listAudit({ limit: 10 })).toMatchObject([{ what: "plates show", messageId: 1 }]);
  const byCamera = await api.call("GET", "/api/v1/queue/summary", { as: "viewer" });
  expect(byCamera.json).toMatchObject([
    { name: "A1", counts: { DEAD: 2 }, total: 2 },
    { name: "B2", counts: { DEAD: 1 }, total: 1 },
  ]);
  const byTown = await api.call("GET", "/api/v1/queue/summary?by=municipality", { as: "viewer" });
  expect(byTown.json).toMatchObject([{ name: "Girona", total: 3 }]);
});

test("of a reading of the replaced system the camera's own digits are given, in no zone, and no instant", async () => {
  const taken = new Date("2026-07-01T09:30:00.000Z");
  await using api = await openApi(
    {},
    {
      prepare: async (store) => {
        await addCameras(store, "A1");
        const old = readingEntry(1, "A1", { capturedAt: taken, timeSource: "wall-clock" });
        await store.enqueue([old, readingEntry(2, "A1", { capturedAt: taken })], taken);
      },
    },
  );
  const [old, own] = (await api.call("GET", "/api/v1/messages", { as: "viewer" })).json.messages;
  expect(old).toMatchObject({ timeSource: "wall-clock", capturedAt: null, capturedWallClock: "2026-07-01T09:30:00" });
  expect(own).toMatchObject({ timeSource: "camera", capturedAt: taken.toISOString(), capturedWallClock: null });
  const { json } = await api.call("GET", "/api/v1/messages/1", { as: "viewer" });
  expect(json.message).toMatchObject({ capturedAt: null, capturedWallClock: "2026-07-01T09:30:00" });
  const readings = (await api.call("GET", "/api/v1/readings?order=oldest", { as: "viewer" })).json.readings;
  expect(readings[0]).toMatchObject({ capturedAt: null, capturedWallClock: "2026-07-01T09:30:00" });
  const explained = await api.call("GET", "/api/v1/messages/1/explain", { as: "operator" });
  expect(explained.json.story[0]).toContain(
    "at 2026-07-01 09:30:00 by its clock, as the replaced system wrote it down",
  );
});

test("a count of the whole queue that takes its time is not begun again for each who asks", async () => {
  await using under = await SqliteUnderTest.open();
  await addCameras(under.store, "A1");
  const clock = createFakeClock();
  let counts = 0;
  const store: Store = {
    ...under.store,
    countQueue: async () => {
      counts += 1;
      await clock.sleep(1000);
      return under.store.countQueue();
    },
  };
  const route = messageRoutes({ store, clock } as unknown as ApiDeps, {} as Auditor).find(
    ({ path }) => path === "/api/v1/queue/summary",
  );
  const ask = async () => route?.handle({ query: {} } as never) as Promise<{ name: string }[]>;
  const together = Promise.all([ask(), ask(), ask()]);
  await clock.advance(1000);
  expect((await together).map(([group]) => group?.name)).toEqual(["A1", "A1", "A1"]);
  await ask();
  expect(counts).toBe(1);
  await clock.advance(20_000);
  const later = ask();
  await clock.advance(1000);
  await later;
  expect(counts).toBe(2);
});
