import type { CertificateChoice, RegistryChange } from "../store/registry.ts";
import { recordKey, type SiteFile } from "./file.ts";
import { indexNames } from "./names.ts";
import type { PlannedCamera, PlannedMunicipality, SiteState, SiteStep } from "./plan.ts";

/** What is registered once the rest of the plan is done. */
interface Afterwards {
  municipalities: readonly PlannedMunicipality[];
  cameras: readonly PlannedCamera[];
  /** Certificates of the file. */
  named: readonly CertificateChoice[];
}

/** What the file's sections do not name, with every reason why one of it cannot go. A section that is left out loses nothing. */
export function pruneSite(
  file: SiteFile,
  state: SiteState,
  after: Afterwards,
): { removed: RegistryChange["removed"]; steps: readonly SiteStep[]; problems: readonly string[] } {
  const problems: string[] = [];
  const cameras = unnamed(
    state.cameras,
    ({ serial }) => serial,
    file.cameras,
    ({ serial }) => serial,
  );
  const byName = <T extends { name: string }>(items: readonly T[], named: readonly { name: string }[] | undefined) =>
    unnamed(items, keyOfName, named, keyOfName);
  const municipalities = byName(state.municipalities, file.municipalities);
  const endpoints = byName(state.endpoints, file.endpoints);
  const going = { cameras: new Set(cameras.map(({ serial }) => serial)), municipalities: indexNames(municipalities) };
  const camerasLeft = after.cameras.filter(({ serial }) => !going.cameras.has(serial));
  const municipalitiesLeft = after.municipalities.filter(({ name }) => going.municipalities(name) === undefined);

  for (const { id, serial } of cameras) {
    if (state.waiting.has(id))
      problems.push(`camera ${serial} cannot be removed: readings of it wait (send or discard them first)`);
  }
  const cameraOf = indexNames(camerasLeft.map(({ municipality, serial }) => ({ name: municipality, serial })));
  for (const { name } of municipalities) {
    const user = cameraOf(name);
    if (user !== undefined) problems.push(`municipality ${name} cannot be removed: camera ${user.serial} uses it`);
  }
  const userOf = indexNames([
    ...municipalitiesLeft.flatMap(({ name, endpoint }) => (endpoint === null ? [] : [{ name: endpoint, user: name }])),
    ...camerasLeft.flatMap(({ serial, endpoint }) => (endpoint === null ? [] : [{ name: endpoint, user: serial }])),
  ]);
  for (const { name } of endpoints) {
    const found = userOf(name);
    if (found !== undefined) problems.push(`endpoint ${name} cannot be removed: ${found.user} uses it`);
  }
  const kept = [...after.named, ...municipalitiesLeft.map(({ certificate }) => certificate)];
  const certificates =
    file.certificates === undefined
      ? []
      : state.certificates.filter(
          ({ id }) =>
            !state.rotating.has(id) && !kept.some((choice) => choice !== null && "id" in choice && choice.id === id),
        );

  const step = (noun: SiteStep["noun"], name: string): SiteStep => ({ action: "remove", noun, name, fields: [] });
  return {
    problems,
    steps: [
      ...cameras.map(({ serial }) => step("camera", serial)),
      ...municipalities.map(({ name }) => step("municipality", name)),
      ...certificates.map(({ id, name }) => step("certificate", `${name} (id ${id}, with its key)`)),
      ...endpoints.map(({ name }) => step("endpoint", name)),
    ],
    removed: {
      cameras: cameras.map(({ id }) => id),
      municipalities: municipalities.map(({ id }) => id),
      certificates: certificates.map(({ id }) => id),
      endpoints: endpoints.map(({ id }) => id),
    },
  };
}

const keyOfName = ({ name }: { name: string }): string => recordKey("endpoints", name);

function unnamed<T, S>(
  present: readonly T[],
  keyOf: (item: T) => string,
  named: readonly S[] | undefined,
  keyOfNamed: (item: S) => string,
): readonly T[] {
  if (named === undefined) return [];
  const keys = new Set(named.map(keyOfNamed));
  return present.filter((item) => !keys.has(keyOf(item)));
}
