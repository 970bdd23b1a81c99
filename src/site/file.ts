import { AppError } from "../errors.ts";
import { nearestName } from "../name-distance.ts";
import {
  SITE_FIELDS,
  type SiteCamera,
  type SiteCertificate,
  type SiteEndpoint,
  type SiteField,
  type SiteMunicipality,
  type SiteSection,
} from "./fields.ts";

/** What a site is said to be. A section that is left out says nothing; an empty one says that there is none. */
export interface SiteFile {
  endpoints?: readonly SiteEndpoint[];
  certificates?: readonly SiteCertificate[];
  municipalities?: readonly SiteMunicipality[];
  cameras?: readonly SiteCamera[];
}

/** Changes when an older tattile would misunderstand a file. */
export const SITE_VERSION = 1;
/** Records of one section. */
const MOST_RECORDS = 10_000;
const MOST_PROBLEMS = 20;
const SECTIONS = Object.keys(SITE_FIELDS) as SiteSection[];

/** The field by which a record of a section is known. */
function keyField(section: SiteSection): "name" | "serial" {
  return section === "cameras" ? "serial" : "name";
}

/** Names are compared without regard to case, serials as they are; as the store does. */
export function recordKey(section: SiteSection, key: string): string {
  return section === "cameras" ? key : key.normalize("NFC").toLowerCase();
}

/**
 * Checks what was read from a site file.
 * @param folder what relative paths in it count from
 * @throws AppError `invalid` with every problem, each with its place (`cameras[2].reader`)
 */
export function parseSite(value: unknown, folder: string): SiteFile {
  const problems: string[] = [];
  const site: Record<string, unknown> = {};
  if (!isRecord(value)) throw refused(["it is not a mapping with endpoints, certificates, municipalities, cameras"]);
  for (const key of Object.keys(value)) {
    if (key !== "version" && key !== "$schema" && !SECTIONS.some((s) => s === key)) {
      problems.push(`${key} is not a section${guess(key, SECTIONS)}`);
    }
  }
  const version = value["version"];
  if (version !== SITE_VERSION && version !== String(SITE_VERSION)) {
    problems.push(`version must be ${SITE_VERSION}${version === undefined ? " (it is missing)" : ""}`);
  }
  for (const section of SECTIONS) {
    const list = value[section];
    if (list === undefined) continue;
    if (!Array.isArray(list)) problems.push(`${section} must be a list; for none write []`);
    else if (list.length > MOST_RECORDS)
      problems.push(`${section} has ${list.length}, at most ${MOST_RECORDS} are read`);
    else site[section] = parseSection(section, list, folder, problems);
  }
  checkSources((site["certificates"] as readonly SiteCertificate[] | undefined) ?? [], problems);
  if (problems.length > 0) throw refused(problems);
  return site as SiteFile;
}

function parseSection(
  section: SiteSection,
  list: readonly unknown[],
  folder: string,
  problems: string[],
): Record<string, unknown>[] {
  const seen = new Map<string, number>();
  return list.map((item, at) => {
    const place = `${section}[${at}]`;
    if (!isRecord(item)) {
      problems.push(`${place} is not a mapping`);
      return {};
    }
    const record = parseRecord(SITE_FIELDS[section], item, place, folder, problems);
    const key = record[keyField(section)];
    if (typeof key !== "string") return record;
    const before = seen.get(recordKey(section, key));
    if (before !== undefined)
      problems.push(`${place} has the same ${keyField(section)} as ${section}[${before}] (${key})`);
    seen.set(recordKey(section, key), at);
    return record;
  });
}

function parseRecord(
  fields: Readonly<Record<string, SiteField<unknown>>>,
  item: Readonly<Record<string, unknown>>,
  place: string,
  folder: string,
  problems: string[],
): Record<string, unknown> {
  const record: Record<string, unknown> = {};
  for (const key of Object.keys(item)) {
    if (!Object.hasOwn(fields, key)) problems.push(`${place}.${key} is not a field${guess(key, Object.keys(fields))}`);
  }
  for (const [key, field] of Object.entries(fields)) {
    const value = item[key];
    if (value === undefined) {
      if (field.required) problems.push(`${place}.${key} is missing`);
    } else if (value === null) {
      if (field.nullable) record[key] = null;
      else problems.push(`${place}.${key} is empty; leave it out or give a value`);
    } else {
      const parsed = field.parse(value, folder);
      if ("value" in parsed) record[key] = parsed.value;
      else problems.push(`${place}.${key} must be ${parsed.allowed}${shown(value)}`);
    }
  }
  return record;
}

/** Each certificate must say where it comes from, and only once. */
function checkSources(certificates: readonly SiteCertificate[], problems: string[]): void {
  for (const [at, { pfx, cert, key, fingerprint, passwordFile }] of certificates.entries()) {
    const place = `certificates[${at}]`;
    if ((cert === undefined) !== (key === undefined)) problems.push(`${place} needs cert and key together`);
    if (pfx !== undefined && cert !== undefined) problems.push(`${place} has both pfx and cert; give one`);
    if (passwordFile !== undefined && pfx === undefined) problems.push(`${place}.passwordFile is only for a pfx`);
    if (pfx === undefined && cert === undefined && fingerprint === undefined) {
      problems.push(`${place} needs pfx, or cert and key, or the fingerprint of one that is there`);
    }
  }
}

function refused(problems: readonly string[]): AppError {
  const more = problems.length > MOST_PROBLEMS ? `; and ${problems.length - MOST_PROBLEMS} more` : "";
  return new AppError("invalid", `reading the site: ${problems.slice(0, MOST_PROBLEMS).join("; ")}${more}`, {
    hint: "tattile apply --schema prints what a site file may hold; tattile export writes one.",
  });
}

function guess(key: string, known: readonly string[]): string {
  const nearest = nearestName(key, known);
  return nearest === null ? "" : `; did you mean ${nearest}?`;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "";
  return ` (it is ${text.length > 60 ? `${text.slice(0, 60)}…` : text})`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
