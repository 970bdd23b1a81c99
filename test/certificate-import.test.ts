import { expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assignImported, layCertificate, stageImported } from "../src/certificate-import.ts";
import { AppError } from "../src/errors.ts";
import type { PfxContents } from "../src/soap/certificate.ts";
import type { Store } from "../src/store/store.ts";
import { addMunicipality, SqliteUnderTest, START } from "./support/store-fixture.ts";

/** What a PFX file would say. */
function contentsOf(name: string): PfxContents {
  return {
    keyPem: `key ${name}\n`,
    leafPem: `leaf ${name}\n`,
    chainPem: [],
    subject: `CN=${name}`,
    serialNumber: "1",
    fingerprint: name.repeat(64),
    validFrom: START,
    validTo: START,
  } as unknown as PfxContents;
}

/** A municipality in a store, and a folder for its certificates. */
async function openVila() {
  const under = await SqliteUnderTest.open();
  const certsDir = mkdtempSync(join(tmpdir(), "tattile-import-"));
  const id = await addMunicipality(under.store, "Vila");
  const municipality = async () => {
    const found = await under.store.findMunicipality("Vila");
    if (found === null) throw new Error("no municipality");
    return found;
  };
  return {
    store: under.store,
    id,
    municipality,
    options: async () => ({ municipality: await municipality(), alias: null, certsDir, now: START }),
    certsDir,
    keys: () => readdirSync(certsDir, { recursive: true }).filter((name) => /[0-9a-f]{16}\/key\.pem$/.test(`${name}`)),
    async [Symbol.asyncDispose]() {
      await under[Symbol.asyncDispose]();
      rmSync(certsDir, { recursive: true, force: true });
    },
  };
}

const refusing = (store: Store): Store => ({
  ...store,
  stageRotation: () => Promise.reject(new AppError("conflict", "another one is being tried")),
});

test("a next certificate that is refused leaves neither row nor key", async () => {
  await using vila = await openVila();
  await expect(stageImported(contentsOf("b"), await vila.options(), refusing(vila.store))).rejects.toThrow(
    "being tried",
  );
  expect([await vila.store.listCertificates(), vila.keys()]).toEqual([[], []]);
});

test("one that is refused and was here before keeps row and key: it may be what signs now", async () => {
  await using vila = await openVila();
  await assignImported(contentsOf("a"), await vila.options(), vila.store);
  const before = await vila.store.listCertificates();
  await expect(stageImported(contentsOf("a"), await vila.options(), refusing(vila.store))).rejects.toThrow(
    "being tried",
  );
  expect(await vila.store.listCertificates()).toEqual(before);
  expect(existsSync(before[0]?.keyPath ?? "none")).toBe(true);
  expect((await vila.municipality()).certificateId).toBe(before[0]?.id ?? null);
});

test("one that is laid beside another signs for nobody, and goes without the other when it is taken back", async () => {
  await using vila = await openVila();
  await assignImported(contentsOf("a"), await vila.options(), vila.store);
  const before = await vila.store.listCertificates();
  const laid = await layCertificate(contentsOf("b"), await vila.options(), vila.store);
  await laid.addRow();
  expect([(await vila.store.listCertificates()).length, vila.keys().length]).toEqual([2, 2]);
  expect((await vila.municipality()).certificateId).toBe(before[0]?.id ?? null);
  await laid.undo();
  expect(await vila.store.listCertificates()).toEqual(before);
  expect(vila.keys().length).toBe(1);
  expect(existsSync(before[0]?.keyPath ?? "none")).toBe(true);
});
