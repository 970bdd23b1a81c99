import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Log } from "../../src/log.ts";
import { builtinContract } from "../../src/soap/wsdl.ts";
import { type ContractSource, createContractSource, fetchWsdl } from "../../src/soap/wsdl-source.ts";
import { openOpensslPki } from "../support/openssl-pki.ts";
import { type Handler, openServer } from "../support/tls-server.ts";

const pki = openOpensslPki();
const authority = pki.issue({ subject: "/CN=Test CA", authority: true, issuer: null });
const localhost = pki.issue({ subject: "/CN=localhost", altNames: "DNS:localhost", issuer: authority });
const tls = { key: localhost.key, cert: localhost.cert };
const base = mkdtempSync(join(tmpdir(), "tattile-wsdl-"));
afterAll(() => {
  pki[Symbol.dispose]();
  rmSync(base, { recursive: true });
});

const wsdl = readFileSync(join(import.meta.dir, "../fixtures/matricules.wsdl"), "utf8");
const other = wsdl.replace('soapAction=""', 'soapAction="urn:other"');
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let cacheDir = "";
let time = 0;
let lines: string[] = [];
const sources: ContractSource[] = [];
beforeEach(() => {
  cacheDir = join(mkdtempSync(join(base, "x-")), "wsdl");
  time = Date.parse("2026-01-23T08:00:00Z");
  lines = [];
});
afterEach(async () => {
  await Promise.all(sources.splice(0).map((source) => source.close()));
});

const log: Log = {
  debug() {},
  info: (text, fields) => lines.push(`info ${text} ${JSON.stringify(fields)}`),
  warn: (text, fields) => lines.push(`warn ${text} ${JSON.stringify(fields)}`),
  error: (text, fields) => lines.push(`error ${text} ${JSON.stringify(fields)}`),
};

function open(): ContractSource {
  const source = createContractSource({ cacheDir, now: () => new Date(time), log });
  sources.push(source);
  return source;
}

/** A server whose answer is set from outside. */
async function openWsdlServer(answer: { status: number; body: string }) {
  const handler: Handler = (_request, response) => response.writeHead(answer.status).end(answer.body);
  return await openServer(tls, handler);
}

describe("the contract of an endpoint", () => {
  test("without a WSDL is the built-in one", () => {
    expect(open().contractFor(null, null)).toBe(builtinContract);
    expect(lines).toEqual([]);
  });

  test("is the built-in one until its WSDL has been read, then the WSDL's", async () => {
    const answer = { status: 200, body: other };
    await using server = await openWsdlServer(answer);
    const source = open();
    const ask = () => source.contractFor(server.url, authority.certPath).soapAction;
    expect(ask()).toBe("");
    await source.settled();
    expect(ask()).toBe("urn:other");
    expect(lines).toEqual([expect.stringContaining("info the contract was read from its WSDL")]);
  });

  test("is asked for once a day, however many readings there are", async () => {
    const answer = { status: 200, body: wsdl };
    await using server = await openWsdlServer(answer);
    const source = open();
    const ask = () => source.contractFor(server.url, authority.certPath).soapAction;
    for (let i = 0; i < 100; i += 1) ask();
    await source.settled();
    answer.body = other;
    time += DAY - 1;
    for (let i = 0; i < 100; i += 1) ask();
    await source.settled();
    expect([server.bodies.length, ask()]).toEqual([1, ""]);
    time += 1;
    for (let i = 0; i < 100; i += 1) ask();
    await source.settled();
    expect([server.bodies.length, ask()]).toEqual([2, "urn:other"]);
  });

  test("is kept on disk whole by those who read it at once, whatever numbers their processes have", async () => {
    const answer = { status: 200, body: other };
    await using server = await openWsdlServer(answer);
    const together = Array.from({ length: 8 }, open);
    for (const source of together) source.contractFor(server.url, authority.certPath);
    await Promise.all(together.map((source) => source.settled()));
    expect(lines.filter((line) => line.startsWith("warn"))).toEqual([]);
    expect(readdirSync(cacheDir)).toEqual([expect.stringMatching(/\.wsdl$/)]);
  });

  test("survives a restart on disk, and is not asked for again the same day", async () => {
    const answer = { status: 200, body: other };
    await using server = await openWsdlServer(answer);
    const ask = (source: ContractSource) => source.contractFor(server.url, authority.certPath).soapAction;
    const first = open();
    ask(first);
    await first.settled();
    answer.status = 500;
    time += DAY - 1;
    const second = open();
    expect(ask(second)).toBe("urn:other");
    await second.settled();
    expect(server.bodies).toHaveLength(1);
    time += DAY;
    const third = open();
    expect(ask(third)).toBe("urn:other");
    await third.settled();
    expect([server.bodies.length, ask(third)]).toEqual([2, "urn:other"]);
    expect(readdirSync(cacheDir).filter((name) => name.endsWith(".new"))).toEqual([]);
  });

  test("stays as known while its WSDL cannot be had: once an hour it is tried, once it is said, and once that it is back", async () => {
    const answer = { status: 503, body: "" };
    await using server = await openWsdlServer(answer);
    const source = open();
    const ask = async () => {
      const contract = source.contractFor(server.url, authority.certPath);
      await source.settled();
      return contract;
    };
    for (let i = 0; i < 20; i += 1) {
      expect(await ask()).toBe(builtinContract);
      time += HOUR / 10;
    }
    expect(server.bodies).toHaveLength(2);
    expect(lines).toEqual([expect.stringContaining("HTTP 503")]);
    answer.status = 404;
    time += HOUR;
    await ask();
    expect(lines.slice(1)).toEqual([expect.stringContaining("HTTP 404")]);
    Object.assign(answer, { status: 200, body: other });
    time += HOUR;
    await ask();
    expect((await ask()).soapAction).toBe("urn:other");
    Object.assign(answer, { body: "<html/>" });
    time += DAY;
    await ask();
    Object.assign(answer, { body: other });
    time += HOUR;
    expect((await ask()).soapAction).toBe("urn:other");
    expect(lines.slice(2)).toEqual([
      expect.stringContaining("was read from its WSDL"),
      expect.stringContaining("the root is html"),
      expect.stringContaining("can be read again"),
    ]);
  });

  test("is the built-in one when the cache is damaged and the source is gone", async () => {
    const answer = { status: 200, body: other };
    const server = await openWsdlServer(answer);
    const { url } = server;
    const first = open();
    first.contractFor(url, authority.certPath);
    await first.settled();
    await server[Symbol.asyncDispose]();
    for (const name of readdirSync(cacheDir)) writeFileSync(join(cacheDir, name), "half a fi");
    const second = open();
    expect(second.contractFor(url, authority.certPath)).toBe(builtinContract);
    await second.settled();
    expect(lines.at(-1)).toContain("ECONNREFUSED");
  });

  test("is used even if it cannot be kept on disk", async () => {
    writeFileSync(cacheDir, "a file where the folder should be");
    const file = join(base, "other.wsdl");
    writeFileSync(file, other);
    const source = open();
    source.contractFor(file, null);
    await source.settled();
    expect(source.contractFor(file, null).soapAction).toBe("urn:other");
    expect(lines.at(-1)).toContain("cannot be kept on disk");
  });

  test("is given up without a word when the service stops", async () => {
    await using server = await openServer(tls, () => {});
    const source = open();
    source.contractFor(server.url, authority.certPath);
    while (server.bodies.length === 0) await Bun.sleep(5);
    await source.close();
    expect(lines).toEqual([]);
  });
});

