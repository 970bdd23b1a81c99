import { stat } from "node:fs/promises";
import { systemCode } from "../errors.ts";
import type { ImageStore } from "../images/image-store.ts";
import type { Store, StoreInfo } from "../store/store.ts";

export interface Totals {
  /** bytes: of an SQLite database with what stands beside it; null: on a server. */
  store: StoreInfo & { bytes: number | null };
  tables: readonly { table: string; rows: number }[];
  files: readonly { name: "images" | "quarantine"; files: number }[];
}

type Files = Pick<ImageStore, "list">;

/** Counts every row and every file: for an operator's question, not for a loop. */
export async function countTotals(
  store: Pick<Store, "countRows" | "info">,
  places: { images: Files; quarantine: Files },
): Promise<Totals> {
  const tables = await store.countRows();
  const files = [
    { name: "images" as const, files: await countFiles(places.images) },
    { name: "quarantine" as const, files: await countFiles(places.quarantine) },
  ];
  const info = store.info();
  const bytes = info.kind === "sqlite" ? await sizeOf(info.location) : null;
  return { store: { ...info, bytes }, tables, files };
}

async function countFiles(images: Files): Promise<number> {
  let count = 0;
  for await (const { files } of images.list()) count += files.length;
  return count;
}

/** The database with what stands beside it. */
async function sizeOf(path: string): Promise<number> {
  let bytes = 0;
  for (const file of [path, `${path}-wal`]) {
    bytes += await stat(file).then(
      ({ size }) => size,
      (error: unknown) => {
        if (systemCode(error) === "ENOENT") return 0;
        throw error;
      },
    );
  }
  return bytes;
}
