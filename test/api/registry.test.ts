import { beforeAll, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createPki } from "../../src/simulator/pki.ts";
import { type ApiUnderTest, openApi } from "../support/api-fixture.ts";
import { messageOf, takeIn } from "../support/queued-readings.ts";
import { addCameras } from "../support/store-fixture.ts";

const PASSWORD = "contraseña 1";
let pfx: Buffer;
beforeAll(async () => {
  const pki = await createPki({ now: new Date() });
  pfx = (await pki.issueClient({ organization: "Òdena", commonName: "seal", intermediate: true })).pfx(PASSWORD);
});

function put(api: ApiUnderTest, path: string, body: object, as: "viewer" | "operator" | "admin" = "admin") {
  return api.call("PUT", `/api/v1${path}`, { as, body });
}

async function registerTown(api: ApiUnderTest): Promise<void> {
  const url = "https://police.example/matr-ws";
  expect((await put(api, "/endpoints/lectio", { url })).json).toMatchObject({ result: "added", endpoint: { url } });
  expect((await put(api, "/municipalities/%C3%92dena", { endpoint: "LECTIO" })).json).toMatchObject({
    result: "added",
    municipality: { name: "Òdena" },
  });
  const camera = { readerCode: "00012", municipality: "òdena", coordX: "431234.50", coordY: "4588123.00" };
  expect((await put(api, "/cameras/2001008851", camera)).json).toMatchObject({ result: "added" });
}

test("a town is registered, changed and removed; what is left out stays", async () => {
  await using api = await openApi();
  await registerTown(api);
  expect((await put(api, "/cameras/2001008851", {})).json).toMatchObject({ result: "unchanged" });
  expect((await put(api, "/cameras/2001008851", { description: "Plaça" })).json).toMatchObject({
    result: "changed",
    camera: { readerCode: "00012", coordX: "431234.50", description: "Plaça" },
  });
  expect((await put(api, "/cameras/2001008851", { coordX: null, coordY: null })).json.camera.coordX).toBeNull();
  expect((await put(api, "/endpoints/lectio", { retryMax: 7 })).json.endpoint).toMatchObject({ retryMax: 7 });
  expect((await api.call("GET", "/api/v1/cameras", { as: "viewer" })).json).toHaveLength(1);

  const used = await api.call("DELETE", "/api/v1/endpoints/lectio", { as: "admin" });
  expect(used).toMatchObject({ status: 409, json: { code: "conflict" } });
  for (const path of ["/cameras/2001008851", "/municipalities/%C3%92dena", "/endpoints/lectio"]) {
    expect([200, 204]).toContain((await api.call("DELETE", `/api/v1${path}`, { as: "admin" })).status);
    expect((await api.call("DELETE", `/api/v1${path}`, { as: "admin" })).status).toBe(404);
  }
  const audit = await api.store.listAudit({ limit: 100 });
  expect(audit.find(({ what }) => what === "camera save")?.detail).toBe(
    "2001008851: readerCode 00012, municipality òdena, coordX 431234.50, coordY 4588123.00",
  );
  expect(audit.filter(({ what }) => what === "endpoint save")).toHaveLength(2);
  const deeds = audit.map(({ what }) => what).filter((what) => what.endsWith("remove"));
  expect(deeds).toEqual([
    "endpoint remove",
    "endpoint remove",
    "camera remove",
    "municipality remove",
    "endpoint remove",
  ]);
});

