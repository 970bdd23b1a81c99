import { AppError } from "../errors.ts";
import type { ContractElement, ServiceContract } from "./contract.ts";
import { childrenNamed, parseXml, resolveName, type XmlElement } from "./xml.ts";
import { findSchema, readSequence, type SchemaElement, type SchemaSet } from "./xsd.ts";

const WSDL = "http://schemas.xmlsoap.org/wsdl/";
const SOAP11 = "http://schemas.xmlsoap.org/wsdl/soap/";
const OPERATION = "matricula";

/** What tattile can fill; a contract must have the first six. */
const NEEDED = ["codiLector", "matricula", "dataLectura", "horaLectura", "imgMatricula"];
const OPTIONAL = ["imgContext", "coordenadaX", "coordenadaY", "marca", "model", "color", "tipusVehicle", "pais"];
/** Values as tattile writes them: a contract that refuses these would turn every reading into a refused one. */
const PROBES: Readonly<Record<string, string>> = { dataLectura: "2026-01-31", horaLectura: "23:59:58" };

const text = (name: string, facets: Partial<ContractElement> = {}): ContractElement => ({
  name,
  required: false,
  minLength: null,
  maxLength: null,
  pattern: null,
  ...facets,
});

/** The contract as it is known without the service's own WSDL (reconstructed; unproven, see docs/protocol.md). */
export const builtinContract: ServiceContract = {
  targetNamespace: "http://dgp.gencat.cat/matricules",
  qualified: true,
  requestElement: "matriculaRequest",
  soapAction: "",
  elements: [
    text("codiLector", { required: true, minLength: 1, maxLength: 16 }),
    text("matricula", { required: true, minLength: 1, maxLength: 10 }),
    text("dataLectura", { required: true, pattern: /^(?:\d{4}-\d{2}-\d{2})$/u }),
    text("horaLectura", { required: true, pattern: /^(?:\d{2}:\d{2}:\d{2})$/u }),
    text("imgMatricula", { required: true }),
    text("imgContext"),
    text("coordenadaX", { pattern: /^(?:\d{1,8}\.\d{2})$/u }),
    text("coordenadaY", { pattern: /^(?:\d{1,8}\.\d{2})$/u }),
    text("marca"),
    text("model"),
    text("color"),
    text("tipusVehicle"),
    text("pais"),
  ],
};

/**
 * Reads the contract of the operation `matricula` from a WSDL 1.1 with its schema inside, by way of its SOAP 1.1 binding.
 * @throws AppError `invalid` naming what is missing, what is not understood, or which required element tattile cannot fill.
 */
export function parseWsdl(xml: string | Uint8Array): ServiceContract {
  const root = parseXml(xml);
  if (root.name !== "definitions" || root.namespace !== WSDL)
    fail(`the root is ${root.name}, not WSDL 1.1 definitions`);
  refuseImports(root);
  const bound = findOperation(root);
  const schemas = readSchemas(root);
  const request = findRequest(root, bound.portType, schemas);
  const children = readSequence(schemas, request);
  checkFillable(children);
  checkNames(request, children);
  const forms = new Set(children.map((c) => c.qualified));
  if (forms.size > 1) fail("some request elements are namespace-qualified and some are not");
  return {
    targetNamespace: request.namespace,
    qualified: forms.has(true),
    requestElement: request.name,
    soapAction: bound.soapAction,
    elements: children.map((c) => c.element),
  };
}

function refuseImports(root: XmlElement): void {
  const schemas = childrenNamed(root, "types", WSDL).flatMap((types) => childrenNamed(types, "schema"));
  for (const node of [root, ...schemas].flatMap((e) => e.children)) {
    if (node.name !== "import" && node.name !== "include" && node.name !== "redefine") continue;
    const location = node.attributes["schemaLocation"] ?? node.attributes["location"];
    // An import without a location only names a namespace whose schema stands in this same document.
    if (location === undefined) continue;
    throw new AppError("invalid", `reading the WSDL: it takes in another document (${node.name} ${location})`, {
      hint: "Give a WSDL file in which that document is written out in full.",
    });
  }
}

