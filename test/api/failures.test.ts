import { expect, test } from "bun:test";
import { createFailureLimit } from "../../src/api/failures.ts";
import { isFromHere } from "../../src/api/health-routes.ts";

function limitAt(start: { ms: number }) {
  return createFailureLimit({ most: 3, windowMs: 60_000, nowMs: () => start.ms });
}

test("an address waits after so many failures, until its window is over", () => {
  const time = { ms: 0 };
  const limit = limitAt(time);
  for (let n = 0; n < 3; n++) {
    expect(limit.blockedSeconds("192.0.2.7")).toBeNull();
    limit.note("192.0.2.7");
  }
  expect(limit.blockedSeconds("192.0.2.7")).toBe(60);
  expect(limit.blockedSeconds("::ffff:192.0.2.7")).toBe(60);
  expect(limit.blockedSeconds("192.0.2.8")).toBeNull();
  time.ms = 59_001;
  expect(limit.blockedSeconds("192.0.2.7")).toBe(1);
  time.ms = 60_000;
  expect(limit.blockedSeconds("192.0.2.7")).toBeNull();
  limit.note("192.0.2.7");
  expect(limit.blockedSeconds("192.0.2.7")).toBeNull();
});

test("a success clears, and one IPv6 network is one address", () => {
  const limit = limitAt({ ms: 0 });
  for (const peer of ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:2::"]) limit.note(peer);
  expect(limit.blockedSeconds("2001:db8:1:2:3:4:5:6")).toBe(60);
  expect(limit.blockedSeconds("2001:db8:1:3::1")).toBeNull();
  limit.clear("2001:db8:1:2::7");
  expect(limit.blockedSeconds("2001:db8:1:2::1")).toBeNull();
});

test("remembers a bounded number of addresses: the one that failed longest ago is forgotten", () => {
  const limit = limitAt({ ms: 0 });
  for (let n = 0; n < 3; n++) limit.note("192.0.2.7");
  for (let n = 0; n < 9_999; n++) limit.note(`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`);
  expect(limit.blockedSeconds("192.0.2.7")).toBe(60);
  limit.note("198.51.100.1");
  expect(limit.blockedSeconds("192.0.2.7")).toBeNull();
});

test.each<[string, Record<string, string>, string, boolean]>([
  ["a program of this machine", { host: "127.0.0.1:8000" }, "127.0.0.1", true],
  ["by its name", { host: "localhost" }, "::1", true],
  ["by IPv6", { host: "[::1]:8000" }, "::ffff:127.0.0.1", true],
  ["another machine", { host: "127.0.0.1:8000" }, "192.0.2.7", false],
  ["a proxy of this machine", { host: "127.0.0.1", forwarded: "for=192.0.2.7" }, "127.0.0.1", false],
  ["a proxy that names the client alone", { host: "127.0.0.1", "x-real-ip": "192.0.2.7" }, "127.0.0.1", false],
  ["a proxy that names itself alone", { host: "127.0.0.1", via: "1.1 proxy" }, "127.0.0.1", false],
  ["a proxy that names the protocol alone", { host: "127.0.0.1", "x-forwarded-proto": "https" }, "127.0.0.1", false],
  ["a page whose name was made to mean this machine", { host: "evil.example:8000" }, "127.0.0.1", false],
  ["without a Host", {}, "127.0.0.1", false],
])("%s: from here is %j from %s", (_what, headers, peer, expected) => {
  expect(isFromHere(new Request("http://x/metrics", { headers }), peer)).toBe(expected);
});
