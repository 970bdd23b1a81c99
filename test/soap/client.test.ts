import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { join } from "node:path";
import { createSoapClient, type PostTarget, type SoapClient } from "../../src/soap/client.ts";
import type { SignedEnvelope } from "../../src/soap/sign.ts";
import { openOpensslPki } from "../support/openssl-pki.ts";
import { type Handler, openServer, type TestServer } from "../support/tls-server.ts";

const pki = openOpensslPki();
const authority = pki.issue({ subject: "/CN=Test CA", authority: true, issuer: null });
const stranger = pki.issue({ subject: "/CN=Other CA", authority: true, issuer: null });
const localhost = pki.issue({ subject: "/CN=localhost", altNames: "DNS:localhost", issuer: authority });
const camera = pki.issue({ subject: "/CN=camera", issuer: authority });
const clients: SoapClient[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});
afterAll(() => pki[Symbol.dispose]());

const xml = (code: string): string =>
  `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><matriculaResponse><codiRetorn>${code}</codiRetorn></matriculaResponse></s:Body></s:Envelope>`;
const accept: Handler = (_request, response) => {
  response.writeHead(200, { "content-type": "text/xml" }).end(xml("1"));
};
const tls = { key: localhost.key, cert: localhost.cert };

function envelopeOf(...parts: Buffer[]): SignedEnvelope {
  return { parts, bytes: parts.reduce((sum, part) => sum + part.length, 0) };
}
const envelope = envelopeOf(
  Buffer.from("<head>ñ"),
  randomBytes(40_000),
  Buffer.from("</x>"),
  randomBytes(250_000),
  Buffer.from("</tail>"),
);

function open(connections = 4): SoapClient {
  const client = createSoapClient({ monotonicMs: () => performance.now(), connections });
  clients.push(client);
  return client;
}

function target(url: string, overrides: Partial<PostTarget> = {}): PostTarget {
  return {
    url,
    caPath: authority.certPath,
    clientCertificate: null,
    soapAction: "",
    successCodes: ["1"],
    secrets: [],
    ...overrides,
  };
}

const post = (client: SoapClient, to: PostTarget, deadlineMs = 5_000, signal?: AbortSignal) =>
  client.post(to, envelope, signal === undefined ? { deadlineMs } : { deadlineMs, signal });

