import { afterAll, beforeAll, expect, test } from "bun:test";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connectCamera } from "../support/camera-socket.ts";
import { sampleMessage } from "../support/samples.ts";
import { openSite, type Site } from "./site.ts";

const BINARY = new URL("../../dist/tattile", import.meta.url).pathname;
const PICTURES = new URL("../fixtures/samples/", import.meta.url).pathname;
const SERIAL = "2001008851";
const PLATE = "1234BCD";

let site: Site;
const file = (name: string): string => join(site.folder, name);

beforeAll(async () => {
  site = await openSite();
  await site.addCameras(SERIAL);
  for (const name of ["car-a-ocr.jpg", "car-a-ctx.jpg"]) copyFileSync(join(PICTURES, name), file(name));
  writeFileSync(file("plate.txt"), `${PLATE}\n`);
});
afterAll(() => site[Symbol.asyncDispose]());

const send = (...words: string[]) => site.run("send", "--camera", SERIAL, ...words);
const pictures = (): string[] => ["--ocr", file("car-a-ocr.jpg"), "--ctx", file("car-a-ctx.jpg")];
const accepted = () => site.mossos.records.accepted();

test("a dry run shows the signed envelope with its pictures cut, and sends nothing", async () => {
  const { exitCode, stdout, stderr } = await send("--dry-run", "--plate", PLATE, ...pictures());
  expect([exitCode, stderr]).toEqual([0, ""]);
  expect(stdout).toContain(`<mat:matricula>${PLATE}</mat:matricula>`);
  expect(stdout).toMatch(/<mat:imgMatricula>[\w+/=]{24}… [\d,]+ characters …<\/mat:imgMatricula>/);
  expect(stdout).toContain("13 fields as they should be; the signature verifies");
  expect(stdout).toContain("Nothing was sent");
  const bare = await send("--dry-run");
  expect(bare.stdout).toContain("<mat:imgContext></mat:imgContext>\n<mat:coordenadaX>");
  expect(accepted()).toEqual([]);
});

test("a reading sent by hand is taken by strict police, and all that came back is told", async () => {
  const { exitCode, stdout } = await send("--plate-file", file("plate.txt"), ...pictures(), "--yes");
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/Answer after \d+ ms: accepted, codiRetorn=1/);
  expect(stdout).toMatch(/Their clock: .*as ours/);
  expect(stdout).toContain("HTTP 200 text/xml");
  expect(stdout).toContain("In the queue it would be delivered");
  // From a file it is not for the screen.
  expect(stdout).not.toContain(PLATE);
  expect(stdout).toContain("<mat:matricula>12•••CD</mat:matricula>");
  expect(accepted()).toMatchObject([{ plate: PLATE, readerCode: `R-${SERIAL.slice(-8)}` }]);
  const audit = await site.run("audit", "list", "--json");
  expect(JSON.parse(audit.stdout).at(-1)).toMatchObject({ what: "message send", detail: `camera ${SERIAL} to police` });
  expect(audit.stdout).not.toContain(PLATE);
});

