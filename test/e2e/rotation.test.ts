import { expect, test } from "bun:test";
import { existsSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ClientOptions } from "../../src/simulator/pki.ts";
import { isEmpty, openSite, type Site } from "./site.ts";

const SERIAL = "2001008851";

/** A gateway that delivers, and the next certificate's PFX file beside it. */
async function openTown(next: Partial<ClientOptions>): Promise<{ site: Site; pfx: string; rotate: string[] }> {
  const site = await openSite();
  await site.addCameras(SERIAL);
  const client = await site.pki.issueClient({ organization: "Vila", commonName: "next", ...next });
  const pfx = join(site.folder, "next.pfx");
  writeFileSync(pfx, client.pfx("secret"));
  const password = ["--password-file", join(site.folder, "pfx.txt")];
  return { site, pfx, rotate: ["cert", "rotate", pfx, "--municipality", "Vila", ...password] };
}

async function json<T>(site: Site, ...words: string[]): Promise<T> {
  const { exitCode, stdout, stderr } = await site.run(...words, "--json");
  expect([words.join(" "), exitCode, stderr]).toEqual([words.join(" "), 0, ""]);
  return JSON.parse(stdout) as T;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 300; turn += 1) {
    if (await condition()) return;
    await Bun.sleep(100);
  }
  throw new Error("still not so after 30 s");
}

const rotations = (site: Site) => json<{ state: string; detail: string | null }[]>(site, "cert", "rotate");
const signers = (site: Site): string[] => [...new Set(site.mossos.records.accepted().map((r) => r.certificateSubject))];
const currentOf = (site: Site): string => readlinkSync(join(site.folder, "data/certs/Vila/current"));

test("a certificate that is valid in some seconds signs by itself from then on, and is done with its first success", async () => {
  const { site, rotate } = await openTown({ validFrom: new Date(Date.now() + 8000) });
  await using _ = site;
  const before = currentOf(site);
  const dry = await site.run(...rotate, "--dry-run");
  expect([dry.exitCode, dry.stdout]).toEqual([
    0,
    expect.stringContaining(`a message of camera ${SERIAL} to police is signed`),
  ]);
  expect(await rotations(site)).toEqual([]);
  const staged = await site.run(...rotate);
  expect([staged.exitCode, staged.stdout]).toEqual([0, expect.stringContaining("staged: signs from")]);
  expect(staged.stdout).not.toContain("secret");
  await site.start();
  await site.send({ serials: [SERIAL], total: 2 });
  await site.until(isEmpty);
  expect(signers(site)).toEqual([expect.stringContaining("CAM SIMULATED CLIENT")]);
  expect(currentOf(site)).toBe(before);
  expect(await json(site, "cert", "list")).toMatchObject([{ inUse: true }, { inUse: false, rotation: "next" }]);
  expect((await site.run("cert", "remove", "2", "--yes")).stderr).toContain("the rotation of Vila");

  await until(async () => (await rotations(site))[0]?.state === "trying");
  expect(currentOf(site)).not.toBe(before);
  await site.send({ serials: [SERIAL], total: 2, seed: 2 });
  await site.until(isEmpty);
  await until(async () => (await rotations(site)).length === 0);
  expect(signers(site)[1]).toContain("next");
  expect((await site.run("cert", "remove", "1", "--yes")).exitCode).toBe(0);
  const audit = await json<{ what: string; who: string }[]>(site, "audit", "list");
  const own = audit.filter(({ what }) => what === "certificate rotate").map(({ who }) => who.replace(/^.*\(/, "("));
  expect(own).toEqual(["(cli)", "(service)"]);
}, 90_000);

test("a certificate that the police refuse gives the earlier one back, and no reading is lost", async () => {
  const { site, rotate } = await openTown({ issuer: "other" });
  await using _ = site;
  const before = currentOf(site);
  const said = await site.run(...rotate);
  expect([said.exitCode, said.stdout]).toEqual([0, expect.stringContaining("signs from now on")]);
  expect(currentOf(site)).not.toBe(before);
  await site.start();
  await site.send({ serials: [SERIAL], total: 3 });
  await until(async () => (await rotations(site))[0]?.state === "failed");
  await site.until(isEmpty, 60_000);
  expect(currentOf(site)).toBe(before);
  expect(site.mossos.records.accepted()).toHaveLength(3);
  expect(signers(site)).toEqual([expect.stringContaining("CAM SIMULATED CLIENT")]);
  const doctor = JSON.parse((await site.run("doctor", "--json")).stdout) as {
    findings: { check: string; grade: string; text: string }[];
  };
  expect(doctor.findings.find(({ check }) => check === "next certificate of Vila")).toMatchObject({
    grade: "warning",
    text: expect.stringContaining("was refused, the earlier one signs again"),
  });
  expect((await site.run("cert", "rotate", "--cancel", "--municipality", "Vila")).exitCode).toBe(0);
  expect((await site.run("cert", "remove", "2", "--yes")).exitCode).toBe(0);
}, 90_000);

test("what cannot sign is not staged, and leaves no key behind", async () => {
  const { site, rotate } = await openTown({ keyType: "ec" });
  await using _ = site;
  const said = await site.run(...rotate);
  expect([said.exitCode, said.stderr]).toEqual([1, expect.stringContaining("an RSA key is needed")]);
  const used = join(site.folder, "vila.pfx");
  const again = await site.run("cert", "rotate", used, ...rotate.slice(3));
  expect(again.stderr).toContain("signs with this certificate already");
  expect(await rotations(site)).toEqual([]);
  expect(existsSync(join(site.folder, "data/certs/Vila", currentOf(site)))).toBe(true);
  expect((await site.run("cert", "rotate", "--cancel", "--municipality", "Vila")).stderr).toContain(
    "nothing is being rotated",
  );
});
