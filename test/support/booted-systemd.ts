import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A machine that systemd was really booted on: this one's files, and nothing done there is seen here. */
export interface BootedMachine extends AsyncDisposable {
  /** Runs a line of bash as root. */
  run(line: string): { status: number; text: string };
}

const PATH = "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const SCRIPT = new URL("boot-systemd.sh", import.meta.url).pathname;

/** @param give folders and files that are seen below `/give`, by their names there */
export async function bootMachine(give: Readonly<Record<string, string>>): Promise<BootedMachine> {
  const folder = mkdtempSync(join(tmpdir(), "tattile-boot-"));
  mkdirSync(join(folder, "give"));
  for (const [name, path] of Object.entries(give)) cpSync(path, join(folder, "give", name), { recursive: true });
  const unshare = ["unshare", "--fork", "--pid", "--mount", "--uts", "--ipc", "--cgroup", "--net", "--kill-child"];
  const log = join(folder, "log");
  const child = Bun.spawn([...unshare, SCRIPT, folder], {
    stdin: "ignore",
    stdout: Bun.file(log),
    stderr: Bun.file(log),
  });
  const run = (line: string): { status: number; text: string } => {
    const init = childrenOf(child.pid)[0];
    const enter = ["nsenter", "-t", `${init}`, "--all", "--root", "--wd"];
    const environment = ["env", "-i", `PATH=${PATH}`, "HOME=/root", "TERM=dumb", "LANG=C.UTF-8"];
    const { exitCode, stdout, stderr } = Bun.spawnSync([...enter, ...environment, "bash", "-c", line]);
    return { status: exitCode, text: `${stdout}${stderr}`.trim() };
  };
  // `running`, or `degraded` where a unit of this machine that is none of ours does not like the view.
  while (!/^(running|degraded)$/.test(run("systemctl is-system-running").text)) {
    if (child.exitCode !== null) throw new Error(`systemd does not boot: ${readFileSync(log, "utf8")}`);
    await Bun.sleep(100);
  }
  return {
    run,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
      while (childrenOf(child.pid).length > 0) await Bun.sleep(20);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function childrenOf(pid: number): readonly string[] {
  const tasks = `/proc/${pid}/task`;
  if (!existsSync(tasks)) return [];
  return readdirSync(tasks).flatMap((task) => {
    const path = join(tasks, task, "children");
    return existsSync(path) ? readFileSync(path, "utf8").trim().split(" ").filter(Boolean) : [];
  });
}
