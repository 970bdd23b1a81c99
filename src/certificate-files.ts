import { createHash, randomUUID } from "node:crypto";
import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { AppError, errorText } from "./errors.ts";
import type { PfxContents } from "./soap/certificate.ts";

const NAMES = { key: "key.pem", client: "client.pem", privpub: "privpub.pem" } as const;
const CURRENT = "current";
/** An import takes a moment; what is older is nobody's any more. */
const LEFTOVER_AGE_MS = 600_000;

/** Absolute paths of one complete set; for the store's row. They name this certificate's own files and never another's. */
export interface CertificatePaths {
  /** The leaf certificate, then its chain. */
  clientCertPath: string;
  keyPath: string;
  /** The leaf certificate alone. */
  privpubPath: string;
}

/**
 * Writes key.pem (0600), client.pem and privpub.pem for a municipality, whole or not at all.
 *
 * The files lie in a folder of this certificate's own, `CERTS_DIR/<municipality>/<hash>/`, which is never changed: a row that
 * names the earlier certificate keeps naming the earlier files. What an operator looks at, `CERTS_DIR/<municipality>/key.pem`
 * and so on, are links through the link `current`, whose replacement is one rename: the three change together.
 * Crash order: new folder durable, then `current`, then (by the caller) the row.
 * @param makeCurrent false: the certificate is for later, `current` stays as it is
 * @throws AppError `unavailable` when the files cannot be written; then nothing has changed.
 */
export function writeCertificateFolder(
  certsDir: string,
  municipalityName: string,
  contents: Pick<PfxContents, "keyPem" | "leafPem" | "chainPem">,
  makeCurrent = true,
): CertificatePaths {
  const home = join(certsDir, safeFolderName(municipalityName));
  try {
    fs.mkdirSync(home, { recursive: true, mode: 0o700 });
    fs.chmodSync(home, 0o700);
    giveToOwner(home, certsDir);
    removeLeftovers(home);
    const client = [contents.leafPem, ...contents.chainPem].map(withLineEnd).join("");
    const files: [string, string][] = [
      [NAMES.key, withLineEnd(contents.keyPem)],
      [NAMES.client, client],
      [NAMES.privpub, withLineEnd(contents.leafPem)],
    ];
    const folder = writeVersion(home, createHash("sha256").update(client).digest("hex").slice(0, 16), files);
    adoptPlainFiles(home);
    if (makeCurrent) pointAt(home, folder);
    syncFolder(home);
    syncFolder(certsDir);
    const path = (name: string): string => join(home, folder, name);
    return { clientCertPath: path(NAMES.client), keyPath: path(NAMES.key), privpubPath: path(NAMES.privpub) };
  } catch (cause) {
    throw new AppError("unavailable", `writing the certificate files: ${errorText(cause)} (${home})`, {
      hint: "Check that CERTS_DIR can be written and its disk has space.",
      cause,
    });
  }
}

/** Leads `current` to a certificate that signs from now on. A path that writeCertificateFolder did not make is left alone. */
export function makeCertificateCurrent(certsDir: string, keyPath: string): void {
  const folder = dirname(keyPath);
  if (!isOwnFolder(certsDir, folder) || !fs.existsSync(folder)) return;
  pointAt(dirname(folder), basename(folder));
  syncFolder(dirname(folder));
}

function pointAt(home: string, folder: string): void {
  replaceLink(home, CURRENT, folder);
  for (const name of Object.values(NAMES)) replaceLink(home, name, join(CURRENT, name));
}

function isOwnFolder(certsDir: string, folder: string): boolean {
  return dirname(dirname(folder)) === join(certsDir) && /^[0-9a-f]{16}(-\d+)?$/.test(basename(folder));
}

/**
 * Removes the folder of a certificate that the store no longer has, and the links when they lead to it.
 * A path that writeCertificateFolder did not make is left alone. @returns false: nothing was removed.
 */
export function removeCertificateFolder(certsDir: string, keyPath: string): boolean {
  const folder = dirname(keyPath);
  const home = dirname(folder);
  if (!isOwnFolder(certsDir, folder)) return false;
  if (!fs.existsSync(folder)) return false;
  if (readLink(join(home, CURRENT)) === basename(folder)) {
    for (const name of [...Object.values(NAMES), CURRENT]) fs.rmSync(join(home, name), { force: true });
  }
  fs.rmSync(folder, { recursive: true });
  if (fs.readdirSync(home).length === 0) fs.rmdirSync(home);
  else syncFolder(home);
  return true;
}

