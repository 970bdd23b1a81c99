import { networkInterfaces } from "node:os";
import { BACK } from "./setup-dialog.ts";
import type { Kit } from "./setup-kit.ts";

/** Offered first: the service has TRANSIT_PORT. */
const SPARE_PORT = 33_340;

/** What cameras send to a port of its own, until a key is pressed. */
export async function listenLive(kit: Kit, transitPort: number): Promise<void> {
  const { ask, service, wizard } = kit.t;
  const port = await kit.ask(ask.listenPort, {
    initial: `${SPARE_PORT}`,
    check: (text) => (/^[1-9]\d{0,4}$/.test(text) && Number(text) <= 65_535 ? null : ask.listenPortWrong),
  });
  if (port === BACK) return;
  const isTheirs = Number(port) === transitPort;
  if (isTheirs && !(await kit.isSure(service.listenLoss))) return kit.say(kit.t.cancelled);
  kit.say(wizard.pointCamera(ownAddresses().join(" / "), Number(port)));
  kit.say(service.listenEnds);
  await kit.showUntilKey(["listen", "--port", port, ...(isTheirs ? ["--yes"] : [])]);
}

/** Where a camera reaches this machine. */
export function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const outside = all.filter(({ family, internal }) => family === "IPv4" && !internal).map(({ address }) => address);
  return outside.length > 0 ? outside : ["127.0.0.1"];
}
