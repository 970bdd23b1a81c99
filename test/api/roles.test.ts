import { expect, test } from "bun:test";
import { TOKEN_ROLES, type TokenRole } from "../../src/store/tokens.ts";
import { openApi } from "../support/api-fixture.ts";

interface Operation {
  description?: string;
  security?: readonly object[];
}

test("every operation is refused to nobody's request and to each smaller role, whatever is asked", async () => {
  await using api = await openApi();
  const { json } = await api.call("GET", "/api/v1/openapi.json");
  const open: string[] = [];
  let guarded = 0;
  for (const [path, operations] of Object.entries(json.paths as Record<string, Record<string, Operation>>)) {
    for (const [method, { description, security }] of Object.entries(operations)) {
      const name = `${method.toUpperCase()} ${path}`;
      if (security?.length === 0) {
        open.push(name);
        continue;
      }
      guarded += 1;
      const role = /^Role: (\w+)\.$/.exec(description ?? "")?.[1] as TokenRole;
      expect([name, TOKEN_ROLES.includes(role)]).toEqual([name, true]);
      const real = path.replaceAll(/\{\w+\}/g, "1");
      const body = method === "get" ? {} : { body: {} };
      const ask = async (as?: TokenRole): Promise<number> =>
        (await api.call(method.toUpperCase(), real, { ...body, ...(as === undefined ? {} : { as }) })).status;
      expect([name, await ask()]).toEqual([name, 401]);
      for (const smaller of TOKEN_ROLES.slice(0, TOKEN_ROLES.indexOf(role))) {
        expect([name, smaller, await ask(smaller)]).toEqual([name, smaller, 403]);
      }
    }
  }
  expect(guarded).toBeGreaterThan(30);
  // What nobody needs a token for; a further one is to be a decision.
  expect(open.toSorted()).toEqual([
    "GET /api/v1/openapi.json",
    "GET /api/v1/setup",
    "GET /health",
    "GET /livez",
    "GET /metrics",
    "GET /readyz",
    "POST /api/v1/session",
    "POST /ingest/lectorvision",
  ]);
  expect(await api.store.listAudit({ limit: 10 })).toEqual([]);
});

test("a cookie changes nothing on any operation when the request comes from another page", async () => {
  await using api = await openApi();
  const login = await api.call("POST", "/api/v1/session", {
    body: { token: api.tokens.admin },
    headers: { "sec-fetch-site": "same-origin" },
  });
  const cookie = login.headers.get("set-cookie")?.split(";")[0] ?? "";
  const { json } = await api.call("GET", "/api/v1/openapi.json");
  let tried = 0;
  for (const [path, operations] of Object.entries(json.paths as Record<string, Record<string, Operation>>)) {
    for (const [method, { security }] of Object.entries(operations)) {
      if (method === "get" || security?.length === 0) continue;
      tried += 1;
      const headers = { cookie, "sec-fetch-site": "same-site", origin: "http://127.0.0.1:1" };
      const real = path.replaceAll(/\{\w+\}/g, "1");
      const { status } = await api.call(method.toUpperCase(), real, { headers, body: {} });
      expect([method, path, status]).toEqual([method, path, 403]);
    }
  }
  expect(tried).toBeGreaterThan(12);
});
