import { expect, test } from "bun:test";
import { compareRecords } from "../../src/simulator/comparison.ts";
import type { ManifestEntry } from "../../src/simulator/manifest.ts";
import type { AcceptedRecord } from "../../src/simulator/mossos-records.ts";

const readerOf = (serial: string): string => `R-${serial}`;

function sent(plate: string, change: Partial<ManifestEntry> = {}): ManifestEntry {
  return {
    kind: "reading",
    serial: "1",
    plate,
    date: "2026-11-24",
    time: "10:00:00",
    transitId: 1,
    ocrSha256: `ocr-${plate}`,
    ctxSha256: null,
    confirmed: true,
    ...change,
  };
}

function got(entry: ManifestEntry, change: Partial<AcceptedRecord> = {}): AcceptedRecord {
  return {
    number: 1,
    receivedAt: "",
    readerCode: readerOf(entry.serial),
    plate: entry.plate,
    date: entry.date,
    time: entry.time,
    ocrSha256: entry.ocrSha256 ?? "",
    ctxSha256: entry.ctxSha256,
    fields: {},
    certificateSubject: "",
    certificateFingerprint: "",
    profile: "compat",
    answered: true,
    ...change,
  };
}

const a = sent("A");
const b = sent("B");

test("what arrived whole is delivered, what arrived again a duplicate, what did not is missing", () => {
  const result = compareRecords([a, b], [got(a), got(a)], readerOf);
  expect(result).toEqual({ sent: 2, delivered: 1, duplicates: 1, missing: [b], invented: [], differing: [] });
});

test.each([
  ["another plate", { plate: "C" }],
  ["another reader", { readerCode: "R-2" }],
  ["another time", { time: "10:00:01" }],
])("%s is invented, and the reading missing", (_, change) => {
  const record = got(a, change);
  expect(compareRecords([a], [record], readerOf)).toMatchObject({ delivered: 0, missing: [a], invented: [record] });
});

test.each([{ ocrSha256: "x" }, { ctxSha256: "x" }])(
  "another picture %j differs, and the reading is missing",
  (change) => {
    const record = got(a, change);
    expect(compareRecords([a], [record], readerOf)).toMatchObject({ missing: [a], invented: [], differing: [record] });
  },
);

test("one plate twice in one second is two readings, told apart by their pictures", () => {
  const second = sent("A", { ocrSha256: "other" });
  expect(compareRecords([a, second], [got(a), got(second)], readerOf)).toMatchObject({
    sent: 2,
    delivered: 2,
    missing: [],
  });
  expect(compareRecords([a, second], [got(a), got(a)], readerOf)).toMatchObject({ delivered: 1, missing: [second] });
});

test("a replay is the same reading; a confirmed copy makes it one that counts as lost", () => {
  const unconfirmed = sent("A", { confirmed: false });
  const replay = sent("A", { kind: "replay" });
  expect(compareRecords([unconfirmed, replay], [got(a)], readerOf)).toMatchObject({
    sent: 1,
    delivered: 1,
    duplicates: 0,
  });
  expect(compareRecords([unconfirmed, replay], [], readerOf).missing).toEqual([replay]);
});

test.each(["not-read", "malformed", "unregistered"] as const)(
  "a %s message is not expected, and invented when delivered",
  (kind) => {
    const entry = sent("A", { kind });
    expect(compareRecords([entry], [], readerOf)).toMatchObject({ sent: 0, missing: [] });
    expect(compareRecords([entry], [got(entry)], readerOf).invented).toHaveLength(1);
  },
);
