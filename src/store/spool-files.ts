import { AppError, isStoreAway } from "../errors.ts";
import type { ImageStore } from "../images/image-store.ts";

/** Pictures or held messages: where they belong, and where they lie meanwhile. */
export interface SpooledFiles {
  away: ImageStore;
  here: ImageStore;
}

/** Files that go to their place while it can be reached, and to the spool's folder while not. */
export function spoolFiles({ away, here }: SpooledFiles, isSpooling: () => boolean, enter: (error: unknown) => void) {
  /** Written here for groups that are not written yet: while there are any, groups go to the spool. Bounded by what intake has under way. */
  const pending = new Set<string>();

  const put = async (path: string, bytes: Uint8Array): Promise<boolean> => {
    if (!isSpooling()) {
      try {
        return await away.put(path, bytes);
      } catch (error) {
        if (!isStoreAway(error)) throw error;
        enter(error);
      }
    }
    pending.add(path);
    try {
      return await here.put(path, bytes);
    } catch (error) {
      pending.delete(path);
      throw error;
    }
  };
  const store: ImageStore = {
    // A name is chosen here without a look at the other place: it must be nobody's.
    refusesTaken: false,
    put,
    replace: away.replace,
    // Of `here` by `bring`, with the group; files at the other place may be wanted by a group that still goes there.
    flush: async () => {
      try {
        await away.flush();
      } catch (error) {
        if (!isStoreAway(error)) throw error;
        enter(error);
      }
    },
    read: async (path) => (await here.read(path)) ?? (await away.read(path)),
    has: async (path) => (await here.has(path)) || (await away.has(path)),
    erase: async (paths) => {
      for (const path of paths) pending.delete(path);
      const erased = await here.erase(paths);
      // What stays behind there has no row, and is swept.
      return isSpooling() ? erased : Math.max(erased, await away.erase(paths));
    },
    list: away.list,
    space: async () => {
      const [there, local] = await Promise.all([away.space(), here.space()]);
      return there.freeBytes < local.freeBytes ? there : local;
    },
    close() {},
  };

  return {
    store,
    count: (): number => pending.size,
    /** Makes these durable here; what was written to the other place is fetched from it. @throws when it cannot be: the cameras keep the group */
    bring: async (paths: readonly string[]): Promise<void> => {
      for (const path of paths) {
        if (pending.has(path)) continue;
        const bytes = await away.read(path);
        if (bytes === null) throw new AppError("internal", "writing to the spool: a picture of the group is not there");
        await here.replace(path, bytes);
      }
      if (paths.length > 0) await here.flush();
    },
    /** The group is written, or rejected as a whole. */
    settle: (paths: readonly string[]): void => {
      for (const path of paths) pending.delete(path);
    },
  };
}
