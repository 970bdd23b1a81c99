import { expect, test } from "bun:test";
import { type Frame, Framer, TLV_MAGIC } from "../../src/camera/frame.ts";
import { createSlabPool } from "../../src/camera/slab-pool.ts";
import { buildTattileTlv, parseTattileTlv } from "../../src/camera/tattile-tlv.ts";
import { parseTattileXml } from "../../src/camera/tattile-xml.ts";
import { OCR_JPEG, xmlMessage } from "../support/messages.ts";
import { type SeededRandom, seededRandom } from "../support/random.ts";
import { sampleMessage } from "../support/samples.ts";

const PROLOG = '<?xml version="1.0" encoding="UTF-8"?>';
const SERIAL_BEHIND = "9999";
/** Pieces that mean something to a scanner. */
const TOKENS = [
  "<",
  ">",
  "</",
  "/>",
  "<!--",
  "-->",
  "<![CDATA[",
  "]]>",
  "<?",
  "?>",
  "<?xml ",
  "<!DOCTYPE r [",
  "<root>",
  "</root>",
  "<root/>",
  "'",
  '"',
  "\0",
  "&",
  "&#0;",
  "&lt;",
  "<a",
  "\xff\xfe",
  "\x18\0\0\0\x40\x9c\0\0",
  "<IMAGE_OCR>",
  "</IMAGE_OCR>",
  "<IMAGE_OCR/>",
  "\xef\xbb\xbf",
];

/** What makes a scanner wait for something that the next message need not hold. */
const UNSAFE_WITHOUT_PROLOG = ["<!--", "<![CDATA[", "<!DOCTYPE", "<?", "\x18\0\0\0\x40\x9c\0\0", "\xff\xfe"];

function mutated(original: Buffer, random: SeededRandom): Buffer {
  let bytes = Buffer.from(original);
  for (let times = 1 + random.below(4); times > 0; times--) {
    // Most of a message is pictures; half of the changes go where the markup is.
    const span = random.below(2) === 0 ? bytes.length : Math.min(bytes.length, 700);
    const at = random.below(span);
    const to = Math.min(bytes.length, at + 1 + random.below(random.below(3) === 0 ? bytes.length : 40));
    const token = Buffer.from(TOKENS[random.below(TOKENS.length)] ?? "", "latin1");
    const kind = random.below(5);
    if (kind === 0) bytes[at] = random.below(256);
    else if (kind === 1) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)]);
    else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), token, bytes.subarray(at)]);
    else if (kind === 3) bytes = Buffer.concat([bytes.subarray(0, at), token, bytes.subarray(to)]);
    else bytes = Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)]);
  }
  return bytes;
}

/** Feeds a stream in random chunks, parses every message, and gives the serials found and whether framing ended early. */
function feed(stream: Buffer, random: SeededRandom): { serials: (string | null)[]; fatal: boolean } {
  const pool = createSlabPool({ slabBytes: 4096, keep: 2 });
  const framer = new Framer({ pool, maxMessageBytes: 1 << 20 });
  const serials: (string | null)[] = [];
  let fatal = false;
  const take = (frames: readonly Frame[]): void => {
    for (const frame of frames) {
      if (frame.kind === "broken") {
        fatal ||= frame.fatal;
        continue;
      }
      const parsed = frame.protocol === "tattile-xml" ? parseTattileXml(frame.bytes) : parseTattileTlv(frame.bytes);
      serials.push(parsed.kind === "reading" ? parsed.reading.cameraSerial : null);
      frame.release();
    }
  };
  for (let at = 0; at < stream.length; ) {
    const size = 1 + random.below(random.below(2) === 0 ? 50 : 20_000);
    take(framer.push(stream.subarray(at, at + size)));
    at += size;
  }
  const last = framer.finish();
  if (last !== null) take([last]);
  expect(pool.takenBytes).toBe(0);
  return { serials, fatal };
}

/** The message behind the bad one, which must come through. */
function nextMessage(prolog: string): Buffer {
  return xmlMessage({ DEVICE_SN: SERIAL_BEHIND }, prolog);
}

test("bad XML never throws, never hangs, and never costs the message behind it that has a prolog", () => {
  const random = seededRandom("fuzz xml");
  const originals = [
    sampleMessage("no-images.xml"),
    sampleMessage("read-no-context.xml"),
    xmlMessage({ IMAGE_OCR: `<![CDATA[${OCR_JPEG.subarray(0, 900).toString("base64")}]]>` }, PROLOG),
    Buffer.from("<!-- a --><r a='<'><!DOCTYPE r><DEVICE_SN>1</DEVICE_SN></r>"),
  ];
  let ended = 0;
  for (let round = 0; round < 2000; round++) {
    const bad = mutated(originals[round % originals.length] ?? Buffer.alloc(0), random);
    const { serials, fatal } = feed(Buffer.concat([bad, nextMessage(PROLOG)]), random);
    if (fatal) ended++;
    // A header of a binary message may claim whatever is behind it; nothing but its length says where it ends.
    else if (bad.includes(TLV_MAGIC)) continue;
    else if (serials.at(-1) !== SERIAL_BEHIND)
      expect(`${round}: ${bad.toString("latin1").slice(0, 2000)}`).toBe("passed");
  }
  // What ends a connection (UTF-16, a binary header of nonsense) must stay the exception.
  expect(ended).toBeLessThan(200);
});

test("bad XML costs no message behind it on a connection that brought a good one, prolog or not", () => {
  const random = seededRandom("fuzz xml without prolog");
  const before = xmlMessage({ DEVICE_SN: "1" });
  for (let round = 0; round < 500; round++) {
    const bad = mutated(xmlMessage({ DEVICE_SN: "2", IMAGE_OCR: null }), random);
    // A section opened and never closed may hold anything: only a prolog ends it.
    if (UNSAFE_WITHOUT_PROLOG.some((token) => bad.includes(token, 0, "latin1"))) continue;
    const { serials } = feed(Buffer.concat([before, bad, nextMessage("")]), random);
    if (serials.at(-1) !== SERIAL_BEHIND) expect(`${round}: ${bad.toString("latin1")}`).toBe("passed");
  }
});

test("bad binary messages never throw and never hang", () => {
  const random = seededRandom("fuzz tlv");
  const original = buildTattileTlv({
    DEVICE_SN: 7,
    PLATE_STRING: "1234BCD",
    IMAGE_OCR: OCR_JPEG.subarray(0, 600),
    DATE: "2026-01-23",
  });
  for (let round = 0; round < 2000; round++) {
    const bad = mutated(original, random);
    feed(Buffer.concat([bad, original]), random);
    const parsed = parseTattileTlv(bad);
    expect(["reading", "malformed"]).toContain(parsed.kind);
  }
});

test("random bytes never throw, and what is kept of them is bounded", () => {
  const random = seededRandom("fuzz noise");
  for (let round = 0; round < 300; round++) {
    const noise = Buffer.from(Array.from({ length: 1 + random.below(2000) }, () => random.below(256)));
    feed(noise, random);
    parseTattileXml(noise);
    parseTattileTlv(noise);
  }
});
