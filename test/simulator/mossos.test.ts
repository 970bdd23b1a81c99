import { afterAll, afterEach, expect, test } from "bun:test";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type Dispatcher, Pool } from "undici/index.js";
import { systemClock } from "../../src/clock.ts";
import { type MossosOptions, type MossosServer, startMossos } from "../../src/simulator/mossos.ts";
import type { BehaviourRule } from "../../src/simulator/mossos-behaviour.ts";
import { createPki } from "../../src/simulator/pki.ts";
import { buildPlain, jpeg, type PlainMessage } from "./plain-sender.ts";

const pki = await createPki({ now: new Date() });
const identity = await pki.issueClient({ organization: "Ajuntament de Prova" });
const tiny = { ocr: jpeg(30).toString("base64"), ctx: "" };
const folder = await mkdtemp(join(tmpdir(), "mossos-"));
const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});
afterAll(() => rm(folder, { recursive: true }));

async function start(options: MossosOptions = {}): Promise<MossosServer> {
  const server = await startMossos({ trustedCa: [pki.caPem], ...options });
  open.push(server);
  return server;
}

function sign(message: Partial<PlainMessage> = {}): string {
  return buildPlain({ identity, now: new Date(), ...tiny, ...message });
}

interface Answer {
  status: number;
  headers: Dispatcher.ResponseData["headers"];
  text: string;
}

async function send(
  server: MossosServer,
  body: string,
  change: Partial<Dispatcher.RequestOptions> = {},
): Promise<Answer> {
  const url = new URL(server.url);
  const pool = new Pool(url.origin, { connections: 1, connect: { ca: pki.caPem } });
  try {
    const answer = await pool.request({
      method: "POST",
      path: url.pathname,
      headers: { "content-type": "text/xml; charset=utf-8", soapaction: '""' },
      body,
      ...change,
    });
    return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
  } finally {
    await pool.destroy();
  }
}

const failure = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "no failure",
    (error: Error) => String(Reflect.get(error, "code") ?? error.message),
  );

test.each([null, { keyPem: pki.server.keyPem, certPem: pki.server.certPem }])(
  "a good message is answered with codiRetorn 1 and recorded, over HTTP and HTTPS",
  async (tls) => {
    const server = await start({ tls });
    const answer = await send(server, sign());
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toBe("text/xml; charset=utf-8");
    expect(answer.text).toMatch(/matriculaResponse[^>]*><ns2:codiRetorn>1<\/ns2:codiRetorn>/);
    expect(server.records.accepted()).toHaveLength(1);
    expect(server.records.accepted()[0]).toMatchObject({
      number: 1,
      readerCode: "LEC-0001",
      plate: "1234BCD",
      ctxSha256: null,
      profile: "compat",
      answered: true,
    });
  },
);

test("one connection carries many messages, and a chunked body is read", async () => {
  const server = await start();
  const url = new URL(server.url);
  const pool = new Pool(url.origin, { connections: 1 });
  const headers = { "content-type": "text/xml", soapaction: '""' };
  for (let i = 0; i < 3; i += 1) {
    const pieces = sign({ plate: `${i}` }).match(/[\s\S]{1,700}/g) ?? [];
    const body = i === 0 ? pieces.join("") : Readable.from(pieces.map((piece) => Buffer.from(piece)));
    const answer = await pool.request({ method: "POST", path: url.pathname, headers, body });
    expect(await answer.body.text()).toContain("<ns2:codiRetorn>1<");
  }
  await pool.close();
  expect(server.records.accepted().map((record) => record.plate)).toEqual(["0", "1", "2"]);
});

test("a tampered message gets a fault and is recorded as refused; the same bytes twice are a replay", async () => {
  const server = await start();
  const xml = sign();
  const refused = await send(server, xml.replace("1234BCD", "1234BCF"));
  expect(refused.status).toBe(500);
  expect(refused.text).toContain(">wsse:FailedCheck</faultcode>");
  expect(refused.text).not.toContain("1234");
  expect((await send(server, xml)).status).toBe(200);
  const replayed = await send(server, xml);
  expect(replayed.status).toBe(500);
  expect(replayed.text).toContain(">wsse:InvalidSecurity</faultcode>");
  expect(server.records.accepted()).toHaveLength(1);
  expect(server.records.refused().map((record) => record.kind)).toEqual(["failed-check", "invalid-security"]);
});

