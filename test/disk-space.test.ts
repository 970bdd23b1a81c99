import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { foldersOfReadings, readSpace } from "../src/images/disk-space.ts";
import { openImages } from "../src/images/open.ts";

/** Two folders on two disks: the machine's own, and the one that lies in memory. */
async function twoDisks() {
  const [own, memory] = [tmpdir(), "/dev/shm"].map((disk) => mkdtempSync(join(disk, "tattile-space-")));
  if (own === undefined || memory === undefined) throw new Error("no folders");
  const freeOf = async (folder: string): Promise<number> => {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  };
  return {
    own,
    memory,
    fuller: (await freeOf(own)) < (await freeOf(memory)) ? own : memory,
    [Symbol.dispose]() {
      for (const folder of [own, memory]) rmSync(folder, { recursive: true, force: true });
    },
  };
}

test("the fuller disk counts, whether DATA_DIR lies on it or the pictures do", async () => {
  using disks = await twoDisks();
  const total = (await readSpace([disks.fuller])).totalBytes;
  for (const [imagesDir, dataDir] of [
    [disks.own, disks.memory],
    [disks.memory, disks.own],
  ] as const) {
    const images = openImages({ imagesUrl: null, imagesDir, dataDir, quarantineDir: join(dataDir, "quarantine") });
    expect(await images.space()).toMatchObject({ folder: disks.fuller, totalBytes: total });
    images.close();
  }
});

test("a folder that is not there yet says nothing; with a bucket only DATA_DIR counts", async () => {
  using disks = await twoDisks();
  expect((await readSpace([join(disks.own, "none"), disks.memory])).folder).toBe(disks.memory);
  expect((await readSpace([join(disks.own, "none")])).freeBytes).toBe(0);
  const config = { imagesDir: "/pictures", dataDir: "/data" };
  expect(foldersOfReadings({ ...config, imagesUrl: null })).toEqual(["/pictures", "/data"]);
  const imagesUrl = { bucket: "b", prefix: "", endpoint: "https://s3.example", region: "r", credentials: null };
  expect(foldersOfReadings({ ...config, imagesUrl: { ...imagesUrl, credentialsFile: null } })).toEqual(["/data"]);
});
