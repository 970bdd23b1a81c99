import { createHash } from "node:crypto";
import {
  attributesOf,
  childElements,
  decodeStrictly,
  isNamed,
  type ReceivedDocument,
  textOf,
} from "./mossos-document.ts";
import { MATRICULES_NS, SoapFault } from "./mossos-fault.ts";

/** What a valid `matriculaRequest` says; hashes are SHA-256 of the JPEG files, hex. */
export interface RequestContent {
  readerCode: string;
  plate: string;
  date: string;
  time: string;
  ocrSha256: string;
  ctxSha256: string | null;
  /** All the other elements, by their name on the wire. */
  fields: Readonly<Record<string, string>>;
}

interface SchemaElement {
  name: string;
  required: boolean;
  pattern: RegExp | "image";
  allowed: string;
}

const COORDINATE = { required: false, pattern: /^\d{1,8}\.\d{2}$/, allowed: "1 to 8 digits, a point, 2 digits" };
const FREE_TEXT = { required: false, pattern: /^[\s\S]*$/, allowed: "any text" };

/** matricules.wsdl written out a second time on purpose: an error in reading it there is not repeated here. */
const SEQUENCE: readonly SchemaElement[] = [
  { name: "codiLector", required: true, pattern: /^[\s\S]{1,16}$/u, allowed: "1 to 16 characters" },
  {
    name: "matricula",
    required: true,
    pattern: /^[^\s\p{Ll}]{1,10}$/u,
    allowed: "1 to 10 upper-case characters, no blanks",
  },
  {
    name: "dataLectura",
    required: true,
    pattern: /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/,
    allowed: "YYYY-MM-DD",
  },
  { name: "horaLectura", required: true, pattern: /^([01]\d|2[0-3]):[0-5]\d:[0-5]\d$/, allowed: "HH:MM:SS" },
  { name: "imgMatricula", required: true, pattern: "image", allowed: "a JPEG file in base64" },
  { name: "imgContext", required: false, pattern: "image", allowed: "a JPEG file in base64, or empty" },
  { name: "coordenadaX", ...COORDINATE },
  { name: "coordenadaY", ...COORDINATE },
  { name: "marca", ...FREE_TEXT },
  { name: "model", ...FREE_TEXT },
  { name: "color", ...FREE_TEXT },
  { name: "tipusVehicle", ...FREE_TEXT },
  { name: "pais", ...FREE_TEXT },
];

/** @param body the SOAP Body. @throws SoapFault `validation`; its reason names the element and never quotes the plate. */
export function checkRequest(document: ReceivedDocument, body: Element): RequestContent {
  const [request, ...more] = childElements(body, "validation");
  if (!isNamed(request, MATRICULES_NS, "matriculaRequest") || more.length > 0) {
    throw new SoapFault("validation", `the body must hold one {${MATRICULES_NS}}matriculaRequest`);
  }
  refuseAttributes(request);
  const children = childElements(request, "validation");
  const values = new Map<string, string>();
  const images = new Map<string, string | null>();
  let at = 0;
  for (const element of SEQUENCE) {
    const child = children[at];
    if (!isNamed(child, MATRICULES_NS, element.name)) {
      if (element.required) throw unexpected(child, element.name);
      continue;
    }
    at += 1;
    refuseAttributes(child);
    const text = textOf(child, "validation");
    if (element.pattern === "image") images.set(element.name, checkImage(document, element, text));
    else if (element.pattern.test(text)) values.set(element.name, text);
    else throw invalid(element, element.name === "matricula" ? "" : `, not "${text.slice(0, 40)}"`);
  }
  if (at < children.length) throw unexpected(children[at], "nothing more");
  const take = (name: string): string => {
    const value = values.get(name) ?? "";
    values.delete(name);
    return value;
  };
  return {
    readerCode: take("codiLector"),
    plate: take("matricula"),
    date: take("dataLectura"),
    time: take("horaLectura"),
    ocrSha256: images.get("imgMatricula") ?? "",
    ctxSha256: images.get("imgContext") ?? null,
    fields: Object.fromEntries(values),
  };
}

function checkImage(document: ReceivedDocument, element: SchemaElement, text: string): string | null {
  if (text === "") {
    if (element.required) throw invalid(element, ", not empty");
    return null;
  }
  const bytes = document.cutOut(text)?.decoded ?? decodeStrictly(Buffer.from(text));
  if (bytes === null) throw invalid(element, ", not this: it does not decode");
  const jpeg = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (jpeg[0] !== 0xff || jpeg[1] !== 0xd8 || jpeg.lastIndexOf(Buffer.from([0xff, 0xd9])) < 2) {
    const twice = decodeStrictly(jpeg) !== null;
    throw invalid(element, twice ? ": it is encoded twice" : ": it decodes to something else");
  }
  return createHash("sha256").update(jpeg).digest("hex");
}

function refuseAttributes(element: Element): void {
  for (const name of attributesOf(element).keys()) {
    throw new SoapFault("validation", `attribute ${name} is not allowed on ${element.localName}`);
  }
}

function invalid(element: SchemaElement, found: string): SoapFault {
  return new SoapFault("validation", `${element.name} must be ${element.allowed}${found}`);
}

function unexpected(child: Element | undefined, wanted: string): SoapFault {
  const found = child === undefined ? "the end" : `{${child.namespaceURI ?? ""}}${child.localName}`;
  return new SoapFault("validation", `expected ${wanted}, found ${found}`);
}
