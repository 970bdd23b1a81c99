import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { buildTattileXml, PLAIN_MANNER } from "../../src/simulator/camera-message.ts";
import { createPictures } from "../../src/simulator/picture.ts";
import { connectCamera } from "../support/camera-socket.ts";
import { isEmpty, openSite, type Site } from "./site.ts";

const SERIAL = "2001008851";
const MANNER = { ...PLAIN_MANNER, prolog: "utf-8" } as const;
const pictures = createPictures({ ocrBytes: 2000, ctxBytes: 9000 }, 1, true);

/** One whole message; everything that is not given is the same in all of them. */
function message(
  change: { plate?: string; date?: string; time?: string; picture?: number; serial?: string } = {},
): Buffer {
  const reading = {
    serial: change.serial ?? SERIAL,
    plate: change.plate ?? "1234BCD",
    date: change.date ?? "2026-01-23",
    time: change.time ?? "09-25-57-123",
    transitId: 1,
    ...pictures(change.picture ?? 0),
  };
  return Buffer.concat(buildTattileXml(reading, MANNER));
}

async function delivered(site: Site, count: number) {
  await site.until((health) => isEmpty(health) && site.mossos.records.counts().accepted >= count);
  return site.mossos.records.accepted();
}

/** Sends, ends as a camera does, and waits for the acknowledgement. */
async function sendAll(site: Site, ...messages: Uint8Array[]): Promise<void> {
  await using camera = await connectCamera(site.transitPort);
  for (const bytes of messages) await camera.write(bytes);
  camera.halfClose();
  expect(await camera.ended(10_000)).toBe("fin");
}

async function openRunning(): Promise<Site> {
  const site = await openSite();
  await site.addCameras(SERIAL);
  await site.start();
  return site;
}

