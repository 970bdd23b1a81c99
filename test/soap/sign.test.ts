import { afterAll, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { createHash, randomUUID, sign } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SignedXml } from "xml-crypto";
import type { RequestFields } from "../../src/soap/contract.ts";
import { buildFields, NAMESPACES, TOKEN_TYPE } from "../../src/soap/envelope.ts";
import { loadIdentity, type SignedEnvelope, type SigningInput, signEnvelope } from "../../src/soap/sign.ts";
import { builtinContract } from "../../src/soap/wsdl.ts";
import { parseXml, type XmlElement } from "../../src/soap/xml.ts";
import { openOpensslPki } from "../support/openssl-pki.ts";
import { seededRandom } from "../support/random.ts";

const pki = openOpensslPki();
afterAll(() => pki[Symbol.dispose]());
const authority = pki.issue({ subject: "/CN=Test CA", authority: true, issuer: null });
const own = pki.issue({ subject: "/C=ES/O=Ajuntament de Prova/CN=CAM PROVA", issuer: authority });
const other = pki.issue({ subject: "/CN=Altre", issuer: authority });
const identity = loadIdentity(own.cert, own.key);

const sample = (name: string): Uint8Array => readFileSync(join(import.meta.dir, "../fixtures/samples", name));
const ocrImage = sample("car-a-ocr.jpg");
const ctxImage = sample("car-a-ctx.jpg");
const nasty = `L'Hospitalet & "Fills" <Seat>\r\n España ñ ]]> €`;

function fieldsOf(overrides: Record<string, string | null> = {}): RequestFields {
  const fields = buildFields({
    readerCode: "LEC-0001",
    wall: { year: 2026, month: 1, day: 23, hour: 9, minute: 25, second: 57, millisecond: 123 },
    coordX: "430124.45",
    coordY: "4578123.45",
    reading: { plate: "1234 bcd", brand: nasty, model: null, color: null, vehicleType: null, country: "ESP" },
  });
  return { ...fields, ...overrides };
}

/** Deterministic ids, so that the same message can be built twice. */
function counting(seed: string): () => string {
  let n = 0;
  return () => {
    n += 1;
    return createHash("sha256").update(`${seed}${n}`).digest("hex").slice(0, 32);
  };
}

function inputOf(overrides: Partial<SigningInput> = {}): SigningInput {
  return {
    contract: builtinContract,
    fields: fieldsOf(),
    ocrImage,
    ctxImage,
    identity,
    profile: "compat",
    createdAt: new Date("2026-01-23T08:25:58.007Z"),
    randomId: randomUUID,
    ...overrides,
  };
}

const textOf = (envelope: SignedEnvelope): string => Buffer.concat(envelope.parts).toString("utf8");

function xmlsec(xml: string, certPath: string): { ok: boolean; output: string } {
  const file = join(pki.dir, `${randomUUID()}.xml`);
  writeFileSync(file, xml);
  const args = [
    "--verify",
    "--pubkey-cert-pem",
    certPath,
    "--id-attr:Id",
    `${NAMESPACES.wsu}:Timestamp`,
    "--id-attr:Id",
    `${NAMESPACES.soap}:Body`,
    file,
  ];
  try {
    return { ok: true, output: execFileSync("xmlsec1", args, { stdio: "pipe" }).toString() };
  } catch (error) {
    return { ok: false, output: String((error as { stderr?: Buffer }).stderr) };
  }
}