test.each([
  [{ ocr: Buffer.from("no picture").toString("base64") }, "SOAP-ENV:Client", "Validation error"],
  [{ created: "2020-01-01T00:00:00Z" }, "wsse:MessageExpired", "expired"],
  [{ securityExtra: "<wsse:UsernameToken/>" }, "wsse:InvalidSecurity", "actions mismatch"],
])("the fault for %j has code %s", async (message, code, text) => {
  const answer = await send(await start(), sign(message));
  expect(answer.status).toBe(500);
  expect(answer.text).toContain(`>${code}</faultcode>`);
  expect(answer.text).toContain(text);
});

test("a certificate of another authority is not authenticated", async () => {
  const stranger = await pki.issueClient({ organization: "X", issuer: "other" });
  const answer = await send(await start(), sign({ identity: stranger }));
  expect(answer.text).toContain(">wsse:FailedAuthentication</faultcode>");
});

test("the WSDL names the server's own address; other paths are 404 and other methods 405", async () => {
  const server = await start();
  for (const path of ["/matr-ws/matricules.wsdl", "/matr-ws?wsdl", "/matr-ws/?WSDL"]) {
    const answer = await send(server, "", { method: "GET", path, body: null });
    expect(answer.status).toBe(200);
    expect(answer.text).toContain(`<soap:address location="${server.url}"/>`);
  }
  expect((await send(server, sign(), { path: "/other" })).status).toBe(404);
  expect((await send(server, "", { method: "GET", body: null })).status).toBe(405);
  expect((await send(server, sign(), { method: "PUT" })).status).toBe(405);
});

test("the Date header and what counts as fresh follow the clock offset", async () => {
  const server = await start({ clockOffsetMs: 3_600_000 });
  const late = await send(server, sign());
  expect(late.text).toContain("MessageExpired");
  expect(Math.abs(Date.parse(String(late.headers["date"])) - Date.now() - 3_600_000)).toBeLessThan(60_000);
  server.setClockOffset(0);
  expect((await send(server, sign())).status).toBe(200);
});

const answers: readonly (readonly [BehaviourRule["answer"], number, RegExp])[] = [
  [{ kind: "code", code: "0" }, 200, /<ns2:codiRetorn>0<\/ns2:codiRetorn>/],
  [{ kind: "code", code: "-1" }, 200, /<ns2:codiRetorn>-1</],
  [{ kind: "code", code: "" }, 200, /<ns2:codiRetorn><\/ns2:codiRetorn>/],
  [{ kind: "code", code: null }, 200, /matriculaResponse xmlns:ns2="[^"]*"><\/ns2:matriculaResponse>/],
  [{ kind: "fault", fault: "validation" }, 500, /SOAP-ENV:Client.*Validation error/],
  [{ kind: "fault", fault: "message-expired" }, 500, /wsse:MessageExpired/],
  [{ kind: "fault", fault: "server" }, 500, /SOAP-ENV:Server/],
  [{ kind: "status", status: 503 }, 503, /^status 503\n$/],
  [{ kind: "status", status: 429 }, 429, /429/],
  [{ kind: "html" }, 200, /^<!DOCTYPE html>/],
  [{ kind: "empty" }, 200, /^$/],
  [{ kind: "truncated" }, 200, /<ns2:codiRetorn>1?$/],
];

test.each(answers)("told to answer %j it does, and does not take the message", async (answer, status, text) => {
  const server = await start({ rules: [{ answer }] });
  const got = await send(server, sign());
  expect(got.status).toBe(status);
  expect(got.text).toMatch(text);
  expect(server.records.counts()).toEqual({ accepted: 0, refused: 1 });
});

const breaks: readonly BehaviourRule["answer"][] = (["before-body", "after-body", "mid-answer"] as const).flatMap(
  (at) => [
    { kind: "reset", at },
    { kind: "close", at },
  ],
);
const schemes = [null, { keyPem: pki.server.keyPem, certPem: pki.server.certPem }];

