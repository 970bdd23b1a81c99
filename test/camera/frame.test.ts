import { afterEach, describe, expect, test } from "bun:test";
import { type Frame, Framer, TLV_MAGIC } from "../../src/camera/frame.ts";
import { createSlabPool } from "../../src/camera/slab-pool.ts";
import { seededRandom } from "../support/random.ts";
import { SAMPLE_MESSAGES, sampleMessage } from "../support/samples.ts";

const pool = createSlabPool({ slabBytes: 524_288, keep: 4 });
const smallPool = createSlabPool({ slabBytes: 64, keep: 4 });

afterEach(() => {
  expect(pool.takenBytes).toBe(0);
  expect(smallPool.takenBytes).toBe(0);
});

/** What came out, as text, frames released; message bytes are read before that. */
function seen(frames: readonly Frame[]): string[] {
  return frames.map((frame) => {
    const text = frame.bytes.toString("latin1");
    if (frame.kind === "message") {
      frame.release();
      return text;
    }
    return `${frame.fatal ? "FATAL" : "BROKEN"} ${frame.reason}: ${text}`;
  });
}

/** Everything that chunks give, the end of the connection included. */
function frameAll(chunks: readonly (Buffer | string)[], from = pool, maxMessageBytes = 8 * 1024 * 1024): string[] {
  const framer = new Framer({ pool: from, maxMessageBytes });
  const result: string[] = [];
  for (const chunk of chunks) {
    result.push(...seen(framer.push(typeof chunk === "string" ? Buffer.from(chunk, "latin1") : chunk)));
  }
  const last = framer.finish();
  if (last !== null) result.push(...seen([last]));
  expect(framer.heldBytes).toBe(0);
  return result;
}

function bytewise(bytes: Buffer | string): Buffer[] {
  const whole = Buffer.from(bytes as string, "latin1");
  return Array.from(whole, (_, i) => whole.subarray(i, i + 1));
}

function tlv(dataBytes: number): Buffer {
  const message = Buffer.alloc(24 + dataBytes, 7);
  TLV_MAGIC.copy(message);
  message.fill(0, 8, 24);
  message.writeInt32LE(dataBytes, 20);
  return message;
}

const CUT = "BROKEN cut off by the next message";
const END = "BROKEN the connection ended in the middle of a message";
const GARBAGE = "BROKEN bytes that begin no message";

describe("real messages", () => {
  test.each(SAMPLE_MESSAGES)("%s arrives whole when it comes byte by byte", (name) => {
    const message = sampleMessage(name);
    expect(frameAll(bytewise(message)).map(fingerprint)).toEqual([fingerprint(message.toString("latin1"))]);
  });

  test.each(SAMPLE_MESSAGES)("%s arrives whole wherever it is split in two", (name) => {
    const message = sampleMessage(name);
    const framer = new Framer({ pool, maxMessageBytes: 1 << 20 });
    for (let split = 1; split < message.length; split++) {
      const before = framer.push(message.subarray(0, split));
      const after = framer.push(message.subarray(split));
      if (before.length !== 0 || after.length !== 1)
        expect([split, before.length, after.length]).toEqual([split, 0, 1]);
      const [frame] = after;
      if (frame?.kind !== "message" || !frame.bytes.equals(message)) expect(`split at ${split}`).toBe("whole");
      if (frame?.kind === "message") frame.release();
    }
    expect(framer.finish()).toBeNull();
  });

  test("arrive each by itself when all come in one chunk, twice over", () => {
    const messages = [...SAMPLE_MESSAGES, ...SAMPLE_MESSAGES].map(sampleMessage);
    const texts = messages.map((message) => message.toString("latin1"));
    expect(frameAll([Buffer.concat(messages)])).toEqual(texts);
    expect(frameAll([Buffer.concat(messages.flatMap((message) => [message, Buffer.from("\r\n\0 \t")]))])).toEqual(
      texts,
    );
  });

  test("arrive the same however the bytes are cut", () => {
    const random = seededRandom("chunkings");
    const messages = [...SAMPLE_MESSAGES, "read-full.xml"].map(sampleMessage);
    const stream = Buffer.concat([...messages, tlv(5000), ...messages]);
    const whole = frameAll([stream]).map(fingerprint);
    expect(whole.length).toBe(13);
    for (let round = 0; round < 40; round++) {
      const longest = [3, 100, 5000, 70_000, 400_000][round % 5] ?? 1;
      const chunks: Buffer[] = [];
      for (let at = 0; at < stream.length; ) {
        const size = 1 + random.below(longest);
        chunks.push(stream.subarray(at, at + size));
        at += size;
      }
      expect(frameAll(chunks).map(fingerprint)).toEqual(whole);
    }
  });
});

