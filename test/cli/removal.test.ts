import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ownName } from "../../src/process-name.ts";
import { openRunFile } from "../../src/run-file.ts";
import { createPki } from "../../src/simulator/pki.ts";
import { messageOf, takeIn, withStore } from "../support/queued-readings.ts";
import { claimRequest } from "../support/store-fixture.ts";
import { type CommandFolder, openCommandFolder } from "../support/tattile-command.ts";

const SERIALS = ["2001008851", "2001008852"] as const;
const PLATE = /1\d{3}BCD/;

/** A town with two cameras at an endpoint, and so many readings by turns. */
async function openTown(readings: number): Promise<CommandFolder> {
  const cli = await openCommandFolder();
  await done(cli, "endpoint", "add", "lectio", "https://police.example/");
  await done(cli, "municipality", "add", "Òdena", "--endpoint", "lectio");
  for (const serial of SERIALS) await done(cli, "camera", "add", serial, "--reader", serial, "--municipality", "Òdena");
  const messages = Array.from({ length: readings }, (_, i) => messageOf(SERIALS[i % 2] ?? "", `${1000 + i}BCD`, i));
  await takeIn(cli.dataDir, messages);
  return cli;
}

async function done(cli: CommandFolder, ...words: string[]): Promise<string> {
  const said = await cli.run(...words);
  expect([words.join(" "), said.stderr, said.code]).toEqual([words.join(" "), "", 0]);
  return said.stdout.trimEnd();
}

async function json<T>(cli: CommandFolder, ...words: string[]): Promise<T> {
  return JSON.parse(await done(cli, ...words, "--json"));
}

function pictures(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return (readdirSync(folder, { recursive: true }) as string[]).filter((name) => name.endsWith(".jpg")).toSorted();
}

async function rows(cli: CommandFolder): Promise<Record<string, number>> {
  const { tables } = await json<{ tables: { table: string; rows: number }[] }>(cli, "totals");
  return Object.fromEntries(tables.map(({ table, rows }) => [table, rows]));
}

/** Whether a plate can still be read in anything tattile keeps, by name or content. */
function holdsPlate(cli: CommandFolder): boolean {
  const names = readdirSync(cli.dataDir, { recursive: true, withFileTypes: true });
  return names.some(
    (entry) =>
      PLATE.test(entry.name) ||
      (entry.isFile() && PLATE.test(readFileSync(join(entry.parentPath, entry.name)).toString("latin1"))),
  );
}

test("a camera goes with its readings and images, after the numbers were said", async () => {
  await using cli = await openTown(4);
  const remove = ["camera", "remove", SERIALS[0]];
  expect(await done(cli, ...remove, "--dry-run")).toBe(
    "would remove camera 2001008851 and erase 2 stored readings and 4 images, unsent",
  );
  expect(await cli.run(...remove)).toMatchObject({ code: 2, stderr: expect.stringContaining("2 stored readings") });
  expect((await rows(cli))["cameras"]).toBe(2);
  expect(await json<object>(cli, ...remove, "--dry-run")).toMatchObject({ readings: 2, images: 4 });
  expect(await done(cli, ...remove, "--yes")).toBe("removed camera 2001008851, erased 2 readings and 4 images");
  expect(await rows(cli)).toMatchObject({ cameras: 1, alpr_readings: 2, messages_queue: 2 });
  expect(pictures(join(cli.dataDir, "images")).length).toBe(4);
});

test("a camera whose queue is kept is off, still listed as leaving, and stays after all when it is added again", async () => {
  await using cli = await openTown(2);
  const keep = ["camera", "remove", SERIALS[0], "--yes"];
  expect(await done(cli, ...keep, "--keep-queue")).toContain("it goes with the last of its 1 reading");
  expect(await json<object[]>(cli, "camera", "list")).toMatchObject([
    { active: false, leaving: true },
    { active: true },
  ]);
  expect(await rows(cli)).toMatchObject({ cameras: 2, alpr_readings: 2 });
  await done(cli, "camera", "add", SERIALS[0], "--reader", "1", "--municipality", "Òdena");
  expect(await json<object[]>(cli, "camera", "list")).toMatchObject([{ active: true, leaving: false }, {}]);
  expect(await done(cli, ...keep, "--keep-readings")).toContain("it goes with");
  await done(cli, "queue", "discard", "--camera", SERIALS[0], "--yes");
  expect(await done(cli, ...keep, "--keep-queue")).toBe("removed camera 2001008851");
});