test.each(breaks.flatMap((answer) => schemes.map((tls) => [answer, tls ? "https" : "http", tls] as const)))(
  "told to %j over %s it gives no whole answer, and takes the next message",
  async (answer, _, tls) => {
    const server = await start({ tls, rules: [{ answer, first: 1 }] });
    expect(await failure(send(server, sign()))).not.toBe("no failure");
    expect(server.records.accepted()).toHaveLength(0);
    expect((await send(server, sign())).status).toBe(200);
  },
);

test("a reset is a reset on the wire, and a close is not", async () => {
  const ending = (server: MossosServer): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect(server.port, "127.0.0.1", () => socket.write("POST /matr-ws HTTP/1.1\r\nhost: x\r\n\r\n"));
      socket.on("data", () => {});
      socket.on("end", () => resolve("end"));
      socket.on("error", (error) => resolve(String(Reflect.get(error, "code"))));
    });
  expect(await ending(await start({ rules: [{ answer: { kind: "reset", at: "before-body" } }] }))).toBe("ECONNRESET");
  expect(await ending(await start({ rules: [{ answer: { kind: "close", at: "before-body" } }] }))).toBe("end");
});

test("an answer that is lost leaves the message taken: the sender does not know it", async () => {
  const server = await start({ rules: [{ answer: { kind: "reset", at: "after-body" }, takes: true, first: 1 }] });
  expect(await failure(send(server, sign()))).not.toBe("no failure");
  expect((await send(server, sign())).status).toBe(200);
  expect(server.records.accepted().map((record) => record.answered)).toEqual([false, true]);
});

test("told to hang it keeps silent until the sender gives up, also when closed meanwhile", async () => {
  const server = await start({ rules: [{ answer: { kind: "hang" } }] });
  const given = await failure(send(server, sign(), { signal: AbortSignal.timeout(200) }));
  expect(given).not.toBe("no failure");
  const pending = failure(send(server, sign()));
  while (server.records.refused().length < 2) await Bun.sleep(5);
  await server.close();
  expect(await pending).not.toBe("no failure");
});

test("first, every, probability, plates, reader codes and until choose what a rule means", async () => {
  const server = await start();
  const statuses = async (messages: readonly Partial<PlainMessage>[]): Promise<readonly number[]> => {
    const got: number[] = [];
    for (const message of messages) got.push((await send(server, sign(message))).status);
    return got;
  };
  const answer = { kind: "status", status: 503 } as const;
  const four = [{}, {}, {}, {}];
  server.behave({ answer, first: 2 });
  expect(await statuses(four)).toEqual([503, 503, 200, 200]);
  server.behave({ answer, every: 2 });
  expect(await statuses(four)).toEqual([200, 503, 200, 503]);
  server.behave({ answer, plates: ["BAD1"] });
  expect(await statuses([{ plate: "BAD1" }, { plate: "GOOD1" }, { plate: "BAD1" }])).toEqual([503, 200, 503]);
  server.behave({ answer, readerCodes: ["R2"] });
  expect(await statuses([{ readerCode: "R1" }, { readerCode: "R2" }])).toEqual([200, 503]);
  server.behave({ answer, until: new Date(Date.now() - 1).toISOString() });
  expect(await statuses([{}])).toEqual([200]);
  server.behave({ answer: { kind: "accept" }, plates: ["GOOD1"] }, { answer });
  expect(await statuses([{ plate: "GOOD1" }, {}])).toEqual([200, 503]);
  server.behave({ answer, probability: 0.5, seed: 7 });
  const drawn = await statuses([...four, ...four]);
  server.behave({ answer, probability: 0.5, seed: 7 });
  expect(await statuses([...four, ...four])).toEqual(drawn);
  expect(new Set(drawn)).toEqual(new Set([200, 503]));
});

test("a delay comes before the answer", async () => {
  const slept: number[] = [];
  const sleep = async (ms: number): Promise<void> => void slept.push(ms);
  const server = await start({
    clock: { ...systemClock, sleep },
    rules: [{ answer: { kind: "accept" }, delayMs: 80 }],
  });
  expect((await send(server, sign())).status).toBe(200);
  expect(slept).toEqual([80]);
});

