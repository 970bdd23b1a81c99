import type { ReadingFacts } from "../reading.ts";
import { type Entity, MAX_DETAIL_CHARS } from "./sqlite-rows.ts";

export type Row = Record<string, unknown>;

/** `alias.column AS "prefix_field"` of every field, for a SELECT. */
export function selectEntity<T>(entity: Entity<T>, alias: string, prefix = ""): string {
  return Object.entries<string>(entity.columns)
    .map(([field, column]) => `${expressionOf(column, alias)} AS "${prefix}${field}"`)
    .join(", ");
}

/** What the old program fell back to where a column was empty. */
export function expressionOf(column: string, alias: string): string {
  if (column === "client_cert_path") return `coalesce(nullif(${alias}.client_cert_path, ''), ${alias}.path)`;
  if (column === "coord_x") return `coalesce(${alias}.coord_x, round(${alias}.utm_x::numeric, 2)::text)`;
  if (column === "coord_y") return `coalesce(${alias}.coord_y, round(${alias}.utm_y::numeric, 2)::text)`;
  return `${alias}.${column}`;
}

/** The record in a row selected with `selectEntity` and the same prefix. */
export function readEntity<T>(entity: Entity<T>, row: Row, prefix = ""): T {
  const record: Record<string, unknown> = {};
  for (const field of Object.keys(entity.columns)) record[field] = row[prefix + field] ?? null;
  // The descriptors are checked against the record types; the columns' types are the schema's.
  return record as T;
}

/** An instant for a text parameter that is cast to timestamptz. */
export function instant(date: Date | null): string | null {
  return date === null ? null : date.toISOString();
}

/**
 * A parameter for `::json`. PostgreSQL's texts hold no NUL and no half of a surrogate pair; one odd reading must not hold up
 * its whole group.
 */
export function json(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) => (typeof one === "string" ? clean(one) : one));
}

/** A text that PostgreSQL takes. */
export function clean(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\ufffd");
}

export function cut(text: string): string {
  return clean([...text.slice(0, 2 * MAX_DETAIL_CHARS)].slice(0, MAX_DETAIL_CHARS).join(""));
}

/** The path below the images folder; the old program wrote data/images/ before it, and wherever that lay before that. */
export function imagePath(column: string): string {
  return `regexp_replace(${column}::text, '^(/|/.*/|\\./)?data/images/', '')`;
}

type FactKind = "text" | "integer" | number;

/** How each fact's column is called, and what fits into it: any text, an integer, or a text of so many characters. */
const FACTS: Readonly<Record<keyof ReadingFacts, readonly [column: string, kind: FactKind]>> = {
  plate: ["plate", 32],
  deviceName: ["device_name", "text"],
  direction: ["direction", 32],
  laneId: ["lane_id", "integer"],
  laneDescription: ["lane_descr", 255],
  ocrScore: ["ocr_score", "integer"],
  country: ["country", 255],
  countryCode: ["country_code", 16],
  plateMinX: ["bbox_min_x", "integer"],
  plateMinY: ["bbox_min_y", "integer"],
  plateMaxX: ["bbox_max_x", "integer"],
  plateMaxY: ["bbox_max_y", "integer"],
  charHeight: ["char_height", "integer"],
  transitId: ["transit_id", "text"],
  brand: ["brand", "text"],
  model: ["model", "text"],
  color: ["color", "text"],
  vehicleType: ["vehicle_type", "text"],
};
const FIELDS = Object.entries(FACTS) as [keyof ReadingFacts, readonly [string, FactKind]][];

export const FACT_COLUMNS: readonly string[] = FIELDS.map(([, [column]]) => column);
/** The same with their types, for a recordset. */
export const FACT_TYPES: readonly string[] = FIELDS.map(
  ([, [column, kind]]) => `${column} ${kind === "integer" ? "integer" : "text"}`,
);
/** The facts of a reading `r`, for a SELECT. */
export const SELECT_FACTS = [
  ...FIELDS.map(([field, [column]]) => `r.${column} AS "${field}"`),
  `r.exact AS "exact"`,
].join(", ");

/** The facts as their columns take them; what does not fit stands whole in `exact`. */
export function writeFacts(facts: ReadingFacts): Record<string, string | number | null> & { exact: string | null } {
  const exact: Partial<Record<keyof ReadingFacts, string | number>> = {};
  const row: Record<string, string | number | null> = {};
  for (const [field, [column, kind]] of FIELDS) {
    const value = facts[field];
    const fitting = fit(value, kind);
    row[column] = fitting;
    if (value !== null && fitting !== value) exact[field] = value;
  }
  return { ...row, exact: Object.keys(exact).length === 0 ? null : json(exact) };
}

/** @param row selected with SELECT_FACTS */
export function readFacts(row: Row): ReadingFacts {
  const facts: Row = {};
  for (const [field] of FIELDS) facts[field] = row[field] ?? null;
  facts["plate"] ??= "";
  // Written by writeFacts, or by the old program, whose columns have the same types.
  return { ...facts, ...(row["exact"] as Partial<ReadingFacts> | null) } as ReadingFacts;
}

const MAX_INTEGER = 2_147_483_647;

function fit(value: string | number | null, kind: FactKind): string | number | null {
  if (typeof value === "string" && typeof kind === "number") {
    return value.length <= kind ? value : [...value].slice(0, kind).join("");
  }
  if (typeof value === "number" && kind === "integer") {
    return Math.abs(value) <= MAX_INTEGER ? Math.round(value) : null;
  }
  return value;
}
