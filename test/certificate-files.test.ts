import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import {
  chownSync,
  existsSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  makeCertificateCurrent,
  removeCertificateFolder,
  safeFolderName,
  writeCertificateFolder,
} from "../src/certificate-files.ts";

const base = mkdtempSync(join(tmpdir(), "tattile-certs-"));
afterAll(() => rmSync(base, { recursive: true }));
let certsDir = "";
beforeEach(() => {
  certsDir = mkdtempSync(join(base, "certs-"));
});

const set = (n: string) => ({ keyPem: `key ${n}\n`, leafPem: `leaf ${n}\n`, chainPem: [`middle ${n}\n`, `root ${n}`] });
const seen = (home: string): string[] =>
  ["key.pem", "client.pem", "privpub.pem"].map((f) => readFileSync(join(home, f), "utf8"));
const contentsOf = (n: string): string[] => [`key ${n}\n`, `leaf ${n}\nmiddle ${n}\nroot ${n}\n`, `leaf ${n}\n`];
const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe("the certificate folder of a municipality", () => {
  test("shows key, chain and leaf under their names, for their owner only", () => {
    const paths = writeCertificateFolder(certsDir, "Vilanova", set("a"));
    const home = join(certsDir, "Vilanova");
    expect(seen(home)).toEqual(contentsOf("a"));
    expect([home, dirname(paths.keyPath)].map(modeOf)).toEqual([0o700, 0o700]);
    expect([paths.keyPath, join(home, "key.pem"), paths.clientCertPath].map(modeOf)).toEqual([0o600, 0o600, 0o640]);
    expect([paths.keyPath, paths.clientCertPath, paths.privpubPath].map((p) => readFileSync(p, "utf8"))).toEqual(
      contentsOf("a"),
    );
  });

  test("shows the new certificate after a replacement, while the earlier one's own paths keep the earlier files", () => {
    const first = writeCertificateFolder(certsDir, "V", set("a"));
    const second = writeCertificateFolder(certsDir, "V", set("b"));
    expect(seen(join(certsDir, "V"))).toEqual(contentsOf("b"));
    expect(readFileSync(first.keyPath, "utf8")).toBe("key a\n");
    expect(readFileSync(second.keyPath, "utf8")).toBe("key b\n");
    expect(readdirSync(join(certsDir, "V")).filter((name) => name.startsWith("."))).toEqual([]);
  });

  test("goes on showing what signs now while the next certificate lies beside it, until that is made current", () => {
    writeCertificateFolder(certsDir, "V", set("a"));
    const next = writeCertificateFolder(certsDir, "V", set("b"), false);
    const home = join(certsDir, "V");
    expect([seen(home), readFileSync(next.keyPath, "utf8")]).toEqual([contentsOf("a"), "key b\n"]);
    makeCertificateCurrent(certsDir, next.keyPath);
    expect(seen(home)).toEqual(contentsOf("b"));
    makeCertificateCurrent(certsDir, join(home, "current", "key.pem"));
    expect(seen(home)).toEqual(contentsOf("b"));
  });

  test("is not written twice for the same certificate, and is made whole when a file of it was damaged", () => {
    const first = writeCertificateFolder(certsDir, "V", set("a"));
    expect(writeCertificateFolder(certsDir, "V", set("a"))).toEqual(first);
    writeFileSync(first.keyPath, "damaged");
    const again = writeCertificateFolder(certsDir, "V", set("a"));
    expect(again.keyPath).not.toBe(first.keyPath);
    expect(seen(join(certsDir, "V"))).toEqual(contentsOf("a"));
  });

  test("takes over the plain files of the replaced system, keeping them", () => {
    const home = join(certsDir, "V");
    mkdirSync(home);
    writeFileSync(join(home, "key.pem"), "old key");
    writeFileSync(join(home, "privpub.pem"), "old leaf");
    writeCertificateFolder(certsDir, "V", set("a"));
    expect(seen(home)).toEqual(contentsOf("a"));
    const earlier = readdirSync(home).find((name) => name.startsWith("earlier-")) ?? "";
    expect(readFileSync(join(home, earlier, "key.pem"), "utf8")).toBe("old key");
  });

  test("is untouched when the new files cannot be written", () => {
    writeCertificateFolder(certsDir, "V", set("a"));
    // Passes for text until it is to be written: the new folder has been begun by then.
    const unwritable = { endsWith: () => true } as unknown as string;
    const broken = { ...set("b"), keyPem: unwritable };
    expect(() => writeCertificateFolder(certsDir, "V", broken)).toThrow("writing the certificate files");
    expect(seen(join(certsDir, "V"))).toEqual(contentsOf("a"));
    expect(readdirSync(join(certsDir, "V"))).toHaveLength(5);
  });

  /** @returns how many calls into the file system it made; null: it died before its end */
  function importAndDie(dir: string, at: number, contents: ReturnType<typeof set>): number | null {
    const script = join(import.meta.dir, "support/crashing-import.ts");
    const made = Bun.spawnSync([process.execPath, script, dir, String(at), JSON.stringify(contents)], {
      stderr: "pipe",
    });
    if (made.exitCode !== 0 && made.signalCode !== "SIGKILL") throw new Error(made.stderr.toString());
    return made.exitCode === 0 ? Number(made.stdout.toString()) : null;
  }

  /** One set of files to begin with: as this writes them, or plain as the replaced system did. */
  const beginnings: readonly [string, (home: string) => void][] = [
    ["written earlier", () => writeCertificateFolder(certsDir, "V", set("a"))],
    [
      "of the replaced system",
      (home) => {
        mkdirSync(home);
        for (const [i, file] of ["key.pem", "client.pem", "privpub.pem"].entries())
          writeFileSync(join(home, file), contentsOf("a")[i] ?? "");
      },
    ],
  ];
  test.each(beginnings)(
    "shows the old or the new certificate, files %s, when the import is killed at any step",
    (_which, begin) => {
      const home = join(certsDir, "V");
      begin(home);
      const steps = importAndDie(certsDir, 0, set("b")) ?? 0;
      expect(steps).toBeGreaterThan(20);
      const outcomes = new Set<string>();
      for (let at = 1; at <= steps; at += 1) {
        rmSync(home, { recursive: true, force: true });
        begin(home);
        expect([at, importAndDie(certsDir, at, set("b"))]).toEqual([at, null]);
        const now = seen(home);
        outcomes.add(JSON.stringify(now));
        expect([at, [contentsOf("a"), contentsOf("b")]]).toEqual([at, expect.arrayContaining([now])]);
        // The next import finishes the matter, and one that comes later sweeps up after the dead one.
        const left = readdirSync(home).filter((name) => name.startsWith("."));
        for (const name of left)
          lutimesSync(join(home, name), new Date(Date.now() - 3_600_000), new Date(Date.now() - 3_600_000));
        writeCertificateFolder(certsDir, "V", set("b"));
        expect([at, seen(home)]).toEqual([at, contentsOf("b")]);
        expect([at, readdirSync(home).filter((name) => name.startsWith("."))]).toEqual([at, []]);
      }
      expect([...outcomes].sort()).toEqual(["a", "b"].map((n) => JSON.stringify(contentsOf(n))));
    },
    60_000,
  );

  test("leaves alone what an import that is still running has begun, also in another container", () => {
    writeCertificateFolder(certsDir, "V", set("a"));
    // No process here has this number.
    const other = join(certsDir, "V", ".new-4194305-x");
    mkdirSync(other);
    writeCertificateFolder(certsDir, "V", set("b"));
    expect(existsSync(other)).toBe(true);
  });

  test("says which folder could not be made", () => {
    writeFileSync(join(certsDir, "V"), "a file in the way");
    expect(() => writeCertificateFolder(certsDir, "V", set("a"))).toThrow(join(certsDir, "V"));
  });

  test("belongs to the owner of CERTS_DIR, also when root imports", () => {
    if (process.getuid?.() === 0) chownSync(certsDir, 12345, 12345);
    const paths = writeCertificateFolder(certsDir, "V", set("a"));
    const all = [join(certsDir, "V"), join(certsDir, "V", "current"), dirname(paths.keyPath), paths.keyPath];
    const owner = statSync(certsDir).uid;
    expect(all.map((p) => lstatSync(p).uid)).toEqual([owner, owner, owner, owner]);
  });

  test("goes when its certificate is removed, links only when they lead to it", () => {
    const first = writeCertificateFolder(certsDir, "V", set("a"));
    const second = writeCertificateFolder(certsDir, "V", set("b"));
    expect(removeCertificateFolder(certsDir, first.keyPath)).toBe(true);
    expect(existsSync(first.keyPath)).toBe(false);
    expect(seen(join(certsDir, "V"))).toEqual(contentsOf("b"));
    expect(removeCertificateFolder(certsDir, first.keyPath)).toBe(false);
    expect(removeCertificateFolder(certsDir, second.keyPath)).toBe(true);
    expect(readdirSync(certsDir)).toEqual([]);
  });

  test("is not removed by a path that is not its own", () => {
    writeCertificateFolder(certsDir, "V", set("a"));
    for (const path of ["V/key.pem", "V/current/key.pem", "../x/0123456789abcdef/key.pem"]) {
      expect(removeCertificateFolder(certsDir, join(certsDir, path))).toBe(false);
    }
    expect(seen(join(certsDir, "V"))).toEqual(contentsOf("a"));
  });

  test.each([
    ["L'Hospitalet de Llobregat", "L'Hospitalet de Llobregat"],
    ["Sant Sadurní d’Anoia", "Sant Sadurní d’Anoia"],
    ["../../etc", "__.._etc"],
    ["..", "_"],
    ["", "_"],
    ["a/b\\c\u0000d", "a_b_c_d"],
    ["ñ".repeat(300), "ñ".repeat(60)],
  ])("%j is named %j", (name, expected) => {
    expect(safeFolderName(name)).toBe(expected);
  });
});