describe("bytes that are received in place", () => {
  test("arrive the same however many are wanted and come", () => {
    const random = seededRandom("received in place");
    const stream = Buffer.concat([...SAMPLE_MESSAGES, "read-full.xml"].map(sampleMessage));
    const whole = frameAll([stream]).map(fingerprint);
    for (let round = 0; round < 40; round++) {
      const framer = new Framer({ pool, maxMessageBytes: 1 << 20 });
      const result: string[] = [];
      for (let at = 0; at < stream.length; ) {
        const wanted = Math.min(round % 2 === 0 ? framer.wantedBytes : 1 + random.below(600_000), stream.length - at);
        const frames = framer.receive(wanted, (room) => {
          const bytes = random.below(4) === 0 ? 0 : Math.min(1 + random.below(room.length), stream.length - at);
          at += stream.copy(room, 0, at, at + bytes);
          return bytes;
        });
        result.push(...seen(frames).map(fingerprint));
      }
      expect(result).toEqual(whole);
      expect([framer.finish(), framer.heldBytes]).toEqual([null, 0]);
    }
  });

  test("are wanted as many as the last message had, no fewer than 64 KiB, no more than 512", () => {
    const framer = new Framer({ pool, maxMessageBytes: 4 << 20 });
    expect(framer.wantedBytes).toBe(524_288);
    for (const [bytes, next] of [
      [100_000, 100_000],
      [5000, 65_536],
      [2_000_000, 524_288],
      [300_000, 300_000],
    ] as const) {
      seen(framer.push(tlv(bytes - 24)));
      expect(framer.wantedBytes).toBe(next);
    }
    framer.push(tlv(300_000).subarray(0, 120_000));
    expect(framer.wantedBytes).toBe(180_000);
    framer.push(Buffer.alloc(170_000));
    expect(framer.wantedBytes).toBe(65_536);
    framer.release();
  });

  test("hold no slab when none came", () => {
    const framer = new Framer({ pool, maxMessageBytes: 1 << 20 });
    expect(framer.receive(1000, () => -1)).toEqual([]);
    expect(framer.heldBytes).toBe(0);
  });
});

/** Long texts compared by hash, so that a red test prints a line and not a megabyte. */
function fingerprint(text: string): string {
  return `${text.length} ${Bun.hash(text)}`;
}

