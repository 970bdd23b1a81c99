import { AppError } from "../errors.ts";
import type { Protocol } from "../reading.ts";
import type { SlabPool } from "./slab-pool.ts";
import { beginsXml, isBlank, startsWith, XmlScan, type XmlVerdict } from "./xml-scan.ts";

/** A piece of what a connection carried, in the order of the bytes. */
export type Frame =
  /** A whole message. `bytes` holds until `release()`, which must be called once they are no longer needed. */
  | { kind: "message"; protocol: Extract<Protocol, `tattile-${string}`>; bytes: Buffer; release(): void }
  /** Not a message; `bytes` is a copy, whole or its beginning. `fatal`: nothing more can be read from this connection. */
  | { kind: "broken"; reason: string; bytes: Buffer; fatal: boolean };

/** The first eight bytes of every binary message: header size 24, command 40000. */
export const TLV_MAGIC = Buffer.from([0x18, 0, 0, 0, 0x40, 0x9c, 0, 0]);
export const TLV_HEADER_BYTES = 24;
export const TLV_LENGTH_OFFSET = 20;
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);
const UTF16 = [
  { bom: Buffer.from([0xff, 0xfe]), name: "UTF-16LE" },
  { bom: Buffer.from([0xfe, 0xff]), name: "UTF-16BE" },
];
/** Bytes between two messages that begin none. More of them, and the peer is no camera. */
const MAX_GARBAGE_BYTES = 65_536;
/** What is asked for at once, at least and at most. */
const MIN_WANTED_BYTES = 65_536;
const MAX_WANTED_BYTES = 524_288;
/** What is kept of a message over the limit. */
const SAMPLE_BYTES = 65_536;
/** A message up to this size is copied out, lest it hold a whole slab. */
const SMALL_MESSAGE_BYTES = 16_384;

const INCOMPLETE = "the connection ended in the middle of a message";

/** A slab and how many use it: the framer while it writes there, and every frame not yet released. */
interface Shared {
  slab: Buffer;
  users: number;
}

/**
 * Cuts the bytes of one connection into messages. Every chunk is copied once, into a slab of the pool, and searched on
 * from where the last search stopped. Between messages no slab is held. A message that is cut off costs only itself.
 */
export class Framer {
  readonly #pool: SlabPool;
  readonly #maxBytes: number;
  #shared: Shared | null = null;
  /** What is pending in the slab: `[start, end)`. */
  #start = 0;
  #end = 0;
  #state: "between" | "garbage" | "xml" | "tlv" | "over" = "between";
  #scan: XmlScan | null = null;
  /** In garbage: how far it was searched, from `start`. */
  #searched = 0;
  #tlvBytes = 0;
  /** Size of the last message, at most MAX_WANTED_BYTES: the next one is about as long. */
  #expectedBytes = MAX_WANTED_BYTES;
  /** The root of this connection's messages that have no prolog, once one was whole. */
  #knownRoot: Buffer | null = null;
  #rootInDoubt = false;

  constructor({ pool, maxMessageBytes }: { pool: SlabPool; maxMessageBytes: number }) {
    if (maxMessageBytes < TLV_HEADER_BYTES) {
      throw new AppError("internal", `framing messages: a limit of ${maxMessageBytes} bytes lets none pass`);
    }
    this.#pool = pool;
    this.#maxBytes = maxMessageBytes;
  }

  /** Bytes of the unfinished message. */
  get pendingBytes(): number {
    return this.#end - this.#start;
  }

  /** Size of the slab held for it; that of frames not yet released is not counted here. */
  get heldBytes(): number {
    return this.#shared?.slab.length ?? 0;
  }

  /** Takes the next bytes (which may be reused afterwards) and gives what they complete. After a fatal frame: nothing. */
  push(chunk: Buffer): Frame[] {
    let taken = 0;
    return this.receive(chunk.length, (room) => {
      const copied = chunk.copy(room, 0, taken);
      taken += copied;
      return copied;
    });
  }

