import { readFile, stat } from "node:fs/promises";
import {
  type CertificatePaths,
  makeCertificateCurrent,
  removeCertificateFolder,
  writeCertificateFolder,
} from "../certificate-files.ts";
import { AppError, systemCode } from "../errors.ts";
import { createIdentityStore } from "../identity-store.ts";
import { type PfxContents, readPemPair, readPfx } from "../soap/certificate.ts";
import { createTrust } from "../soap/trust.ts";
import { parseWsdl } from "../soap/wsdl.ts";
import { fetchWsdl } from "../soap/wsdl-source.ts";
import { listRegistered } from "../store/registry.ts";
import type { Store } from "../store/store.ts";
import type { SiteCertificate } from "./fields.ts";
import { recordKey, type SiteFile } from "./file.ts";
import { type PlanOptions, planSite, type SiteCertificateSource, type SitePlan, type SiteState } from "./plan.ts";

export type SiteStore = Pick<
  Store,
  | "listMunicipalities"
  | "listEndpoints"
  | "listCertificates"
  | "listCameras"
  | "findWaiting"
  | "listRotations"
  | "applyRegistry"
>;

/** What the files of a site file's certificates hold; read before the store is opened, when root still is root. */
export type CertificateInputs = ReadonlyMap<string, CertificateInput>;
interface CertificateInput {
  entry: SiteCertificate;
  pfx: Uint8Array | null;
  pem: { cert: string; key: string } | null;
  /** Null: not given in a file. */
  password: string | null;
  /** Why one of its files could not be read; matters only when the file is needed. */
  failure: AppError | null;
}

export interface PreparedSite {
  plan: SitePlan;
  /** Contents of the certificates to be added, in the order of the plan's. */
  contents: readonly PfxContents[];
  /** Folder names of those certificates. */
  owners: readonly string[];
}

export interface SiteDeps {
  store: SiteStore;
  certsDir: string;
  defaults: PlanOptions["defaults"];
  now(): Date;
  /** Asks a person for the password of a PFX file that none was given for; or refuses. */
  askPassword(file: string): Promise<string>;
}

/** A certificate's file, a password's. */
const MAX_FILE_BYTES = 1024 * 1024;
/** Nothing of the network is asked here; a file is there at once or not at all. */
const FILE_DEADLINE_MS = 5000;

/** Reads the files that the certificates of a site file name. What cannot be read is reported once it is needed. */
export async function readCertificateInputs(file: SiteFile): Promise<CertificateInputs> {
  const inputs = new Map<string, CertificateInput>();
  for (const entry of file.certificates ?? []) {
    const input: CertificateInput = { entry, pfx: null, pem: null, password: null, failure: null };
    inputs.set(entry.name, input);
    try {
      if (entry.pfx !== undefined) input.pfx = await readBounded(entry.name, entry.pfx);
      if (entry.cert !== undefined && entry.key !== undefined) {
        const [cert, key] = [await readBounded(entry.name, entry.cert), await readBounded(entry.name, entry.key)];
        input.pem = { cert: cert.toString("utf8"), key: key.toString("utf8") };
      }
      if (entry.passwordFile !== undefined) {
        input.password = (await readBounded(entry.name, entry.passwordFile)).toString("utf8").split(/\r?\n/)[0] ?? "";
      }
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      input.failure = error;
    }
  }
  return inputs;
}

async function readBounded(name: string, path: string): Promise<Buffer> {
  const doing = `reading certificate ${name}`;
  try {
    const { size } = await stat(path);
    if (size > MAX_FILE_BYTES) throw new AppError("invalid", `${doing}: over ${MAX_FILE_BYTES} bytes (${path})`);
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError("not-found", `${doing}: ${systemCode(cause) ?? "unreadable"} (${path})`, { cause });
  }
}

/** Compares a site file with the store and opens the certificates that are new. Writes nothing. */
export async function prepareSite(
  file: SiteFile,
  inputs: CertificateInputs,
  options: { prune: boolean },
  deps: SiteDeps,
): Promise<PreparedSite> {
  const state = await readSiteState(file, options.prune, deps.store);
  const usable = await createIdentityStore().usable(state.certificates);
  const sources = new Map<string, SiteCertificateSource>();
  const contents: PfxContents[] = [];
  const owners: string[] = [];
  for (const [name, input] of inputs) {
    const findPresent = (fingerprint: string | null): number | undefined =>
      fingerprint === null
        ? undefined
        : state.certificates
            .filter((c) => c.fingerprint === fingerprint && usable.has(c.id))
            .toSorted((a, b) => Number(isUsed(state, b.id)) - Number(isUsed(state, a.id)) || b.id - a.id)[0]?.id;
    const known = findPresent(input.entry.fingerprint ?? null);
    if (known !== undefined) {
      sources.set(name, { kind: "present", id: known });
      continue;
    }
    const opened = await openCertificate(input, deps);
    const present = findPresent(opened.fingerprint);
    if (present !== undefined) {
      sources.set(name, { kind: "present", id: present });
      continue;
    }
    const { subject, serialNumber, fingerprint, validFrom, validTo } = opened;
    contents.push(opened);
    owners.push(ownerOf(file, name));
    sources.set(name, {
      kind: "new",
      value: {
        ...{ name, alias: null, clientCertPath: null, keyPath: null, privpubPath: null },
        ...{ subject, serialNumber, fingerprint, validFrom, validTo, active: true },
      },
    });
  }
  const plan = planSite(file, state, { prune: options.prune, defaults: deps.defaults, sources });
  await checkEndpointFiles(plan);
  return { plan, contents, owners };
}

