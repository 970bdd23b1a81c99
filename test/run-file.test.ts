import { afterEach, expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../src/clock.ts";
import { silentLog } from "../src/log.ts";
import { ownName } from "../src/process-name.ts";
import { keepRunFiles, listServices, openRunFile } from "../src/run-file.ts";

const folders: string[] = [];
async function dataDir(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tattile-run-"));
  folders.push(folder);
  return folder;
}
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

const START = new Date("2026-03-01T10:00:00Z");
const after = (ms: number): Date => new Date(START.getTime() + ms);

/** A run file that a process of this name left, renewed for the last time at `renewedAt`. */
async function leave(folder: string, task: string, processName: string, renewedAt = START): Promise<void> {
  await mkdir(join(folder, "run"), { recursive: true });
  const path = join(folder, "run", `${task}-${Bun.hash(processName)}.json`);
  const pid = Number(processName.split("/")[2]);
  await writeFile(path, JSON.stringify({ task, pid, process: processName, startedAt: START, version: "1" }));
  await utimes(path, renewedAt, renewedAt);
}

/** Names of processes of this machine, by whether they live and whether that can be seen. */
const [machine, boot, pid, startTime] = ownName("1").split("/");
const FINISHED = `${machine}/${boot}/${Bun.spawnSync(["true"]).pid}/1/1`;
const SUCCEEDED = `${machine}/${boot}/${pid}/1/1`;
/** As of the first process of a container, which any container has. */
const UNSEEN = `${machine}9/${boot}/1/${startTime}/1`;

async function states(folder: string, now: Date): Promise<string[]> {
  return (await listServices(folder, now)).map(({ task, state }) => `${task} ${state}`);
}

test("a data folder without run files has no services", async () => {
  expect(await listServices(await dataDir(), START)).toEqual([]);
});

test("a service that renews its file is running, and one that does not for more than 30 s is stalled", async () => {
  const folder = await dataDir();
  const file = await openRunFile(folder, "ingest", "1.2.3", START);
  expect(await listServices(folder, after(30_000))).toEqual([
    { task: "ingest", pid: process.pid, version: "1.2.3", state: "running", startedAt: START, renewedAt: START },
  ]);
  expect(await states(folder, after(30_001))).toEqual(["ingest stalled"]);
  // However long: its process can be seen.
  expect(await states(folder, after(86_400_000))).toEqual(["ingest stalled"]);
  await file.renew(after(30_000));
  expect(await states(folder, after(60_000))).toEqual(["ingest running"]);
});

for (const [name, why] of [
  [FINISHED, "its process has gone"],
  [SUCCEEDED, "another process has its pid now"],
] as const) {
  test(`a service is dead, whatever the age of its file, when ${why}`, async () => {
    const folder = await dataDir();
    await leave(folder, "sender", name);
    expect(await states(folder, START)).toEqual(["sender dead"]);
  });
}

test("a service of another container, which cannot be seen, counts as alive until it was silent for ten minutes", async () => {
  const folder = await dataDir();
  await leave(folder, "ingest", UNSEEN);
  expect(await states(folder, START)).toEqual(["ingest running"]);
  expect(await states(folder, after(600_000))).toEqual(["ingest stalled"]);
  expect(await states(folder, after(600_001))).toEqual(["ingest dead"]);
});

test("so does one of an earlier version, whose file does not say which process it is", async () => {
  const folder = await dataDir();
  const path = join(folder, "run", "api.json");
  await mkdir(join(folder, "run"));
  await writeFile(
    path,
    JSON.stringify({ task: "api", pid: 4_194_303, startTime: "1", startedAt: START, version: "0" }),
  );
  await utimes(path, START, START);
  expect(await states(folder, after(600_000))).toEqual(["api stalled"]);
  expect(await states(folder, after(600_001))).toEqual(["api dead"]);
});

test("two processes of one task each have a file, and neither touches the other's", async () => {
  const folder = await dataDir();
  const first = await openRunFile(folder, "ingest", "1", START);
  const second = await openRunFile(folder, "ingest", "1", START);
  await first.renew(after(60_000));
  expect(await states(folder, after(60_000))).toEqual(["ingest running", "ingest stalled"]);
  await second.remove();
  await second.remove();
  expect(await states(folder, after(60_000))).toEqual(["ingest running"]);
  await first.remove();
  expect(await readdir(join(folder, "run"))).toEqual([]);
});

test("who starts removes what dead ones of its task left, and nobody tells of a dead one whose task is done again", async () => {
  const folder = await dataDir();
  for (const name of [FINISHED, SUCCEEDED, UNSEEN]) await leave(folder, "ingest", name);
  await leave(folder, "sender", FINISHED);
  expect(await states(folder, START)).toEqual(["ingest running", "sender dead"]);
  await openRunFile(folder, "ingest", "2", START);
  expect(await states(folder, START)).toEqual(["ingest running", "ingest running", "sender dead"]);
  expect((await readdir(join(folder, "run"))).length).toBe(3);
});

test("a service that was taken for dead while it was not heard of says again that it lives", async () => {
  const folder = await dataDir();
  const file = await openRunFile(folder, "ingest", "1", START);
  const written = await readFile(file.path, "utf8");
  await rm(file.path);
  await file.renew(after(1000));
  expect(await readFile(file.path, "utf8")).toBe(written);
  expect((await listServices(folder, after(1000)))[0]?.renewedAt).toEqual(after(1000));
});

test("a service sees the others, and of its own process those of another service", async () => {
  const folder = await dataDir();
  await leave(folder, "api", UNSEEN, new Date());
  const first = await keepRunFiles(["ingest", "sender"], folder, "1", systemClock, silentLog);
  const second = await keepRunFiles(["ingest"], folder, "1", systemClock, silentLog);
  const seen = async (files: typeof first): Promise<string[]> => (await files.others()).map(({ task }) => task);
  expect(await seen(first)).toEqual(["api", "ingest"]);
  expect(await seen(second)).toEqual(["api", "ingest", "sender"]);
  await first.remove();
  expect(await seen(second)).toEqual(["api"]);
  await second.remove();
  expect((await listServices(folder, new Date())).map(({ task }) => task)).toEqual(["api"]);
});

test("a run file that is no JSON is passed over", async () => {
  const folder = await dataDir();
  const { path } = await openRunFile(folder, "api", "1", START);
  await writeFile(path, "{");
  expect(await listServices(folder, START)).toEqual([]);
});
