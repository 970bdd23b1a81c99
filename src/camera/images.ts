/** A picture from a message: none, usable, or there and not usable, with what is wrong with it. */
export interface DecodedImage {
  /** JPEG bytes. */
  bytes: Uint8Array | null;
  /** Without the field's name; null when nothing is wrong. */
  problem: string | null;
}

export const NO_IMAGE: DecodedImage = { bytes: null, problem: null };

/**
 * Decodes a picture's base64; blanks and line ends in it are skipped, anything else that does not belong is a problem, and
 * so is missing padding: a lenient decoder would make a wrong picture of it. Nothing but blanks is no picture.
 */
export function decodeImage(base64: string): DecodedImage {
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.fromBase64(base64, { lastChunkHandling: "strict" });
  } catch {
    return { bytes: null, problem: `not base64 (${base64.length} characters)` };
  }
  return checkJpeg(bytes);
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
