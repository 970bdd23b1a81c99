import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { TagAliases } from "./camera/fields.ts";
import type { DatabaseAddress } from "./database-address.ts";
import { AppError, systemCode } from "./errors.ts";
import type { Language } from "./i18n/language.ts";
import type { LogLevel } from "./log.ts";
import {
  collectLayers,
  defaultDataDir,
  findGiven,
  type LoadOptions,
  placeOf,
  readEnvFile,
  type SettingSource,
  warnOfNames,
} from "./setting-sources.ts";
import type { Setting } from "./settings/setting.ts";
import { SETTINGS, type SettingKey, type SettingValues } from "./settings.ts";

/** Everything that can be set, validated. Durations in ms, sizes in bytes, paths absolute. */
export interface Config {
  logLevel: LogLevel;
  /** Log outcomes of every POST in detail (never plates or images). */
  soapDebug: boolean;
  dataDir: string;
  imagesDir: string;
  /** Bucket for pictures and held messages; null: they lie in imagesDir and quarantineDir. */
  imagesUrl: {
    bucket: string;
    prefix: string;
    endpoint: string | null;
    region: string;
    credentials: { accessKeyId: string; secretAccessKey: string; sessionToken: string | null } | null;
    credentialsFile: string | null;
  } | null;
  certsDir: string;
  quarantineDir: string;
  /** The SQLite file. */
  databasePath: string;
  /** PostgreSQL; null: SQLite. */
  database: { address: DatabaseAddress; poolSize: number } | null;
  transit: {
    host: string;
    port: number;
    /** Addresses and CIDRs; empty: everyone. */
    allow: readonly string[];
    maxConnections: number;
    maxMessageBytes: number;
    tagAliases: TagAliases;
    /** Bytes of unfinished messages in memory, all connections together. */
    bufferBytes: number;
    /** Longest silence in the middle of a message. */
    idleTimeoutMs: number;
    /** Longest time from a message's first byte to its last. */
    messageTimeoutMs: number;
    dedupeDays: number;
  };
  quarantine: { maxCount: number; maxBytes: number; maxDays: number };
  audit: { maxCount: number; maxDays: number };
  /** Below this much free space no reading is taken in (the cameras keep them); delivery goes on. */
  diskMinFreeBytes: number;
  cameraTimezone: string;
  sender: {
    enabled: boolean;
    pollIntervalMs: number;
    maxBatchSize: number;
    concurrency: number;
    retryMax: number;
    backoffMs: number;
    stuckTimeoutMs: number;
    deadRetentionMs: number;
    /** Longest pause of an endpoint between two probes. */
    pauseMaxMs: number;
  };
  mossos: {
    /** Default endpoint; null: none. */
    endpointUrl: string | null;
    wsdl: string | null;
    timeoutMs: number;
    timezone: string;
    successCodes: readonly string[];
  };
  /** What `doctor` compares this clock with: host, or host:port; null: nothing. */
  ntpServer: string | null;
  lectorVision: {
    /** Null: no listener of its own. */
    port: number | null;
    host: string;
    /** Addresses and CIDRs; empty: everyone. */
    allow: readonly string[];
    /** Null: none is asked for. */
    token: string | null;
  };
  /** What the menu speaks; null: what the system does. */
  language: Language | null;
  api: {
    host: string;
    port: number;
    /** Null: plain HTTP. */
    tls: { certPath: string; keyPath: string } | null;
    /** How long a login of the dashboard lasts. */
    sessionMs: number;
  };
}

export interface LoadedConfig {
  config: Config;
  /** Sentences for the operator; nothing in them stops the start. */
  warnings: readonly string[];
  /** By the variable's name. */
  sources: Readonly<Record<string, SettingSource>>;
  /** The file that was read, or null. */
  envFile: string | null;
}

/**
 * Works out the configuration: defaults, then the file, then the environment, then flags, the later winning. An empty
 * value counts as not given.
 *
 * @throws AppError `config` for a file that cannot be read, and for values that are not allowed: all of them in one text.
 */
