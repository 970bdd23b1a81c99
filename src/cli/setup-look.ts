import { BACK, offer } from "./setup-dialog.ts";
import type { Kit } from "./setup-kit.ts";
import { listenLive } from "./setup-listen.ts";
import { NEW, pickCamera } from "./setup-pick.ts";
import { sayCounts } from "./setup-said.ts";

export async function lookMenu(kit: Kit): Promise<void> {
  const { look } = kit.t;
  const show =
    (...words: string[]) =>
    async () => {
      await kit.show(words);
      await kit.pause();
    };
  await offer(kit, look.title, [
    { label: look.status, value: show("status") },
    { label: look.doctor, value: show("doctor") },
    { label: look.readings, value: () => lookAtReadings(kit) },
    { label: look.queueByCamera, value: show("queue", "summary") },
    { label: look.queueByMunicipality, value: show("queue", "summary", "--by", "municipality") },
    { label: look.queueByState, value: show("queue", "summary", "--by", "state") },
    { label: look.failures, value: show("queue", "list", "--state", "FAILED,DEAD") },
    { label: look.cameras, value: show("camera", "list") },
    { label: look.municipalities, value: show("municipality", "list") },
    { label: look.endpoints, value: show("endpoint", "list") },
    { label: look.certificates, value: show("cert", "list") },
    { label: look.rotations, value: show("cert", "rotate") },
    { label: look.held, value: show("quarantine", "list") },
    { label: look.totals, value: show("totals") },
    { label: look.audit, value: show("audit", "list") },
  ]);
}

async function lookAtReadings(kit: Kit): Promise<void> {
  const { look, ask } = kit.t;
  const which = await kit.choose(look.whichReadings, [
    { label: look.allCameras, value: NEW },
    { label: ask.whichCamera, value: null },
  ]);
  if (which === BACK) return;
  const camera = which === NEW ? NEW : await pickCamera(kit);
  if (camera === BACK) return;
  const plates = await kit.isSure(look.plates);
  await kit.show([
    "readings",
    "list",
    ...(camera === NEW ? [] : ["--camera", camera.serial]),
    ...(plates ? ["--show-plates"] : []),
  ]);
  await kit.pause();
}

export async function queueMenu(kit: Kit): Promise<void> {
  const { queue } = kit.t;
  const { said } = kit.t;
  /** Says what --dry-run says, asks, and does it. */
  const deed = async (
    words: readonly string[],
    confirmed: readonly string[],
    would: (said: Record<string, number>) => string,
    done: (said: Record<string, number>) => string,
  ): Promise<void> => {
    if (!(await kit.run([...words, "--dry-run"], would))) return;
    if (await kit.isSure(queue.sure(words.join(" ")))) await kit.run([...words, ...confirmed], done);
    else kit.say(kit.t.cancelled);
  };
  const retry = (...filter: string[]): Promise<void> =>
    deed(
      ["queue", "retry", ...filter],
      [],
      ({ wouldRetry = 0 }) => said.wouldRetry(wouldRetry),
      ({ retried = 0 }) => said.retried(retried),
    );
  const retryCamera = async (): Promise<void> => {
    const camera = await pickCamera(kit);
    if (camera !== BACK) await retry("--camera", camera.serial);
  };
  const tryDelivery = async (): Promise<void> => {
    const camera = await pickCamera(kit);
    if (camera === BACK) return;
    await kit.show(["send", "--camera", camera.serial, "--dry-run"]);
    await kit.pause();
  };
  const discardDead = (): Promise<void> =>
    deed(
      ["queue", "discard", "--state", "DEAD"],
      ["--yes"],
      ({ wouldDiscard = 0 }) => said.wouldDiscard(wouldDiscard),
      ({ discarded = 0, images = 0 }) => said.erased(sayCounts(kit.t, { readings: discarded, images })),
    );
  const retryHeld = (): Promise<void> =>
    deed(
      ["quarantine", "retry", "--all"],
      [],
      ({ wouldRetry = 0 }) => said.wouldRetryHeld(wouldRetry),
      (results) => said.retriedHeld(sayCounts(kit.t, results)),
    );
  const dropHeld = (): Promise<void> =>
    deed(
      ["quarantine", "drop", "--all"],
      ["--yes"],
      ({ wouldDrop = 0 }) => said.wouldDropHeld(wouldDrop),
      ({ dropped = 0 }) => said.erased(sayCounts(kit.t, { heldMessages: dropped })),
    );
  await offer(kit, queue.title, [
    { label: queue.tryDelivery, value: tryDelivery },
    { label: queue.retryAll, value: () => retry("--all") },
    { label: queue.retryCamera, value: retryCamera },
    { label: queue.discardDead, value: discardDead },
    { label: queue.heldList, value: () => kit.show(["quarantine", "list"]) },
    { label: queue.heldRetry, value: retryHeld },
    { label: queue.heldDrop, value: dropHeld },
  ]);
}

export async function serviceMenu(kit: Kit, transitPort: number): Promise<void> {
  const { service } = kit.t;
  const restart = async (): Promise<void> => {
    if (!(await kit.isSure(service.sureRestart))) kit.say(kit.t.cancelled);
    else if (await kit.run(["restart", "--yes"])) kit.say(kit.t.said.restarted);
  };
  await offer(kit, service.title, [
    { label: service.top, value: () => kit.show(["top"]) },
    { label: service.logs, value: () => kit.show(["logs"]) },
    { label: service.followLogs, value: () => kit.show(["logs", "--follow"]) },
    { label: service.listen, value: () => listenLive(kit, transitPort) },
    { label: service.restart, value: restart },
  ]);
}
