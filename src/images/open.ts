import { mkdirSync } from "node:fs";
import type { Config } from "../config.ts";
import { openDiskStore } from "./disk.ts";
import { foldersOfReadings, readSpace } from "./disk-space.ts";
import type { ImageStore } from "./image-store.ts";
import { createS3Store } from "./s3.ts";
import { openS3Credentials } from "./s3-credentials.ts";

type Places = Pick<Config, "imagesUrl" | "imagesDir" | "quarantineDir" | "dataDir">;

/** Where pictures lie: below IMAGES_BASE_DIR, or in the bucket of IMAGES_URL. Opens no connection. The caller closes it. */
export function openImages(config: Places): ImageStore {
  return config.imagesUrl === null
    ? { ...openDiskStore(config.imagesDir), space: () => readSpace(foldersOfReadings(config)) }
    : withEarlierFiles(openBucket(config, config.imagesUrl, "images"), openDiskStore(config.imagesDir));
}

/** Where held messages lie; beside the pictures, so that every machine can take them up. */
export function openQuarantine(config: Places): ImageStore {
  return config.imagesUrl === null
    ? openDiskStore(config.quarantineDir)
    : withEarlierFiles(openBucket(config, config.imagesUrl, "quarantine"), openDiskStore(config.quarantineDir));
}

/** The bucket alone, without what lies on this machine's disk from before. */
export function openBucket(
  { dataDir }: Pick<Places, "dataDir">,
  place: NonNullable<Config["imagesUrl"]>,
  part: "images" | "quarantine",
): ImageStore {
  return createS3Store({
    bucket: place.bucket,
    prefix: `${place.prefix}${part}/`,
    endpoint: place.endpoint,
    region: place.region,
    credentials: openS3Credentials(place.credentials, place.credentialsFile),
    space: async () => {
      mkdirSync(dataDir, { recursive: true, mode: 0o750 });
      return readSpace([dataDir]);
    },
  });
}

/**
 * A store that was changed while something waited: new files go to `store`, those from before are still read from, erased
 * from and swept on the disk. Nothing has to be moved by hand.
 */
function withEarlierFiles(store: ImageStore, earlier: ImageStore): ImageStore {
  return {
    ...store,
    // The disk first: it answers at once, and holds only what is older than the store.
    read: async (path) => (await earlier.read(path)) ?? (await store.read(path)),
    has: async (path) => (await earlier.has(path)) || (await store.has(path)),
    erase: async (paths) => {
      await earlier.erase(paths);
      return store.erase(paths);
    },
    async *list() {
      yield* earlier.list();
      yield* store.list();
    },
    close() {
      earlier.close();
      store.close();
    },
  };
}