/** The same message signed whole by plain xml-crypto with its own algorithms: the pictures in the document it parses. */
function signWhole(xml: string, profile: "compat" | "strict"): string {
  const bodyId = /<soap:Body[^>]*wsu:Id="([^"]+)"/.exec(xml)?.[1];
  const timestampId = /<wsu:Timestamp[^>]*wsu:Id="([^"]+)"/.exec(xml)?.[1];
  const tokenId = /<wsse:BinarySecurityToken[^>]*wsu:Id="([^"]+)"/.exec(xml)?.[1];
  const [hash, more] =
    profile === "compat"
      ? ["http://www.w3.org/2000/09/xmldsig#sha1", "http://www.w3.org/2000/09/xmldsig#rsa-sha1"]
      : ["http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"];
  const signer = new SignedXml({
    idMode: "wssecurity",
    privateKey: own.key,
    signatureAlgorithm: more,
    canonicalizationAlgorithm: "http://www.w3.org/2001/10/xml-exc-c14n#",
    getKeyInfoContent: () =>
      `<wsse:SecurityTokenReference xmlns:wsse="${NAMESPACES.wsse}"><wsse:Reference URI="#${tokenId}" ValueType="${TOKEN_TYPE}"/></wsse:SecurityTokenReference>`,
  });
  for (const id of [bodyId, timestampId]) {
    signer.addReference({
      xpath: `//*[@*[local-name(.)='Id']='${id}']`,
      transforms: ["http://www.w3.org/2001/10/xml-exc-c14n#"],
      digestAlgorithm: hash,
    });
  }
  const unsigned = xml.replace(/<ds:Signature [\s\S]*<\/ds:Signature>/, "");
  signer.computeSignature(unsigned, {
    prefix: "ds",
    location: { reference: "//*[local-name(.)='Security']", action: profile === "compat" ? "prepend" : "append" },
  });
  return signer.getSignedXml();
}

