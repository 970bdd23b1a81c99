/** Memory for received bytes and their pictures: fresh pages are what receiving costs most, so slabs go round. */
export interface SlabPool {
  /** A slab of at least `minBytes`, its content undefined. */
  take(minBytes: number): Buffer;
  /** Gives a slab back; its owner must not touch it any more. */
  give(slab: Buffer): void;
  /** Lets go of the unused slabs that were not needed at once since the last trim: a quiet gateway holds none. */
  trim(): void;
  /** Bytes of all slabs that are taken now. */
  readonly takenBytes: number;
}

/** A pool of slabs of `slabBytes`, of which at most `keep` stay when unused. Larger ones are made and dropped at need. */
export function createSlabPool({ slabBytes, keep }: { slabBytes: number; keep: number }): SlabPool {
  const free: Buffer[] = [];
  let takenBytes = 0;
  /** The fewest that lay unused at any moment since the last trim. */
  let idle = 0;
  return {
    take(minBytes) {
      const standard = minBytes <= slabBytes;
      const slab = (standard ? free.pop() : undefined) ?? Buffer.allocUnsafeSlow(standard ? slabBytes : minBytes);
      takenBytes += slab.length;
      idle = Math.min(idle, free.length);
      return slab;
    },
    give(slab) {
      takenBytes -= slab.length;
      if (slab.length === slabBytes && free.length < keep) free.push(slab);
      else freeMemory(slab);
    },
    trim() {
      for (const slab of free.splice(0, idle)) freeMemory(slab);
      idle = free.length;
    },
    get takenBytes() {
      return takenBytes;
    },
  };
}

/**
 * Gives the memory of a buffer that has one of its own back at once. Left to the collector, which sees no pressure in what
 * lies outside its heap, gigabytes can gather under load. Whoever still holds the buffer finds it empty.
 */
export function freeMemory(buffer: Buffer): void {
  if (buffer.buffer.byteLength === buffer.length) (buffer.buffer as ArrayBuffer).transfer(0);
}
