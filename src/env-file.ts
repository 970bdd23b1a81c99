import { AppError } from "./errors.ts";

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Reads the text of a file in the format of systemd's EnvironmentFile (systemd.exec(5)), so that the unit and a command
 * typed by hand understand it alike: `NAME=value` lines, `#` and `;` comments on lines of their own, single and double
 * quotes (which may span lines), a backslash before a line's end joins it with the next. Nothing is expanded. `export `
 * before a name is put up with. A name that stands twice takes its last value.
 *
 * @throws AppError `config` naming `file` and the line; never a value, which may be a secret.
 */
export function parseEnvFile(text: string, file: string): Map<string, string> {
  const values = new Map<string, string>();
  const input = text.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n");
  let at = 0;
  let line = 1;
  const fail = (problem: string, where = line): never => {
    throw new AppError("config", `reading ${file}: ${problem} (line ${where})`, {
      hint: "Write one NAME=value per line, with comments on lines of their own.",
    });
  };
  const next = (): string => {
    const char = input[at] ?? "";
    at += 1;
    if (char === "\n") line += 1;
    return char;
  };

  while (at < input.length) {
    const start = input[at] ?? "";
    if (/\s/.test(start)) {
      next();
      continue;
    }
    const end = input.indexOf("\n", at);
    const rest = input.slice(at, end === -1 ? input.length : end);
    if (start === "#" || start === ";") {
      at += rest.length;
      continue;
    }
    const equals = rest.indexOf("=");
    if (equals === -1) fail("a line without `=`");
    const name = rest
      .slice(0, equals)
      .trim()
      .replace(/^export\s+/, "");
    if (!NAME.test(name)) fail("a name may have only letters, digits and `_` before its `=`");
    at += equals + 1;
    values.set(name, readValue());
  }
  return values;

  function readValue(): string {
    while (input[at] === " " || input[at] === "\t") at += 1;
    const quote = input[at];
    if (quote === "'" || quote === '"') return readQuoted(quote);
    let value = "";
    // A blank that a backslash wrote stays; blanks typed at the end of the line do not.
    let kept = 0;
    while (at < input.length && input[at] !== "\n") {
      const char = next();
      if (char === "\\") {
        const escaped = next();
        if (escaped !== "\n") value += escaped;
        kept = value.length;
      } else {
        value += char;
      }
    }
    return value.slice(0, Math.max(kept, value.trimEnd().length));
  }

  function readQuoted(quote: string): string {
    const opened = line;
    next();
    let value = "";
    for (;;) {
      if (at >= input.length) fail(`a ${quote} that is never closed`, opened);
      const char = next();
      if (char === quote) break;
      if (char !== "\\" || quote === "'") {
        value += char;
        continue;
      }
      const escaped = next();
      if (escaped === "\n") continue;
      value += '"\\`$'.includes(escaped) ? escaped : `\\${escaped}`;
    }
    const end = input.indexOf("\n", at);
    const rest = input.slice(at, end === -1 ? input.length : end);
    if (rest.trim() !== "") fail("text behind the closing quote");
    at += rest.length;
    return value;
  }
}
