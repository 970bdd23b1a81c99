import { BlockList, isIP } from "node:net";
import { AppError } from "./errors.ts";

/** Addresses from which something is accepted. */
export interface AddressList {
  /** No item at all: then everyone is allowed. */
  readonly isEmpty: boolean;
  /** Whether a peer's address (as `socket.remoteAddress` gives it; IPv4 also as `::ffff:…`) is listed. Not an address: false. */
  allows(address: string): boolean;
}

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/**
 * IPv4 and IPv6 addresses and CIDRs (`10.0.0.0/8`, `fd00::/8`, `::ffff:192.168.0.0/112`); blank items are left out.
 * Bits behind the prefix are ignored. An empty list allows everyone.
 * @throws AppError `config`, naming the first item that is neither.
 */
export function parseAddressList(items: readonly string[]): AddressList {
  const list = new BlockList();
  let count = 0;
  for (const item of items) {
    const text = item.trim();
    if (text === "") continue;
    addItem(list, text);
    count++;
  }
  return {
    isEmpty: count === 0,
    allows: (address) => {
      const plain = plainAddress(address);
      if (isIP(plain) === 0) return false;
      return count === 0 || list.check(plain, isIP(plain) === 4 ? "ipv4" : "ipv6");
    },
  };
}

function addItem(list: BlockList, text: string): void {
  const [address = "", prefix, ...more] = text.split("/");
  const plain = plainAddress(address);
  const version = isIP(plain);
  if (version === 0 || address.includes("%") || more.length > 0)
    throw badItem(text, "not an IPv4 or IPv6 address or CIDR");
  const family = version === 4 ? "ipv4" : "ipv6";
  if (prefix === undefined) {
    list.addAddress(plain, family);
    return;
  }
  // A mapped IPv4 address has its network in the last 32 of 128 bits.
  const mappedBits = plain === address ? 0 : 96;
  const maxBits = version === 4 ? 32 + mappedBits : 128;
  const bits = /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
  if (bits < mappedBits || bits > maxBits) throw badItem(text, `the prefix must be ${mappedBits} to ${maxBits}`);
  list.addSubnet(plain, bits - mappedBits, family);
}

/** Without a zone index (`fe80::1%eth0`), and IPv4 as IPv4. */
function plainAddress(address: string): string {
  const bare = address.replace(/%.*$/, "");
  return MAPPED.exec(bare)?.[1] ?? bare;
}

function badItem(text: string, what: string): AppError {
  return new AppError("config", `reading the list of allowed addresses: ${what} (${JSON.stringify(text)})`, {
    hint: "Give addresses and CIDRs, such as 192.168.1.20 or 10.8.0.0/16.",
  });
}
