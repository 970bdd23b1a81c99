import { type CertificatePaths, removeCertificateFolder, writeCertificateFolder } from "./certificate-files.ts";
import type { PfxContents } from "./soap/certificate.ts";
import type { Municipality, NewCertificate, Registry, SaveResult } from "./store/registry.ts";

/** A PFX holds a key and a few certificates. */
export const MAX_PFX_BYTES = 1024 * 1024;

/**
 * Makes a certificate that was read sign for a municipality: files first, then the row. The same one again mends a set of
 * files of which something was lost, and ends a pause for want of it.
 */
export async function assignImported(
  contents: PfxContents,
  options: {
    municipality: Pick<Municipality, "id" | "name" | "certificateId">;
    alias: string | null;
    certsDir: string;
  },
  store: Pick<Registry, "listCertificates" | "addCertificate" | "assignCertificate">,
): Promise<{ id: number; result: SaveResult }> {
  const { municipality, alias, certsDir } = options;
  const paths = writeCertificateFolder(certsDir, municipality.name, contents);
  const present = (await store.listCertificates())
    .filter((c) => c.fingerprint === contents.fingerprint && c.keyPath === paths.keyPath)
    .filter((c) => alias === null || alias === c.alias)
    .sort((a, b) => Number(b.id === municipality.certificateId) - Number(a.id === municipality.certificateId))[0];
  if (present !== undefined) {
    // Also when it is assigned already: that ends a pause for want of what was just mended.
    await store.assignCertificate(municipality.id, present.id);
    return { id: present.id, result: present.id === municipality.certificateId ? "unchanged" : "changed" };
  }
  const row = certificateRow(contents, { name: alias ?? municipality.name, alias, paths });
  const id = await store.addCertificate({ ...row, municipalityId: municipality.id });
  return { id, result: "added" };
}

/** What the store keeps of a certificate that was read and written; it signs for nobody yet. */
function certificateRow(
  { subject, serialNumber, fingerprint, validFrom, validTo }: PfxContents,
  { name, alias, paths }: { name: string; alias: string | null; paths: CertificatePaths },
): NewCertificate {
  const dates = { validFrom, validTo };
  return { name, alias, municipalityId: null, ...paths, subject, serialNumber, fingerprint, ...dates, active: true };
}

/**
 * Lays a certificate that is not valid yet beside the one that signs now: the service uses it by itself from its first valid
 * moment on. Files first, then the rows; refused, it leaves no files.
 * @throws AppError `conflict` while another one is being tried
 */
export async function stageImported(
  contents: PfxContents,
  options: { municipality: Pick<Municipality, "id" | "name">; alias: string | null; certsDir: string; now: Date },
  store: Pick<Registry, "listCertificates" | "addCertificate" | "stageRotation" | "removeCertificate">,
): Promise<{ id: number; result: "staged" }> {
  const { municipality, now } = options;
  const laid = await layCertificate(contents, options, store);
  try {
    const id = await laid.addRow();
    await store.stageRotation(municipality.id, id, now);
    return { id, result: "staged" };
  } catch (error) {
    await laid.undo();
    throw error;
  }
}

/** A certificate whose files are laid, and what there is of it beside them. */
export interface LaidCertificate {
  row: NewCertificate;
  keyPath: string;
  /** Unless it was there before. @returns its id */
  addRow(): Promise<number>;
  /** Takes away what was not there before: its row, and the folder with its key. */
  undo(): Promise<void>;
}

/** Writes the files of a certificate beside the one that signs; its row is added when the caller says so. */
export async function layCertificate(
  contents: PfxContents,
  options: { municipality: Pick<Municipality, "name">; alias: string | null; certsDir: string },
  store: Pick<Registry, "listCertificates" | "addCertificate" | "removeCertificate">,
): Promise<LaidCertificate> {
  const { municipality, alias, certsDir } = options;
  const before = await store.listCertificates();
  const paths = writeCertificateFolder(certsDir, municipality.name, contents, false);
  const row = certificateRow(contents, { name: alias ?? municipality.name, alias, paths });
  const known = before.find((c) => c.fingerprint === contents.fingerprint && c.keyPath === paths.keyPath);
  let added: number | null = null;
  return {
    row,
    keyPath: paths.keyPath,
    addRow: async () => {
      if (known !== undefined) return known.id;
      added = await store.addCertificate(row);
      return added;
    },
    undo: async () => {
      if (added !== null) await store.removeCertificate(added);
      if (!before.some(({ keyPath }) => keyPath === paths.keyPath)) removeCertificateFolder(certsDir, paths.keyPath);
    },
  };
}
