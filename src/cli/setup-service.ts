import { type Answer, BACK } from "./setup-dialog.ts";
import type { Kit } from "./setup-kit.ts";
import { waitFor } from "./setup-wait.ts";
import { listUnits, show } from "./systemd.ts";

/** What a service that does not start said last; enough for its reason. */
const LAST_WORDS_CHARS = 4000;

/** The service as this menu may have started it. */
export interface OwnService {
  /** True when ingest and sender run, whoever started them. */
  isRunning(kit: Kit): Promise<boolean>;
  /** Asks whether and how to start it, and does. */
  offer(kit: Kit): Promise<Answer<"next">>;
  /** Ends what this menu started. */
  end(kit: Kit): Promise<void>;
}

/** `mayRunHere`: this user may run the service in a process of its own. */
export function createOwnService(mayRunHere: boolean): OwnService {
  let child: Bun.Subprocess<"ignore", "pipe", "pipe"> | null = null;
  let lastWords = "";

  const listen = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) lastWords = (lastWords + decoder.decode(chunk)).slice(-LAST_WORDS_CHARS);
  };
  const isRunning = async (kit: Kit): Promise<boolean> => {
    // Without services: the store cannot be opened, which the commands that follow will say.
    const { services = [] } = await kit.query<{ services?: { task: string; state: string }[] }>(["status"]);
    return ["ingest", "sender"].every((task) => services.some((s) => s.task === task && s.state === "running"));
  };

  const isAlive = (): boolean => child !== null && child.exitCode === null && child.signalCode === null;
  const startHere = async (kit: Kit): Promise<void> => {
    // One that is still starting: a second one would find its ports taken, and the first would be nobody's to end.
    if (isAlive()) return;
    lastWords = "";
    const started = Bun.spawn([...kit.program, "run", "all"], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    child = started;
    void listen(started.stdout);
    void listen(started.stderr);
  };
  const startUnit = async (kit: Kit): Promise<void> => {
    await kit.out.flush();
    lastWords = "";
    const code = await show("systemctl", ["enable", "--now", "tattile.service"]);
    if (code !== 0) lastWords = `systemctl enable --now tattile.service: ${code}`;
  };

  return {
    isRunning,
    async offer(kit) {
      const { wizard } = kit.t;
      for (;;) {
        if (await isRunning(kit)) {
          kit.say(wizard.serviceRuns);
          return "next";
        }
        const picked = await kit.choose<(() => Promise<void>) | null>(wizard.serviceStopped, [
          ...((await hasUnit()) ? [{ label: wizard.startUnit, value: () => startUnit(kit) }] : []),
          ...(mayRunHere ? [{ label: wizard.startHere, value: () => startHere(kit) }] : []),
          { label: wizard.later, value: null },
        ]);
        if (picked === BACK) return BACK;
        if (picked === null) return "next";
        await picked();
        const started = await waitFor(
          kit,
          () => wizard.starting,
          async () => {
            if (lastWords.startsWith("systemctl") || (child !== null && !isAlive())) return "failed";
            return (await isRunning(kit)) ? "running" : null;
          },
        );
        if (started === "running") {
          kit.say(wizard.started);
          return "next";
        }
        if (started === "failed") {
          kit.say(`${wizard.startFailed}\n${lastWords.trim()}`);
          child = null;
        }
      }
    },
    async end(kit) {
      if (child === null || !isAlive()) return;
      kit.say(kit.t.wizard.leaveRunning);
      child.kill("SIGTERM");
      await child.exited;
    },
  };
}

/** Whether systemd runs here and knows tattile. */
async function hasUnit(): Promise<boolean> {
  try {
    return (await listUnits()).some(({ unit }) => unit === "tattile.service");
  } catch {
    // Not a machine with systemd: then there is nothing to offer, whatever the reason.
    return false;
  }
}
