import { describe, expect, test } from "bun:test";
import { readlinkSync } from "node:fs";
import { isDead, judgeName, ownName } from "../src/process-name.ts";

const own = { machineId: "m1", bootId: "b1", pid: 10, startTime: "500" };
const running = new Map([
  [10, "500"],
  [11, "600"],
]);
const startTimeOf = (pid: number): string | null => running.get(pid) ?? null;

describe("a process of that name", () => {
  for (const [owner, dead, why] of [
    ["m1/b1/10/500", false, "it is this process"],
    ["m1/b1/11/600", false, "it runs beside this one"],
    ["m1/b1/12/700", true, "no process has its pid"],
    ["m1/b1/11/599", true, "its pid belongs to another process now"],
    ["m1/b0/10/500", true, "it is from before the machine started"],
    ["m2/b1/10/500", null, "it is another machine's"],
    ["something else", null, "it is not a name of ours"],
    ["m1/b1/x/500", null, "it has no pid"],
    ["m1/b1/11/600/f00d", false, "it runs beside this one and says which run it is"],
    ["m1/b1/11/599/f00d", true, "its pid belongs to another process now, though it says which run it was"],
    ["m1/b1/11/599/f00d/more", null, "it says more than a name of ours does"],
  ] as const) {
    test(`${dead === null ? "cannot be judged" : dead ? "is dead" : "lives"} when ${why}`, () => {
      expect(judgeName(owner, own, startTimeOf)).toBe(dead);
    });
  }

  test("cannot be judged without a machine id when it is from another boot: of another machine perhaps", () => {
    const here = { ...own, machineId: "unknown-7" };
    expect(judgeName("unknown-7/b0/12/1/f00d", here, startTimeOf)).toBeNull();
    expect(judgeName("unknown-8/b1/12/1/f00d", here, startTimeOf)).toBeNull();
    expect(judgeName("unknown-7/b1/12/1/f00d", here, startTimeOf)).toBe(true);
    expect(judgeName("unknown-7/b1/11/600/f00d", here, startTimeOf)).toBe(false);
  });

  test("cannot be judged where the system tells nothing of its processes", () => {
    const here = { machineId: "m1-unknown", bootId: "unknown", pid: 10, startTime: "unknown" };
    expect(judgeName("m1-unknown/unknown/10/unknown/f00d", here, () => null)).toBeNull();
  });

  test("lives when it is this one, and does not when it was a finished child", () => {
    expect(isDead(ownName("f00d"))).toBe(false);
    expect(ownName("f00d")).not.toBe(ownName("beef"));
    const namespace = /^pid:\[(\d+)\]$/.exec(readlinkSync("/proc/self/ns/pid"))?.[1];
    expect(ownName("f00d")).toContain(`-${namespace}/`);
    const [machine, boot] = ownName("f00d").split("/");
    const child = Bun.spawnSync(["true"]);
    expect(child.exitCode).toBe(0);
    expect(isDead(`${machine}/${boot}/${child.pid}/1`)).toBe(true);
  });
});
