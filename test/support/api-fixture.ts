import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Ajv2020 from "ajv/dist/2020.js";
import { buildTokenText, hashToken, TOKEN_BYTES } from "../../src/api-token.ts";
import { type Clock, systemClock } from "../../src/clock.ts";
import { type Config, loadConfig } from "../../src/config.ts";
import type { Log } from "../../src/log.ts";
import { startService } from "../../src/service.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { TOKEN_ROLES, type TokenRole } from "../../src/store/tokens.ts";

export interface Answered {
  status: number;
  headers: Headers;
  /** The JSON of the answer, or null. */
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into it as it likes
  json: any;
  text: string;
}

export interface ApiUnderTest extends AsyncDisposable {
  url: string;
  lectorVisionPort: number | null;
  config: Config;
  /** The same data, opened beside the service. */
  store: Store;
  tokens: Readonly<Record<TokenRole, string>>;
  logged: string[];
  /** Asks, and fails when the answer is not what the OpenAPI document says. */
  call(method: string, path: string, options?: CallOptions): Promise<Answered>;
}

export interface CallOptions {
  as?: TokenRole;
  body?: unknown;
  headers?: Record<string, string>;
}

interface Operation {
  responses: Record<string, { content?: Record<string, { schema?: object }> }>;
}

/** A service of only the API, on a free port and a folder of its own. */
export async function openApi(
  settings: Record<string, string> = {},
  options: { clock?: Clock; tls?: { ca: string }; prepare?(store: Store, config: Config): Promise<unknown> } = {},
): Promise<ApiUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), "tattile-api-"));
  const env = { DATA_DIR: join(folder, "data"), API_PORT: "0", DISK_MIN_FREE_BYTES: "1048576", ...settings };
  const { config } = loadConfig({ env, installed: false });
  const clock = options.clock ?? systemClock;
  const store = await openStore(config, clock);
  await options.prepare?.(store, config);
  const tokens: Record<string, string> = {};
  for (const role of TOKEN_ROLES) {
    const text = buildTokenText(randomBytes(TOKEN_BYTES));
    tokens[role] = text;
    await store.addToken({ name: role, role, hash: hashToken(text), createdAt: clock.now(), expiresAt: null });
  }
  const logged: string[] = [];
  const service = await startService(["api"], config, collectingLog(logged), clock);
  const url = `http${options.tls === undefined ? "" : "s"}://127.0.0.1:${service.apiPort}`;
  const tls = options.tls === undefined ? {} : { tls: options.tls };
  const document: { paths: Record<string, Record<string, Operation>> } = JSON.parse(
    await (await fetch(`${url}/api/v1/openapi.json`, tls)).text(),
  );
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema(document, "document");

  return {
    url,
    lectorVisionPort: service.lectorVisionPort,
    config,
    store,
    tokens: tokens as Record<TokenRole, string>,
    logged,
    async call(method, path, { as, body, headers = {} } = {}) {
      const response = await fetch(url + path, {
        method,
        ...tls,
        redirect: "manual",
        headers: {
          ...(as === undefined ? {} : { authorization: `Bearer ${tokens[as]}` }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = response.headers.get("content-type")?.startsWith("application/json") === true && text !== "";
      const json: unknown = isJson ? JSON.parse(text) : null;
      checkAnswer(ajv, document.paths, method, path, response.status, json);
      return { status: response.status, headers: response.headers, json, text };
    },
    async [Symbol.asyncDispose]() {
      await service.stop();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** @throws when the document does not know such an answer. Of a path that it does not know nothing can be said. */
function checkAnswer(
  ajv: Ajv2020,
  paths: Record<string, Record<string, Operation>>,
  method: string,
  path: string,
  status: number,
  json: unknown,
): void {
  const given = path.replace(/\?.*$/, "").split("/");
  const known = Object.keys(paths)
    .filter((candidate) => {
      const parts = candidate.split("/");
      return parts.length === given.length && parts.every((part, i) => part.startsWith("{") || part === given[i]);
    })
    .find((candidate) => paths[candidate]?.[method.toLowerCase()] !== undefined);
  if (known === undefined) return;
  const responses = paths[known]?.[method.toLowerCase()]?.responses ?? {};
  const place = responses[status] === undefined ? "default" : `${status}`;
  if (status < 400 && place === "default") throw new Error(`${method} ${known}: answer ${status} is not documented`);
  const content = responses[place]?.content;
  if (content?.["application/json"]?.schema === undefined) return;
  const part = (text: string): string => encodeURIComponent(text.replaceAll("~", "~0").replaceAll("/", "~1"));
  const pointer = ["paths", known, method.toLowerCase(), "responses", place, "content", "application/json", "schema"];
  const validate = ajv.getSchema(`document#/${pointer.map(part).join("/")}`);
  if (validate === undefined) throw new Error(`${method} ${known}: no schema`);
  if (validate(json) === true) return;
  throw new Error(`${method} ${known} ${status}: ${ajv.errorsText(validate.errors)}: ${JSON.stringify(json)}`);
}

/** A log whose lines a test can look at. */
export function collectingLog(lines: string[]): Log {
  const add = (text: string, fields?: object): void => {
    lines.push(`${text} ${JSON.stringify(fields ?? {})}`);
  };
  return { debug: add, info: add, warn: add, error: add };
}
