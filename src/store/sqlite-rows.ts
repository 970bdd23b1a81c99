import type { SQLQueryBindings } from "bun:sqlite";
import type { ReadingFacts } from "../reading.ts";
import type { Camera, Certificate, Endpoint, Municipality } from "./registry.ts";
import type { NewReading } from "./store.ts";

/** Longest text of an error or of an attempt that is kept; a fault may quote a whole envelope. */
export const MAX_DETAIL_CHARS = 1000;

/** How a record's fields are called in its table, and which of them are not plain text or numbers there. */
export interface Entity<T> {
  table: string;
  columns: { readonly [K in keyof T]: string };
  booleans: readonly (keyof T)[];
  dates: readonly (keyof T)[];
}

export const MUNICIPALITY: Entity<Municipality> = {
  table: "municipalities",
  columns: {
    id: "id",
    name: "name",
    code: "code",
    endpointId: "endpoint_id",
    certificateId: "certificate_id",
    active: "active",
  },
  booleans: ["active"],
  dates: [],
};

export const ENDPOINT: Entity<Endpoint> = {
  table: "endpoints",
  columns: {
    id: "id",
    name: "name",
    url: "url",
    timeoutMs: "timeout_ms",
    retryMax: "retry_max",
    retryBackoffMs: "retry_backoff_ms",
    profile: "profile",
    soapAction: "soap_action",
    caPath: "ca_path",
    timezone: "timezone",
    wsdl: "wsdl",
    tlsClientCertificate: "tls_client_certificate",
  },
  booleans: ["tlsClientCertificate"],
  dates: [],
};

export const CERTIFICATE: Entity<Certificate> = {
  table: "certificates",
  columns: {
    id: "id",
    name: "name",
    alias: "alias",
    municipalityId: "municipality_id",
    clientCertPath: "client_cert_path",
    keyPath: "key_path",
    privpubPath: "privpub_path",
    subject: "subject",
    serialNumber: "serial_number",
    fingerprint: "fingerprint",
    validFrom: "valid_from",
    validTo: "valid_to",
    active: "active",
  },
  booleans: ["active"],
  dates: ["validFrom", "validTo"],
};

export const CAMERA: Entity<Camera> = {
  table: "cameras",
  columns: {
    id: "id",
    serial: "serial_number",
    readerCode: "codigo_lector",
    description: "description",
    municipalityId: "municipality_id",
    endpointId: "endpoint_id",
    coordX: "coord_x",
    coordY: "coord_y",
    timezone: "timezone",
    active: "active",
    lastReadingAt: "last_reading_at",
    lastSentAt: "last_sent_at",
  },
  booleans: ["active"],
  dates: ["lastReadingAt", "lastSentAt"],
};

export type Row = Record<string, string | number | null>;

/** `alias.column AS prefix_field` of every field, for a SELECT. */
export function selectEntity<T>(entity: Entity<T>, alias: string, prefix = ""): string {
  return Object.entries<string>(entity.columns)
    .map(([field, column]) => `${alias}.${column} AS ${prefix}${field}`)
    .join(", ");
}

/** The record in a row selected with `selectEntity` and the same prefix. */
export function readEntity<T>(entity: Entity<T>, row: Row, prefix = ""): T {
  const record: Record<string, unknown> = {};
  for (const field of Object.keys(entity.columns)) {
    const value = row[prefix + field] ?? null;
    if (value !== null && entity.dates.includes(field as keyof T)) record[field] = new Date(Number(value));
    else record[field] = entity.booleans.includes(field as keyof T) ? value === 1 : value;
  }
  // The descriptors above are checked against the record types; the columns' types are the schema's (STRICT).
  return record as T;
}

/** A field's value as its column takes it. */
export function toColumn(value: unknown): SQLQueryBindings {
  if (value instanceof Date) return value.getTime();
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value === "string" || typeof value === "number") return value;
  return null;
}

export function dateOrNull(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}

/** Names are the same whatever their case, also beyond ASCII. */
export function nameKey(name: string): string {
  return name.normalize("NFC").toLowerCase();
}

/** The columns of a new reading, in the order of `bindReading`. */
export const READING_COLUMNS = [
  "camera_id",
  "device_sn",
  "timestamp_utc",
  "time_source",
  "created_at",
  "protocol",
  "raw_xml",
  "extra",
  "image_ocr_path",
  "image_ctx_path",
  "plate",
  "device_name",
  "direction",
  "lane_id",
  "lane_descr",
  "ocr_score",
  "country",
  "country_code",
  "bbox_min_x",
  "bbox_min_y",
  "bbox_max_x",
  "bbox_max_y",
  "char_height",
  "transit_id",
  "brand",
  "model",
  "color",
  "vehicle_type",
] as const;

export type ReadingBinding = (string | number | null)[];

export function bindReading(reading: NewReading, cameraId: number): ReadingBinding {
  const { facts, extra } = reading;
  let hasExtra = false;
  for (const _ in extra) {
    hasExtra = true;
    break;
  }
  return [
    cameraId,
    reading.cameraSerial,
    reading.capturedAt.getTime(),
    reading.timeSource,
    reading.receivedAt.getTime(),
    reading.protocol,
    reading.rawText,
    hasExtra ? JSON.stringify(extra) : null,
    reading.imageOcrPath,
    reading.imageCtxPath,
    facts.plate,
    facts.deviceName,
    facts.direction,
    facts.laneId,
    facts.laneDescription,
    facts.ocrScore,
    facts.country,
    facts.countryCode,
    facts.plateMinX,
    facts.plateMinY,
    facts.plateMaxX,
    facts.plateMaxY,
    facts.charHeight,
    facts.transitId,
    facts.brand,
    facts.model,
    facts.color,
    facts.vehicleType,
  ];
}

/** The facts of a reading `r`, for a SELECT; `FactsRow` is what comes back. */
export const SELECT_FACTS = `r.plate, r.device_name AS deviceName, r.direction, r.lane_id AS laneId,
  r.lane_descr AS laneDescription, r.ocr_score AS ocrScore, r.country, r.country_code AS countryCode,
  r.bbox_min_x AS plateMinX, r.bbox_min_y AS plateMinY, r.bbox_max_x AS plateMaxX, r.bbox_max_y AS plateMaxY,
  r.char_height AS charHeight, r.transit_id AS transitId, r.brand, r.model, r.color, r.vehicle_type AS vehicleType`;

export function readFacts(row: ReadingFacts): ReadingFacts {
  return {
    plate: row.plate,
    deviceName: row.deviceName,
    direction: row.direction,
    laneId: row.laneId,
    laneDescription: row.laneDescription,
    ocrScore: row.ocrScore,
    country: row.country,
    countryCode: row.countryCode,
    plateMinX: row.plateMinX,
    plateMinY: row.plateMinY,
    plateMaxX: row.plateMaxX,
    plateMaxY: row.plateMaxY,
    charHeight: row.charHeight,
    transitId: row.transitId,
    brand: row.brand,
    model: row.model,
    color: row.color,
    vehicleType: row.vehicleType,
  };
}
