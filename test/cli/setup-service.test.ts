import { expect, test } from "bun:test";
import { EventEmitter } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Kit } from "../../src/cli/setup-kit.ts";
import { createOwnService } from "../../src/cli/setup-service.ts";
import { en } from "../../src/i18n/en.ts";

/** Stands for a service that starts and is never heard of, and writes its pid down. */
function openStarting() {
  const folder = mkdtempSync(join(tmpdir(), "tattile-own-"));
  const file = join(folder, "pids");
  const pids = (): number[] =>
    existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean).map(Number) : [];
  return {
    program: ["sh", "-c", `echo $$ >> ${file}; exec sleep 600`],
    pids,
    async firstPid(): Promise<number> {
      for (;;) {
        const [pid] = pids();
        if (pid !== undefined) return pid;
        await Bun.sleep(5);
      }
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

/** A menu that picks these in turn; `onWaiting` is what happens while it waits. */
function menuOf(program: readonly string[], picks: string[], onWaiting: (input: EventEmitter) => void) {
  const said: string[] = [];
  const nothing = (): void => {};
  const input = Object.assign(new EventEmitter(), {
    ...{ setRawMode: nothing, setEncoding: nothing, resume: nothing, pause: nothing },
  });
  const kit = {
    ...{ t: en, program, input, say: (text: string) => said.push(text), query: async () => ({ services: [] }) },
    out: { progress: () => onWaiting(input), clearProgress: nothing, flush: async () => {} },
    choose: async (_: string, choices: { label: string; value: unknown }[]) => {
      const wanted = picks.shift();
      return choices.find(({ label }) => label === wanted)?.value;
    },
  };
  return { kit: kit as unknown as Kit, said };
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test("a service that is still starting is not started a second time, and ends with the menu", async () => {
  using starting = openStarting();
  const { startHere, later } = en.wizard;
  const { kit } = menuOf(starting.program, [startHere, startHere, later], (input) => {
    // The first has begun before Esc is pressed; were there a second, so would it.
    void starting
      .firstPid()
      .then(() => Bun.sleep(50))
      .then(() => input.emit("data", "\x1b"));
  });
  const service = createOwnService(true);
  expect(await service.offer(kit)).toBe("next");
  const begun = starting.pids();
  await service.end(kit);
  expect(begun.length).toBe(1);
  expect(begun.filter(lives)).toEqual([]);
});

test("a service that a signal ends while it starts has failed, and is not waited for", async () => {
  using starting = openStarting();
  const { kit, said } = menuOf(starting.program, [en.wizard.startHere, en.wizard.later], () => {
    void starting.firstPid().then((pid) => lives(pid) && process.kill(pid, "SIGKILL"));
  });
  expect(await createOwnService(true).offer(kit)).toBe("next");
  expect(said.join("\n")).toContain(en.wizard.startFailed);
});