test("a paused endpoint is tried now by an operator, not by a viewer; the count of its pauses stays", async () => {
  await using api = await openApi({ MOSSOS_ENDPOINT_URL: "https://default.example/" });
  await registerTown(api);
  await api.store.saveMunicipality({ name: "Sort", code: null, endpointId: null, certificateId: null, active: true });
  const endpointId = (await api.store.findEndpoint("lectio"))?.id ?? -1;
  const pausedUntil = new Date(Date.now() + 600_000);
  const pause = {
    ...{ certificateId: 0, pausedUntil, pauseKind: "unreachable" as const, detail: "ECONNREFUSED", pauses: 9 },
    ...{ lastAcceptedAt: null, clockOffsetMs: null, latencyMs: null, mendedAt: null, triedAt: null },
  };
  await api.store.saveRouteState({ ...pause, endpointId });
  await api.store.saveRouteState({ ...pause, endpointId: 0 });
  const ask = (name: string, as: "viewer" | "operator") => api.call("POST", `/api/v1/endpoints/${name}/try`, { as });
  expect((await ask("lectio", "viewer")).status).toBe(403);
  expect((await ask("nowhere", "operator")).status).toBe(404);
  expect((await api.store.listRouteStates()).map(({ triedAt }) => triedAt)).toEqual([null, null]);

  expect((await ask("LECTIO", "operator")).json).toEqual({ endpoint: "lectio", pauses: 1 });
  const status = (await api.call("GET", "/api/v1/status", { as: "viewer" })).json;
  const [tried, byDefault] = status.endpoints;
  expect(new Date(tried.pauses[0].pausedUntil).getTime()).toBeLessThanOrEqual(Date.now());
  expect(tried.pauses[0]).toMatchObject({ pauses: 9, triedAt: tried.pauses[0].pausedUntil });
  expect(byDefault).toMatchObject({ name: "(default)", pauses: [{ pausedUntil: pausedUntil.toISOString() }] });
  expect((await ask("(default)", "operator")).json).toEqual({ endpoint: "(default)", pauses: 1 });
  const deeds = (await api.store.listAudit({ limit: 100 })).filter(({ what }) => what === "endpoint try");
  expect(deeds.map(({ who, detail }) => [who, detail])).toEqual([
    ["token operator (api)", "lectio"],
    ["token operator (api)", "(default)"],
  ]);
});

test("what is still used goes only with those that use it losing it, and a town only with its cameras when that is said", async () => {
  await using api = await openApi(
    {},
    {
      prepare: async (store, config) => {
        await addCameras(store, "A1", "B2");
        await takeIn(config.dataDir, [messageOf("A1", "1111AAA", 1), messageOf("B2", "2222BBB", 2)]);
      },
    },
  );
  const remove = (path: string) => api.call("DELETE", `/api/v1${path}`, { as: "admin" });
  const body = { municipality: "Girona", pfx: pfx.toString("base64"), password: PASSWORD };
  const { certificate } = (await api.call("POST", "/api/v1/certificates", { as: "admin", body })).json;
  for (const path of [`/certificates/${certificate.id}`, "/endpoints/Police", "/municipalities/Girona"]) {
    expect([path, (await remove(path)).status]).toEqual([path, 409]);
  }
  for (const path of [`/certificates/${certificate.id}?force=true`, "/endpoints/Police?force=true"]) {
    expect([path, (await remove(path)).status]).toEqual([path, 204]);
  }
  expect(await api.store.listMunicipalities()).toMatchObject([{ endpointId: null, certificateId: null }]);
  expect(await api.store.listCameras()).toHaveLength(2);
  expect((await remove("/municipalities/Girona?cascade=true")).status).toBe(204);
  expect([await api.store.listMunicipalities(), await api.store.listCameras()]).toEqual([[], []]);
  expect(await api.store.balance()).toMatchObject({ discarded: 2, waiting: 0, difference: 0 });
  const files = await api.call("GET", "/api/v1/totals", { as: "admin" });
  expect(files.json.files).toContainEqual({ name: "images", files: 0 });
  expect((await api.store.listAudit({ limit: 1 }))[0]?.detail).toBe("Girona with 2 cameras, unsent");
});

test("only an admin changes what is registered", async () => {
  await using api = await openApi();
  for (const as of ["viewer", "operator"] as const) {
    expect((await put(api, "/municipalities/X", {}, as)).status).toBe(403);
  }
  expect(await api.store.listMunicipalities()).toEqual([]);
});

