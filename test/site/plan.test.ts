import { expect, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import { buildSite } from "../../src/site/export.ts";
import { parseSite } from "../../src/site/file.ts";
import { planSite, type SitePlan, type SiteState } from "../../src/site/plan.ts";
import { endpointDefaults } from "../../src/store/registry.ts";
import { newCamera, newCertificate, newEndpoint } from "../support/store-fixture.ts";

const DEFAULTS = endpointDefaults({ mossos: { timeoutMs: 30_000 }, sender: { retryMax: 3, backoffMs: 1000 } });
const STATE: SiteState = {
  endpoints: [{ id: 1, ...newEndpoint("Police") }],
  certificates: [
    { id: 4, ...newCertificate("old", { fingerprint: `${"AA:".repeat(31)}AA` }) },
    { id: 5, ...newCertificate("Vic", { municipalityId: 2, fingerprint: `${"BB:".repeat(31)}BB` }) },
  ],
  municipalities: [{ id: 2, name: "Vic", code: null, endpointId: 1, certificateId: 5, active: true }],
  cameras: [{ id: 3, ...newCamera("A", 2), lastReadingAt: null, lastSentAt: null }],
  waiting: new Set(),
  rotating: new Set(),
};
const EMPTY: SiteState = {
  endpoints: [],
  certificates: [],
  municipalities: [],
  cameras: [],
  waiting: new Set(),
  rotating: new Set(),
};

function plan(value: object, state = STATE, prune = false): SitePlan {
  const file = parseSite({ version: 1, ...value }, "/");
  const sources = new Map((file.certificates ?? []).map(({ name }) => [name, { kind: "present", id: 5 } as const]));
  return planSite(file, state, { prune, defaults: DEFAULTS, sources });
}

function refusal(value: object, state = STATE, prune = false): string {
  try {
    plan(value, state, prune);
    return "planned";
  } catch (error) {
    return error instanceof AppError ? error.message : String(error);
  }
}

const lines = ({ steps }: SitePlan): string[] =>
  steps.map(({ action, noun, name, fields }) =>
    [action, noun, name, ...fields.map((f) => `${f.field}:${f.before}>${f.after}`)].join(" "),
  );

test("what is exported plans to nothing, pruned or not", () => {
  const whole = buildSite(STATE);
  expect(lines(plan(whole))).toEqual([]);
  expect(lines(plan(whole, STATE, true))).toEqual(["remove certificate old (id 4, with its key)"]);
});

test("what a record leaves out stays, null clears, and a new one has the defaults", () => {
  const camera = { serial: "A", reader: "R-A", municipality: "vic" };
  expect(lines(plan({ cameras: [camera] }))).toEqual([]);
  expect(lines(plan({ cameras: [{ ...camera, x: null, y: null }] }))).toEqual([
    "change camera A x:430000.10>null y:4580000.00>null",
  ]);
  const { change } = plan({ endpoints: [{ name: "New", url: "https://new.example/" }] });
  expect(change.endpoints).toEqual([{ ...newEndpoint("New", DEFAULTS), url: "https://new.example/" }]);
});

test("records of one file may name each other, and a municipality keeps its certificate when nothing is said of it", () => {
  const value = {
    endpoints: [{ name: "test", url: "https://test.example/" }],
    municipalities: [{ name: "Vic", endpoint: "TEST" }, { name: "Ripoll" }],
    cameras: [{ serial: "B", reader: "1", municipality: "ripoll", endpoint: "police" }],
  };
  const { change } = plan(value);
  expect(change.municipalities).toEqual([
    { name: "Vic", code: null, endpoint: "test", certificate: { id: 5 }, active: true },
    { name: "Ripoll", code: null, endpoint: null, certificate: null, active: true },
  ]);
  expect(change.cameras[0]).toMatchObject({ municipality: "Ripoll", endpoint: "Police" });
});

test("names that lead nowhere are all told, with the nearest", () => {
  const text = refusal({
    municipalities: [{ name: "Vic", endpoint: "Polcie", certificate: "none such" }],
    cameras: [{ serial: "B", reader: "1", municipality: "Vik" }],
  });
  expect(text).toContain("municipality Vic: no endpoint Polcie; did you mean Police?");
  expect(text).toContain("municipality Vic: no certificate none such");
  expect(text).toContain("camera B: no municipality Vik; did you mean Vic?");
  expect(refusal({ cameras: [{ serial: "B", reader: "1", municipality: "Vic", x: "1.00" }] })).toContain(
    "one coordinate",
  );
});

test("pruning takes from the sections of the file only, and never what is used or waits", () => {
  expect(lines(plan({ cameras: [] }, STATE, true))).toEqual(["remove camera A"]);
  expect(lines(plan({ cameras: [], municipalities: [], certificates: [], endpoints: [] }, STATE, true))).toEqual([
    "remove camera A",
    "remove municipality Vic",
    "remove certificate old (id 4, with its key)",
    "remove certificate Vic (id 5, with its key)",
    "remove endpoint Police",
  ]);
  expect(refusal({ municipalities: [] }, STATE, true)).toContain(
    "municipality Vic cannot be removed: camera A uses it",
  );
  expect(refusal({ endpoints: [] }, STATE, true)).toContain("endpoint Police cannot be removed: Vic uses it");
  expect(refusal({ cameras: [] }, { ...STATE, waiting: new Set([3]) }, true)).toContain("readings of it wait");
  const moved = { endpoints: [], municipalities: [{ name: "Vic", endpoint: null }] };
  expect(lines(plan(moved, STATE, true))).toEqual([
    "change municipality Vic endpoint:Police>null",
    "remove endpoint Police",
  ]);
  const renamed = {
    municipalities: [{ name: "Ripoll" }],
    cameras: [{ serial: "A", reader: "R-A", municipality: "Ripoll" }],
  };
  expect(lines(plan(renamed, STATE, true))).toContain("remove municipality Vic");
});

test("a certificate that is being rotated in or out is not pruned", () => {
  const whole = buildSite(STATE);
  expect(lines(plan(whole, { ...STATE, rotating: new Set([4]) }, true))).toEqual([]);
});

test("nothing is removed without being told to", () => {
  expect(lines(plan({ cameras: [], municipalities: [], endpoints: [] }))).toEqual([]);
  expect(lines(plan({ cameras: [] }, EMPTY, true))).toEqual([]);
});
