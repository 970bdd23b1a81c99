import { AppError } from "../errors.ts";
import type {
  CertificateChoice,
  EndpointDefaults,
  NewCertificate,
  NewEndpoint,
  Registered,
  RegistryChange,
} from "../store/registry.ts";
import { recordKey, type SiteFile } from "./file.ts";
import { createSiteNames, indexNames } from "./names.ts";
import { pruneSite } from "./prune.ts";

/** What is registered now. */
export interface SiteState extends Registered {
  /** Ids of cameras of which messages wait; only of those that may be removed. */
  waiting: ReadonlySet<number>;
  /** Certificates on their way in or out, which cannot be removed. */
  rotating: ReadonlySet<number>;
}

/** One line of a plan, and the fields behind it. */
export interface SiteStep {
  action: "add" | "change" | "remove";
  noun: "endpoint" | "certificate" | "municipality" | "camera";
  name: string;
  fields: readonly { field: string; before: string | null; after: string | null }[];
}

export interface SitePlan {
  steps: readonly SiteStep[];
  unchanged: number;
  change: RegistryChange;
}

/** Where a certificate of the file comes from: one that is in the store, or one that its files were read of. */
export type SiteCertificateSource =
  | { kind: "present"; id: number }
  | { kind: "new"; value: Omit<NewCertificate, "municipalityId"> };

export interface PlanOptions {
  /** What the file's sections do not name is removed. */
  prune: boolean;
  /** For endpoints that are new. */
  defaults: EndpointDefaults;
  /** By the certificate's name in the file. */
  sources: ReadonlyMap<string, SiteCertificateSource>;
}

export type PlannedMunicipality = RegistryChange["municipalities"][number];
export type PlannedCamera = RegistryChange["cameras"][number];

const MOST_PROBLEMS = 20;
/** What the file calls them. */
const FIELD_NAMES: Readonly<Record<string, string>> = { readerCode: "reader", coordX: "x", coordY: "y", caPath: "ca" };

/**
 * Compares what a site is said to be with what is registered. Pure.
 * @throws AppError `invalid` with every name that leads nowhere and every removal that is not possible
 */
