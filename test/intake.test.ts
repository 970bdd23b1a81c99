import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseTattileXml } from "../src/camera/tattile-xml.ts";
import { AppError } from "../src/errors.ts";
import { openDiskStore } from "../src/images/disk.ts";
import type { ImageStore } from "../src/images/image-store.ts";
import { createIntake, type Intake, type IntakeDeps } from "../src/intake.ts";
import { silentLog } from "../src/log.ts";
import type { Store } from "../src/store/store.ts";
import { messageOf } from "./support/queued-readings.ts";
import {
  addCamera,
  addCameras,
  addMunicipality,
  SqliteUnderTest,
  START,
  standingClock,
} from "./support/store-fixture.ts";

const KNOWN = "2001008851";

interface Parts {
  store: Store;
  images: ImageStore;
  quarantine: ImageStore;
}

/** An intake over a real store and a real disk; `change` says what is different of them. */
async function openIntakeOn(change: (parts: Parts) => Partial<IntakeDeps>) {
  const under = await SqliteUnderTest.open();
  await addCameras(under.store, KNOWN);
  const folder = mkdtempSync(join(tmpdir(), "tattile-intake-"));
  const images = openDiskStore(join(folder, "images"));
  const quarantine = openDiskStore(join(folder, "quarantine"));
  let number = 0;
  const intake = createIntake({
    store: under.store,
    images,
    quarantine,
    cameraTimezone: "Europe/Madrid",
    dedupeSecret: new Uint8Array(32),
    clock: standingClock(),
    log: silentLog,
    randomId: () => `${++number}`,
    onQueued() {},
    ...change({ store: under.store, images, quarantine }),
  });
  return {
    intake,
    store: under.store,
    images,
    files: () =>
      readdirSync(folder, { recursive: true })
        .map(String)
        .filter((name) => /\.(msg|jpg)$/.test(name)),
    async [Symbol.asyncDispose]() {
      images.close();
      quarantine.close();
      await under[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** One whose store fails as `enqueue` says. */
function openFailing(enqueue: (store: Store) => Store["enqueue"]) {
  return openIntakeOn(({ store }) => ({ store: { ...store, enqueue: enqueue(store) } }));
}

function send(intake: Intake, serial: string, n: number, change: (text: string) => string = (text) => text) {
  const bytes = Buffer.from(change(messageOf(serial, `${1000 + n}BCD`, n).toString("latin1")), "latin1");
  const parsed = parseTattileXml(bytes);
  const pictures = parsed.kind === "reading" ? [parsed.reading.ocrImage, parsed.reading.ctxImage] : [];
  return intake
    .accept({
      protocol: "tattile-xml",
      parsed,
      bytes,
      peer: "192.0.2.7",
      receivedAt: START,
      // The memory is given to the next message.
      release: () => {
        for (const memory of [bytes, ...pictures]) memory?.fill(0);
      },
    })
    .catch((error: Error) => error.message);
}

/** Its pictures, as they were sent. */
function picturesOf(n: number, change: (text: string) => string = (text) => text): (Buffer | null)[] {
  const parsed = parseTattileXml(
    Buffer.from(change(messageOf(KNOWN, `${1000 + n}BCD`, n).toString("latin1")), "latin1"),
  );
  if (parsed.kind !== "reading") throw new Error("no reading");
  return [parsed.reading.ocrImage, parsed.reading.ctxImage].map((one) => (one === null ? null : Buffer.from(one)));
}

/** The pictures of each queued reading, as they are stored. */
async function storedPictures(open: { store: Store; images: ImageStore }): Promise<(Buffer | null)[][]> {
  const messages = await open.store.listMessages({}, 100);
  return Promise.all(
    messages.map(async ({ messageId }) => {
      const paths = await open.store.findMessageImages(messageId);
      const read = async (path: string | null | undefined): Promise<Buffer | null> => {
        const bytes = path == null ? null : await open.images.read(path);
        return bytes === null ? null : Buffer.from(bytes);
      };
      return [await read(paths?.ocr), await read(paths?.ctx)];
    }),
  );
}

test("while the store fails a camera may send again and again: neither pictures nor held messages pile up", async () => {
  await using failing = await openFailing(() => async () => {
    throw new AppError("unavailable", "storing readings: disk full");
  });
  for (let n = 0; n < 3; n += 1) {
    expect(await send(failing.intake, "2001009999", n)).toBe("storing readings: disk full");
    expect(await send(failing.intake, KNOWN, n)).toBe("storing readings: disk full");
  }
  await failing.intake.drain();
  expect(failing.files()).toEqual([]);
});

test("files whose commit happened after all stay when its answer was lost", async () => {
  await using failing = await openFailing((store) => async (entries, now) => {
    await store.enqueue(entries, now);
    throw new AppError("unavailable", "storing readings: the connection broke");
  });
  expect(await send(failing.intake, "2001009999", 1)).toBe("storing readings: the connection broke");
  expect(await send(failing.intake, KNOWN, 1)).toBe("storing readings: the connection broke");
  await failing.intake.drain();
  const [held] = await failing.store.listQuarantine({}, 10);
  expect(failing.files()).toContain(join("quarantine", held?.path ?? "none"));
  expect(failing.files().filter((name) => name.endsWith(".jpg")).length).toBeGreaterThan(0);
});

test("files stay when it cannot be asked whether their commit happened: a row without its picture would be a loss", async () => {
  await using open = await openIntakeOn(({ store }) => ({
    store: {
      ...store,
      enqueue: async (entries, now) => {
        await store.enqueue(entries, now);
        throw new AppError("store-unreachable", "storing readings: the connection broke");
      },
      findReferenced: () => Promise.reject(new AppError("store-unreachable", "looking for images: no connection")),
      findHeld: () => Promise.reject(new AppError("store-unreachable", "looking for held messages: no connection")),
    },
  }));
  await Promise.all([send(open.intake, "2001009999", 1), send(open.intake, KNOWN, 1)]);
  await open.intake.drain();
  expect(open.files().filter((name) => name.endsWith(".msg"))).toHaveLength(1);
  expect(await storedPictures(open)).toEqual([picturesOf(1)]);
});

test("pictures and held messages are on the disk before their rows, and the camera hears of it after them", async () => {
  const order: string[] = [];
  await using open = await openIntakeOn(({ store, images, quarantine }) => {
    const noting = (name: string, files: ImageStore): ImageStore => ({
      ...files,
      flush: async () => {
        await files.flush();
        order.push(name);
      },
    });
    return {
      images: noting("pictures", images),
      quarantine: noting("held messages", quarantine),
      store: {
        ...store,
        enqueue: async (entries, now) => {
          const results = await store.enqueue(entries, now);
          order.push("rows");
          return results;
        },
      },
    };
  });
  for (const serial of [KNOWN, "2001009999"]) {
    await send(open.intake, serial, 1);
    order.push("told");
  }
  expect(order).toEqual(["pictures", "rows", "told", "held messages", "rows", "told"]);
});

for (const [what, serial] of [
  ["pictures", KNOWN],
  ["held messages", "2001009999"],
] as const) {
  test(`where the disk does not take ${what} there is no row, no file and no promise`, async () => {
    const flush = (): Promise<void> => Promise.reject(new AppError("unavailable", "syncing: write error"));
    await using open = await openIntakeOn(({ images, quarantine }) => ({
      images: { ...images, flush },
      quarantine: { ...quarantine, flush },
    }));
    expect(await send(open.intake, serial, 1)).toBe("syncing: write error");
    expect([(await open.store.summarize()).readings, (await open.store.listQuarantine({}, 10)).length]).toEqual([0, 0]);
    expect(open.files()).toEqual([]);
  });
}

test("what is stored is what came, whoever has the memory afterwards; a replay leaves nothing behind", async () => {
  await using open = await openIntakeOn(() => ({}));
  expect(await Promise.all([1, 2, 3, 1].map((n) => send(open.intake, KNOWN, n)))).toEqual([
    "queued",
    "queued",
    "queued",
    "duplicate",
  ]);
  expect(await send(open.intake, KNOWN, 2)).toBe("duplicate");
  expect(await storedPictures(open)).toEqual([1, 2, 3].map((n) => picturesOf(n)));
  expect(open.files()).toHaveLength(6);
});

test("a camera's readings stand in the order they came in, however long a picture takes; others do not wait for it", async () => {
  const slow = Promise.withResolvers<void>();
  const OTHER = "2001000002";
  await using open = await openIntakeOn(({ images }) => ({
    images: {
      ...images,
      put: async (path, bytes) => {
        if (path.includes("1001BCD")) await slow.promise;
        return images.put(path, bytes);
      },
    },
  }));
  await addCamera(open.store, OTHER, await addMunicipality(open.store, "Elsewhere", null));
  const sent = [1, 2, 3].map((n) => send(open.intake, KNOWN, n));
  expect(await send(open.intake, OTHER, 4)).toBe("queued");
  slow.resolve();
  await Promise.all(sent);
  const messages = await open.store.listMessages({}, 10);
  const inOrder = messages.toSorted((a, b) => a.messageId - b.messageId).map(({ plate }) => plate);
  expect(inOrder).toEqual(["1004BCD", "1001BCD", "1002BCD", "1003BCD"]);
});

test("two readings of one plate in one millisecond have each their own pictures", async () => {
  await using open = await openIntakeOn(() => ({}));
  // The same but for the plate picture: the other one's, or the other way round.
  const swap = (text: string): string =>
    text.replace(/<IMAGE_OCR>[^<]*/, `<IMAGE_OCR>${/<IMAGE_CTX>([^<]*)/.exec(text)?.[1]}`);
  expect(await Promise.all([send(open.intake, KNOWN, 1), send(open.intake, KNOWN, 1, swap)])).toEqual([
    "queued",
    "queued",
  ]);
  expect(picturesOf(1, swap)).not.toEqual(picturesOf(1));
  expect(await storedPictures(open)).toEqual([picturesOf(1), picturesOf(1, swap)]);
});

test("a reading whose camera is removed between our look and the commit is refused, with its pictures gone", async () => {
  await using open = await openFailing((store) => async (entries, now) => {
    await store.removeCamera((await store.findCamera(KNOWN))?.id ?? 0, false);
    return store.enqueue(entries, now);
  });
  expect(await send(open.intake, KNOWN, 1)).toBe("storing a reading: its camera was just removed");
  await open.intake.drain();
  expect(open.files()).toEqual([]);
});

test("draining waits for what was accepted", async () => {
  const commit = Promise.withResolvers<void>();
  await using open = await openFailing((store) => async (entries, now) => {
    await commit.promise;
    return store.enqueue(entries, now);
  });
  const result = send(open.intake, KNOWN, 1);
  let isDrained = false;
  const draining = open.intake.drain().then(() => {
    isDrained = true;
  });
  await Bun.sleep(20);
  expect([isDrained, open.intake.stats.waiting]).toEqual([false, 1]);
  commit.resolve();
  await draining;
  expect([await result, open.intake.stats.waiting]).toEqual(["queued", 0]);
});

test("one group is 128 messages at most, however many have piled up", async () => {
  const groups: number[] = [];
  const first = Promise.withResolvers<void>();
  await using open = await openFailing((store) => async (entries, now) => {
    groups.push(entries.length);
    if (groups.length === 1) await first.promise;
    return store.enqueue(entries, now);
  });
  const sent = Array.from({ length: 300 }, (_, n) => send(open.intake, "2001009999", n));
  while (groups.length === 0) await Bun.sleep(1);
  first.resolve();
  expect(await Promise.all(sent)).toEqual(sent.map(() => "quarantined"));
  expect(Math.max(...groups)).toBe(128);
  expect(groups.reduce((sum, count) => sum + count)).toBe(300);
});

test("a thousand names of one plate in one millisecond, and the camera keeps the next reading", async () => {
  let tried = 0;
  await using open = await openIntakeOn(({ images }) => ({
    images: {
      ...images,
      put: async () => {
        tried += 1;
        return false;
      },
    },
  }));
  expect(await send(open.intake, KNOWN, 1)).toContain("a thousand readings of one plate in one millisecond");
  expect([tried, (await open.store.summarize()).readings]).toEqual([1000, 0]);
});
