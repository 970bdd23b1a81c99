import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";

/** What a delivered reading must not leave behind, in whatever file. */
export interface Trace {
  /** Path below the searched folder. */
  file: string;
  /** `plate`, `picture`, or `picture in base64`; never which. */
  kind: string;
}

const JPEG = Buffer.from([0xff, 0xd8, 0xff]);
/** How every JPEG begins in base64. */
const JPEG_BASE64 = /\/9j\/[A-Za-z0-9+/]{40}/;
const MOST = 100;

/** Searches every byte of every file below `folder`, and every file name, for plates and pictures. At most 100 traces. */
export async function findTraces(
  folder: string,
  plates: readonly string[],
): Promise<{ files: number; traces: Trace[] }> {
  const traces: Trace[] = [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const wanted = [...new Set(plates)].map((plate) => Buffer.from(plate, "utf8"));
  let files = 0;
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const file = relative(folder, path);
    if (plates.some((plate) => entry.name.includes(plate))) traces.push({ file, kind: "plate in a name" });
    if (!entry.isFile()) continue;
    files += 1;
    const bytes = await readFile(path);
    if (wanted.some((plate) => bytes.includes(plate))) traces.push({ file, kind: "plate" });
    if (bytes.includes(JPEG)) traces.push({ file, kind: "picture" });
    if (JPEG_BASE64.test(bytes.toString("latin1"))) traces.push({ file, kind: "picture in base64" });
    if (traces.length >= MOST) break;
  }
  return { files, traces };
}