const STREAMS: readonly (readonly [what: string, stream: string, frames: readonly string[]])[] = [
  ["two messages in one write", "<a>1</a><a>2</a>", ["<a>1</a>", "<a>2</a>"]],
  ["filler between messages", "\xef\xbb\xbf<a>1</a>\0\0\r\n\xef\xbb\xbf <a>2</a>\n\0", ["<a>1</a>", "<a>2</a>"]],
  ["filler alone", "\r\n\0\0 \t\xef\xbb\xbf", []],
  ["a prolog", "<?xml version='1.0'?><a>1</a>", ["<?xml version='1.0'?><a>1</a>"]],
  ["a root with attributes", '<a b="x>y" c=\'"\'>1</a><a/>', ['<a b="x>y" c=\'"\'>1</a>', "<a/>"]],
  ["a root with a prefix", "<n:a xmlns:n='u'><n:b>1</n:b></n:a>", ["<n:a xmlns:n='u'><n:b>1</n:b></n:a>"]],
  ["self-closed roots", "<a/><a b='/>'/><a />", ["<a/>", "<a b='/>'/>", "<a />"]],
  ["a close tag with blanks", "<a>1</a \r\n><a>2</a\t>", ["<a>1</a \r\n>", "<a>2</a\t>"]],
  ["a child whose name begins with the root's", "<a><ab>1</ab></a>", ["<a><ab>1</ab></a>"]],
  ["a close tag in a comment", "<a><!-- </a> <a> --->1</a>", ["<a><!-- </a> <a> --->1</a>"]],
  ["a close tag in CDATA", "<a><![CDATA[</a>]]]]><![CDATA[<a>]]></a>", ["<a><![CDATA[</a>]]]]><![CDATA[<a>]]></a>"]],
  ["a close tag in an instruction", "<a><?b </a>?>1</a>", ["<a><?b </a>?>1</a>"]],
  ["a stylesheet instruction", "<a>1<?xml-stylesheet x?></a>", ["<a>1<?xml-stylesheet x?></a>"]],
  ["comment and instruction before the root", "<!-- <x> --><?p <y>?><a>1</a>", ["<!-- <x> --><?p <y>?><a>1</a>"]],
  ["lone angle brackets", "<a>1 < 2 <3 </ 4></b ></a>", ["<a>1 < 2 <3 </ 4></b ></a>"]],
  ["a document type", "<!DOCTYPE a><a>1</a>", ["<!DOCTYPE a><a>1</a>"]],
  [
    "a document type with entities",
    `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "<b>]></b>"><!-- it's ]> -->]><a>&b;</a><a>2</a>`,
    [`<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "<b>]></b>"><!-- it's ]> -->]><a>&b;</a>`, "<a>2</a>"],
  ],
  [
    "a message cut off by a prolog",
    "<a><b>1<?xml version='1.0'?><a>2</a>",
    [`${CUT}: <a><b>1`, "<?xml version='1.0'?><a>2</a>"],
  ],
  ["a message cut off by its own root", "<a><b>1<a x='1'>2</a>", [`${CUT}: <a><b>1`, "<a x='1'>2</a>"]],
  ["a message cut off in a tag", "<a><b<a>2</a>", [`${CUT}: <a><b`, "<a>2</a>"]],
  ["a message cut off in a close tag", "<a>1</<a>2</a>", [`${CUT}: <a>1</`, "<a>2</a>"]],
  ["a message cut off in CDATA", "<a><![CDATA[1<?xml ?><a>2</a>", [`${CUT}: <a><![CDATA[1`, "<?xml ?><a>2</a>"]],
  ["a message cut off in a comment", "<a><!-- 1 <?xml ?><a>2</a>", [`${CUT}: <a><!-- 1 `, "<?xml ?><a>2</a>"]],
  [
    "a message cut off in a document type",
    "<!DOCTYPE a [<?xml ?><a>2</a>",
    [`${CUT}: <!DOCTYPE a [`, "<?xml ?><a>2</a>"],
  ],
  ["two prologs", "<?xml ?><?xml ?><a>2</a>", [`${CUT}: <?xml ?>`, "<?xml ?><a>2</a>"]],
  ["a prolog without end", "<?xml <a>2</a>", ["BROKEN the XML declaration does not end: <?xml ", "<a>2</a>"]],
  ["a root tag without end", "<a b='<a>2</a>", ["BROKEN the root's tag does not end: <a b='", "<a>2</a>"]],
  [
    "a misspelt root behind a good message",
    "<a><DEVICE_SN>1</DEVICE_SN></a><b>2</a><a>3</a>",
    ["<a><DEVICE_SN>1</DEVICE_SN></a>", `${CUT}: <b>2</a>`, "<a>3</a>"],
  ],
  [
    "loose children before a good message",
    "<y><x>1</x></y></a><a><y>2</y></a>",
    ["<y><x>1</x></y>", `${GARBAGE}: </a>`, "<a><y>2</y></a>"],
  ],
  [
    "a root learned from damage, which a message with a prolog does not suffer from",
    "<y><DEVICE_SN>1</DEVICE_SN></y><?xml ?><a><y>2</y></a>",
    ["<y><DEVICE_SN>1</DEVICE_SN></y>", "<?xml ?><a><y>2</y></a>"],
  ],
  [
    "a root learned from damage, and forgotten",
    `<y><DEVICE_SN>1</DEVICE_SN></y>${"<a><y>2</y></a>".repeat(4)}`,
    [
      "<y><DEVICE_SN>1</DEVICE_SN></y>",
      ...[`${CUT}: <a>`, "<y>2</y>", `${GARBAGE}: </a>`],
      ...[`${CUT}: <a>`, "<y>2</y>", `${GARBAGE}: </a>`],
      "<a><y>2</y></a>",
      "<a><y>2</y></a>",
    ],
  ],
  ["garbage before a message", "GET / HTTP/1.1\r\n\r\n<a>1</a>", [`${GARBAGE}: GET / HTTP/1.1\r\n\r\n`, "<a>1</a>"]],
  [
    "garbage between messages",
    "<a>1</a>x<1</a><><!x><? ><a<\x18\0\0\xef<a>2</a>",
    ["<a>1</a>", `${GARBAGE}: x<1</a><><!x><? ><a<\x18\0\0\xef`, "<a>2</a>"],
  ],
  ["garbage alone", "hello", [`${GARBAGE}: hello`]],
  ["a fragment at the end", "<a>1</a><a>2", ["<a>1</a>", `${END}: <a>2`]],
  ["an end in the close tag", "<a>1</a", [`${END}: <a>1</a`]],
  [
    "a binary message",
    `${tlv(3).toString("latin1")}<a>1</a>\0${tlv(0).toString("latin1")}`,
    [tlv(3).toString("latin1"), "<a>1</a>", tlv(0).toString("latin1")],
  ],
  [
    "a binary message cut off",
    tlv(3).subarray(0, 26).toString("latin1"),
    [`${END}: ${tlv(3).subarray(0, 26).toString("latin1")}`],
  ],
  [
    "UTF-16LE",
    "\xff\xfe<\0a\0",
    ["FATAL encoded in UTF-16LE; only encodings of one byte a character and UTF-8 can be read: \xff\xfe<\0a\0"],
  ],
  [
    "UTF-16BE behind a message",
    "<a>1</a>\xfe\xff\0<\0a",
    [
      "<a>1</a>",
      "FATAL encoded in UTF-16BE; only encodings of one byte a character and UTF-8 can be read: \xfe\xff\0<\0a",
    ],
  ],
];

