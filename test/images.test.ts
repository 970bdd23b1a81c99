import { describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { errorText } from "../src/errors.ts";
import { openDiskStore } from "../src/images/disk.ts";
import { createFileByFileSync, createFilesystemSync, type FilesystemSync } from "../src/images/filesystem-sync.ts";

const picture = new Uint8Array([0xff, 0xd8, 1, 2, 3, 0xff, 0xd9]);

function temporaryFolder() {
  const path = mkdtempSync(join(tmpdir(), "tattile-images-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

async function rejection(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => "nothing was refused",
    (error: unknown) => errorText(error),
  );
}

/** Runs `script` in a process under a limit of the shell; `images` is a store of `root`. @returns what it printed */
function underLimit(limit: string, root: string, script: string): string {
  const module = new URL("../src/images/disk.ts", import.meta.url).pathname;
  const program = `import { openDiskStore } from ${JSON.stringify(module)};
    const images = openDiskStore(${JSON.stringify(root)});
    ${script}`;
  const command = `trap '' XFSZ; ulimit ${limit}; exec "$0" -e "$1"`;
  const { stdout, stderr } = Bun.spawnSync(["sh", "-c", command, process.execPath, program]);
  return `${stdout}${stderr}`.trim();
}

describe("pictures on disk", () => {
  test("that cannot be written whole are taken away again", () => {
    using folder = temporaryFolder();
    const said = underLimit(
      "-f 8",
      folder.path,
      `await images.put("CAM/a_ocr.jpg", new Uint8Array(100_000)).catch((error) => console.log(error.message));`,
    );
    expect(said).toBe(`writing an image: EFBIG (${folder.path})`);
    expect(readdirSync(join(folder.path, "CAM"))).toEqual([]);
  });

  test("that cannot be replaced whole stay as they were, with nothing beside them", () => {
    using folder = temporaryFolder();
    mkdirSync(join(folder.path, "CAM"));
    writeFileSync(join(folder.path, "CAM/a_ocr.jpg"), picture);
    const said = underLimit(
      "-f 8",
      folder.path,
      `await images.replace("CAM/a_ocr.jpg", new Uint8Array(100_000)).catch((error) => console.log(error.message));`,
    );
    expect(said).toBe(`writing an image: EFBIG (${folder.path})`);
    expect(readdirSync(join(folder.path, "CAM"))).toEqual(["a_ocr.jpg"]);
    expect(statSync(join(folder.path, "CAM/a_ocr.jpg")).size).toBe(picture.length);
  });

  test("of others stay, whatever keeps one of the same name from being opened", () => {
    using folder = temporaryFolder();
    mkdirSync(join(folder.path, "CAM"));
    writeFileSync(join(folder.path, "CAM/a_ocr.jpg"), picture);
    const said = underLimit(
      "-n 40",
      folder.path,
      `import { openSync } from "node:fs";
      try { for (;;) openSync("/dev/null", "r"); } catch {}
      await images.put("CAM/a_ocr.jpg", new Uint8Array(9)).catch((error) => console.log(error.message));`,
    );
    expect(said).toBe(`writing an image: EMFILE (${folder.path})`);
    expect(statSync(join(folder.path, "CAM/a_ocr.jpg")).size).toBe(picture.length);
  });

  test("are read back as they were put, with narrow permissions", async () => {
    using folder = temporaryFolder();
    const images = openDiskStore(join(folder.path, "images"));
    expect(await images.put("CAM/2026/01/23/a_ocr.jpg", picture)).toBe(true);
    await images.flush();
    expect(await images.read("CAM/2026/01/23/a_ocr.jpg")).toEqual(Buffer.from(picture));
    expect(statSync(join(folder.path, "images/CAM/2026/01/23/a_ocr.jpg")).mode & 0o777).toBe(0o640);
    expect(statSync(join(folder.path, "images/CAM/2026")).mode & 0o777).toBe(0o750);
    images.close();
  });

  test("never replace one another", async () => {
    using folder = temporaryFolder();
    const images = openDiskStore(folder.path);
    expect(await images.put("CAM/a.jpg", picture)).toBe(true);
    expect(await images.put("CAM/a.jpg", new Uint8Array([9]))).toBe(false);
    expect(await images.read("CAM/a.jpg")).toEqual(Buffer.from(picture));
    images.close();
  });

  test("are replaced when a dead process left half of one, and whole ones stay as they are", async () => {
    using folder = temporaryFolder();
    const images = openDiskStore(folder.path);
    await images.replace("CAM/a.jpg", picture);
    await images.flush();
    writeFileSync(join(folder.path, "CAM/a.jpg"), picture.slice(0, 1));
    await images.replace("CAM/a.jpg", picture);
    await images.flush();
    expect(await images.read("CAM/a.jpg")).toEqual(Buffer.from(picture));
    expect(readdirSync(join(folder.path, "CAM"))).toEqual(["a.jpg"]);
    const { ino } = statSync(join(folder.path, "CAM/a.jpg"));
    await images.replace("CAM/a.jpg", picture);
    expect(statSync(join(folder.path, "CAM/a.jpg")).ino).toBe(ino);
    images.close();
  });

  test("leave no empty folders behind when erased, and erasing twice is no error", async () => {
    using folder = temporaryFolder();
    let nowMs = 0;
    const images = openDiskStore(folder.path, undefined, () => nowMs);
    await images.put("CAM/2026/01/23/a.jpg", picture);
    await images.put("CAM/2026/01/24/b.jpg", picture);
    nowMs += 60_000;
    expect(await images.erase(["CAM/2026/01/23/a.jpg", "CAM/2026/01/23/gone.jpg"])).toBe(1);
    expect(readdirSync(join(folder.path, "CAM/2026/01"))).toEqual(["24"]);
    expect(await images.erase(["CAM/2026/01/24/b.jpg"])).toBe(1);
    expect(await images.erase(["CAM/2026/01/24/b.jpg"])).toBe(0);
    expect(readdirSync(folder.path)).toEqual([]);
    images.close();
  });

  test("keep a folder that the next picture will need, until a listing finds it empty and out of use", async () => {
    using folder = temporaryFolder();
    let nowMs = 0;
    const images = openDiskStore(folder.path, undefined, () => nowMs);
    const listing = () => Array.fromAsync(images.list());
    await images.put("CAM/2026/01/23/a.jpg", picture);
    await images.put("OTHER/2026/01/23/b.jpg", picture);
    nowMs += 59_999;
    await images.erase(["CAM/2026/01/23/a.jpg"]);
    expect(await listing()).toHaveLength(1);
    expect(readdirSync(folder.path).sort()).toEqual(["CAM", "OTHER"]);
    nowMs += 1;
    expect(await listing()).toHaveLength(1);
    expect(readdirSync(folder.path)).toEqual(["OTHER"]);
    images.close();
  });

  test("are erased all but the one that cannot be", async () => {
    using folder = temporaryFolder();
    const images = openDiskStore(folder.path);
    for (const name of ["a", "b", "c"]) await images.put(`CAM/${name}.jpg`, picture);
    rmSync(join(folder.path, "CAM/a.jpg"));
    mkdirSync(join(folder.path, "CAM/a.jpg"));
    expect(await rejection(images.erase(["CAM/a.jpg", "CAM/b.jpg", "CAM/c.jpg"]))).toMatch(/^erasing an image: E/);
    expect(readdirSync(join(folder.path, "CAM"))).toEqual(["a.jpg"]);
    images.close();
  });

  test("whose files the system refuses are told of without the path, which holds the plate", async () => {
    using folder = temporaryFolder();
    const images = openDiskStore(folder.path);
    const path = "CAM/20260123T092557000Z_plate-1234BCD_ocr.jpg";
    mkdirSync(join(folder.path, path), { recursive: true });
    writeFileSync(join(folder.path, "FILE"), "");
    const texts = await Promise.all([
      rejection(images.read(path)),
      rejection(images.erase([path])),
      rejection(images.replace(path, picture)),
      rejection(images.put(`FILE/${path}`, picture)),
    ]);
    for (const text of texts) {
      expect(text).toMatch(/^(reading|erasing|writing) an image: E[A-Z]+ \(/);
      expect(text).not.toContain("1234BCD");
    }
    images.close();
  });

  test("are found where the replaced system left them, and absent ones are null", async () => {
    using folder = temporaryFolder();
    const images = openDiskStore(folder.path);
    await images.put("CAM/a.jpg", picture);
    expect(await images.read("data/images/CAM/a.jpg")).toEqual(Buffer.from(picture));
    expect(await images.read(join(folder.path, "CAM/a.jpg"))).toEqual(Buffer.from(picture));
    expect(await images.read("CAM/b.jpg")).toBeNull();
    images.close();
  });

  test("are listed with their age, folder by folder", async () => {
    using folder = temporaryFolder();
    const images = openDiskStore(folder.path);
    await images.put("CAM/2026/a.jpg", picture);
    writeFileSync(join(folder.path, "old.jpg"), picture);
    utimesSync(join(folder.path, "old.jpg"), 1000, 1000);
    const seen = new Map<string, number>();
    for await (const { folder: name, files } of images.list()) {
      for (const file of files) seen.set(`${name}/${file.name}`, file.modifiedAt.getTime());
    }
    expect([...seen.keys()].sort()).toEqual(["/old.jpg", "CAM/2026/a.jpg"]);
    expect(seen.get("/old.jpg")).toBe(1_000_000);
    images.close();
  });

  test("that the disk did not take are told at flush and synced with the next one, unless they were erased", async () => {
    using folder = temporaryFolder();
    const { sync, synced, disk } = notingSync(folder.path);
    const images = openDiskStore(folder.path, sync);
    for (const name of ["a", "b"]) await images.put(`CAM/${name}.jpg`, picture);
    disk.isFailing = true;
    await expect(images.flush()).rejects.toThrow("EIO");
    disk.isFailing = false;
    await images.put("CAM/c.jpg", picture);
    await images.erase(["CAM/a.jpg"]);
    await images.flush();
    await images.flush();
    expect(synced).toEqual([["b.jpg", "c.jpg"]]);
    images.close();
  });

  test("that are put while others are synced are synced with the next flush, which waits for its turn", async () => {
    using folder = temporaryFolder();
    const { sync, synced, disk } = notingSync(folder.path);
    const images = openDiskStore(folder.path, sync);
    await images.put("CAM/a.jpg", picture);
    const turn = Promise.withResolvers<void>();
    disk.turn = turn.promise;
    const first = images.flush();
    await Bun.sleep(1);
    await images.put("CAM/b.jpg", picture);
    const second = images.flush();
    await Bun.sleep(1);
    expect(synced).toEqual([]);
    turn.resolve();
    await Promise.all([first, second]);
    expect(synced).toEqual([["a.jpg"], ["b.jpg"]]);
    images.close();
  });

  test("that are written again whole are synced all the same: who wrote them may have died before", async () => {
    using folder = temporaryFolder();
    const { sync, synced } = notingSync(folder.path);
    const images = openDiskStore(folder.path, sync);
    writeFileSync(join(folder.path, "a.jpg"), picture);
    await images.replace("a.jpg", picture);
    await images.flush();
    expect(synced).toEqual([["a.jpg"]]);
    images.close();
  });

  test("of which the disk takes only the beginning are refused and leave no file", () => {
    using folder = temporaryFolder();
    const source = new URL("../src/images/disk.ts", import.meta.url).pathname;
    const code = `
      const { openDiskStore } = await import(${JSON.stringify(source)});
      const images = openDiskStore(process.cwd());
      await images.put("small.jpg", new Uint8Array(1000));
      console.log(await images.put("large.jpg", new Uint8Array(5000)).catch((error) => error.message));
      images.close();`;
    // The system takes 2048 bytes of a file and then no more, as a disk does that fills up.
    const limited = ["bash", "-c", 'trap "" XFSZ; ulimit -f 2; exec "$@"', "bash", process.execPath, "-e", code];
    const { stdout, stderr } = Bun.spawnSync(limited, { cwd: folder.path });
    expect(`${stdout}${stderr}`).toStartWith("writing an image: EFBIG (");
    expect(readdirSync(folder.path)).toEqual(["small.jpg"]);
  });
});

/** A disk that takes what it is given when the test says so, and which files that were. */
function notingSync(root: string) {
  const synced: string[][] = [];
  const disk: { isFailing: boolean; turn: Promise<void> } = { isFailing: false, turn: Promise.resolve() };
  const sync: FilesystemSync = {
    sync: async (files) => {
      await disk.turn;
      if (disk.isFailing) throw new Error("EIO");
      for (const file of files) expect(file).toStartWith(root);
      synced.push(files.map((file) => basename(file)));
    },
    close() {},
  };
  return { sync, synced, disk };
}

describe("making a group durable", () => {
  for (const [name, create] of [
    ["with one syncfs", (root: string) => createFilesystemSync(root, "6.1.0")],
    ["file by file on an old kernel", (root: string) => createFilesystemSync(root, "4.19.0")],
  ] as const) {
    test(`works ${name}`, async () => {
      using folder = temporaryFolder();
      const images = openDiskStore(folder.path, create(folder.path));
      for (let n = 0; n < 20; n++) await images.put(`CAM/${n}/a.jpg`, picture);
      await Promise.all([images.flush(), images.flush()]);
      await images.flush();
      images.close();
      await expect(images.flush()).resolves.toBeUndefined();
    });
  }

  test("with one syncfs tells when the system could not do it", () => {
    using folder = temporaryFolder();
    const source = new URL("../src/images/filesystem-sync.ts", import.meta.url).pathname;
    // A process of its own, since it closes the descriptor under the other's feet.
    const code = `
      const { createFilesystemSync } = await import(${JSON.stringify(source)});
      const { closeSync, readdirSync, readlinkSync } = await import("node:fs");
      const sync = createFilesystemSync(process.cwd(), "6.1.0");
      const target = (fd) => { try { return readlinkSync("/proc/self/fd/" + fd); } catch { return null; } };
      await sync.sync(["a"]);
      for (const fd of readdirSync("/proc/self/fd")) if (target(fd) === process.cwd()) closeSync(Number(fd));
      console.log(await sync.sync(["a"]).then(() => "synced", (error) => error.message));
      process.exit(0);`;
    const { stdout, stderr } = Bun.spawnSync([process.execPath, "-e", code], { cwd: folder.path });
    expect(`${stdout}${stderr}`).toStartWith("syncing images: the disk reported a write error (");
  });

  test("file by file tells of a file that cannot be synced", async () => {
    using folder = temporaryFolder();
    await expect(createFileByFileSync(folder.path).sync([join(folder.path, "absent")])).rejects.toThrow();
    // The folder that holds the names too.
    await expect(createFileByFileSync(join(folder.path, "absent")).sync([])).rejects.toThrow();
  });
});
