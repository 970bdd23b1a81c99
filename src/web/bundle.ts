import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync, constants as zlib } from "node:zlib";

/** One file of the dashboard in the three forms it is sent in, base64. */
export interface PackedFile {
  path: string;
  type: string;
  etag: string;
  /** Its name changes with its content. */
  isHashed: boolean;
  plain: string;
  gzip: string;
  brotli: string;
}

/**
 * The dashboard, bundled and compressed. A macro: it runs while Bun compiles whoever imports it, and what it gives stands in
 * the executable. Bun.build cannot run inside a macro, so the same is asked of the command.
 */
export function packDashboard(): PackedFile[] {
  const script = bundle("client/main.tsx");
  const style = bundle("client/style.css");
  const icon = readFileSync(join(import.meta.dir, "client/icon.svg"));
  const scriptPath = `/assets/${digest(script)}.js`;
  const stylePath = `/assets/${digest(style)}.css`;
  const iconPath = `/assets/${digest(icon)}.svg`;
  const page = readFileSync(join(import.meta.dir, "client/index.html"), "utf8")
    .replace("SCRIPT", scriptPath)
    .replace("STYLE", stylePath)
    .replace("ICON", iconPath);
  return [
    pack("/", "text/html; charset=utf-8", false, Buffer.from(page)),
    pack(scriptPath, "text/javascript; charset=utf-8", true, script),
    pack(stylePath, "text/css; charset=utf-8", true, style),
    pack(iconPath, "image/svg+xml", true, icon),
  ];
}

function bundle(entry: string): Buffer {
  const { stdout, stderr, success } = Bun.spawnSync(
    [process.execPath, "build", join(import.meta.dir, entry), "--target=browser", "--minify", "--production"],
    { stdin: "ignore" },
  );
  if (!success) throw new Error(`bundling ${entry}: ${stderr}`);
  return Buffer.from(stdout);
}

function digest(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}

function pack(path: string, type: string, isHashed: boolean, bytes: Buffer): PackedFile {
  const params = { [zlib.BROTLI_PARAM_QUALITY]: zlib.BROTLI_MAX_QUALITY, [zlib.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  return {
    path,
    type,
    isHashed,
    etag: `"${digest(bytes)}"`,
    plain: bytes.toString("base64"),
    gzip: gzipSync(bytes, { level: 9 }).toString("base64"),
    brotli: brotliCompressSync(bytes, { params }).toString("base64"),
  };
}