describe("fetching a WSDL", () => {
  test("takes a path and a file URL", async () => {
    const file = join(base, "a b.wsdl");
    writeFileSync(file, wsdl);
    for (const source of [file, pathToFileURL(file).href]) {
      expect(Buffer.from(await fetchWsdl(source, { caPath: null, deadlineMs: 1000 })).toString()).toBe(wsdl);
    }
  });

  const answers: readonly [string, Handler, string][] = [
    ["an error", (_q, r) => r.writeHead(500).end(), "fetching the WSDL: HTTP 500 (https://localhost:"],
    ["a redirect", (_q, r) => r.writeHead(302, { location: "/x" }).end(), "HTTP 302"],
    ["over 1 MiB", (_q, r) => r.end("x".repeat(1_100_000)), "it is over 1 MiB"],
    ["nothing in time", () => {}, "no answer in time"],
    ["a reset", (q) => q.socket.destroy(), "UND_ERR_SOCKET"],
  ];
  test.each(answers)("refuses %s", async (_what, handler, message) => {
    await using server = await openServer(tls, handler);
    const url = server.url.replace("https://", "https://user:secret@");
    const fetched = fetchWsdl(url, { caPath: authority.certPath, deadlineMs: 400 });
    const error = await fetched.then(
      () => null,
      (thrown: Error) => thrown,
    );
    expect(error?.message).toContain(message);
    expect(error?.message).not.toContain("secret");
  });

  test("refuses a server it does not trust, and a handshake that never ends", async () => {
    await using server = await openServer(tls, (_request, response) => response.end(wsdl));
    await expect(fetchWsdl(server.url, { caPath: null, deadlineMs: 2000 })).rejects.toThrow(
      "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    );
    await using silent = await openServer(null, () => {});
    await expect(fetchWsdl(`http://localhost:${silent.port}/`, { caPath: null, deadlineMs: 300 })).rejects.toThrow(
      "no answer in time",
    );
  });

  test("names a file that is not there, no file, or too long", async () => {
    const file = join(base, "long.wsdl");
    writeFileSync(file, "x".repeat(1_100_000));
    await expect(fetchWsdl("/nowhere/x.wsdl", { caPath: null, deadlineMs: 1 })).rejects.toThrow(
      "ENOENT (/nowhere/x.wsdl)",
    );
    await expect(fetchWsdl(file, { caPath: null, deadlineMs: 1 })).rejects.toThrow("it is over 1 MiB");
    await expect(fetchWsdl("/dev/zero", { caPath: null, deadlineMs: 1 })).rejects.toThrow("it is not a file");
  });
});
