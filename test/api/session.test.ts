import { expect, test } from "bun:test";
import { openApi } from "../support/api-fixture.ts";

const OWN_PAGE = { "sec-fetch-site": "same-origin" };

test("nobody gets in without a token, and a role opens only what is its own", async () => {
  await using api = await openApi();
  expect(await api.call("GET", "/api/v1/status")).toMatchObject({ status: 401, json: { code: "unauthorized" } });
  expect((await api.call("GET", "/api/v1/status")).headers.get("www-authenticate")).toStartWith("Bearer");
  for (const as of ["viewer", "operator", "admin"] as const) {
    expect(await api.call("GET", "/api/v1/session", { as })).toMatchObject({ json: { role: as, via: "token" } });
  }
  const unknown = await api.call("GET", "/api/v1/status", {
    headers: { authorization: `Bearer tat_${"A".repeat(43)}` },
  });
  expect(unknown.status).toBe(401);
  expect((await api.call("GET", "/api/v1/status", { headers: { authorization: "Basic YTpi" } })).status).toBe(401);
});

test("a login gives a cookie that scripts cannot read and other sites cannot use", async () => {
  await using api = await openApi();
  const body = { token: api.tokens.operator };
  const login = await api.call("POST", "/api/v1/session", { body, headers: OWN_PAGE });
  expect(login).toMatchObject({ status: 200, json: { name: "operator", role: "operator", via: "session" } });
  const cookie = login.headers.get("set-cookie") ?? "";
  expect(cookie).toMatch(/^tattile_session=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/);
  const session = { cookie: cookie.split(";")[0] ?? "" };
  // The token itself has no end.
  expect((await api.call("GET", "/api/v1/session", { headers: session })).json).toEqual(login.json);
  expect(login.json.expiresAt).toEndWith("Z");

  // Another site's page, and a page of the same machine's other port.
  for (const site of ["cross-site", "same-site", "none"]) {
    const forged = await api.call("DELETE", "/api/v1/session", { headers: { ...session, "sec-fetch-site": site } });
    expect(forged).toMatchObject({ status: 403, json: { code: "foreign-page" } });
  }
  expect((await api.call("DELETE", "/api/v1/session", { headers: session })).status).toBe(403);
  expect((await api.call("GET", "/api/v1/session", { headers: session })).status).toBe(200);

  const out = await api.call("DELETE", "/api/v1/session", { headers: { ...session, "x-tattile-request": "1" } });
  expect(out.status).toBe(204);
  expect(out.headers.get("set-cookie")).toContain("Max-Age=0");
  expect((await api.call("GET", "/api/v1/session", { headers: session })).status).toBe(401);
});

test("a login from a foreign page is refused, also as a form", async () => {
  await using api = await openApi();
  const body = { token: api.tokens.admin };
  expect((await api.call("POST", "/api/v1/session", { body })).status).toBe(403);
  const form = await fetch(`${api.url}/api/v1/session`, {
    method: "POST",
    headers: { "content-type": "text/plain", ...OWN_PAGE },
    body: JSON.stringify(body),
  });
  expect(form.status).toBe(415);
});

test("after ten failed logins an address waits, the others and programs do not", async () => {
  await using api = await openApi();
  for (let n = 0; n < 10; n++) {
    const wrong = await api.call("POST", "/api/v1/session", { body: { token: `tat_${n}` }, headers: OWN_PAGE });
    expect(wrong.status).toBe(401);
  }
  const right = await api.call("POST", "/api/v1/session", { body: { token: api.tokens.admin }, headers: OWN_PAGE });
  expect(right).toMatchObject({ status: 429, json: { code: "too-many-failures" } });
  expect(Number(right.headers.get("retry-after"))).toBeGreaterThan(0);
  expect((await api.call("GET", "/api/v1/session", { as: "viewer" })).status).toBe(200);
  expect(api.logged.filter((line) => line.includes("a login was refused"))).toHaveLength(10);
  expect(api.logged.join()).not.toContain(api.tokens.admin);
});

test("a revoked token ends its sessions at once", async () => {
  await using api = await openApi();
  const login = await api.call("POST", "/api/v1/session", { body: { token: api.tokens.viewer }, headers: OWN_PAGE });
  const headers = { cookie: login.headers.get("set-cookie")?.split(";")[0] ?? "" };
  expect((await api.call("GET", "/api/v1/status", { headers })).status).toBe(200);
  const [viewer] = (await api.store.listTokens()).filter(({ role }) => role === "viewer");
  expect(viewer?.lastUsedAt).not.toBeNull();
  await api.store.removeToken(viewer?.id ?? 0);
  expect((await api.call("GET", "/api/v1/status", { headers })).status).toBe(401);
  expect((await api.call("GET", "/api/v1/status", { as: "viewer" })).status).toBe(401);
});

test("says whether the first token has been made, and how", async () => {
  await using api = await openApi();
  expect((await api.call("GET", "/api/v1/setup")).json).toMatchObject({ hasToken: true });
  for (const { id } of await api.store.listTokens()) await api.store.removeToken(id);
  const { json } = await api.call("GET", "/api/v1/setup");
  expect(json).toMatchObject({ hasToken: false, command: expect.stringContaining("tattile token create") });
});
