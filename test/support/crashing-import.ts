import { mock } from "bun:test";
import * as fs from "node:fs";

// Writes a certificate folder as an import does, and dies by SIGKILL at the given call into the file system; 0: never.
const [, , certsDir = "", at = "0", contents = ""] = process.argv;
let calls = 0;
const counted = Object.entries(fs).map(([name, value]): [string, unknown] => {
  if (typeof value !== "function" || !name.endsWith("Sync")) return [name, value];
  const call = value as (...args: unknown[]) => unknown;
  return [
    name,
    (...args: unknown[]) => {
      calls += 1;
      if (calls === Number(at)) process.kill(process.pid, "SIGKILL");
      return call(...args);
    },
  ];
});
mock.module("node:fs", () => Object.fromEntries(counted));
const { writeCertificateFolder } = await import("../../src/certificate-files.ts");
writeCertificateFolder(certsDir, "V", JSON.parse(contents));
console.log(calls);
