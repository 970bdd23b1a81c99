import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { readTls } from "../../src/api/tls.ts";
import { type Clock, systemClock } from "../../src/clock.ts";
import { openApi } from "../support/api-fixture.ts";
import { openOpensslPki } from "../support/openssl-pki.ts";

async function curl(...words: string[]): Promise<{ code: number; text: string }> {
  const child = Bun.spawn(["curl", "-sS", ...words], { stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { code: await child.exited, text: out + err };
}

test("with the operator's certificate the API speaks HTTPS only, and its cookie goes nowhere else", async () => {
  using pki = openOpensslPki();
  const root = pki.issue({ subject: "/CN=Town CA", authority: true, issuer: null });
  const own = pki.issue({ subject: "/CN=localhost", altNames: "DNS:localhost,IP:127.0.0.1", issuer: root });
  await using api = await openApi({ API_TLS_CERT: own.certPath, API_TLS_KEY: own.keyPath }, { tls: { ca: root.cert } });
  const { port } = new URL(api.url);
  const asked = await curl("--cacert", root.certPath, "-i", `https://localhost:${port}/health`);
  expect(asked.text).toContain('"status":"ok"');
  expect(asked.text.toLowerCase()).toContain("strict-transport-security: max-age=31536000");
  expect((await curl(`https://localhost:${port}/health`)).code).not.toBe(0);
  expect((await curl("--cacert", root.certPath, "--tls-max", "1.1", `https://localhost:${port}/health`)).code).not.toBe(
    0,
  );
  expect((await curl(`http://localhost:${port}/health`)).text).not.toContain('"status":"ok"');
  const login = await api.call("POST", "/api/v1/session", {
    body: { token: api.tokens.viewer },
    headers: { "sec-fetch-site": "same-origin" },
  });
  expect(login.headers.get("set-cookie")).toMatch(/; HttpOnly; SameSite=Strict; Secure$/);
});

test("a certificate that would not do is told at the start, with its file", () => {
  using pki = openOpensslPki();
  const one = pki.issue({ subject: "/CN=one", issuer: null });
  const other = pki.issue({ subject: "/CN=other", issuer: null });
  const now = new Date();
  expect(readTls({ certPath: one.certPath, keyPath: one.keyPath }, now).cert).toContain("BEGIN CERTIFICATE");
  const broken = join(pki.dir, "broken.pem");
  writeFileSync(broken, "nothing");
  const wrong = (certPath: string, keyPath: string, at = now) => {
    try {
      readTls({ certPath, keyPath }, at);
      return "accepted";
    } catch (error) {
      return error instanceof Error ? error.message : "";
    }
  };
  expect(wrong(one.certPath, other.keyPath)).toContain("do not belong together");
  expect(wrong(broken, one.keyPath)).toContain(`API_TLS_CERT=${broken}`);
  expect(wrong(one.certPath, broken)).toContain(`API_TLS_KEY=${broken}`);
  expect(wrong(join(pki.dir, "none.pem"), one.keyPath)).toContain("ENOENT");
  expect(wrong(one.certPath, one.keyPath, new Date(now.getTime() + 10 * 365 * 86_400_000))).toContain("ran out");
});

test("a renewed certificate is shown without a restart, and a broken one changes nothing", async () => {
  using pki = openOpensslPki();
  const root = pki.issue({ subject: "/CN=Town CA", authority: true, issuer: null });
  const issue = (name: string) => pki.issue({ subject: `/CN=${name}`, altNames: "IP:127.0.0.1", issuer: root });
  const [first, second] = [issue("first"), issue("second")];
  const [certPath, keyPath] = [join(pki.dir, "api.crt"), join(pki.dir, "api.key")];
  const put = (cert: string, key: string) => {
    writeFileSync(certPath, cert);
    writeFileSync(keyPath, key);
  };
  put(first.cert, first.key);
  // Looks at the files every few milliseconds instead of once a minute.
  const clock: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 20), signal) };
  await using api = await openApi({ API_TLS_CERT: certPath, API_TLS_KEY: keyPath }, { clock, tls: { ca: root.cert } });
  const port = Number(new URL(api.url).port);
  const shownName = () =>
    new Promise<string>((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", port, ca: root.cert }, () => {
        resolve(String(socket.getPeerCertificate().subject.CN));
        socket.destroy();
      });
      socket.on("error", reject);
    });
  expect(await shownName()).toBe("first");
  // Somebody who listens all the time must keep nobody from the new certificate.
  const listening = new AbortController();
  const stream = await fetch(`${api.url}/api/v1/events`, {
    headers: { authorization: `Bearer ${api.tokens.viewer}` },
    tls: { ca: root.cert },
    signal: listening.signal,
  });
  const reader = stream.body?.getReader();
  await reader?.read();
  put(second.cert, "half written");
  while (!api.logged.some((line) => line.includes("API_TLS_KEY"))) await Bun.sleep(10);
  expect(await shownName()).toBe("first");
  put(second.cert, second.key);
  while (!api.logged.some((line) => line.includes("renewed certificate"))) await Bun.sleep(10);
  expect(await shownName()).toBe("second");
  expect((await api.call("GET", "/health")).status).toBe(200);
  listening.abort();
  await reader?.cancel().catch(() => {});
});
