/**
 * Finds where one XML message ends while its bytes arrive. It knows just enough XML for that; well-formedness is the
 * parser's business. Every byte is looked at once, and text (the images) only by indexOf.
 */

/** What the bytes so far say. `end` and `cut` are offsets; at `cut` begins another message, the one before it is broken. */
export type XmlVerdict =
  | { kind: "more" }
  | { kind: "end"; end: number }
  | { kind: "cut"; cut: number; reason: string; byKnownRoot?: true }
  | { kind: "hopeless"; reason: string };

const LT = 0x3c;
const GT = 0x3e;
const SLASH = 0x2f;
const BANG = 0x21;
const QUESTION = 0x3f;
const MAX_NAME_BYTES = 256;
/** A camera that sends a document type is refused anyway; this only bounds the search for its end. */
const MAX_DOCTYPE_BYTES = 65_536;

const PROLOG = Buffer.from("<?xml");
const COMMENT = { open: Buffer.from("<!--"), close: Buffer.from("-->") };
const CDATA = { open: Buffer.from("<![CDATA["), close: Buffer.from("]]>") };
const DOCTYPE = Buffer.from("<!DOCTYPE");
const SERIAL = Buffer.from("DEVICE_SN");
const PI_CLOSE = Buffer.from("?>");

const MORE: XmlVerdict = { kind: "more" };
const CUT_OFF = "cut off by the next message";

/** Blank, tab, line feed, carriage return. */
export function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function isNameStart(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  const letter = byte | 0x20;
  return (letter >= 0x61 && letter <= 0x7a) || byte === 0x5f || byte === 0x3a || byte >= 0x80;
}

function isNameByte(byte: number | undefined): boolean {
  return isNameStart(byte) || byte === 0x2d || byte === 0x2e || (byte !== undefined && byte >= 0x30 && byte <= 0x39);
}

/** The end of the tag name at `from`: -1 when the bytes end too early to know, 0 when no name stands there. */
export function nameEnd(bytes: Buffer, from: number): number {
  if (from >= bytes.length) return -1;
  if (!isNameStart(bytes[from])) return 0;
  let end = from + 1;
  while (end - from <= MAX_NAME_BYTES && isNameByte(bytes[end])) end++;
  if (end - from > MAX_NAME_BYTES) return 0;
  if (end >= bytes.length) return -1;
  const next = bytes[end];
  return next === GT || next === SLASH || isBlank(next) ? end : 0;
}

/** Whether the bytes at `from` begin with `wanted`: null when they end too early to know. */
export function startsWith(bytes: Buffer, from: number, wanted: Buffer): boolean | null {
  const known = Math.min(wanted.length, bytes.length - from);
  if (known > 0 && bytes[from] !== wanted[0]) return false;
  if (bytes.compare(wanted, 0, known, from, from + known) !== 0) return false;
  return known === wanted.length ? true : null;
}

/** Whether an XML message can begin at `from`: null when the bytes end too early to know. */
export function beginsXml(bytes: Buffer, from: number): boolean | null {
  if (bytes[from] !== LT) return false;
  const next = bytes[from + 1];
  if (next === undefined) return null;
  if (next === BANG) {
    const comment = startsWith(bytes, from, COMMENT.open);
    return comment === false ? startsWith(bytes, from, DOCTYPE) : comment;
  }
  const end = nameEnd(bytes, next === QUESTION ? from + 2 : from + 1);
  return end === -1 ? null : end > 0;
}

/** One message's scan; a new one for each message. `knownRoot`: the root of an earlier message on this connection. */
export class XmlScan {
  /** Everything before this is dealt with. */
  #at = 0;
  #root: Buffer | null = null;
  #hasProlog = false;
  #hasSerial = false;
  readonly #knownRoot: Buffer | null;
  /** What ends the comment, CDATA section or processing instruction that is open. */
  #closing: Buffer | null = null;
  /** The open one is the message's own `<?xml …?>`, in which no `<` may stand. */
  #inProlog = false;
  /** In the root's open tag, or in the document type: the quote that is open, or 0. */
  #inside: "root-tag" | "doctype" | null = null;
  #quote = 0;
  #inSubset = false;

  constructor(knownRoot: Buffer | null) {
    this.#knownRoot = knownRoot;
  }

  /**
   * The root's name, to know later messages by; null unless the message held DEVICE_SN and has no prolog (with one it is
   * known by that). A loose child, left of a message whose root was damaged, must not be taken for a root: every good
   * message holds that child, and would be cut there.
   */
  get provenRoot(): Buffer | null {
    return this.#hasSerial && !this.#hasProlog ? this.#root : null;
  }

  /** Looks at what came since the last call. `bytes` is the message from its first byte to the last received. */
  advance(bytes: Buffer): XmlVerdict {
    for (;;) {
      let verdict: XmlVerdict | null;
      if (this.#closing !== null) verdict = this.#findClosing(bytes, this.#closing);
      else if (this.#inside !== null) verdict = this.#findTagEnd(bytes);
      else verdict = this.#nextMarkup(bytes);
      if (verdict !== null) return verdict;
    }
  }

  /** Goes to the next `<` and past what it begins. Null: go on. */
  #nextMarkup(bytes: Buffer): XmlVerdict | null {
    const lt = bytes.indexOf(LT, this.#at);
    if (lt < 0) {
      this.#at = bytes.length;
      return MORE;
    }
    this.#at = lt;
    const next = bytes[lt + 1];
    if (next === undefined) return MORE;
    if (next === BANG) return this.#declaration(bytes, lt);
    if (next === QUESTION) return this.#instruction(bytes, lt);
    if (next === SLASH) return this.#closeTag(bytes, lt);
    return this.#openTag(bytes, lt);
  }

  #declaration(bytes: Buffer, lt: number): XmlVerdict | null {
    for (const { open, close } of [COMMENT, CDATA]) {
      const begins = startsWith(bytes, lt, open);
      if (begins === null) return MORE;
      if (begins) {
        this.#closing = close;
        this.#at = lt + open.length;
        return null;
      }
    }
    const doctype = this.#root === null ? startsWith(bytes, lt, DOCTYPE) : false;
    if (doctype === null) return MORE;
    this.#inside = doctype ? "doctype" : null;
    this.#at = lt + 2;
    return null;
  }

  #instruction(bytes: Buffer, lt: number): XmlVerdict | null {
    const prolog = isProlog(bytes, lt);
    if (prolog === null) return MORE;
    if (prolog && lt > 0) return { kind: "cut", cut: lt, reason: CUT_OFF };
    this.#inProlog = prolog;
    this.#hasProlog ||= prolog;
    this.#closing = PI_CLOSE;
    this.#at = lt + 2;
    return null;
  }

