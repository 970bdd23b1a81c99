/** Free and total bytes of the disk on which a folder lies. */
export interface Space {
  freeBytes: number;
  totalBytes: number;
  folder: string;
}

/**
 * Where picture files (and held messages) lie. Paths are relative, with `/`, and made safe by image-path.ts.
 *
 * Crash order: `put` then `flush` then the row. After `flush` resolves, everything put before it was called survives a
 * power cut, names included. A file without a row is an orphan that cleanup sweeps; a row without its file would be a loss.
 */
export interface ImageStore {
  /** False: `put` replaces what bears the name already, so nobody may ever choose a name twice (intake makes names unique). */
  readonly refusesTaken: boolean;
  /** Writes a new file; not durable before `flush`. @returns false when a file of that name exists already (nothing is written). */
  put(path: string, bytes: Uint8Array): Promise<boolean>;
  /** Writes a file whatever stands there; one that says the same already stays as it is. Not durable before `flush`. For names that are nobody else's. */
  replace(path: string, bytes: Uint8Array): Promise<void>;
  /** Makes everything put so far durable. @throws when any of it could not be written: then nothing of it may be counted. */
  flush(): Promise<void>;
  /** The file's bytes, or null when there is none. Also takes absolute and legacy (`data/images/…`) paths. */
  read(path: string): Promise<Uint8Array | null>;
  /** Whether there is such a file; cheaper than reading it. */
  has(path: string): Promise<boolean>;
  /** Removes files; one that is gone already is no error. Folders left empty go too, at once or with a later `list`. @returns how many were there, as far as that can be told. */
  erase(paths: readonly string[]): Promise<number>;
  /** Every file below the store with its age, folder by folder, for the sweep of orphans; empty folders out of use are removed on the way. */
  list(): AsyncIterable<{ folder: string; files: readonly { name: string; modifiedAt: Date }[] }>;
  /** Of the disk that is full first when files are written here; for a store elsewhere, of the one that stands in while it is away. */
  space(): Promise<Space>;
  close(): void;
}

const ERASE_STEP = 1000;

/** Erases any number of files, so many at a time that no store has them all under way. @returns how many were there. */
export async function eraseMany(
  images: Pick<ImageStore, "erase">,
  paths: readonly string[],
  onStep: (done: number) => void = () => {},
): Promise<number> {
  let erased = 0;
  for (let at = 0; at < paths.length; at += ERASE_STEP) {
    erased += await images.erase(paths.slice(at, at + ERASE_STEP));
    onStep(Math.min(at + ERASE_STEP, paths.length));
  }
  return erased;
}
