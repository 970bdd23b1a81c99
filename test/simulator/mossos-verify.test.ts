import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { SoapFault } from "../../src/simulator/mossos-fault.ts";
import { type VerifyPolicy, verifyRequest } from "../../src/simulator/mossos-verify.ts";
import { createPki } from "../../src/simulator/pki.ts";
import { buildChildren, buildPlain, jpeg, type PlainMessage, RSA_SHA256, SHA256, WSU } from "./plain-sender.ts";

const now = new Date("2026-11-24T10:00:00.000Z");
const pki = await createPki({ now });
const identity = await pki.issueClient({ organization: "Ajuntament de Prova" });
const base: PlainMessage = { identity, now };
const headers = new Map([
  ["content-type", "text/xml; charset=utf-8"],
  ["soapaction", '""'],
]);
const policy: VerifyPolicy = {
  profile: "any",
  trustedCa: [pki.caPem],
  now,
  maxAgeMs: 300_000,
  maxFutureMs: 60_000,
  verifyWhole: false,
};
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

function verdict(xml: string | Buffer, change: Partial<VerifyPolicy> = {}, sent = headers): string {
  try {
    verifyRequest(Buffer.from(xml), sent, { ...policy, ...change });
    return "accepted";
  } catch (error) {
    if (error instanceof SoapFault) return `${error.kind}: ${error.message}`;
    throw error;
  }
}

describe.each([false, true])("with the whole document through xml-crypto: %p", (verifyWhole) => {
  test.each(["compat", "strict"] as const)(
    "a message signed independently in profile %s is accepted and read",
    (profile) => {
      const xml = buildPlain({ ...base, profile });
      const request = verifyRequest(Buffer.from(xml), headers, { ...policy, verifyWhole, profile });
      expect(request).toMatchObject({
        profile,
        readerCode: "LEC-0001",
        plate: "1234BCD",
        date: "2026-01-23",
        time: "09:25:57",
        ocrSha256: sha256(jpeg(30_000)),
        ctxSha256: sha256(jpeg(200_000, 9)),
        fields: { coordenadaX: "430124.45", coordenadaY: "4578123.45", pais: "ES" },
      });
      expect(request.certificateSubject).toContain("Ajuntament de Prova");
    },
  );

  test("what the police accept today verifies at its time, and not six minutes later", () => {
    const xml = readFileSync("test/fixtures/golden/accepted-today.xml");
    const trustedCa = [readFileSync("test/fixtures/golden/ca.pem", "utf8")];
    const at = new Date("2026-11-24T01:59:30Z");
    const request = verifyRequest(xml, headers, { ...policy, now: at, trustedCa, verifyWhole });
    expect(request).toMatchObject({
      profile: "compat",
      readerCode: "LEC-0001",
      plate: "1234ABC",
      fields: { pais: "ESP" },
    });
    expect(verdict(xml, { now: new Date("2026-11-24T02:05:30Z"), trustedCa, verifyWhole })).toStartWith(
      "message-expired",
    );
    expect(verdict(xml, { now: at, verifyWhole })).toStartWith("failed-authentication");
    const tampered = xml.toString().replace("1234ABC", "1234ABD");
    expect(verdict(tampered, { now: at, trustedCa, verifyWhole })).toStartWith("failed-check");
  });
});

test("a small picture that is not cut out, and an empty context picture, are accepted", () => {
  const small = buildPlain({ ...base, ocr: jpeg(20).toString("base64"), ctx: "" });
  expect(verifyRequest(Buffer.from(small), headers, policy)).toMatchObject({
    ocrSha256: sha256(jpeg(20)),
    ctxSha256: null,
  });
});

test("every changed byte of a picture breaks the digest, at the ends too", () => {
  const xml = Buffer.from(buildPlain(base));
  const start = xml.indexOf("<m:imgContext>") + 14;
  const end = xml.indexOf("</m:imgContext>");
  for (const at of [start + 4, start + 100_000, end - 8]) {
    const copy = Buffer.from(xml);
    copy[at] = copy[at] === 0x41 ? 0x42 : 0x41;
    expect(verdict(copy)).toStartWith("failed-check");
  }
});

