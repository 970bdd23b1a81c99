import { describe, expect, test } from "bun:test";
import { parseAddressList } from "../src/cidr.ts";
import { AppError } from "../src/errors.ts";

describe("a list of allowed addresses", () => {
  const list = parseAddressList([
    "192.168.1.20",
    "10.8.0.0/16",
    " 172.16.5.9/12 ",
    "fd00::/8",
    "2001:db8::7",
    "::ffff:203.0.113.0/120",
    "::ffff:198.51.100.4",
    "",
  ]);

  test.each([
    ["192.168.1.20", true],
    ["192.168.1.21", false],
    ["::ffff:192.168.1.20", true],
    ["::FFFF:192.168.1.20", true],
    ["::ffff:192.168.1.21", false],
    ["10.8.255.255", true],
    ["10.9.0.0", false],
    ["172.31.255.255", true],
    ["172.32.0.0", false],
    ["fd12:3456::1", true],
    ["fe80::1", false],
    ["fd00::1%eth0", true],
    ["2001:db8::7", true],
    ["2001:db8:0:0:0:0:0:7", true],
    ["2001:db8::8", false],
    ["203.0.113.77", true],
    ["203.0.114.1", false],
    ["198.51.100.4", true],
    ["", false],
    ["not an address", false],
    ["10.8.0.1.5", false],
  ])("%j is allowed: %p", (address, expected) => {
    expect(list.allows(address)).toBe(expected);
  });

  test("allows everyone when it is empty", () => {
    const empty = parseAddressList(["", " "]);
    expect(empty.isEmpty).toBe(true);
    expect(empty.allows("192.0.2.1")).toBe(true);
    expect(empty.allows("2001:db8::1")).toBe(true);
    expect(empty.allows("")).toBe(false);
    expect(list.isEmpty).toBe(false);
  });

  test("/0 means every address of its family", () => {
    expect(parseAddressList(["0.0.0.0/0"]).allows("8.8.8.8")).toBe(true);
    expect(parseAddressList(["0.0.0.0/0"]).allows("2001:db8::1")).toBe(false);
    expect(parseAddressList(["::/0"]).allows("2001:db8::1")).toBe(true);
  });

  test.each([
    "300.1.1.1",
    "10.0.0.0/33",
    "10.0.0.0/",
    "10.0.0.0/x",
    "10.0.0.0/-1",
    "10.0.0.0/8/8",
    "fd00::/129",
    "camera.lan",
    "10.0.0",
    "::ffff:10.0.0.0/95",
    "fe80::1%eth0",
  ])("%j is named as wrong", (item) => {
    try {
      parseAddressList(["10.0.0.1", item]);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(AppError);
      expect((error as AppError).message).toContain(item);
    }
  });
});
