import { AppError, errorText } from "../errors.ts";

/** A site of thousands of cameras is a few hundred kilobytes. */
const MAX_SITE_BYTES = 2 * 1024 * 1024;
/** How far back from the end the line of a mistake is looked for. */
const MOST_LINES_TRIED = 3000;

/**
 * Reads YAML or JSON. Beyond what the parser does: a key that stands twice in one mapping is refused (the earlier would be
 * dropped silently, and with it perhaps every camera), and an unquoted number keeps its digits as text (`00012`, `431234.50`).
 * @throws AppError `invalid` with the line.
 */
export function parseSiteText(text: string, source: string): unknown {
  if (text.length > MAX_SITE_BYTES) {
    throw new AppError("invalid", `reading the site: over ${MAX_SITE_BYTES} characters (${source})`);
  }
  const lines = prepareLines(text.replace(/^\uFEFF/, "").split(/\r?\n/), source);
  try {
    return Bun.YAML.parse(lines.join("\n"));
  } catch (cause) {
    const line = lineOfMistake(lines);
    const why = errorText(cause).replace(/^YAML Parse error: /, "");
    throw new AppError("invalid", `reading the site: not YAML, ${why} (${source}, line ${line} or before)`, {
      hint: "Look at the indentation, and put text with : or # in it in quotes.",
    });
  }
}

/** Writes what parseSiteText reads back as it was. */
export function writeSiteText(value: unknown, heading: readonly string[]): string {
  const comments = heading.map((line) => `# ${line}\n`).join("");
  return `${comments}${Bun.YAML.stringify(value, null, 2).trimEnd()}\n`;
}

interface OpenMapping {
  indent: number;
  keys: Set<string>;
}

const ENTRY = /^(\s*)((?:-\s+)*)("[^"]*"|'[^']*'|[\w.$-]+):(?:\s+(.*))?$/;
const NUMBER = /^([+-]?[\d.][\w.+-]*)(\s*|\s+#.*)$/;

/** Block style only: in flow style (`{…}`, JSON) the parser's own rules hold. */
function prepareLines(lines: readonly string[], source: string): string[] {
  let open: OpenMapping[] = [];
  /** Text of a block scalar (`|`, `>`) is deeper than this. */
  let scalarIndent: number | null = null;
  /** Brackets of flow style that are open. */
  let flow = 0;
  return lines.map((line, at) => {
    if (/^\s*(#|$)/.test(line)) return line;
    if (flow > 0 || (at === 0 && /^[[{]/.test(line))) {
      flow = Math.max(0, flow + openBrackets(line));
      return line;
    }
    const depth = line.length - line.trimStart().length;
    if (scalarIndent !== null && depth > scalarIndent) return line;
    scalarIndent = null;
    const match = ENTRY.exec(line);
    if (match === null) {
      // Behind a dash a mapping in flow style may begin, and go on over the next lines.
      const entry = /^\s*(?:-\s+)*(?=[[{])/.exec(line);
      if (entry !== null) flow = Math.max(0, openBrackets(line.slice(entry[0].length)));
      return line;
    }
    const [, blanks = "", dashes = "", key = "", value = ""] = match;
    const indent = blanks.length + dashes.length;
    // A dash begins a new mapping; what was open at its depth or deeper is over.
    const least = dashes === "" ? indent : blanks.length;
    open = open.filter((mapping) => (dashes === "" ? mapping.indent <= least : mapping.indent < least + 1));
    if (dashes !== "") open = open.filter((mapping) => mapping.indent !== indent);
    let mapping = open.find((candidate) => candidate.indent === indent);
    if (mapping === undefined) {
      mapping = { indent, keys: new Set() };
      open.push(mapping);
    }
    if (mapping.keys.has(key)) {
      throw new AppError("invalid", `reading the site: ${key} stands twice (${source}, line ${at + 1})`, {
        hint: "Put both together, or remove one.",
      });
    }
    mapping.keys.add(key);
    if (/^[[{]/.test(value)) flow = Math.max(0, openBrackets(value));
    if (/^[|>][+-]?\d*\s*(#.*)?$/.test(value)) scalarIndent = indent;
    const number = NUMBER.exec(value);
    if (number === null) return line;
    return `${line.slice(0, line.length - value.length)}"${number[1]}"${number[2]}`;
  });
}

/** How many more brackets a line of flow style opens than it closes; those in quotes do not count. */
function openBrackets(line: string): number {
  const bare = line.replace(/"(?:[^"\\]|\\.)*"|'[^']*'/g, "").replace(/\s#.*$/, "");
  return (bare.match(/[[{]/g)?.length ?? 0) - (bare.match(/[\]}]/g)?.length ?? 0);
}

/** The line with which the text begins to be wrong: whatever is cut off behind it changes nothing. */
function lineOfMistake(lines: readonly string[]): number {
  const first = Math.max(1, lines.length - MOST_LINES_TRIED);
  for (let count = lines.length - 1; count >= first; count -= 1) {
    try {
      Bun.YAML.parse(lines.slice(0, count).join("\n"));
      return count + 1;
    } catch {
      // Still wrong.
    }
  }
  return first;
}
