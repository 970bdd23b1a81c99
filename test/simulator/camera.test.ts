import { afterAll, afterEach, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, systemClock } from "../../src/clock.ts";
import { type CameraOptions, type ManifestEntry, runCameras } from "../../src/simulator/camera.ts";
import { buildTattileXml, type XmlManner } from "../../src/simulator/camera-message.ts";
import { readJsonLines } from "../../src/simulator/manifest.ts";
import { createPictures } from "../../src/simulator/picture.ts";
import { createScene, plateOf } from "../../src/simulator/scene.ts";
import { type CameraSink, type Ending, type FoundMessage, readMessages, startSink } from "./camera-sink.ts";

const folder = await mkdtemp(join(tmpdir(), "cameras-"));
const open: CameraSink[] = [];
afterEach(async () => {
  for (const sink of open.splice(0)) await sink.close();
});
afterAll(() => rm(folder, { recursive: true }));

async function sinkFor(endingOf?: (connection: number) => Ending): Promise<CameraSink> {
  const sink = await startSink(endingOf);
  open.push(sink);
  return sink;
}

/** Real sockets, but nobody waits: pauses and the waits between attempts are over at once, deadlines never come. */
const hastyClock: Clock = {
  ...systemClock,
  sleep: (ms, signal) =>
    ms >= 60_000 ? systemClock.sleep(ms, signal) : new Promise((resolve) => setImmediate(resolve)),
};

function optionsFor(sink: { port: number }, change: Partial<CameraOptions> = {}): CameraOptions {
  return {
    host: "127.0.0.1",
    port: sink.port,
    serials: ["2001008851", "2001008852", "2001008853"],
    seed: 42,
    total: 30,
    ratePerSecond: null,
    protocol: "mixed",
    acknowledged: true,
    keepOpen: false,
    batch: 1,
    split: false,
    pauseMs: 0,
    shares: {},
    images: { ocrBytes: 3000, ctxBytes: 20_000 },
    distinctImages: true,
    giveUpAfterMs: 60_000,
    timezone: "Europe/Madrid",
    clock: hastyClock,
    signal: new AbortController().signal,
    startAt: new Date("2026-11-24T10:00:00Z"),
    ...change,
  };
}

