import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openDiskStore } from "../../src/images/disk.ts";
import { copyStore } from "../../src/store/copy.ts";
import type { Store } from "../../src/store/store.ts";
import { ObjectStore } from "../support/object-store.ts";
import { usePostgres } from "../support/postgres-server.ts";
import { openIn } from "../support/postgres-store.ts";
import { messageOf, takeIn } from "../support/queued-readings.ts";
import {
  addCamera,
  addCameras,
  addMunicipality,
  after,
  newCertificate,
  readingEntry,
  SqliteUnderTest,
  START,
  talliesOf,
} from "../support/store-fixture.ts";
import { type CommandFolder, openCommandFolder } from "../support/tattile-command.ts";

const server = usePostgres();
const SERIAL = "2001008851";

async function openTown(readings: number): Promise<CommandFolder> {
  const cli = await openCommandFolder();
  await cli.run("endpoint", "add", "Police", "https://police.example/ws");
  await cli.run("municipality", "add", "Òdena", "--endpoint", "Police");
  await cli.run("camera", "add", SERIAL, "--reader", "R1", "--municipality", "Òdena");
  await takeIn(cli.dataDir, [
    ...Array.from({ length: readings }, (_, i) => messageOf(SERIAL, `${1000 + i}BCD`, i)),
    messageOf("2001009999", "9999XYZ", 1),
  ]);
  return cli;
}

describe("db copy", () => {
  test("moves registrations, queue, held messages and hashes to PostgreSQL, compares them, and is done again without harm", async () => {
    await using cli = await openTown(12);
    await server().createDatabase("copied");
    expect((await cli.run("token", "create", "screen", "--role", "viewer")).code).toBe(0);
    const before = readFileSync(join(cli.dataDir, "tattile.db"));
    const copy = (...more: string[]) => cli.run("db", "copy", "--to", server().url("copied"), "--yes", ...more);
    const planned = JSON.parse((await copy("--dry-run", "--json")).stdout);
    expect(planned).toMatchObject({ from: join(cli.dataDir, "tattile.db"), would: expect.stringContaining("copy ") });
    expect(JSON.stringify(planned)).not.toContain("password");
    const first = await copy("--json");
    expect(first.stderr).toBe("");
    const report = JSON.parse(first.stdout);
    expect(report).toMatchObject({ cameras: 1, messages: 12, heldMessages: 1, hashes: 12, files: 0 });
    expect(report).toMatchObject({ tokens: 1, cameraHours: 1 });
    expect(JSON.parse((await copy("--json")).stdout)).toEqual(report);
    expect(readFileSync(join(cli.dataDir, "tattile.db"))).toEqual(before);

    const on = (...words: string[]) => cli.runWith({ env: { DATABASE_URL: server().url("copied") } }, ...words);
    expect(JSON.parse((await on("queue", "list", "--json")).stdout)).toHaveLength(12);
    expect(JSON.parse((await on("quarantine", "list", "--json")).stdout)).toHaveLength(1);
    const checked = JSON.parse((await on("db", "check", "--json")).stdout);
    expect(checked).toMatchObject({ good: true, faults: [], files: { missing: { count: 0 }, heldMissing: 0 } });
    expect((await on("municipality", "list")).stdout).toContain("Òdena");
    expect((await on("token", "list")).stdout).toContain("screen");
    expect((await on("audit", "list")).stdout).toContain("token add");
    const human = await copy();
    expect(human.stdout).toContain(
      "copied and compared: 1 camera, 12 messages, 1 held message, 12 remembered readings",
    );
    expect(human.stdout).toContain("next: set DATABASE_URL");
  });

  test("brings pictures and held messages into a bucket, and leaves them where they were too", async () => {
    await using bucket = await ObjectStore.open();
    await using cli = await openTown(5);
    await server().createDatabase("bucketed");
    const settings = { ...bucket.settings, DATABASE_URL: server().url("bucketed") };
    const { stdout, stderr } = await cli.runWith({ env: settings }, "db", "copy", "--yes", "--json");
    expect(stderr).toBe("");
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ messages: 5, heldMessages: 1, missingFiles: 0 });
    const names: string[] = [];
    for await (const { files } of bucket.create({ prefix: "girona/" }).list())
      names.push(...files.map(({ name }) => name));
    expect(names.length).toBe(report.files);
    expect(names.filter((name) => name.endsWith(".msg"))).toHaveLength(1);
    const local = openDiskStore(join(cli.dataDir, "images"));
    for await (const { folder, files } of local.list()) {
      for (const { name } of files) {
        const path = `${folder}/${name}`;
        expect(Buffer.from((await bucket.create().read(path)) ?? [])).toEqual(
          Buffer.from((await local.read(path)) ?? []),
        );
      }
    }
    local.close();
  });

  test("refuses a target that holds something, a password on the command line, and nowhere to go", async () => {
    await using cli = await openTown(1);
    await using other = await openTown(2);
    await server().createDatabase("taken");
    const to = server().url("taken");
    expect(await other.run("db", "copy", "--to", to, "--yes")).toMatchObject({ code: 0 });
    const refused = await cli.run("db", "copy", "--to", to, "--yes");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("the target holds something already (2 readings)");
    const secret = await cli.run("db", "copy", "--to", "postgresql://u:hunter2@db.example/t", "--yes");
    expect(secret.code).toBe(2);
    expect(secret.stderr).not.toContain("hunter2");
    expect(await cli.run("db", "copy", "--yes")).toMatchObject({ code: 2 });
    expect(await cli.run("db", "copy", "--to", to)).toMatchObject({ code: 2 });
  });

  test("takes the password from a file", async () => {
    await using cli = await openTown(1);
    await server().createDatabase("secret");
    const file = join(cli.folder, "pg.txt");
    writeFileSync(file, "unused where the server trusts\n", { mode: 0o600 });
    const done = await cli.run("db", "copy", "--to", server().url("secret"), "--password-file", file, "--yes");
    expect(done).toMatchObject({ code: 0 });
  });
});

