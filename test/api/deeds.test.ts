import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type MossosServer, startMossos } from "../../src/simulator/mossos.ts";
import { createPki, type Pki } from "../../src/simulator/pki.ts";
import { type ApiUnderTest, openApi } from "../support/api-fixture.ts";
import { messageOf, takeIn } from "../support/queued-readings.ts";
import { addCameras, dead, settleAll } from "../support/store-fixture.ts";

const PASSWORD = "contraseña 1";
const SERIAL = "2001008851";
const PLATE = "1234BCD";
const OCR = readFileSync(new URL("../fixtures/samples/car-a-ocr.jpg", import.meta.url));

let pki: Pki;
let police: MossosServer;
beforeAll(async () => {
  pki = await createPki({ now: new Date() });
  police = await startMossos({ tls: pki.server, trustedCa: [pki.caPem], profile: "compat" });
});
afterAll(() => police.close());

async function certificate(change: { validFrom?: Date } = {}): Promise<string> {
  const issued = await pki.issueClient({ organization: "Òdena", commonName: "seal", ...change });
  return issued.pfx(PASSWORD).toString("base64");
}

/** A town with a certificate, one camera, and an endpoint that is there. */
async function openTown(): Promise<ApiUnderTest> {
  const api = await openApi();
  const put = async (path: string, body: object): Promise<void> => {
    expect([path, (await api.call("PUT", `/api/v1${path}`, { as: "admin", body })).status]).toEqual([path, 200]);
  };
  await put("/endpoints/police", { url: police.url });
  const caPath = join(api.config.dataDir, "ca.pem");
  writeFileSync(caPath, pki.caPem);
  const endpoint = await api.store.findEndpoint("police");
  if (endpoint === null) throw new Error("no endpoint");
  const { id: _id, ...value } = endpoint;
  await api.store.saveEndpoint({ ...value, caPath });
  await put("/municipalities/%C3%92dena", { endpoint: "police" });
  const body = { municipality: "Òdena", pfx: await certificate(), password: PASSWORD };
  expect((await api.call("POST", "/api/v1/certificates", { as: "admin", body })).status).toBe(200);
  const place = { coordX: "431234.50", coordY: "4588123.00" };
  await put(`/cameras/${SERIAL}`, { readerCode: "00012", municipality: "Òdena", ...place });
  return api;
}

const deeds = async (api: ApiUnderTest, what: string) =>
  (await api.store.listAudit({ limit: 1000 })).filter((entry) => entry.what === what);

test("a reading is signed by hand without being sent, unless that is asked for; its plate is nowhere", async () => {
  await using api = await openTown();
  const send = (body: object, as: "operator" | "admin" = "admin") => api.call("POST", "/api/v1/send", { as, body });
  expect((await send({ camera: SERIAL }, "operator")).status).toBe(403);
  const tried = await send({ camera: SERIAL, plate: PLATE, ocr: OCR.toString("base64") });
  expect(tried.json).toMatchObject({ sent: false, camera: SERIAL, endpoint: "police", outcome: null, fate: null });
  expect(tried.json.verified).toContain("13 fields as they should be; the signature verifies");
  expect(tried.json.envelope).toContain("<mat:matricula>12•••CD</mat:matricula>");
  expect(police.records.accepted()).toEqual([]);
  expect(await deeds(api, "message send")).toEqual([]);

  expect(await send({ camera: SERIAL, dryRun: false })).toMatchObject({ status: 400 });
  const sent = await send({ camera: SERIAL, plate: PLATE, dryRun: false });
  expect(sent.json).toMatchObject({ sent: true, httpStatus: 200, outcome: { kind: "accepted" } });
  expect(sent.json.fate).toContain("delivered");
  expect(police.records.accepted()).toMatchObject([{ plate: PLATE, readerCode: "00012" }]);
  expect(await deeds(api, "message send")).toMatchObject([
    { who: "token admin (api)", detail: `camera ${SERIAL} to police` },
  ]);
  police.behave({ answer: { kind: "code", code: "7" } });
  const refused = await send({ camera: SERIAL, plate: PLATE, dryRun: false });
  police.behave();
  expect(refused.json).toMatchObject({ outcome: { kind: "rejected" }, fate: expect.stringContaining("codiRetorn=7") });
  for (const { text } of [tried, sent, refused]) expect(text).not.toContain(PLATE);
  expect(JSON.stringify(await api.store.listAudit({ limit: 100 })) + api.logged.join()).not.toContain(PLATE);
  expect((await api.store.summarize()).readings).toBe(0);
});

test.each([
  [{ camera: "nobody" }, 404, "unknown camera nobody"],
  [{ camera: SERIAL, ocr: Buffer.from("no picture").toString("base64") }, 400, "body.ocr: it is not a JPEG"],
  [{ camera: SERIAL, ctx: "%" }, 400, "body.ctx is not base64"],
  [{ camera: SERIAL, plate: " " }, 400, "body.plate is empty"],
  [{ camera: SERIAL, plate: "123456789012345678901" }, 400, "body.plate is not as it should be"],
])("sending %j is refused", async (body, status, error) => {
  await using api = await openTown();
  const answer = await api.call("POST", "/api/v1/send", { as: "admin", body });
  expect([answer.status, answer.json.error]).toEqual([status, expect.stringContaining(error)]);
});

