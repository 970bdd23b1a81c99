/** What an operator sets up once: who sends what, where to, and signed with which certificate. Plain records, ids from the store. */

/** How a message is signed; see docs: what the police accept today, and the modern algorithms. */
export const SIGNATURE_PROFILES = ["compat", "strict"] as const;
export type SignatureProfile = (typeof SIGNATURE_PROFILES)[number];

export interface Municipality {
  id: number;
  name: string;
  code: string | null;
  endpointId: number | null;
  certificateId: number | null;
  active: boolean;
}

export interface Endpoint {
  id: number;
  name: string;
  url: string;
  timeoutMs: number;
  retryMax: number;
  retryBackoffMs: number;
  profile: SignatureProfile;
  /** Null: the WSDL's own where one is given, else empty. */
  soapAction: string | null;
  /** PEM file with the certificate authorities to trust besides the system's. */
  caPath: string | null;
  /** IANA zone in which times are written; null: MOSSOS_TIMEZONE. */
  timezone: string | null;
  /** Address or file of the WSDL; null: MOSSOS_WSDL_URL. */
  wsdl: string | null;
  /** Present the municipality's certificate on TLS too. */
  tlsClientCertificate: boolean;
}

export interface Certificate {
  id: number;
  name: string;
  alias: string | null;
  municipalityId: number | null;
  /** The leaf certificate, then its chain, PEM. */
  clientCertPath: string | null;
  keyPath: string | null;
  /** Public certificate alone, PEM. */
  privpubPath: string | null;
  subject: string | null;
  serialNumber: string | null;
  /** SHA-256 of the DER, hex with colons. */
  fingerprint: string | null;
  validFrom: Date | null;
  validTo: Date | null;
  active: boolean;
}

export interface Camera {
  id: number;
  serial: string;
  /** `codiLector`, given by the police, at most 16 characters. */
  readerCode: string;
  description: string | null;
  municipalityId: number;
  /** Overrides the municipality's. */
  endpointId: number | null;
  /** UTM 31N ETRS89, exactly two decimals, as text: never through a float. */
  coordX: string | null;
  coordY: string | null;
  /** IANA zone of the camera's clock; null: CAMERA_TIMEZONE. */
  timezone: string | null;
  active: boolean;
  lastReadingAt: Date | null;
  lastSentAt: Date | null;
}

export type NewMunicipality = Omit<Municipality, "id">;
export type NewEndpoint = Omit<Endpoint, "id">;
/** What can be left out when an endpoint is registered. */
export type EndpointDefaults = Omit<NewEndpoint, "name" | "url">;

/** Everything that an operator set up. */
export interface Registered {
  endpoints: readonly Endpoint[];
  certificates: readonly Certificate[];
  municipalities: readonly Municipality[];
  cameras: readonly Camera[];
}

/** Reads it. */
export async function listRegistered(
  registry: Pick<Registry, "listEndpoints" | "listCertificates" | "listMunicipalities" | "listCameras">,
): Promise<Registered> {
  const [endpoints, certificates, municipalities, cameras] = await Promise.all([
    registry.listEndpoints(),
    registry.listCertificates(),
    registry.listMunicipalities(),
    registry.listCameras(),
  ]);
  return { endpoints, certificates, municipalities, cameras };
}

/** What an endpoint is where nothing else is said, by the settings. */
export function endpointDefaults(settings: {
  mossos: { timeoutMs: number };
  sender: { retryMax: number; backoffMs: number };
}): EndpointDefaults {
  const { mossos, sender } = settings;
  return {
    timeoutMs: mossos.timeoutMs,
    retryMax: sender.retryMax,
    retryBackoffMs: sender.backoffMs,
    profile: "compat",
    soapAction: null,
    caPath: null,
    timezone: null,
    wsdl: null,
    tlsClientCertificate: false,
  };
}

export type NewCertificate = Omit<Certificate, "id">;
export type NewCamera = Omit<Camera, "id" | "lastReadingAt" | "lastSentAt">;

/** staged: waits for its first valid moment. trying: signs, and nothing was taken with it yet. failed: the earlier one signs again. */
export const ROTATION_STATES = ["staged", "trying", "failed"] as const;

/** A municipality on its way from one certificate to the next. Over when the next one had its first success. */
export interface Rotation {
  municipalityId: number;
  nextId: number;
  /** The one that signed before; null while staged, or when there was none. */
  previousId: number | null;
  state: (typeof ROTATION_STATES)[number];
  /** Why the earlier one signs again; null unless failed. */
  detail: string | null;
  stagedAt: Date;
  /** When the next one began to sign; null while staged. */
  startedAt: Date | null;
}

