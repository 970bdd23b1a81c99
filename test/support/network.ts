/** A network of the test's own: namespaces of the kernel that stand for machines, on a bridge. Only root can make one. */
export interface Network extends AsyncDisposable {
  /** Of the machine that the test runs on, where PostgreSQL and the police are. */
  host: string;
  /** The same machine by another way, which only `addDatabaseLink` gives. */
  databaseHost: string;
  /** Adds a machine. @returns its address, and what to put before a command that is to run there */
  addMachine(name: string): Promise<{ address: string; words: readonly string[] }>;
  /** Gives a machine a second cable, on which nothing but the database is. */
  addDatabaseLink(name: string): Promise<void>;
  /** Pulls a cable, or plugs it in again. No end of a connection hears of it. */
  setLink(name: string, which: "main" | "database", state: "up" | "down"): Promise<void>;
}

async function ip(...words: string[]): Promise<void> {
  const child = Bun.spawn(["ip", ...words], { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  const errors = await new Response(child.stderr).text();
  if ((await child.exited) !== 0) throw new Error(`ip ${words.join(" ")}: ${errors}`);
}

/** @throws where network namespaces cannot be made: it takes root and iproute2 */
export async function openNetwork(): Promise<Network> {
  // Names and addresses that another run at the same time does not have.
  const mark = process.pid.toString(36);
  const [second, third] = [224 + (process.pid % 16), 2 * ((process.pid >> 4) % 120)];
  const [main, database] = [`10.${second}.${third}`, `10.${second}.${third + 1}`];
  const bridge = `tt${mark}`;
  const namespaceOf = (name: string): string => `tt${mark}-${name}`;
  const linkOf = (name: string, which: "main" | "database"): string => `tt${mark}${name}${which[0]}`;
  const namespaces: string[] = [];
  const links: string[] = [];
  const inside = (name: string, ...words: string[]): Promise<void> => ip("-n", namespaceOf(name), ...words);

  const connect = async (name: string, which: "main" | "database", address: string): Promise<void> => {
    const device = which === "main" ? "eth0" : "eth1";
    await ip("link", "add", linkOf(name, which), "type", "veth", "peer", "name", device, "netns", namespaceOf(name));
    links.push(linkOf(name, which));
    await ip("link", "set", linkOf(name, which), "up");
    await inside(name, "addr", "add", `${address}/24`, "dev", device);
    await inside(name, "link", "set", device, "up");
  };

  await ip("link", "add", bridge, "type", "bridge");
  links.push(bridge);
  await ip("addr", "add", `${main}.1/24`, "dev", bridge);
  await ip("link", "set", bridge, "up");
  return {
    host: `${main}.1`,
    databaseHost: `${database}.1`,
    async addMachine(name) {
      await ip("netns", "add", namespaceOf(name));
      namespaces.push(namespaceOf(name));
      await inside(name, "link", "set", "lo", "up");
      const address = `${main}.${namespaces.length + 1}`;
      await connect(name, "main", address);
      await ip("link", "set", linkOf(name, "main"), "master", bridge);
      return { address, words: ["ip", "netns", "exec", namespaceOf(name)] };
    },
    async addDatabaseLink(name) {
      await connect(name, "database", `${database}.2`);
      await ip("addr", "add", `${database}.1/24`, "dev", linkOf(name, "database"));
    },
    setLink: (name, which, state) => ip("link", "set", linkOf(name, which), state),
    async [Symbol.asyncDispose]() {
      for (const link of links.reverse()) await ip("link", "del", link).catch(() => {});
      for (const namespace of namespaces) await ip("netns", "del", namespace).catch(() => {});
    },
  };
}
