import { expect, test } from "bun:test";
import {
  type MachineSample,
  machineUse,
  parseCpu,
  parseMemory,
  parseNetwork,
  parseProcess,
  sampleMachine,
} from "../../src/cli/machine-sample.ts";
import { readUnitStates, unitsOf } from "../../src/cli/systemd.ts";
import { askedOfSystemd, installFakeSystemd, unitsText } from "../support/fake-systemd.ts";
import { openCommandFolder, tattileCommand } from "../support/tattile-command.ts";

test("what /proc says is read by its own rules", () => {
  expect(parseCpu("cpu  10 2 3 80 5 1 1 1 7 7\ncpu0 1 1 1 1\ncpu1 1 1 1 1\nintr 5\n")).toEqual({
    busyTicks: 18,
    totalTicks: 103,
    cores: 2,
  });
  expect(parseMemory("MemTotal:  2000 kB\nMemFree: 5 kB\nMemAvailable:   500 kB\n")).toEqual({
    totalBytes: 2_048_000,
    availableBytes: 512_000,
  });
  const network = `Inter-|   Receive
 face |bytes    packets
    lo: 999 1 0 0 0 0 0 0 999 1 0 0 0 0 0 0
  eth0:100 1 0 0 0 0 0 0 30 1 0 0 0 0 0 0
  wg0: 5 1 0 0 0 0 0 0 4 1 0 0 0 0 0 0\n`;
  expect(parseNetwork(network)).toEqual({ receivedBytes: 105, sentBytes: 34 });
  // A program may give itself any name, also one that looks like the fields behind it.
  const stat = "7 (evil) S 1 (x) R 1 7 7 0 -1 0 0 0 0 0 40 2 0 0 20 0 1 0 100 1000 50";
  expect(parseProcess(stat, "Name:\tx\nVmRSS:\t    64 kB\n")).toEqual({ ticks: 42, residentBytes: 65_536 });
});

test("use is what grew between two samples, and a counter that was set back is none", () => {
  const sample = (change: Partial<MachineSample>): MachineSample => ({
    atMs: 0,
    cpu: { busyTicks: 100, totalTicks: 1000, cores: 2 },
    memory: { totalBytes: 1000, availableBytes: 400 },
    network: { receivedBytes: 1000, sentBytes: 1000 },
    processes: new Map([[7, { ticks: 50, residentBytes: 1 }]]),
    ...change,
  });
  const after = sample({
    atMs: 2000,
    cpu: { busyTicks: 200, totalTicks: 1400, cores: 2 },
    network: { receivedBytes: 3000, sentBytes: 10 },
    processes: new Map([
      [7, { ticks: 150, residentBytes: 9 }],
      [8, { ticks: 99, residentBytes: 5 }],
    ]),
  });
  expect(machineUse(sample({}), after)).toEqual({
    cpu: 0.25,
    cores: 2,
    memory: { totalBytes: 1000, usedBytes: 600 },
    network: { receivedPerSecond: 1000, sentPerSecond: 0 },
    processes: new Map([
      [7, { cpu: 0.5, residentBytes: 9 }],
      [8, { cpu: 0, residentBytes: 5 }],
    ]),
  });
});

test("this machine can be sampled, and a process that is gone is left out", async () => {
  const sample = await sampleMachine([process.pid, 2 ** 30], 5);
  expect(sample.cpu.cores).toBeGreaterThan(0);
  expect(sample.memory.totalBytes).toBeGreaterThan(sample.memory.availableBytes);
  expect([...sample.processes.keys()]).toEqual([process.pid]);
  expect(sample.processes.get(process.pid)?.residentBytes).toBeGreaterThan(1024 * 1024);
});

