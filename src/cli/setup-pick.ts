import { readdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { type Answer, BACK, type Choice } from "./setup-dialog.ts";
import type { Kit } from "./setup-kit.ts";

/** As `--json` of the lists gives them. */
export interface ListedCamera {
  serial: string;
  municipality: string;
  description: string | null;
  active: boolean;
  lastReadingAt: string | null;
  lastSentAt: string | null;
}
export interface ListedMunicipality {
  id: number;
  name: string;
  endpoint: string | null;
  certificate: string | null;
  cameras: number;
}
export interface ListedEndpoint {
  id: number;
  name: string;
  url: string;
}
export interface ListedCertificate {
  id: number;
  name: string;
  municipality: string | null;
  inUse: boolean;
  daysLeft: number | null;
}

/** Stands for "a new one" among what is there. */
export const NEW = Symbol("new");

/** Picks one of what a list command gives. Where there is none, that is said and it is BACK. */
async function pickOf<T>(
  kit: Kit,
  question: string,
  command: string,
  choice: (item: T) => Choice<T>,
  first: readonly Choice<typeof NEW>[] = [],
): Promise<Answer<T | typeof NEW>> {
  const items = await kit.query<T[]>([command, "list"]);
  if (items.length === 0 && first.length === 0) {
    kit.say(kit.t.nothingThere);
    return BACK;
  }
  return kit.choose<T | typeof NEW>(question, [...items.map(choice), ...first]);
}

function withoutNew<T>(answer: Answer<T | typeof NEW>): Answer<T> {
  return answer === NEW ? BACK : answer;
}

export async function pickCamera(kit: Kit): Promise<Answer<ListedCamera>> {
  return withoutNew(
    await pickOf<ListedCamera>(kit, kit.t.ask.whichCamera, "camera", (c) => ({
      label: c.serial,
      hint: [c.municipality, c.description].filter(Boolean).join(", "),
      value: c,
    })),
  );
}

/** `orNew`: one that is not there yet may be meant. */
export async function pickMunicipality(kit: Kit, orNew: true): Promise<Answer<ListedMunicipality | typeof NEW>>;
export async function pickMunicipality(kit: Kit): Promise<Answer<ListedMunicipality>>;
export async function pickMunicipality(kit: Kit, orNew = false): Promise<Answer<ListedMunicipality | typeof NEW>> {
  const first = orNew ? [{ label: kit.t.ask.newOne, value: NEW } as const] : [];
  return pickOf<ListedMunicipality>(
    kit,
    kit.t.ask.whichMunicipality,
    "municipality",
    (m) => ({ label: m.name, hint: [m.endpoint, m.certificate].filter(Boolean).join(", "), value: m }),
    first,
  );
}

/** `other`: what else may be picked, as "none" or "a new one". */
export async function pickEndpoint(kit: Kit, other: string): Promise<Answer<ListedEndpoint | typeof NEW>>;
export async function pickEndpoint(kit: Kit): Promise<Answer<ListedEndpoint>>;
export async function pickEndpoint(kit: Kit, other?: string): Promise<Answer<ListedEndpoint | typeof NEW>> {
  const first = other === undefined ? [] : [{ label: other, value: NEW } as const];
  const choice = (e: ListedEndpoint) => ({ label: e.name, hint: e.url, value: e });
  return pickOf<ListedEndpoint>(kit, kit.t.ask.whichEndpoint, "endpoint", choice, first);
}

export async function pickCertificate(kit: Kit, other: string): Promise<Answer<ListedCertificate | typeof NEW>>;
export async function pickCertificate(kit: Kit): Promise<Answer<ListedCertificate>>;
export async function pickCertificate(kit: Kit, other?: string): Promise<Answer<ListedCertificate | typeof NEW>> {
  const first = other === undefined ? [] : [{ label: other, value: NEW } as const];
  const choice = (c: ListedCertificate) => ({
    label: `${c.id} ${c.name}`,
    hint: [c.municipality, c.daysLeft === null ? null : `${c.daysLeft} d`].filter(Boolean).join(", "),
    value: c,
  });
  return pickOf<ListedCertificate>(kit, kit.t.ask.whichCertificate, "cert", choice, first);
}

/** A serial number: of a camera that sends already though it is not registered, or typed in. */
export async function pickSerial(kit: Kit, initial?: string): Promise<Answer<string>> {
  const held = await kit.query<{ cameraSerial: string | null }[]>([
    ...["quarantine", "list", "--kind", "unregistered", "--limit", "1000"],
  ]);
  const counts = new Map<string, number>();
  for (const { cameraSerial } of held) {
    if (cameraSerial !== null) counts.set(cameraSerial, (counts.get(cameraSerial) ?? 0) + 1);
  }
  const options = initial === undefined ? {} : { initial };
  if (counts.size === 0) return kit.ask(kit.t.ask.serial, options);
  const heard = [...counts].map(([serial, messages]) => ({
    label: serial,
    hint: kit.t.ask.serialHeard(messages),
    value: serial,
  }));
  const picked = await kit.choose<string | typeof NEW>(kit.t.ask.serial, [
    ...heard,
    { label: kit.t.other, value: NEW },
  ]);
  return picked === NEW ? kit.ask(kit.t.ask.serial, options) : picked;
}

/** Files offered; a folder with more is one that somebody keeps other things in. */
const MOST_FILES = 20;

/** A PFX file: one that lies here or at home, or its path typed in. */
export async function pickPfx(kit: Kit): Promise<Answer<string>> {
  const folders = [...new Set([process.cwd(), homedir()])];
  const found: string[] = [];
  for (const folder of folders) {
    const names = await readdir(folder).catch(() => []);
    found.push(...names.filter((name) => /\.(pfx|p12)$/i.test(name)).map((name) => join(folder, name)));
  }
  const placeholder = "/home/…/municipi.pfx";
  if (found.length === 0) return kit.ask(kit.t.ask.pfxPath, { placeholder });
  const picked = await kit.choose<string | typeof NEW>(kit.t.ask.pfx, [
    ...found.slice(0, MOST_FILES).map((path) => ({ label: path, value: path })),
    { label: kit.t.other, value: NEW },
  ]);
  return picked === NEW ? kit.ask(kit.t.ask.pfxPath, { placeholder }) : picked;
}
