import type { Clock } from "./clock.ts";
import type { Config } from "./config.ts";
import type { DeliveryOutcome } from "./delivery.ts";
import { errorText } from "./errors.ts";
import type { IdentityStore } from "./identity-store.ts";
import { maskImagePath } from "./image-path.ts";
import type { ImageStore } from "./images/image-store.ts";
import { REASON } from "./message.ts";
import type { SoapClient } from "./soap/client.ts";
import { buildFields, checkFields } from "./soap/envelope.ts";
import { type SigningIdentity, signEnvelope } from "./soap/sign.ts";
import type { ContractSource } from "./soap/wsdl-source.ts";
import { endpointDefaults, type SignatureProfile } from "./store/registry.ts";
import type { Claim } from "./store/store.ts";
import { wallClockAt } from "./time-zone.ts";

/** Where one message goes, with the configured defaults filled in. */
export interface Target {
  url: string;
  timeoutMs: number;
  retryMax: number;
  retryBackoffMs: number;
  profile: SignatureProfile;
  soapAction: string | null;
  caPath: string | null;
  timezone: string;
  wsdl: string | null;
  tlsClientCertificate: boolean;
}

/** What came of one claim: it lacks something and is DEAD, its lease is nearly over, or something was sent. */
export type AttemptResult =
  | { kind: "lacking"; reason: string; detail: string }
  | { kind: "late" }
  | {
      kind: "sent";
      outcome: DeliveryOutcome;
      target: Target;
      startedAt: Date;
      durationMs: number;
      serverDate: Date | null;
    };

export interface AttemptDeps {
  images: Pick<ImageStore, "read">;
  identities: IdentityStore;
  contracts: ContractSource;
  client: SoapClient;
  mossos: Config["mossos"];
  sender: Config["sender"];
  clock: Clock;
  randomId(): string;
}

/** The camera's endpoint, else the municipality's (the claim has that settled), else MOSSOS_ENDPOINT_URL, else null. */
export function resolveTarget(claim: Claim, mossos: Config["mossos"], sender: Config["sender"]): Target | null {
  const { endpoint } = claim;
  if (endpoint !== null) {
    return { ...endpoint, timezone: endpoint.timezone ?? mossos.timezone, wsdl: endpoint.wsdl ?? mossos.wsdl };
  }
  if (mossos.endpointUrl === null) return null;
  const { timezone, wsdl } = mossos;
  return { ...endpointDefaults({ mossos, sender }), url: mossos.endpointUrl, timezone, wsdl };
}

/**
 * One delivery: checks what it needs, signs at this moment, and posts once. Never throws for what may go wrong out there.
 * @param signal aborts a POST under way when the process must stop
 */
export async function attempt(claim: Claim, deps: AttemptDeps, signal: AbortSignal): Promise<AttemptResult> {
  const { clock, mossos } = deps;
  if (claim.imageOcrPath === null) return lacking(REASON.noOcrImage, "the reading came without its plate picture");
  const [ocrImage, ctxImage] = await Promise.all([
    deps.images.read(claim.imageOcrPath),
    claim.imageCtxPath === null ? null : deps.images.read(claim.imageCtxPath),
  ]);
  if (ocrImage === null || ocrImage.length === 0) {
    // Operators know the reason with the path behind it.
    const reason = `${REASON.noOcrFile}:${maskImagePath(claim.imageOcrPath)}`;
    return lacking(
      reason,
      ocrImage === null ? "the plate picture's file is gone" : "the plate picture's file is empty",
    );
  }
  if (claim.imageCtxPath !== null && ctxImage === null) {
    return lacking(`${REASON.noCtxFile}:${maskImagePath(claim.imageCtxPath)}`, "the context picture's file is gone");
  }
  const { certificate } = claim;
  if (certificate === null) return lacking(REASON.noCertificate, "the municipality has no certificate");
  const target = resolveTarget(claim, mossos, deps.sender);
  if (target === null) return lacking(REASON.noEndpoint, "neither camera nor municipality has an endpoint");
  let identity: SigningIdentity;
  try {
    identity = await deps.identities.load(certificate);
  } catch (error) {
    return lacking(REASON.incompleteCertificate, errorText(error));
  }
  const contract = deps.contracts.contractFor(target.wsdl, target.caPath);
  const fields = buildFields({
    ...claim.camera,
    wall: wallClockAt(claim.capturedAt, claim.timeSource === "wall-clock" ? "UTC" : target.timezone),
    reading: claim.facts,
  });
  const [problem] = checkFields(contract, fields);
  if (problem !== undefined) return lacking(`${REASON.invalidField}:${problem.field}`, problem.problem);

  // The lease must outlive the POST: whoever else takes the message over would send it a second time.
  const startedAt = clock.now();
  if (startedAt.getTime() + target.timeoutMs > claim.leaseUntil.getTime()) return { kind: "late" };
  const envelope = await signEnvelope({
    contract,
    fields,
    ocrImage,
    ctxImage,
    identity,
    profile: target.profile,
    createdAt: startedAt,
    randomId: deps.randomId,
  });
  const { outcome, dateHeader, durationMs } = await deps.client.post(
    {
      url: target.url,
      caPath: target.caPath,
      clientCertificate:
        target.tlsClientCertificate && certificate.clientCertPath !== null && certificate.keyPath !== null
          ? { certPath: certificate.clientCertPath, keyPath: certificate.keyPath }
          : null,
      soapAction: target.soapAction ?? contract.soapAction,
      successCodes: mossos.successCodes,
      secrets: [claim.facts.plate, fields["matricula"] ?? ""],
    },
    envelope,
    { deadlineMs: target.timeoutMs, signal },
  );
  return { kind: "sent", outcome, target, startedAt, durationMs, serverDate: dateHeader };
}

function lacking(reason: string, detail: string): AttemptResult {
  return { kind: "lacking", reason, detail };
}
