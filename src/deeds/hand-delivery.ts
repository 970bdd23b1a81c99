import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type AttemptResult, attempt, resolveTarget } from "../attempt.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { DeliveryOutcome } from "../delivery.ts";
import { AppError } from "../errors.ts";
import { maskPlate } from "../format.ts";
import { createIdentityStore } from "../identity-store.ts";
import { silentLog } from "../log.ts";
import { NO_FACTS } from "../reading.ts";
import { createSoapClient, type RawAnswer, type SoapClient } from "../soap/client.ts";
import { verifyEnvelope } from "../soap/verify.ts";
import { builtinContract } from "../soap/wsdl.ts";
import { createContractSource } from "../soap/wsdl-source.ts";
import { parseCertificates } from "../soap/x509.ts";
import type { Camera, Certificate, Endpoint, Municipality, Registry } from "../store/registry.ts";
import type { Claim } from "../store/store.ts";

/** One reading that a person sends; it is in no queue and nothing of it is kept. */
export interface HandReading {
  plate: string;
  capturedAt: Date;
  ocrImage: Uint8Array;
  ctxImage: Uint8Array | null;
  camera: Camera;
  municipality: Municipality;
  endpoint: Endpoint | null;
  certificate: Certificate | null;
}

/** Stands for a plate where nothing is sent. */
export const MADE_UP_PLATE = "0000XXX";

/** Who signs for a camera, and where its readings go. Endpoint null: to MOSSOS_ENDPOINT_URL. @throws AppError `not-found` */
export async function findRoute(
  camera: Camera,
  registry: Registry,
): Promise<Pick<HandReading, "municipality" | "endpoint" | "certificate">> {
  const municipality = (await registry.listMunicipalities()).find(({ id }) => id === camera.municipalityId);
  if (municipality === undefined) throw new AppError("not-found", `camera ${camera.serial}: its municipality is gone`);
  const endpointId = camera.endpointId ?? municipality.endpointId;
  const endpoint = (await registry.listEndpoints()).find(({ id }) => id === endpointId) ?? null;
  const certificate = (await registry.listCertificates()).find(({ id }) => id === municipality.certificateId) ?? null;
  return { municipality, endpoint, certificate };
}

export interface HandDelivery {
  result: AttemptResult;
  /** The whole message as it was signed; null: it did not get that far. */
  envelope: string | null;
  answer: RawAnswer | null;
  contract: { source: string; fields: readonly string[] };
}

/** Nobody else has it, so it may last; a delivery ends with the endpoint's own timeout. */
const LEASE_MS = 3_600_000;

/**
 * Goes the sender's own way with one reading: same checks, same signature, same client, same judgement.
 * @param dryRun true: everything but the POST
 */
export async function deliverByHand(
  reading: HandReading,
  config: Config,
  clock: Clock,
  dryRun: boolean,
  signal: AbortSignal,
): Promise<HandDelivery> {
  const client = createSoapClient({ monotonicMs: clock.monotonicMs, connections: 1 });
  const contracts = createContractSource({ cacheDir: join(config.dataDir, "wsdl"), now: clock.now, log: silentLog });
  let [envelope, answer]: [string | null, RawAnswer | null] = [null, null];
  const watched: SoapClient = {
    post: async (target, signed, options) => {
      envelope = Buffer.concat([...signed.parts]).toString("utf8");
      if (dryRun) return { outcome: NOT_SENT, dateHeader: null, durationMs: 0 };
      return client.post(target, signed, { ...options, onAnswer: (raw) => (answer = raw) });
    },
    close: () => client.close(),
  };
  const claim = toClaim(reading, clock);
  try {
    const target = resolveTarget(claim, config.mossos, config.sender);
    // The sender follows a WSDL from the second message on; here there is only one, so it is waited for.
    contracts.contractFor(target?.wsdl ?? null, target?.caPath ?? null);
    await contracts.settled();
    const contract = contracts.contractFor(target?.wsdl ?? null, target?.caPath ?? null);
    const result = await attempt(
      claim,
      {
        images: { read: async (path) => (path === "ocr" ? reading.ocrImage : reading.ctxImage) },
        identities: createIdentityStore(),
        contracts,
        client: watched,
        mossos: config.mossos,
        sender: config.sender,
        clock,
        randomId: randomUUID,
      },
      signal,
    );
    const source = contract === builtinContract ? "built in" : (target?.wsdl ?? "built in");
    return { result, envelope, answer, contract: { source, fields: contract.elements.map(({ name }) => name) } };
  } finally {
    await Promise.all([client.close(), contracts.close()]);
  }
}

const NOT_SENT: DeliveryOutcome = { kind: "unreachable", detail: "nothing was sent" };

