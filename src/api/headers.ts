/** Nothing from outside, no frame around it, no script that is not a file of ours. */
const POLICY = [
  "default-src 'self'",
  "img-src 'self' data: blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

const ALWAYS: Readonly<Record<string, string>> = {
  "content-security-policy": POLICY,
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=()",
};
const YEAR_SECONDS = 31_536_000;

/** Adds what every answer carries; what a route set itself stays. */
export function addSecurityHeaders(response: Response, isTls: boolean): Response {
  for (const [name, value] of Object.entries(ALWAYS))
    if (!response.headers.has(name)) response.headers.set(name, value);
  if (!response.headers.has("cache-control")) response.headers.set("cache-control", "no-store");
  if (isTls) response.headers.set("strict-transport-security", `max-age=${YEAR_SECONDS}`);
  return response;
}
