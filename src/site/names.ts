import { nearestName } from "../name-distance.ts";
import type { Camera, CertificateChoice, Municipality, RegistryChange } from "../store/registry.ts";
import { recordKey, type SiteFile } from "./file.ts";
import type { PlannedCamera, PlannedMunicipality, SiteState } from "./plan.ts";

const nameOf = ({ name }: { name: string }): string => name;

/** Whether a record has this name; case does not count. */
function sameName(name: string): (item: { name: string }) => boolean {
  const key = recordKey("endpoints", name);
  return (item) => recordKey("endpoints", item.name) === key;
}

/** Looks up records by name, of several the first; case does not count. For files of thousands of records. */
export function indexNames<T extends { name: string }>(items: readonly T[]): (name: string) => T | undefined {
  const byKey = new Map<string, T>();
  for (const item of items) {
    const key = recordKey("endpoints", item.name);
    if (!byKey.has(key)) byKey.set(key, item);
  }
  return (name) => byKey.get(recordKey("endpoints", name));
}

/** Looks up what a site file names, among what the file itself has and what is registered. */
export interface SiteNames {
  /** The name as it is written there; undefined and null pass. A name that leads nowhere becomes a problem. */
  endpoint(user: string, name: string | null | undefined): string | null | undefined;
  municipality(user: string, name: string): string;
  certificate(user: string, name: string | null | undefined): CertificateChoice | undefined;
  /** For the plan: names of certificates need not differ, fingerprints do. */
  labelOf(choice: CertificateChoice): string | null;
  /** What is registered, with names for ids. */
  describeMunicipality(this: void, municipality: Municipality): PlannedMunicipality;
  describeCamera(this: void, camera: Camera): PlannedCamera;
}

export function createSiteNames(deps: {
  file: SiteFile;
  state: SiteState;
  certificates: RegistryChange["certificates"];
  /** Certificates of the file, by their name there. */
  choices: ReadonlyMap<string, CertificateChoice>;
  problems: string[];
}): SiteNames {
  const { file, state, certificates, choices, problems } = deps;
  const complain = (user: string, noun: string, name: string, known: readonly string[]): void => {
    const nearest = nearestName(name, known);
    problems.push(`${user}: no ${noun} ${name}${nearest === null ? "" : `; did you mean ${nearest}?`}`);
  };
  const lookUp = (noun: string, items: readonly { name: string }[]) => {
    const find = indexNames(items);
    return (user: string, name: string): string => {
      const found = find(name);
      if (found === undefined) complain(user, noun, name, items.map(nameOf));
      return found?.name ?? name;
    };
  };
  const endpoint = lookUp("endpoint", [...(file.endpoints ?? []), ...state.endpoints]);
  const municipality = lookUp("municipality", [...(file.municipalities ?? []), ...state.municipalities]);
  const endpointNames = new Map(state.endpoints.map(({ id, name }) => [id, name]));
  const municipalityNames = new Map(state.municipalities.map(({ id, name }) => [id, name]));
  const endpointName = (id: number | null): string | null => (id === null ? null : (endpointNames.get(id) ?? null));

  return {
    endpoint: (user, name) => (name == null ? name : endpoint(user, name)),
    municipality,
    certificate: (user, name) => {
      if (name == null) return name;
      const own = [...choices].find(([key]) => sameName(name)({ name: key }))?.[1];
      if (own !== undefined) return own;
      const used = new Set(state.municipalities.map(({ certificateId }) => certificateId));
      const [named] = state.certificates
        .filter((c) => sameName(name)(c) || (c.alias !== null && sameName(name)({ name: c.alias })))
        .toSorted((a, b) => Number(used.has(b.id)) - Number(used.has(a.id)) || b.id - a.id);
      if (named !== undefined) return { id: named.id };
      complain(user, "certificate", name, [...(file.certificates ?? []), ...state.certificates].map(nameOf));
      return null;
    },
    labelOf: (choice) => {
      if (choice === null) return null;
      const one = "id" in choice ? state.certificates.find(({ id }) => id === choice.id) : certificates[choice.added];
      const until = one?.validTo?.toISOString().slice(0, 10) ?? "?";
      return `${one?.name ?? "?"} until ${until} (${one?.fingerprint?.slice(0, 11) ?? "?"}…)`;
    },
    describeMunicipality: ({ name, code, endpointId, certificateId, active }) => ({
      name,
      code,
      endpoint: endpointName(endpointId),
      certificate: certificateId === null ? null : { id: certificateId },
      active,
    }),
    describeCamera: ({ id: _id, lastReadingAt: _r, lastSentAt: _s, municipalityId, endpointId, ...camera }) => ({
      ...camera,
      municipality: municipalityNames.get(municipalityId) ?? "",
      endpoint: endpointName(endpointId),
    }),
  };
}