  #closeTag(bytes: Buffer, lt: number): XmlVerdict | null {
    let end = nameEnd(bytes, lt + 2);
    if (end === -1) return MORE;
    if (end > 0 && this.#root !== null && same(bytes, lt + 2, end, this.#root)) {
      const limit = end + MAX_NAME_BYTES;
      while (isBlank(bytes[end]) && end < limit) end++;
      if (end >= bytes.length) return MORE;
      if (bytes[end] === GT) return { kind: "end", end: end + 1 };
    }
    this.#at = lt + 2;
    return null;
  }

  #openTag(bytes: Buffer, lt: number): XmlVerdict | null {
    const end = nameEnd(bytes, lt + 1);
    if (end === -1) return MORE;
    this.#at = lt + 1;
    if (end === 0) return null;
    this.#at = end;
    if (this.#root === null) {
      this.#root = Buffer.from(bytes.subarray(lt + 1, end));
      this.#inside = "root-tag";
      return null;
    }
    if (same(bytes, lt + 1, end, this.#root)) return { kind: "cut", cut: lt, reason: CUT_OFF };
    // A root misspelt by a fault on the way would otherwise swallow every message behind it that has no prolog.
    const known = this.#hasProlog ? null : this.#knownRoot;
    if (known !== null && same(bytes, lt + 1, end, known)) {
      return { kind: "cut", cut: lt, reason: CUT_OFF, byKnownRoot: true };
    }
    this.#hasSerial ||= same(bytes, lt + 1, end, SERIAL);
    return null;
  }

  /** A prolog ends these too: one cut off in a comment or CDATA section must not swallow the message behind it. */
  #findClosing(bytes: Buffer, closing: Buffer): XmlVerdict | null {
    const found = bytes.indexOf(closing, this.#at);
    const until = found < 0 ? bytes.length : found;
    if (this.#inProlog) {
      const lt = bytes.subarray(0, until).indexOf(LT, this.#at);
      if (lt >= 0) return { kind: "cut", cut: lt, reason: "the XML declaration does not end" };
    }
    for (let from = this.#at; ; ) {
      const prolog = bytes.subarray(0, until).indexOf(PROLOG, from);
      if (prolog < 0) break;
      const certain = isProlog(bytes, prolog);
      if (certain === null) {
        this.#at = prolog;
        return MORE;
      }
      if (certain) return { kind: "cut", cut: prolog, reason: CUT_OFF };
      from = prolog + 1;
    }
    if (found < 0) {
      this.#at = Math.max(this.#at, bytes.length - PROLOG.length);
      return MORE;
    }
    this.#at = found + closing.length;
    this.#closing = null;
    this.#inProlog = false;
    return null;
  }

  /** The `>` of the root's open tag or of the document type, which may stand in quotes before that. */
  #findTagEnd(bytes: Buffer): XmlVerdict | null {
    const isRoot = this.#inside === "root-tag";
    for (; this.#at < bytes.length; this.#at++) {
      const byte = bytes[this.#at];
      if (byte === LT) {
        if (isRoot) return { kind: "cut", cut: this.#at, reason: "the root's tag does not end" };
        const prolog = isProlog(bytes, this.#at);
        if (prolog === null) return MORE;
        if (prolog) return { kind: "cut", cut: this.#at, reason: CUT_OFF };
        const comment = this.#quote === 0 ? startsWith(bytes, this.#at, COMMENT.open) : false;
        if (comment === null) return MORE;
        if (comment) {
          this.#closing = COMMENT.close;
          this.#at += COMMENT.open.length;
          return null;
        }
      } else if (this.#quote !== 0) {
        if (byte === this.#quote) this.#quote = 0;
      } else if (byte === 0x22 || byte === 0x27) {
        this.#quote = byte;
      } else if (!isRoot && (byte === 0x5b || byte === 0x5d)) {
        this.#inSubset = byte === 0x5b;
      } else if (byte === GT && !this.#inSubset) {
        this.#inside = null;
        this.#at++;
        return isRoot && bytes[this.#at - 2] === SLASH ? { kind: "end", end: this.#at } : null;
      }
    }
    if (!isRoot && this.#at > MAX_DOCTYPE_BYTES) return { kind: "hopeless", reason: "the document type does not end" };
    return MORE;
  }
}

/** `<?xml` and a blank: not `<?xml-stylesheet`. Null: too early to know. */
function isProlog(bytes: Buffer, from: number): boolean | null {
  const begins = startsWith(bytes, from, PROLOG);
  if (begins !== true) return begins;
  const next = bytes[from + PROLOG.length];
  return next === undefined ? null : isBlank(next);
}

function same(bytes: Buffer, from: number, to: number, name: Buffer): boolean {
  return to - from === name.length && bytes.compare(name, 0, name.length, from, to) === 0;
}
