import { SITE_FIELDS, type SiteField } from "./fields.ts";
import { SITE_VERSION } from "./file.ts";

/** JSON Schema (2020-12) of the site file, from the same table as its checks; for editors. */
export function buildSiteSchema(): Record<string, unknown> {
  const sections = Object.entries(SITE_FIELDS).map(([section, fields]) => [
    section,
    { type: "array", description: ABOUT[section as keyof typeof SITE_FIELDS], items: recordSchema(fields) },
  ]);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "tattile site",
    description: "What tattile apply brings about. What is left out stays; null clears.",
    type: "object",
    additionalProperties: false,
    required: ["version"],
    properties: {
      $schema: { type: "string" },
      version: { const: SITE_VERSION, description: "version of this format" },
      ...Object.fromEntries(sections),
    },
  };
}

const ABOUT: Readonly<Record<keyof typeof SITE_FIELDS, string>> = {
  endpoints: "addresses of the police",
  certificates: "certificates with their keys, one for each municipality",
  municipalities: "towns: where their readings go and what signs for them",
  cameras: "cameras, by serial number",
};

function recordSchema(fields: Readonly<Record<string, SiteField<unknown>>>): Record<string, unknown> {
  const entries = Object.entries(fields);
  return {
    type: "object",
    additionalProperties: false,
    required: entries.filter(([, field]) => field.required).map(([key]) => key),
    properties: Object.fromEntries(
      entries.map(([key, { schema, nullable, about }]) => [
        key,
        { ...nullableSchema(schema, nullable), description: about },
      ]),
    ),
  };
}

function nullableSchema(schema: Readonly<Record<string, unknown>>, nullable: boolean): Record<string, unknown> {
  return nullable ? { anyOf: [schema, { type: "null" }] } : { ...schema };
}
