import { type TSchema, Type } from "typebox";
import { endpointUrl, readerCode } from "../registry-values.ts";
import { SIGNATURE_PROFILES } from "../store/registry.ts";
import { Camera, Endpoint, exactly, Instant, listOf, Municipality, named, nullable } from "./schemas.ts";

const maybe = <S extends TSchema>(schema: S) => Type.Optional(nullable(schema));
const text = (most: number) =>
  Type.String({
    minLength: 1,
    maxLength: most,
    pattern: "^[^\\p{Cc}]+$",
    description: `1 to ${most} characters without line breaks`,
  });

export const EntityName = exactly({ name: text(100) });
export const CameraSerial = exactly({ serial: text(64) });
const Coordinate = Type.String({
  pattern: "^\\d{1,8}\\.\\d{2}$",
  description: "UTM 31N metres with exactly two decimals, as 431234.50",
});
const Zone = Type.String({ minLength: 1, maxLength: 64, description: "a zone name such as Europe/Madrid" });

/** What a PUT may say; what is left out stays as it is, or takes the default of a new one; null clears. */
export const MunicipalityFields = named(
  "MunicipalityFields",
  exactly({
    code: maybe(text(50)),
    endpoint: Type.Optional(
      nullable(Type.String({ minLength: 1, maxLength: 100, description: "name of an endpoint" })),
    ),
    active: Type.Optional(Type.Boolean()),
  }),
);

export const EndpointFields = named(
  "EndpointFields",
  exactly({
    url: Type.Optional(Type.String({ minLength: 1, maxLength: 2000, description: endpointUrl.allowed })),
    timeoutMs: Type.Optional(Type.Integer({ minimum: 1000, maximum: 600_000 })),
    retryMax: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
    retryBackoffMs: Type.Optional(Type.Integer({ minimum: 100, maximum: 3_600_000 })),
    profile: Type.Optional(Type.Enum([...SIGNATURE_PROFILES])),
    soapAction: maybe(text(200)),
    timezone: maybe(Zone),
    wsdl: maybe(
      Type.String({
        pattern: "^https?://",
        maxLength: 2000,
        description: "an http address; a file is set on the machine",
      }),
    ),
    tlsClientCertificate: Type.Optional(Type.Boolean()),
  }),
);

export const EndpointTried = named(
  "EndpointTried",
  exactly({
    endpoint: Type.String(),
    pauses: Type.Integer({ minimum: 0, description: "how many were ended; 0: it was not paused" }),
  }),
);

export const CameraFields = named(
  "CameraFields",
  exactly({
    readerCode: Type.Optional(Type.String({ pattern: "^[^\\s\\p{Cc}]{1,16}$", description: readerCode.allowed })),
    municipality: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: "name of a municipality" })),
    endpoint: maybe(
      Type.String({ minLength: 1, maxLength: 100, description: "name of an endpoint; null: the municipality's" }),
    ),
    coordX: maybe(Coordinate),
    coordY: maybe(Coordinate),
    timezone: maybe(Zone),
    description: maybe(text(200)),
    active: Type.Optional(Type.Boolean()),
  }),
);

const Result = Type.Enum(["added", "changed", "unchanged"]);
export const SavedMunicipality = named("SavedMunicipality", exactly({ result: Result, municipality: Municipality }));
export const SavedEndpoint = named("SavedEndpoint", exactly({ result: Result, endpoint: Endpoint }));
export const SavedCamera = named("SavedCamera", exactly({ result: Result, camera: Camera }));

export const CameraDetail = named(
  "CameraDetail",
  exactly({
    camera: Camera,
    counts: Type.Unsafe<Record<string, number>>(
      Type.Record(Type.String(), Type.Integer({ minimum: 0 }), {
        description: "lasting counts, by what became of a message",
      }),
    ),
  }),
);

export const Removed = named(
  "Removed",
  exactly({
    removed: Type.Boolean({ description: "false: it is switched off and goes with the last of its readings" }),
    readings: Type.Integer({ minimum: 0, description: "erased unsent" }),
  }),
);

export const Certificate = named(
  "Certificate",
  exactly({
    id: Type.Integer({ minimum: 1 }),
    name: Type.String(),
    alias: nullable(Type.String()),
    municipality: nullable(Type.String()),
    inUse: Type.Boolean({ description: "it signs for its municipality" }),
    subject: nullable(Type.String()),
    serialNumber: nullable(Type.String()),
    fingerprint: nullable(Type.String()),
    validFrom: nullable(Instant),
    validTo: nullable(Instant),
    daysLeft: nullable(Type.Integer({ description: "negative: over" })),
    active: Type.Boolean(),
  }),
);
export const CertificateList = listOf(Certificate);

export const PfxUpload = named(
  "PfxUpload",
  exactly({
    municipality: Type.String({ minLength: 1, maxLength: 100, description: "name of a municipality" }),
    pfx: Type.String({
      minLength: 1,
      contentEncoding: "base64",
      writeOnly: true,
      description: "the .pfx or .p12 file in base64",
    }),
    password: Type.String({ maxLength: 1000, writeOnly: true, description: "its password" }),
    alias: maybe(text(100)),
  }),
);

export const SavedCertificate = named(
  "SavedCertificate",
  exactly({
    result: Type.Enum(["added", "changed", "unchanged", "staged"]),
    municipality: Type.String(),
    certificate: Certificate,
  }),
);
