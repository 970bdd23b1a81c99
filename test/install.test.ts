import { afterEach, beforeEach, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const PROJECT = join(import.meta.dir, "..");
const INSTALL = join(PROJECT, "install");
const BINARY = join(PROJECT, "dist/tattile");
const UNITS = ["tattile.service", "tattile-ingest.service", "tattile-sender.service", "tattile-api.service"];
const THREE = UNITS.slice(1);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "install-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(command: string, ...words: string[]): { status: number | null; text: string } {
  const { status, stdout, stderr, error } = spawnSync(command, words, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (error !== undefined) throw error;
  return { status, text: stdout + stderr };
}

/** A file tree to install into, with these files in it. */
function tree(files: Record<string, string> = {}): string {
  const root = join(folder, "root");
  mkdirSync(root);
  for (const [path, text] of Object.entries(files)) write(join(root, path), text);
  return root;
}

function write(path: string, text: string, mode = 0o644): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

/** Stands for an executable of some version where its 115 MB do not matter. */
function standIn(version: string, exitCode = 0): string {
  return write(join(folder, `tattile-${version}`), `#!/bin/sh\necho "tattile ${version}"\nexit ${exitCode}\n`, 0o755);
}

function install(root: string, ...words: string[]): { status: number | null; text: string } {
  return run(join(INSTALL, "install.sh"), "--root", root, ...words);
}

/** Every path below `root` with all that a second run might change: inode, mode, owner, time, content. */
function snapshot(root: string): string[] {
  return (readdirSync(root, { recursive: true }) as string[]).sort().map((path) => {
    const { ino, mode, uid, gid, mtimeMs } = lstatSync(join(root, path));
    const isFile = lstatSync(join(root, path)).isFile();
    const hash = isFile
      ? createHash("sha256")
          .update(readFileSync(join(root, path)))
          .digest("hex")
      : "";
    // sysusers locks the user files anew each time; what is in them counts.
    const when = path === "etc" || path.includes(".pwd.lock") ? 0 : mtimeMs;
    return [path, ino, mode.toString(8), uid, gid, isFile ? when : 0, hash].join(" ");
  });
}

function modeOf(root: string, path: string): string {
  return (lstatSync(join(root, path)).mode & 0o777).toString(8);
}

test("the shell scripts give shellcheck nothing to say", () => {
  const scripts = readdirSync(join(PROJECT, "scripts")).filter((name) => name.endsWith(".sh"));
  const paths = [...scripts.map((name) => join("scripts", name)), "install/install.sh", ".ci/run"];
  const { status, text } = run("shellcheck", ...paths.map((path) => join(PROJECT, path)));
  expect(text).toBe("");
  expect(status).toBe(0);
});

test("the pages that are installed have beside them what they link to, pictures too", () => {
  const root = tree();
  expect(install(root, "--binary", standIn("1.0.0")).status).toBe(0);
  const docs = join(root, "usr/local/share/doc/tattile");
  const pages = readdirSync(docs).filter((name) => name.endsWith(".md"));
  expect(pages).toContain("operacion.md");
  const links = pages.flatMap((page) =>
    [...readFileSync(join(docs, page), "utf8").matchAll(/\]\(([^)#:]+)[^):]*\)/g)]
      .map(([, target = ""]) => target)
      .filter((target) => !target.startsWith("../")),
  );
  expect(links.length).toBeGreaterThan(10);
  expect([...new Set(links)].filter((target) => !existsSync(join(docs, target)))).toEqual([]);
});

test.each(UNITS)("systemd finds nothing wrong with %s, and would say so", (unit) => {
  const text = readFileSync(join(INSTALL, unit), "utf8").replaceAll("/usr/local/bin/tattile", BINARY);
  const good = run("systemd-analyze", "verify", write(join(folder, "good", unit), text));
  expect(good).toEqual({ status: 0, text: "" });
  const spoilt = text.replace("ProtectSystem=strict", "ProtectSystem=stric");
  expect(run("systemd-analyze", "verify", write(join(folder, "bad", unit), spoilt)).text).toContain(" stric");
});

test.each(UNITS)("%s is exposed to at most 1.5 by systemd's own measure", (unit) => {
  const { text } = run("systemd-analyze", "security", "--offline=true", join(INSTALL, unit));
  const exposure = Number(/Overall exposure level for \S+: (\d+\.\d+)/.exec(text)?.[1] ?? "10");
  expect(exposure).toBeLessThanOrEqual(1.5);
});

test.each(UNITS)("%s runs as a user of its own, with memory that may be compiled into", (unit) => {
  const settings = readFileSync(join(INSTALL, unit), "utf8").split("\n");
  expect(settings).toContain("User=tattile");
  expect(settings.some((line) => line.startsWith("MemoryDenyWriteExecute"))).toBe(false);
});

test("the units differ in nothing but their task and who excludes whom", () => {
  const body = (unit: string): string =>
    readFileSync(join(INSTALL, unit), "utf8")
      .replace(/^(#.*|Description=.*|Conflicts=.*)\n/gm, "")
      .replace(/tattile run \w+/, "tattile run TASK")
      .replace(/SyslogIdentifier=.*/, "SyslogIdentifier=NAME");
  for (const unit of THREE) expect(body(unit)).toBe(body("tattile.service"));
});

test("the whole way works when what the unit forbids is answered with EPERM", () => {
  const forbidden = forbiddenCalls();
  expect(forbidden).toContain("ptrace");
  expect(forbidden).toContain("setpriority");
  expect(forbidden).not.toContain("syncfs");
  const names = forbidden.map((name) => `?${name}`).join(",");
  // As another user: root would change owners, which the unit forbids and its user never does.
  const asUser = process.getuid?.() === 0 ? ["-u", "nobody"] : [];
  // Not below the run's own temporary folder, which is closed to others.
  const open = mkdtempSync("/tmp/tattile-open-");
  try {
    chmodSync(open, 0o777);
    copyFileSync(BINARY, join(open, "tattile"));
    const trace = ["-f", "--seccomp-bpf", "-qq", "-o", join(folder, "trace"), ...asUser];
    // RestrictNamespaces: clone3 cannot be looked into, so it is answered as if there were none.
    const inject = [
      "-e",
      `trace=${names},clone3`,
      "-e",
      `inject=${names}:error=EPERM`,
      "-e",
      "inject=clone3:error=ENOSYS",
    ];
    const words = [...trace, ...inject, "-E", `TMPDIR=${open}`, join(open, "tattile"), "demo", "--calm"];
    const { status, text } = run("strace", ...words, "--cameras", "3", "--readings", "20");
    expect(text).toContain("Nothing was lost.");
    expect(status).toBe(0);
    expect(readFileSync(join(folder, "trace"), "utf8")).toContain("INJECTED");
  } finally {
    rmSync(open, { recursive: true, force: true });
  }
});

/** What the units' SystemCallFilter lines leave out, by systemd's own lists. */
function forbiddenCalls(): string[] {
  const listed = (...group: string[]): string[] =>
    run("systemd-analyze", "syscall-filter", ...group)
      .text.split("\n")
      .map((line) => line.replace(/#.*/, "").trim())
      .filter((line) => line !== "");
  const expand = (group: string): string[] =>
    listed(group).flatMap((name) => (name === group ? [] : name.startsWith("@") ? expand(name) : [name]));
  const allowed = new Set(expand("@default"));
  for (const line of readFileSync(join(INSTALL, "tattile.service"), "utf8").split("\n")) {
    const filter = /^SystemCallFilter=(~?)(.*)$/.exec(line);
    for (const call of filter?.[2]?.split(" ").flatMap(expand) ?? []) {
      if (filter?.[1] === "~") allowed.delete(call);
      else allowed.add(call);
    }
  }
  return [...new Set(listed())].filter((name) => !name.startsWith("@") && !allowed.has(name));
}

test("a second run of install.sh changes nothing, with the real executable", () => {
  const root = tree();
  const first = install(root, "--binary", BINARY);
  expect(first.text).toContain("tattile cert import FILE.pfx --municipality NAME");
  expect(first.status).toBe(0);
  const before = snapshot(root);
  const second = install(root, "--binary", BINARY);
  expect(second.status).toBe(0);
  expect(second.text).toContain("install.sh: unchanged: tattile ");
  expect(second.text).not.toContain("wrote");
  expect(snapshot(root)).toEqual(before);
});

test("what shells complete and man shows is put where they look, and goes with the rest", () => {
  const root = tree();
  install(root, "--binary", BINARY);
  const share = join(root, "usr/local/share");
  const read = (path: string): string => readFileSync(join(share, path), "utf8");
  expect(read("bash-completion/completions/tattile")).toContain("complete -F _tattile tattile");
  expect(read("zsh/site-functions/_tattile")).toStartWith("#compdef tattile");
  expect(read("fish/vendor_completions.d/tattile.fish")).toContain("complete -c tattile");
  expect(read("man/man1/tattile.1")).toStartWith(".TH TATTILE 1");
  expect(install(root, "--uninstall").status).toBe(0);
  const left = readdirSync(share, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  expect(left.map(({ name }) => name)).toEqual([]);
});

test("keys and settings are closed to other users", () => {
  const root = tree();
  install(root, "--binary", standIn("1"));
  expect(modeOf(root, "var/lib/tattile")).toBe("750");
  expect(modeOf(root, "var/lib/tattile/certs")).toBe("700");
  expect(modeOf(root, "etc/tattile/tattile.env")).toBe("640");
  expect(readFileSync(join(root, "etc/passwd"), "utf8")).toMatch(/^tattile:x:\d+:\d+:.*:\/usr\/sbin\/nologin$/m);
});

test("an upgrade keeps the executable before, and settings as they are", () => {
  const root = tree({ "etc/tattile/tattile.env": "TRANSIT_PORT=40000\n" });
  install(root, "--binary", standIn("1"));
  expect(install(root, "--binary", standIn("2")).status).toBe(0);
  expect(run(join(root, "usr/local/bin/tattile")).text).toBe("tattile 2\n");
  expect(run(join(root, "usr/local/bin/tattile.previous")).text).toBe("tattile 1\n");
  expect(readFileSync(join(root, "etc/tattile/tattile.env"), "utf8")).toBe("TRANSIT_PORT=40000\n");
});

test("an executable that does not run here leaves the one that does", () => {
  const root = tree();
  install(root, "--binary", standIn("1"));
  const { status, text } = install(root, "--binary", standIn("2", 3));
  expect(status).toBe(1);
  expect(text).toContain("the executable does not run here");
  expect(readdirSync(join(root, "usr/local/bin"))).toEqual(["tattile"]);
  expect(run(join(root, "usr/local/bin/tattile")).text).toBe("tattile 1\n");
});

test("the cameras' ports are reserved beside those that others have reserved, and the configured one too", () => {
  const root = tree({
    "etc/sysctl.d/50-other.conf": "net.ipv4.ip_local_reserved_ports = 33335-33340,8080\n",
    "usr/lib/sysctl.d/10-more.conf": "net/ipv4/ip_local_reserved_ports=7000\n",
    "etc/tattile/tattile.env": "#TRANSIT_PORT=1\nTRANSIT_PORT=40000\n",
  });
  install(root, "--binary", standIn("1"));
  const lines = readFileSync(join(root, "etc/sysctl.d/99-tattile.conf"), "utf8").split("\n");
  expect(lines).toContain("net.ipv4.ip_local_reserved_ports = 7000,8080,33334-33340,40000");
});

test("one service or three, never both", () => {
  const root = tree();
  const installed = (): string[] => readdirSync(join(root, "etc/systemd/system")).sort();
  install(root, "--binary", standIn("1"));
  expect(installed()).toEqual(["tattile.service"]);
  install(root, "--binary", standIn("1"), "--three");
  expect(installed()).toEqual(THREE.toSorted());
  install(root, "--binary", standIn("1"));
  expect(installed()).toEqual(["tattile.service"]);
});

test("a unit of the replaced system that has the name is set aside, not lost", () => {
  const old = "[Service]\nExecStart=/opt/old/venv/bin/python -m sender\n";
  const root = tree({ "etc/systemd/system/tattile-sender.service": old });
  install(root, "--binary", standIn("1"));
  expect(readFileSync(join(root, "etc/systemd/system/tattile-sender.service"), "utf8")).toBe(old);
  expect(install(root, "--binary", standIn("1"), "--three").text).toContain("tattile-sender.service.replaced");
  expect(readFileSync(join(root, "etc/systemd/system/tattile-sender.service.replaced"), "utf8")).toBe(old);
  expect(install(root, "--uninstall").text).toContain(
    "left alone: /etc/systemd/system/tattile-sender.service.replaced",
  );
});

test("uninstalling keeps settings and data, and purging takes them too", () => {
  const root = tree();
  install(root, "--binary", standIn("1"));
  write(join(root, "var/lib/tattile/tattile.db"), "readings");
  expect(install(root, "--uninstall").status).toBe(0);
  expect(readdirSync(join(root, "etc/systemd/system"))).toEqual([]);
  expect(readdirSync(join(root, "usr/local/bin"))).toEqual([]);
  expect(readdirSync(join(root, "etc/sysctl.d"))).toEqual([]);
  expect(readdirSync(join(root, "etc/tattile"))).toEqual(["tattile.env"]);
  expect(readdirSync(join(root, "var/lib/tattile"))).toContain("tattile.db");
  expect(install(root, "--uninstall", "--purge").status).toBe(0);
  expect(readdirSync(join(root, "var/lib"))).toEqual([]);
  expect(readdirSync(join(root, "etc"))).not.toContain("tattile");
});

test.each([
  [["--purge"], "--purge only goes with --uninstall"],
  [["--binary", "/nowhere/tattile"], "no executable at /nowhere/tattile"],
  [["--four"], "unknown argument --four"],
])("install.sh %p says what is wrong and touches nothing", (words, complaint) => {
  const root = tree();
  const { status, text } = install(root, ...words);
  expect(status).toBe(1);
  expect(text).toContain(complaint);
  expect(readdirSync(root)).toEqual([]);
});