test.each([
  ["/cameras/1", { municipality: "Òdena" }, "body.readerCode is missing"],
  ["/cameras/1", { readerCode: "1" }, "body.municipality is missing"],
  ["/cameras/1", { readerCode: "1", municipality: "Nowhere" }, 'body.municipality is "Nowhere"'],
  ["/cameras/1", { readerCode: "1 2", municipality: "Òdena" }, 'body.readerCode is "1 2"'],
  ["/cameras/1", { readerCode: "12345678901234567", municipality: "Òdena" }, "body.readerCode is"],
  ["/cameras/1", { readerCode: "1", municipality: "Òdena", coordX: "431234.50" }, "one coordinate without the other"],
  ["/cameras/1", { readerCode: "1", municipality: "Òdena", coordX: "431234.5", coordY: "1.00" }, "body.coordX is"],
  ["/cameras/1", { readerCode: "1", municipality: "Òdena", timezone: "Mars/One" }, 'body.timezone is "Mars/One"'],
  ["/cameras/a%0Ab", { readerCode: "1", municipality: "Òdena" }, "path.serial is"],
  ["/endpoints/other", {}, "body.url is missing"],
  ["/endpoints/other", { url: "ftp://x" }, "body.url is not an address"],
  ["/endpoints/other", { url: "https://user:secret@x/" }, "body.url is not an address"],
  ["/endpoints/lectio", { wsdl: "/etc/shadow" }, "body.wsdl is"],
  ["/endpoints/lectio", { caPath: "/etc/shadow" }, "body.caPath is not known here"],
])("%s with %j is refused", async (path, body, error) => {
  await using api = await openApi();
  await registerTown(api);
  const answer = await put(api, path, body);
  expect(answer.status).toBe(400);
  expect(answer.json.error).toContain(error);
  expect(answer.text).not.toContain("secret");
});

test("a certificate is taken from its PFX, signs for its town, and its key stays on the machine", async () => {
  await using api = await openApi();
  await registerTown(api);
  const upload = (change: object = {}) =>
    api.call("POST", "/api/v1/certificates", {
      as: "admin",
      body: { municipality: "òdena", pfx: pfx.toString("base64"), password: PASSWORD, ...change },
    });
  const wrong = await upload({ password: "other" });
  expect(wrong).toMatchObject({ status: 400, json: { error: expect.stringContaining("password") } });
  expect(await upload({ pfx: "not base64!" })).toMatchObject({ status: 400 });
  expect(await upload({ pfx: "A".repeat(1.4 * 1024 * 1024) })).toMatchObject({ status: 413 });
  const taken = await upload();
  expect(taken.json).toMatchObject({ result: "added", municipality: "Òdena", certificate: { inUse: true } });
  expect(taken.json.certificate.daysLeft).toBeGreaterThan(0);
  expect(taken.text).not.toContain("PRIVATE");
  expect(taken.text).not.toContain("certs");
  expect(readFileSync(join(api.config.certsDir, "Òdena", "key.pem"), "utf8")).toContain("PRIVATE KEY");
  expect((await upload()).json).toMatchObject({ result: "unchanged" });

  const { id } = taken.json.certificate;
  const remove = () => api.call("DELETE", `/api/v1/certificates/${id}`, { as: "admin" });
  expect((await remove()).status).toBe(409);
  expect((await put(api, "/municipalities/%C3%92dena/certificate", { certificateId: null })).status).toBe(204);
  expect((await remove()).status).toBe(204);
  expect((await api.call("GET", "/api/v1/certificates", { as: "viewer" })).json).toEqual([]);
  const audit = JSON.stringify(await api.store.listAudit({ limit: 100 }));
  expect(audit).toContain("certificate import");
  expect(audit).not.toContain(PASSWORD);
  expect(api.logged.join()).not.toContain(PASSWORD);
});

test("a certificate that is not valid yet is staged, and what signs now goes on signing", async () => {
  await using api = await openApi();
  await registerTown(api);
  const upload = (bytes: Buffer) =>
    api.call("POST", "/api/v1/certificates", {
      as: "admin",
      body: { municipality: "Òdena", pfx: bytes.toString("base64"), password: PASSWORD },
    });
  const { certificate } = (await upload(pfx)).json;
  const pki = await createPki({ now: new Date() });
  const validFrom = new Date(Date.now() + 3 * 86_400_000);
  const next = (await pki.issueClient({ organization: "Òdena", commonName: "next", validFrom })).pfx(PASSWORD);
  const staged = await upload(next);
  expect(staged.json).toMatchObject({ result: "staged", certificate: { inUse: false } });
  expect((await upload(next)).json).toMatchObject({
    result: "staged",
    certificate: { id: staged.json.certificate.id },
  });
  const [town] = await api.store.listMunicipalities();
  expect(town?.certificateId).toBe(certificate.id);
  expect(await api.store.listRotations()).toMatchObject([
    { municipalityId: town?.id, nextId: staged.json.certificate.id, state: "staged" },
  ]);
  expect((await api.call("GET", "/api/v1/status", { as: "viewer" })).json.certificates).toMatchObject([
    { municipality: "Òdena", next: { state: "staged" } },
  ]);
  expect((await api.store.listAudit({ limit: 100 })).map(({ what }) => what)).toContain("certificate rotate");
});

