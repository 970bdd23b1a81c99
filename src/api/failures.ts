/** Addresses whose failures are remembered; of more, the one that failed longest ago is forgotten. */
const MAX_ADDRESSES = 10_000;

export interface FailureLimit {
  /** Seconds until this address may try again, or null when it may now. */
  blockedSeconds(peer: string): number | null;
  note(peer: string): void;
  clear(peer: string): void;
}

/** Counts failures by address: `most` of them within `windowMs` and the address waits until the window is over. */
export function createFailureLimit(options: { most: number; windowMs: number; nowMs(): number }): FailureLimit {
  const { most, windowMs, nowMs } = options;
  const seen = new Map<string, { count: number; sinceMs: number }>();
  const current = (peer: string): { count: number; sinceMs: number } | null => {
    const entry = seen.get(networkOf(peer));
    return entry === undefined || nowMs() - entry.sinceMs >= windowMs ? null : entry;
  };
  return {
    blockedSeconds: (peer) => {
      const entry = current(peer);
      if (entry === null || entry.count < most) return null;
      return Math.max(1, Math.ceil((entry.sinceMs + windowMs - nowMs()) / 1000));
    },
    note: (peer) => {
      const entry = current(peer) ?? { count: 0, sinceMs: nowMs() };
      entry.count += 1;
      const key = networkOf(peer);
      seen.delete(key);
      seen.set(key, entry);
      const [oldest] = seen.keys();
      if (seen.size > MAX_ADDRESSES && oldest !== undefined) seen.delete(oldest);
    },
    clear: (peer) => {
      seen.delete(networkOf(peer));
    },
  };
}

/** One IPv6 subscriber has 2^64 addresses: they count as one. */
function networkOf(peer: string): string {
  const plain = peer.replace(/^::ffff:/i, "");
  if (!plain.includes(":")) return plain;
  const [head = "", tail] = plain.split("::");
  const first = head.split(":").filter((part) => part !== "");
  if (tail === undefined) return first.slice(0, 4).join(":");
  const last = tail.split(":").filter((part) => part !== "");
  const zeros = Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => "0");
  return [...first, ...zeros, ...last].slice(0, 4).join(":");
}
