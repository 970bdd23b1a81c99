import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Issued {
  cert: string;
  key: string;
  certPath: string;
  keyPath: string;
}

export interface IssueOptions {
  /** As openssl's -subj, UTF-8. */
  subject: string;
  key?: "rsa" | "ec";
  /** For servers: `DNS:localhost,IP:127.0.0.1`. */
  altNames?: string;
  /** Negative: expired already. */
  days?: number;
  authority?: boolean;
  /** Null: self-signed. */
  issuer: Issued | null;
}

/** Certificates made by openssl in a folder of its own, which goes with it. */
export interface OpensslPki {
  dir: string;
  issue(options: IssueOptions): Issued;
  /** Packs PEM files; `args` are openssl pkcs12's own (`-legacy`, …). */
  pfx(pem: readonly string[], password: string, args?: readonly string[]): Uint8Array;
  [Symbol.dispose](): void;
}

export function openOpensslPki(): OpensslPki {
  const dir = mkdtempSync(join(tmpdir(), "tattile-pki-"));
  let count = 0;
  const openssl = (...args: string[]): Buffer =>
    execFileSync("openssl", args, { cwd: dir, stdio: ["pipe", "pipe", "pipe"] });
  return {
    dir,
    issue({ subject, key = "rsa", altNames, days = 3650, authority = false, issuer }) {
      count += 1;
      const base = join(dir, `c${count}`);
      const algorithm =
        key === "rsa"
          ? ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
          : ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
      openssl("genpkey", ...algorithm, "-out", `${base}.key`);
      openssl("req", "-new", "-utf8", "-key", `${base}.key`, "-subj", subject, "-out", `${base}.csr`);
      const extensions = [`basicConstraints=critical,CA:${authority ? "TRUE" : "FALSE"}`];
      if (altNames !== undefined) extensions.push(`subjectAltName=${altNames}`);
      writeFileSync(`${base}.ext`, extensions.join("\n"));
      const signer =
        issuer === null
          ? ["-signkey", `${base}.key`]
          : ["-CA", issuer.certPath, "-CAkey", issuer.keyPath, "-CAcreateserial"];
      openssl(
        "x509",
        "-req",
        "-sha256",
        "-in",
        `${base}.csr`,
        "-days",
        String(days),
        "-extfile",
        `${base}.ext`,
        ...signer,
        "-out",
        `${base}.crt`,
      );
      return {
        cert: readFileSync(`${base}.crt`, "utf8"),
        key: readFileSync(`${base}.key`, "utf8"),
        certPath: `${base}.crt`,
        keyPath: `${base}.key`,
      };
    },
    pfx(pem, password, args = []) {
      count += 1;
      const input = join(dir, `p${count}.pem`);
      writeFileSync(input, pem.join("\n"));
      writeFileSync(join(dir, `p${count}.pw`), `${password}\n`);
      openssl("pkcs12", "-export", "-in", input, "-out", `p${count}.pfx`, "-passout", `file:p${count}.pw`, ...args);
      return readFileSync(join(dir, `p${count}.pfx`));
    },
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}