describe("framing", () => {
  test.each(STREAMS)("%s", (_what, stream, frames) => {
    expect(frameAll([stream])).toEqual([...frames]);
    expect(frameAll([stream], smallPool)).toEqual([...frames]);
  });

  test.each(STREAMS.filter(([what]) => !what.startsWith("UTF-16")))("%s, split anywhere", (_what, stream, frames) => {
    expect(frameAll(bytewise(stream))).toEqual([...frames]);
    expect(frameAll(bytewise(stream), smallPool)).toEqual([...frames]);
    for (let split = 1; split < stream.length; split++) {
      expect(frameAll([stream.slice(0, split), stream.slice(split)], smallPool)).toEqual([...frames]);
    }
  });

  test.each(["<a>", "<?xml ?><a>", "<a><![CDATA[", "<a><!--", "<a><b c='", tlv(30).toString("latin1"), "x"])(
    "the end of the connection completes nothing (%j)",
    (start) => {
      expect(frameAll([start.slice(0, 40)]).length).toBe(1);
      expect(frameAll([start.slice(0, 40)])[0]).toStartWith("BROKEN ");
    },
  );
});

describe("the limits", () => {
  const limit = 100_000;
  const fitting = (bytes: number): string => `<a>${"x".repeat(bytes - 7)}</a>`;

  test("a message of exactly the limit passes, one byte more does not", () => {
    for (const chunkBytes of [1000, 99_999, 100_000, 200_000]) {
      expect(frameAll(chunked(fitting(limit), chunkBytes), smallPool, limit).map(fingerprint)).toEqual([
        fingerprint(fitting(limit)),
      ]);
      const [over, ...more] = frameAll(chunked(fitting(limit + 1), chunkBytes), smallPool, limit);
      expect(over).toStartWith("FATAL longer than 100000 bytes, the limit for a message: <a>xxx");
      expect(more).toEqual([]);
    }
  });

  test("memory stays flat when a message never ends, and nothing is taken after it", () => {
    const framer = new Framer({ pool: smallPool, maxMessageBytes: limit });
    const chunk = Buffer.alloc(4096, "x");
    expect(framer.push(Buffer.from("<a>"))).toEqual([]);
    const frames: Frame[] = [];
    for (let i = 0; i < 1000; i++) {
      frames.push(...framer.push(chunk));
      expect(smallPool.takenBytes).toBeLessThanOrEqual(limit);
    }
    expect(frames.length).toBe(1);
    expect(frames[0]).toMatchObject({ kind: "broken", fatal: true });
    expect(frames[0]?.bytes.length).toBe(65_536);
    expect([framer.heldBytes, framer.pendingBytes, framer.finish()]).toEqual([0, 0, null]);
    expect(framer.push(Buffer.from("<a>1</a>"))).toEqual([]);
  });

  test("messages before the one over the limit are given", () => {
    const [good, over] = frameAll([`<a>1</a>${fitting(limit + 1)}<a>2</a>`], smallPool, limit);
    expect(good).toBe("<a>1</a>");
    expect(over).toStartWith("FATAL longer");
  });

  test.each([-1, -25, -2147483648, limit - 23, 2147483647])(
    "a binary message of %d bytes is refused from its header",
    (length) => {
      const header = tlv(0);
      header.writeInt32LE(length, 20);
      expect(frameAll([header], smallPool, limit)[0]).toStartWith(`FATAL a binary message of ${length} bytes`);
    },
  );

  test("a binary message of exactly the limit passes", () => {
    expect(
      frameAll(chunked(tlv(limit - 24).toString("latin1"), 777), smallPool, limit).map((text) => text.length),
    ).toEqual([limit]);
  });

  test("64 KiB without the beginning of a message end it", () => {
    expect(frameAll([`${"x".repeat(65_536)}<a>1</a>`]).map((text) => text.length)).toEqual([
      GARBAGE.length + 2 + 65_536,
      8,
    ]);
    const endless = frameAll(chunked("x".repeat(300_000), 5000));
    expect(endless.length).toBe(1);
    expect(endless[0]).toStartWith("FATAL more than 65536 bytes that begin no message");
  });

  test("a document type without end ends it", () => {
    expect(frameAll(chunked(`<!DOCTYPE a [${"x".repeat(70_000)}`, 5000))[0]).toStartWith(
      "FATAL the document type does not end",
    );
  });

  test("names, blanks and tags without end cost no more than their bytes", () => {
    for (const start of [
      `<${"n".repeat(limit)}`,
      `<a></a${" ".repeat(limit)}`,
      `<a ${"b ".repeat(limit / 2)}`,
      `<a><?p ${"<?xml".repeat(limit / 5)}`,
    ]) {
      expect(frameAll(chunked(start, 10), smallPool, 2 * limit).length).toBe(1);
    }
  });
});

