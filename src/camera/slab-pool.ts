/** Memory for received bytes: fresh pages are what receiving costs most, so slabs go round. */
export interface SlabPool {
  /** A slab of at least `minBytes`, its content undefined. */
  take(minBytes: number): Buffer;
  /** Gives a slab back; its owner must not touch it any more. */
  give(slab: Buffer): void;
  /** Bytes of all slabs that are taken now. */
  readonly takenBytes: number;
}

/** A pool of slabs of `slabBytes`, of which at most `keep` stay when unused. Larger ones are made and dropped at need. */
export function createSlabPool({ slabBytes, keep }: { slabBytes: number; keep: number }): SlabPool {
  const free: Buffer[] = [];
  let takenBytes = 0;
  return {
    take(minBytes) {
      const standard = minBytes <= slabBytes;
      const slab = (standard ? free.pop() : undefined) ?? Buffer.allocUnsafeSlow(standard ? slabBytes : minBytes);
      takenBytes += slab.length;
      return slab;
    },
    give(slab) {
      takenBytes -= slab.length;
      if (slab.length === slabBytes && free.length < keep) free.push(slab);
    },
    get takenBytes() {
      return takenBytes;
    },
  };
}