export function loadConfig(options: LoadOptions): LoadedConfig {
  const warnings: string[] = [];
  const folder = options.folder ?? process.cwd();
  const file = readEnvFile(options, folder);
  const layers = collectLayers(options, folder, file);

  const problems: string[] = [];
  const sources: Record<string, SettingSource> = {};
  const values: Record<string, unknown> = {};
  for (const [key, one] of Object.entries<Setting<unknown>>(SETTINGS)) {
    const given = findGiven(one, layers, warnings);
    sources[one.name] = given?.source ?? "default";
    values[key] = one.default;
    if (given === null) continue;
    const parsed = one.kind.parse(given.text, given.folder);
    if ("value" in parsed) values[key] = parsed.value;
    else {
      const shown = one.kind.secret === true ? "what it is now is not shown" : showValue(given.text);
      problems.push(`${one.name} must be ${parsed.allowed} (${shown}, ${placeOf(given, file)})`);
    }
  }
  // Sound: every key of SETTINGS was visited, and holds its default or what its own kind parsed.
  const settings = values as SettingValues;
  if (problems.length === 0) problems.push(...checkTogether(settings));
  if (problems.length > 0) {
    throw new AppError("config", `reading the configuration: ${problems.join("; ")}`, {
      hint: "Correct what is named; docs/configuration.md lists every variable.",
    });
  }

  warnings.push(...warnOfNames(options.env, file));
  if (settings.endpointUrl?.startsWith("http:") === true && !isLoopback(settings.endpointUrl)) {
    warnings.push("MOSSOS_ENDPOINT_URL is http: readings would cross the network unencrypted");
  }
  const dataDir = settings.dataDir ?? defaultDataDir(options, folder, warnings);
  return { config: buildConfig(settings, dataDir), warnings, sources, envFile: file?.path ?? null };
}

/** What each value allows by itself but not beside another. */
function checkTogether(settings: SettingValues): string[] {
  const problems: string[] = [];
  if (settings.bufferBytes < settings.maxMessageBytes) {
    problems.push("INGEST_BUFFER_BYTES must be at least INGEST_MAX_MESSAGE_BYTES, or no large message ever fits");
  }
  if (settings.messageTimeoutMs < settings.idleTimeoutMs) {
    problems.push("INGEST_MESSAGE_TIMEOUT_SECONDS must be at least INGEST_IDLE_TIMEOUT_SECONDS");
  }
  if (settings.stuckTimeoutMs < settings.timeoutMs) {
    problems.push(
      "SENDER_STUCK_TIMEOUT_SECONDS must be at least MOSSOS_TIMEOUT, or messages in flight are taken for stuck",
    );
  }
  if ((settings.s3AccessKeyId === null) !== (settings.s3SecretAccessKey === null)) {
    problems.push("IMAGES_S3_ACCESS_KEY_ID and IMAGES_S3_SECRET_ACCESS_KEY must be set both or not at all");
  }
  if (settings.imagesUrl !== null && settings.s3AccessKeyId === null && settings.s3CredentialsFile === null) {
    problems.push(
      "IMAGES_URL needs keys: IMAGES_S3_ACCESS_KEY_ID and IMAGES_S3_SECRET_ACCESS_KEY, or IMAGES_S3_CREDENTIALS_FILE",
    );
  }
  if ((settings.tlsCertPath === null) !== (settings.tlsKeyPath === null)) {
    problems.push("API_TLS_CERT and API_TLS_KEY must be set both or not at all");
  }
  const ports = [
    ["API_PORT", settings.apiPort],
    ["TRANSIT_PORT", settings.transitPort],
    ["LECTORVISION_PORT", settings.lectorVisionPort],
  ] as const;
  for (const [at, [name, number]] of ports.entries()) {
    const twin = ports.slice(at + 1).find(([, other]) => other === number);
    if (number !== null && number !== 0 && twin !== undefined) {
      problems.push(`${name} and ${twin[0]} must differ (both ${number})`);
    }
  }
  return problems;
}

/** Quoted, bounded, and without a user name or password that an address may hold. */
function showValue(text: string): string {
  const bare = text.replace(/\/\/\S*@/g, "//…@");
  return JSON.stringify(bare.length > 80 ? `${bare.slice(0, 80)}…` : bare);
}

function isLoopback(address: string): boolean {
  return /^(localhost|127\.[\d.]+|\[::1\])$/.test(URL.parse(address)?.hostname ?? "");
}

function objectStore(settings: Omit<SettingValues, "dataDir">): Config["imagesUrl"] {
  const { imagesUrl, s3AccessKeyId, s3SecretAccessKey, s3SessionToken } = settings;
  if (imagesUrl === null) return null;
  const given = s3AccessKeyId !== null && s3SecretAccessKey !== null;
  return {
    ...imagesUrl,
    endpoint: settings.s3Endpoint,
    region: settings.s3Region,
    credentials: given
      ? { accessKeyId: s3AccessKeyId, secretAccessKey: s3SecretAccessKey, sessionToken: s3SessionToken }
      : null,
    credentialsFile: settings.s3CredentialsFile,
  };
}

