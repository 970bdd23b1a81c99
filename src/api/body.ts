import { Refusal } from "./refusal.ts";

export interface BodyLimits {
  maxBytes: number;
  /** Longest time from the request's head to the body's end: a caller must not hold memory for ever. */
  timeoutMs: number;
  /** Called with how much there is, before it grows; may refuse by throwing. */
  onGrowth?(bytes: number): void;
}

/**
 * A request's body, read piece by piece and given up at the first byte beyond the limit.
 * @throws Refusal 413 when it is larger, 408 when it does not end in time, 400 when it breaks off
 */
export async function readBody(request: Request, limits: BodyLimits): Promise<Buffer> {
  const announced = Number(request.headers.get("content-length") ?? 0);
  if (announced > limits.maxBytes) throw tooLarge(limits);
  const reader = request.body?.getReader();
  if (reader === undefined) return Buffer.alloc(0);
  const pieces: Uint8Array[] = [];
  let size = 0;
  let timedOut = false;
  let isWhole = false;
  const timer = setTimeout(() => {
    timedOut = true;
    reader.cancel().catch(() => {});
  }, limits.timeoutMs);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (timedOut) throw new Refusal(408, "timeout", `the request took longer than ${limits.timeoutMs / 1000} s`);
      if (done) {
        isWhole = true;
        break;
      }
      size += value.byteLength;
      if (size > limits.maxBytes) throw tooLarge(limits);
      limits.onGrowth?.(size);
      pieces.push(value);
    }
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(400, "invalid", "the request broke off");
  } finally {
    clearTimeout(timer);
    if (!isWhole) reader.cancel().catch(() => {});
  }
  // With Content-Length the runtime ends a body that broke off as if it were whole.
  if (announced > 0 && size < announced) throw new Refusal(400, "invalid", "the request broke off");
  return Buffer.concat(pieces, size);
}

function tooLarge({ maxBytes }: BodyLimits): Refusal {
  return new Refusal(413, "too-large", `the request is larger than ${maxBytes} bytes`);
}