function chunked(text: string, bytes: number): string[] {
  return Array.from({ length: Math.ceil(text.length / bytes) }, (_, i) => text.slice(i * bytes, (i + 1) * bytes));
}

describe("memory", () => {
  test("no slab is held between messages", () => {
    const framer = new Framer({ pool, maxMessageBytes: 1 << 20 });
    const message = sampleMessage("read-full.xml");
    framer.push(message.subarray(0, 1000));
    expect([framer.heldBytes, framer.pendingBytes]).toEqual([524_288, 1000]);
    const frames = framer.push(Buffer.concat([message.subarray(1000), Buffer.from("\r\n")]));
    expect([framer.heldBytes, framer.pendingBytes, pool.takenBytes]).toEqual([0, 0, 524_288]);
    seen(frames);
    expect(pool.takenBytes).toBe(0);
  });

  test("a message stays as it is while later ones arrive, until it is released", () => {
    const framer = new Framer({ pool, maxMessageBytes: 1 << 20 });
    const message = sampleMessage("read-full.xml");
    const other = sampleMessage("read-approach.xml");
    const [first] = framer.push(Buffer.concat([message, other.subarray(0, 5000)]));
    const [second] = framer.push(Buffer.concat([other.subarray(5000), message.subarray(0, 90_000)]));
    expect(first?.bytes.equals(message)).toBe(true);
    expect(second?.bytes.equals(other)).toBe(true);
    framer.release();
    expect(first?.bytes.equals(message)).toBe(true);
    for (const frame of [first, second, first]) if (frame?.kind === "message") frame.release();
    expect(pool.takenBytes).toBe(0);
  });

  test("a message that is released twice takes nothing from the one beside it in the same slab", () => {
    const framer = new Framer({ pool: createSlabPool({ slabBytes: 1 << 20, keep: 1 }), maxMessageBytes: 1 << 20 });
    const message = sampleMessage("read-full.xml");
    const [first, second] = framer.push(Buffer.concat([message, message]));
    if (first?.kind !== "message" || second?.kind !== "message") throw new Error("no messages");
    expect(first.bytes.buffer).toBe(second.bytes.buffer);
    first.release();
    first.release();
    // Whoever comes next must not write where the second still lies.
    framer.push(Buffer.alloc(400_000, 65));
    expect(second.bytes.equals(message)).toBe(true);
    second.release();
    framer.release();
  });

  test("a small message holds no slab", () => {
    const framer = new Framer({ pool, maxMessageBytes: 1 << 20 });
    const [frame] = framer.push(sampleMessage("no-images.xml"));
    expect(pool.takenBytes).toBe(0);
    expect(frame?.bytes.equals(sampleMessage("no-images.xml"))).toBe(true);
  });

  test("release gives back what is pending and may be called again", () => {
    const framer = new Framer({ pool, maxMessageBytes: 1 << 20 });
    framer.push(Buffer.from("<a>1"));
    framer.release();
    framer.release();
    expect([framer.heldBytes, framer.push(Buffer.from("<a>1</a>")).length, framer.finish()]).toEqual([0, 0, null]);
  });

  test("the pool keeps no more slabs than it should, and no odd sizes", () => {
    const small = createSlabPool({ slabBytes: 10, keep: 2 });
    const slabs = [small.take(1), small.take(10), small.take(5), small.take(11)];
    expect(slabs.map((slab) => slab.length)).toEqual([10, 10, 10, 11]);
    expect(small.takenBytes).toBe(41);
    for (const slab of slabs) small.give(slab);
    expect(small.takenBytes).toBe(0);
    const again = [small.take(1), small.take(1), small.take(1)];
    expect(again.filter((slab) => slabs.includes(slab)).length).toBe(2);
  });
});
