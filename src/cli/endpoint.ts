import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { AppError, systemCode } from "../errors.ts";
import { countOf, formatAge } from "../format.ts";
import { DEFAULT_ENDPOINT, routesInUse } from "../status-report.ts";
import {
  type Endpoint,
  endpointDefaults,
  type NewEndpoint,
  SIGNATURE_PROFILES,
  type SignatureProfile,
} from "../store/registry.ts";
import { audited } from "./audited.ts";
import { type ArgValues, defineGroup, defineTattileCommand } from "./command.ts";
import type { CommandContext } from "./context.ts";
import { lookUpEndpoint, optional } from "./lookup.ts";
import { confirm } from "./prompt.ts";
import { JSON_ARG, REMOVE_ARGS, reportSaved } from "./registry-output.ts";
import { parseEndpointUrl, parseName, parseTimezone, parseWhole } from "./values.ts";

const FLAGS = {
  "timeout-ms": { kind: "value", hint: "MS", about: "longest wait for an answer" },
  "retry-max": { kind: "value", hint: "N", about: "attempts before a reading is given up as DEAD" },
  "retry-backoff-ms": { kind: "value", hint: "MS", about: "wait after the first failed attempt; doubles" },
  profile: {
    kind: "value",
    hint: "P",
    options: SIGNATURE_PROFILES,
    about: "signature: compat is what the police accept today (SHA-1), strict is SHA-256",
  },
  "soap-action": { kind: "value", hint: "A", about: "SOAPAction header (none: the WSDL's own, else empty)" },
  ca: { kind: "value", hint: "FILE", about: "PEM file of authorities to trust besides the system's (none: clear)" },
  timezone: { kind: "value", hint: "Z", about: "zone of dataLectura and horaLectura (none: MOSSOS_TIMEZONE)" },
  wsdl: { kind: "value", hint: "URL|FILE", about: "contract to follow (none: MOSSOS_WSDL_URL, else the built-in one)" },
  "tls-client-cert": {
    kind: "value",
    hint: "on|off",
    options: ["on", "off"],
    about: "present the municipality's certificate on TLS too",
  },
  ...JSON_ARG,
} as const;
const NAME = { kind: "positional", required: true, about: "name or id of the endpoint" } as const;

const add = defineTattileCommand({
  name: "endpoint add",
  summary: "register an address of the police, or change the one of that name",
  examples: [
    "tattile endpoint add lectio https://anpr.dgp.interior.extranet.gencat.cat/matr-ws/",
    "tattile endpoint add test https://192.0.2.7:8443/ --ca test-ca.pem --timeout-ms 10000",
  ],
  args: {
    name: { ...NAME, about: "its name" },
    url: { kind: "positional", required: true, about: "https://host[:port]/path" },
    ...FLAGS,
  },
  async run(args, context) {
    const store = await context.store();
    const name = parseName("NAME", args.name, 100);
    const old = await store.findEndpoint(name);
    const base: NewEndpoint = old ?? { name, url: args.url, ...endpointDefaults(await context.config()) };
    await save(base, args.url, args, context);
  },
});

const set = defineTattileCommand({
  name: "endpoint set",
  summary: "change an endpoint; what is not given stays",
  notes: ["A pause of the endpoint ends with the change: the next reading is tried at once."],
  examples: ["tattile endpoint set lectio --timeout-ms 20000", "tattile endpoint set lectio --ca none"],
  args: { name: NAME, url: { kind: "value", hint: "URL", about: "new address" }, ...FLAGS },
  async run(args, context) {
    await save(await lookUpEndpoint(await context.store(), args.name), args.url, args, context);
  },
});

