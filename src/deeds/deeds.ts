import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { runChecks } from "../doctor.ts";
import { AppError } from "../errors.ts";
import { maskPlate } from "../format.ts";
import { grayPicture } from "../gray-picture.ts";
import type { ImageStore } from "../images/image-store.ts";
import type { PfxContents } from "../soap/certificate.ts";
import type { WipeKind } from "../store/holdings.ts";
import type { MessageFilter } from "../store/messages.ts";
import type { Camera, Municipality } from "../store/registry.ts";
import type { Store } from "../store/store.ts";
import { eraseCameras, requireGone } from "./camera-removal.ts";
import { stageNextCertificate } from "./certificate-staging.ts";
import { listChecks, probePorts } from "./doctor-checks.ts";
import { deliverByHand, findRoute, MADE_UP_PLATE, reportDelivery } from "./hand-delivery.ts";
import { countTotals } from "./totals.ts";
import { countFields, countWipe, describeCounts, discard, runWipe } from "./wipe.ts";

/** Somebody waits for the answer of each: none of them may last. */
const DOCTOR_CHECK_MS = 15_000;
const DOCTOR_TOTAL_MS = 45_000;
const SEND_MS = 60_000;

type Audited = <T>(detail: string, run: () => Promise<T>) => Promise<T>;

export interface DeedsDeps {
  store: Store;
  images: ImageStore;
  quarantine: ImageStore;
  config: Config;
  clock: Clock;
}

/** All of it, but in the short steps of a process that has cameras to serve. */
const never = (): boolean => false;

/**
 * Rows go with or without their pictures: one that cannot be erased now is swept later. So what was done is told apart from
 * the first failure of a picture, of which whoever asked must hear.
 */
async function withoutPictures<T>(
  images: Pick<ImageStore, "erase">,
  run: (images: Pick<ImageStore, "erase">) => Promise<T>,
): Promise<T & { failure: Error | null }> {
  let failure: Error | null = null;
  const gone = await run({
    erase: (paths) =>
      images.erase(paths).catch((error: unknown) => {
        failure ??= new AppError("internal", "readings were erased, but not all of their pictures", { cause: error });
        return 0;
      }),
  });
  return { ...gone, failure };
}

/** What the API does for an operator with more than the store; for the composition root. */
export function createDeeds(deps: DeedsDeps) {
  const { store, config, clock } = deps;
  const erase = (cameras: readonly Camera[]) =>
    withoutPictures(deps.images, (images) => eraseCameras(cameras, { store, images, isOver: never }));
  return {
    totals: () => countTotals(store, deps),
    eraseCameras: erase,
    eraseCamerasOf: async (municipality: string, cameras: readonly Camera[]) => {
      const gone = await erase(cameras);
      requireGone(municipality, gone);
      return gone;
    },
    discard: async (filter: MessageFilter) => {
      const gone = await withoutPictures(deps.images, (images) => discard(filter, { store, images, isOver: never }));
      await store.scrub();
      return gone;
    },
    /** The checks of `tattile doctor`, but not every page of the database: this process has cameras to serve. */
    doctor: async () => {
      const checks = await listChecks(config, { store }, await probePorts(config), clock, { pages: false });
      return runChecks(checks, clock, { deadlineMs: DOCTOR_CHECK_MS, totalMs: DOCTOR_TOTAL_MS });
    },
    countWipe: async (kind: WipeKind) => {
      const counts = await countWipe(kind, store);
      return { counts: countFields(counts), text: describeCounts(counts) };
    },
    /** Ends between two steps once `isOver`. */
    runWipe: async (kind: WipeKind, isOver: () => boolean) => {
      const { erased, more } = await runWipe(kind, { ...deps, isOver });
      if (!more) await store.scrub();
      return { counts: countFields(erased), more };
    },
    stageCertificate: (
      contents: PfxContents,
      options: { municipality: Municipality; alias: string | null; dryRun: boolean },
      audited: Audited,
    ) => stageNextCertificate(contents, options, { store, config, clock, audited }),
    /** A reading that is taken now, is in no queue, and of which nothing is kept. */
    send: async (
      given: { camera: Camera; plate: string | null; ocr: Uint8Array | null; ctx: Uint8Array | null; dryRun: boolean },
      audited: Audited,
    ) => {
      const { camera, dryRun } = given;
      const plate = given.plate ?? (dryRun ? MADE_UP_PLATE : null);
      if (plate === null)
        throw new AppError("invalid", "body.plate is missing", { hint: "Give a plate to be reported." });
      const route = await findRoute(camera, store);
      const pictures = { ocrImage: given.ocr ?? grayPicture(16, 4), ctxImage: given.ctx };
      const reading = { plate, capturedAt: clock.now(), ...pictures, camera, ...route };
      // Who waits hears of an endpoint that takes its time before his own patience ends.
      const { mossos } = config;
      const patient = { ...config, mossos: { ...mossos, timeoutMs: Math.min(mossos.timeoutMs, SEND_MS) } };
      const endpoint =
        route.endpoint === null ? null : { ...route.endpoint, timeoutMs: Math.min(route.endpoint.timeoutMs, SEND_MS) };
      const unstopped = new AbortController().signal;
      const deliver = async () => {
        const delivery = await deliverByHand({ ...reading, endpoint }, patient, clock, dryRun, unstopped);
        return reportDelivery(delivery, reading, maskPlate(plate), dryRun);
      };
      const detail = `camera ${camera.serial} to ${route.endpoint?.name ?? "the default endpoint"}`;
      return dryRun ? deliver() : audited(detail, deliver);
    },
  };
}
