import { describe, expect, test } from "bun:test";
import { readFlatElements } from "../../src/camera/flat-elements.ts";
import { parseAnyElements } from "../../src/camera/tattile-xml.ts";
import { seededRandom } from "../support/random.ts";
import { sampleMessage } from "../support/samples.ts";

const children = "<PLATE_STRING>1234BCD</PLATE_STRING>\n<LANE_DESCR> Carrer Major, 1 \t</LANE_DESCR><SPEED></SPEED>";

describe("a flat document", () => {
  test.each([
    ["without a prolog", `<root>${children}</root>`],
    ["with one", `<?xml version='1.0' encoding="ISO-8859-1" standalone='no'?>\r\n<root>\r\n${children}\r\n</root>\r\n`],
    ["with an element twice", `<tattile.event-1>${children}<SPEED>47</SPEED></tattile.event-1> `],
    ["with XML's own references", `<root>${children}<A>&lt;&amp;lt; &quot;&apos;&gt;&amp;amp;</A></root>`],
    ["with an element called as its root", `<A>${children}<A>x</A></A>`],
  ])("is read as an XML parser reads it: %s", (_how, text) => {
    const elements = readFlatElements(text);
    expect(elements?.get("LANE_DESCR")).toBe("Carrer Major, 1");
    expect(elements?.get("SPEED")).toBe("");
    expect(parseAnyElements(text)).toEqual({ elements: elements ?? new Map() });
  });

  test.each([
    ["an attribute", `<root a="1">${children}</root>`],
    ["a reference to a character", `<root>${children}<A>&#233;</A></root>`],
    ["a reference that HTML has", `<root>${children}<A>&nbsp;</A></root>`],
    ["half a reference", `<root>${children}<A>R&D</A></root>`],
    ["a comment", `<root><!-- -->${children}</root>`],
    ["CDATA", `<root>${children}<A><![CDATA[x]]></A></root>`],
    ["a deeper element", `<root>${children}<A><B>x</B></A></root>`],
    ["text of its own", `<root>${children}x</root>`],
    ["an element that closes itself", `<root>${children}<A/></root>`],
    ["a prefix", `<n:root xmlns:n="urn:n">${children}</n:root>`],
    ["another close tag", `<root>${children}</Root>`],
    ["something behind it", `<root>${children}</root><root></root>`],
    ["a carriage return in a value", `<root>${children}<A>x\ry</A></root>`],
    ["an unclosed element", `<root>${children}<A>x</root>`],
    ["no end", `<root>${children}`],
  ])("has nothing else in it: not %s", (_what, text) => {
    expect(readFlatElements(text)).toBeNull();
  });

  test("is read as an XML parser reads it, whatever is damaged in it", () => {
    const random = seededRandom("flat documents");
    const samples = ["no-images", "not-read", "read-full"].map((name) =>
      sampleMessage(`${name}.xml`)
        .toString("latin1")
        .replace(/(<IMAGE_\w+>)[^<]*/g, "$1"),
    );
    const tokens = [
      "<",
      "<?xml version='1.0'?>",
      ">",
      "</",
      "/>",
      "&",
      "&amp;",
      "&#13;",
      "\r",
      "\n",
      " ",
      "\u00a0",
      "\0",
      "]]>",
      "<A>",
      "</A>",
      "<A>x</A>",
    ];
    const counts = { flat: 0, other: 0 };
    for (let n = 0; n < 20_000; n++) {
      let text = samples[random.below(samples.length)] ?? "";
      for (let times = random.below(3); times > 0; times--) {
        const at = random.below(text.length);
        const to = at + (random.below(2) === 0 ? 0 : random.below(30));
        text = text.slice(0, at) + (tokens[random.below(tokens.length)] ?? "") + text.slice(to);
      }
      const elements = readFlatElements(text);
      counts[elements === null ? "other" : "flat"] += 1;
      if (elements !== null) expect(parseAnyElements(text)).toEqual({ elements });
    }
    expect(counts.flat).toBeGreaterThan(4000);
    expect(counts.other).toBeGreaterThan(4000);
  });
});
