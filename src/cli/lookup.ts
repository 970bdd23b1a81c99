import { AppError } from "../errors.ts";
import type { Camera, Certificate, Endpoint, Municipality, Registry } from "../store/registry.ts";
import type { Store } from "../store/store.ts";
import { didYouMean } from "./nearest.ts";

/** Finds what an operator names by its name or by its id (`7` or `#7`); a name wins over an id. */
async function lookUp<T extends { id: number }>(
  noun: string,
  wanted: string,
  known: Promise<readonly T[]>,
  nameOf: (item: T) => string,
  list: string,
): Promise<T> {
  const items = await known;
  const name = wanted.trim().toLowerCase();
  const id = /^#?(\d+)$/.exec(name)?.[1];
  const found =
    items.find((item) => nameOf(item).toLowerCase() === name) ??
    (id === undefined ? undefined : items.find((item) => item.id === Number(id)));
  if (found !== undefined) return found;
  throw new AppError("not-found", `unknown ${noun} ${wanted}${didYouMean(wanted, items.map(nameOf))}`, {
    hint: `tattile ${list} list`,
  });
}

export function lookUpMunicipality(registry: Registry, wanted: string): Promise<Municipality> {
  return lookUp("municipality", wanted, registry.listMunicipalities(), (m) => m.name, "municipality");
}

export function lookUpEndpoint(registry: Registry, wanted: string): Promise<Endpoint> {
  return lookUp("endpoint", wanted, registry.listEndpoints(), (e) => e.name, "endpoint");
}

export function lookUpCamera(registry: Registry, wanted: string): Promise<Camera> {
  return lookUp("camera", wanted, registry.listCameras(), (c) => c.serial, "camera");
}

export async function lookUpCertificate(registry: Registry, wanted: string): Promise<Certificate> {
  // An earlier certificate of the same name stays listed: a name means the one that is assigned, or the latest.
  const certificates = [...(await registry.listCertificates())].sort((a, b) => b.id - a.id);
  const assigned = new Set((await registry.listMunicipalities()).map((m) => m.certificateId));
  const ordered = [
    ...certificates.filter((c) => assigned.has(c.id)),
    ...certificates.filter((c) => !assigned.has(c.id)),
  ];
  const name = wanted.trim().toLowerCase();
  const byAlias = ordered.find((c) => c.alias?.toLowerCase() === name);
  return byAlias ?? lookUp("certificate", wanted, Promise.resolve(ordered), (c) => c.name, "cert");
}

/** @throws AppError `not-found`: it never was, or it was delivered */
export async function lookUpMessage(store: Pick<Store, "findMessage">, id: number) {
  const found = await store.findMessage(id);
  if (found !== null) return found;
  throw new AppError("not-found", `unknown message ${id}`, {
    hint: "tattile queue list (a delivered message is erased and no longer listed)",
  });
}

/** `none` and an empty value clear what may be left out. */
export function isCleared(value: string): boolean {
  return value.trim() === "" || value.trim().toLowerCase() === "none";
}

/** A flag of a `set`: not given keeps `kept`, `none` or empty clears, else what `parse` makes of it. */
export function optional<T>(value: string | undefined, kept: T | null, parse: (text: string) => T): T | null {
  if (value === undefined) return kept;
  return isCleared(value) ? null : parse(value.trim());
}
