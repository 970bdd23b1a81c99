import { expect, test } from "bun:test";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPki } from "../../src/simulator/pki.ts";

const now = new Date("2026-11-24T10:00:00Z");
const pki = await createPki({ now });
const ca = new X509Certificate(pki.caPem);

test("the server's certificate is for localhost and both loopback addresses, and comes from the authority", () => {
  const cert = new X509Certificate(pki.server.certPem);
  expect(cert.checkHost("localhost")).toBe("localhost");
  expect(cert.checkIP("127.0.0.1")).toBe("127.0.0.1");
  expect(cert.checkIP("::1")).toBe("::1");
  expect(cert.verify(ca.publicKey)).toBe(true);
  expect(cert.checkPrivateKey(createPrivateKey(pki.server.keyPem))).toBe(true);
});

test("a client's certificate names its municipality, with accents, and belongs to its key", async () => {
  const client = await pki.issueClient({ organization: "Ajuntament de l'Hospitalet, Cornellà" });
  const cert = new X509Certificate(client.certPem);
  expect(cert.subject).toContain("Cornellà");
  expect(cert.checkIssued(ca)).toBe(true);
  expect(cert.verify(ca.publicKey)).toBe(true);
  expect(cert.checkPrivateKey(createPrivateKey(client.keyPem))).toBe(true);
  expect(new Date(cert.validFrom).getTime()).toBeLessThan(now.getTime());
});

test("an intermediate authority stands between leaf and root", async () => {
  const client = await pki.issueClient({ organization: "A", intermediate: true });
  const middle = new X509Certificate(client.chainPem[0] ?? "");
  expect(new X509Certificate(client.certPem).verify(middle.publicKey)).toBe(true);
  expect(new X509Certificate(client.certPem).verify(ca.publicKey)).toBe(false);
  expect(middle.verify(ca.publicKey)).toBe(true);
  expect(middle.ca).toBe(true);
});

test("wrong authority, elliptic key and dates are as asked for", async () => {
  const stranger = await pki.issueClient({ organization: "A", issuer: "other" });
  expect(new X509Certificate(stranger.certPem).verify(ca.publicKey)).toBe(false);
  const elliptic = await pki.issueClient({ organization: "A", keyType: "ec" });
  expect(new X509Certificate(elliptic.certPem).publicKey.asymmetricKeyType).toBe("ec");
  const validTo = new Date("2020-01-01T00:00:00Z");
  const expired = await pki.issueClient({ organization: "A", validFrom: new Date("2019-01-01T00:00:00Z"), validTo });
  expect(new Date(new X509Certificate(expired.certPem).validTo)).toEqual(validTo);
});

test.each([
  ["aes256", "rsa", "secret"],
  ["3des", "rsa", "secret"],
  ["aes256", "ec", "secret"],
  ["aes256", "rsa", "contrasenya-ñ€"],
  ["3des", "rsa", "contrasenya-ñ"],
  ["3des", "rsa", ""],
] as const)(
  "openssl opens a %s PFX with an %s key and password %j, and no other password",
  async (cipher, keyType, password) => {
    const client = await pki.issueClient({ organization: "A", intermediate: true, keyType });
    const folder = await mkdtemp(join(tmpdir(), "pki-"));
    try {
      const path = join(folder, "client.pfx");
      await writeFile(path, client.pfx(password, cipher));
      const open = (word: string) =>
        Bun.spawnSync(["openssl", "pkcs12", "-in", path, "-noenc", "-legacy", "-passin", "env:WORD"], {
          env: { ...process.env, WORD: word, LC_ALL: "C.UTF-8" },
        });
      const opened = open(password);
      expect(opened.stderr.toString()).not.toContain("rror");
      const text = opened.stdout.toString();
      expect(text.match(/BEGIN CERTIFICATE/g)?.length).toBe(2);
      const key = createPrivateKey(text.slice(text.indexOf("-----BEGIN PRIVATE KEY")));
      expect(new X509Certificate(client.certPem).checkPrivateKey(key)).toBe(true);
      expect(open("wrong").exitCode).not.toBe(0);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);
