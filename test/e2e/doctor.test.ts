import { afterAll, beforeAll, expect, test } from "bun:test";
import { createIllSite, UNIT } from "./ill-site.ts";
import { machineFaults } from "./machine-faults.ts";
import { policeFaults } from "./police-faults.ts";
import { signingFaults } from "./signing-faults.ts";

const ill = createIllSite();
const { doctor, systemctl } = ill;
const FAULTS = { ...policeFaults(ill), ...signingFaults(ill), ...machineFaults(ill) };
beforeAll(() => ill.open(), 60_000);
afterAll(() => ill.close());

test("a gateway on which all is well has nothing but good findings, and the exit code says so", async () => {
  const { code, findings } = await doctor(systemctl(UNIT));
  expect(findings.filter(({ grade }) => grade !== "good")).toEqual([]);
  expect(code).toBe(0);
  const names = findings.map(({ check }) => check.replace(/\d+/, "N"));
  for (const name of [
    "clock, NTP",
    "endpoint police, TLS",
    "endpoint police, WSDL",
    "store",
    "unit tattile",
    "updates",
    "port N",
  ]) {
    expect(names).toContain(name);
  }
});

test.each(Object.entries(FAULTS))("finds that %s, and says what to do", async (_what, { plant, finds }) => {
  const { environment = {}, undo } = await plant();
  try {
    const { code, findings } = await doctor(environment);
    const found = findings.filter(({ grade }) => grade !== "good");
    const { check, grade, text, cure } = finds;
    const isMeant = (name: string): boolean => (typeof check === "string" ? name === check : check.test(name));
    const match = found.find((f) => isMeant(f.check) && text.test(f.text));
    expect(found.map((f) => `${f.check}: ${f.text}`)).toContainEqual(expect.stringMatching(text));
    expect(match).toMatchObject({ grade, text: expect.stringMatching(text), cure: expect.stringMatching(cure) });
    expect(code).toBe(found.some((f) => f.grade === "bad") ? 2 : 1);
    // Nothing else is said to be wrong.
    expect(found.filter((f) => !isMeant(f.check))).toEqual([]);
  } finally {
    await undo?.();
  }
});

test("everything is told in lines of 80 columns, without colours in a pipe", async () => {
  const { code, stdout } = await ill.tell();
  expect(code).toBe(0);
  expect(stdout).toContain("good endpoint police, TLS: TLSv1.");
  expect(stdout).toEndWith("All is fine.\n");
  for (const line of stdout.split("\n")) expect([...line].length).toBeLessThanOrEqual(80);
  expect(stdout).not.toContain("\x1b");
});
