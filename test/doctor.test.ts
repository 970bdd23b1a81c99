import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../src/clock.ts";
import { loadConfig } from "../src/config.ts";
import { probePorts } from "../src/deeds/doctor-checks.ts";
import { type Check, runChecks } from "../src/doctor.ts";
import { estimateDrift, estimateHourlyDrift, judgeDrift } from "../src/doctor-cameras.ts";
import { buildTimeRequest, judgeServerClock, judgeTimeServer, parseTimeAnswer } from "../src/doctor-clock.ts";
import { judgeDisk, judgePort, judgeUnits, parseUnits } from "../src/doctor-machine.ts";
import { probeDisks, probeFolder, probeUpdates } from "../src/doctor-system.ts";
import { judgeUpdates, parseUpgrade } from "../src/doctor-updates.ts";
import { compareContracts } from "../src/doctor-wsdl.ts";
import { AppError } from "../src/errors.ts";
import { good, worstGrade } from "../src/finding.ts";
import { builtinContract } from "../src/soap/wsdl.ts";
import { timeAnswer } from "./support/fake-time-server.ts";

const COOKIE = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]);
const NOW = Date.parse("2026-05-04T10:00:00.250Z");

test("a time server's clock is worked out from the middle of question and answer", () => {
  const answer = timeAnswer(buildTimeRequest(COOKIE), NOW + 5000);
  expect(parseTimeAnswer(answer, COOKIE, NOW - 100, NOW + 100)).toEqual({ offsetMs: 5000 });
  const later = Date.parse("2036-02-08T00:00:00Z");
  const wrapped = parseTimeAnswer(timeAnswer(buildTimeRequest(COOKIE), later), COOKIE, later, later);
  expect(wrapped).toEqual({ offsetMs: 0 });
});

test.each<[string, (answer: Uint8Array) => Uint8Array, string]>([
  ["to another question", (a) => a.with(24, 9), "not to our question"],
  ["too short", (a) => a.subarray(0, 40), "too short"],
  ["of a client", (a) => a.with(0, 0x23), "no server's"],
  ["that says: leave me alone", (a) => a.with(1, 0), "left alone"],
  ["of a server whose clock is not set", (a) => a.with(1, 16), "not set"],
])("an answer %s is none", (_what, change, problem) => {
  const answer = change(timeAnswer(buildTimeRequest(COOKIE), NOW));
  expect(parseTimeAnswer(answer, COOKIE, NOW, NOW)).toEqual({ problem: expect.stringContaining(problem) });
});

test("two seconds off is worth a word, half a minute is worth alarm, either way", () => {
  const grades = [0, 1999, 2000, -2000, 29_999, 30_000, -30_000].map(
    (ms) => judgeTimeServer("t", { offsetMs: ms }).grade,
  );
  expect(grades).toEqual(["good", "good", "warning", "warning", "warning", "bad", "bad"]);
  expect(judgeServerClock("c", 90_000, 90_000).cure).toContain("timedatectl");
  expect(judgeServerClock("c", 90_000, 0).cure).toContain("tell the police");
});

test("checks run side by side within a bound, and are told in their order", async () => {
  let running = 0;
  let most = 0;
  const checks = Array.from(
    { length: 20 },
    (_, at): Check => ({
      name: `${at}`,
      run: async () => {
        running += 1;
        most = Math.max(most, running);
        await Bun.sleep(at % 3);
        running -= 1;
        return [good(`${at}`, "")];
      },
    }),
  );
  const findings = await runChecks(checks, systemClock, { concurrency: 4 });
  expect(findings.map(({ check }) => check)).toEqual(checks.map(({ name }) => name));
  expect(most).toBe(4);
});

test("all checks together have a deadline: what has not begun by then is not begun", async () => {
  const begun: string[] = [];
  const hangs = (name: string): Check => ({
    name,
    run: async (signal) => {
      begun.push(name);
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      return [];
    },
  });
  const options = { concurrency: 1, deadlineMs: 60_000, totalMs: 20 };
  const found = await runChecks([hangs("first"), hangs("second")], systemClock, options);
  expect(found.map(({ check, grade }) => [check, grade])).toEqual([
    ["first", "warning"],
    ["second", "warning"],
  ]);
  expect(begun).toEqual(["first"]);
});

test("a check that hangs is given up and told to stop, and one that throws is bad with its own cure", async () => {
  let told = false;
  const hangs: Check = {
    name: "hangs",
    run: (signal) => new Promise(() => signal.addEventListener("abort", () => (told = true))),
  };
  const throws: Check = {
    name: "throws",
    run: () => Promise.reject(new AppError("unavailable", "doing it: no", { hint: "Do this." })),
  };
  const [late, failed] = await runChecks([hangs, throws], systemClock, { deadlineMs: 20 });
  expect(late).toMatchObject({ check: "hangs", grade: "warning", text: expect.stringContaining("not found out") });
  expect(told).toBe(true);
  expect(failed).toEqual({ check: "throws", grade: "bad", text: "doing it: no", cure: "Do this." });
  expect(worstGrade([good("a", ""), ...(late === undefined ? [] : [late])])).toBe("warning");
});