/** Elements, attributes and order, without what differs in every message: prefixes, ids, values. */
function shapeOf(element: XmlElement): unknown {
  const attributes = Object.entries(element.attributes)
    .filter(([name]) => name !== "xmlns" && !name.startsWith("xmlns:"))
    .map(([name, value]) => [
      name.replace(/^.*:/, ""),
      /^(#?)[A-Za-z]*[A-Z0-9]*-?[0-9a-f-]{8,}$/.exec(value)?.[1] ?? value,
    ])
    .sort();
  return [`{${element.namespace}}${element.name}`, attributes, element.children.map(shapeOf)];
}

describe.each(["compat", "strict"] as const)("a message signed with profile %s", (profile) => {
  test("is byte for byte what xml-crypto makes of the whole document", async () => {
    const mine = textOf(await signEnvelope(inputOf({ profile })));
    expect(mine).toBe(signWhole(mine, profile));
    expect(mine).toContain(Buffer.from(ctxImage).toString("base64"));
  });

  test("is that whatever its values and its contract's names hold", async () => {
    const random = seededRandom(`signing, ${profile}`);
    const pick = <T>(list: readonly T[]): T => list[random.below(list.length)] as T;
    const alphabet = [
      ..."ab1 \t\r\n&<>\"'`=/;#]-",
      "]]>",
      "&amp;",
      "&#13;",
      "ñ",
      "\u0301",
      "\u00a0",
      "\ufeff",
      "\u{1f697}",
    ];
    const text = (): string => Array.from({ length: 1 + random.below(20) }, () => pick(alphabet)).join("");
    for (let round = 0; round < 60; round += 1) {
      const contract = {
        ...builtinContract,
        qualified: round % 2 === 0,
        targetNamespace: pick(["urn:a", "http://x/ñ?a=b#c", NAMESPACES.soap, NAMESPACES.wsu]),
        requestElement: pick(["matriculaRequest", "Petició.v-2_"]),
      };
      const fields = fieldsOf({ marca: text(), model: text(), color: text(), pais: text() });
      const images = { ocrImage: ocrImage.subarray(0, 1 + random.below(9)), ctxImage: ctxImage.subarray(0, 30) };
      const mine = textOf(await signEnvelope(inputOf({ profile, contract, fields, ...images })));
      expect([round, mine]).toEqual([round, signWhole(mine, profile)]);
    }
  });

  test("is accepted by xmlsec1 with characters that only XML 1.1 takes for line ends, as xml-crypto's parser does", async () => {
    const fields = fieldsOf({ marca: "a\u2028b\u0085c\r\u0085d" });
    const { ok, output } = xmlsec(textOf(await signEnvelope(inputOf({ profile, fields }))), own.certPath);
    expect({ ok, output }).toEqual({ ok: true, output });
  });

  test("is accepted by xmlsec1, with and without a context image", async () => {
    for (const ctx of [ctxImage, null, new Uint8Array(0)]) {
      const { ok, output } = xmlsec(textOf(await signEnvelope(inputOf({ profile, ctxImage: ctx }))), own.certPath);
      expect({ ok, output }).toEqual({ ok: true, output });
    }
  });

  const tampered: readonly [string, (xml: string) => string][] = [
    ["a byte of the OCR image", (xml) => xml.replace("<mat:imgMatricula>/9j/4A", "<mat:imgMatricula>/9j/4B")],
    ["a byte of the context image", (xml) => xml.replace("<mat:imgContext>/9j/4A", "<mat:imgContext>/9j/4B")],
    ["the context image gone", (xml) => xml.replace(/<mat:imgContext>[^<]*</, "<mat:imgContext><")],
    [
      "the pictures exchanged",
      (xml) =>
        xml.replace(
          /<mat:imgMatricula>([^<]*)<\/mat:imgMatricula><mat:imgContext>([^<]*)</,
          "<mat:imgMatricula>$2</mat:imgMatricula><mat:imgContext>$1<",
        ),
    ],
    ["the plate", (xml) => xml.replace("1234BCD", "1234BCF")],
    ["the timestamp", (xml) => xml.replace("08:25:58.007Z", "08:25:59.007Z")],
    ["a blank in the body", (xml) => xml.replace("<mat:pais>", " <mat:pais>")],
  ];
  test.each(tampered)("is refused by xmlsec1 with a change of %s", async (_what, change) => {
    const xml = textOf(await signEnvelope(inputOf({ profile })));
    const changed = change(xml);
    expect(changed).not.toBe(xml);
    expect(xmlsec(xml, own.certPath).ok).toBe(true);
    expect(xmlsec(changed, own.certPath).ok).toBe(false);
  });

  test("is refused by xmlsec1 against another certificate", async () => {
    const xml = textOf(await signEnvelope(inputOf({ profile })));
    expect(xmlsec(xml, other.certPath).ok).toBe(false);
  });

  test("has Body and Timestamp in exactly canonical form", async () => {
    const xml = textOf(await signEnvelope(inputOf({ profile, ctxImage: null })));
    const hash = profile === "compat" ? "sha1" : "sha256";
    const digests = [...xml.matchAll(/<ds:DigestValue>([^<]+)</g)].map((m) => m[1]);
    const written = [/<soap:Body[\s\S]*<\/soap:Body>/, /<wsu:Timestamp[\s\S]*<\/wsu:Timestamp>/].map((part) =>
      createHash(hash)
        .update(part.exec(xml)?.[0] ?? "")
        .digest("base64"),
    );
    expect(digests).toEqual(written);
  });

  test("is not mixed up with seven others signed at the same time", async () => {
    const pictures = ["car-a", "car-b", "car-c"].flatMap((car) => [sample(`${car}-ocr.jpg`), sample(`${car}-ctx.jpg`)]);
    const inputs = Array.from({ length: 8 }, (_, i) =>
      inputOf({
        profile,
        fields: fieldsOf({ matricula: `${1000 + i}BCD` }),
        ocrImage: pictures[i % 6] ?? ocrImage,
        ctxImage: pictures[(i + 3) % 6] ?? ctxImage,
      }),
    );
    const signed = await Promise.all(inputs.map(signEnvelope));
    for (const [i, envelope] of signed.entries()) {
      const xml = textOf(envelope);
      expect(xml).toContain(`<mat:matricula>${1000 + i}BCD</mat:matricula>`);
      expect(xml).toContain(
        `<mat:imgMatricula>${Buffer.from(inputs[i]?.ocrImage ?? []).toString("base64")}</mat:imgMatricula>`,
      );
      expect(xmlsec(xml, own.certPath).ok).toBe(true);
    }
  });
});

describe("the envelope", () => {
  test("has the structure of what the police accept today", async () => {
    const golden = readFileSync(join(import.meta.dir, "../fixtures/golden/accepted-today.xml"));
    const fields = fieldsOf({ marca: null });
    const mine = parseXml(textOf(await signEnvelope(inputOf({ fields }))));
    expect(shapeOf(mine)).toEqual(shapeOf(parseXml(golden)));
  });

  test("carries Timestamp, token, signature in that order in profile strict", async () => {
    const root = parseXml(textOf(await signEnvelope(inputOf({ profile: "strict" }))));
    const security = root.children[0]?.children[0];
    expect(security?.children.map((c) => c.name)).toEqual(["Timestamp", "BinarySecurityToken", "Signature"]);
    expect(Object.keys(security?.attributes ?? {})).toEqual(["xmlns:wsse"]);
  });

  test("lives 300 s from its moment of signing, in UTC with milliseconds", async () => {
    const xml = textOf(await signEnvelope(inputOf()));
    expect(xml).toContain(
      "<wsu:Created>2026-01-23T08:25:58.007Z</wsu:Created><wsu:Expires>2026-01-23T08:30:58.007Z</wsu:Expires>",
    );
  });

  test("brings every character of a value through an XML parser", async () => {
    const xml = textOf(await signEnvelope(inputOf({ fields: fieldsOf({ marca: `${nasty}\u0001\uD800` }) })));
    const request = parseXml(xml).children[1]?.children[0];
    // A parser turns no reference into a line end: the carriage return survives.
    expect(request?.children.find((c) => c.name === "marca")?.text).toBe(nasty);
    expect(xml).not.toContain("\r");
    expect(xml).not.toContain("\u0001");
  });

  test("has no self-closing element outside the signature, and an empty imgContext when there is no context image", async () => {
    const xml = textOf(await signEnvelope(inputOf({ ctxImage: null })));
    expect(xml.replace(/<ds:Signature [\s\S]*<\/ds:Signature>/, "")).not.toContain("/>");
    expect(xml).toContain("<mat:imgContext></mat:imgContext>");
  });

  test("says how many bytes it is, and holds each picture as one piece of its own", async () => {
    const envelope = await signEnvelope(inputOf());
    expect(envelope.bytes).toBe(Buffer.concat(envelope.parts).length);
    expect(envelope.parts.map((p) => p.toString("latin1"))).toContain(Buffer.from(ocrImage).toString("base64"));
    expect(envelope.parts).toHaveLength(5);
  });

  test("follows the contract's order and qualification, pictures included", async () => {
    const elements = [...builtinContract.elements].reverse();
    const contract = { ...builtinContract, elements, qualified: false };
    const xml = textOf(await signEnvelope(inputOf({ contract })));
    const request = parseXml(xml).children[1]?.children[0];
    expect(request?.children.map((c) => c.name)).toEqual(
      elements.map((e) => e.name).filter((name) => !["model", "color", "tipusVehicle"].includes(name)),
    );
    expect(request?.children.every((c) => c.namespace === "")).toBe(true);
    expect(xmlsec(xml, own.certPath).ok).toBe(true);
  });

  test("is refused without an OCR image", async () => {
    await expect(signEnvelope(inputOf({ ocrImage: new Uint8Array(0) }))).rejects.toThrow("the OCR image is empty");
  });

  test("does not let a placeholder that is also a value's text displace a picture", async () => {
    const fixed = counting("x")();
    const input = inputOf({ fields: fieldsOf({ marca: fixed }), randomId: counting("x") });
    await expect(signEnvelope(input)).rejects.toThrow("a placeholder stands twice");
  });
});

describe("an identity", () => {
  test("finds the certificate of the key wherever it stands", () => {
    const loaded = loadIdentity(`${authority.cert}\n${other.cert}\n${own.cert}`, own.key);
    expect(loaded.subject).toBe("C=ES, O=Ajuntament de Prova, CN=CAM PROVA");
    expect(loaded.leafDerBase64).toBe(own.cert.replace(/-----[^-]+-----|\s/g, ""));
    expect(loaded.validTo.getTime()).toBeGreaterThan(loaded.validFrom.getTime());
    const message = Buffer.from("x");
    expect(sign("sha256", message, loaded.privateKey)).toEqual(sign("sha256", message, own.key));
  });

  const ec = pki.issue({ subject: "/CN=EC", key: "ec", issuer: authority });
  test.each([
    ["no certificate", "", own.key, "no certificate in it"],
    ["no key", own.cert, own.cert, "no private key in it"],
    ["a key of another certificate", own.cert, other.key, "belongs to another certificate"],
    ["an EC key", ec.cert, ec.key, "an elliptic curve (EC) key, an RSA key is needed"],
    ["a damaged certificate", own.cert.replace("MII", "AAA"), own.key, "certificate 1 cannot be read"],
    ["a damaged key", own.cert, own.key.replace("MII", "AAA"), "the private key cannot be read"],
    [
      "an encrypted key",
      own.cert,
      own.key.replaceAll("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
      "the private key is encrypted",
    ],
  ])("is refused with %s", (_what, cert, key, message) => {
    expect(() => loadIdentity(cert, key)).toThrow(message);
  });
});