test("--plate - takes the plate from standard input, or asks for it on a terminal, so that it is in no shell history", async () => {
  const words = [BINARY, "send", "--camera", SERIAL, "--dry-run", "--plate", "-", "--env-file", file("tattile.env")];
  const env = { PATH: process.env["PATH"] ?? "", TMPDIR: process.env["TMPDIR"] ?? "/tmp", TERM: "xterm" };
  const piped = Bun.spawn(words, { env, stdin: Buffer.from(`${PLATE}\n`), stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([new Response(piped.stdout).text(), new Response(piped.stderr).text()]);
  expect([await piped.exited, stderr]).toEqual([0, ""]);
  expect(stdout).toContain("<mat:matricula>12•••CD</mat:matricula>");
  let shown = "";
  const typed = Bun.spawn(words, {
    env,
    terminal: {
      data(terminal, data) {
        shown += Buffer.from(data).toString("utf8");
        if (shown.endsWith("Plate: ")) terminal.write("9999XYZ\r");
      },
    },
  });
  expect(await typed.exited).toBe(0);
  typed.terminal?.close();
  expect(shown).toContain("<mat:matricula>9999XYZ</mat:matricula>");
  expect((await send("--plate", "-", "--plate-stdin")).stderr).toContain("exclude each other");
});

test("without a yes nothing is sent, and without a plate neither", async () => {
  const before = accepted().length;
  expect(await send("--plate", PLATE)).toMatchObject({ exitCode: 2, stdout: "" });
  expect((await send("--yes")).stderr).toContain("Plate:");
  expect((await send("--plate", PLATE, "--plate-stdin")).stderr).toContain("exclude each other");
  writeFileSync(file("text.jpg"), "no picture");
  expect((await send("--dry-run", "--ocr", file("text.jpg"))).stderr).toContain("not a JPEG");
  expect(accepted().length).toBe(before);
});

test.each([
  ["a refusal", { kind: "code", code: "7" }, "rejected", "DEAD, codiRetorn=7"],
  ["a hang-up", { kind: "reset", at: "after-body" }, "unanswered", "FAILED, sent again"],
  ["a page of HTML", { kind: "html" }, "unanswered", "FAILED, sent again"],
] as const)("%s is shown with what the queue would make of it", async (_what, answer, kind, fate) => {
  site.mossos.behave({ answer });
  const said = await send("--plate", PLATE, "--yes", "--json");
  site.mossos.behave();
  expect(said.exitCode).toBe(1);
  const told = JSON.parse(said.stdout);
  expect(told).toMatchObject({ sent: true, outcome: { kind }, fate: expect.stringContaining(fate) });
});

test("what keeps a reading from being sent at all is told in the reason's words", async () => {
  const long = await send("--dry-run", "--plate", "12345678901234");
  expect([long.exitCode, long.stdout]).toEqual([1, expect.stringContaining("DEAD, CAMPO_NO_VALIDO:matricula")]);
  expect(long.stdout).not.toContain("12345678901234");
  await site.run("municipality", "set", "Vila", "--endpoint", "none");
  const nowhere = await send("--dry-run");
  await site.run("municipality", "set", "Vila", "--endpoint", "police");
  expect(nowhere.stdout).toContain("DEAD, ENDPOINT_URL_NO_CONFIGURADA");
});

test("a message's life is told from the camera's shot to what would free it", async () => {
  site.mossos.behave({ answer: { kind: "code", code: "9" } });
  const service = await site.start();
  await site.send({ serials: [SERIAL], total: 1 });
  await site.until((health) => health["dead_messages"] === 1);
  const [message] = JSON.parse((await site.run("queue", "list", "--json")).stdout);
  const { exitCode, stdout } = await site.run("queue", "explain", `${message.messageId}`);
  await service.stop();
  site.mossos.behave();
  expect(exitCode).toBe(0);
  expect(stdout).toStartWith(`Camera ${SERIAL} read `);
  expect(stdout).toMatch(/it was sent and\s+refused\s+by\s+the\s+police\s+after/);
  expect(stdout.replaceAll("\n", " ")).toContain("It is DEAD (codiRetorn=9): the police understood it and refused it.");
  expect(stdout).toContain(`tattile queue retry ${message.messageId}`);
  for (const line of stdout.split("\n")) expect([...line].length).toBeLessThanOrEqual(80);
  expect((await site.run("queue", "explain", "999999")).stderr).toContain("unknown message 999999");
});

/** `tattile listen` on a port of its own. */
async function listen(...words: string[]) {
  const child = Bun.spawn([BINARY, "listen", "--port", "0", "--env-file", file("tattile.env"), ...words], {
    env: { PATH: process.env["PATH"] ?? "", TMPDIR: process.env["TMPDIR"] ?? "/tmp" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const reader = child.stderr.getReader();
  let noted = "";
  let port = 0;
  while (port === 0) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`listen ended: ${noted}`);
    noted += Buffer.from(value).toString("utf8");
    port = Number(/Listening on port (\d+)/.exec(noted)?.[1] ?? 0);
  }
  const ended = async () => ({ code: await child.exited, stdout: await new Response(child.stdout).text() });
  return { port, child, ended };
}

test("listen shows what a camera sends, stores none of it, and lets no connection end in good order", async () => {
  const { port, ended } = await listen("--count", "2");
  await using camera = await connectCamera(port);
  await camera.write(sampleMessage("read-full.xml"));
  await camera.write(sampleMessage("read-no-context.xml"));
  const { code, stdout } = await ended();
  expect(await camera.ended()).toBe("reset");
  expect(code).toBe(0);
  expect(stdout).toMatch(/score \d+ {2}plate [\d.]+ KiB {2}scene [\d.]+ KiB/);
  expect(stdout).toContain("not registered");
  expect(stdout.replaceAll(/\s+/g, " ")).toContain("no picture of the scene");
  expect(stdout).toContain("2 shown of 2 messages.");
  expect(stdout).toContain("•••");
  expect(camera.received).toBe(0);
  expect(JSON.parse((await site.run("quarantine", "list", "--json")).stdout)).toEqual([]);
});

test("a camera that closes after each message is reset too, and what it sends again is marked", async () => {
  const { port, child, ended } = await listen("--json");
  for (let turn = 0; turn < 2; turn += 1) {
    await using camera = await connectCamera(port);
    await camera.write(sampleMessage("read-full.xml"));
    camera.halfClose();
    expect(await camera.ended()).toBe("reset");
  }
  child.kill("SIGINT");
  const { code, stdout } = await ended();
  expect(code).toBe(0);
  const heard = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(heard.map(({ again, plate }) => [again, plate])).toEqual([
    [false, null],
    [true, null],
  ]);
});

test("listen asks before it takes the port that registered cameras send to, and names who has a port", async () => {
  expect((await site.run("listen")).stderr).toContain("where 1 registered camera sends, and store nothing of it");
  const service = await site.start("ingest");
  const said = await site.run("listen", "--yes");
  await service.stop();
  expect([said.exitCode, said.stderr]).toEqual([1, expect.stringContaining(`port ${site.transitPort} is taken by`)]);
  expect(said.stderr).toContain("systemctl stop tattile");
});