const reading = (capturedMs: number, receivedMs: number, timeSource: "camera" | "arrival" = "camera") => ({
  capturedAt: new Date(capturedMs),
  receivedAt: new Date(receivedMs),
  timeSource,
});

test("readings that are all late by the same tell of the clock, a replay does not", () => {
  const same = [0, 1, 2].map((n) => reading(n * 60_000 - 3_600_000, n * 60_000 + n * 1000));
  expect(estimateDrift(same)).toBe(-3_600_000);
  const replay = [0, 1, 2].map((n) => reading(n * 60_000, 7_200_000 + n * 100));
  expect(estimateDrift(replay)).toBeNull();
  expect(estimateDrift([...replay, reading(7_300_000, 7_200_000)])).toBe(100_000);
  expect(estimateDrift(same.slice(1))).toBeNull();
  expect(estimateDrift(same.map((r) => ({ ...r, timeSource: "arrival" as const })))).toBeNull();
  expect(judgeDrift([{ serial: "A", driftMs: 19_000 }])[0]?.grade).toBe("good");
  expect(judgeDrift([{ serial: "A", driftMs: 21_000 }])[0]).toMatchObject({ grade: "warning", text: "A 21 s ahead" });
});

test("what was counted of a camera's hours tells of its clock, also where everything is delivered", () => {
  const estimate = (...delays: (number | null)[]) =>
    estimateHourlyDrift(delays.map((leastDelayMs) => ({ leastDelayMs })));
  expect(estimate()).toBeNull();
  expect(estimate(null)).toBeNull();
  expect(estimate(-90_000)).toBe(90_000);
  expect(estimate(400)).toBe(-400);
  expect(estimate(3_600_500)).toBeNull();
  expect(estimate(3_600_500, 3_600_900)).toBe(-3_600_500);
  expect(estimate(3_600_500, 7_000_000)).toBeNull();
  expect(estimate(3_600_500, 3_600_900, 300, 400)).toBe(-300);
});

test("a slow disk, and one with room for few files, are worth a word", () => {
  const disk = { path: "/d", freeBytes: 2 ** 33, totalBytes: 2 ** 34, freeFiles: 1_000_000, syncMs: [1, 900, 2, 3, 2] };
  expect(judgeDisk(disk, 2 ** 28).map(({ grade }) => grade)).toEqual(["good", "good"]);
  expect(judgeDisk({ ...disk, syncMs: [150, 90, 160, 170, 80] }, 2 ** 28).at(-1)).toMatchObject({ grade: "warning" });
  expect(judgeDisk({ ...disk, freeFiles: 12 }, 2 ** 28)[1]).toMatchObject({
    grade: "warning",
    cure: expect.stringContaining("df -i"),
  });
  expect(judgeDisk({ ...disk, freeBytes: 2 ** 28 }, 2 ** 28)[0]?.grade).toBe("warning");
});

test("a port is judged by who should have it", () => {
  const port = { setting: "TRANSIT_PORT", task: "ingest", port: 5, taken: true, holder: { name: "sshd", pid: 7 } };
  expect(judgePort(port, null).text).toContain("held by sshd (pid 7)");
  expect(judgePort({ ...port, holder: null }, null).text).toContain("another user");
  expect(judgePort({ ...port, taken: false, holder: null }, null).grade).toBe("good");
  expect(judgePort(port, 7).grade).toBe("good");
  expect(judgePort({ ...port, holder: null }, 7).grade).toBe("good");
  expect(judgePort(port, 8).grade).toBe("bad");
});

test("every port that a start needs is looked at, the one of Lector Vision where it is set", async () => {
  using server = Bun.serve({ port: 0, fetch: () => new Response() });
  const env = { DATA_DIR: tmpdir(), TRANSIT_PORT: "0", API_PORT: "0", LECTORVISION_PORT: `${server.port}` };
  const { config } = loadConfig({ env, envFile: undefined });
  const probes = await probePorts(config);
  expect(probes).toMatchObject([{ setting: "LECTORVISION_PORT", task: "api", port: server.port, taken: true }]);
  expect(probes.map((probe) => judgePort(probe, null).cure)).toEqual([expect.stringContaining("LECTORVISION_PORT")]);
});

test("of one unit and three, only those that are used are judged", () => {
  const unit = (id: string, active: string, file: string): string =>
    `Id=${id}\nLoadState=loaded\nActiveState=${active}\nSubState=x\nUnitFileState=${file}\nUser=tattile\nNRestarts=0\n`;
  const units = parseUnits(
    [unit("tattile.service", "active", "enabled"), unit("tattile-api.service", "inactive", "disabled")].join("\n"),
  );
  expect(units).toHaveLength(2);
  expect(judgeUnits(units).map(({ check, grade }) => [check, grade])).toEqual([["unit tattile", "good"]]);
  expect(judgeUnits(parseUnits(unit("tattile.service", "inactive", "disabled")))[0]?.grade).toBe("bad");
  expect(judgeUnits(parseUnits(unit("tattile.service", "inactive", "enabled")))[0]).toMatchObject({
    grade: "bad",
    cure: "systemctl start tattile",
  });
  expect(judgeUnits([{ Id: "tattile.service", LoadState: "not-found" }])[0]?.grade).toBe("warning");
  expect(judgeUnits(null)[0]?.grade).toBe("good");
  const restless = unit("tattile.service", "active", "enabled").replace("NRestarts=0", "NRestarts=9");
  expect(judgeUnits(parseUnits(restless))[0]).toMatchObject({ grade: "warning", text: "was restarted 9 times" });
});

