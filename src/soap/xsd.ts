import { AppError } from "../errors.ts";
import type { ContractElement } from "./contract.ts";
import { childrenNamed, resolveName, type XmlElement } from "./xml.ts";

export const XSD = "http://www.w3.org/2001/XMLSchema";

/** The schemas of one document; several may share a namespace. */
export type SchemaSet = readonly XmlElement[];

/** A global element and where it is declared. */
export interface SchemaElement {
  namespace: string;
  name: string;
  declared: XmlElement;
}

/** One child of the request. */
export interface SequenceChild {
  element: ContractElement;
  qualified: boolean;
}

interface Facets {
  minLength: number | null;
  maxLength: number | null;
  /** Each an alternative-free regular expression source; all must match. */
  patterns: readonly string[];
}

const ANY: Facets = { minLength: null, maxLength: null, patterns: [] };
const ZONE = "(?:Z|[+-]\\d{2}:\\d{2})?";
/** Lexical forms of the built-in types that restrict what tattile writes (XML Schema Part 2, chapter 3). */
const BUILTIN: Readonly<Record<string, string>> = {
  date: `-?\\d{4,}-\\d{2}-\\d{2}${ZONE}`,
  time: `\\d{2}:\\d{2}:\\d{2}(?:\\.\\d+)?${ZONE}`,
  dateTime: `-?\\d{4,}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(?:\\.\\d+)?${ZONE}`,
  decimal: "[+-]?(?:\\d+(?:\\.\\d*)?|\\.\\d+)",
  double: "[+-]?(?:\\d+(?:\\.\\d*)?|\\.\\d+)(?:[Ee][+-]?\\d+)?",
  float: "[+-]?(?:\\d+(?:\\.\\d*)?|\\.\\d+)(?:[Ee][+-]?\\d+)?",
  boolean: "true|false|0|1",
};
const INTEGER = /^(?:integer|int|long|short|byte|(?:nonNegative|positive|nonPositive|negative)Integer|unsigned\w+)$/;
/** A schema may nest types in each other; a loop in it must end too. */
const MAX_DEPTH = 16;

/** The first schema of that target namespace. */
export function findSchema(schemas: SchemaSet, namespace: string): XmlElement | undefined {
  return schemas.find((s) => (s.attributes["targetNamespace"] ?? "") === namespace);
}

/**
 * The children of a request element, in the order of its sequence, with the facets of their types.
 * @throws AppError `invalid` for a construct that is not understood (choice, any that is required, extension): never a guess.
 */
export function readSequence(schemas: SchemaSet, request: SchemaElement): readonly SequenceChild[] {
  const { declared, name } = request;
  const typeName = declared.attributes["type"];
  const type =
    typeName === undefined
      ? childrenNamed(declared, "complexType", XSD)[0]
      : findNamed(schemas, "complexType", resolveName(declared, typeName));
  if (type === undefined) fail(`the element ${name} has no complex type${typeName ? ` (${typeName})` : ""}`);
  const required = childrenNamed(type, "attribute", XSD).find((a) => a.attributes["use"] === "required");
  if (required !== undefined) fail(`the element ${name} requires the attribute ${required.attributes["name"]}`);
  const content = type.children.find((c) => c.namespace === XSD && !["annotation", "attribute"].includes(c.name));
  if (content === undefined || (content.name !== "sequence" && content.name !== "all")) {
    fail(`the content of ${name} is ${content?.name ?? "empty"}, a sequence is needed`);
  }
  return readParticles(schemas, request, content, false, 0);
}

function readParticles(
  schemas: SchemaSet,
  request: SchemaElement,
  group: XmlElement,
  optional: boolean,
  depth: number,
): SequenceChild[] {
  if (depth > MAX_DEPTH) fail(`the content of ${request.name} is nested too deeply`);
  return group.children.flatMap((particle): SequenceChild[] => {
    const min = particle.attributes["minOccurs"] ?? "1";
    if (particle.name === "annotation" || particle.attributes["maxOccurs"] === "0") return [];
    if (particle.name === "element") return [readElement(schemas, request, particle, optional)];
    if (particle.name === "sequence")
      return readParticles(schemas, request, particle, optional || min === "0", depth + 1);
    if (min === "0") return [];
    return fail(`the content of ${request.name} has a required ${particle.name}, which is not understood`);
  });
}

function readElement(
  schemas: SchemaSet,
  request: SchemaElement,
  particle: XmlElement,
  optional: boolean,
): SequenceChild {
  const reference = particle.attributes["ref"];
  let declared = particle;
  if (reference !== undefined) {
    const target = resolveName(particle, reference);
    if (target.namespace !== request.namespace) fail(`the element ${reference} is of another namespace`);
    const found = findNamed(schemas, "element", target);
    if (found === undefined) fail(`no element ${reference}`);
    declared = found;
  }
  const name = declared.attributes["name"] ?? fail(`an element of ${request.name} has no name`);
  const { minLength, maxLength, patterns } = elementFacets(schemas, declared, name);
  const owner = schemas.find((s) => holds(s, particle));
  const form = particle.attributes["form"] ?? owner?.attributes["elementFormDefault"];
  return {
    element: {
      name,
      required: !optional && particle.attributes["minOccurs"] !== "0",
      minLength,
      maxLength,
      pattern: toRegExp(patterns),
    },
    qualified: reference !== undefined || form === "qualified",
  };
}

