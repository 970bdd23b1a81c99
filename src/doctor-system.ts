import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { access, open, readFile, rm, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { CertificateFile, CertificateFiles } from "./certificate-check.ts";
import type { Clock } from "./clock.ts";
import {
  type DiskProbe,
  type FolderProbe,
  parseUnits,
  UNIT_PROPERTIES,
  UNITS,
  type UnitFacts,
} from "./doctor-machine.ts";
import { parseUpgrade, type UpdateProbe } from "./doctor-updates.ts";
import { systemCode } from "./errors.ts";
import type { Certificate } from "./store/registry.ts";

const SYNC_TRIES = 5;
const SYNC_BYTES = 4096;
const MAX_PEM_BYTES = 1024 * 1024;
const SYSTEMCTL_MS = 5000;
/** On a small machine it takes some seconds. */
const APT_MS = 15_000;

/** Not by the number of the process: in a container that is the one of a process that was killed before it removed its file. */
const newName = (): string => `.doctor-${randomUUID()}`;

/** Writes and removes a small file, or, where the folder is not there yet, looks whether it could be made. */
export async function probeFolder(name: string, path: string): Promise<FolderProbe> {
  const file = join(path, newName());
  try {
    const handle = await open(file, "wx", 0o600);
    try {
      await handle.writeFile("x");
    } finally {
      await handle.close();
      await rm(file, { force: true });
    }
    return { name, path, exists: true, failure: null };
  } catch (error) {
    if (systemCode(error) !== "ENOENT") return { name, path, exists: true, failure: systemCode(error) ?? "error" };
  }
  for (let parent = dirname(path); ; parent = dirname(parent)) {
    const failure = await access(parent, constants.W_OK | constants.X_OK).then(
      () => null,
      (error: unknown) => systemCode(error) ?? "error",
    );
    if (failure !== "ENOENT" || parent === dirname(parent)) return { name, path, exists: false, failure };
  }
}

/** One probe for each file system below the folders; of those that are not there yet, of the nearest parent. */
export async function probeDisks(paths: readonly string[], clock: Clock): Promise<readonly DiskProbe[]> {
  const seen = new Map<number, string>();
  for (const path of paths) {
    const present = await nearestPresent(path);
    const { dev } = await stat(present);
    if (!seen.has(dev)) seen.set(dev, present);
  }
  const disks: DiskProbe[] = [];
  for (const path of seen.values()) {
    const { bavail, blocks, bsize, files, ffree } = await statfs(path);
    disks.push({
      path,
      freeBytes: bavail * bsize,
      totalBytes: blocks * bsize,
      freeFiles: files > 0 ? ffree : null,
      syncMs: await measureSync(path, clock).catch(() => []),
    });
  }
  return disks;
}

async function nearestPresent(path: string): Promise<string> {
  const present = await stat(path).then(
    () => true,
    () => false,
  );
  return present || path === dirname(path) ? path : nearestPresent(dirname(path));
}

async function measureSync(folder: string, clock: Clock): Promise<readonly number[]> {
  const file = join(folder, newName());
  const handle = await open(file, "wx", 0o600);
  const times: number[] = [];
  try {
    for (let turn = 0; turn < SYNC_TRIES; turn += 1) {
      await handle.write(new Uint8Array(SYNC_BYTES), 0, SYNC_BYTES, turn * SYNC_BYTES);
      const startedAt = clock.monotonicMs();
      await handle.sync();
      times.push(clock.monotonicMs() - startedAt);
    }
  } finally {
    await handle.close();
    await rm(file, { force: true });
  }
  return times;
}

/** @returns null: there is no systemd to ask */
export async function readUnits(): Promise<readonly UnitFacts[] | null> {
  try {
    const child = Bun.spawn(["systemctl", "show", ...UNITS, `--property=${UNIT_PROPERTIES.join(",")}`], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "ignore",
      timeout: SYSTEMCTL_MS,
      env: process.env,
    });
    const [text, code] = await Promise.all([new Response(child.stdout).text(), child.exited]);
    return code === 0 ? parseUnits(text) : null;
  } catch {
    return null;
  }
}

/**
 * Asks apt-get what it would upgrade; that takes no lock, changes nothing, and goes by the lists that are there.
 * `run`: the folder in which Debian says that a restart is waited for.
 */
export async function probeUpdates(signal: AbortSignal, run = "/run"): Promise<UpdateProbe> {
  const restartFor = await readRestart(run);
  const apt = Bun.which("apt-get", { PATH: process.env["PATH"] ?? "" });
  if (apt === null) return { waiting: null, problem: null, restartFor };
  const child = Bun.spawn([apt, "-s", "-o", "Debug::NoLocking=true", "upgrade"], {
    ...{ stdin: "ignore", stdout: "pipe", stderr: "pipe", timeout: APT_MS, signal },
    // Its words are read, so they are to be English.
    env: { ...process.env, LC_ALL: "C" },
  } as const);
  const [text, complaint, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code === 0) return { waiting: parseUpgrade(text), problem: null, restartFor };
  const why = child.signalCode === null ? complaint.trim().split("\n").at(-1) : `no answer within ${APT_MS / 1000} s`;
  return { waiting: null, problem: `apt-get: ${why || `ended with ${code}`}`, restartFor };
}

async function readRestart(run: string): Promise<readonly string[] | null> {
  const text = (name: string) => readFile(join(run, name), "utf8").catch(() => null);
  if ((await text("reboot-required")) === null) return null;
  const names = (await text("reboot-required.pkgs"))?.split("\n").map((name) => name.trim()) ?? [];
  return [...new Set(names.filter((name) => name !== ""))];
}

/** Both files of a certificate, or why they cannot be read. */
export async function readCertificateFiles(certificate: Certificate): Promise<CertificateFiles> {
  return { certificate: await readPem(certificate.clientCertPath), key: await readPem(certificate.keyPath) };
}

async function readPem(path: string | null): Promise<CertificateFile> {
  if (path === null) return { failure: "no file is set" };
  try {
    const { size, mode } = await stat(path);
    if (size > MAX_PEM_BYTES) return { failure: `over ${MAX_PEM_BYTES} bytes (${path})` };
    return { text: await readFile(path, "utf8"), mode };
  } catch (error) {
    return { failure: `${systemCode(error) ?? "unreadable"} (${path})` };
  }
}