/** What a write did; the same words go to the operator. */
export type SaveResult = "added" | "changed" | "unchanged";

/** Where a municipality signs from: an id that is in the store, or the place in `certificates` of one to be added. */
export type CertificateChoice = { id: number } | { added: number } | null;

/** Many changes at once; what refers to another record does so by its name, so that it may be added by the same change. */
export interface RegistryChange {
  endpoints: readonly NewEndpoint[];
  /** Added each time; the municipality they belong to follows from `municipalities`. */
  certificates: readonly Omit<NewCertificate, "municipalityId">[];
  municipalities: readonly (Omit<NewMunicipality, "endpointId" | "certificateId"> & {
    endpoint: string | null;
    certificate: CertificateChoice;
  })[];
  cameras: readonly (Omit<NewCamera, "municipalityId" | "endpointId"> & {
    municipality: string;
    endpoint: string | null;
  })[];
  /** Ids; one that is gone already is no error. Refused as the single removals are; a camera while readings of it wait. */
  removed: {
    cameras: readonly number[];
    municipalities: readonly number[];
    certificates: readonly number[];
    endpoints: readonly number[];
  };
}

/**
 * Every write is one transaction that also does what follows from it: waiting messages see the new route at their next
 * claim, pauses of the endpoints and certificates concerned are lifted (`mended`), and DEAD messages that lacked what is
 * there now go back to PENDING. Names are compared without regard to case. Writes are idempotent.
 */
export interface Registry {
  listMunicipalities(): Promise<readonly Municipality[]>;
  listEndpoints(): Promise<readonly Endpoint[]>;
  listCertificates(): Promise<readonly Certificate[]>;
  listCameras(): Promise<readonly Camera[]>;
  findMunicipality(name: string): Promise<Municipality | null>;
  findEndpoint(name: string): Promise<Endpoint | null>;
  findCertificate(idOrName: number | string): Promise<Certificate | null>;
  findCamera(serial: string): Promise<Camera | null>;
  /** Of these cameras those that cannot be removed yet, since messages of them wait, are being sent, or are dead. */
  findWaiting(cameraIds: readonly number[]): Promise<ReadonlySet<number>>;
  /** By name: adds it, or changes the one that is there. */
  saveMunicipality(value: NewMunicipality): Promise<SaveResult>;
  saveEndpoint(value: NewEndpoint): Promise<SaveResult>;
  /** By serial. */
  saveCamera(value: NewCamera): Promise<SaveResult>;
  /** Inserts a certificate and assigns it to its municipality in the same transaction; the earlier one stays listed, unassigned. @returns its id */
  addCertificate(value: NewCertificate): Promise<number>;
  assignCertificate(municipalityId: number, certificateId: number | null): Promise<void>;
  /** @throws AppError `conflict`, naming what still uses it (cameras, waiting messages) and how many. */
  removeMunicipality(id: number): Promise<void>;
  /** `fromUsers`: taken from all that use it, in the same transaction. */
  removeEndpoint(id: number, fromUsers?: boolean): Promise<void>;
  /** The same; a rotation that it is part of still refuses it. */
  removeCertificate(id: number, fromUsers?: boolean): Promise<void>;
  /** Refused while readings of it wait, unless `withReadings`: then they go too, counted as discarded. @returns image paths to erase. */
  removeCamera(id: number, withReadings: boolean): Promise<{ imagePaths: readonly string[]; readings: number }>;
  /**
   * All of it or nothing, in one transaction: adds and changes first (endpoints, certificates, municipalities, cameras), then
   * removes (cameras, municipalities, certificates, endpoints).
   * @throws AppError `not-found` for a name that is not there, `conflict` for a removal of what is still used.
   */
  applyRegistry(change: RegistryChange): Promise<void>;
  /** Both certificates of a rotation cannot be removed until it is over; with its municipality it goes too. */
  listRotations(): Promise<readonly Rotation[]>;
  /** Stages a certificate that is in the store, in the place of one staged or failed before. @throws AppError `conflict` while one is being tried, `not-found` */
  stageRotation(municipalityId: number, certificateId: number, now: Date): Promise<void>;
  /** From staged: assigns the next certificate, with all that follows from that. @returns false: it was not staged any more */
  startRotation(municipalityId: number, now: Date): Promise<boolean>;
  /** From trying. done: it is over. failed: the earlier certificate is assigned again. @returns false: it was not being tried any more */
  finishRotation(
    municipalityId: number,
    result: { kind: "done" } | { kind: "failed"; detail: string },
  ): Promise<boolean>;
  /** Forgets it; the certificate that signs now goes on signing. @returns false: there was none */
  cancelRotation(municipalityId: number): Promise<boolean>;
}
