import { packDashboard } from "./bundle.ts" with { type: "macro" };
import type { PackedFile } from "./bundle.ts";

const YEAR_SECONDS = 31_536_000;

interface Page {
  file: PackedFile;
  bodies: Readonly<Record<"plain" | "gzip" | "brotli", Uint8Array<ArrayBuffer>>>;
}

const pages = new Map<string, Page>(
  packDashboard().map((file) => [
    file.path,
    {
      file,
      bodies: {
        plain: Uint8Array.fromBase64(file.plain),
        gzip: Uint8Array.fromBase64(file.gzip),
        brotli: Uint8Array.fromBase64(file.brotli),
      },
    },
  ]),
);

/** The dashboard's file of this address, as the browser takes it; null when there is none. */
export function answerPage(request: Request, pathname: string): Response | null {
  if (request.method !== "GET" && request.method !== "HEAD") return null;
  const page = pages.get(pathname);
  if (page === undefined) return null;
  const { type, etag, isHashed } = page.file;
  const headers: Record<string, string> = {
    "content-type": type,
    etag,
    vary: "accept-encoding",
    // What is named after its content never changes; the page itself is asked for each time and is mostly 304.
    "cache-control": isHashed ? `public, max-age=${YEAR_SECONDS}, immutable` : "no-cache",
  };
  if (request.headers.get("if-none-match")?.includes(etag) === true)
    return new Response(null, { status: 304, headers });
  const accepted = request.headers.get("accept-encoding") ?? "";
  const encoding = /\bbr\b/.test(accepted) ? "brotli" : /\bgzip\b/.test(accepted) ? "gzip" : "plain";
  if (encoding !== "plain") headers["content-encoding"] = encoding === "brotli" ? "br" : "gzip";
  return new Response(page.bodies[encoding], { headers });
}
