import { XMLParser, XMLValidator } from "fast-xml-parser";
import { AppError, errorText } from "../errors.ts";

/** One element, namespaces resolved: prefixes mean nothing. */
export interface XmlElement {
  /** Local name. */
  name: string;
  namespace: string;
  /** By the name as written; declarations (`xmlns…`) included. */
  attributes: Readonly<Record<string, string>>;
  children: readonly XmlElement[];
  /** Text and CDATA directly inside, blanks at the ends cut. */
  text: string;
  /** Prefix → namespace in scope here, for values that are qualified names (`type="tns:x"`). */
  scope: ReadonlyMap<string, string>;
}

// Values stay text ("0012" is no number) and character references are resolved.
const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: "",
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  htmlEntities: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
});

/**
 * Parses one whole, well-formed document.
 * @param input Text, or bytes in the encoding that the byte order mark, `charset` or the XML declaration names (else UTF-8).
 * @throws AppError `invalid` for what is not well-formed, and for a DOCTYPE: entities would be expanded whatever the options say.
 */
export function parseXml(input: string | Uint8Array, charset?: string): XmlElement {
  const text = typeof input === "string" ? input : decode(input, charset);
  if (/<!DOCTYPE/i.test(text)) throw new AppError("invalid", "reading XML: a DOCTYPE is not allowed");
  const validity = XMLValidator.validate(text);
  if (validity !== true) {
    throw new AppError("invalid", `reading XML: not well-formed (line ${validity.err.line})`);
  }
  let nodes: unknown;
  try {
    nodes = parser.parse(text);
  } catch (cause) {
    throw new AppError("invalid", `reading XML: ${errorText(cause)}`, { cause });
  }
  const [root] = elementsOf(nodes, new Map([["xml", "http://www.w3.org/XML/1998/namespace"]]));
  if (root === undefined) throw new AppError("invalid", "reading XML: there is no element");
  return root;
}

/** The children of that local name; of one namespace where it is given. */
export function childrenNamed(element: XmlElement, name: string, namespace?: string): XmlElement[] {
  return element.children.filter((c) => c.name === name && (namespace === undefined || c.namespace === namespace));
}

/** Resolves the qualified name `value` where `element` stands. An unknown prefix gives the namespace "". */
export function resolveName(element: XmlElement, value: string): { namespace: string; name: string } {
  const colon = value.indexOf(":");
  const prefix = colon < 0 ? "" : value.slice(0, colon);
  return { namespace: element.scope.get(prefix) ?? "", name: value.slice(colon + 1).trim() };
}

/**
 * Text as exclusive canonicalization writes it (Canonical XML 1.0, section 2.3), so that what is signed is what is written.
 * Characters that XML 1.0 cannot hold are left out: no escape exists for them and one would make the whole message unreadable.
 */
export function xmlText(value: string): string {
  return removeIllegal(value).replace(/[&<>\r]/g, (c) => ESCAPES[c] ?? c);
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  "\r": "&#xD;",
};

/** Removes what is outside the production Char of XML 1.0: control characters, lone surrogates, U+FFFE and U+FFFF. */
export function removeIllegal(value: string): string {
  return value.replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, "");
}

function decode(bytes: Uint8Array, charset: string | undefined): string {
  const declared = /^[^<]{0,4}<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,40})["']/.exec(
    Buffer.from(bytes.subarray(0, 256)).toString("latin1"),
  )?.[1];
  const utf16 = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : bytes[0] === 0xfe && bytes[1] === 0xff;
  const label = utf16 === true ? "utf-16be" : utf16 || charset || declared || "utf-8";
  try {
    return new TextDecoder(label as Bun.Encoding).decode(bytes).replace(/^\uFEFF/, "");
  } catch (cause) {
    throw new AppError("invalid", `reading XML: unknown encoding (${JSON.stringify(label)})`, { cause });
  }
}

function elementsOf(nodes: unknown, scope: ReadonlyMap<string, string>): XmlElement[] {
  if (!Array.isArray(nodes)) return [];
  const elements: XmlElement[] = [];
  for (const node of nodes as Record<string, unknown>[]) {
    const tag = Object.keys(node).find((key) => key !== ":@");
    if (tag === undefined || tag.startsWith("#")) continue;
    elements.push(elementOf(tag, node[tag], (node[":@"] ?? {}) as Record<string, string>, scope));
  }
  return elements;
}

function elementOf(
  tag: string,
  nodes: unknown,
  attributes: Record<string, string>,
  outer: ReadonlyMap<string, string>,
): XmlElement {
  let scope = outer;
  for (const [name, value] of Object.entries(attributes)) {
    if (name !== "xmlns" && !name.startsWith("xmlns:")) continue;
    if (scope === outer) scope = new Map(outer);
    (scope as Map<string, string>).set(name.slice(6), value);
  }
  const colon = tag.indexOf(":");
  return {
    name: tag.slice(colon + 1),
    namespace: scope.get(colon < 0 ? "" : tag.slice(0, colon)) ?? "",
    attributes,
    children: elementsOf(nodes, scope),
    text: textOf(nodes),
    scope,
  };
}

function textOf(nodes: unknown): string {
  if (!Array.isArray(nodes)) return "";
  let text = "";
  for (const node of nodes as Record<string, unknown>[]) if (typeof node["#text"] === "string") text += node["#text"];
  return text.trim();
}
