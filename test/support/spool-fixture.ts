import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError } from "../../src/errors.ts";
import { openDiskStore } from "../../src/images/disk.ts";
import type { ImageStore } from "../../src/images/image-store.ts";
import type { Log } from "../../src/log.ts";
import { createSpool, type Spool } from "../../src/store/spool.ts";
import { openSpoolFile, type SpoolFile } from "../../src/store/spool-file.ts";
import { openSqlite } from "../../src/store/sqlite.ts";
import type { IntakeEntry, Store } from "../../src/store/store.ts";
import { newReading, standingClock } from "./store-fixture.ts";

/** How a store fails: not at all, before it does anything, or after it did everything. */
export type Trouble = "none" | "before" | "after";

export type Where = "store" | "images" | "quarantine" | "spool" | "images of the spool" | "quarantine of the spool";

export function away(): AppError {
  return new AppError("store-unreachable", "asking the store: it is away");
}

/** Every call passes `guard`, which may throw before and after it. */
export function guarded<T extends object>(target: T, guard: (when: "before" | "after", name: string) => void): T {
  return new Proxy(target, {
    get(inner, name) {
      const member: unknown = Reflect.get(inner, name);
      if (
        typeof member !== "function" ||
        ["list", "info", "count", "close", "watchQueue", "lead", "resign"].includes(String(name))
      ) {
        return member;
      }
      return async (...words: unknown[]) => {
        guard("before", String(name));
        const result: unknown = await Reflect.apply(member, inner, words);
        guard("after", String(name));
        return result;
      };
    },
  });
}

export const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** A store with its pictures, and a spool before it, in one folder; the spool can be abandoned and made anew. */
export class SpoolUnderTest implements AsyncDisposable {
  readonly folder: string;
  readonly clock: ReturnType<typeof standingClock>;
  readonly store: Store;
  readonly images: ImageStore;
  readonly #quarantine: ImageStore;
  trouble: Trouble = "none";
  imageTrouble: Trouble = "none";
  /** Awaited before a picture is written to its place by the spool; what it throws fails the write. */
  onCopy: (path: string) => Promise<void> = async () => {};
  /** Called around every step of the spool, with where it is done; throws where the process is to die. */
  onStep: (name: string, where: Where) => void = () => {};
  moved = 0;
  /** How often the loop said that it turns. */
  turns = 0;
  /** While it is there, no call of the store is answered. */
  stalled: Promise<void> | null = null;
  #files: { close(): unknown }[] = [];
  #spools: Spool[] = [];

  private constructor(folder: string, clock: ReturnType<typeof standingClock>, store: Store) {
    this.folder = folder;
    this.clock = clock;
    this.store = store;
    this.images = openDiskStore(join(folder, "images"));
    this.#quarantine = openDiskStore(join(folder, "quarantine"));
  }

  static async open(openStore?: () => Promise<Store>): Promise<SpoolUnderTest> {
    const folder = mkdtempSync(join(tmpdir(), "tattile-spool-"));
    const clock = standingClock();
    const store = await (openStore?.() ?? openSqlite({ path: join(folder, "tattile.db"), clock }));
    return new SpoolUnderTest(folder, clock, store);
  }

  /** What a new process would open. An earlier one is left as if it had died. */
  async spool(): Promise<{ spool: Spool; file: SpoolFile; here: ImageStore }> {
    const file = await openSpoolFile({ path: join(this.folder, "spool/spool.db"), clock: this.clock });
    const here = openDiskStore(join(this.folder, "spool/images"));
    const held = openDiskStore(join(this.folder, "spool/quarantine"));
    this.#files.push(file, here, held);
    const guard = (where: Where, trouble: () => Trouble) => (when: "before" | "after", name: string) => {
      this.onStep(`${name} ${when}`, where);
      if (trouble() === when) throw away();
    };
    const step = (where: Where) => (when: "before" | "after", name: string) => this.onStep(`${name} ${when}`, where);
    const spool = createSpool({
      store: this.#stalling(
        guarded(
          this.store,
          guard("store", () => this.trouble),
        ),
      ),
      file: guarded(file, step("spool")),
      images: {
        away: guarded(
          this.#copying(this.images),
          guard("images", () => this.imageTrouble),
        ),
        here: guarded(here, step("images of the spool")),
      },
      quarantine: {
        away: guarded(
          this.#quarantine,
          guard("quarantine", () => this.imageTrouble),
        ),
        here: guarded(held, step("quarantine of the spool")),
      },
      heldBackRetentionMs: 60_000,
      clock: this.clock,
      log: SILENT,
      onMoved: (count) => {
        this.moved += count;
      },
      onTurn: () => {
        this.turns += 1;
      },
    });
    this.#spools.push(spool);
    return { spool, file, here };
  }

  #copying(images: ImageStore): ImageStore {
    return {
      ...images,
      replace: async (path, bytes) => {
        await this.onCopy(path);
        await images.replace(path, bytes);
      },
    };
  }

  #stalling(store: Store): Store {
    return new Proxy(store, {
      get: (inner, name) => {
        const member: unknown = Reflect.get(inner, name);
        if (typeof member !== "function") return member;
        return async (...words: unknown[]) => {
          await this.stalled;
          return Reflect.apply(member, inner, words);
        };
      },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const spool of this.#spools) await spool.stop();
    for (const file of this.#files) await file.close();
    this.images.close();
    this.#quarantine.close();
    await this.store.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function pictureOf(number: number): Uint8Array {
  return new TextEncoder().encode(`picture of ${number}`);
}

/** Takes a reading in as intake does: its pictures, then the row. */
export async function takeIn(spool: Spool, camera: string, ...numbers: number[]): Promise<readonly string[]> {
  const entries: IntakeEntry[] = [];
  for (const number of numbers) {
    const reading = newReading(number, camera, { imageCtxPath: null, imageOcrPath: `${camera}/${number}-x_ocr.jpg` });
    await spool.intake.images.put(reading.imageOcrPath ?? "", pictureOf(number));
    entries.push({ kind: "reading", reading });
  }
  await spool.intake.images.flush();
  return spool.intake.store.enqueue(entries, new Date());
}
