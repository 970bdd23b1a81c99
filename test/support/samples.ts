import { readFileSync } from "node:fs";
import { join } from "node:path";

const FOLDER = join(import.meta.dir, "../fixtures/samples");

/** A real message or picture from fixtures/samples. */
export function sample(name: string): Buffer {
  return readFileSync(join(FOLDER, name));
}

export const SAMPLE_MESSAGES = [
  "read-full.xml",
  "read-approach.xml",
  "read-no-context.xml",
  "no-images.xml",
  "not-read.xml",
] as const;

/** A message as the camera sends it: without the line end that the file has after its root. */
export function sampleMessage(name: string): Buffer {
  const bytes = sample(name);
  return bytes.subarray(0, bytes.lastIndexOf(">") + 1);
}
