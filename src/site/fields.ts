import { resolve } from "node:path";
import { coordinate, endpointUrl, fingerprint, name, readerCode, type ValueKind } from "../registry-values.ts";
import { type ParsedSetting, webAddressOrFile, whole, zone } from "../setting-kinds.ts";
import { SIGNATURE_PROFILES } from "../store/registry.ts";

/** One field of a record of the site file. `null`: what it says is cleared; left out: what is there stays. */
export interface SiteField<T, Required extends boolean = boolean> {
  required: Required;
  nullable: boolean;
  about: string;
  /** For the JSON Schema, without `null` and description. */
  schema: Readonly<Record<string, unknown>>;
  /** Takes what YAML or JSON had there, never null. `folder`: what a relative path counts from. */
  parse(value: unknown, folder: string): ParsedSetting<T>;
}

export type SiteFields = Readonly<Record<string, SiteField<unknown>>>;
type Plain<T> = { [K in keyof T]: T[K] };
/** A record with these fields, as it was read. */
export type SiteRecord<F extends SiteFields> = Plain<
  {
    [K in keyof F as F[K] extends SiteField<unknown, true> ? K : never]: F[K] extends SiteField<infer T> ? T : never;
  } & {
    [K in keyof F as F[K] extends SiteField<unknown, true> ? never : K]?: F[K] extends SiteField<infer T> ? T : never;
  }
>;

/** A number has lost its zeros by now: `00012` is 12, `431234.50` is 431234.5. */
const QUOTES = "text in quotes, so that no digit is lost";

function text(kind: ValueKind, pattern?: string): Omit<SiteField<string, false>, "about"> {
  return {
    required: false,
    nullable: false,
    schema: { type: "string", ...(pattern === undefined ? { minLength: 1 } : { pattern }) },
    parse: (value) => {
      if (typeof value === "number") return { allowed: QUOTES };
      return typeof value === "string" ? kind.parse(value.trim()) : { allowed: kind.allowed };
    },
  };
}

function integer(min: number, max: number, unit: string): Omit<SiteField<number, false>, "about"> {
  const kind = whole(min, max, unit);
  return {
    required: false,
    nullable: false,
    schema: { type: "integer", minimum: min, maximum: max },
    parse: (value) =>
      typeof value === "number" || typeof value === "string"
        ? kind.parse(String(value), "")
        : { allowed: kind.allowed },
  };
}

const boolean: Omit<SiteField<boolean, false>, "about"> = {
  required: false,
  nullable: false,
  schema: { type: "boolean" },
  parse: (value) => (typeof value === "boolean" ? { value } : { allowed: "true or false" }),
};

function choice<const T extends string>(options: readonly T[]): Omit<SiteField<T, false>, "about"> {
  return {
    required: false,
    nullable: false,
    schema: { enum: options },
    parse: (value) => {
      const found = options.find((option) => option === value);
      return found === undefined ? { allowed: `one of ${options.join(", ")}` } : { value: found };
    },
  };
}

const path: Omit<SiteField<string, false>, "about"> = {
  required: false,
  nullable: false,
  schema: { type: "string", minLength: 1 },
  parse: (value, folder) =>
    typeof value === "string" && value !== "" && !value.includes("\0")
      ? { value: resolve(folder, value) }
      : { allowed: "the path of a file" },
};

function required<T>(field: Omit<SiteField<T, false>, "about">, about: string): SiteField<T, true> {
  return { ...field, required: true, about };
}

function given<T>(field: Omit<SiteField<T, false>, "about">, about: string): SiteField<T, false> {
  return { ...field, about };
}

function clearable<T>(field: Omit<SiteField<T, false>, "about">, about: string): SiteField<T | null, false> {
  return { ...field, nullable: true, about };
}

const ZONE: ValueKind = { allowed: zone.allowed, parse: (value) => zone.parse(value, "") };
const WSDL = {
  ...path,
  parse: (value: unknown, folder: string): ParsedSetting<string> => {
    const parsed = typeof value === "string" && value !== "" ? webAddressOrFile.parse(value, folder) : { value: null };
    return "value" in parsed && parsed.value !== null ? { value: parsed.value } : { allowed: webAddressOrFile.allowed };
  },
};

/** The sections of a site file with their fields, in the order in which they are written. */
export const SITE_FIELDS = {
  endpoints: {
    name: required(text(name(100)), "name of the endpoint"),
    url: required(text(endpointUrl, "^https?://"), "address of the police's service"),
    timeoutMs: given(integer(1000, 600_000, "ms"), "longest wait for an answer"),
    retryMax: given(integer(1, 1000, ""), "attempts before a reading is given up"),
    retryBackoffMs: given(integer(100, 3_600_000, "ms"), "wait after the first failed attempt; doubles"),
    profile: given(choice(SIGNATURE_PROFILES), "signature: compat (SHA-1) or strict (SHA-256)"),
    soapAction: clearable(text(name(200)), "SOAPAction header; null: the WSDL's own, else empty"),
    ca: clearable(path, "PEM file of authorities to trust besides the system's"),
    timezone: clearable(text(ZONE), "zone of dataLectura and horaLectura; null: MOSSOS_TIMEZONE"),
    wsdl: clearable(WSDL, "address or file of the WSDL; null: MOSSOS_WSDL_URL"),
    tlsClientCertificate: given(boolean, "present the municipality's certificate on TLS too"),
  },
  certificates: {
    name: required(text(name(100)), "name by which a municipality of this file takes it"),
    pfx: given(path, "PFX file it comes from"),
    passwordFile: given(path, "file whose first line is the PFX file's password; not given: it is asked for"),
    cert: given(path, "PEM file of the certificate and its chain, instead of a PFX file"),
    key: given(path, "PEM file of its private key, not encrypted"),
    fingerprint: given(text(fingerprint), "SHA-256; when it is in the store already, no file is read"),
  },
  municipalities: {
    name: required(text(name(100)), "name of the municipality"),
    code: clearable(text(name(50)), "code for your own use"),
    endpoint: clearable(text(name(100)), "endpoint of its readings; null: MOSSOS_ENDPOINT_URL"),
    certificate: clearable(text(name(100)), "certificate that signs for it, by its name; null: none"),
    active: given(boolean, "whether it is in use"),
  },
  cameras: {
    serial: required(text(name(64)), "serial number (DEVICE_SN)"),
    reader: required(text(readerCode), "reader code (codiLector) given by the police"),
    municipality: required(text(name(100)), "municipality that signs for it"),
    description: clearable(text(name(200)), "where it hangs"),
    endpoint: clearable(text(name(100)), "endpoint of its own; null: the municipality's"),
    x: clearable(text(coordinate, "^\\d{1,8}\\.\\d{2}$"), "UTM 31N ETRS89, exactly two decimals"),
    y: clearable(text(coordinate, "^\\d{1,8}\\.\\d{2}$"), "UTM 31N ETRS89, exactly two decimals"),
    timezone: clearable(text(ZONE), "zone of the camera's clock; null: CAMERA_TIMEZONE"),
    active: given(boolean, "false: its readings are counted, not queued"),
  },
} as const satisfies Readonly<Record<string, SiteFields>>;

export type SiteSection = keyof typeof SITE_FIELDS;
export type SiteEndpoint = SiteRecord<typeof SITE_FIELDS.endpoints>;
export type SiteCertificate = SiteRecord<typeof SITE_FIELDS.certificates>;
export type SiteMunicipality = SiteRecord<typeof SITE_FIELDS.municipalities>;
export type SiteCamera = SiteRecord<typeof SITE_FIELDS.cameras>;