test("the difference of two contracts is told in words, and of one with itself there is none", () => {
  expect(compareContracts(builtinContract, builtinContract)).toEqual([]);
  const elements = builtinContract.elements
    .filter(({ name }) => name !== "marca")
    .map((e) => (e.name === "matricula" ? { ...e, maxLength: 8 } : e.name === "color" ? { ...e, required: true } : e));
  const theirs = {
    ...builtinContract,
    targetNamespace: "urn:x",
    elements: [...elements, { ...elements[0], name: "carril" }],
  };
  expect(compareContracts(builtinContract, theirs as typeof builtinContract)).toEqual([
    "the namespace is urn:x",
    "new: carril",
    "gone: marca",
    "matricula has at most 8 characters",
    "color is required now",
  ]);
});

test("what waits is told by number and name, security first; what cannot be known is no fault", () => {
  const upgrade = ["a", "b", "c", "d", "e", "f", "g"].map(
    (name) => `Inst ${name} (2 Ubuntu:24.04/noble-updates [all])`,
  );
  const waiting = parseUpgrade(`0 upgraded\n${upgrade.join("\n")}\nConf a (2 Debian-Security:12 [all])`);
  expect(waiting.length).toBe(7);
  const judge = (probe: Partial<Parameters<typeof judgeUpdates>[0]>) =>
    judgeUpdates({ waiting: [], problem: null, restartFor: null, ...probe });
  expect(judge({ waiting })).toMatchObject([
    { grade: "warning", text: "7 packages wait, none for security: a, b, c, d, e and 2 more" },
  ]);
  const inst = "Inst libc6 [2.36-9] (2.36-10 Debian:12/stable, Debian-Security:12/stable-security [amd64]) []";
  expect(judge({ waiting: parseUpgrade(inst) })).toMatchObject([{ text: "1 package waits, 1 for security: libc6" }]);
  expect(judge({})).toEqual([good("updates", "no package waits")]);
  expect(judge({ waiting: null })).toMatchObject([{ grade: "good", text: expect.stringContaining("yours to see to") }]);
  expect(judge({ waiting: null, problem: "apt-get: E: broken" })).toMatchObject([
    { grade: "good", text: expect.stringContaining("broken") },
  ]);
  expect(judge({ restartFor: ["linux-image-6.1"] })).toMatchObject([
    { grade: "good" },
    {
      check: "restart of the machine",
      grade: "warning",
      text: expect.stringMatching(/for linux-image-6\.1$/),
      cure: expect.stringContaining("sudo reboot"),
    },
  ]);
});

test("apt-get is asked as it is on the PATH, and a restart that is waited for is found", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tattile-updates-"));
  const [before, signal] = [process.env["PATH"], new AbortController().signal];
  try {
    process.env["PATH"] = folder;
    expect(await probeUpdates(signal, folder)).toEqual({ waiting: null, problem: null, restartFor: null });
    await writeFile(join(folder, "reboot-required"), "");
    expect((await probeUpdates(signal, folder)).restartFor).toEqual([]);
    await writeFile(join(folder, "reboot-required.pkgs"), "linux-image\nlibc6\nlinux-image\n");
    const say = async (script: string) => {
      await writeFile(join(folder, "apt-get"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      return probeUpdates(signal, folder);
    };
    expect(await say("echo 'Inst a (1 x [all])'")).toEqual({
      waiting: [{ name: "a", isSecurity: false }],
      problem: null,
      restartFor: ["linux-image", "libc6"],
    });
    expect(await say("echo 'E: dpkg was interrupted' >&2; exit 100")).toMatchObject({
      waiting: null,
      problem: "apt-get: E: dpkg was interrupted",
    });
  } finally {
    process.env["PATH"] = before;
    await rm(folder, { recursive: true });
  }
});

test("a folder can be written though a killed doctor left its file there, and while another doctor looks at it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tattile-doctor-"));
  for (const name of [`.doctor-${process.pid}`, `.doctor-sync-${process.pid}`]) writeFileSync(join(folder, name), "x");
  const [first, second, disks] = await Promise.all([
    probeFolder("DATA_DIR", folder),
    probeFolder("IMAGES_DIR", folder),
    probeDisks([folder], systemClock),
  ]);
  expect([first.failure, second.failure]).toEqual([null, null]);
  expect(disks[0]?.syncMs.length).toBeGreaterThan(0);
  expect(readdirSync(folder)).toHaveLength(2);
  rmSync(folder, { recursive: true });
});