test("swapping the two signed pictures is seen", () => {
  const a = jpeg(3000, 1).toString("base64");
  const b = jpeg(3000, 2).toString("base64");
  const xml = buildPlain({ ...base, ocr: a, ctx: b });
  expect(verdict(xml)).toBe("accepted");
  expect(verdict(xml.replace(a, "@here@").replace(b, a).replace("@here@", b))).toStartWith("failed-check");
});

const change = (from: string | RegExp, to: string) => (): string => {
  const xml = buildPlain(base);
  const changed = xml.replace(from, to);
  if (changed === xml) throw new Error(`nothing changed by ${from}`);
  return changed;
};
const built = (message: Partial<PlainMessage>) => (): string => buildPlain({ ...base, ...message });
const children = (from: string | RegExp, to: string) => built({ children: buildChildren(base).replace(from, to) });
const ocrText = jpeg(30_000).toString("base64");

const REFUSED: readonly (readonly [what: string, xml: () => string | Promise<string>, verdict: string])[] = [
  ["a changed plate", change("1234BCD", "1234BCE"), "failed-check: the digest of Body"],
  ["a changed timestamp", change("10:05:00.000Z", "10:04:59.000Z"), "failed-check: the digest of Timestamp"],
  [
    "a changed signature value",
    change(/<ds:SignatureValue>..../, "<ds:SignatureValue>AAAA"),
    "failed-check: the signature value",
  ],
  ["a changed digest value", change(/<ds:DigestValue>..../, "<ds:DigestValue>AAAA"), "failed-check"],
  ["a blank added to the body", change("<m:matricula>", " <m:matricula>"), "failed-check"],
  ["only the Body signed", built({ signed: ["Body"] }), "invalid-security: the signature covers 1"],
  ["only the Timestamp signed", built({ signed: ["Timestamp"] }), "invalid-security: the signature covers 1"],
  [
    "references in the other order",
    built({ signed: ["Timestamp", "Body"] }),
    "invalid-security: the Body that is used",
  ],
  [
    "the token signed as well",
    built({ signed: ["Body", "Timestamp", "BinarySecurityToken"] }),
    "invalid-security: the signature covers 3",
  ],
  [
    "a mixture of order and algorithm",
    built({ signatureAlgorithm: RSA_SHA256, digest: SHA256 }),
    "invalid-security: order is",
  ],
  ["a mixture of algorithms", built({ digest: SHA256 }), "invalid-security: digest algorithm"],
  ["inclusive canonicalisation", built({ c14n: "inclusive" }), "invalid-security: SignedInfo is not"],
  [
    "no timestamp",
    built({ order: ["BinarySecurityToken"], signed: ["Body"] }),
    "actions-mismatch: Security holds Signature BinarySecurityToken",
  ],
  [
    "a second timestamp",
    built({ securityExtra: `<wsu:Timestamp xmlns:wsu="${WSU}"/>`, signed: ["Body"] }),
    "actions-mismatch",
  ],
  ["a username token", built({ securityExtra: "<wsse:UsernameToken/>" }), "actions-mismatch"],
  ["mustUnderstand", built({ securityAttributes: ' soap:mustUnderstand="1"' }), "invalid-security: attribute"],
  ["a second header", built({ headerExtra: '<x xmlns="urn:x"/>' }), "invalid-security: the Header holds more"],
  ["no signature", change(/<ds:Signature .*<\/ds:Signature>/s, ""), "actions-mismatch"],
  ["no Security", change(/<wsse:Security .*<\/wsse:Security>/s, ""), "invalid-security: there is no wsse:Security"],
  [
    "too old",
    built({ now: new Date(now.getTime() - 301_000), expires: "2026-11-24T11:00:00Z" }),
    "message-expired: Created is 301000 ms old",
  ],
  [
    "from the future",
    built({ now: new Date(now.getTime() + 61_000) }),
    "message-expired: Created is 61000 ms in the future",
  ],
  [
    "expired",
    built({ created: "2026-11-24T09:59:00Z", expires: "2026-11-24T09:59:59Z" }),
    "message-expired: Expires is over",
  ],
  ["Expires before Created", built({ expires: "2026-11-24T09:00:00Z" }), "invalid-security: Expires is not"],
  ["a timestamp without zone", built({ created: "2026-11-24T10:00:00" }), "invalid-security: Created is no instant"],
  [
    "another authority",
    async () => buildPlain({ ...base, identity: await pki.issueClient({ organization: "X", issuer: "other" }) }),
    "failed-authentication: the certificate's issuer",
  ],
  [
    "an expired certificate",
    async () =>
      buildPlain({
        ...base,
        identity: await pki.issueClient({ organization: "X", validTo: new Date(now.getTime() - 1000) }),
      }),
    "failed-authentication: the certificate is outside",
  ],
  [
    "a certificate of tomorrow",
    async () =>
      buildPlain({
        ...base,
        identity: await pki.issueClient({ organization: "X", validFrom: new Date(now.getTime() + 86_400_000) }),
      }),
    "failed-authentication: the certificate is outside",
  ],
  [
    "another's certificate",
    async () =>
      buildPlain({
        ...base,
        tokenBase64: (await pki.issueClient({ organization: "X" })).certPem.replace(/-----[^-]+-----|\s/g, ""),
      }),
    "failed-check: the signature value",
  ],
  ["no certificate", built({ tokenBase64: "AAAA" }), "invalid-security: BinarySecurityToken is no usable"],
  ["KeyInfo to elsewhere", built({ keyInfoUri: "#TS-1" }), "invalid-security: KeyInfo refers"],
  ["a reader code of 17", children("LEC-0001", "L".repeat(17)), "validation: codiLector"],
  ["an empty plate", children("1234BCD", ""), "validation: matricula must be"],
  [
    "a plate of 11",
    children("1234BCD", "12345678901"),
    "validation: matricula must be 1 to 10 upper-case characters, no blanks",
  ],
  ["a plate with a blank", children("1234BCD", "1234 BCD"), "validation: matricula"],
  ["a plate in lower case", children("1234BCD", "1234bcd"), "validation: matricula"],
  ["a date with slashes", children("2026-01-23", "2026/01/23"), "validation: dataLectura"],
  ["a time with milliseconds", children("09:25:57", "09:25:57.123"), "validation: horaLectura"],
  ["one decimal", children("430124.45", "430124.4"), "validation: coordenadaX"],
  ["nine digits", children("4578123.45", "457812345.45"), "validation: coordenadaY"],
  [
    "the wrong order",
    children(/(<m:matricula>.*?<\/m:matricula>)(<m:dataLectura>.*?<\/m:dataLectura>)/, "$2$1"),
    "validation: expected matricula",
  ],
  [
    "no picture of the plate",
    children(/<m:imgMatricula>.*?<\/m:imgMatricula>/, ""),
    "validation: expected imgMatricula",
  ],
  [
    "an empty picture of the plate",
    children(/<m:imgMatricula>.*?<\/m:imgMatricula>/, "<m:imgMatricula/>"),
    "validation: imgMatricula must be a JPEG file in base64, not empty",
  ],
  [
    "a picture encoded twice",
    children(ocrText, Buffer.from(ocrText).toString("base64")),
    "validation: imgMatricula must be a JPEG file in base64: it is encoded twice",
  ],
  ["a picture that is none", children(ocrText, Buffer.alloc(9000, 1).toString("base64")), "validation: imgMatricula"],
  ["a picture that is no base64", children(ocrText, `${ocrText.slice(0, -4)}!!!!`), "validation: imgMatricula"],
  [
    "an unknown element",
    children("<m:pais>", "<m:speed>5</m:speed><m:pais>"),
    "validation: expected nothing more, found {http://dgp.gencat.cat/matricules}speed",
  ],
  ["an element twice", children("<m:pais>", "<m:pais>ES</m:pais><m:pais>"), "validation: expected nothing more"],
  [
    "an unqualified child",
    children(/<m:pais>ES<\/m:pais>/, "<pais>ES</pais>"),
    "validation: expected nothing more, found {}pais",
  ],
  ["an attribute", children("<m:pais>", '<m:pais x="1">'), "validation: attribute x"],
  [
    "another request",
    built({ content: '<m:other xmlns:m="http://dgp.gencat.cat/matricules"/>' }),
    "validation: the body must hold",
  ],
  ["a comment", children("1234BCD", "1234<!-- -->BCD"), "client: the envelope holds a node of type 8"],
  ["CDATA", children("1234BCD", "<![CDATA[1234BCD]]>"), "client: the envelope holds a node"],
  ["a DOCTYPE", change("<soap:Envelope", "<!DOCTYPE x><soap:Envelope"), "client: the envelope has a DOCTYPE"],
  ["a missing end tag", change("</soap:Envelope>", ""), "client: the envelope is not well-formed"],
  [
    "SOAP 1.2",
    change(/http:\/\/schemas.xmlsoap.org\/soap\/envelope\//, "http://www.w3.org/2003/05/soap-envelope"),
    "version-mismatch",
  ],
];

test.each(REFUSED)("%s is refused", async (_, build, expected) => {
  const xml = await build();
  expect(verdict(xml)).toStartWith(expected);
});

test("no refusal quotes the plate", async () => {
  for (const [, build] of REFUSED) expect(verdict(await build())).not.toMatch(/1234 ?BC|12345678901/i);
});

describe("signature wrapping", () => {
  const signedBody = (xml: string): string => /<soap:Body.*<\/soap:Body>/s.exec(xml)?.[0] ?? "";
  const forged = (id: string): string =>
    `<soap:Body xmlns:wsu="${WSU}" wsu:Id="${id}">${`<m:matriculaRequest xmlns:m="http://dgp.gencat.cat/matricules">${buildChildren({ ...base, plate: "9999ZZZ" })}</m:matriculaRequest>`}</soap:Body>`;

  test("the signed Body moved into the header", () => {
    const xml = buildPlain(base);
    const body = signedBody(xml);
    const wrapped = xml
      .replace(body, forged("evil"))
      .replace("</soap:Header>", `<w xmlns="urn:w">${body}</w></soap:Header>`);
    expect(verdict(wrapped)).toStartWith("invalid-security");
  });

  test("the signed Body moved into the Signature as an Object", () => {
    const xml = buildPlain(base);
    const body = signedBody(xml);
    const wrapped = xml
      .replace(body, forged("evil"))
      .replace("</ds:Signature>", `<ds:Object>${body}</ds:Object></ds:Signature>`);
    expect(verdict(wrapped)).toStartWith("invalid-security");
  });

  test("two Bodies with one id", () => {
    const xml = buildPlain(base);
    expect(verdict(xml.replace("<soap:Body", `${forged("B-1")}<soap:Body`))).not.toBe("accepted");
    const inside = xml.replace("<m:pais>", '<x Id="B-1"/><m:pais>');
    expect(verdict(inside)).toBe("invalid-security: an id stands twice");
  });
});

test.each([
  [
    "another content type",
    new Map([
      ["content-type", "application/soap+xml"],
      ["soapaction", '""'],
    ]),
  ],
  [
    "another charset",
    new Map([
      ["content-type", "text/xml; charset=iso-8859-1"],
      ["soapaction", '""'],
    ]),
  ],
  ["no SOAPAction", new Map([["content-type", "text/xml; charset=utf-8"]])],
])("%s is refused", (_, sent) => {
  expect(verdict(buildPlain(base), {}, sent)).toStartWith("client");
});

test("a profile that is not wanted is refused", () => {
  expect(verdict(buildPlain({ ...base, profile: "strict" }), { profile: "compat" })).toStartWith("invalid-security");
  expect(verdict(buildPlain(base), { profile: "strict" })).toStartWith("invalid-security");
});
