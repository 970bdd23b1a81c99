import { readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createSoapClient } from "../../src/soap/client.ts";
import { loadIdentity, type SignedEnvelope, signEnvelope } from "../../src/soap/sign.ts";
import { builtinContract } from "../../src/soap/wsdl.ts";
import { FIELDS } from "./fields.ts";

/**
 * The limits of delivery, with no queue: the same pictures from the same disk, in base64, posted by the same client with the
 * same number at once; without key and certificate not signed. Arguments: URL, CA file, folder of pictures, how many at once,
 * how many before the measurement, certificate file, key file. Prints messages/s.
 */
const [url = "", caPath = "", folder = "", atOnce = "8", unmeasured = "0", certPath, keyPath] = process.argv.slice(2);
const pictures = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".jpg"));
const client = createSoapClient({ monotonicMs: () => performance.now(), connections: Number(atOnce) });
const target = { url, caPath, clientCertificate: null, soapAction: "", successCodes: ["1"], secrets: [] };
const identity =
  certPath === undefined || keyPath === undefined
    ? null
    : loadIdentity(readFileSync(certPath, "utf8"), readFileSync(keyPath, "utf8"));

// As much text as a signed envelope has around its pictures.
const [head, middle, end] = [4500, 40, 300].map((length) => Buffer.alloc(length, "x"));
const encode = (bytes: Buffer): Buffer => Buffer.from(bytes.toString("base64"), "latin1");

async function envelopeOf(first: Buffer, second: Buffer): Promise<SignedEnvelope> {
  if (identity !== null) {
    return await signEnvelope({
      contract: builtinContract,
      fields: FIELDS,
      ocrImage: first,
      ctxImage: second,
      identity,
      profile: "compat",
      createdAt: new Date(),
      randomId: () => crypto.randomUUID(),
    });
  }
  const parts = [head, encode(first), middle, encode(second), end].filter((part) => part !== undefined);
  return { parts, bytes: parts.reduce((sum, part) => sum + part.length, 0) };
}

let next = 0;
let sent = 0;
let startedAt = performance.now();
async function post(): Promise<void> {
  while (next < pictures.length) {
    const pair = pictures.slice(next, next + 2);
    next += 2;
    const [first, second] = await Promise.all(pair.map((name) => readFile(join(folder, name))));
    const envelope = await envelopeOf(first ?? Buffer.alloc(0), second ?? Buffer.alloc(0));
    const { outcome } = await client.post(target, envelope, { deadlineMs: 10_000 });
    if (outcome.kind !== "accepted") throw new Error(`the sink said ${outcome.kind}`);
    sent += 1;
    if (sent === Number(unmeasured)) startedAt = performance.now();
  }
}

await Promise.all(Array.from({ length: Number(atOnce) }, post));
console.log((sent - Number(unmeasured)) / ((performance.now() - startedAt) / 1000));
await client.close();