/**
 * Brings about what was planned, all of it or nothing: files of new certificates first, then one transaction, then the files of
 * removed ones. A crash in between leaves files without a row, which the next time finds as they are.
 */
export async function applySite(prepared: PreparedSite, deps: Pick<SiteDeps, "store" | "certsDir">): Promise<void> {
  const { plan, contents, owners } = prepared;
  const { store, certsDir } = deps;
  if (plan.steps.length === 0) return;
  const before = await store.listCertificates();
  const written: CertificatePaths[] = [];
  try {
    for (const [at, content] of contents.entries()) {
      written.push(writeCertificateFolder(certsDir, owners[at] ?? "", content, false));
    }
    const certificates = plan.change.certificates.map((value, at) => ({ ...value, ...written[at] }));
    await store.applyRegistry({ ...plan.change, certificates });
  } catch (error) {
    for (const { keyPath } of written) {
      if (!before.some((c) => c.keyPath === keyPath)) removeCertificateFolder(certsDir, keyPath);
    }
    throw error;
  }
  // Only now: until the rows are there the earlier one signs.
  for (const { keyPath } of written) makeCertificateCurrent(certsDir, keyPath);
  const left = await store.listCertificates();
  for (const { id, keyPath } of before) {
    const gone = keyPath !== null && !left.some((c) => c.id === id || c.keyPath === keyPath);
    if (gone) removeCertificateFolder(certsDir, keyPath);
  }
}

/** What is registered now, with the cameras that `prune` would remove looked at for waiting readings. */
async function readSiteState(
  file: SiteFile,
  prune: boolean,
  store: Omit<SiteStore, "applyRegistry">,
): Promise<SiteState> {
  const registered = await listRegistered(store);
  const named = prune && file.cameras !== undefined ? new Set(file.cameras.map(({ serial }) => serial)) : null;
  const unnamed = named === null ? [] : registered.cameras.filter(({ serial }) => !named.has(serial));
  const waiting = await store.findWaiting(unnamed.map(({ id }) => id));
  const rotating = new Set(
    (await store.listRotations()).flatMap(({ nextId, previousId }) => [nextId, previousId ?? 0]),
  );
  return { ...registered, waiting, rotating };
}

async function openCertificate(input: CertificateInput, deps: SiteDeps): Promise<PfxContents> {
  const { entry, pfx, pem, failure } = input;
  if (failure !== null) throw failure;
  const doing = `opening certificate ${entry.name}`;
  let contents: PfxContents;
  try {
    if (pem !== null) contents = readPemPair(pem.cert, pem.key, deps.now());
    else if (pfx !== null) {
      contents = readPfx(pfx, input.password ?? (await deps.askPassword(entry.pfx ?? "")), deps.now());
    } else {
      throw new AppError("not-found", `no usable certificate of this fingerprint is here (${entry.fingerprint})`, {
        hint: "Name its pfx, or its cert and key, in the site file.",
      });
    }
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause;
    throw new AppError(cause.code, `${doing}: ${cause.message}`, cause.hint === undefined ? {} : { hint: cause.hint });
  }
  if (entry.fingerprint === undefined || entry.fingerprint === contents.fingerprint) return contents;
  throw new AppError("invalid", `${doing}: its fingerprint is ${contents.fingerprint}, the site file says another`, {
    hint: "Correct the fingerprint in the site file, or leave it out.",
  });
}

/** The municipality that the certificate's files are laid beside; without one, its own name. */
function ownerOf(file: SiteFile, name: string): string {
  const key = recordKey("certificates", name);
  const owner = file.municipalities?.find(
    (m) => m.certificate != null && recordKey("certificates", m.certificate) === key,
  );
  return owner?.name ?? name;
}

function isUsed(state: SiteState, id: number): boolean {
  return state.municipalities.some(({ certificateId }) => certificateId === id);
}

/** A file that the sender could not use must not get as far as the store. */
async function checkEndpointFiles(plan: SitePlan): Promise<void> {
  for (const { name, caPath, wsdl } of plan.change.endpoints) {
    try {
      if (caPath !== null) createTrust(caPath, null);
      if (wsdl !== null && !/^https?:/i.test(wsdl)) {
        parseWsdl(await fetchWsdl(wsdl, { caPath: null, deadlineMs: FILE_DEADLINE_MS }));
      }
    } catch (cause) {
      if (!(cause instanceof AppError)) throw cause;
      throw new AppError("invalid", `endpoint ${name}: ${cause.message}`, {
        hint: "Name a file that the service's user can read, by its full path.",
        cause,
      });
    }
  }
}
