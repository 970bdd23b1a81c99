import { readdir, readFile, readlink } from "node:fs/promises";

/**
 * Who holds a local TCP port, from /proc (Linux): `sshd (pid 812)`, for the message of a start that finds it taken.
 * @returns null when it cannot be told: nobody, or a process of another user
 */
export async function findPortOwner(port: number): Promise<string | null> {
  const holder = (await findPortHolder(port)).holder;
  if (holder === null) return null;
  return `${holder.name} (pid ${holder.pid}${holder.listening ? "" : ", an outgoing connection"})`;
}

/** `taken`: whether anything has the port, also where it cannot be told who. */
export async function findPortHolder(
  port: number,
): Promise<{ taken: boolean; holder: { name: string; pid: number; listening: boolean } | null }> {
  const inodes = new Map<string, string>();
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const [inode, state] of parseTcpTable(await readFile(table, "utf8").catch(() => ""), port))
      inodes.set(inode, state);
  }
  if (inodes.size === 0) return { taken: false, holder: null };
  for (const pid of (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name))) {
    for (const descriptor of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const link = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => "");
      const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1];
      const state = inode === undefined ? undefined : inodes.get(inode);
      if (state === undefined) continue;
      const name = (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "a process")).trim();
      return { taken: true, holder: { name, pid: Number(pid), listening: state === LISTEN } };
    }
  }
  return { taken: true, holder: null };
}

const LISTEN = "0A";

/** proc(5), /proc/net/tcp: `sl local_address rem_address st …uid timeout inode`. @returns inode → state of sockets on the port */
function parseTcpTable(text: string, port: number): [inode: string, state: string][] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const found: [string, string][] = [];
  for (const line of text.split("\n").slice(1)) {
    const fields = line.trim().split(/\s+/);
    const [, local, , state] = fields;
    const inode = fields[9];
    if (local?.endsWith(suffix) && state !== undefined && inode !== undefined && inode !== "0")
      found.push([inode, state]);
  }
  return found;
}