function buildConfig(settings: Omit<SettingValues, Extract<SettingKey, "dataDir">>, dataDir: string): Config {
  return {
    logLevel: settings.logLevel,
    soapDebug: settings.soapDebug,
    language: settings.language,
    dataDir,
    imagesDir: settings.imagesDir ?? resolve(dataDir, "images"),
    imagesUrl: objectStore(settings),
    certsDir: settings.certsDir ?? resolve(dataDir, "certs"),
    quarantineDir: resolve(dataDir, "quarantine"),
    databasePath: resolve(dataDir, "tattile.db"),
    database: buildDatabase(settings),
    transit: {
      host: settings.transitHost,
      port: settings.transitPort,
      allow: settings.transitAllow,
      maxConnections: settings.maxConnections,
      maxMessageBytes: settings.maxMessageBytes,
      tagAliases: { brandTags: settings.brandTags, modelTags: settings.modelTags, colorTags: settings.colorTags },
      bufferBytes: settings.bufferBytes,
      idleTimeoutMs: settings.idleTimeoutMs,
      messageTimeoutMs: settings.messageTimeoutMs,
      dedupeDays: settings.dedupeDays,
    },
    quarantine: {
      maxCount: settings.quarantineMaxCount,
      maxBytes: settings.quarantineMaxBytes,
      maxDays: settings.quarantineMaxDays,
    },
    audit: { maxCount: settings.auditMaxCount, maxDays: settings.auditMaxDays },
    diskMinFreeBytes: settings.diskMinFreeBytes,
    cameraTimezone: settings.cameraTimezone,
    sender: {
      enabled: settings.senderEnabled,
      pollIntervalMs: settings.pollIntervalMs,
      maxBatchSize: settings.maxBatchSize,
      concurrency: settings.concurrency,
      retryMax: settings.retryMax,
      backoffMs: settings.backoffMs,
      stuckTimeoutMs: settings.stuckTimeoutMs,
      deadRetentionMs: settings.deadRetentionMs,
      pauseMaxMs: settings.pauseMaxMs,
    },
    mossos: {
      endpointUrl: settings.endpointUrl,
      wsdl: settings.wsdl,
      timeoutMs: settings.timeoutMs,
      timezone: settings.mossosTimezone,
      successCodes: settings.successCodes,
    },
    ntpServer: settings.ntpServer,
    lectorVision: {
      port: settings.lectorVisionPort,
      host: settings.lectorVisionHost,
      allow: settings.lectorVisionAllow,
      token: settings.lectorVisionToken,
    },
    api: {
      host: settings.apiHost,
      port: settings.apiPort,
      tls:
        settings.tlsCertPath === null || settings.tlsKeyPath === null
          ? null
          : { certPath: settings.tlsCertPath, keyPath: settings.tlsKeyPath },
      sessionMs: settings.sessionMs,
    },
  };
}

/** DATABASE_URL, else the DB_ names of old, else null. */
function buildDatabase(settings: Omit<SettingValues, "dataDir">): Config["database"] {
  const { databaseUrl, dbHost, dbName, dbUser, dbPort, dbSslMode, dbSslRootCert, dbPoolSize: poolSize } = settings;
  if (databaseUrl === null && dbHost === "" && dbName === "") return null;
  const database = dbName || "tattile";
  const named = {
    hosts: (dbHost || "localhost").split(",").map((host) => ({ host, port: dbPort })),
    database,
    user: dbUser || database,
    password: null,
    sslMode: null,
    sslRootCert: null,
  };
  const address = databaseUrl ?? named;
  return {
    address: {
      ...address,
      password: address.password ?? readPassword(settings),
      sslMode: address.sslMode ?? dbSslMode,
      sslRootCert: address.sslRootCert ?? dbSslRootCert,
    },
    poolSize,
  };
}

function readPassword({
  dbPassword,
  dbPasswordFile,
}: Pick<SettingValues, "dbPassword" | "dbPasswordFile">): string | null {
  if (dbPasswordFile === null) return dbPassword || null;
  try {
    return readFileSync(dbPasswordFile, "utf8").split(/\r?\n/, 1)[0] || null;
  } catch (cause) {
    const why = systemCode(cause) ?? "error";
    throw new AppError(
      "config",
      `reading the configuration: DB_PASSWORD_FILE cannot be read (${why}, ${dbPasswordFile})`,
      {
        hint: "Name a file that the user tattile runs as can read.",
        cause,
      },
    );
  }
}