export function planSite(file: SiteFile, state: SiteState, options: PlanOptions): SitePlan {
  const problems: string[] = [];
  const steps: SiteStep[] = [];
  let unchanged = 0;
  const noteStep = (noun: SiteStep["noun"], name: string, before: object | null, after: object): boolean => {
    const fields = differences(before, after);
    if (before !== null && fields.length === 0) unchanged += 1;
    else steps.push({ action: before === null ? "add" : "change", noun, name, fields });
    return before === null || fields.length > 0;
  };

  const endpointNamed = indexNames(state.endpoints);
  const endpoints = (file.endpoints ?? []).flatMap(({ ca, ...said }): NewEndpoint[] => {
    const old = endpointNamed(said.name) ?? null;
    const { id: _id, ...before } = old ?? { id: 0, name: "", url: "", ...options.defaults };
    const after = { ...before, ...said, caPath: ca === undefined ? before.caPath : ca };
    return noteStep("endpoint", said.name, old && before, after) ? [after] : [];
  });
  const certificates: RegistryChange["certificates"][number][] = [];
  const choices = new Map<string, CertificateChoice>();
  for (const { name } of file.certificates ?? []) {
    const source = options.sources.get(name);
    if (source?.kind === "new") {
      choices.set(name, { added: certificates.length });
      certificates.push(source.value);
      const { subject, fingerprint, validTo } = source.value;
      noteStep("certificate", name, null, { subject, fingerprint, validTo });
    } else if (source !== undefined) {
      choices.set(name, { id: source.id });
      unchanged += 1;
    } else problems.push(`certificate ${name}: nothing is known of it`);
  }
  const names = createSiteNames({ file, state, certificates, choices, problems });

  const municipalityNamed = indexNames(state.municipalities);
  const municipalities = (file.municipalities ?? []).flatMap((said): PlannedMunicipality[] => {
    const old = municipalityNamed(said.name);
    const before = old === undefined ? null : names.describeMunicipality(old);
    const after: PlannedMunicipality = {
      name: said.name,
      code: keep(said.code, before?.code, null),
      endpoint: keep(names.endpoint(`municipality ${said.name}`, said.endpoint), before?.endpoint, null),
      certificate: keep(names.certificate(`municipality ${said.name}`, said.certificate), before?.certificate, null),
      active: keep(said.active, before?.active, true),
    };
    const shown = (one: PlannedMunicipality) => ({ ...one, certificate: names.labelOf(one.certificate) });
    return noteStep("municipality", said.name, before && shown(before), shown(after)) ? [after] : [];
  });
  const bySerial = new Map(state.cameras.map((camera) => [camera.serial, camera]));
  const cameras = (file.cameras ?? []).flatMap((said): PlannedCamera[] => {
    const old = bySerial.get(said.serial);
    const before = old === undefined ? null : names.describeCamera(old);
    const user = `camera ${said.serial}`;
    const after: PlannedCamera = {
      serial: said.serial,
      readerCode: said.reader,
      municipality: names.municipality(user, said.municipality),
      description: keep(said.description, before?.description, null),
      endpoint: keep(names.endpoint(user, said.endpoint), before?.endpoint, null),
      coordX: keep(said.x, before?.coordX, null),
      coordY: keep(said.y, before?.coordY, null),
      timezone: keep(said.timezone, before?.timezone, null),
      active: keep(said.active, before?.active, true),
    };
    if ((after.coordX === null) !== (after.coordY === null)) problems.push(`${user}: one coordinate without the other`);
    return noteStep("camera", said.serial, before, after) ? [after] : [];
  });

  const added = { endpoints, certificates, municipalities, cameras };
  const pruned = options.prune
    ? pruneSite(file, state, {
        municipalities: afterwards(state.municipalities.map(names.describeMunicipality), municipalities, ({ name }) =>
          recordKey("municipalities", name),
        ),
        cameras: afterwards(state.cameras.map(names.describeCamera), cameras, ({ serial }) => serial),
        named: [...choices.values()],
      })
    : NOTHING_PRUNED;
  problems.push(...pruned.problems);
  if (problems.length > 0) {
    throw new AppError("invalid", `planning the site: ${problems.slice(0, MOST_PROBLEMS).join("; ")}`, {
      hint: "Mend what is named; nothing was changed.",
    });
  }
  return { steps: [...steps, ...pruned.steps], unchanged, change: { ...added, removed: pruned.removed } };
}

const NOTHING_PRUNED = {
  problems: [],
  steps: [],
  removed: { cameras: [], municipalities: [], certificates: [], endpoints: [] },
};

/** What the file says, else what is there, else what a new one has. */
function keep<T>(said: T | undefined, before: T | undefined, fallback: T): T {
  return said !== undefined ? said : before !== undefined ? before : fallback;
}

/** What is registered once the planned changes are made. */
function afterwards<T>(before: readonly T[], planned: readonly T[], keyOf: (item: T) => string): readonly T[] {
  const changed = new Map(planned.map((one) => [keyOf(one), one]));
  const there = new Set(before.map(keyOf));
  return [...before.map((old) => changed.get(keyOf(old)) ?? old), ...planned.filter((one) => !there.has(keyOf(one)))];
}

function differences(before: object | null, after: object): SiteStep["fields"] {
  const old = before as Readonly<Record<string, unknown>> | null;
  return Object.entries(after).flatMap(([field, value]) => {
    const [was, is] = [show(old?.[field]), show(value)];
    const isTitle = old === null && (field === "name" || field === "serial");
    return was === is || isTitle ? [] : [{ field: FIELD_NAMES[field] ?? field, before: was, after: is }];
  });
}

function show(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return value instanceof Date ? value.toISOString() : String(value);
}
