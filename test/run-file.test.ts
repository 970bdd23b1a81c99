import { afterEach, expect, test } from "bun:test";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listServices, openRunFile, processStart } from "../src/run-file.ts";

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

test("a data folder without run files has no services", async () => {
  expect(await listServices(await dataDir(), START)).toEqual([]);
});

test("a service that renews its file is running, and one that does not for more than 30 s is stalled", async () => {
  const folder = await dataDir();
  const file = await openRunFile(folder, "ingest", "1.2.3", START);
  const [service] = await listServices(folder, after(30_000));
  expect(service).toMatchObject({
    task: "ingest",
    pid: process.pid,
    version: "1.2.3",
    state: "running",
    startedAt: START,
  });
  expect((await listServices(folder, after(30_001)))[0]?.state).toBe("stalled");
  await file.renew(after(30_000));
  expect((await listServices(folder, after(60_000)))[0]?.state).toBe("running");
});

test("a service whose process has gone is dead, whatever the age of its file", async () => {
  const folder = await dataDir();
  const child = Bun.spawn(["true"]);
  await child.exited;
  await openRunFile(folder, "sender", "1", START);
  const facts = { task: "sender", pid: child.pid, startTime: "1", startedAt: START, version: "1" };
  await writeFile(join(folder, "run", "sender.json"), JSON.stringify(facts));
  expect((await listServices(folder, START))[0]?.state).toBe("dead");
});

test("a process that has the pid of an earlier service is not taken for it", async () => {
  const folder = await dataDir();
  await openRunFile(folder, "api", "1", START);
  const facts = { task: "api", pid: process.pid, startTime: "1", startedAt: START, version: "1" };
  await writeFile(join(folder, "run", "api.json"), JSON.stringify(facts));
  expect(await processStart(process.pid)).not.toBe("1");
  expect((await listServices(folder, START))[0]?.state).toBe("dead");
});

test("remove takes away only the file of its own process", async () => {
  const folder = await dataDir();
  const path = join(folder, "run", "api.json");
  const file = await openRunFile(folder, "api", "1", START);
  const successor = { task: "api", pid: 1, startTime: "0", startedAt: START, version: "2" };
  await writeFile(path, JSON.stringify(successor));
  await file.remove();
  expect((await stat(path)).isFile()).toBe(true);
  const own = await openRunFile(folder, "api", "1", START);
  await own.remove();
  expect(await listServices(folder, START)).toEqual([]);
});

test("a run file that is no JSON is passed over", async () => {
  const folder = await dataDir();
  await openRunFile(folder, "api", "1", START);
  await writeFile(join(folder, "run", "api.json"), "{");
  expect(await listServices(folder, START)).toEqual([]);
});
