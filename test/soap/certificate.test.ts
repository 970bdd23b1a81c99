import { afterAll, describe, expect, test } from "bun:test";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { describeCertificate, readPemPair, readPfx } from "../../src/soap/certificate.ts";
import { openOpensslPki } from "../support/openssl-pki.ts";

const pki = openOpensslPki();
afterAll(() => pki[Symbol.dispose]());
const root = pki.issue({ subject: "/CN=Arrel", authority: true, issuer: null });
const middle = pki.issue({ subject: "/CN=Entremig", authority: true, issuer: root });
const own = pki.issue({ subject: "/C=ES/O=Ajuntament de Vilanova i la Geltrú/CN=CÀMERES ÑÇ", issuer: middle });
const other = pki.issue({ subject: "/CN=Altre", issuer: middle });
const ec = pki.issue({ subject: "/CN=EC", key: "ec", issuer: middle });
const now = new Date();
const pems = [own.key, own.cert, middle.cert, root.cert];
const derOf = (pem: string): string => new X509Certificate(pem).raw.toString("hex");

function expectOwn(contents: ReturnType<typeof readPfx>): void {
  expect(derOf(contents.leafPem)).toBe(derOf(own.cert));
  expect(contents.chainPem.map(derOf)).toEqual([middle.cert, root.cert].map(derOf));
  expect(new X509Certificate(contents.leafPem).checkPrivateKey(createPrivateKey(contents.keyPem))).toBe(true);
  expect(contents.keyPem).toStartWith("-----BEGIN PRIVATE KEY-----");
}

describe("a PFX file", () => {
  const RC2 = ["-legacy", "-certpbe", "PBE-SHA1-RC2-40", "-keypbe", "PBE-SHA1-3DES"];
  const kinds: readonly [string, readonly string[]][] = [
    ["AES-256 with PBES2", []],
    ["RC2-40 and 3DES", RC2],
    ["3DES alone", ["-legacy", "-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES", "-macalg", "sha1"]],
    ["AES-128 without a MAC", ["-certpbe", "AES-128-CBC", "-keypbe", "AES-128-CBC", "-nomac"]],
    ["unencrypted certificates", ["-certpbe", "NONE"]],
  ];
  const passwords = ["secret", "", "contrasenya ñçà€", 'a"b\\c $x', "\u{1f511} clau"];
  test.each(kinds.flatMap(([kind, args]) => passwords.map((password) => [kind, password, args] as const)))(
    "in %s is read with the password %j",
    (_kind, password, args) => expectOwn(readPfx(pki.pfx(pems, password, args), password, now)),
  );

  test("is read when it was made with no password at all", () => {
    expectOwn(readPfx(pki.pfx(pems, "", ["-keypbe", "NONE", "-certpbe", "NONE", "-nomac"]), "", now));
  });

  test("may hold its certificates in any order, twice, and strangers too", () => {
    const shuffled = [root.cert, other.cert, middle.cert, own.cert, own.key];
    const contents = readPfx(pki.pfx(shuffled, "x"), "x", now);
    expect(derOf(contents.leafPem)).toBe(derOf(own.cert));
    expect(contents.chainPem.map(derOf)).toEqual([middle.cert, root.cert, other.cert].map(derOf));
  });

  test("tells names with accents, dates and the fingerprint as openssl does", () => {
    const contents = readPfx(pki.pfx(pems, "x"), "x", now);
    expect(contents.subject).toBe("C=ES, O=Ajuntament de Vilanova i la Geltrú, CN=CÀMERES ÑÇ");
    expect(contents.fingerprint).toBe(new X509Certificate(own.cert).fingerprint256);
    expect(contents.serialNumber).toMatch(/^[0-9A-F]{8,40}$/);
    expect(contents.validTo.getTime() - contents.validFrom.getTime()).toBe(3650 * 86_400_000);
    const { subject, serialNumber, fingerprint, validFrom, validTo } = contents;
    expect(describeCertificate(own.cert)).toEqual({ subject, serialNumber, fingerprint, validFrom, validTo });
  });

  const good = pki.pfx(pems, "secret");
  const year = 366 * 86_400_000;
  test.each([
    ["a wrong password", good, "Secret", now, "the password is wrong"],
    ["a wrong password with accents", good, "sècret", now, "the password is wrong"],
    ["an empty password that is wrong", good, "", now, "the password is wrong (it was empty)"],
    ["a wrong password in RC2-40", pki.pfx(pems, "secret", RC2), "x", now, "the password is wrong"],
    ["a wrong password without a MAC", pki.pfx(pems, "secret", ["-nomac"]), "x", now, "the password is wrong"],
    ["text", Buffer.from("hello"), "x", now, "it is not a PFX file"],
    ["nothing", new Uint8Array(0), "x", now, "it is not a PFX file"],
    ["PEM", Buffer.from(own.cert), "x", now, "it is not a PFX file, but PEM text"],
    ["a bare certificate", new X509Certificate(own.cert).raw, "x", now, "it is not a PFX file"],
    ["half a file", good.subarray(0, good.length / 2), "secret", now, "it is not a PFX file"],
    ["no key", pki.pfx([own.cert], "x", ["-nokeys"]), "x", now, "no private key in it"],
    ["no certificate", pki.pfx([own.key], "x", ["-nocerts"]), "x", now, "no certificate in it"],
    ["an EC key", pki.pfx([ec.key, ec.cert], "x"), "x", now, "an elliptic curve (EC) key, an RSA key is needed"],
    ["an expired certificate", good, "secret", new Date(now.getTime() + 10 * year), "the certificate expired on"],
    [
      "a certificate not yet valid",
      good,
      "secret",
      new Date(now.getTime() - year),
      "the certificate is not valid before",
    ],
  ] as const)("with %s is refused in its own words", (_what, bytes, password, at, message) => {
    expect(() => readPfx(bytes, password, at)).toThrow(message);
  });

  test("never shows its password", () => {
    for (const password of ["wrong-password", "wrong-pässword"]) {
      let shown = "";
      try {
        readPfx(good, password, now);
      } catch (error) {
        shown = `${error} ${JSON.stringify(error)} ${(error as Error).stack}`;
      }
      expect(shown).toContain("the password is wrong");
      expect(shown).not.toContain("wrong-p");
    }
  });
});

describe("a pair of PEM files", () => {
  test("is read like a PFX file", () => {
    expectOwn(readPemPair(`${root.cert}${middle.cert}${own.cert}`, own.key, now));
  });

  test.each([
    ["a key of another certificate", own.cert, other.key, "the private key belongs to none of its 1 certificates"],
    ["no key", own.cert, "", "no private key in it"],
    ["no certificate", "", own.key, "no certificate in it"],
    ["an EC key", ec.cert, ec.key, "an RSA key is needed"],
  ])("with %s is refused in its own words", (_what, cert, key, message) => {
    expect(() => readPemPair(cert, key, now)).toThrow(message);
  });
});
