import { type Finding, good, warning } from "./finding.ts";

/** What waits to be installed on this machine, as apt-get tells it. */
export interface UpdateProbe {
  /** Names in apt's order; null: there is no apt-get, `problem` empty, or it could not be asked. */
  waiting: readonly { name: string; isSecurity: boolean }[] | null;
  problem: string | null;
  /** Packages for which the machine waits to be started anew; null: it does not wait. */
  restartFor: readonly string[] | null;
}

/** So many are named. */
const NAMED = 5;

/** `apt-get -s upgrade`: a line `Inst name [old] (new archive [architecture])` for each package. */
export function parseUpgrade(text: string): readonly { name: string; isSecurity: boolean }[] {
  return text.split("\n").flatMap((line) => {
    const [, name, origin] = /^Inst (\S+) (?:\[[^\]]*\] )?\((.*?)\)/.exec(line) ?? [];
    return name === undefined ? [] : [{ name, isSecurity: /security/i.test(origin ?? "") }];
  });
}

export function judgeUpdates({ waiting, problem, restartFor }: UpdateProbe): readonly Finding[] {
  const [updates, restart] = ["updates", "restart of the machine"];
  const restarts =
    restartFor === null
      ? []
      : [
          warning(
            restart,
            `it waits for one${restartFor.length === 0 ? "" : `, for ${nameSome(restartFor)}`}`,
            "sudo reboot, when it suits: the cameras keep their readings meanwhile, nothing is lost",
          ),
        ];
  if (waiting === null) {
    const unknown = problem === null ? "no apt-get on this machine: they are yours to see to" : `not known: ${problem}`;
    return [good(updates, unknown), ...restarts];
  }
  if (waiting.length === 0) return [good(updates, "no package waits"), ...restarts];
  const security = waiting.filter(({ isSecurity }) => isSecurity).map(({ name }) => name);
  const wait = waiting.length === 1 ? "1 package waits" : `${waiting.length} packages wait`;
  const text =
    security.length === 0
      ? `${wait}, none for security: ${nameSome(waiting.map(({ name }) => name))}`
      : `${wait}, ${security.length} for security: ${nameSome(security)}`;
  return [warning(updates, text, "sudo apt-get update && sudo apt-get upgrade"), ...restarts];
}

function nameSome(names: readonly string[]): string {
  const more = names.length - NAMED;
  return `${names.slice(0, NAMED).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