function findOperation(root: XmlElement): { portType: string; soapAction: string } {
  const bindings = childrenNamed(root, "binding", WSDL).filter((b) => childrenNamed(b, "binding", SOAP11).length > 0);
  if (bindings.length === 0) fail("no SOAP 1.1 binding");
  for (const binding of bindings) {
    const operation = childrenNamed(binding, "operation", WSDL).find((o) => o.attributes["name"] === OPERATION);
    if (operation === undefined) continue;
    const soap = childrenNamed(operation, "operation", SOAP11)[0];
    const style = soap?.attributes["style"] ?? childrenNamed(binding, "binding", SOAP11)[0]?.attributes["style"];
    if (style === "rpc") fail(`the operation ${OPERATION} has the style rpc, only document is understood`);
    const input = childrenNamed(operation, "input", WSDL)[0];
    const use = input && childrenNamed(input, "body", SOAP11)[0]?.attributes["use"];
    if (use === "encoded") fail(`the operation ${OPERATION} is encoded, only literal is understood`);
    const portType = resolveName(binding, binding.attributes["type"] ?? "").name;
    return { portType, soapAction: soap?.attributes["soapAction"] ?? "" };
  }
  const names = bindings.flatMap((b) => childrenNamed(b, "operation", WSDL)).map((o) => o.attributes["name"] ?? "?");
  return fail(`no operation ${OPERATION} in its SOAP 1.1 bindings (there: ${names.join(", ") || "none"})`);
}

function findRequest(root: XmlElement, portTypeName: string, schemas: SchemaSet): SchemaElement {
  const portType = childrenNamed(root, "portType", WSDL).find((p) => p.attributes["name"] === portTypeName);
  if (portType === undefined) fail(`no portType ${portTypeName || "for the binding"}`);
  const operation = childrenNamed(portType, "operation", WSDL).find((o) => o.attributes["name"] === OPERATION);
  if (operation === undefined) fail(`no operation ${OPERATION} in portType ${portTypeName}`);
  const input = childrenNamed(operation, "input", WSDL)[0];
  if (input === undefined) fail(`the operation ${OPERATION} has no input`);
  const messageName = resolveName(input, input.attributes["message"] ?? "").name;
  const message = childrenNamed(root, "message", WSDL).find((m) => m.attributes["name"] === messageName);
  if (message === undefined) fail(`no message ${messageName || "for the input"}`);
  const parts = childrenNamed(message, "part", WSDL);
  const part = parts[0];
  if (part === undefined || parts.length > 1) fail(`message ${messageName} has ${parts.length} parts, one is needed`);
  if (part.attributes["element"] === undefined) fail(`the part of message ${messageName} names no element`);
  const { namespace, name } = resolveName(part, part.attributes["element"]);
  const schema = findSchema(schemas, namespace);
  const declared = schema && childrenNamed(schema, "element").find((e) => e.attributes["name"] === name);
  if (declared === undefined) fail(`no element ${name} in a schema of the namespace ${namespace || "(none)"}`);
  return { namespace, name, declared };
}

function readSchemas(root: XmlElement): SchemaSet {
  const schemas = childrenNamed(root, "types", WSDL).flatMap((types) => childrenNamed(types, "schema"));
  if (schemas.length === 0) fail("no schema in its types");
  return schemas;
}

/** They are written into the envelope as they are; xml-crypto canonicalizes no namespace that would need escaping. */
function checkNames(request: SchemaElement, children: readonly { element: ContractElement }[]): void {
  if (!/^[^\s<>&"']+$/.test(request.namespace))
    fail(`the namespace ${JSON.stringify(request.namespace)} is not allowed`);
  const wrong = [request.name, ...children.map((c) => c.element.name)].find(
    (n) => !/^[\p{L}_][\p{L}\p{N}._-]*$/u.test(n),
  );
  if (wrong !== undefined) fail(`the element name ${JSON.stringify(wrong)} is not allowed`);
}

function checkFillable(children: readonly { element: ContractElement }[]): void {
  const names = children.map((c) => c.element.name);
  const missing = NEEDED.filter((name) => !names.includes(name));
  if (missing.length > 0) fail(`the request has no ${missing.join(", ")}`);
  const unknown = children
    .map((c) => c.element)
    .filter((e) => e.required && ![...NEEDED, ...OPTIONAL].includes(e.name));
  if (unknown.length > 0)
    fail(`tattile cannot fill what the request requires: ${unknown.map((e) => e.name).join(", ")}`);
  for (const { element } of children) {
    const probe = PROBES[element.name];
    if (probe === undefined || element.pattern === null || element.pattern.test(probe)) continue;
    fail(`${element.name} has a form that tattile does not write (${probe} is not allowed)`);
  }
}

function fail(what: string): never {
  throw new AppError("invalid", `reading the WSDL: ${what}`);
}