test("the doctor looks at the same as the command does, and only once at a time", async () => {
  await using api = await openTown();
  expect((await api.call("GET", "/api/v1/doctor", { as: "viewer" })).status).toBe(403);
  const [first, second] = await Promise.all([
    api.call("GET", "/api/v1/doctor", { as: "operator" }),
    api.call("GET", "/api/v1/doctor", { as: "operator" }),
  ]);
  const [found, refused] = first.status === 200 ? [first, second] : [second, first];
  expect(refused).toMatchObject({ status: 409, json: { error: expect.stringContaining("doctor is under way") } });
  const checks: string[] = found.json.findings.map(({ check }: { check: string }) => check);
  for (const check of ["version", "service api", "folder DATA_DIR", "store", "municipality Òdena", "cameras"]) {
    expect(checks).toContain(check);
  }
  expect(checks.some((check) => check.startsWith("endpoint police, TLS"))).toBe(true);
  expect(found.json.findings.find(({ check }: { check: string }) => check.startsWith("certificate"))).toMatchObject({
    grade: "good",
    text: expect.stringContaining("a test signature verifies"),
  });
  expect((await api.call("GET", "/api/v1/doctor", { as: "admin" })).status).toBe(200);
});

test("rows and files are counted", async () => {
  await using api = await openWithReadings();
  expect((await api.call("GET", "/api/v1/totals", { as: "viewer" })).status).toBe(403);
  const { json } = await api.call("GET", "/api/v1/totals", { as: "operator" });
  expect(json.tables).toContainEqual({ table: "messages_queue", rows: 3 });
  expect(json.files).toEqual([
    { name: "images", files: 6 },
    { name: "quarantine", files: 1 },
  ]);
  expect(json.store).toMatchObject({ kind: "sqlite", bytes: expect.any(Number) });
});

/** Three readings of two cameras, one of them dead, and one message held. */
function openWithReadings(): Promise<ApiUnderTest> {
  return openApi(
    {},
    {
      prepare: async (store, config) => {
        await addCameras(store, "A1", "B2");
        await takeIn(config.dataDir, [messageOf("A1", "1111AAA", 1)]);
        await settleAll(store, dead("codiRetorn=9"), new Date());
        await takeIn(config.dataDir, [messageOf("A1", "2222BBB", 2), messageOf("B2", "3333CCC", 3)]);
        await takeIn(config.dataDir, [messageOf("unknown", "4444DDD", 4)]);
      },
    },
  );
}

test("wiping erases nothing before its numbers were confirmed, and each confirmation counts once", async () => {
  await using api = await openWithReadings();
  const wipe = (what: string, body: object = {}, as: "operator" | "admin" = "admin") =>
    api.call("POST", `/api/v1/wipe/${what}`, { as, body });
  expect((await wipe("queue", {}, "operator")).status).toBe(403);
  expect(await wipe("all")).toMatchObject({ status: 400, json: { error: 'path.what is "all"' } });

  const asked = (await wipe("queue")).json;
  expect(asked).toMatchObject({ done: false, counts: { waitingReadings: 2 } });
  expect((await api.store.summarize()).readings).toBe(3);
  for (const [what, confirm] of [
    ["queue", "guessed"],
    ["readings", asked.confirm],
  ] as const) {
    expect((await wipe(what, { confirm })).status).toBe(409);
  }
  expect((await api.store.summarize()).readings).toBe(3);
  const done = await wipe("queue", { confirm: asked.confirm });
  expect(done.json).toEqual({ done: true, counts: { readings: 2, images: 4 }, confirm: null, confirmUntil: null });
  expect((await wipe("queue", { confirm: asked.confirm })).status).toBe(409);
  expect((await api.store.summarize()).byStatus).toMatchObject({ PENDING: 0, DEAD: 1 });
  expect((await deeds(api, "queue wipe")).map(({ who, detail }) => [who, detail])).toEqual([
    ["token admin (api)", "2 waiting readings"],
  ]);

  const images = (await wipe("images")).json;
  expect(images.counts).toEqual({ storedReadingsWithImages: 1 });
  expect((await wipe("images", { confirm: images.confirm })).json.counts).toEqual({ readings: 1, images: 2 });
  const rest = (await wipe("readings")).json;
  expect(rest.counts).toEqual({ storedReadings: 1, heldMessages: 1 });
  expect((await wipe("readings", { confirm: rest.confirm })).json.counts).toMatchObject({
    readings: 1,
    heldMessages: 1,
  });
  const { files, tables } = (await api.call("GET", "/api/v1/totals", { as: "admin" })).json;
  expect(files.map((one: { files: number }) => one.files)).toEqual([0, 0]);
  expect(tables).toContainEqual({ table: "alpr_readings", rows: 0 });
  const balance = await api.store.balance();
  expect(balance).toMatchObject({ discarded: 3, waiting: 0, dead: 0, difference: 0 });
});

