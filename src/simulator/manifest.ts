import { closeSync, createReadStream, openSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { AppError } from "../errors.ts";

const MESSAGE_KINDS = ["reading", "replay", "not-read", "malformed", "unregistered"] as const;
export type MessageKind = (typeof MESSAGE_KINDS)[number];

/** What was sent, one line of the manifest. Holds the plate. */
export interface ManifestEntry {
  /** `replay`: a reading that stands in the manifest already, sent once more. */
  kind: MessageKind;
  serial: string;
  plate: string;
  date: string;
  /** `HH:MM:SS`, as the police get it. */
  time: string;
  transitId: number;
  /** SHA-256 of the JPEG files, hex. */
  ocrSha256: string | null;
  ctxSha256: string | null;
  /** The receiver's FIN came after it (or, where none is waited for, TCP took it). */
  confirmed: boolean;
}

export interface ManifestWriter {
  append(entry: ManifestEntry): void;
  close(): void;
}

/** Lines are gathered up to this size before they are written: one write per message would slow the cameras down. */
const GATHER_CHARS = 64 * 1024;

/** Appends to a JSONL file (created 0600). What is not yet written is lost when the process dies; `close` writes it. */
export function openManifest(path: string): ManifestWriter {
  const file = openSync(path, "a", 0o600);
  let gathered = "";
  const write = (): void => {
    if (gathered !== "") writeSync(file, gathered);
    gathered = "";
  };
  return {
    append: (entry) => {
      gathered += `${JSON.stringify(entry)}\n`;
      if (gathered.length >= GATHER_CHARS) write();
    },
    close: () => {
      write();
      closeSync(file);
    },
  };
}

/**
 * The entries of a manifest, or the records of the simulated police, one after the other; memory stays flat.
 * @throws AppError `invalid` with the number of the line that is no JSON object
 */
export async function* readJsonLines<T extends object>(path: string): AsyncGenerator<T> {
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(path, "utf8"), crlfDelay: Infinity })) {
    number += 1;
    if (line === "") continue;
    yield parseLine<T>(line, `${path}:${number}`);
  }
}

function parseLine<T extends object>(line: string, where: string): T {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null) return value as T;
  } catch {
    // The text of a parser's error quotes the line, plate and all: it is not passed on.
  }
  throw new AppError("invalid", `reading JSON lines: not a JSON object (${where})`);
}