test("images are copied to a folder before they go, and a second try finds them there", async () => {
  await using cli = await openTown(2);
  const kept = join(cli.folder, "kept");
  const before = pictures(join(cli.dataDir, "images"));
  await mkdir(kept);
  await done(cli, "camera", "remove", SERIALS[0], "--keep-queue", "--keep-images", kept, "--yes");
  expect(pictures(kept)).toEqual(before.filter((path) => path.startsWith(SERIALS[0])));
  expect(await done(cli, "camera", "remove", SERIALS[0], "--keep-images", kept, "--yes")).toBe(
    `removed camera 2001008851, erased 1 reading and 2 images, kept 2 images in ${kept}`,
  );
  expect(pictures(join(cli.dataDir, "images")).length).toBe(2);
  await writeFile(join(cli.folder, "file"), "");
  const said = await cli.run("camera", "remove", SERIALS[1], "--keep-images", join(cli.folder, "file", "x"), "--yes");
  expect([said.code, said.stderr]).toEqual([1, expect.stringContaining("--keep-images")]);
  expect((await rows(cli))["alpr_readings"]).toBe(1);
});

test("what arrives while the question stands is copied too, and a folder that fails leaves the camera on", async () => {
  await using cli = await openTown(2);
  const kept = join(cli.folder, "kept");
  await mkdir(kept);
  const arrives = async (): Promise<void> => {
    await takeIn(cli.dataDir, [messageOf(SERIALS[0], "1777BCD", 50)]);
  };
  const remove = ["camera", "remove", SERIALS[0], "--keep-images"];
  const said = await cli.onTerminal({ answers: [["Type yes", "yes", arrives]] }, ...remove, kept);
  expect(said.stdout).toContain("erased 2 readings and 4 images, kept 4 images");
  expect(pictures(kept).filter((path) => path.includes("1777BCD")).length).toBe(2);
  const file = join(cli.dataDir, "images", pictures(join(cli.dataDir, "images"))[0] ?? "");
  await rm(file);
  await mkdir(file);
  const failed = await cli.run("camera", "remove", SERIALS[1], "--keep-images", kept, "--yes");
  expect(failed.code).toBe(1);
  expect(await json<object[]>(cli, "camera", "list")).toMatchObject([
    { serial: SERIALS[1], active: true, leaving: false },
  ]);
});

test("a camera of which a reading is being sent goes with it; its municipality waits for that, and says what went", async () => {
  await using cli = await openTown(5);
  await withStore(cli.dataDir, (store) => store.claim(claimRequest({ limit: 1 }), new Date()));
  expect(await cli.run("municipality", "remove", "Òdena", "--cascade", "--yes")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`readings of ${SERIALS[0]} are being sent (erased so far: 4)`),
  });
  expect(await json<object[]>(cli, "camera", "list")).toMatchObject([{ serial: SERIALS[0], leaving: true }]);
  const remove = ["camera", "remove", SERIALS[0], "--yes"];
  expect(await json<object>(cli, ...remove)).toMatchObject({ removed: false, readings: 0, waiting: 1 });
  expect(await done(cli, ...remove)).toBe(
    "erased 0 readings and 0 images\ncamera 2001008851 is off; it goes with the last of its 1 reading",
  );
  await withStore(cli.dataDir, (store) => store.releaseOwner("machine/boot/1/1", new Date()));
  expect(await done(cli, ...remove)).toBe("removed camera 2001008851, erased 1 reading and 2 images");
  expect(await done(cli, "municipality", "remove", "Òdena", "--yes")).toBe("removed municipality Òdena");
});

test("a municipality goes alone when nothing uses it, and by --cascade with its cameras and theirs", async () => {
  await using cli = await openTown(3);
  const remove = ["municipality", "remove", "Òdena", "--yes"];
  expect(await cli.run(...remove)).toMatchObject({ code: 1, stderr: expect.stringContaining("3 waiting messages") });
  expect(await done(cli, ...remove, "--cascade", "--dry-run")).toBe(
    "would remove municipality Òdena with 2 cameras, 3 stored readings and 6 images, unsent",
  );
  expect(await done(cli, ...remove, "--cascade")).toBe(
    "removed municipality Òdena with 2 cameras, erased 3 readings and 6 images",
  );
  expect(await rows(cli)).toMatchObject({ cameras: 0, municipalities: 0, endpoints: 1, alpr_readings: 0 });
  expect(holdsPlate(cli)).toBe(false);
});

test("an endpoint that is used goes by --force only, and its users have none then", async () => {
  await using cli = await openTown(0);
  await done(cli, "camera", "set", SERIALS[0], "--endpoint", "lectio");
  expect((await cli.run("endpoint", "remove", "lectio", "--yes")).code).toBe(1);
  expect(await done(cli, "endpoint", "remove", "lectio", "--force", "--dry-run")).toContain("from Òdena and 1 camera");
  await done(cli, "endpoint", "remove", "lectio", "--force", "--yes");
  expect(await json<object>(cli, "municipality", "show", "Òdena")).toMatchObject({ endpoint: null });
  expect(await json<object>(cli, "camera", "show", SERIALS[0])).toMatchObject({ endpoint: null });
});