test("while down it refuses connections, and comes back on the same port", async () => {
  const server = await start();
  await server.goDown();
  expect(await failure(send(server, sign()))).toBe("ECONNREFUSED");
  await server.comeBack();
  expect((await send(server, sign())).status).toBe(200);
  await server.goDown(50);
  let came = 0;
  while (came !== 200)
    came = await send(server, sign()).then(
      (answer) => answer.status,
      () => Bun.sleep(5).then(() => 0),
    );
  expect(server.records.accepted()).toHaveLength(2);
});

test("another process directs it and reads its records through the control port", async () => {
  const server = await start({ controlPort: 0 });
  const control = (order: unknown): Promise<Response> =>
    fetch(`${server.controlUrl}/_control`, { method: "POST", body: JSON.stringify(order) });
  expect((await control({ rules: [{ answer: { kind: "status", status: 502 }, first: 1 }] })).status).toBe(200);
  expect((await send(server, sign())).status).toBe(502);
  expect((await send(server, sign({ plate: "A1" }))).status).toBe(200);
  expect((await send(server, sign({ plate: "A2" }))).status).toBe(200);
  const records = await (await fetch(`${server.controlUrl}/_records?after=1`)).json();
  expect(records).toMatchObject({ counts: { accepted: 2, refused: 1 }, accepted: [{ number: 2, plate: "A2" }] });
  await control({ down: true });
  expect(await failure(send(server, sign()))).toBe("ECONNREFUSED");
  await control({ down: false, clear: true });
  expect((await send(server, sign())).status).toBe(200);
  expect(server.records.counts()).toEqual({ accepted: 1, refused: 0 });
});

test.each([
  [{ rules: [{ answer: { kind: "explode" } }] }, 'rules[0].answer.kind is "explode", allowed: accept, code'],
  [{ rules: [{ answer: { kind: "reset", at: "never" } }] }, "allowed: before-body"],
  [{ rules: [{ answer: { kind: "html" }, evry: 2 }] }, "rules[0].evry"],
  [{ rules: [{ answer: { kind: "html" }, probability: 2 }] }, "a number from 0 to 1"],
  [{ rule: [] }, "rule is unknown"],
  [{ down: 5 }, "down must be"],
])("a wrong order %j is refused and says what is allowed", async (order, text) => {
  const server = await start({ controlPort: 0 });
  const answer = await fetch(`${server.controlUrl}/_control`, { method: "POST", body: JSON.stringify(order) });
  expect(answer.status).toBe(400);
  expect(((await answer.json()) as { error: string }).error).toContain(text);
});

test("accepted messages are in the file before the sender hears of it, and the file is private", async () => {
  const recordPath = join(folder, "records.jsonl");
  const server = await start({ recordPath, maxRecords: 1 });
  for (const plate of ["A1", "A2", "A3"]) await send(server, sign({ plate }));
  const lines = (await readFile(recordPath, "utf8")).trim().split("\n");
  expect(lines.map((line) => JSON.parse(line).plate)).toEqual(["A1", "A2", "A3"]);
  expect((await stat(recordPath)).mode & 0o777).toBe(0o600);
  expect(server.records.accepted().map((record) => record.plate)).toEqual(["A3"]);
  expect(server.records.counts().accepted).toBe(3);
});

test("no plate appears in its log", async () => {
  const lines: string[] = [];
  const write = (text: string, fields?: unknown): void => void lines.push(`${text} ${JSON.stringify(fields)}`);
  const server = await start({ log: { debug: write, info: write, warn: write, error: write } });
  await send(server, sign());
  await send(server, sign().replace("1234BCD", "1234BCX"));
  expect(lines).toHaveLength(2);
  expect(lines.join()).not.toContain("1234BC");
});

test("a client certificate on TLS can be demanded", async () => {
  const tls = { keyPem: pki.server.keyPem, certPem: pki.server.certPem, clientCaPem: pki.caPem };
  const server = await start({ tls });
  expect(await failure(send(server, sign()))).not.toBe("no failure");
  const url = new URL(server.url);
  const pool = new Pool(url.origin, { connect: { ca: pki.caPem, key: identity.keyPem, cert: identity.certPem } });
  const headers = { "content-type": "text/xml", soapaction: '""' };
  const answer = await pool.request({ method: "POST", path: url.pathname, headers, body: sign() });
  expect(answer.statusCode).toBe(200);
  await answer.body.dump();
  await pool.close();
});