test("top shows the running service, as one picture without a terminal and live on one until q", async () => {
  await using cli = await openCommandFolder();
  const env = { PATH: process.env["PATH"] ?? "", DATA_DIR: cli.dataDir, TATTILE_ENV_FILE: "/dev/null", API_PORT: "0" };
  const service = Bun.spawn([...tattileCommand(), "run", "api"], {
    env: { ...env, TMPDIR: process.env["TMPDIR"] ?? "/tmp", JOURNAL_STREAM: "1" },
    stdout: "pipe",
  });
  try {
    let said = "";
    for await (const chunk of service.stdout) {
      said += Buffer.from(chunk).toString();
      if (said.includes("listening for HTTP")) break;
    }
    for (;;) {
      const { services } = JSON.parse((await cli.run("status", "--json")).stdout);
      if (services.length > 0) break;
    }
    const once = await cli.run("top", "--interval", "1");
    expect(once.stdout).toMatch(new RegExp(`^api +${service.pid} +running`, "m"));
    expect(once.stdout).toMatch(/^cpu +\d+ % of \d+ cores?$/m);
    expect(once.stdout).toMatch(/^readings +in 0\.0\/s, delivered 0\.0\/s$/m);
    for (const line of once.stdout.split("\n")) expect([...line].length).toBeLessThanOrEqual(80);
    const picture = JSON.parse((await cli.run("top", "--interval", "1", "--json")).stdout);
    expect(picture).toMatchObject({ services: [{ tasks: ["api"], pid: service.pid, state: "running" }] });
    expect(picture.services[0].bytes).toBeGreaterThan(1024 * 1024);
    const live = await cli.onTerminal({ answers: [["readings   in", "q"]] }, "top", "--interval", "1");
    expect(live.code).toBe(0);
    expect(live.stdout).toContain("\x1b[?1049h");
    expect(live.stdout).toEndWith("\x1b[?25h\x1b[?1049l");
  } finally {
    service.kill();
    await service.exited;
  }
});

const TOGETHER = unitsText({
  tattile: ["loaded", "active", "enabled"],
  "tattile-ingest": ["loaded", "inactive", "disabled"],
  "tattile-sender": ["loaded", "inactive", "disabled"],
  "tattile-api": ["not-found", "inactive", ""],
});
const APART = unitsText({
  tattile: ["loaded", "inactive", "disabled"],
  "tattile-ingest": ["loaded", "active", "enabled"],
  "tattile-sender": ["loaded", "failed", "disabled"],
  "tattile-api": ["loaded", "inactive", "disabled"],
});

test("a task's unit is its own where there are three, and the one that does all where there is one", () => {
  expect(unitsOf(null, readUnitStates(TOGETHER))).toEqual(["tattile.service"]);
  expect(unitsOf("ingest", readUnitStates(TOGETHER))).toEqual(["tattile.service"]);
  expect(unitsOf(null, readUnitStates(APART))).toEqual(["tattile-ingest.service", "tattile-sender.service"]);
  expect(unitsOf("sender", readUnitStates(APART))).toEqual(["tattile-sender.service"]);
  expect(unitsOf("api", readUnitStates(APART))).toEqual([]);
  expect(readUnitStates("")).toEqual([]);
});

test("logs shows what the journal has of the units that are used", async () => {
  await using cli = await openCommandFolder();
  const env = await installFakeSystemd(cli.folder, APART);
  const said = await cli.runWith({ env }, "logs", "-f", "--task", "ingest", "--level", "warn", "--lines", "7");
  expect(said).toEqual({ code: 0, stdout: "a line of the journal\n", stderr: "" });
  expect(await askedOfSystemd(cli.folder)).toBe(
    "journalctl --unit=tattile-ingest.service --lines=7 --priority=warning --follow --no-pager",
  );
});

test("restart restarts what is used, after a yes, and says so when that failed", async () => {
  await using cli = await openCommandFolder();
  const env = await installFakeSystemd(cli.folder, APART);
  expect((await cli.runWith({ env }, "restart")).code).toBe(2);
  const would = await cli.runWith({ env }, "restart", "--dry-run");
  expect(would.stdout).toBe("would restart tattile-ingest.service, tattile-sender.service\n");
  expect((await cli.runWith({ env }, "restart", "--task", "api", "--yes")).stderr).toContain(
    "no service that does api",
  );
  const done = await cli.runWith({ env }, "restart", "--yes");
  expect(done.stdout).toBe("restarted tattile-ingest.service, tattile-sender.service\n");
  expect(await askedOfSystemd(cli.folder)).toBe("systemctl restart tattile-ingest.service tattile-sender.service");
  await installFakeSystemd(cli.folder, TOGETHER, 4);
  const refused = await cli.runWith({ env }, "restart", "--task", "sender", "--yes");
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("systemctl ended with 4")]);
  expect(await askedOfSystemd(cli.folder)).toEndWith("systemctl restart tattile.service");
});

test("without systemd logs and restart say where to look instead", async () => {
  await using cli = await openCommandFolder();
  for (const command of [["logs"], ["restart", "--yes"]]) {
    const said = await cli.runWith({ env: { PATH: "/nowhere" } }, ...command);
    expect([said.code, said.stderr]).toEqual([1, expect.stringContaining("systemctl is not on this machine")]);
    expect(said.stderr).toContain("tattile run");
  }
});
