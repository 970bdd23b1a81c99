import { AppError } from "../errors.ts";
import { nearestName } from "../name-distance.ts";
import type { SiteCamera } from "./fields.ts";

/** The columns of a table of cameras, as they are written. */
const CSV_COLUMNS = [
  "serial",
  "reader",
  "municipality",
  "description",
  "endpoint",
  "x",
  "y",
  "timezone",
  "active",
] as const satisfies readonly (keyof SiteCamera)[];
type Column = (typeof CSV_COLUMNS)[number];
const NEEDED: readonly Column[] = ["serial", "reader", "municipality"];

/**
 * Reads a table of cameras: CSV with a heading, comma, semicolon or tab between (a spreadsheet in Spanish writes semicolons).
 * A column that is not there says nothing, an empty cell clears. @returns the value of a site file, for parseSite
 * @throws AppError `invalid` with the line
 */
export function parseCameraTable(text: string, source: string): { version: 1; cameras: readonly unknown[] } {
  const first = text.replace(/^\uFEFF/, "").split(/\r?\n/, 1)[0] ?? "";
  const separator = [";", "\t", ","].find((one) => first.includes(one)) ?? ",";
  const [heading, ...rows] = parseCsv(text.replace(/^\uFEFF/, ""), separator, source);
  if (heading === undefined) throw refuse("it is empty", source, 1);
  const columns = heading.cells.map((title) => {
    const column = CSV_COLUMNS.find((name) => name === title.trim().toLowerCase());
    if (column !== undefined) return column;
    const nearest = nearestName(title.trim().toLowerCase(), [...CSV_COLUMNS]);
    throw refuse(`${title.trim()} is not a column${nearest === null ? "" : `; did you mean ${nearest}?`}`, source, 1);
  });
  const missing = NEEDED.filter((column) => !columns.includes(column));
  if (missing.length > 0) throw refuse(`the column ${missing.join(", ")} is missing`, source, 1);
  if (new Set(columns).size < columns.length) throw refuse("a column stands twice", source, 1);
  const cameras = rows.map(({ cells, line }) => {
    if (cells.length !== columns.length)
      throw refuse(`${cells.length} cells, ${columns.length} are needed`, source, line);
    return Object.fromEntries(columns.map((column, at) => [column, cellValue(column, cells[at]?.trim() ?? "")]));
  });
  return { version: 1, cameras };
}

function cellValue(column: Column, cell: string): unknown {
  // Required ones are reported as what they are: an empty text.
  if (cell === "") return NEEDED.includes(column) ? "" : column === "active" ? undefined : null;
  if (column !== "active") return cell;
  const word = cell.toLowerCase();
  return ["true", "on", "yes", "1"].includes(word) ? true : ["false", "off", "no", "0"].includes(word) ? false : cell;
}

/** Writes the table; with a mark in front by which spreadsheets know it for UTF-8. */
export function writeCameraTable(cameras: readonly Required<SiteCamera>[]): string {
  const rows = cameras.map((camera) => CSV_COLUMNS.map((column) => quote(String(camera[column] ?? ""))));
  return `\uFEFF${[CSV_COLUMNS, ...rows].map((row) => `${row.join(",")}\r\n`).join("")}`;
}

function quote(cell: string): string {
  return /[",;\t\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

interface Row {
  cells: readonly string[];
  line: number;
}

/** RFC 4180 with any separator; empty lines are passed over. */
function parseCsv(text: string, separator: string, source: string): readonly Row[] {
  const rows: Row[] = [];
  let cells: string[] = [];
  let [line, startedAt, at] = [1, 1, 0];
  const endRow = (): void => {
    if (cells.some((cell) => cell.trim() !== "")) rows.push({ cells, line: startedAt });
    cells = [];
    startedAt = line;
  };
  while (at < text.length) {
    let cell = "";
    if (text[at] === '"') {
      for (at += 1; ; at += 1) {
        if (at >= text.length) throw refuse("a quote is not closed", source, startedAt);
        if (text[at] === "\n") line += 1;
        if (text[at] !== '"') cell += text[at];
        else if (text[at + 1] === '"') {
          cell += '"';
          at += 1;
        } else break;
      }
      at += 1;
    }
    while (at < text.length && text[at] !== separator && text[at] !== "\n") {
      cell += text[at];
      at += 1;
    }
    cells.push(cell.replace(/\r$/, ""));
    const end = text[at];
    at += 1;
    if (end === separator) {
      if (at >= text.length) cells.push("");
      continue;
    }
    line += 1;
    endRow();
  }
  endRow();
  return rows;
}

function refuse(what: string, source: string, line: number): AppError {
  return new AppError("invalid", `reading the table of cameras: ${what} (${source}, line ${line})`, {
    hint: `The heading may hold: ${CSV_COLUMNS.join(",")}; tattile export --format csv writes one.`,
  });
}
