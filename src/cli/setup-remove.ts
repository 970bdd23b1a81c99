import { BACK, offer } from "./setup-dialog.ts";
import type { Kit } from "./setup-kit.ts";
import { pickCamera, pickCertificate, pickEndpoint, pickMunicipality } from "./setup-pick.ts";
import { sayCounts, sayRemoved } from "./setup-said.ts";

interface Would {
  readings: number;
  images: number;
}

interface Removed {
  removed: boolean;
  waiting: number;
  readings?: number;
  images?: number;
}

/** Everything here asks with the numbers that --dry-run gives, and then goes ahead with --yes. */
export async function removeMenu(kit: Kit): Promise<void> {
  const { remove } = kit.t;
  await offer(kit, remove.title, [
    { label: remove.camera, value: () => removeCamera(kit) },
    { label: remove.municipality, value: () => removeMunicipality(kit) },
    { label: remove.certificate, value: () => removeCertificate(kit) },
    { label: remove.rotation, value: () => cancelRotation(kit) },
    { label: remove.endpoint, value: () => removeEndpoint(kit) },
    { label: remove.wipeQueue, value: () => wipe(kit, "queue") },
    { label: remove.wipeReadings, value: () => wipe(kit, "readings") },
    { label: remove.wipeImages, value: () => wipe(kit, "images") },
    { label: remove.wipeAll, value: () => wipe(kit, "all") },
  ]);
}

async function goAhead<T>(
  kit: Kit,
  question: string,
  words: readonly string[],
  say: (said: T) => string,
): Promise<void> {
  if (await kit.isSure(question)) await kit.run([...words, "--yes"], say);
  else kit.say(kit.t.cancelled);
}

async function removeCamera(kit: Kit): Promise<void> {
  const { remove } = kit.t;
  const camera = await pickCamera(kit);
  if (camera === BACK) return;
  const words = ["camera", "remove", camera.serial];
  const { readings, images } = await kit.query<Would>([...words, "--dry-run"]);
  const keeps =
    readings === 0
      ? false
      : await kit.choose(remove.keepQueue, [
          { label: remove.keepQueueYes, value: true },
          { label: remove.keepQueueNo, value: false },
        ]);
  if (keeps === BACK) return;
  const question = keeps
    ? remove.sureRetire(camera.serial, readings)
    : readings === 0
      ? remove.sureNamed(camera.serial)
      : remove.sureCamera(camera.serial, readings, images);
  await goAhead(kit, question, keeps ? [...words, "--keep-queue"] : words, (said: Removed) =>
    said.removed ? sayRemoved(kit.t, camera.serial)(said) : kit.t.said.retires(said.waiting),
  );
}

async function removeMunicipality(kit: Kit): Promise<void> {
  const { remove, no, yes } = kit.t;
  const town = await pickMunicipality(kit);
  if (town === BACK) return;
  const cascade =
    town.cameras === 0
      ? false
      : await kit.choose(remove.cascade, [
          { label: no, value: false },
          { label: yes, value: true },
        ]);
  if (cascade === BACK) return;
  const words = ["municipality", "remove", town.name, ...(cascade ? ["--cascade"] : [])];
  const would = await kit.query<Would & { cameras: number }>([...words, "--dry-run"]);
  const question = cascade
    ? remove.sureMunicipality(town.name, would.cameras, would.readings, would.images)
    : remove.sureNamed(town.name);
  await goAhead(kit, question, words, sayRemoved(kit.t, town.name));
}

async function removeCertificate(kit: Kit): Promise<void> {
  const { remove } = kit.t;
  const certificate = await pickCertificate(kit);
  if (certificate === BACK) return;
  if (certificate.inUse && !(await kit.isSure(remove.force))) return;
  const words = ["cert", "remove", `${certificate.id}`, ...(certificate.inUse ? ["--force"] : [])];
  const name = `${certificate.id} ${certificate.name}`;
  await goAhead(kit, remove.sureNamed(name), words, sayRemoved(kit.t, name));
}

async function cancelRotation(kit: Kit): Promise<void> {
  const { t } = kit;
  const rotations = await kit.query<{ municipality: string; validFrom: string | null }[]>(["cert", "rotate"]);
  if (rotations.length === 0) return kit.say(t.nothingThere);
  const town = await kit.choose(
    t.ask.whichMunicipality,
    rotations.map(({ municipality, validFrom }) => ({
      label: municipality,
      hint: validFrom?.slice(0, 10) ?? "",
      value: municipality,
    })),
  );
  if (town === BACK) return;
  if (!(await kit.isSure(t.remove.sureRotation(town)))) return kit.say(t.cancelled);
  await kit.run(["cert", "rotate", "--cancel", "--municipality", town], () => t.said.rotationForgotten(town));
}

async function removeEndpoint(kit: Kit): Promise<void> {
  const { remove } = kit.t;
  const endpoint = await pickEndpoint(kit);
  if (endpoint === BACK) return;
  const [towns, cameras] = [
    await kit.query<{ endpoint: string | null }[]>(["municipality", "list"]),
    await kit.query<{ endpoint: string | null }[]>(["camera", "list"]),
  ];
  const isUsed = [...towns, ...cameras].some((user) => user.endpoint === endpoint.name);
  if (isUsed && !(await kit.isSure(remove.force))) return;
  const words = ["endpoint", "remove", endpoint.name, ...(isUsed ? ["--force"] : [])];
  await goAhead(kit, remove.sureNamed(`${endpoint.name} (${endpoint.url})`), words, sayRemoved(kit.t, endpoint.name));
}

async function wipe(kit: Kit, what: "queue" | "readings" | "images" | "all"): Promise<void> {
  const { would } = await kit.query<{ would: Record<string, number> }>(["wipe", what, "--dry-run"]);
  const { t } = kit;
  if (Object.values(would).every((count) => count === 0)) {
    kit.say(t.nothingThere);
    return;
  }
  await goAhead(
    kit,
    t.remove.sureWipe(sayCounts(t, would)),
    ["wipe", what],
    ({ erased }: { erased: Record<string, number> }) => t.said.erased(sayCounts(t, erased)),
  );
}