async function save(
  old: NewEndpoint,
  newUrl: string | undefined,
  args: ArgValues<typeof FLAGS>,
  context: CommandContext,
): Promise<void> {
  const { url, unprotected } = parseEndpointUrl(newUrl ?? old.url);
  const whole = (flag: "timeout-ms" | "retry-max" | "retry-backoff-ms", kept: number, least: number, most: number) => {
    const given = args[flag];
    return given === undefined ? kept : parseWhole(`--${flag}`, given, least, most);
  };
  const caPath = optional(args.ca, old.caPath, (text) => resolve(text));
  if (args.ca !== undefined && caPath !== null) await checkAuthorities(caPath);
  const wsdl = optional(args.wsdl, old.wsdl, (text) => (/^https?:/i.test(text) ? text : resolve(text)));
  if (args.wsdl !== undefined && wsdl !== null && !/^https?:/i.test(wsdl)) await readInput("--wsdl", wsdl);
  const value: NewEndpoint = {
    name: old.name,
    url,
    timeoutMs: whole("timeout-ms", old.timeoutMs, 1000, 600_000),
    retryMax: whole("retry-max", old.retryMax, 1, 1000),
    retryBackoffMs: whole("retry-backoff-ms", old.retryBackoffMs, 100, 3_600_000),
    profile: (args.profile as SignatureProfile | undefined) ?? old.profile,
    soapAction: optional(args["soap-action"], old.soapAction, (text) => parseName("--soap-action", text, 200)),
    caPath,
    timezone: optional(args.timezone, old.timezone, parseTimezone),
    wsdl,
    tlsClientCertificate:
      args["tls-client-cert"] === undefined ? old.tlsClientCertificate : args["tls-client-cert"] === "on",
  };
  const result = await (await context.store()).saveEndpoint(value);
  reportSaved(context, args.json, `endpoint ${value.name}`, result);
  if (unprotected) {
    context.out.note(
      `Warning: ${url} is not https: plates and pictures cross the network readable by anybody on the way.`,
    );
  }
}

/** Every certificate of a PEM file must be readable: a broken one would only show as refused connections later. */
async function checkAuthorities(path: string): Promise<void> {
  const text = await readInput("--ca", path);
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  const hint = "give a PEM file with one or more BEGIN CERTIFICATE blocks";
  if (blocks.length === 0) throw new AppError("invalid", `reading --ca: no certificate in it (${path})`, { hint });
  for (const [index, block] of blocks.entries()) {
    try {
      new X509Certificate(block);
    } catch (cause) {
      throw new AppError("invalid", `reading --ca: certificate ${index + 1} is damaged (${path})`, { hint, cause });
    }
  }
}

async function readInput(flag: string, path: string): Promise<string> {
  return readFile(path, "utf8").catch((cause: unknown) => {
    throw new AppError("invalid", `reading ${flag}: ${systemCode(cause) ?? "error"} (${path})`, {
      hint: "name a file that the service's user can read, by its full path",
    });
  });
}

const list = defineTattileCommand({
  name: "endpoint list",
  summary: "list the endpoints with their pauses and last accepted reading",
  examples: ["tattile endpoint list"],
  args: JSON_ARG,
  async run(args, { store: openStore, out, now }) {
    const store = await openStore();
    const [endpoints, states, cameras, municipalities] = await Promise.all([
      store.listEndpoints(),
      store.listRouteStates(),
      store.listCameras(),
      store.listMunicipalities(),
    ]);
    const used = routesInUse(states, cameras, municipalities);
    const items = endpoints.map((endpoint) => {
      const own = states.filter((state) => state.endpointId === endpoint.id);
      const acceptedAt = own.map((s) => s.lastAcceptedAt?.getTime() ?? 0).reduce((a, b) => Math.max(a, b), 0);
      const pause = used.find((s) => s.endpointId === endpoint.id && s.pausedUntil !== null) ?? null;
      return { ...endpoint, lastAcceptedAt: acceptedAt === 0 ? null : new Date(acceptedAt), pause };
    });
    if (args.json) return out.json(items);
    if (items.length === 0) return out.line("No endpoint yet. Add one: tattile endpoint add NAME URL");
    const rows = items.map((e) => [
      `${e.id}`,
      e.name,
      e.url,
      e.profile,
      e.pause === null ? "open" : `paused: ${e.pause.pauseKind}`,
      formatAge(e.lastAcceptedAt, now()),
    ]);
    const columns = [
      { title: "ID", whole: true },
      { title: "NAME" },
      { title: "URL" },
      { title: "PROFILE", whole: true },
      { title: "STATE", words: true },
      { title: "ACCEPTED", whole: true, words: true },
    ] as const;
    out.table(columns, rows);
  },
});

const show = defineTattileCommand({
  name: "endpoint show",
  summary: "show one endpoint",
  examples: ["tattile endpoint show lectio"],
  args: { name: NAME, ...JSON_ARG },
  async run(args, { store: openStore, out, now }) {
    const store = await openStore();
    const endpoint = await lookUpEndpoint(store, args.name);
    const states = (await store.listRouteStates()).filter((state) => state.endpointId === endpoint.id);
    if (args.json) return out.json({ ...endpoint, routes: states });
    out.facts(endpointFacts(endpoint));
    for (const state of states) {
      const route = state.certificateId === 0 ? "endpoint" : `certificate ${state.certificateId}`;
      const paused = state.pausedUntil === null ? "open" : `paused (${state.pauseKind}): ${state.detail ?? ""}`;
      out.line(out.words(`${route}: ${paused}, last accepted ${formatAge(state.lastAcceptedAt, now())}`));
    }
  },
});