async function run(sink: CameraSink, change: Partial<CameraOptions> = {}) {
  const manifest: ManifestEntry[] = [];
  const report = await runCameras({ ...optionsFor(sink, change), onSettled: (entry) => manifest.push(entry()) });
  return { report, manifest };
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const line = (of: { serial: string; plate: string; date: string; time: string; transitId: number }): string =>
  [of.serial, of.plate, of.date, of.time.slice(0, 8).replaceAll("-", ":"), of.transitId].join(" ");
const foundLine = (message: FoundMessage): string =>
  `${line(message)} ${sha256(message.ocr)} ${message.ctx.length === 0 ? null : sha256(message.ctx)}`;
const sentLine = (entry: ManifestEntry): string => `${line(entry)} ${entry.ocrSha256} ${entry.ctxSha256}`;
const allMessages = (sink: CameraSink): readonly FoundMessage[] => sink.streams.flatMap(readMessages);

const manners: readonly (readonly [string, Partial<CameraOptions>])[] = [
  ["a connection for each message, acknowledged", {}],
  ["a connection for each message, nothing waited for", { acknowledged: false }],
  ["one connection kept open", { acknowledged: false, keepOpen: true }],
  ["four messages in one write", { batch: 4 }],
  ["four messages in one write on a kept connection", { acknowledged: false, keepOpen: true, batch: 4 }],
  ["split at random places", { split: true, batch: 2 }],
  ["pauses in the middle", { pauseMs: 1500 }],
  ["split with pauses on a kept connection", { acknowledged: false, keepOpen: true, split: true, pauseMs: 1500 }],
  ["binary only", { protocol: "tlv" }],
  ["XML only", { protocol: "xml" }],
  ["no context picture", { images: { ocrBytes: 3000, ctxBytes: 0 } }],
  ["the same pictures in all", { distinctImages: false }],
  ["at a rate", { ratePerSecond: 10_000 }],
];

test.each(manners)("%s: a naive reader finds every message of the manifest whole, and no other", async (_, change) => {
  const sink = await sinkFor();
  const { report, manifest } = await run(sink, change);
  expect(manifest).toHaveLength(30);
  expect(manifest.every((entry) => entry.confirmed && entry.kind === "reading")).toBe(true);
  expect(report).toMatchObject({ confirmed: 30, unconfirmed: 0, resent: 0 });
  expect(allMessages(sink).map(foundLine).sort()).toEqual(manifest.map(sentLine).sort());
  expect(new Set(manifest.map(sentLine)).size).toBe(30);
  expect(sink.streams.length).toBe(report.connections);
});

test("a kept connection is one per camera, a batch is one connection where acknowledged", async () => {
  expect((await run(await sinkFor(), { acknowledged: false, keepOpen: true })).report.connections).toBe(3);
  expect((await run(await sinkFor(), { batch: 5 })).report.connections).toBe(6);
});

test("every manner of writing XML is met: roots, prologs, BOM, broken lines, times, separators, old cameras", async () => {
  const sink = await sinkFor();
  await run(sink, { total: 200, images: { ocrBytes: 300, ctxBytes: 300 } });
  const bytes = Buffer.concat(sink.streams).toString("latin1");
  for (const sign of [
    "<root>",
    "<MESSAGE>",
    "<Msg>",
    "encoding='UTF-8'",
    "encoding='ISO-8859-1'",
    "\u00ef\u00bb\u00bf<",
  ]) {
    expect(bytes).toContain(sign);
  }
  expect(bytes).toMatch(/<IMAGE_OCR>\n[\w+/]{76}\n/);
  expect(bytes).toMatch(/<TIME>\d\d-\d\d-\d\d-\d{3}</);
  expect(bytes).toMatch(/<TIME>\d\d:\d\d:\d\d</);
  const messages = allMessages(sink);
  expect(new Set(messages.map((message) => message.kind))).toEqual(new Set(["xml", "tlv"]));
  for (const message of messages) if (message.kind === "xml") expect(message.text).toContain("Cruïlla d'Àger");
});

test("equal options send equal bytes; another seed sends others", () => {
  const bytesOf = (seed: number): string => {
    const scene = createScene({
      ...optionsFor({ port: 0 }),
      seed,
      startAt: new Date(0),
      intervalMs: 10,
      shares: { replay: 0.2 },
    });
    return sha256(Buffer.concat(Array.from({ length: 50 }, (_, number) => [...scene(number).pieces]).flat()));
  };
  expect(bytesOf(1)).toBe(bytesOf(1));
  expect(bytesOf(1)).not.toBe(bytesOf(2));
});

test("replays repeat an earlier reading byte for byte; not-read, malformed and unregistered are what they are called", () => {
  const serials = ["2001008851", "2001008852"];
  const shares = { replay: 0.2, "not-read": 0.2, malformed: 0.2, unregistered: 0.2 };
  const scene = createScene({ ...optionsFor({ port: 0 }), serials, shares, startAt: new Date(0), intervalMs: 10 });
  const messages = Array.from({ length: 400 }, (_, number) => scene(number));
  const counts = new Map<string, number>();
  const readings = new Map<string, string>();
  for (const { entry: describe, pieces } of messages) {
    const entry = describe();
    counts.set(entry.kind, (counts.get(entry.kind) ?? 0) + 1);
    const bytes = Buffer.concat(pieces);
    const [found] = entry.kind === "malformed" ? [] : readMessages(bytes);
    if (entry.kind === "reading") readings.set(sentLine(entry), sha256(bytes));
    if (entry.kind === "replay") expect(readings.get(sentLine(entry))).toBe(sha256(bytes));
    if (entry.kind === "not-read") expect(found?.plate).toBe("");
    if (entry.kind === "unregistered") expect(serials).not.toContain(found?.serial ?? "");
    if (found !== undefined) expect(foundLine(found)).toBe(sentLine(entry));
    if (entry.kind === "malformed") expect(bytes.toString("latin1")).not.toMatch(/<DEVICE_SN>.*<DEVICE_NAME>C/s);
  }
  for (const kind of ["reading", "replay", "not-read", "malformed", "unregistered"]) {
    expect(counts.get(kind)).toBeGreaterThan(40);
    expect(counts.get(kind)).toBeLessThan(130);
  }
});

test.each([
  ["reset after the camera's end", "reset"],
  ["reset while it sends", "reset-early"],
  ["closed before the camera's end", "fin-early"],
] as const)("a connection %s confirms nothing: the message comes again", async (_, ending) => {
  const sink = await sinkFor((connection) => (connection < 4 ? ending : "fin"));
  const images = { ocrBytes: 30_000, ctxBytes: 900_000 };
  // A pause in the middle, long enough for what the receiver does at the first byte to be seen before the last one.
  const sleep: Clock["sleep"] = (ms, signal) => systemClock.sleep(ms >= 60_000 ? ms : 20, signal);
  const clock = { ...systemClock, sleep };
  const { report, manifest } = await run(sink, { total: 6, images, pauseMs: 20, clock });
  expect(manifest.every((entry) => entry.confirmed)).toBe(true);
  expect(report.resent).toBe(4);
  expect(report.connections).toBe(10);
  const confirmed = sink.streams.slice(4).flatMap(readMessages).map(foundLine);
  expect(confirmed.sort()).toEqual(manifest.map(sentLine).sort());
});

test("a receiver that is away is waited for, and nothing is lost", async () => {
  const away = await startSink();
  await away.close();
  const running = runCameras({ ...optionsFor(away, { total: 3 }) });
  await Bun.sleep(30);
  const { createServer } = await import("node:net");
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket
      .on("end", () => socket.end())
      .on("error", () => {})
      .resume();
  });
  await new Promise<void>((resolve) => server.listen(away.port, "127.0.0.1", () => resolve()));
  const report = await running;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  expect(report).toMatchObject({ confirmed: 3, unconfirmed: 0 });
  expect(report.resent).toBeGreaterThan(0);
});

