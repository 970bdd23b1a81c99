/**
 * A process of its own: the S3 server of `@20minutes/s3rver`, which checks the signature of every request. Arguments:
 * folder, port, buckets. Writes its port on one line. Three things are mended from outside: it makes the tokens of long
 * lists with a cipher that today's OpenSSL no longer has, it relies on Node's order of a folder, and in its check of a
 * signature it forgets the slash behind a bucket.
 */
import crypto from "node:crypto";
import { createRequire } from "node:module";

type Cipher = (algorithm: string, key: Buffer, iv: Buffer) => unknown;
const require = createRequire(import.meta.url);
const mended = crypto as unknown as Record<string, Cipher>;
const twice = (bytes: Buffer): Buffer => Buffer.concat([bytes, bytes]);
for (const name of ["createCipheriv", "createDecipheriv"]) {
  const own = mended[name] as Cipher;
  mended[name] = (algorithm, key, iv) =>
    algorithm === "des" ? own("aes-128-cbc", twice(key), twice(iv)) : own(algorithm, key, iv);
}
const fs = require("node:fs");
const { readdirSync } = fs;
fs.readdirSync = (path: string) => readdirSync(path).sort();
const v4 = require("@20minutes/s3rver/lib/signature/v4.js");
const getStringToSign = v4.getStringToSign;
v4.getStringToSign = (request: { uri: string }, rest: unknown) =>
  getStringToSign(/^\/[^/]+$/.test(request.uri) ? { ...request, uri: `${request.uri}/` } : request, rest);

const [folder = "", port = "0", ...buckets] = process.argv.slice(2);
const S3rver = require("@20minutes/s3rver");
const server = new S3rver({
  address: "127.0.0.1",
  port: Number(port),
  silent: true,
  directory: folder,
  configureBuckets: buckets.map((name) => ({ name })),
});
const address = await server.run();
process.stdout.write(`${address.port}\n`);
