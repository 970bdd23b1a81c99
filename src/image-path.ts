import { createHash } from "node:crypto";
import { posix } from "node:path";
import { AppError } from "./errors.ts";

/** Longest part of a path made from a camera's text; a file name may have 255 bytes. */
const MAX_PART = 64;
const LEGACY_PREFIX = /^(?:\.\/)?data\/images\//;

/**
 * Where a reading's pictures go, without number, kind and ending:
 * `<SERIAL>/YYYY/MM/DD/<YYYYMMDDTHHMMSSmmmZ>_plate-<PLATE>`, the time in UTC. Whatever serial and plate hold, the path
 * stays below the folder it is joined to, and different ones give different paths.
 */
export function imageStem(serial: string, capturedAt: Date, plate: string): string {
  const iso = capturedAt.toISOString();
  const folder = `${safePart(serial)}/${iso.slice(0, 4)}/${iso.slice(5, 7)}/${iso.slice(8, 10)}`;
  return `${folder}/${iso.replace(/[-:.]/g, "")}_plate-${safePart(plate)}`;
}

/** A stem that nobody else has, for stores that cannot refuse a name that is taken. */
export function uniqueStem(stem: string, randomId: string): string {
  return `${stem}-${randomId.replaceAll("-", "")}`;
}

/** The file of one picture. `attempt` counts from 1; from 2 on it is in the name, for when an earlier name is taken. */
export function imagePath(stem: string, attempt: number, kind: "ocr" | "ctx"): string {
  return `${stem}${attempt > 1 ? `-${attempt}` : ""}_${kind}.jpg`;
}

/** A picture's path as it may be shown: the plate in it is left out. */
export function maskImagePath(path: string): string {
  return path.replace(/_plate-.*_(ocr|ctx)\.jpg$/s, "_plate-•••_$1.jpg");
}

/**
 * The absolute path of a stored one. Relative ones lie below `baseDir`; so do those the replaced system wrote as
 * `data/images/…`; absolute ones are taken as they are.
 * @throws AppError `invalid` when a relative path is empty, leaves `baseDir`, or holds a NUL. The text does not quote it: it holds a plate.
 */
export function resolveImagePath(baseDir: string, stored: string): string {
  if (stored.includes("\0")) throw new AppError("invalid", "resolving an image path: it holds a NUL");
  if (posix.isAbsolute(stored)) return stored;
  const relative = posix.normalize(stored.replace(LEGACY_PREFIX, "./"));
  if (relative === "." || relative === "./") throw new AppError("invalid", "resolving an image path: it is empty");
  if (relative === ".." || relative.startsWith("../")) {
    throw new AppError("invalid", `resolving an image path: it leads out of the image folder (${baseDir})`);
  }
  return posix.join(baseDir, relative);
}

/** The same as a key below some root, without a slash at its beginning. @throws AppError as `resolveImagePath` */
export function relativeImagePath(stored: string): string {
  return resolveImagePath("/", stored).replace(/^\/+/, "");
}

/** Keeps `[A-Za-z0-9._-]`. A changed text gets a piece of its hash, so that `A/B` and `A_B` remain two. */
function safePart(text: string): string {
  const safe = text
    .slice(0, MAX_PART)
    .replace(/[^A-Za-z0-9._-]/g, "_")
    .replace(/^\.+/, (dots) => "_".repeat(dots.length));
  if (safe === text && safe !== "") return safe;
  const hash = createHash("sha256").update(text, "utf8").digest("hex").slice(0, 12);
  return `${safe.slice(0, MAX_PART - hash.length - 1)}-${hash}`;
}