function holds(tree: XmlElement, element: XmlElement): boolean {
  return tree.children.some((child) => child === element || holds(child, element));
}

function elementFacets(schemas: SchemaSet, declared: XmlElement, name: string): Facets {
  const typeName = declared.attributes["type"];
  if (typeName !== undefined) return typeFacets(schemas, declared, typeName, 0);
  const inline = childrenNamed(declared, "simpleType", XSD)[0];
  if (inline !== undefined) return simpleTypeFacets(schemas, inline, 0);
  if (childrenNamed(declared, "complexType", XSD).length > 0) fail(`${name} has a complex type, text is needed`);
  return ANY;
}

function typeFacets(schemas: SchemaSet, at: XmlElement, qualifiedName: string, depth: number): Facets {
  if (depth > MAX_DEPTH) fail(`the type ${qualifiedName} is derived in a loop`);
  const name = resolveName(at, qualifiedName);
  if (name.namespace === XSD) {
    const pattern = INTEGER.test(name.name) ? "[+-]?\\d+" : BUILTIN[name.name];
    return pattern === undefined ? ANY : { ...ANY, patterns: [pattern] };
  }
  const type = findNamed(schemas, "simpleType", name);
  if (type === undefined) fail(`no simple type ${qualifiedName}`);
  return simpleTypeFacets(schemas, type, depth + 1);
}

function simpleTypeFacets(schemas: SchemaSet, type: XmlElement, depth: number): Facets {
  const restriction = childrenNamed(type, "restriction", XSD)[0];
  // A list or a union: left to the far side to judge.
  if (restriction === undefined) return ANY;
  const inline = childrenNamed(restriction, "simpleType", XSD)[0];
  const base = restriction.attributes["base"];
  const inherited =
    inline !== undefined
      ? simpleTypeFacets(schemas, inline, depth + 1)
      : base === undefined
        ? ANY
        : typeFacets(schemas, restriction, base, depth);
  const values = (facet: string): string[] =>
    childrenNamed(restriction, facet, XSD).map((f) => f.attributes["value"] ?? "");
  const number = (facet: string): number | null => {
    const value = values(facet)[0];
    return value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : null;
  };
  const alternatives = [values("pattern").map(translatePattern), values("enumeration").map(escapeRegExp)];
  return {
    minLength: number("length") ?? number("minLength") ?? inherited.minLength,
    maxLength: number("length") ?? number("maxLength") ?? inherited.maxLength,
    patterns: [...inherited.patterns, ...alternatives.filter((a) => a.length > 0).map((a) => a.join("|"))],
  };
}

function findNamed(schemas: SchemaSet, kind: string, target: { namespace: string; name: string }) {
  return schemas
    .filter((s) => (s.attributes["targetNamespace"] ?? "") === target.namespace)
    .flatMap((s) => childrenNamed(s, kind, XSD))
    .find((e) => e.attributes["name"] === target.name);
}

/** XSD patterns are anchored, `^` and `$` are plain characters in them, and `-` may be escaped anywhere. */
function translatePattern(pattern: string): string {
  let inClass = false;
  return pattern.replace(/\\[\s\S]|[\s\S]/g, (token) => {
    if (token === "\\i") return inClass ? "\\p{L}_:" : "[\\p{L}_:]";
    if (token === "\\c") return inClass ? "\\p{L}\\p{N}._:\\-" : "[\\p{L}\\p{N}._:\\-]";
    if (token === "\\-") return inClass ? token : "-";
    if (token === "[") inClass = true;
    if (token === "]") inClass = false;
    return !inClass && (token === "^" || token === "$" || token === "/") ? `\\${token}` : token;
  });
}

function escapeRegExp(value: string): string {
  return value.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

function toRegExp(patterns: readonly string[]): RegExp | null {
  const last = patterns.at(-1);
  if (last === undefined) return null;
  const earlier = patterns.slice(0, -1).map((p) => `(?=(?:${p})$)`);
  try {
    return new RegExp(`^${earlier.join("")}(?:${last})$`, "u");
  } catch {
    // What JavaScript cannot express (class subtraction, block names) is left to the far side: it refuses one reading with
    // its own words, while a contract refused here would leave every reading to the built-in one.
    return null;
  }
}

function fail(what: string): never {
  throw new AppError("invalid", `reading the WSDL: ${what}`);
}
