import type { Static, TSchema } from "typebox";
import { Value } from "typebox/value";
import { invalid } from "./refusal.ts";

/** The keywords that a refusal looks at. */
interface Shape {
  description?: string;
  writeOnly?: boolean;
  type?: string;
  enum?: readonly unknown[];
  anyOf?: readonly Shape[];
  const?: unknown;
  minimum?: number;
  maximum?: number;
  properties?: Readonly<Record<string, Shape>>;
  items?: Shape;
}

/**
 * A part of a request as its schema says. `where` is `body`, `query` or `path`; text of query and path becomes numbers and
 * booleans first.
 * @throws Refusal 400 that names the field, its value and what is allowed
 */
export function checkPart<S extends TSchema>(where: "body" | "query" | "path", schema: S, value: unknown): Static<S> {
  const converted = where === "body" ? value : Value.Convert(schema, value);
  if (Value.Check(schema, converted)) return converted;
  const errors = [...Value.Errors(schema, converted)];
  for (const error of errors) {
    if (error.keyword === "required") {
      const missing = (error.params as { requiredProperties?: readonly string[] }).requiredProperties ?? [];
      const name = [where, ...pathParts(error.instancePath), missing[0] ?? "?"].join(".");
      throw invalid(`${name} is missing`, allowedAt(schema as Shape, `${error.instancePath}/${missing[0]}`));
    }
    if (error.keyword === "additionalProperties") {
      const surplus = (error.params as { additionalProperties?: readonly string[] }).additionalProperties ?? [];
      const name = [where, ...pathParts(error.instancePath), surplus[0] ?? "?"].join(".");
      const owner = shapeAt(schema as Shape, error.instancePath);
      throw invalid(
        `${name} is not known here`,
        `Known are ${Object.keys(owner?.properties ?? {}).join(", ") || "none"}.`,
      );
    }
  }
  // The longest path is the innermost: of a union every branch complains, and the whole once more.
  const [error] = errors.toSorted((a, b) => a.instancePath.length - b.instancePath.length);
  const path = error?.instancePath ?? "";
  const name = [where, ...pathParts(path)].join(".");
  const shape = shapeAt(schema as Shape, path);
  throw invalid(`${name} is ${showValue(converted, path, shape)}`, allowedAt(schema as Shape, path));
}

function pathParts(path: string): string[] {
  return path
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function shapeAt(schema: Shape, path: string): Shape | undefined {
  let shape: Shape | undefined = schema;
  for (const part of pathParts(path)) {
    const inside: Shape | undefined = shape?.properties === undefined ? shape?.items : shape.properties[part];
    shape = inside;
  }
  return shape;
}

function allowedAt(schema: Shape, path: string): string | undefined {
  const shape = shapeAt(schema, path);
  return shape === undefined ? undefined : `Give ${allowedText(shape)}.`;
}

function allowedText(shape: Shape): string {
  if (shape.description !== undefined) return shape.description;
  if (shape.enum !== undefined) return `one of ${shape.enum.join(", ")}`;
  if (shape.anyOf !== undefined) return shape.anyOf.map(allowedText).join(" or ");
  if (shape.const !== undefined) return String(shape.const);
  if (shape.type === "integer" || shape.type === "number") {
    const noun = shape.type === "integer" ? "a whole number" : "a number";
    return `${noun}${shape.minimum === undefined ? "" : ` from ${shape.minimum}`}${shape.maximum === undefined ? "" : ` to ${shape.maximum}`}`;
  }
  return shape.type === undefined ? "something else" : `${shape.type === "object" ? "an object" : `a ${shape.type}`}`;
}

/** Quoted and short; a secret is not repeated. */
function showValue(whole: unknown, path: string, shape: Shape | undefined): string {
  if (shape?.writeOnly === true) return "not as it should be";
  let value: unknown = whole;
  for (const part of pathParts(path)) value = (value as Record<string, unknown> | undefined)?.[part];
  const text = JSON.stringify(value) ?? "missing";
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
