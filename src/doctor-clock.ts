import { bad, type Finding, good, warning } from "./finding.ts";

/** The police refuse what is 60 s in the future and what is 300 s old; half of the smaller is time to act. */
const BAD_MS = 30_000;
const WARN_MS = 2000;
const PACKET_BYTES = 48;
/** Seconds from 1900, where NTP begins to count, to 1970. */
const NTP_EPOCH_SECONDS = 2_208_988_800;

/** One question to a time server (RFC 4330, client mode). `cookie`: eight random bytes, by which the answer is known. */
export function buildTimeRequest(cookie: Uint8Array): Uint8Array {
  const packet = new Uint8Array(PACKET_BYTES);
  packet[0] = 0x23;
  packet.set(cookie.subarray(0, 8), 40);
  return packet;
}

export type TimeAnswer = { offsetMs: number } | { problem: string };

/**
 * What a time server's answer says: its clock minus ours.
 * @param sentAt, receivedAt our clock when the question left and the answer came
 */
export function parseTimeAnswer(
  packet: Uint8Array,
  cookie: Uint8Array,
  sentAt: number,
  receivedAt: number,
): TimeAnswer {
  if (packet.length < PACKET_BYTES) return { problem: "it is too short" };
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const mode = view.getUint8(0) & 0x07;
  const stratum = view.getUint8(1);
  if (mode !== 4) return { problem: `it is no server's (mode ${mode})` };
  if (!cookie.subarray(0, 8).every((byte, at) => packet[24 + at] === byte))
    return { problem: "it is not to our question" };
  if (stratum === 0) return { problem: "the server asks to be left alone" };
  if (stratum > 15 || view.getUint8(0) >> 6 === 3) return { problem: "the server's own clock is not set" };
  const [received, sent] = [readTime(view, 32), readTime(view, 40)];
  return { offsetMs: (received - sentAt + (sent - receivedAt)) / 2 };
}

function readTime(view: DataView, at: number): number {
  const seconds = view.getUint32(at);
  // The count begins again in February 2036.
  const era = seconds < 0x8000_0000 ? 2 ** 32 : 0;
  return (seconds + era - NTP_EPOCH_SECONDS) * 1000 + (view.getUint32(at + 4) / 2 ** 32) * 1000;
}

/** @param answer null: none came */
export function judgeTimeServer(server: string, answer: TimeAnswer | null): Finding {
  const check = "clock, NTP";
  if (answer === null || "problem" in answer) {
    const why = answer === null ? "no answer" : answer.problem;
    return warning(
      check,
      `this clock could not be compared with ${server}: ${why}`,
      "allow UDP port 123 to it, or set NTP_SERVER to a time server that answers here (none: not compared)",
    );
  }
  const text = `${describeOffset(answer.offsetMs)} ${server}`;
  const cure = "timedatectl set-ntp true; then timedatectl timesync-status";
  if (Math.abs(answer.offsetMs) >= BAD_MS) return bad(check, `${text}: the police refuse what is signed with it`, cure);
  if (Math.abs(answer.offsetMs) >= WARN_MS) return warning(check, text, cure);
  return good(check, text);
}

/**
 * The police's clock, from the Date of their answer.
 * @param offsetMs their clock minus ours
 * @param timeServerMs a time server's clock minus ours; null: not known. It tells whose clock is wrong.
 */
export function judgeServerClock(check: string, offsetMs: number, timeServerMs: number | null): Finding {
  const text = `${describeOffset(offsetMs)} that of the police`;
  if (Math.abs(offsetMs) < WARN_MS) return good(check, text);
  const theirs = timeServerMs !== null && Math.abs(timeServerMs) < WARN_MS;
  const cure = theirs
    ? "this clock agrees with the time server: tell the police that theirs is wrong"
    : "timedatectl set-ntp true; then timedatectl timesync-status";
  if (Math.abs(offsetMs) < BAD_MS) return warning(check, text, cure);
  return bad(check, `${text}: they refuse what is signed with it`, cure);
}

/** `this clock is 12.0 s behind`; the offset is the other's clock minus ours. */
function describeOffset(offsetMs: number): string {
  const size = Math.abs(offsetMs) / 1000;
  if (size < 0.05) return "this clock agrees with";
  return `this clock is ${size.toFixed(1)} s ${offsetMs > 0 ? "behind" : "ahead of"}`;
}
