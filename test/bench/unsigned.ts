import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createSoapClient } from "../../src/soap/client.ts";

/**
 * The limit of delivery: the same pictures from the same disk, in base64, posted by the same client with the same number at
 * once, but not signed, and with no queue. Arguments: URL, CA file, folder of pictures, how many at once. Prints messages/s.
 */
const [url = "", caPath = "", folder = "", atOnce = "8"] = process.argv.slice(2);
const pictures = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".jpg"));
const client = createSoapClient({ monotonicMs: () => performance.now(), connections: Number(atOnce) });
const target = { url, caPath, clientCertificate: null, soapAction: "", successCodes: ["1"], secrets: [] };
// As much text as a signed envelope has around its pictures.
const [head, middle, end] = [4500, 40, 300].map((length) => Buffer.alloc(length, "x"));
const encode = (bytes: Buffer): Buffer => Buffer.from(bytes.toString("base64"), "latin1");

let next = 0;
let sent = 0;
async function post(): Promise<void> {
  while (next < pictures.length) {
    const pair = pictures.slice(next, next + 2);
    next += 2;
    const [first, second] = await Promise.all(pair.map((name) => readFile(join(folder, name))));
    const parts = [head, encode(first ?? Buffer.alloc(0)), middle, encode(second ?? Buffer.alloc(0)), end].filter(
      (part) => part !== undefined,
    );
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    const { outcome } = await client.post(target, { parts, bytes }, { deadlineMs: 10_000 });
    if (outcome.kind !== "accepted") throw new Error(`the sink said ${outcome.kind}`);
    sent += 1;
  }
}

const startedAt = performance.now();
await Promise.all(Array.from({ length: Number(atOnce) }, post));
console.log(sent / ((performance.now() - startedAt) / 1000));
await client.close();
