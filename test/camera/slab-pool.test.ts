import { describe, expect, test } from "bun:test";
import { createSlabPool } from "../../src/camera/slab-pool.ts";

describe("the slab pool", () => {
  test("hands a slab round instead of making another", () => {
    const pool = createSlabPool({ slabBytes: 100, keep: 2 });
    const slab = pool.take(10);
    pool.give(slab);
    expect(pool.take(100)).toBe(slab);
    expect(pool.takenBytes).toBe(100);
  });

  test("makes larger ones at need and does not keep them", () => {
    const pool = createSlabPool({ slabBytes: 100, keep: 2 });
    const large = pool.take(101);
    expect(large.length).toBe(101);
    pool.give(large);
    expect([pool.takenBytes, large.length]).toEqual([0, 0]);
    expect(pool.take(101)).not.toBe(large);
  });

  test("keeps no more than it may", () => {
    const pool = createSlabPool({ slabBytes: 100, keep: 1 });
    const [one, two] = [pool.take(1), pool.take(1)];
    pool.give(one);
    pool.give(two);
    expect([one.length, two.length]).toEqual([100, 0]);
    expect(pool.take(1)).toBe(one);
    expect(pool.take(1)).not.toBe(two);
  });

  test("a trim leaves what was in use at once since the last, and the next quiet one nothing", () => {
    const pool = createSlabPool({ slabBytes: 100, keep: 8 });
    const slabs = [pool.take(1), pool.take(1), pool.take(1)];
    for (const slab of slabs) pool.give(slab);
    pool.trim();
    const used = pool.take(1);
    pool.give(used);
    pool.trim();
    expect(slabs.map((slab) => slab.length).sort()).toEqual([0, 0, 100]);
    expect(pool.take(1)).toBe(used);
    expect(slabs).not.toContain(pool.take(1));
    pool.give(used);
    pool.trim();
    pool.trim();
    expect(slabs).not.toContain(pool.take(1));
  });
});
