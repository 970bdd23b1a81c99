import { systemCode } from "../errors.ts";
import type { Language } from "../i18n/language.ts";
import { translate, translateError, translateFinding, translateWords } from "../i18n/translate.ts";

export interface OutputOptions {
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  /** Colours only where a person looks and has not said no (no-color.org). */
  color: boolean;
}

export type Tone = "good" | "bad" | "warn" | "dim" | "bold";
const SGR: Record<Tone, string> = { good: "32", bad: "31", warn: "33", dim: "2", bold: "1" };

/**
 * The one way to stdout and stderr. Writes are handed to the stream in order; `flush` resolves when the reader has them
 * all, which must come before the process ends: a pipe takes 64 KiB at a time and the rest would be lost.
 */
export class Output {
  private readonly options: OutputOptions;
  private pending: Promise<void> = Promise.resolve();
  private progressShown = false;
  private closed = false;
  /** What a person who looks at it reads. A reader that is no terminal gets English, whatever stands here. */
  language: Language = "en";

  constructor(options: OutputOptions) {
    this.options = options;
    // The reader may go before the end (`tattile queue list | head`): not our trouble, and nothing to say about.
    const quiet = (error: unknown): void => {
      if (systemCode(error) === "EPIPE") this.closed = true;
      else throw error;
    };
    options.stdout.on("error", quiet);
    options.stderr.on("error", quiet);
  }

  /** Whether the reader of stdout has gone. */
  get readerGone(): boolean {
    return this.closed;
  }

  get width(): number {
    return this.options.stdout.isTTY ? Math.max(80, this.options.stdout.columns || 80) : 80;
  }

  /** Whether a person looks at any of it. */
  get isWatched(): boolean {
    return this.interactive || this.options.stderr.isTTY === true;
  }

  get interactive(): boolean {
    return this.options.stdout.isTTY === true;
  }

  /** A line (or several) of the result. */
  line(text = ""): void {
    this.clearProgress();
    this.write(this.options.stdout, `${this.sentence(text)}\n`);
  }

  /** Rows under their titles. */
  table(columns: readonly Column[], rows: readonly (readonly string[])[]): void {
    this.text(`${this.layTable(columns, rows)}\n`);
  }

  /** The same as text. */
  layTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
    const titled = columns.map((column) => ({ ...column, title: this.words(column.title) }));
    const said = rows.map((row) => row.map((cell, at) => (columns[at]?.words ? this.words(cell) : cell)));
    return formatTable(titled, said, this.width);
  }

  /** Names and values under each other; a value that is words is translated as its name is. */
  facts(facts: readonly (readonly [name: string, value: string, is?: "words"])[]): void {
    const said = facts.map(([name, value, is]) => [this.words(name), is ? this.words(value) : value] as const);
    this.text(`${formatFacts(said)}\n`);
  }

  /** A title or a state as the reader of stdout says it. */
  words(text: string): string {
    return this.interactive ? translateWords(text, this.language) : text;
  }

  /** What doctor looks at, found or advises, as the reader of stdout says it. */
  finding(text: string): string {
    return this.interactive ? translateFinding(text, this.language) : text;
  }

  /** A sentence as the reader of stdout says it, where it is not a line of its own. */
  sentence(text: string): string {
    return this.interactive ? translate(text, this.language) : text;
  }

  json(value: unknown): void {
    this.text(`${JSON.stringify(value, null, 2)}\n`);
  }

  /** A line beside the result: warnings, errors. */
  note(text: string): void {
    this.clearProgress();
    this.write(this.options.stderr, `${this.aside(text)}\n`);
  }

  /** What was wrong, or what to try, behind its word. */
  complaint(word: string, text: string): void {
    const said = this.options.stderr.isTTY ? translateError(text, this.language) : text;
    this.note(`${word} ${said}`);
  }

  /** A text as the reader of stderr says it. */
  aside(text: string): string {
    return this.options.stderr.isTTY ? translate(text, this.language) : text;
  }

  /** What is going on, overwritten by the next; only where a person looks. */
  progress(text: string): void {
    if (!this.options.stderr.isTTY) return;
    this.progressShown = true;
    const width = Math.max(20, (this.options.stderr.columns || 80) - 1);
    this.write(this.options.stderr, `\r\x1b[2K${cut(this.aside(text), width)}`);
  }

  clearProgress(): void {
    if (!this.progressShown) return;
    this.progressShown = false;
    this.write(this.options.stderr, "\r\x1b[2K");
  }

  paint(tone: Tone, text: string): string {
    return this.options.color ? `\x1b[${SGR[tone]}m${text}\x1b[0m` : text;
  }

  async flush(): Promise<void> {
    this.clearProgress();
    await this.pending;
  }

  /** Text of the result as it is, its last line end included. */
  text(text: string): void {
    this.clearProgress();
    this.write(this.options.stdout, text);
  }

  private write(stream: NodeJS.WriteStream, text: string): void {
    if (this.closed && stream === this.options.stdout) return;
    const written = new Promise<void>((resolve) => stream.write(text, () => resolve()));
    this.pending = this.pending.then(() => written);
  }
}

/** The output of this process. */
export function processOutput(): Output {
  const { stdout, stderr, env } = process;
  const color = stdout.isTTY === true && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
  return new Output({ stdout, stderr, color });
}

export interface Column {
  title: string;
  align?: "right";
  /** Never cut: ids, serials, states. */
  whole?: true;
  /** What stands in it is words, no values. */
  words?: true;
}

/** Rows under their titles within `width` characters; what does not fit is cut with `…`, the widest columns first. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): string {
  const cells = rows.map((row) => columns.map((_, i) => (row[i] ?? "").replace(/\s+/g, " ")));
  const widths = columns.map((column, i) =>
    Math.max(length(column.title), ...cells.map((row) => length(row[i] ?? ""))),
  );
  const gap = 2;
  let surplus = widths.reduce((sum, w) => sum + w, 0) + gap * (columns.length - 1) - width;
  while (surplus > 0) {
    const widest = widths.reduce(
      (best, w, i) => (!columns[i]?.whole && w > 6 && w > (widths[best] ?? 0) ? i : best),
      -1,
    );
    if (widest < 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
    surplus -= 1;
  }
  const format = (row: readonly string[]): string =>
    row
      .map((cell, i) => {
        const text = columns[i]?.whole ? cell : cut(cell, widths[i] ?? 0);
        const blanks = " ".repeat(Math.max(0, (widths[i] ?? 0) - length(text)));
        return columns[i]?.align === "right" ? blanks + text : text + blanks;
      })
      .join(" ".repeat(gap))
      .trimEnd();
  return [format(columns.map((c) => c.title)), ...cells.map(format)].join("\n");
}

/** Names and values under each other. */
function formatFacts(facts: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...facts.map(([name]) => length(name)));
  return facts.map(([name, value]) => `${name}${" ".repeat(width - length(name))}  ${value}`).join("\n");
}

export function cut(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, Math.max(0, width - 1)).join("")}…`;
}

function length(text: string): number {
  return [...text].length;
}