test("a certificate in use goes by --force only, with its key", async () => {
  await using cli = await openTown(0);
  const issued = await (await createPki({ now: new Date() })).issueClient({
    organization: "Òdena",
    commonName: "Seal",
  });
  await writeFile(join(cli.folder, "seal.pfx"), await issued.pfx("secret"));
  await cli.runWith({ stdin: "secret" }, "cert", "import", "seal.pfx", "--municipality", "Òdena", "--password-stdin");
  const keys = (): string[] =>
    (readdirSync(join(cli.dataDir, "certs"), { recursive: true }) as string[]).filter((name) =>
      name.endsWith("key.pem"),
    );
  expect((await cli.run("cert", "remove", "1", "--yes")).code).toBe(1);
  expect(keys()).not.toEqual([]);
  expect(await done(cli, "cert", "remove", "1", "--force", "--yes")).toBe("removed certificate 1 (Òdena)");
  expect(keys()).toEqual([]);
  expect(await json<object>(cli, "municipality", "show", "Òdena")).toMatchObject({ certificate: null });
});

test("wiping the queue takes what waits, and what is being sent stays", async () => {
  await using cli = await openTown(3);
  await withStore(cli.dataDir, (store) => store.claim(claimRequest({ limit: 1 }), new Date()));
  expect(await done(cli, "wipe", "queue", "--dry-run")).toBe("would erase 2 waiting readings");
  expect(await cli.run("wipe", "queue")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("2 waiting readings"),
  });
  expect(await done(cli, "wipe", "queue", "--yes")).toBe("erased 2 readings, 4 images");
  expect(await rows(cli)).toMatchObject({ alpr_readings: 1, messages_queue: 1, cameras: 2 });
  expect(await cli.run("wipe", "all", "--yes")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("still being sent: 1 reading"),
  });
});

test("wiping all needs the service stopped, and takes what a service was sending when it died", async () => {
  await using cli = await openTown(3);
  const [machine, boot] = ownName("1").split("/");
  const child = Bun.spawnSync(["true"]);
  const owner = `${machine}/${boot}/${child.pid}/1/1`;
  await withStore(cli.dataDir, (store) => store.claim(claimRequest({ owner, limit: 2 }), new Date()));
  const runFile = await openRunFile(cli.dataDir, "sender", "1", new Date());
  const refused = await cli.run("wipe", "all", "--yes");
  await runFile.remove();
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("a service runs here (sender") });
  expect(await rows(cli)).toMatchObject({ alpr_readings: 3, cameras: 2 });
  expect(await done(cli, "wipe", "all", "--yes")).toContain("erased 3 readings");
  expect(await rows(cli)).toMatchObject({ alpr_readings: 0, cameras: 0 });
});

test("wiping images leaves readings without them", async () => {
  await using cli = await openTown(2);
  expect(await json<object>(cli, "wipe", "images", "--dry-run")).toEqual({ would: { storedReadingsWithImages: 2 } });
  expect(await done(cli, "wipe", "images", "--yes")).toBe("erased 2 readings, 4 images");
  expect(pictures(join(cli.dataDir, "images"))).toEqual([]);
  expect(await json<object[]>(cli, "readings", "list")).toMatchObject([
    { images: { ocr: false, ctx: false } },
    { images: { ocr: false, ctx: false } },
  ]);
});

test("wiping readings takes waiting, dead and held ones, and no plate can be read any more", async () => {
  await using cli = await openTown(3);
  await takeIn(cli.dataDir, [messageOf("9999999999", "1999BCD", 40)]);
  expect(holdsPlate(cli)).toBe(true);
  expect(await done(cli, "wipe", "readings", "--dry-run")).toBe("would erase 3 stored readings, 1 held message");
  expect(await done(cli, "wipe", "readings", "--yes")).toBe("erased 3 readings, 6 images, 1 held message");
  expect(await rows(cli)).toMatchObject({ alpr_readings: 0, quarantine: 0, cameras: 2 });
  expect(holdsPlate(cli)).toBe(false);
  expect(await done(cli, "wipe", "readings", "--yes")).toBe("erased nothing");
});

test("wiping all leaves an empty store and the audit log", async () => {
  await using cli = await openTown(2);
  const said = await cli.onTerminal({ answers: [["Type yes", "yes"]] }, "wipe", "all");
  expect(said.stdout).toContain("2 stored readings, 2 cameras, 1 municipality, 1 endpoint");
  expect(said.code).toBe(0);
  const left = Object.entries(await rows(cli)).filter(([, count]) => count > 0);
  // How many messages there ever were, and that none of them is there, tells nothing of anybody.
  expect(left.map(([table]) => table)).toEqual(["audit_log", "balance", "queue_counts"]);
  expect(await json<object[]>(cli, "audit", "list")).toMatchObject([{ what: "everything wipe" }]);
  expect(holdsPlate(cli)).toBe(false);
});