test("a token is made by an admin, shown once, and good for its role until its time is over", async () => {
  await using api = await openApi();
  const make = (body: object, as: "operator" | "admin" = "admin") => api.call("POST", "/api/v1/tokens", { as, body });
  expect((await make({ name: "Marta", role: "admin" }, "operator")).status).toBe(403);
  expect((await make({ name: "Marta", role: "king" })).json.error).toContain("body.role");
  const made = await make({ name: "Marta", role: "operator", days: 30 });
  expect(made.status).toBe(201);
  const { id, token, expiresAt } = made.json;
  expect(new Date(expiresAt).getTime() - Date.now()).toBeGreaterThan(29 * 86_400_000);
  const headers = { authorization: `Bearer ${token}` };
  expect((await api.call("GET", "/api/v1/session", { headers })).json).toMatchObject({
    name: "Marta",
    role: "operator",
  });
  expect((await api.call("GET", "/api/v1/audit", { headers })).status).toBe(403);
  const listed = await api.call("GET", "/api/v1/tokens", { as: "admin" });
  expect(listed.text).not.toContain(token);
  expect(listed.json.map(({ name }: { name: string }) => name)).toContain("Marta");
  expect(await deeds(api, "token add")).toMatchObject([{ who: "token admin (api)", detail: "Marta (operator)" }]);
  expect(api.logged.join()).not.toContain(token);
  expect((await api.call("DELETE", `/api/v1/tokens/${id}`, { as: "admin" })).status).toBe(204);
  expect((await api.call("GET", "/api/v1/session", { headers })).status).toBe(401);
});

test("certificates are looked at, all or one, and what is in no use is never bad", async () => {
  await using api = await openTown();
  const check = (query = "", as: "viewer" | "operator" = "operator") =>
    api.call("GET", `/api/v1/certificates/check${query}`, { as });
  expect((await check("", "viewer")).status).toBe(403);
  expect((await check()).json).toMatchObject({ status: "fine", findings: [{ grade: "good" }] });
  const [town] = await api.store.listMunicipalities();
  const [one] = await api.store.listCertificates();
  writeFileSync(one?.keyPath ?? "", "no key");
  expect((await check(`?id=${one?.id}`)).json).toMatchObject({ status: "down", findings: [{ grade: "bad" }] });
  await api.store.assignCertificate(town?.id ?? 0, null);
  expect((await check()).json).toMatchObject({ status: "attention", findings: [{ grade: "warning" }] });
  expect((await check("?id=99")).status).toBe(404);
});

test("a next certificate that is refused while another one is being tried leaves no row and no key", async () => {
  await using api = await openTown();
  const rotate = async () =>
    api.call("POST", "/api/v1/municipalities/%C3%92dena/rotation", {
      as: "admin",
      body: { pfx: await certificate({}), password: PASSWORD },
    });
  const kept = async () => ({
    rows: (await api.store.listCertificates()).length,
    keys: (readdirSync(api.config.certsDir, { recursive: true }) as string[])
      .filter((name) => name.endsWith(".pem"))
      .sort(),
  });
  expect((await rotate()).json).toMatchObject({ state: "signing" });
  const before = await kept();
  expect(before.rows).toBe(2);
  expect(before.keys.length).toBeGreaterThan(0);
  expect((await rotate()).status).toBe(409);
  expect(await kept()).toEqual(before);
});

test("the next certificate is tried without being kept, then staged, then forgotten", async () => {
  await using api = await openTown();
  const path = "/api/v1/municipalities/%C3%92dena/rotation";
  const next = await certificate({ validFrom: new Date(Date.now() + 3 * 86_400_000) });
  const rotate = (body: object, as: "operator" | "admin" = "admin") =>
    api.call("POST", path, { as, body: { pfx: next, password: PASSWORD, ...body } });
  expect((await rotate({}, "operator")).status).toBe(403);
  const checked = await rotate({ dryRun: true });
  expect(checked.json).toMatchObject({ municipality: "Òdena", state: "checked" });
  expect(checked.json.tried).toContain(`a message of camera ${SERIAL} to police is signed with it and verifies`);
  expect(await api.store.listCertificates()).toHaveLength(1);
  expect(await deeds(api, "certificate rotate")).toEqual([]);

  expect((await rotate({})).json).toMatchObject({ state: "staged" });
  const { json } = await api.call("GET", "/api/v1/rotations", { as: "viewer" });
  expect(json).toMatchObject([{ municipality: "Òdena", state: "staged", startedAt: null }]);
  expect(json[0].validFrom > new Date().toISOString()).toBe(true);
  expect(police.records.accepted().length).toBeLessThan(10);
  expect((await api.call("DELETE", path, { as: "admin" })).status).toBe(204);
  expect((await api.call("DELETE", path, { as: "admin" })).status).toBe(404);
  expect((await api.call("GET", "/api/v1/rotations", { as: "viewer" })).json).toEqual([]);
  expect((await deeds(api, "certificate rotate")).map(({ detail }) => detail.replace(/:.*/, ""))).toEqual([
    "Òdena",
    "Òdena",
    "Òdena",
  ]);
});
