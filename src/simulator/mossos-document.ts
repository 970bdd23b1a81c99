import { randomBytes } from "node:crypto";
import { DOMParser } from "@xmldom/xmldom";
import { SoapFault } from "./mossos-fault.ts";

/**
 * A received envelope, parsed without its pictures. Their base64 is cut out of the bytes and each replaced by a
 * random token of the same alphabet; canonicalisation leaves those characters as they are, so putting the base64 back into
 * the canonical form gives exactly the canonical form of the whole. The sender's layout is trusted for nothing.
 */
export interface ReceivedDocument {
  root: Element;
  /** The pieces of `text` with every token replaced by the bytes it stands for; for a digest. */
  restore(text: string): readonly (string | Uint8Array)[];
  /** The run that a text is the token of, or null when it is no token. */
  cutOut(text: string): CutOut | null;
}

export interface CutOut {
  base64: Uint8Array;
  decoded: Uint8Array;
}

/** Shorter texts go through the parser: cutting pays only where there is much. */
const CUT_FROM_BYTES = 1024;
const IMAGE_TAG = /^<([\w.-]+:)?img(Matricula|Context)$/;
const LESS_THAN = 0x3c;
const BLANKS = [0x20, 0x09, 0x0a, 0x0d];

/**
 * @param bytes UTF-8 XML. @param whole true: nothing is cut out.
 * @throws SoapFault `client` when it is not well-formed, holds a DOCTYPE, or anything but elements and text.
 */
export function parseDocument(bytes: Buffer, whole: boolean): ReceivedDocument {
  const token = `sim${randomBytes(18).toString("hex")}`;
  const cut: CutOut[] = [];
  const kept: Uint8Array[] = [];
  let from = 0;
  for (let start = whole ? -1 : bytes.indexOf(LESS_THAN); start >= 0; ) {
    const next = bytes.indexOf(LESS_THAN, start + 1);
    const tagEnd = next - start > CUT_FROM_BYTES ? bytes.indexOf(">", start) : -1;
    if (tagEnd >= 0 && next - tagEnd > CUT_FROM_BYTES && IMAGE_TAG.test(bytes.toString("latin1", start, tagEnd))) {
      const decoded = decodeStrictly(bytes.subarray(tagEnd + 1, next));
      if (decoded !== null) {
        kept.push(bytes.subarray(from, tagEnd + 1), Buffer.from(`${token}${cut.length}x`));
        cut.push({ base64: bytes.subarray(tagEnd + 1, next), decoded });
        from = next;
      }
    }
    start = next;
  }
  kept.push(bytes.subarray(from));
  const root = parseXml(decodeUtf8(Buffer.concat(kept)));
  const tokens = new RegExp(`${token}(\\d+)x`);
  return {
    root,
    restore: (text) => {
      const pieces = text.split(tokens);
      return pieces.map((piece, index) => (index % 2 === 0 ? piece : (cut[Number(piece)]?.base64 ?? piece)));
    },
    cutOut: (text) => {
      const found = tokens.exec(text);
      return found?.[0] === text ? (cut[Number(found[1])] ?? null) : null;
    },
  };
}

/** Base64 without blanks and with its padding, or null. */
export function decodeStrictly(text: Uint8Array): Uint8Array | null {
  if (BLANKS.some((blank) => text.indexOf(blank) >= 0)) return null;
  try {
    return Uint8Array.fromBase64(Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString("latin1"), {
      lastChunkHandling: "strict",
    });
  } catch {
    return null;
  }
}

function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw Object.assign(new SoapFault("client", "the envelope is not UTF-8"), { cause });
  }
}

function parseXml(text: string): Element {
  if (/<!DOCTYPE|<!ENTITY/i.test(text)) throw new SoapFault("client", "the envelope has a DOCTYPE");
  const encoding = /^<\?xml[^>]*encoding=["']([^"']+)["']/.exec(text)?.[1];
  if (encoding !== undefined && encoding.toLowerCase() !== "utf-8") {
    throw new SoapFault("client", `the envelope declares another encoding (${encoding})`);
  }
  const complain = (message: string): never => {
    throw new SoapFault("client", `the envelope is not well-formed: ${message.split("\n")[0]?.slice(0, 80)}`);
  };
  const parser = new DOMParser({ errorHandler: { warning: complain, error: complain, fatalError: complain } });
  const document = parser.parseFromString(text, "text/xml");
  const root = document?.documentElement;
  if (!root) throw new SoapFault("client", "the envelope is empty");
  for (let node = document.firstChild; node; node = node.nextSibling) {
    // The prolog is a processing instruction to this parser; character data beside the root is blank or an error.
    const isProlog = node.nodeType === 7 && node.nodeName === "xml";
    if (node !== root && !isProlog && !(node.nodeType === 3 && isBlank(node.nodeValue))) {
      throw new SoapFault("client", "something other than the prolog stands beside the envelope");
    }
  }
  refuseOddities(root);
  return root;
}

/** Comments, CDATA and processing instructions are legal XML, but each is a known way to make two readers disagree. */
function refuseOddities(element: Element): void {
  for (let node = element.firstChild; node; node = node.nextSibling) {
    if (isElement(node)) refuseOddities(node);
    else if (node.nodeType !== 3) throw new SoapFault("client", `the envelope holds a node of type ${node.nodeType}`);
  }
}

function isElement(node: Node): node is Element {
  return node.nodeType === 1;
}

function isBlank(text: string | null): boolean {
  return /^[ \t\r\n]*$/.test(text ?? "");
}

/** The child elements. @throws SoapFault of `kind` when text stands between them. */
export function childElements(parent: Element, kind: "client" | "invalid-security" | "validation"): readonly Element[] {
  const found: Element[] = [];
  for (let node = parent.firstChild; node; node = node.nextSibling) {
    if (isElement(node)) found.push(node);
    else if (!isBlank(node.nodeValue)) throw new SoapFault(kind, `text stands inside ${parent.localName}`);
  }
  return found;
}

/** The text of an element that may hold nothing else. */
export function textOf(element: Element, kind: "invalid-security" | "validation"): string {
  for (let node = element.firstChild; node; node = node.nextSibling) {
    if (isElement(node)) throw new SoapFault(kind, `${element.localName} holds an element`);
  }
  return element.textContent ?? "";
}

/** Attributes that are no namespace declarations, as `{namespace}name` → value. */
export function attributesOf(element: Element): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (let i = 0; i < element.attributes.length; i += 1) {
    const attribute = element.attributes.item(i);
    if (!attribute || attribute.name === "xmlns" || attribute.prefix === "xmlns") continue;
    found.set(
      attribute.namespaceURI ? `{${attribute.namespaceURI}}${attribute.localName}` : attribute.name,
      attribute.value,
    );
  }
  return found;
}

export function isNamed(element: Element | undefined, namespace: string, name: string): element is Element {
  return element?.namespaceURI === namespace && element.localName === name;
}
