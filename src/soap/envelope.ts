import type { ReadingFacts, WallClock } from "../reading.ts";
import type { FieldProblem, RequestFields, ServiceContract } from "./contract.ts";
import { removeIllegal, xmlText } from "./xml.ts";

export const NAMESPACES = {
  soap: "http://schemas.xmlsoap.org/soap/envelope/",
  wsse: "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd",
  wsu: "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd",
  ds: "http://www.w3.org/2000/09/xmldsig#",
} as const;

/** The two elements whose content is a picture: given apart from the text fields, and never parsed. */
export const IMAGE_ELEMENTS = ["imgMatricula", "imgContext"] as const;

/** What the request says besides its pictures. */
export interface DeliveryFacts {
  readerCode: string;
  /** The capture time in the endpoint's zone. */
  wall: WallClock;
  /** UTM 31N ETRS89 as the operator wrote them; null: unset. */
  coordX: string | null;
  coordY: string | null;
  reading: Pick<ReadingFacts, "plate" | "brand" | "model" | "color" | "vehicleType" | "country">;
}

/** Turns facts into the request's text values. A value that is unset or blank is null: left out. */
export function buildFields(facts: DeliveryFacts): RequestFields {
  const { wall, reading } = facts;
  return {
    codiLector: present(facts.readerCode),
    matricula: present(reading.plate.replace(/\s+/g, "").toUpperCase()),
    dataLectura: `${digits(wall.year, 4)}-${digits(wall.month, 2)}-${digits(wall.day, 2)}`,
    horaLectura: `${digits(wall.hour, 2)}:${digits(wall.minute, 2)}:${digits(wall.second, 2)}`,
    coordenadaX: present(facts.coordX),
    coordenadaY: present(facts.coordY),
    marca: present(reading.brand),
    model: present(reading.model),
    color: present(reading.color),
    tipusVehicle: present(reading.vehicleType),
    pais: present(reading.country),
  };
}

function present(value: string | null): string | null {
  const text = value === null ? "" : removeIllegal(value).trim();
  return text === "" ? null : text;
}

function digits(value: number, width: number): string {
  return String(value).padStart(width, "0");
}

/** Checks the values against the contract. Gives every problem, in the contract's order; none: it may be sent. */
export function checkFields(contract: ServiceContract, fields: RequestFields): readonly FieldProblem[] {
  const problems: FieldProblem[] = [];
  for (const element of contract.elements) {
    const field = element.name;
    if (isImage(field)) continue;
    const value = fields[field] ?? null;
    if (value === null) {
      if (element.required) problems.push({ field, problem: "is missing" });
      continue;
    }
    const length = [...value].length;
    if (element.maxLength !== null && length > element.maxLength) {
      problems.push({ field, problem: `has ${length} characters, at most ${element.maxLength} are allowed` });
    } else if (element.minLength !== null && length < element.minLength) {
      problems.push({ field, problem: `has ${length} characters, at least ${element.minLength} are needed` });
    } else if (element.pattern !== null && !element.pattern.test(value)) {
      // The value of any other field helps the operator; a plate must never get into a reason or a log.
      const shown = field === "matricula" ? "" : ` (${JSON.stringify(value.slice(0, 40))})`;
      problems.push({ field, problem: `has not the form that the contract asks for${shown}` });
    }
  }
  return problems;
}

function isImage(name: string): boolean {
  return name === IMAGE_ELEMENTS[0] || name === IMAGE_ELEMENTS[1];
}

/** What the variable parts of an envelope are called and hold; texts in `images` stand where the pictures' base64 goes. */
export interface EnvelopeParts {
  bodyId: string;
  timestampId: string;
  tokenId: string;
  /** The leaf certificate's DER, base64 without line breaks. */
  token: string;
  createdAt: Date;
  expiresAt: Date;
  images: Readonly<Record<(typeof IMAGE_ELEMENTS)[number], string>>;
}

/** The pieces of an envelope; `timestamp` and `body`, which are signed, exactly as exclusive c14n would write them. */
export interface EnvelopeTexts {
  /** Everything up to the content of wsse:Security. */
  head: string;
  timestamp: string;
  token: string;
  /** Between the content of wsse:Security and the body. */
  middle: string;
  body: string;
  end: string;
}

/**
 * Writes the envelope. Body and Timestamp declare every prefix they use themselves, in the order of Canonical XML, so that
 * their exclusive canonical form is the bytes as written: a verifier that canonicalizes wrongly still agrees.
 */
export function buildEnvelope(contract: ServiceContract, fields: RequestFields, parts: EnvelopeParts): EnvelopeTexts {
  const { soap, wsse, wsu } = NAMESPACES;
  const profile = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-";
  return {
    head: `<soap:Envelope xmlns:soap="${soap}"><soap:Header><wsse:Security xmlns:wsse="${wsse}">`,
    timestamp:
      `<wsu:Timestamp xmlns:wsu="${wsu}" wsu:Id="${parts.timestampId}">` +
      `<wsu:Created>${parts.createdAt.toISOString()}</wsu:Created>` +
      `<wsu:Expires>${parts.expiresAt.toISOString()}</wsu:Expires></wsu:Timestamp>`,
    token:
      `<wsse:BinarySecurityToken xmlns:wsse="${wsse}" xmlns:wsu="${wsu}"` +
      ` EncodingType="${profile}soap-message-security-1.0#Base64Binary" ValueType="${TOKEN_TYPE}"` +
      ` wsu:Id="${parts.tokenId}">${parts.token}</wsse:BinarySecurityToken>`,
    middle: "</wsse:Security></soap:Header>",
    body:
      `<soap:Body xmlns:soap="${soap}" xmlns:wsu="${wsu}" wsu:Id="${parts.bodyId}">` +
      `${buildRequest(contract, fields, parts.images)}</soap:Body>`,
    end: "</soap:Envelope>",
  };
}

/** WS-Security X.509 Token Profile 1.0, section 3.1: one X.509 v3 certificate. */
export const TOKEN_TYPE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3";

function buildRequest(contract: ServiceContract, fields: RequestFields, images: EnvelopeParts["images"]): string {
  const prefix = contract.qualified ? "mat:" : "";
  let children = "";
  for (const { name } of contract.elements) {
    let content: string | null;
    if (name === "imgMatricula" || name === "imgContext") content = images[name];
    else {
      const value = fields[name] ?? null;
      content = value === null ? null : xmlText(value);
    }
    if (content !== null) children += `<${prefix}${name}>${content}</${prefix}${name}>`;
  }
  const root = `mat:${contract.requestElement}`;
  return `<${root} xmlns:mat="${contract.targetNamespace}">${children}</${root}>`;
}
