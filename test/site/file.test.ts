import { expect, test } from "bun:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { AppError } from "../../src/errors.ts";
import { buildSite } from "../../src/site/export.ts";
import { SITE_FIELDS } from "../../src/site/fields.ts";
import { parseSite } from "../../src/site/file.ts";
import { buildSiteSchema } from "../../src/site/schema.ts";
import { newCamera, newCertificate, newEndpoint } from "../support/store-fixture.ts";

function refusal(value: unknown): string {
  try {
    parseSite(value, "/etc/site");
    return "taken";
  } catch (error) {
    return error instanceof AppError && error.code === "invalid" ? error.message : String(error);
  }
}

const CAMERA = { serial: "2001008851", reader: "00012", municipality: "Òdena" };

test("paths count from the folder of the file, and texts lose the blanks around them", () => {
  const site = parseSite(
    {
      version: 1,
      endpoints: [{ name: " lectio ", url: "https://police.example/", ca: "ca.pem", wsdl: "https://police.example/w" }],
      certificates: [{ name: "a", pfx: "../a.pfx", passwordFile: "/root/pw" }],
    },
    "/etc/site",
  );
  expect(site).toEqual({
    endpoints: [
      { name: "lectio", url: "https://police.example/", ca: "/etc/site/ca.pem", wsdl: "https://police.example/w" },
    ],
    certificates: [{ name: "a", pfx: "/etc/a.pfx", passwordFile: "/root/pw" }],
  });
});

test("left out, null and given are three things", () => {
  const [site] = parseSite({ version: 1, cameras: [{ ...CAMERA, endpoint: null, active: false }] }, "/").cameras ?? [];
  expect(site).toEqual({ ...CAMERA, endpoint: null, active: false });
  expect(refusal({ version: 1, cameras: [{ ...CAMERA, active: null }] })).toContain("cameras[0].active is empty");
});

test.each<[string, unknown, string]>([
  ["no version", {}, "version must be 1 (it is missing)"],
  ["a newer version", { version: 2 }, "version must be 1"],
  ["a section misspelt", { version: 1, camera: [] }, "camera is not a section; did you mean cameras?"],
  ["a section that is no list", { version: 1, cameras: {} }, "cameras must be a list"],
  ["a record that is text", { version: 1, cameras: ["x"] }, "cameras[0] is not a mapping"],
  [
    "a field misspelt",
    { version: 1, cameras: [{ ...CAMERA, raeder: "1" }] },
    "cameras[0].raeder is not a field; did you mean reader?",
  ],
  ["a field missing", { version: 1, cameras: [{ serial: "1", reader: "2" }] }, "cameras[0].municipality is missing"],
  [
    "a number for text",
    { version: 1, cameras: [{ ...CAMERA, reader: 12 }] },
    "cameras[0].reader must be text in quotes",
  ],
  ["one decimal", { version: 1, cameras: [{ ...CAMERA, x: "431234.5" }] }, "exactly two decimals"],
  ["a long reader code", { version: 1, cameras: [{ ...CAMERA, reader: "1".repeat(17) }] }, "1 to 16 characters"],
  ["an unknown zone", { version: 1, cameras: [{ ...CAMERA, timezone: "Europe/Vic" }] }, "name of a time zone"],
  ["the same serial twice", { version: 1, cameras: [CAMERA, CAMERA] }, "cameras[1] has the same serial as cameras[0]"],
  [
    "names that differ in case only",
    { version: 1, municipalities: [{ name: "Òdena" }, { name: "òDENA" }] },
    "the same name",
  ],
  [
    "an address with a password",
    { version: 1, endpoints: [{ name: "a", url: "https://u:p@x/" }] },
    "without user and password",
  ],
  ["a certificate from nowhere", { version: 1, certificates: [{ name: "a" }] }, "needs pfx, or cert and key"],
  [
    "a certificate without its key",
    { version: 1, certificates: [{ name: "a", cert: "c.pem" }] },
    "needs cert and key together",
  ],
  ["a list instead of a mapping", [], "it is not a mapping"],
])("%s is refused with its place", (_what, value, problem) => {
  expect(refusal(value)).toContain(problem);
});

test("every problem is told at once", () => {
  const problems = refusal({
    version: 1,
    cameras: [
      { ...CAMERA, x: "1" },
      { ...CAMERA, serial: "2", timezone: "Z" },
    ],
  });
  expect(problems).toContain("cameras[0].x");
  expect(problems).toContain("cameras[1].timezone");
});

test("the schema names every field that is read, which are needed, and allows null where it clears", () => {
  const schema = buildSiteSchema() as {
    properties: Record<string, { items: { required: string[]; properties: Record<string, unknown> } }>;
  };
  for (const [section, fields] of Object.entries(SITE_FIELDS)) {
    const { items } = schema.properties[section] ?? { items: { required: [], properties: {} } };
    expect(Object.keys(items.properties)).toEqual(Object.keys(fields));
    expect(items.required).toEqual(
      Object.keys(fields).filter((key) => (fields as Record<string, { required: boolean }>)[key]?.required),
    );
  }
  const camera = schema.properties["cameras"]?.items.properties;
  expect(camera?.["endpoint"]).toMatchObject({ anyOf: [{ type: "string" }, { type: "null" }] });
  expect(camera?.["serial"]).toMatchObject({ type: "string" });
});

test("an editor that goes by the schema takes what is exported, and marks what would be refused", () => {
  const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(buildSiteSchema());
  const whole = buildSite({
    endpoints: [{ id: 1, ...newEndpoint("Police") }],
    certificates: [{ id: 5, ...newCertificate("Vic", { municipalityId: 2, fingerprint: `${"AA:".repeat(31)}AA` }) }],
    municipalities: [{ id: 2, name: "Vic", code: null, endpointId: 1, certificateId: 5, active: true }],
    cameras: [{ id: 3, ...newCamera("A", 2), lastReadingAt: null, lastSentAt: null }],
  });
  expect([validate(whole), validate.errors]).toEqual([true, null]);
  for (const wrong of [
    {},
    { version: 2 },
    { version: 1, camera: [] },
    { version: 1, cameras: [{ ...CAMERA, raeder: "1" }] },
    { version: 1, cameras: [{ serial: "1", reader: "2" }] },
    { version: 1, cameras: [{ ...CAMERA, reader: 12 }] },
    { version: 1, cameras: [{ ...CAMERA, x: "431234.5", y: "1.00" }] },
    { version: 1, cameras: [{ ...CAMERA, active: null }] },
    { version: 1, endpoints: [{ name: "a", url: "police.example" }] },
    { version: 1, endpoints: [{ name: "a", url: "https://police.example/", profile: "lax" }] },
  ]) {
    expect([wrong, validate(wrong), refusal(wrong) === "taken"]).toEqual([wrong, false, false]);
  }
});

test("a section of more than 10,000 records is not read", () => {
  const cameras = (count: number) => Array.from({ length: count }, (_, n) => ({ ...CAMERA, serial: String(n) }));
  expect(parseSite({ version: 1, cameras: cameras(10_000) }, "/").cameras).toHaveLength(10_000);
  expect(refusal({ version: 1, cameras: cameras(10_001) })).toContain("cameras has 10001, at most 10000 are read");
});
