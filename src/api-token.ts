import { createHash } from "node:crypto";

/** Bytes of chance in a token: so many that guessing is hopeless and a plain hash is enough to keep it by. */
export const TOKEN_BYTES = 32;
const PREFIX = "tat_";
const FORM = /^tat_[A-Za-z0-9_-]{43}$/;

/** A token's text from its random bytes; the prefix lets scanners of leaked secrets know it. */
export function buildTokenText(random: Uint8Array): string {
  return PREFIX + Buffer.from(random).toString("base64url");
}

/** Whether a text can be a token at all. */
export function isTokenText(text: string): boolean {
  return FORM.test(text);
}

/** What the store keeps of a token, and of a session's cookie. */
export function hashToken(text: string): Uint8Array {
  return createHash("sha256").update(text, "utf8").digest();
}
