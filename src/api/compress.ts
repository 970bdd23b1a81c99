import { promisify } from "node:util";
import { gzip } from "node:zlib";

/** Below this the head is most of what is sent. */
const LEAST_BYTES = 1400;
const deflate = promisify(gzip);

/** JSON smaller on its way, for who takes it so: a phone on a slow line asks for the same report again and again. */
export async function compressAnswer(request: Request, answer: Response): Promise<Response> {
  const { headers, status } = answer;
  const isJson = headers.get("content-type")?.startsWith("application/json") === true;
  if (!isJson || headers.has("content-encoding") || request.method === "HEAD") return answer;
  if (!/\bgzip\b/.test(request.headers.get("accept-encoding") ?? "")) return answer;
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const smaller = bytes.byteLength < LEAST_BYTES ? null : await deflate(bytes);
  if (smaller !== null) headers.set("content-encoding", "gzip");
  headers.set("vary", "accept-encoding");
  return new Response(smaller === null ? bytes : new Uint8Array(smaller), { status, headers });
}