test("a camera that is registered from the quarantine has its held readings taken up", async () => {
  await using api = await openApi(
    {},
    {
      prepare: async (_store, config) => {
        await takeIn(config.dataDir, [messageOf("2001008851", "1111AAA", 1), messageOf("9", "2222BBB", 2)]);
      },
    },
  );
  const held = await api.call("GET", "/api/v1/quarantine?kind=unregistered&camera=2001008851", { as: "viewer" });
  expect(held.json.held).toMatchObject([{ cameraSerial: "2001008851", kind: "unregistered" }]);
  const { id } = held.json.held[0];
  const shown = await api.call("GET", `/api/v1/quarantine/${id}`, { as: "operator" });
  expect(shown.json).toMatchObject({ understood: "yes", plate: "11•••AA" });
  expect(shown.json.ocrBytes).toBeGreaterThan(0);
  expect((await api.call("GET", `/api/v1/quarantine/${id}`, { as: "viewer" })).status).toBe(403);

  await registerTown(api);
  while ((await api.store.balance()).received === 0) await Bun.sleep(20);
  expect((await api.call("GET", "/api/v1/messages", { as: "operator" })).json.messages).toMatchObject([
    { plate: "11•••AA", status: "PENDING" },
  ]);

  const retry = await api.call("POST", "/api/v1/quarantine/retry", { as: "operator", body: { all: true } });
  expect(retry.json).toEqual({ quarantined: 1 });
  expect((await api.call("POST", "/api/v1/quarantine/drop", { as: "operator", body: {} })).status).toBe(400);
  const drop = await api.call("POST", "/api/v1/quarantine/drop", { as: "operator", body: { kind: "unregistered" } });
  expect(drop.json).toEqual({ messages: 1 });
  expect((await api.call("GET", "/api/v1/quarantine", { as: "viewer" })).json).toEqual({
    held: [],
    more: false,
    next: null,
  });
});

test("an admin revokes tokens and reads who did what; nobody else does", async () => {
  await using api = await openApi();
  expect((await api.call("GET", "/api/v1/tokens", { as: "operator" })).status).toBe(403);
  expect((await api.call("GET", "/api/v1/audit", { as: "operator" })).status).toBe(403);
  const { json, text } = await api.call("GET", "/api/v1/tokens", { as: "admin" });
  expect(json.map(({ role }: { role: string }) => role)).toEqual(["viewer", "operator", "admin"]);
  expect(text).not.toContain("tat_");
  const viewer = json[0];
  expect((await api.call("DELETE", `/api/v1/tokens/${viewer.id}`, { as: "admin" })).status).toBe(204);
  expect((await api.call("GET", "/api/v1/status", { as: "viewer" })).status).toBe(401);
  expect((await api.call("GET", "/api/v1/audit", { as: "admin" })).json.entries).toMatchObject([
    { who: "token admin (api)", what: "token remove", detail: "viewer (viewer)" },
  ]);
});

test("the audit log is narrowed by who, what and message", async () => {
  await using api = await openApi();
  const deeds = [
    { who: "jordi (cli)", what: "image show", messageId: 7, detail: "ocr" },
    { who: "token marta (api)", what: "image show", messageId: 8, detail: "ctx" },
    { who: "token marta (api)", what: "queue retry", messageId: null, detail: "all" },
  ] as const;
  for (const deed of deeds) await api.store.recordAudit(deed, new Date());
  const details = async (query: string): Promise<string[]> => {
    const { json } = await api.call("GET", `/api/v1/audit?${query}`, { as: "admin" });
    return json.entries.map(({ detail }: { detail: string }) => detail);
  };
  expect(await details("who=marta")).toEqual(["all", "ctx"]);
  expect(await details("what=image%20show&who=marta")).toEqual(["ctx"]);
  expect(await details("message=7")).toEqual(["ocr"]);
});

