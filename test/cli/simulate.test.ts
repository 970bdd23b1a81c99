import { expect, test } from "bun:test";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type CommandFolder, openCommandFolder, tattileCommand } from "../support/tattile-command.ts";

interface Running extends AsyncDisposable {
  /** Waits until it has said `text`, and gives all it said until then. */
  heard(text: string): Promise<string>;
  /** SIGTERM. @returns its exit code */
  stop(): Promise<number>;
}

/** A command that goes on until it is told to stop. */
function start(cli: CommandFolder, env: Record<string, string>, ...words: string[]): Running {
  const child = Bun.spawn([...tattileCommand(), ...words], {
    cwd: cli.folder,
    env: {
      PATH: process.env["PATH"] ?? "",
      DATA_DIR: cli.dataDir,
      TATTILE_ENV_FILE: "/dev/null",
      DISK_MIN_FREE_BYTES: "1048576",
      ...env,
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  let said = "";
  let ended = false;
  let tell: (() => void) | undefined;
  void (async () => {
    for await (const chunk of child.stdout) {
      said += Buffer.from(chunk).toString("utf8");
      tell?.();
    }
    ended = true;
    tell?.();
  })();
  const stop = async (): Promise<number> => {
    child.kill("SIGTERM");
    return child.exited;
  };
  return {
    async heard(text) {
      while (!said.includes(text) && !ended) await new Promise<void>((resolve) => (tell = resolve));
      expect(said).toContain(text);
      return said;
    },
    stop,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

async function freePort(): Promise<string> {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const { port } = server;
  await server.stop(true);
  return `${port}`;
}

test("what simulate mossos prints is enough to set up a delivery, and what simulate camera sends arrives", async () => {
  await using cli = await openCommandFolder();
  const env = { TRANSIT_PORT: await freePort(), API_PORT: await freePort(), TRANSIT_HOST: "127.0.0.1" };
  await using police = start(
    cli,
    env,
    "simulate",
    "mossos",
    "--port",
    "0",
    "--municipality",
    "Test",
    "--record",
    "got.jsonl",
  );
  const said = await police.heard("--password-stdin");
  // The lines to copy, as a technician would paste them.
  const [endpoint, cert] = ["register it: ", "sign for it: "].map((label) => {
    const line = said.split("\n").find((text) => text.startsWith(label)) ?? "";
    return line.slice(label.length).replace("--municipality NAME", "--municipality Test");
  });
  expect((await cli.run("municipality", "add", "Test")).code).toBe(0);
  for (const line of [endpoint, cert]) {
    const command = tattileCommand()
      .map((word) => `'${word}'`)
      .join(" ");
    const shell = (line ?? "").replace(/\btattile (?=endpoint|cert)/, `${command} `);
    const pasted = Bun.spawnSync(["bash", "-ec", shell], {
      cwd: cli.folder,
      env: { PATH: process.env["PATH"] ?? "", DATA_DIR: cli.dataDir, TATTILE_ENV_FILE: "/dev/null" },
    });
    expect([line, pasted.stderr.toString(), pasted.exitCode]).toEqual([line, "", 0]);
  }
  await cli.run("municipality", "set", "Test", "--endpoint", "test");
  await cli.run("camera", "add", "2001008851", "--reader", "R1", "--municipality", "Test");

  await using service = start(cli, env, "run", "all");
  await service.heard("listening for HTTP");
  const camera = ["simulate", "camera", "--count", "3", "--rate", "50", "--manifest", "sent.jsonl"];
  const sent = await cli.runWith({ env }, ...camera);
  expect(sent).toMatchObject({ code: 0, stderr: "" });
  expect(sent.stdout).toContain("sent: 3 reading\nconfirmed 3, not confirmed 0");
  while ((await readFile(join(cli.folder, "got.jsonl"), "utf8")).trim().split("\n").length < 3) await Bun.sleep(20);
  const lines = async (name: string): Promise<Record<string, unknown>[]> =>
    (await readFile(join(cli.folder, name), "utf8"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  const facts = (of: Record<string, unknown>) => [of["plate"], of["ocrSha256"], of["ctxSha256"]];
  expect((await lines("got.jsonl")).map(facts).toSorted()).toEqual((await lines("sent.jsonl")).map(facts).toSorted());

  expect(await service.stop()).toBe(0);
  expect(await police.stop()).toBe(0);
  await police.heard("accepted 3, refused 0");
});

test("a camera without a receiver gives up with 1", async () => {
  await using cli = await openCommandFolder();
  const words = ["simulate", "camera", "--count", "1", "--port", await freePort(), "--give-up-seconds", "1"];
  expect(await cli.run(...words)).toMatchObject({ code: 1, stdout: expect.stringContaining("not confirmed 1") });
});

test("rules that are no rules are refused before anything listens", async () => {
  await using cli = await openCommandFolder();
  await writeFile(join(cli.folder, "rules.json"), '[{"answer":{"kind":"shrug"}}]');
  const said = await cli.run("simulate", "mossos", "--http", "--port", "0", "--rules", "rules.json");
  expect([said.code, said.stdout]).toEqual([2, ""]);
  expect(said.stderr).toContain("shrug");
});
