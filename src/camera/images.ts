/** A picture from a message: none, usable, or there and not usable, with what is wrong with it. */
export interface DecodedImage {
  /** JPEG bytes. */
  bytes: Uint8Array | null;
  /** Without the field's name; null when nothing is wrong. */
  problem: string | null;
}

export const NO_IMAGE: DecodedImage = { bytes: null, problem: null };

/** Memory for decoded pictures: gives at least so many bytes, content undefined. Fresh pages are what decoding costs most. */
export type ImageMemory = (minBytes: number) => Buffer;

/**
 * Decodes a picture's base64; blanks and line ends in it are skipped, anything else that does not belong is a problem, and
 * so is missing padding: a lenient decoder would make a wrong picture of it. Nothing but blanks is no picture.
 * @param target takes the bytes, of which the result is a view: at least three for each four characters
 */
export function decodeImage(base64: string, target: Buffer): DecodedImage {
  try {
    const { written } = target.setFromBase64(base64, { lastChunkHandling: "strict" });
    return checkJpeg(target.subarray(0, written));
  } catch {
    return { bytes: null, problem: `not base64 (${base64.length} characters)` };
  }
}

/**
 * Begins with FF D8 and holds FF D9, no more: the cameras put bytes of their own into their pictures, and behind them, that
 * a strict decoder refuses.
 */
export function checkJpeg(bytes: Uint8Array): DecodedImage {
  if (bytes.length === 0) return NO_IMAGE;
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) {
    return { bytes: null, problem: `not a JPEG (${bytes.length} bytes that do not begin with FF D8)` };
  }
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.lastIndexOf(END_OF_IMAGE) < 2) {
    return { bytes: null, problem: `a JPEG that was cut off (${bytes.length} bytes without FF D9)` };
  }
  return { bytes, problem: null };
}

const END_OF_IMAGE = Buffer.from([0xff, 0xd9]);