test("a receiver that never answers is given up when the time is over, and the manifest says so", async () => {
  const sink = await sinkFor(() => "never");
  const { report, manifest } = await run(sink, { total: 3, giveUpAfterMs: 100, clock: systemClock });
  expect(report).toMatchObject({ confirmed: 0, unconfirmed: 3 });
  expect(manifest.map((entry) => entry.confirmed)).toEqual([false, false, false]);
});

test("a stop ends the run; what was on its way is not confirmed", async () => {
  const sink = await sinkFor(() => "never");
  const stopping = new AbortController();
  const running = run(sink, { total: 1000, signal: stopping.signal });
  while (sink.streams.length < 3) await Bun.sleep(5);
  stopping.abort();
  const { report } = await running;
  expect(report.confirmed).toBe(0);
  expect(report.unconfirmed).toBe(3);
});

test("a run is bounded by its duration", async () => {
  const sink = await sinkFor();
  const { report } = await run(sink, { total: 1_000_000, ratePerSecond: 100, durationMs: 200 });
  expect(report.confirmed).toBe(20);
});

test("the manifest file is private, holds every message, and is read back line by line", async () => {
  const sink = await sinkFor();
  const manifestPath = join(folder, "manifest.jsonl");
  const { manifest } = await run(sink, { manifestPath });
  const read: ManifestEntry[] = [];
  for await (const entry of readJsonLines<ManifestEntry>(manifestPath)) read.push(entry);
  expect(read).toEqual(manifest);
  expect((await stat(manifestPath)).mode & 0o777).toBe(0o600);
});

test("a line that is broken is named by its number, not by its content", async () => {
  const path = join(folder, "broken.jsonl");
  await Bun.write(path, '{"plate":"1234BCD"}\n{"plate":"1234BC\n');
  const reading = (async () => {
    for await (const _ of readJsonLines(path)) {
      // Only the error counts.
    }
  })();
  const error = await reading.catch((caught: Error) => caught.message);
  expect(error).toBe(`reading JSON lines: not a JSON object (${path}:2)`);
});

test("given JPEG files are sent as they are, or marked so that each is another and still a JPEG", () => {
  const ocr = readFileSync("test/fixtures/samples/car-a-ocr.jpg");
  const plain = createPictures([{ ocr, ctx: null }], 1, false)(5);
  expect(Buffer.concat(plain.ocr.bytes)).toEqual(ocr);
  expect(plain.ctx).toBeNull();
  const marked = createPictures([{ ocr, ctx: ocr }], 1, true);
  const [one, two] = [marked(5), marked(6)];
  const bytes = Buffer.concat(one.ocr.bytes);
  expect(Buffer.from(Buffer.concat(one.ocr.base64).toString("latin1"), "base64")).toEqual(bytes);
  expect(sha256(bytes)).toBe(one.ocr.sha256);
  expect(one.ocr.sha256).not.toBe(two.ocr.sha256);
  expect(bytes.readUInt32BE(0)).toBe(0xffd8fffe);
  expect(bytes.subarray(30)).toEqual(ocr.subarray(2));
});

test("a serial that the binary protocol cannot hold is refused before anything is sent", async () => {
  const sink = await sinkFor();
  await expect(run(sink, { serials: ["92001008851"], protocol: "mixed" })).rejects.toThrow(
    "serial 92001008851 does not fit",
  );
  expect(sink.streams).toHaveLength(0);
});

test("no plate comes twice in a run", () => {
  expect(new Set(Array.from({ length: 50_000 }, (_, number) => plateOf(9, number))).size).toBe(50_000);
});

test("a plate with signs of XML is escaped", () => {
  const manner: XmlManner = { root: "m", prolog: "none", bom: false, base64Line: null, separator: "" };
  const reading = {
    serial: "1",
    plate: "A&<B",
    date: "2026-01-01",
    time: "00-00-00",
    transitId: 1,
    ocr: null,
    ctx: null,
  };
  const text = Buffer.concat(buildTattileXml(reading, manner)).toString();
  expect(text).toContain("<PLATE_STRING>A&amp;&lt;B</PLATE_STRING>");
  expect(text).toContain("<IMAGE_OCR></IMAGE_OCR>");
});
