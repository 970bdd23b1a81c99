import { createHash } from "node:crypto";
import { createRandom, mixSeed } from "./seeded.ts";

/** A JPEG in pieces, never joined: what is the same in every message is made once and written as it is. */
export interface Picture {
  bytes: readonly Buffer[];
  base64: readonly Buffer[];
  /** Of the whole file, hex; computed when asked for, since it is most of what a message costs to make. */
  readonly sha256: string;
}

export interface PicturePair {
  ocr: Picture;
  /** Null: the camera sends no context picture. */
  ctx: Picture | null;
}

/** Which pictures go with a message: JPEG files in turn, or synthetic ones of about these sizes (`ctxBytes` 0: none). */
export type PictureChoice =
  | readonly { ocr: Uint8Array; ctx: Uint8Array | null }[]
  | { ocrBytes: number; ctxBytes: number };

/** Of synthetic pictures there are so many different ones; more would only cost memory. */
const SYNTHETIC_PAIRS = 4;
const COMMENT_BYTES = 24;

/**
 * @param distinct true: every message number has pictures of its own, by a comment segment with the number in it. False: the
 * pictures themselves, prepared once.
 */
export function createPictures(
  choice: PictureChoice,
  seed: number,
  distinct: boolean,
): (number: number) => PicturePair {
  const sources = "ocrBytes" in choice ? synthesize(choice, seed) : choice;
  const pairs = sources.map(({ ocr, ctx }) => ({
    ocr: preparePicture(ocr, distinct),
    ctx: ctx === null ? null : preparePicture(ctx, distinct),
  }));
  return (number) => {
    const pair = pairs[number % pairs.length];
    if (pair === undefined) throw new Error("choosing a picture: none were given");
    const mark = mixSeed(seed, number);
    return { ocr: pair.ocr(mark, number), ctx: pair.ctx === null ? null : pair.ctx(mark, number) };
  };
}

function preparePicture(file: Uint8Array, distinct: boolean): (mark: number, number: number) => Picture {
  const whole = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (!distinct) {
    const picture = createPicture([whole], [toBase64(whole)]);
    return () => picture;
  }
  // FF D8 and the comment are 30 bytes, a multiple of three: the base64 of what follows stays the same.
  const rest = whole.subarray(2);
  const restBase64 = toBase64(rest);
  return (mark, number) => {
    const head = Buffer.alloc(6 + COMMENT_BYTES, " ");
    head.writeUInt32BE(0xffd8fffe, 0);
    head.writeUInt16BE(2 + COMMENT_BYTES, 4);
    head.write(`${mark.toString(16).padStart(8, "0")} ${number}`, 6, "latin1");
    return createPicture([head, rest], [toBase64(head), restBase64]);
  };
}

function createPicture(bytes: readonly Buffer[], base64: readonly Buffer[]): Picture {
  let known: string | undefined;
  return {
    bytes,
    base64,
    get sha256() {
      known ??= sha256(bytes);
      return known;
    },
  };
}

function synthesize(
  sizes: { ocrBytes: number; ctxBytes: number },
  seed: number,
): { ocr: Buffer; ctx: Buffer | null }[] {
  return Array.from({ length: SYNTHETIC_PAIRS }, (_, index) => ({
    ocr: createSyntheticJpeg(sizes.ocrBytes, mixSeed(seed, index, 1)),
    ctx: sizes.ctxBytes === 0 ? null : createSyntheticJpeg(sizes.ctxBytes, mixSeed(seed, index, 2)),
  }));
}

/** Bytes that pass for a JPEG where only FF D8 … FF D9 is looked at; at least 8 of them. */
function createSyntheticJpeg(sizeBytes: number, seed: number): Buffer {
  const random = createRandom(seed);
  const words = new Uint32Array(Math.ceil(Math.max(8, sizeBytes) / 4));
  for (let at = 0; at < words.length; at += 1) words[at] = random() * 0x1_0000_0000;
  const bytes = Buffer.from(words.buffer, 0, Math.max(8, sizeBytes));
  bytes.writeUInt16BE(0xffd8, 0);
  bytes.writeUInt16BE(0xffd9, bytes.length - 2);
  return bytes;
}

function toBase64(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString("base64"), "latin1");
}

function sha256(pieces: readonly Buffer[]): string {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
}
