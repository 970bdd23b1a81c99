/** Largest picture that is sent by hand. */
const MAX_IMAGE_BYTES = 8 * 1024 * 1024;

/** Why these bytes are not sent as a picture; null: they may be. Metadata may be odd; where a JPEG begins and ends is not. */
export function pictureProblem(bytes: Uint8Array): string | null {
  if (bytes.length > MAX_IMAGE_BYTES) return `${bytes.length} bytes, at most ${MAX_IMAGE_BYTES} are sent`;
  const isJpeg = bytes[0] === 0xff && bytes[1] === 0xd8 && Buffer.from(bytes).includes(Buffer.from([0xff, 0xd9]));
  return isJpeg ? null : "it is not a JPEG";
}

/**
 * A grey JPEG of these sizes in blocks of 8 × 8 (ITU-T T.81, baseline, one component): small, and whole for every decoder.
 * Stands for a picture where none was given.
 */
export function grayPicture(blocksWide: number, blocksHigh: number): Uint8Array {
  const word = (value: number): number[] => [value >> 8, value & 0xff];
  const segment = (marker: number, body: readonly number[]): number[] => [
    0xff,
    marker,
    ...word(body.length + 2),
    ...body,
  ];
  const ones = Array.from({ length: 64 }, () => 1);
  // One code of two bits, which stands for 0: no difference to the block before, and end of block.
  const oneCode = [0, 1, ...Array.from({ length: 14 }, () => 0), 0];
  const bits = blocksWide * blocksHigh * 4;
  const scan = Array.from({ length: Math.ceil(bits / 8) }, (_, at) =>
    bits % 8 !== 0 && at === Math.floor(bits / 8) ? 0x0f : 0,
  );
  return new Uint8Array([
    ...[0xff, 0xd8],
    ...segment(0xe0, [0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0]),
    ...segment(0xdb, [0, ...ones]),
    ...segment(0xc0, [8, ...word(blocksHigh * 8), ...word(blocksWide * 8), 1, 1, 0x11, 0]),
    ...segment(0xc4, [0x00, ...oneCode]),
    ...segment(0xc4, [0x10, ...oneCode]),
    ...segment(0xda, [1, 1, 0, 0, 63, 0]),
    ...scan,
    ...[0xff, 0xd9],
  ]);
}
