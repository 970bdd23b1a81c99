import { afterAll, beforeAll, expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command, CommandGroup } from "../../src/cli/command.ts";
import { program } from "../../src/cli/program.ts";
import { grayPicture } from "../../src/gray-picture.ts";
import { createPki } from "../../src/simulator/pki.ts";
import { tattileCommand } from "../support/tattile-command.ts";

/** Listen on fixed ports, run for a minute, or want a terminal or a database server: their own tests run them otherwise. */
const NOT_HERE = ["simulate mossos", "listen", "demo", "setup", "db copy"];
/** Run until they are told to end. */
const ENDLESS = /^(run |simulate camera|top|logs)/;
/** Say by their exit code how things are. */
const TELLING = ["status", "doctor", "cert check"];

function commandsOf(group: CommandGroup): Command[] {
  return group.children.flatMap((child) => (child.kind === "command" ? [child] : commandsOf(child)));
}

/** As a shell would part a line; examples use nothing but blanks and double quotes. */
function partWords(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? "");
}

let folder: string;
let count = 0;

/** Runs these words in a folder, until they end or, when they would go on, until told to. */
async function run(cwd: string, words: readonly string[], endAfterMs?: number) {
  const child = Bun.spawn([...tattileCommand(), ...words], {
    cwd,
    env: {
      PATH: process.env["PATH"] ?? "",
      TMPDIR: tmpdir(),
      DATA_DIR: join(cwd, "data"),
      TATTILE_ENV_FILE: "/dev/null",
      TRANSIT_PORT: "0",
      API_PORT: "0",
      NTP_SERVER: "none",
      DISK_MIN_FREE_BYTES: "1048576",
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const timer = endAfterMs === undefined ? undefined : setTimeout(() => child.kill("SIGTERM"), endAfterMs);
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  const code = await child.exited;
  clearTimeout(timer);
  return { code, stdout, stderr };
}

/** A town as the examples speak of it, and the files they name. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "examples-"));
  const town = join(folder, "town");
  mkdirSync(town);
  const put = (name: string, content: string | Uint8Array): void => writeFileSync(join(town, name), content);
  const pki = await createPki({ now: new Date() });
  for (const name of ["santcugat.pfx", "nou.pfx"]) {
    put(name, (await pki.issueClient({ organization: "Sant Cugat", commonName: name })).pfx("secret"));
  }
  put("pfx.txt", "secret\n");
  put("plate.txt", "1234BCD\n");
  put("test-ca.pem", pki.caPem);
  put("ocr.jpg", grayPicture(8, 3));
  put("ctx.jpg", grayPicture(40, 30));
  put("tattile.env", "");
  put("cameras.csv", 'serial,reader,municipality\n2001008851,00012,"Sant Cugat"\n');
  put("site.yaml", "version: 1\nmunicipalities:\n  - name: Sant Cugat\n");
  const older = { Endpoint: "https://police.example/", Camaras: [{ SerialNumber: "1", CodigoLector: "2" }] };
  put("Configuration.json", JSON.stringify({ ...older, CertPath: "santcugat.pfx" }));
  for (const words of [
    ["endpoint", "add", "lectio", "https://127.0.0.1:1/"],
    ["endpoint", "add", "test", "https://127.0.0.1:1/"],
    ["municipality", "add", "Sant Cugat", "--endpoint", "lectio"],
    ["cert", "import", "santcugat.pfx", "--municipality", "Sant Cugat", "--password-file", "pfx.txt"],
    ["camera", "add", "2001008851", "--reader", "00012", "--municipality", "Sant Cugat"],
  ]) {
    expect(await run(town, words)).toMatchObject({ code: 0, stderr: "" });
  }
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const examples = commandsOf(program)
  .filter(({ name }) => !NOT_HERE.includes(name))
  .flatMap((command) => command.examples.map((example) => [example, command] as const));

test.concurrent.each(examples)("%s is run as it stands", async (example, command) => {
  count += 1;
  const cwd = join(folder, `${count}`);
  cpSync(join(folder, "town"), cwd, { recursive: true });
  // What asks a person is told yes, and what would ask for a password is given it.
  const words = partWords(example).slice(1);
  if ("yes" in command.args && !words.includes("--yes") && !words.includes("--dry-run")) words.push("--yes");
  if ("password-file" in command.args && !words.includes("--password-file")) words.push("--password-file", "pfx.txt");
  const known = words.map((word) => (word.startsWith("/root/") ? word.replace("/root/", "") : word));
  const { code, stderr } = await run(cwd, known, ENDLESS.test(command.name) ? 1500 : undefined);
  rmSync(cwd, { recursive: true, force: true });
  // There is no message 1234 here, and the police are away; but nothing may be wrong with how it was used, or the settings.
  if (TELLING.includes(command.name)) expect([0, 1, 2]).toContain(code);
  else if (code === 1) expect(stderr).toMatch(/unknown|still |no |not |nothing |unreachable|systemctl|journalctl|^$/);
  else if (ENDLESS.test(command.name)) expect([0, 143]).toContain(code);
  else expect([example, code, stderr]).toEqual([example, 0, expect.any(String)]);
});
