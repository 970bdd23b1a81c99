import { checkCertificate, firstValidMoment } from "../certificate-check.ts";
import { makeCertificateCurrent } from "../certificate-files.ts";
import { layCertificate } from "../certificate-import.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { readCertificateFiles } from "../doctor-system.ts";
import { AppError } from "../errors.ts";
import { grayPicture } from "../gray-picture.ts";
import type { PfxContents } from "../soap/certificate.ts";
import type { Certificate, Municipality } from "../store/registry.ts";
import type { Store } from "../store/store.ts";
import { deliverByHand, findRoute, MADE_UP_PLATE } from "./hand-delivery.ts";

export interface Staging {
  /** What was tried with it, in words. */
  tried: string;
  /** The one that signs until now; null: none. */
  present: Certificate | null;
  /** checked: nothing was kept. signing: from now on. staged: the service uses it by itself once it is valid. */
  state: "checked" | "signing" | "staged";
}

export interface StagingDeps {
  store: Store;
  config: Config;
  clock: Clock;
  /** Writes down what is about to be done, and does it. */
  audited(detail: string, run: () => Promise<void>): Promise<void>;
}

/**
 * Lays the next certificate of a municipality beside the one that signs: checked, and tried with a message that is not sent.
 * Files first, then the rows; refused, it leaves neither.
 * @throws AppError `conflict` when it signs already or another one is being tried, `invalid` when it cannot sign as the police ask for
 */
export async function stageNextCertificate(
  contents: PfxContents,
  options: { municipality: Municipality; alias: string | null; dryRun: boolean },
  { store, config, clock, audited }: StagingDeps,
): Promise<Staging> {
  const { municipality, alias, dryRun } = options;
  const certificates = await store.listCertificates();
  const present = certificates.find(({ id }) => id === municipality.certificateId) ?? null;
  if (present?.fingerprint === contents.fingerprint) {
    throw new AppError("conflict", `cert rotate: ${municipality.name} signs with this certificate already`, {
      hint: "give the next one",
    });
  }
  const laid = await layCertificate(contents, { municipality, alias, certsDir: config.certsDir }, store);
  const validNow = contents.validFrom <= clock.now();
  let isStaged = false;
  try {
    const tried = await tryOut({ id: 0, ...laid.row }, municipality, store, config, clock);
    if (dryRun) {
      await laid.undo();
      return { tried, present, state: "checked" };
    }
    const detail = `${municipality.name}: ${contents.subject}, valid from ${contents.validFrom.toISOString()}`;
    await audited(detail, async () => {
      const id = await laid.addRow();
      await store.stageRotation(municipality.id, id, clock.now());
      isStaged = true;
      if (!validNow) return;
      await store.startRotation(municipality.id, clock.now());
      makeCertificateCurrent(config.certsDir, laid.keyPath);
    });
    return { tried, present, state: validNow ? "signing" : "staged" };
  } catch (error) {
    // Once it is staged it is the store's: the rotation names it.
    if (!isStaged) await laid.undo();
    throw error;
  }
}

/** @returns what was tried, in words. @throws AppError `invalid` when it cannot sign as the police ask for */
async function tryOut(
  certificate: Certificate,
  municipality: Municipality,
  store: Store,
  config: Config,
  clock: Clock,
): Promise<string> {
  const at = firstValidMoment(certificate, clock.now());
  const findings = await checkCertificate(certificate, municipality.name, await readCertificateFiles(certificate), at);
  const wrong = findings.find(({ grade }) => grade === "bad");
  if (wrong !== undefined) throw new AppError("invalid", `cert rotate: ${wrong.text}`, { hint: wrong.cure ?? "" });
  const camera = (await store.listCameras()).find((c) => c.municipalityId === municipality.id && c.active);
  const route = camera === undefined ? null : await findRoute(camera, store);
  if (camera === undefined || route === null || (route.endpoint === null && config.mossos.endpointUrl === null)) {
    return "a test message signed with it verifies (no camera with an endpoint to sign one of)";
  }
  const { endpoint } = route;
  const reading = {
    ...{ plate: MADE_UP_PLATE, capturedAt: at, ocrImage: grayPicture(16, 4), ctxImage: null },
    ...{ camera, municipality, endpoint, certificate },
  };
  const { result } = await deliverByHand(reading, config, clock, true, new AbortController().signal);
  if (result.kind === "lacking") {
    throw new AppError(
      "invalid",
      `cert rotate: a message of camera ${camera.serial} cannot be signed: ${result.detail}`,
    );
  }
  return `a message of camera ${camera.serial} to ${endpoint?.name ?? "the default endpoint"} is signed with it and verifies`;
}