/** A token, an audit log, a staged certificate and a camera that leaves. */
async function fillRecords(store: Store, entries = 1500): Promise<void> {
  await store.addToken({
    name: "Screen",
    role: "viewer",
    hash: new Uint8Array(32).fill(1),
    createdAt: START,
    expiresAt: null,
  });
  for (let n = 1; n <= entries; n++) {
    await store.recordAudit({ who: "jordi (cli)", what: "plates show", messageId: n, detail: "" }, after(n));
  }
  const municipality = await addMunicipality(store, "Vic");
  await store.stageRotation(municipality, await store.addCertificate(newCertificate("next")), after(7));
  await store.retireCamera(await addCamera(store, "leaving", municipality));
}

describe("copying a store", () => {
  const open = openIn(server);

  /** Throws at the n-th call that writes, before or after it was done. */
  function dyingAt(store: Store, death: { left: number }, when: "before" | "after"): Store {
    const writes = [
      "transfer",
      "importMessages",
      "addHashes",
      "saveCamera",
      "saveMunicipality",
      "saveEndpoint",
      "importRecords",
      "retireCamera",
      "stageRotation",
    ];
    return new Proxy(store, {
      get(inner, name) {
        const member: unknown = Reflect.get(inner, name);
        if (typeof member !== "function" || !writes.includes(String(name))) return member;
        return async (...words: unknown[]) => {
          const dies = death.left-- === 0;
          if (dies && when === "before") throw new Error("died");
          const result: unknown = await Reflect.apply(member, inner, words);
          if (dies) throw new Error("died");
          return result;
        };
      },
    });
  }

  test("that dies at any write goes on where it was, and copies everything once", async () => {
    await using from = await SqliteUnderTest.open();
    await addCameras(from.store, "A", "B");
    const entries = Array.from({ length: 600 }, (_, n) => readingEntry(n + 1, n % 2 === 0 ? "A" : "B"));
    for (let at = 0; at < entries.length; at += 100) await from.store.enqueue(entries.slice(at, at + 100), after(at));
    await from.store.enqueue([{ kind: "not-read", cameraSerial: "A", receivedAt: START }], START);
    await fillRecords(from.store);
    let deaths = 0;
    for (const when of ["before", "after"] as const) {
      for (let deathAt = 0; ; deathAt++) {
        await using to = await open();
        const copy = (target: Store) =>
          copyStore({
            source: from.store,
            sourceId: "x",
            target,
            images: null,
            quarantine: null,
            now: () => START,
            onProgress() {},
          });
        const death = { left: deathAt };
        const died = await copy(dyingAt(to.store, death, when)).then(
          () => false,
          () => true,
        );
        const report = await copy(to.store);
        expect(report).toMatchObject({ cameras: 3, messages: 600, hashes: 600 });
        expect(report).toMatchObject({ tokens: 1, auditEntries: 1500, minutes: 1, cameraHours: 2 });
        expect(await talliesOf(to.store, "A")).toEqual({ queued: 300, "not-read": 1 });
        expect((await to.store.listAudit({ limit: 10_000 })).length).toBe(1500);
        expect((await to.store.exportAudit(0, 1))[0]).toMatchObject({
          messageId: null,
          detail: "(message 1 before the copy)",
        });
        expect(await to.store.listMinutes(START)).toEqual(await from.store.listMinutes(START));
        expect(await to.store.listCameraHours(START)).toEqual(await from.store.listCameraHours(START));
        expect(await to.store.exportTokens()).toEqual(await from.store.exportTokens());
        expect(await to.store.listRotations()).toMatchObject([{ state: "staged", stagedAt: after(7) }]);
        expect((await to.store.listRetiring()).length).toBe(1);
        expect(await to.store.findFaults()).toEqual([]);
        if (!died) break;
        deaths += 1;
      }
    }
    expect(deaths).toBeGreaterThan(12);
  });

  test("whose token has a name that is taken in the target is told so, and tells nothing of either token", async () => {
    await using from = await SqliteUnderTest.open();
    await using to = await open();
    await fillRecords(from.store, 1);
    await to.store.addToken({
      name: "screen",
      role: "admin",
      hash: new Uint8Array(32).fill(7),
      createdAt: START,
      expiresAt: null,
    });
    const deps = { source: from.store, sourceId: "x", target: to.store, images: null, quarantine: null };
    await expect(copyStore({ ...deps, now: () => START, onProgress() {} })).rejects.toMatchObject({
      code: "conflict",
      message: "copying: the target has another token of this name (Screen)",
    });
  });

  test("of which the target lost an entry of the audit log is told to differ", async () => {
    await using from = await SqliteUnderTest.open();
    await using to = await open();
    await fillRecords(from.store, 5);
    const deps = { source: from.store, sourceId: "x", target: to.store, images: null, quarantine: null };
    const copy = () => copyStore({ ...deps, now: () => START, onProgress() {} });
    expect(await copy()).toMatchObject({ auditEntries: 5 });
    await to.store.trimAudit({ before: START, count: 4 }, 1);
    await expect(copy()).rejects.toMatchObject({ code: "conflict" });
  });

  test("that was worked on meanwhile is told to differ", async () => {
    await using from = await SqliteUnderTest.open();
    await using to = await open();
    await addCameras(from.store, "A");
    await from.store.enqueue([readingEntry(1, "A")], START);
    const deps = {
      source: from.store,
      sourceId: "x",
      target: to.store,
      images: null,
      quarantine: null,
      now: () => START,
      onProgress() {},
    };
    await copyStore(deps);
    await to.store.enqueue([readingEntry(2, "A")], START);
    await expect(copyStore(deps)).rejects.toMatchObject({ code: "conflict" });
  });
});
