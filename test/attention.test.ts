import { expect, test } from "bun:test";
import { findAttention } from "../src/attention.ts";
import { AT, camera, fine, service, troubles } from "./support/status-fixture.ts";

test("nothing needs attention when everything is fine", () => {
  expect(findAttention(fine)).toEqual([]);
});

test.each(troubles)("%s is told in words, with what mends it", (_name, change, level, text, mend) => {
  const found = findAttention({ ...fine, ...change });
  expect(found).toHaveLength(1);
  expect(found[0]).toMatchObject({
    level: level as "down",
    text: expect.stringContaining(text),
    mend: expect.stringContaining(mend),
  });
});

test("what is down stands before what only needs attention, and an inactive camera needs neither", () => {
  const services = [service("ingest"), service("sender", "dead")];
  const cameras = [{ ...camera("1", null), active: false }, camera("2", null)];
  const levels = findAttention({ ...fine, clockOffsetMs: 60_000, services, cameras }).map((a) => a.level);
  expect(levels).toEqual(["down", "attention", "attention"]);
});

test("a certificate that ends soon needs nobody when the next one is staged and begins before", () => {
  const ends = { id: 7, name: "x", municipality: "Òdena", validTo: AT, daysLeft: 3 };
  const codes = (next: { state: "staged" | "trying"; validFrom: Date }) =>
    findAttention({ ...fine, certificates: [{ ...ends, next: { ...next, detail: null } }] }).map(({ code }) => code);
  expect(codes({ state: "staged", validFrom: AT })).toEqual([]);
  expect(codes({ state: "staged", validFrom: new Date(AT.getTime() + 1) })).toEqual(["certificate-ends"]);
  expect(codes({ state: "trying", validFrom: AT })).toEqual(["certificate-ends"]);
});
