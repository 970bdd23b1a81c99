const BLANKS = "[ \\t\\r\\n]*";
const QUOTED = (inside: string): string => `(?:"${inside}"|'${inside}')`;
const START = new RegExp(
  `(?:<\\?xml[ \\t\\r\\n]+version=${QUOTED("1\\.0")}(?:[ \\t\\r\\n]+encoding=${QUOTED("[A-Za-z][\\w.-]*")})?` +
    `(?:[ \\t\\r\\n]+standalone=${QUOTED("(?:yes|no)")})?${BLANKS}\\?>)?${BLANKS}<([A-Za-z][\\w.-]*)>`,
  "y",
);
const ELEMENT = new RegExp(`${BLANKS}<([A-Z][A-Z0-9_]*)>([^<>\\r]*)</\\1>`, "y");
const END = new RegExp(`${BLANKS}</([A-Za-z][\\w.-]*)>${BLANKS}$`, "y");

const REFERENCE = /&(?:(amp|lt|gt|quot|apos);)?/g;
const SIGNS: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** With the five references that XML itself has; null: there is another one. */
function resolve(value: string): string | null {
  let isPlain = true;
  const resolved = value.replace(REFERENCE, (_reference, name: string | undefined) => {
    if (name === undefined) isPlain = false;
    return SIGNS[name ?? ""] ?? "";
  });
  return isPlain ? resolved : null;
}

/**
 * Reads a document as every camera known writes it: a root, and in it nothing but elements with plain text. The values are
 * cut of blanks at both ends, and of elements of one name the first counts, as when an XML parser reads it; but a
 * parser is a fifth of all the work that a message is.
 * @returns the root's children by name; null: the document has anything else in it (attributes, other references, comments, deeper
 * elements, a fault), and an XML parser must look at it
 */
export function readFlatElements(text: string): Map<string, string> | null {
  START.lastIndex = 0;
  const root = START.exec(text)?.[1];
  if (root === undefined) return null;
  let at = START.lastIndex;
  const elements = new Map<string, string>();
  for (;;) {
    ELEMENT.lastIndex = at;
    const element = ELEMENT.exec(text);
    if (element === null) break;
    at = ELEMENT.lastIndex;
    const [, name = "", value = ""] = element;
    const plain = value.includes("&") ? resolve(value) : value;
    if (plain === null) return null;
    if (!elements.has(name)) elements.set(name, plain.trim());
  }
  END.lastIndex = at;
  return END.exec(text)?.[1] === root ? elements : null;
}