  /**
   * Takes at most `count` bytes straight into the slab, and gives what they complete. After a fatal frame: nothing.
   * @param read fills the room from its beginning and says with how many bytes; called until there were `count`, or none
   */
  receive(count: number, read: (room: Buffer) => number): Frame[] {
    const frames: Frame[] = [];
    for (let left = count; left > 0 && this.#state !== "over"; ) {
      const slab = this.#room(left);
      if (slab === null) {
        frames.push(this.#fail(`longer than ${this.#maxBytes} bytes, the limit for a message`));
        break;
      }
      const came = read(slab.subarray(this.#end, Math.min(this.#end + left, this.#capacity())));
      if (came <= 0) break;
      left -= came;
      this.#end += came;
      this.#cut(frames);
    }
    this.#settle();
    return frames;
  }

  /** How many bytes to ask for at once: as many as the last message had, lest much of the next one come with its end and be moved. */
  get wantedBytes(): number {
    return Math.max(MIN_WANTED_BYTES, this.#expectedBytes - this.pendingBytes);
  }

  /** The peer has ended its side: gives the fragment that is pending, if any, as broken. The framer is done then. */
  finish(): Frame | null {
    if (this.#state === "over" || this.pendingBytes === 0) {
      this.release();
      return null;
    }
    const reason = this.#state === "garbage" ? "bytes that begin no message" : INCOMPLETE;
    const frame = this.#broken(reason, this.pendingBytes);
    this.release();
    return frame;
  }

  /** Drops what is pending and gives the slab back. Frames already given stay valid. Harmless when called again. */
  release(): void {
    this.#state = "over";
    this.#start = this.#end = 0;
    this.#drop();
  }

  #capacity(): number {
    return Math.min(this.heldBytes, this.#maxBytes);
  }

  /** A slab with room for at least one byte more; null when the pending message fills the limit. */
  #room(wanted: number): Buffer | null {
    if (this.#end === this.#capacity()) this.#settle();
    if (this.#shared === null) {
      this.#move(Math.min(wanted, this.#maxBytes));
    } else if (this.#end === this.#capacity()) {
      if (this.pendingBytes >= this.#maxBytes) return null;
      this.#move(Math.min(2 * this.heldBytes, this.#maxBytes));
    }
    return this.#shared?.slab ?? null;
  }

  /** Moves what is pending to the front of a slab of its own of at least `minBytes`. */
  #move(minBytes: number): void {
    const slab = this.#pool.take(minBytes);
    const pending = this.#shared?.slab.copy(slab, 0, this.#start, this.#end) ?? 0;
    this.#drop();
    this.#shared = { slab, users: 1 };
    this.#start = 0;
    this.#end = pending;
  }

  /** After messages were cut out: no slab for nothing, and none shared with frames that others release when they like. */
  #settle(): void {
    if (this.pendingBytes === 0) {
      this.#start = this.#end = 0;
      this.#drop();
    } else if (this.#start > 0 && this.#shared !== null) {
      if (this.#shared.users > 1) this.#move(this.pendingBytes);
      else {
        this.#shared.slab.copyWithin(0, this.#start, this.#end);
        this.#end -= this.#start;
        this.#start = 0;
      }
    }
  }

  #drop(): void {
    if (this.#shared !== null) this.#unuse(this.#shared);
    this.#shared = null;
  }

  #unuse(shared: Shared): void {
    shared.users--;
    if (shared.users === 0) this.#pool.give(shared.slab);
  }

  /** Cuts everything out of the slab that is complete. */
  #cut(frames: Frame[]): void {
    while (this.#shared !== null && this.pendingBytes > 0) {
      const bytes = this.#shared.slab.subarray(this.#start, this.#end);
      let goOn: boolean;
      if (this.#state === "between") goOn = this.#begin(bytes, frames);
      else if (this.#state === "garbage") goOn = this.#skipGarbage(bytes, frames);
      else if (this.#state === "xml") goOn = this.#advanceXml(bytes, frames);
      else if (this.#state === "tlv") goOn = this.#advanceTlv(bytes, frames);
      else return;
      if (!goOn) return;
    }
  }

  /** At a boundary: skips what may stand there and decides what follows. False: more bytes are needed. */
  #begin(bytes: Buffer, frames: Frame[]): boolean {
    let from = 0;
    while (bytes[from] === 0 || isBlank(bytes[from])) from++;
    this.#start += from;
    if (from > 0) return true;
    for (const { bom, name } of UTF16) {
      const wide = startsWith(bytes, 0, bom);
      if (wide === null) return false;
      if (wide) {
        frames.push(this.#fail(`encoded in ${name}; only encodings of one byte a character and UTF-8 can be read`));
        return false;
      }
    }
    const bom = startsWith(bytes, 0, BOM);
    if (bom === null) return false;
    if (bom) {
      this.#start += BOM.length;
      return true;
    }
    const protocol = beginsMessage(bytes, 0);
    if (protocol === null) return false;
    this.#state = protocol === false ? "garbage" : protocol;
    this.#searched = 0;
    this.#tlvBytes = 0;
    this.#scan = protocol === "xml" ? new XmlScan(this.#knownRoot) : null;
    return true;
  }

  #skipGarbage(bytes: Buffer, frames: Frame[]): boolean {
    for (; this.#searched < bytes.length; this.#searched++) {
      if (this.#searched > MAX_GARBAGE_BYTES) {
        frames.push(this.#fail(`more than ${MAX_GARBAGE_BYTES} bytes that begin no message`));
        return false;
      }
      const protocol = beginsMessage(bytes, this.#searched);
      if (protocol === null) return false;
      if (protocol !== false) {
        frames.push(this.#broken("bytes that begin no message", this.#searched));
        return true;
      }
    }
    return false;
  }

  #advanceXml(bytes: Buffer, frames: Frame[]): boolean {
    const scan = this.#scan;
    const verdict: XmlVerdict = scan?.advance(bytes) ?? { kind: "more" };
    if (verdict.kind === "more") return false;
    if (verdict.kind === "end") {
      this.#learnRoot(scan?.provenRoot ?? null);
      frames.push(this.#message("tattile-xml", verdict.end));
    } else if (verdict.kind === "cut") {
      if (verdict.byKnownRoot) this.#doubtRoot();
      frames.push(this.#broken(verdict.reason, verdict.cut));
    } else {
      frames.push(this.#fail(verdict.reason));
    }
    return verdict.kind !== "hopeless";
  }

  #learnRoot(proven: Buffer | null): void {
    if (proven === null) return;
    this.#knownRoot ??= proven;
    if (proven.equals(this.#knownRoot)) this.#rootInDoubt = false;
  }

  /** Two cuts by the known root without a message of it between: it was learned from damage. Forgetting it ends the losses. */
  #doubtRoot(): void {
    if (this.#rootInDoubt) this.#knownRoot = null;
    this.#rootInDoubt = !this.#rootInDoubt;
  }

  #advanceTlv(bytes: Buffer, frames: Frame[]): boolean {
    if (this.#tlvBytes === 0) {
      if (bytes.length < TLV_HEADER_BYTES) return false;
      const length = bytes.readInt32LE(TLV_LENGTH_OFFSET);
      this.#tlvBytes = TLV_HEADER_BYTES + length;
      if (length < 0 || this.#tlvBytes > this.#maxBytes) {
        frames.push(this.#fail(`a binary message of ${length} bytes, over the limit of ${this.#maxBytes}`));
        return false;
      }
    }
    if (bytes.length < this.#tlvBytes) return false;
    frames.push(this.#message("tattile-tlv", this.#tlvBytes));
    return true;
  }

  #message(protocol: "tattile-xml" | "tattile-tlv", length: number): Frame {
    const shared = this.#shared;
    if (shared === null) throw new AppError("internal", "framing messages: no slab for the message");
    const view = shared.slab.subarray(this.#start, this.#start + length);
    this.#expectedBytes = Math.min(length, MAX_WANTED_BYTES);
    this.#boundaryAfter(length);
    if (length <= SMALL_MESSAGE_BYTES) {
      return { kind: "message", protocol, bytes: Buffer.from(view), release: () => {} };
    }
    shared.users++;
    let held = true;
    const release = (): void => {
      if (held) this.#unuse(shared);
      held = false;
    };
    return { kind: "message", protocol, bytes: view, release };
  }

  #broken(reason: string, length: number): Frame {
    const bytes = Buffer.from(this.#shared?.slab.subarray(this.#start, this.#start + length) ?? []);
    this.#boundaryAfter(length);
    return { kind: "broken", reason, bytes, fatal: false };
  }

  /** Ends this connection's framing; what is pending is dropped but for a sample. */
  #fail(reason: string): Frame {
    const { bytes } = this.#broken(reason, Math.min(this.pendingBytes, SAMPLE_BYTES));
    this.release();
    return { kind: "broken", reason, bytes, fatal: true };
  }

  #boundaryAfter(length: number): void {
    this.#start += length;
    this.#state = "between";
    this.#scan = null;
  }
}

/** Which message begins at `from`; false: none, null: the bytes end too early to know. */
function beginsMessage(bytes: Buffer, from: number): "xml" | "tlv" | false | null {
  if (bytes[from] === TLV_MAGIC[0]) {
    const tlv = startsWith(bytes, from, TLV_MAGIC);
    return tlv === true ? "tlv" : tlv;
  }
  const xml = beginsXml(bytes, from);
  return xml === true ? "xml" : xml;
}
