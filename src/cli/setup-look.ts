import { BACK } from "./setup-dialog.ts";
import type { Kit } from "./setup-kit.ts";
import { NEW, pickCamera } from "./setup-pick.ts";

export async function lookMenu(kit: Kit): Promise<void> {
  const { look } = kit.t;
  const show =
    (...words: string[]) =>
    () =>
      kit.show(words);
  for (;;) {
    const picked = await kit.choose<() => Promise<void>>(look.title, [
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
      { label: look.held, value: show("quarantine", "list") },
      { label: look.totals, value: show("totals") },
      { label: look.audit, value: show("audit", "list") },
    ]);
    if (picked === BACK) return;
    await picked();
  }
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
}

export async function queueMenu(kit: Kit): Promise<void> {
  const { queue } = kit.t;
  /** Says what --dry-run says, asks, and does it. */
  const deed = async (words: readonly string[], confirmed: readonly string[] = []): Promise<void> => {
    if (!(await kit.run([...words, "--dry-run"]))) return;
    if (await kit.isSure(queue.sure(words.join(" ")))) await kit.run([...words, ...confirmed]);
    else kit.say(kit.t.cancelled);
  };
  const retryCamera = async (): Promise<void> => {
    const camera = await pickCamera(kit);
    if (camera !== BACK) await deed(["queue", "retry", "--camera", camera.serial]);
  };
  for (;;) {
    const picked = await kit.choose<() => Promise<void>>(queue.title, [
      { label: queue.retryAll, value: () => deed(["queue", "retry", "--all"]) },
      { label: queue.retryCamera, value: retryCamera },
      { label: queue.discardDead, value: () => deed(["queue", "discard", "--state", "DEAD"], ["--yes"]) },
      { label: queue.heldList, value: () => kit.show(["quarantine", "list"]) },
      { label: queue.heldRetry, value: () => deed(["quarantine", "retry", "--all"]) },
      { label: queue.heldDrop, value: () => deed(["quarantine", "drop", "--all"], ["--yes"]) },
    ]);
    if (picked === BACK) return;
    await picked();
  }
}

export async function serviceMenu(kit: Kit): Promise<void> {
  const { service } = kit.t;
  const restart = async (): Promise<void> => {
    if (await kit.isSure(service.sureRestart)) await kit.run(["restart", "--yes"]);
    else kit.say(kit.t.cancelled);
  };
  for (;;) {
    const picked = await kit.choose<() => Promise<void>>(service.title, [
      { label: service.top, value: () => kit.show(["top"]) },
      { label: service.logs, value: () => kit.show(["logs"]) },
      { label: service.followLogs, value: () => kit.show(["logs", "--follow"]) },
      { label: service.restart, value: restart },
    ]);
    if (picked === BACK) return;
    await picked();
  }
}