function endpointFacts(endpoint: Endpoint): [string, string][] {
  return [
    ["id", `${endpoint.id}`],
    ["name", endpoint.name],
    ["url", endpoint.url],
    ["timeout", `${endpoint.timeoutMs} ms`],
    ["attempts", `${endpoint.retryMax}, first wait ${endpoint.retryBackoffMs} ms`],
    ["profile", endpoint.profile],
    ["SOAPAction", endpoint.soapAction ?? "(the WSDL's own, else empty)"],
    ["CA file", endpoint.caPath ?? "(the system's authorities)"],
    ["timezone", endpoint.timezone ?? "(MOSSOS_TIMEZONE)"],
    ["WSDL", endpoint.wsdl ?? "(MOSSOS_WSDL_URL, else built in)"],
    ["TLS client certificate", endpoint.tlsClientCertificate ? "on" : "off"],
  ];
}

const tryCommand = defineTattileCommand({
  name: "endpoint try",
  summary: "end the wait of a paused endpoint: one message is tried at once",
  notes: [
    "Nothing is forgotten: when the try fails too, the next wait is as long as it would have been.",
    `${DEFAULT_ENDPOINT} is the one of MOSSOS_ENDPOINT_URL.`,
  ],
  examples: ["tattile endpoint try lectio", `tattile endpoint try "${DEFAULT_ENDPOINT}"`],
  args: { name: NAME, ...JSON_ARG },
  async run(args, context) {
    const { out } = context;
    const store = await context.store();
    const isDefault = args.name === DEFAULT_ENDPOINT && (await context.config()).mossos.endpointUrl !== null;
    const { id, name } = isDefault ? { id: 0, name: DEFAULT_ENDPOINT } : await lookUpEndpoint(store, args.name);
    const pauses = await audited({ what: "endpoint try", detail: name }, context, () =>
      store.tryEndpoint(id, context.now()),
    );
    if (args.json) return out.json({ endpoint: name, pauses });
    if (pauses === 0) return out.line(`endpoint ${name} is not paused; its messages are sent as they fall due`);
    out.line(`endpoint ${name}: ${countOf(pauses, "pause")} ended, a message is tried at once`);
    out.note("How it went: tattile endpoint list");
  },
});

const remove = defineTattileCommand({
  name: "endpoint remove",
  summary: "remove an endpoint that nothing uses, or from all that use it",
  notes: ["What it is taken from goes to MOSSOS_ENDPOINT_URL, or waits as DEAD until it has an endpoint again."],
  examples: ["tattile endpoint remove test", "tattile endpoint remove test --force --dry-run"],
  args: {
    name: NAME,
    force: { kind: "switch", about: "also while municipalities or cameras use it: they have none then" },
    ...REMOVE_ARGS,
    ...JSON_ARG,
  },
  async run(args, context) {
    const store = await context.store();
    const endpoint = await lookUpEndpoint(store, args.name);
    const municipalities = (await store.listMunicipalities()).filter((m) => m.endpointId === endpoint.id);
    const cameras = (await store.listCameras()).filter((c) => c.endpointId === endpoint.id);
    const users = [
      ...(municipalities.length > 0 ? [`${municipalities.map((m) => m.name).join(", ")}`] : []),
      ...(cameras.length > 0 ? [countOf(cameras.length, "camera")] : []),
    ].join(" and ");
    const what = `remove endpoint ${endpoint.name} (${endpoint.url})${args.force && users !== "" ? ` from ${users}` : ""}`;
    const { out } = context;
    if (args["dry-run"]) return args.json ? out.json({ would: what }) : out.line(`would ${what}`);
    await confirm(what, args.yes, context);
    await audited({ what: "endpoint remove", detail: what }, context, () =>
      store.removeEndpoint(endpoint.id, args.force),
    );
    if (args.json) out.json({ removed: endpoint.name });
    else out.line(`removed endpoint ${endpoint.name}`);
  },
});

export const endpointCommands = defineGroup("endpoint", "register and change addresses of the police", [
  add,
  list,
  show,
  set,
  tryCommand,
  remove,
]);