/** A TCP server that answers raw bytes, or nothing. */
async function openTcp(onSocket: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    count: () => sockets.size,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

describe("a POST", () => {
  test("brings every byte, with its length, type and SOAPAction, and the code back", async () => {
    await using server = await openServer(tls, (_request, response) => {
      response.writeHead(200, { date: "Fri, 23 Jan 2026 08:25:58 GMT" }).end(xml("1"));
    });
    const result = await post(open(), target(server.url, { soapAction: "urn:matricula" }));
    expect(result.outcome).toEqual({ kind: "accepted", returnCode: "1" });
    expect(result.dateHeader).toEqual(new Date("2026-01-23T08:25:58Z"));
    expect(server.bodies.map((b) => b.equals(Buffer.concat(envelope.parts)))).toEqual([true]);
    const { method, url, headers } = server.requests[0] as NonNullable<(typeof server.requests)[0]>;
    expect([method, url]).toEqual(["POST", "/matr-ws?x=1"]);
    expect(headers).toMatchObject({
      "content-length": String(envelope.bytes),
      "content-type": "text/xml; charset=utf-8",
      soapaction: '"urn:matricula"',
      "user-agent": "tattile",
    });
    expect(headers["transfer-encoding"]).toBeUndefined();
  });

  test("keeps its connection for the next one, and opens no more than it may", async () => {
    await using server = await openServer(tls, accept);
    const client = open(2);
    for (let i = 0; i < 5; i += 1) await post(client, target(server.url));
    expect(server.connections).toBeLessThan(3);
    const results = await Promise.all(Array.from({ length: 10 }, () => post(client, target(server.url))));
    expect(results.map((r) => r.outcome.kind)).toEqual(results.map(() => "accepted"));
    expect(server.connections).toBe(2);
    expect(server.bodies).toHaveLength(15);
  });

  test("has an empty SOAPAction in quotes where none is known", async () => {
    await using server = await openServer(tls, accept);
    await post(open(), target(server.url));
    expect(server.requests[0]?.headers["soapaction"]).toBe('""');
  });

  test("goes over a new connection when the server closed the idle one", async () => {
    await using server = await openServer(tls, accept);
    const client = open(1);
    for (let i = 0; i < 3; i += 1) {
      expect((await post(client, target(server.url))).outcome.kind).toBe("accepted");
      for (const socket of server.sockets) socket.end();
      while (server.sockets.size > 0) await Bun.sleep(5);
    }
    expect([server.connections, server.bodies.length]).toEqual([3, 3]);
  });

  test("hides the secrets in what it reports", async () => {
    await using server = await openServer(tls, (_request, response) => response.end(xml("refused 1234BCD")));
    const { outcome } = await post(open(), target(server.url, { secrets: ["1234BCD"] }));
    expect(outcome).toEqual({ kind: "rejected", returnCode: "refused […]", detail: "codiRetorn=refused […]" });
  });

  test("goes over plain HTTP where the address says so", async () => {
    await using server = await openServer(null, accept);
    expect((await post(open(), target(server.url, { caPath: null }))).outcome.kind).toBe("accepted");
  });
});

describe("what the far side answers", () => {
  const answers: readonly [string, Handler, string][] = [
    ["another code", (_q, r) => r.end(xml("99")), "rejected"],
    ["204 without a body", (_q, r) => r.writeHead(204).end(), "unanswered"],
    ["an empty 200", (_q, r) => r.end(), "unanswered"],
    ["503", (_q, r) => r.writeHead(503).end("busy"), "unanswered"],
    ["404", (_q, r) => r.writeHead(404).end(), "misconfigured"],
    ["a body over 64 KiB", (_q, r) => r.end(xml("1") + " ".repeat(70_000)), "unanswered"],
    [
      "a body that is cut",
      (_q, r) => r.writeHead(200, { "content-length": "5000" }).write(xml("1"), () => r.socket?.destroy()),
      "unanswered",
    ],
    ["a close without a word", (q) => q.socket.destroy(), "unanswered"],
  ];
  test.each(answers)("%s", async (_what, handler, kind) => {
    await using server = await openServer(tls, handler);
    expect((await post(open(), target(server.url))).outcome.kind).toBe(kind as "rejected");
    expect(server.bodies).toHaveLength(1);
  });

  test("a body of just under 64 KiB is read", async () => {
    await using server = await openServer(tls, (_request, response) => response.end(xml("1") + " ".repeat(65_000)));
    expect((await post(open(), target(server.url))).outcome.kind).toBe("accepted");
  });

  test("a redirect is not followed", async () => {
    await using other = await openServer(tls, accept);
    await using server = await openServer(tls, (_request, response) =>
      response.writeHead(307, { location: other.url }).end(),
    );
    expect((await post(open(), target(server.url))).outcome).toMatchObject({
      kind: "misconfigured",
      scope: "endpoint-or-message",
    });
    expect([server.bodies.length, other.connections]).toEqual([1, 0]);
  });

  test("a reset once the whole body has come", async () => {
    let received = 0;
    await using server = await openTcp((socket) =>
      socket.on("data", (chunk: Buffer) => {
        received += chunk.length;
        if (received >= envelope.bytes) socket.resetAndDestroy();
      }),
    );
    const { outcome } = await post(open(), target(`http://127.0.0.1:${server.port}/`));
    expect(outcome.kind).toBe("unanswered");
    expect([received >= envelope.bytes, server.count()]).toEqual([true, 1]);
  });

  test("bytes that are not HTTP", async () => {
    await using server = await openTcp((socket) => socket.once("data", () => socket.end("hello\r\n\r\n")));
    const { outcome } = await post(open(), target(`http://127.0.0.1:${server.port}/`));
    expect(outcome.kind).toBe("unanswered");
  });
});

describe("the deadline", () => {
  test("ends a wait for an answer, and the message is not sent again", async () => {
    await using server = await openServer(tls, () => {});
    const { outcome } = await post(open(), target(server.url), 300);
    expect(outcome).toEqual({ kind: "unanswered", detail: "no whole answer before the deadline" });
    expect([server.connections, server.bodies.length]).toEqual([1, 1]);
  });

  test("ends a body that drips", async () => {
    await using server = await openServer(tls, (_request, response) => {
      const timer = setInterval(() => response.write(" "), 20);
      response.on("close", () => clearInterval(timer));
      response.writeHead(200).write(xml("1"));
    });
    expect((await post(open(), target(server.url), 300)).outcome.kind).toBe("unanswered");
  });

  test("ends a handshake that never comes, as unreachable: nothing was sent", async () => {
    await using server = await openTcp(() => {});
    const { outcome } = await post(open(), target(`https://localhost:${server.port}/`), 300);
    expect(outcome).toEqual({ kind: "unreachable", detail: "no connection before the deadline" });
  });

  test("counts for a post that waits for a connection too", async () => {
    await using server = await openServer(tls, () => {});
    const client = open(1);
    const outcomes = await Promise.all([post(client, target(server.url), 300), post(client, target(server.url), 200)]);
    expect(outcomes.map((o) => o.outcome.kind)).toEqual(["unanswered", "unreachable"]);
    expect(server.bodies).toHaveLength(1);
  });

  test("is followed by a fresh connection: a half-open one cannot hang the next message", async () => {
    let hang = false;
    await using server = await openServer(tls, (request, response) => (hang ? undefined : accept(request, response)));
    const client = open();
    expect((await post(client, target(server.url))).outcome.kind).toBe("accepted");
    const before = server.connections;
    hang = true;
    expect((await post(client, target(server.url), 300)).outcome.kind).toBe("unanswered");
    hang = false;
    expect((await post(client, target(server.url))).outcome.kind).toBe("accepted");
    expect(server.connections).toBeGreaterThan(before);
  });

  test("of one message does not cut the others of the endpoint", async () => {
    let first = true;
    await using server = await openServer(tls, (request, response) => {
      if (first) first = false;
      else setTimeout(() => accept(request, response), 600);
    });
    const client = open();
    const hanging = post(client, target(server.url), 300);
    while (server.bodies.length === 0) await Bun.sleep(5);
    const slow = post(client, target(server.url));
    expect((await hanging).outcome.kind).toBe("unanswered");
    expect((await slow).outcome.kind).toBe("accepted");
  });

  test("may be cut short by the caller", async () => {
    await using server = await openServer(tls, () => {});
    const stopping = new AbortController();
    const sent = post(open(), target(server.url), 60_000, stopping.signal);
    while (server.bodies.length === 0) await Bun.sleep(5);
    stopping.abort();
    expect((await sent).outcome).toEqual({ kind: "unanswered", detail: "stopped while waiting for the answer" });
    expect((await post(open(), target(server.url), 60_000, AbortSignal.abort())).outcome.kind).toBe("unreachable");
    expect(server.bodies).toHaveLength(1);
  });
});

describe("a server that is gone between two messages", () => {
  test("was not reached, and is reached again once it is back", async () => {
    const first = await openServer(tls, accept);
    const client = open();
    const to = target(first.url);
    expect((await post(client, to)).outcome.kind).toBe("accepted");
    await first[Symbol.asyncDispose]();
    await Bun.sleep(50);
    const gone = (await post(client, to)).outcome;
    expect(gone).toEqual({ kind: "unreachable", detail: "the connection was refused (ECONNREFUSED)" });
    await using again = await openServer(tls, accept, first.port);
    expect((await post(client, to)).outcome.kind).toBe("accepted");
    expect(again.bodies).toHaveLength(1);
  });

  test.each([
    ["https://localhost:1/", "the connection was refused (ECONNREFUSED)"],
    ["https://no-such-host.invalid/", "the name is not known (ENOTFOUND)"],
  ])("%s is unreachable", async (url, detail) => {
    expect((await post(open(), target(url))).outcome).toEqual({ kind: "unreachable", detail });
  });
});

describe("TLS", () => {
  const issue = (altNames: string, days?: number) =>
    pki.issue({ subject: "/CN=localhost", altNames, issuer: authority, ...(days === undefined ? {} : { days }) });
  const expired = issue("DNS:localhost", -1);
  const renamed = issue("DNS:example.org");
  const alone = pki.issue({ subject: "/CN=localhost", altNames: "DNS:localhost", issuer: null });
  test.each([
    ["an expired certificate", expired, authority.certPath, "the server's certificate has expired (CERT_HAS_EXPIRED)"],
    [
      "another name",
      renamed,
      authority.certPath,
      "the server's certificate is for another name (ERR_TLS_CERT_ALTNAME_INVALID)",
    ],
    [
      "another authority",
      localhost,
      stranger.certPath,
      "from an unknown authority: give its CA file (UNABLE_TO_VERIFY_LEAF_SIGNATURE)",
    ],
    ["no CA file", localhost, null, "from an unknown authority: give its CA file (UNABLE_TO_VERIFY_LEAF_SIGNATURE)"],
    [
      "a self-signed certificate",
      alone,
      authority.certPath,
      "self-signed: give its CA file (DEPTH_ZERO_SELF_SIGNED_CERT)",
    ],
  ])("with %s is the operator's to mend, and nothing is sent", async (_what, certificate, caPath, detail) => {
    await using server = await openServer({ key: certificate.key, cert: certificate.cert }, accept);
    const { outcome } = await post(open(), target(server.url, { caPath }));
    expect(outcome).toMatchObject({
      kind: "misconfigured",
      scope: "endpoint",
      detail: expect.stringContaining(detail),
    });
    expect(server.bodies).toHaveLength(0);
  });

  test("trusts what the operator added to the machine's own store, and the CA file besides", async () => {
    await using server = await openServer(tls, accept);
    // The store is read once in a process, hence one of its own, to which our authority is the machine's.
    const script = `
      const { createSoapClient } = await import(${JSON.stringify(join(import.meta.dir, "../../src/soap/client.ts"))});
      const client = createSoapClient({ monotonicMs: () => performance.now(), connections: 1 });
      const target = { url: ${JSON.stringify(server.url)}, clientCertificate: null, soapAction: "", successCodes: ["1"], secrets: [] };
      for (const caPath of [null, ${JSON.stringify(stranger.certPath)}]) {
        const { outcome } = await client.post({ ...target, caPath }, { parts: [Buffer.from("x")], bytes: 1 }, { deadlineMs: 5000 });
        console.log(outcome.kind);
      }
      await client.close();`;
    const env = { ...process.env, SSL_CERT_FILE: authority.certPath };
    const child = Bun.spawn([process.execPath, "-e", script], { env, stdout: "pipe", stderr: "inherit" });
    expect(await new Response(child.stdout).text()).toBe("accepted\naccepted\n");
    expect(server.bodies).toHaveLength(2);
  });

  test("trusts every authority of the CA file", async () => {
    const both = join(pki.dir, "both.pem");
    writeFileSync(both, stranger.cert + authority.cert);
    await using server = await openServer(tls, accept);
    expect((await post(open(), target(server.url, { caPath: both }))).outcome.kind).toBe("accepted");
  });

  test("uses a CA file that was changed from the next message on", async () => {
    const caPath = join(pki.dir, "changing.pem");
    writeFileSync(caPath, authority.cert);
    await using server = await openServer(tls, accept);
    const client = open();
    expect((await post(client, target(server.url, { caPath }))).outcome.kind).toBe("accepted");
    writeFileSync(caPath, stranger.cert + stranger.cert);
    expect((await post(client, target(server.url, { caPath }))).outcome.kind).toBe("misconfigured");
    writeFileSync(caPath, authority.cert + stranger.cert);
    expect((await post(client, target(server.url, { caPath }))).outcome.kind).toBe("accepted");
  });

  test("to a server without TLS is the operator's to mend", async () => {
    await using server = await openServer(null, accept);
    const { outcome } = await post(open(), target(server.url.replace("http:", "https:")));
    expect(outcome).toMatchObject({ kind: "misconfigured", scope: "endpoint" });
    expect(server.bodies).toHaveLength(0);
  });

  const mutual = { ...tls, requestCert: true, rejectUnauthorized: true, ca: [authority.cert] };
  test("presents the client certificate where one is asked for", async () => {
    await using server = await openServer(mutual, accept);
    const clientCertificate = { certPath: camera.certPath, keyPath: camera.keyPath };
    expect((await post(open(), target(server.url, { clientCertificate }))).outcome.kind).toBe("accepted");
    expect(server.bodies).toHaveLength(1);
  });

  test.each(["TLSv1.2", "TLSv1.3"] as const)(
    "without the client certificate asked for, over %s, nothing is taken for delivered",
    async (version) => {
      await using server = await openServer({ ...mutual, minVersion: version, maxVersion: version }, accept);
      const { outcome } = await post(open(), target(server.url));
      expect(["misconfigured", "unanswered"]).toContain(outcome.kind);
      expect(server.bodies).toHaveLength(0);
    },
  );

  test.each([
    [
      "a CA file that is not there",
      { caPath: "/nowhere/ca.pem" },
      "the CA file cannot be read: ENOENT (/nowhere/ca.pem)",
    ],
    [
      "a CA file that is no PEM",
      { caPath: join(import.meta.dir, "client.test.ts") },
      "the CA file: no certificate in it",
    ],
    [
      "a key that is not there",
      { clientCertificate: { certPath: camera.certPath, keyPath: "/nowhere/key.pem" } },
      "/nowhere/key.pem",
    ],
    [
      "a key of another certificate",
      { clientCertificate: { certPath: camera.certPath, keyPath: localhost.keyPath } },
      "do not fit together",
    ],
  ])("with %s is the operator's to mend, by the file's name", async (_what, overrides, detail) => {
    const { outcome } = await post(open(), target("https://localhost:1/", overrides));
    expect(outcome).toMatchObject({
      kind: "misconfigured",
      scope: "endpoint",
      detail: expect.stringContaining(detail),
    });
  });

  test.each(["ftp://x/", "no address", "", "https://"])("the address %j is the operator's to mend", async (url) => {
    expect((await post(open(), target(url))).outcome).toMatchObject({ kind: "misconfigured", scope: "endpoint" });
  });

  test("a SOAPAction that no header can hold is the operator's to mend", async () => {
    expect((await post(open(), target("https://localhost:1/", { soapAction: "a\r\nb" }))).outcome.kind).toBe(
      "misconfigured",
    );
  });
});

describe("many endpoints", () => {
  test("keep no more than 64 pools of idle connections", async () => {
    await using server = await openServer(tls, accept);
    const client = open();
    // A CA file of its own makes another endpoint of the same server.
    for (let i = 0; i < 70; i += 1) {
      const caPath = join(pki.dir, `ca-${i}.pem`);
      writeFileSync(caPath, authority.cert);
      expect((await post(client, target(server.url, { caPath }))).outcome.kind).toBe("accepted");
    }
    const settled = async (wanted: number, of: TestServer): Promise<void> => {
      while (of.sockets.size !== wanted) await Bun.sleep(5);
    };
    await settled(64, server);
    await client.close();
    await settled(0, server);
    expect(server.bodies).toHaveLength(70);
  });
});