/** A municipality's name as one path part: accents and blanks stay, separators and control characters do not. */
export function safeFolderName(name: string): string {
  const safe = name
    .normalize("NFC")
    .replace(/[\p{Cc}/\\:*?"<>|]+/gu, "_")
    .replace(/^[.\s]+|[.\s]+$/g, "_");
  // 255 bytes is what Linux file systems allow; four bytes a character at most.
  return [...safe].slice(0, 60).join("") || "_";
}

/** @returns the folder's name below `home`: one that holds exactly these files already, or a new one. */
function writeVersion(home: string, hash: string, files: readonly [string, string][]): string {
  for (let n = 1; ; n += 1) {
    const name = n === 1 ? hash : `${hash}-${n}`;
    const folder = join(home, name);
    if (fs.existsSync(folder)) {
      if (files.every(([file, text]) => holds(join(folder, file), text))) return name;
      continue;
    }
    const temporary = fs.mkdtempSync(join(home, `.new-${randomUUID()}-`));
    try {
      for (const [file, text] of files)
        writeDurably(join(temporary, file), text, file === NAMES.key ? 0o600 : 0o640, home);
      giveToOwner(temporary, home);
      syncFolder(temporary);
      fs.renameSync(temporary, folder);
    } catch (error) {
      fs.rmSync(temporary, { recursive: true, force: true });
      throw error;
    }
    syncFolder(home);
    return name;
  }
}

/**
 * Files written by the replaced system lie where the links go. They become the first set that `current` leads to, so that
 * every moment of the change to links shows their same contents.
 */
function adoptPlainFiles(home: string): void {
  const plain = Object.values(NAMES).filter((name) =>
    fs.lstatSync(join(home, name), { throwIfNoEntry: false })?.isFile(),
  );
  if (plain.length === 0) return;
  const folder = fs.mkdtempSync(join(home, "earlier-"));
  giveToOwner(folder, home);
  for (const name of plain) fs.linkSync(join(home, name), join(folder, name));
  syncFolder(folder);
  replaceLink(home, CURRENT, basename(folder));
  for (const name of plain) replaceLink(home, name, join(CURRENT, name));
  syncFolder(home);
}

function replaceLink(home: string, name: string, target: string): void {
  const path = join(home, name);
  if (readLink(path) === target) return;
  const temporary = join(home, `.link-${randomUUID()}`);
  fs.symlinkSync(target, temporary);
  giveToOwner(temporary, home);
  fs.renameSync(temporary, path);
}

/**
 * What a crashed import left half written, a key among it. By its age, on the clock of the file system: whether the process
 * still runs cannot be seen where it belongs to another container. `home` was changed just now.
 */
function removeLeftovers(home: string): void {
  const nowMs = fs.statSync(home).ctimeMs;
  for (const name of fs.readdirSync(home)) {
    if (!/^\.(?:new|link)-/.test(name)) continue;
    const begun = fs.lstatSync(join(home, name), { throwIfNoEntry: false });
    if (begun !== undefined && nowMs - begun.mtimeMs > LEFTOVER_AGE_MS) {
      fs.rmSync(join(home, name), { recursive: true, force: true });
    }
  }
}

function readLink(path: string): string | null {
  return fs.lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ? fs.readlinkSync(path) : null;
}

function holds(path: string, text: string): boolean {
  return fs.existsSync(path) && fs.readFileSync(path, "utf8") === text;
}

function writeDurably(path: string, text: string, mode: number, ownerOf: string): void {
  const handle = fs.openSync(path, "wx", mode);
  try {
    fs.writeFileSync(handle, text);
    fs.fchmodSync(handle, mode);
    fs.fsyncSync(handle);
  } finally {
    fs.closeSync(handle);
  }
  giveToOwner(path, ownerOf);
}

/** An import by root must leave files that the service's own user can read. */
function giveToOwner(path: string, like: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = fs.statSync(like);
  fs.lchownSync(path, uid, gid);
}

function syncFolder(path: string): void {
  const handle = fs.openSync(path, "r");
  try {
    fs.fsyncSync(handle);
  } finally {
    fs.closeSync(handle);
  }
}

function withLineEnd(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}
