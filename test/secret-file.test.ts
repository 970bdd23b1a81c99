import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeFileDurably } from "../src/durable-file.ts";
import { openSecret } from "../src/secret-file.ts";

/** What two containers that share a folder are to each other: writers with the same number of a process. */
async function inOneFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "tattile-secret-"));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("those who make the secret at once agree on the one that the file holds", async () => {
  for (let round = 0; round < 20; round += 1) {
    await inOneFolder(async (folder) => {
      const path = join(folder, "dedupe.key");
      const secrets = await Promise.all(Array.from({ length: 8 }, () => openSecret(path)));
      const held = readFileSync(path).toString("hex");
      expect(secrets.map((secret) => Buffer.from(secret).toString("hex"))).toEqual(secrets.map(() => held));
      expect(readdirSync(folder)).toEqual(["dedupe.key"]);
    });
  }
});

test("of those who write one file at once each writes it whole", async () => {
  await inOneFolder(async (folder) => {
    const path = join(folder, "site.yaml");
    const texts = ["a", "b", "c", "d"].map((letter) => letter.repeat(100_000));
    await Promise.all(texts.map((text) => writeFileDurably(path, text, 0o640)));
    expect(texts).toContain(readFileSync(path, "utf8"));
    expect(readdirSync(folder)).toEqual(["site.yaml"]);
  });
});