describe("what the replaced system loses", () => {
  test("two messages in one write", async () => {
    await using site = await openRunning();
    await sendAll(site, Buffer.concat([message({ plate: "1111BCD" }), message({ plate: "2222BCD" })]));
    expect((await delivered(site, 2)).map(({ plate }) => plate).sort()).toEqual(["1111BCD", "2222BCD"]);
  });

  test("messages a second and less apart on a connection that is kept open", async () => {
    await using site = await openRunning();
    await using camera = await connectCamera(site.transitPort);
    for (let n = 0; n < 5; n++) {
      await camera.write(message({ plate: `${1000 + n}BCD` }));
      await Bun.sleep(n < 3 ? 100 : 1000);
    }
    expect((await delivered(site, 5)).length).toBe(5);
    expect(camera.received).toBe(0);
    expect(await camera.ended(50)).toBe("open");
  });

  test("a time written with colons, and one with a fraction", async () => {
    await using site = await openRunning();
    await sendAll(
      site,
      message({ plate: "1111BCD", time: "09:25:57" }),
      message({ plate: "2222BCD", time: "10.11.12.5" }),
    );
    const times = (await delivered(site, 2)).map(({ plate, date, time }) => [plate, date, time].join(" "));
    expect(times.sort()).toEqual(["1111BCD 2026-01-23 09:25:57", "2222BCD 2026-01-23 10:11:12"]);
  });

  test("everything behind one POST that never gets an answer", async () => {
    await using site = await openRunning();
    site.mossos.behave({ answer: { kind: "hang" }, first: 1 });
    for (let n = 0; n < 5; n++) await sendAll(site, message({ plate: `${1000 + n}BCD` }));
    expect(new Set((await delivered(site, 5)).map(({ plate }) => plate)).size).toBe(5);
  });

  test("a reading whose answer has another code, or none", async () => {
    await using site = await openRunning();
    site.mossos.behave(
      { answer: { kind: "code", code: "7" }, plates: ["7777BCD"] },
      { answer: { kind: "code", code: null }, plates: ["8888BCD"], first: 2 },
      { answer: { kind: "empty" }, plates: ["9999BCD"], first: 2 },
    );
    await sendAll(site, message({ plate: "7777BCD" }), message({ plate: "8888BCD" }), message({ plate: "9999BCD" }));
    await site.until((health) => health["total_readings"] === 1 && health["dead_messages"] === 1, 30_000);
    expect(
      site.mossos.records
        .accepted()
        .map(({ plate }) => plate)
        .sort(),
    ).toEqual(["8888BCD", "9999BCD"]);
    const { stdout } = await site.run("queue", "list", "--json");
    expect(JSON.parse(stdout)).toMatchObject([{ status: "DEAD", reason: "codiRetorn=7" }]);
    expect(stdout).not.toContain("7777BCD");
  });

  test("the picture of one of two readings of a plate in the same moment", async () => {
    await using site = await openRunning();
    await sendAll(site, message({ picture: 1 }), message({ picture: 2 }), message({ picture: 1 }));
    const records = await delivered(site, 2);
    const expected = [1, 2].map((picture) => pictures(picture).ocr.sha256);
    expect(records.map(({ ocrSha256 }) => ocrSha256).sort()).toEqual(expected.sort());
  });

  test("the pictures of a plate with a slash, and of one that tries to leave its folder", async () => {
    await using site = await openRunning();
    await sendAll(site, message({ plate: "12/34AB" }), message({ plate: "../../X" }));
    const records = await delivered(site, 2);
    expect(records.map(({ plate }) => plate).sort()).toEqual(["../../X", "12/34AB"]);
    expect(new Set(records.map(({ ctxSha256 }) => ctxSha256))).toEqual(new Set([pictures(0).ctx?.sha256 ?? null]));
  });

  test("a camera that is switched off is counted and not queued", async () => {
    await using site = await openRunning();
    expect((await site.run("camera", "set", SERIAL, "--active", "off")).exitCode).toBe(0);
    await sendAll(site, message());
    await site.until(isEmpty);
    expect(site.mossos.records.counts().accepted).toBe(0);
  });

  test("memory, to a message of 300 MB: it is refused at the limit", async () => {
    await using site = await openSite();
    await site.addCameras(SERIAL);
    const { pid } = await site.start();
    const rss = (): number => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
    await sendAll(site, message({ plate: "1111BCD" }));
    await delivered(site, 1);
    const before = rss();
    await using camera = await connectCamera(site.transitPort);
    camera.socket.on("error", () => {});
    camera.socket.write("<root><IMAGE_CTX>");
    const megabyte = Buffer.alloc(1024 * 1024, "A");
    for (let n = 0; n < 300 && (await camera.ended(1)) === "open"; n++) await camera.write(megabyte).catch(() => {});
    expect(await camera.ended(10_000)).toBe("reset");
    expect(rss() - before).toBeLessThan(60 * 1024);
    await sendAll(site, message({ plate: "2222BCD" }));
    expect((await delivered(site, 2)).length).toBe(2);
  });

  test("readings of two hundred cameras that connect at once", async () => {
    await using site = await openSite();
    const serials = Array.from({ length: 200 }, (_, n) => String(2001009000 + n));
    await site.addCameras(...serials);
    await site.start();
    await Promise.all(serials.map((serial, n) => sendAll(site, message({ serial, plate: `${1000 + n}BCD` }))));
    expect(new Set((await delivered(site, 200)).map(({ plate }) => plate)).size).toBe(200);
  }, 120_000);

  test("accents in a message that declares ISO-8859-1", async () => {
    await using site = await openRunning();
    site.mossos.behave({ answer: { kind: "code", code: "7" } });
    const text = message()
      .toString("latin1")
      .replace("UTF-8", "ISO-8859-1")
      .replace(/<DEVICE_NAME>.*?<\/DEVICE_NAME>/, "")
      .replace("<DEVICE_SN>", "<DEVICE_NAME>Plaça Nord</DEVICE_NAME><DEVICE_SN>");
    await sendAll(site, Buffer.from(text, "latin1"));
    await site.until((health) => health["dead_messages"] === 1);
    const { Database } = await import("bun:sqlite");
    using database = new Database(`${site.folder}/data/tattile.db`, { readonly: true });
    const row = database.query<{ raw: string }, []>("SELECT raw_xml AS raw FROM alpr_readings").get();
    expect(row?.raw).toContain("<DEVICE_NAME>Plaça Nord</DEVICE_NAME>");
    expect(row?.raw).not.toContain("/9j/");
  });
});

describe("a camera nobody has registered", () => {
  test("is held, and taken up with its first readings once it is registered", async () => {
    await using site = await openRunning();
    await sendAll(site, message({ serial: "2001008899", plate: "5555BCD" }));
    expect(site.mossos.records.counts().accepted).toBe(0);
    const { stdout } = await site.run("quarantine", "list", "--json");
    expect(JSON.stringify(JSON.parse(stdout))).toContain("2001008899");
    await site.addCameras("2001008899");
    expect((await delivered(site, 1))[0]?.plate).toBe("5555BCD");
  });
});
