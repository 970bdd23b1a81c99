import type { Config } from "./config.ts";
import { type Explanation, explainMessage } from "./explain.ts";
import { listServices } from "./run-file.ts";
import type { MessageAttempt, QueuedMessage } from "./store/messages.ts";
import type { Store } from "./store/store.ts";

/** Gathers what the life of a message depends on, and tells it. `found` is the message as the store has it. */
export async function gatherExplanation(
  found: { message: QueuedMessage; attempts: readonly MessageAttempt[] },
  store: Store,
  config: Config,
  options: { now: Date; showPlate: boolean },
): Promise<Explanation> {
  const { now, showPlate } = options;
  const [cameras, municipalities, endpoints, certificates, routes, services] = await Promise.all([
    store.listCameras(),
    store.listMunicipalities(),
    store.listEndpoints(),
    store.listCertificates(),
    store.listRouteStates(),
    listServices(config.dataDir, now),
  ]);
  const camera = cameras.find(({ serial }) => serial === found.message.cameraSerial) ?? null;
  const municipality = municipalities.find(({ id }) => id === camera?.municipalityId) ?? null;
  const endpointId = camera?.endpointId ?? municipality?.endpointId ?? null;
  const endpoint = endpoints.find(({ id }) => id === endpointId) ?? null;
  return explainMessage(
    {
      ...found,
      ...{ camera, municipality, endpoint, routes },
      certificate: certificates.find(({ id }) => id === municipality?.certificateId) ?? null,
      defaultUrl: config.mossos.endpointUrl,
      retryMax: endpoint?.retryMax ?? config.sender.retryMax,
      deadRetentionMs: config.sender.deadRetentionMs,
      senderEnabled: config.sender.enabled,
      // Of a shared database another machine may do the sending.
      senderRuns:
        store.info().kind !== "sqlite" || services.some(({ task, state }) => task === "sender" && state === "running"),
    },
    now,
    config.cameraTimezone,
    showPlate,
  );
}