function toClaim(reading: HandReading, clock: Clock): Claim {
  const { camera, municipality, endpoint, certificate, capturedAt } = reading;
  return {
    messageId: 0,
    readingId: 0,
    owner: "by hand",
    leaseUntil: new Date(clock.now().getTime() + LEASE_MS),
    attempts: 0,
    lastFailedAt: null,
    receivedAt: capturedAt,
    capturedAt,
    timeSource: "camera",
    facts: { ...NO_FACTS, plate: reading.plate },
    imageOcrPath: "ocr",
    imageCtxPath: reading.ctxImage === null ? null : "ctx",
    camera,
    municipality,
    endpoint,
    certificate,
    route: { endpointId: endpoint?.id ?? 0, certificateId: certificate?.id ?? 0 },
  };
}

/** Pictures are cut and line breaks put between the elements: for reading, not for verifying. `plate` null: it may be seen. */
export function showEnvelope(xml: string, plateShown: string | null): string {
  const cut = xml.replace(
    /(<(?:\w+:)?(imgMatricula|imgContext)>)([^<]{60,})</g,
    (_all, open, _name, base64: string) => {
      return `${open}${base64.slice(0, 24)}… ${base64.length.toLocaleString("en")} characters …<`;
    },
  );
  const masked = plateShown === null ? cut : cut.replace(/(<(?:\w+:)?matricula>)[^<]*</, `$1${plateShown}<`);
  // After every end, and after a beginning that another one follows; an empty element stays together.
  return masked.replace(/(<\/[^>]*>|\/>)(?=<)/g, "$1\n").replace(/(<[^/][^>]*[^/]>)(?=<[^/])/g, "$1\n");
}

/** An answer may repeat the plate: as it was given, as it was sent (upper case, without blanks), or in another case. */
export function maskAnswer(text: string, plate: string): string {
  const forms = [plate.trim(), plate.replace(/\s+/g, "")].filter((form) => form !== "");
  return forms.reduce((masked, form) => {
    const literal = form.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
    return masked.replace(new RegExp(literal, "giu"), (found) => maskPlate(found));
  }, text);
}

/** What the sender would do with the message. */
export function describeFate(result: AttemptResult): string {
  if (result.kind === "lacking") return `DEAD, ${result.reason}: ${result.detail}`;
  if (result.kind === "late") return "put back: the endpoint's timeout is longer than a lease";
  switch (result.outcome.kind) {
    case "accepted":
      return "delivered: reading, message and pictures are erased";
    case "rejected":
      return `DEAD, codiRetorn=${result.outcome.returnCode}: refused, not sent again by itself`;
    case "unreachable":
      return "FAILED without an attempt spent; the endpoint pauses and is probed";
    case "unanswered":
      return "FAILED, sent again; an attempt is spent only where others are taken";
    case "misconfigured":
      return `FAILED without an attempt spent; ${result.outcome.scope === "certificate" ? "this certificate" : "the endpoint"} pauses until it is mended`;
  }
}

/** What was looked at before the POST; the signature is verified as the far side would. */
export async function describeChecks(
  { envelope, result, contract }: HandDelivery,
  { certificate }: HandReading,
): Promise<string> {
  if (envelope === null) return result.kind === "lacking" ? `stopped: ${result.detail}` : "stopped";
  const fields = `${contract.fields.length} fields as they should be`;
  if (certificate?.clientCertPath == null) return fields;
  const pem = await readFile(certificate.clientCertPath, "utf8");
  const verifies = parseCertificates(pem, "verifying the signature").some((one) => verifyEnvelope(envelope, one));
  return `${fields}; the signature ${verifies ? "verifies" : "DOES NOT VERIFY"}; ${envelope.length.toLocaleString("en")} bytes`;
}

/** All of it as data. `plateShown` null: the plate may be seen. */
export async function reportDelivery(
  delivery: HandDelivery,
  reading: HandReading,
  plateShown: string | null,
  dryRun: boolean,
) {
  const { result, envelope, answer, contract } = delivery;
  const sent = result.kind === "sent" && !dryRun;
  return {
    sent,
    camera: reading.camera.serial,
    endpoint: reading.endpoint?.name ?? null,
    contract,
    verified: await describeChecks(delivery, reading),
    envelope: envelope === null ? null : showEnvelope(envelope, plateShown),
    outcome: sent && result.kind === "sent" ? result.outcome : null,
    durationMs: sent && result.kind === "sent" ? Math.round(result.durationMs) : null,
    httpStatus: answer?.status ?? null,
    lacking: result.kind === "lacking" ? { reason: result.reason, detail: result.detail } : null,
    fate: dryRun && result.kind === "sent" ? null : describeFate(result),
  };
}
