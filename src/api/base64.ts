import { MAX_PFX_BYTES } from "../certificate-import.ts";
import { invalid } from "./refusal.ts";

/** Base64 of the largest PFX, and the rest of the body. */
export const PFX_BODY_BYTES = Math.ceil((MAX_PFX_BYTES * 4) / 3) + 8192;

/** A file in a field of the body. @throws Refusal 400 */
export function readBase64(field: string, text: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
  } catch {
    throw invalid(`body.${field} is not base64`, "Send the bytes of the file in base64.");
  }
}