test("a whole site is brought about at once, shown first, and read back the same", async () => {
  await using api = await openApi();
  const site = {
    version: 1,
    endpoints: [{ name: "lectio", url: "https://police.example/matr-ws" }],
    municipalities: [{ name: "Òdena", endpoint: "lectio" }],
    cameras: [{ serial: "2001008851", reader: "00012", municipality: "Òdena" }],
  };
  const post = (body: object) => api.call("POST", "/api/v1/site", { as: "admin", body });
  const shown = await post({ site, dryRun: true });
  expect(shown.json).toMatchObject({ applied: false, unchanged: 0 });
  expect(shown.json.steps.map(({ action, noun, name }: Record<string, string>) => `${action} ${noun} ${name}`)).toEqual(
    ["add endpoint lectio", "add municipality Òdena", "add camera 2001008851"],
  );
  expect(await api.store.listCameras()).toEqual([]);
  expect((await post({ site })).json).toMatchObject({ applied: true });
  const whole = (await api.call("GET", "/api/v1/site", { as: "admin" })).json;
  expect(whole).toMatchObject(site);
  expect((await post({ site: whole })).json).toMatchObject({ applied: false, unchanged: 3, steps: [] });
  const pruned = await post({ site: { ...site, cameras: [] }, prune: true });
  expect(pruned.json.steps).toMatchObject([{ action: "remove", noun: "camera", name: "2001008851" }]);
  expect((await api.store.listAudit({ limit: 10 })).map(({ what }) => what)).toEqual([
    "registry apply",
    "registry apply",
  ]);
});

test("a site that names a file of the machine, or makes no sense, is refused", async () => {
  await using api = await openApi();
  const post = (site: object, as: "operator" | "admin" = "admin") =>
    api.call("POST", "/api/v1/site", { as, body: { site } });
  expect((await post({ version: 1 }, "operator")).status).toBe(403);
  expect((await post({ version: 1, camras: [] })).json.error).toContain("camras");
  const named = await post({
    version: 1,
    certificates: [{ name: "x", cert: "/etc/ssl/certs/ca.pem", key: "/etc/shadow" }],
    municipalities: [{ name: "Òdena", certificate: "x" }],
  });
  expect(named.status).toBe(404);
  expect(named.text).not.toContain("/etc/shadow");
  // Not even where the files are there and say a certificate.
  const [file, passwordFile] = ["a.pfx", "a.password"].map((name) => join(api.config.dataDir, name));
  if (file === undefined || passwordFile === undefined) throw new Error("no files");
  writeFileSync(file, pfx);
  writeFileSync(passwordFile, PASSWORD);
  const taken = await post({
    version: 1,
    certificates: [{ name: "x", pfx: file, passwordFile }],
    municipalities: [{ name: "Òdena", certificate: "x" }],
  });
  expect(taken.status).toBe(404);
  expect(await api.store.listCertificates()).toEqual([]);
  expect(await api.store.listMunicipalities()).toEqual([]);
});

test("of an endpoint no file of the machine is named but those that are set there already", async () => {
  await using api = await openApi();
  const post = (endpoint: object, dryRun = false) =>
    api.call("POST", "/api/v1/site", {
      as: "admin",
      body: {
        site: { version: 1, endpoints: [{ name: "Lectio", url: "https://police.example/x", ...endpoint }] },
        dryRun,
      },
    });
  for (const dryRun of [true, false]) {
    for (const [field, path] of [
      ["ca", "/etc/shadow"],
      ["ca", "own.pem"],
      ["wsdl", "/etc/passwd"],
      ["wsdl", "own.wsdl"],
    ] as const) {
      const refused = await post({ [field]: path }, dryRun);
      expect([refused.status, refused.json.error]).toEqual([
        400,
        `endpoint Lectio: ${field} names a file of the machine that is not set there`,
      ]);
    }
  }
  expect(await api.store.listEndpoints()).toEqual([]);
  expect((await post({ wsdl: "https://police.example/x?wsdl" })).status).toBe(200);
  const [lectio] = await api.store.listEndpoints();
  if (lectio === undefined) throw new Error("no endpoint");
  const { id: _id, ...fields } = lectio;
  await api.store.saveEndpoint({ ...fields, caPath: "/etc/tattile/ca.pem", wsdl: "/etc/tattile/x.wsdl" });
  const whole = (await api.call("GET", "/api/v1/site", { as: "admin" })).json;
  const again = await api.call("POST", "/api/v1/site", { as: "admin", body: { site: whole } });
  expect([again.status, again.json.unchanged]).toEqual([200, 1]);
  expect((await post({ ca: "/etc/tattile/other.pem" })).status).toBe(400);
  expect((await post({ ca: null, wsdl: null })).status).toBe(200);
});
