import { DEFAULT_TAG_ALIASES } from "./camera/fields.ts";
import {
  bucketAddress,
  databaseAddress,
  filePath,
  flag,
  folder,
  GIB,
  KIB,
  language,
  level,
  listenAddress,
  MIB,
  networks,
  port,
  returnCodes,
  type SettingKind,
  seconds,
  secret,
  size,
  sslMode,
  tagNames,
  timeServer,
  webAddress,
  webAddressOrFile,
  whole,
  word,
  zone,
} from "./setting-kinds.ts";

/** One variable an operator may set. */
export interface Setting<T> {
  name: string;
  /** Other names that mean the same; `name` wins where both are given. */
  aliases: readonly string[];
  group: SettingGroup;
  kind: SettingKind<T>;
  default: T;
  /** What stands for a default that is worked out, such as a folder below DATA_DIR. */
  defaultText: string | undefined;
  /** True when the replaced system knew the name: it keeps its meaning. */
  legacy: boolean;
  description: string;
}

/** In the order of the documents. */
export const SETTING_GROUPS = [
  "Folders",
  "Database",
  "Object store",
  "Cameras",
  "Police",
  "Sender",
  "Quarantine and disk",
  "Lector Vision",
  "API",
  "Log",
  "Menu",
] as const;
export type SettingGroup = (typeof SETTING_GROUPS)[number];

interface Extras {
  aliases?: readonly string[];
  defaultText?: string;
  legacy?: true;
}

function setting<T>(
  group: SettingGroup,
  name: string,
  kind: SettingKind<T>,
  fallback: NoInfer<T>,
  description: string,
  { aliases = [], defaultText, legacy = undefined }: Extras = {},
): Setting<T> {
  return { name, aliases, group, kind, default: fallback, defaultText, legacy: legacy === true, description };
}

/** The one table of settings: what loads the configuration, writes the documents and suggests names reads this. */
export const SETTINGS = {
  dataDir: setting(
    "Folders",
    "DATA_DIR",
    folder,
    null,
    "Everything tattile keeps lies here, unless set otherwise: the database, images, certificates, quarantine.",
    { defaultText: "/var/lib/tattile where tattile is installed, else ./data" },
  ),
  imagesDir: setting("Folders", "IMAGES_BASE_DIR", folder, null, "Images of readings that wait for delivery.", {
    aliases: ["IMAGES_DIR"],
    defaultText: "DATA_DIR/images",
    legacy: true,
  }),
  certsDir: setting("Folders", "CERTS_DIR", folder, null, "Keys and certificates, one folder per municipality.", {
    defaultText: "DATA_DIR/certs",
    legacy: true,
  }),
  databaseUrl: setting(
    "Database",
    "DATABASE_URL",
    databaseAddress,
    null,
    "PostgreSQL database (13 or later) for queue and registry; goes before DB_…. Neither given: one SQLite file, DATA_DIR/tattile.db. " +
      "Several hosts, separated by commas, are tried until one takes writes.",
    { defaultText: "none", legacy: true },
  ),
  dbHost: setting(
    "Database",
    "DB_HOST",
    word,
    "",
    "Server of the PostgreSQL database; a path is the folder of its unix socket. Given DB_NAME only: localhost.",
    { defaultText: "none", legacy: true },
  ),
  dbPort: setting("Database", "DB_PORT", whole(1, 65_535), 5432, "TCP port of PostgreSQL.", { legacy: true }),
  dbName: setting("Database", "DB_NAME", word, "", "Name of the PostgreSQL database.", {
    defaultText: "tattile, where DB_HOST is given",
    legacy: true,
  }),
  dbUser: setting("Database", "DB_USER", word, "", "User of the PostgreSQL database.", {
    defaultText: "the name of the database",
    legacy: true,
  }),
  dbPassword: setting(
    "Database",
    "DB_PASSWORD",
    secret,
    null,
    "Password of that user. Better in a file: DB_PASSWORD_FILE.",
    {
      defaultText: "none",
      legacy: true,
    },
  ),
  dbPasswordFile: setting(
    "Database",
    "DB_PASSWORD_FILE",
    filePath,
    null,
    "File whose first line is the password; also for a DATABASE_URL without one.",
    { defaultText: "none" },
  ),
  dbSslMode: setting(
    "Database",
    "DB_SSLMODE",
    sslMode,
    null,
    "How the connection is protected, in libpq's words. Across a network: verify-full. A DATABASE_URL with sslmode goes before it.",
    { defaultText: "prefer; on a unix socket disable" },
  ),
  dbSslRootCert: setting(
    "Database",
    "DB_SSLROOTCERT",
    filePath,
    null,
    "PEM file with the authorities that may have issued the server's certificate.",
    { defaultText: "the system's" },
  ),
  dbPoolSize: setting(
    "Database",
    "DB_POOL_SIZE",
    whole(2, 64, "connections"),
    8,
    "Most connections to PostgreSQL of one process. More than 16 are seldom faster.",
  ),
  imagesUrl: setting(
    "Object store",
    "IMAGES_URL",
    bucketAddress,
    null,
    "Bucket for pictures and held messages, so that several machines share them. Not set: they lie on this machine's disk.",
    { defaultText: "none" },
  ),
  s3Endpoint: setting(
    "Object store",
    "IMAGES_S3_ENDPOINT",
    webAddress,
    null,
    "Address of the object store. Not set: AWS, in the region. Its certificate is checked; NODE_EXTRA_CA_CERTS adds an authority.",
    { aliases: ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"], defaultText: "AWS" },
  ),
  s3Region: setting("Object store", "IMAGES_S3_REGION", word, "us-east-1", "Region of the bucket.", {
    aliases: ["AWS_REGION", "AWS_DEFAULT_REGION"],
  }),
  s3AccessKeyId: setting("Object store", "IMAGES_S3_ACCESS_KEY_ID", secret, null, "Key of the object store.", {
    aliases: ["AWS_ACCESS_KEY_ID"],
    defaultText: "none",
  }),
  s3SecretAccessKey: setting(
    "Object store",
    "IMAGES_S3_SECRET_ACCESS_KEY",
    secret,
    null,
    "Its secret. A file (next but one) keeps it out of the environment.",
    { aliases: ["AWS_SECRET_ACCESS_KEY"], defaultText: "none" },
  ),
  s3SessionToken: setting(
    "Object store",
    "IMAGES_S3_SESSION_TOKEN",
    secret,
    null,
    "Token that belongs to a key that is given for a while only.",
    { aliases: ["AWS_SESSION_TOKEN"], defaultText: "none" },
  ),
  s3CredentialsFile: setting(
    "Object store",
    "IMAGES_S3_CREDENTIALS_FILE",
    filePath,
    null,
    "File with the keys, in the format of AWS (`[default]`, `aws_access_key_id = …`); read again when it changes.",
    { aliases: ["AWS_SHARED_CREDENTIALS_FILE"], defaultText: "none" },
  ),
  transitHost: setting(
    "Cameras",
    "TRANSIT_HOST",
    listenAddress,
    "0.0.0.0",
    "Address on which cameras are listened for. `0.0.0.0`: every IPv4 address; `::`: IPv6 too.",
  ),
  transitPort: setting(
    "Cameras",
    "TRANSIT_PORT",
    whole(0, 65_535),
    33_334,
    "TCP port of the cameras. 0 takes a free one.",
    { legacy: true },
  ),
  transitAllow: setting(
    "Cameras",
    "TRANSIT_ALLOW",
    networks,
    [],
    "Who may connect; anyone else is refused before a byte is read. Not set: everyone.",
    { defaultText: "everyone" },
  ),
  cameraTimezone: setting(
    "Cameras",
    "CAMERA_TIMEZONE",
    zone,
    "Europe/Madrid",
    "Zone of the cameras' clocks: their messages carry none. A camera may have its own.",
  ),
  brandTags: setting(
    "Cameras",
    "CAMERA_BRAND_TAGS",
    tagNames,
    DEFAULT_TAG_ALIASES.brandTags,
    "Tags in which a camera may say the vehicle's brand; the first that is there counts.",
  ),
  modelTags: setting(
    "Cameras",
    "CAMERA_MODEL_TAGS",
    tagNames,
    DEFAULT_TAG_ALIASES.modelTags,
    "The same for the model.",
  ),
  colorTags: setting(
    "Cameras",
    "CAMERA_COLOR_TAGS",
    tagNames,
    DEFAULT_TAG_ALIASES.colorTags,
    "The same for the colour.",
  ),
  maxConnections: setting(
    "Cameras",
    "INGEST_MAX_CONNECTIONS",
    whole(1, 60_000),
    1024,
    "Most connections at once; one more is reset, and its camera tries again.",
  ),
  maxMessageBytes: setting(
    "Cameras",
    "INGEST_MAX_MESSAGE_BYTES",
    size(64 * KIB, 256 * MIB),
    8 * MIB,
    "Largest message; of a larger one a sample goes to quarantine, it is counted, and its connection is reset.",
  ),
  bufferBytes: setting(
    "Cameras",
    "INGEST_BUFFER_BYTES",
    size(MIB, 16 * GIB),
    128 * MIB,
    "Memory for unfinished messages of all connections together; when it is full, reading pauses and cameras wait.",
  ),
  idleTimeoutMs: setting(
    "Cameras",
    "INGEST_IDLE_TIMEOUT_SECONDS",
    whole(1, 86_400, "seconds", 1000),
    120_000,
    "Longest silence in the middle of a message. Between messages a connection may be silent for ever.",
  ),
  messageTimeoutMs: setting(
    "Cameras",
    "INGEST_MESSAGE_TIMEOUT_SECONDS",
    whole(1, 86_400, "seconds", 1000),
    600_000,
    "Longest time from the first byte of a message to its last.",
  ),
  dedupeDays: setting(
    "Cameras",
    "DEDUPE_DAYS",
    whole(1, 3650, "days"),
    30,
    "How long a reading is remembered, as a keyed hash only, so that a camera's replay is not delivered twice.",
  ),
  endpointUrl: setting(
    "Police",
    "MOSSOS_ENDPOINT_URL",
    webAddress,
    null,
    "Where readings go when neither their camera nor their municipality has an endpoint.",
    { defaultText: "none", legacy: true },
  ),
  wsdl: setting(
    "Police",
    "MOSSOS_WSDL_URL",
    webAddressOrFile,
    null,
    "Address or file of the WSDL. Not set: the built-in contract. Read once and refreshed now and then, never per reading.",
    { defaultText: "the built-in contract", legacy: true },
  ),
  timeoutMs: setting(
    "Police",
    "MOSSOS_TIMEOUT",
    seconds(0.1, 600),
    30_000,
    "How long an answer is waited for. An endpoint may have its own.",
    { legacy: true },
  ),
  mossosTimezone: setting(
    "Police",
    "MOSSOS_TIMEZONE",
    zone,
    "Europe/Madrid",
    "Zone in which dates and times are written for the police. An endpoint may have its own.",
  ),
  ntpServer: setting(
    "Police",
    "NTP_SERVER",
    timeServer,
    "pool.ntp.org",
    "Time server that `tattile doctor` compares this machine's clock with, over UDP; nothing else asks it. none: no comparison.",
  ),
  successCodes: setting(
    "Police",
    "SUCCESS_CODES",
    returnCodes,
    ["1", "0000", "OK", "1.0"],
    "Return codes that mean that the reading was taken; it is erased then. Any other code is a refusal.",
    { legacy: true },
  ),
  senderEnabled: setting(
    "Sender",
    "SENDER_ENABLED",
    flag,
    true,
    "`false`: readings are received and kept, none is sent.",
    {
      legacy: true,
    },
  ),
  pollIntervalMs: setting(
    "Sender",
    "SENDER_POLL_INTERVAL_SECONDS",
    seconds(0.1, 3600),
    5000,
    "How often the queue is looked through. In one process with ingest, a new reading wakes the sender at once.",
    { legacy: true },
  ),
  maxBatchSize: setting(
    "Sender",
    "SENDER_MAX_BATCH_SIZE",
    whole(1, 10_000),
    50,
    "Most messages taken from the queue at a time.",
    { legacy: true },
  ),
  concurrency: setting(
    "Sender",
    "SENDER_CONCURRENCY",
    whole(1, 256),
    8,
    "Messages in flight at the same time, for each endpoint.",
  ),
  retryMax: setting(
    "Sender",
    "SENDER_DEFAULT_RETRY_MAX",
    whole(1, 1000),
    3,
    "Attempts after which a message is DEAD. Only those count that failed while the endpoint took others: an outage spends none.",
    { legacy: true },
  ),
  backoffMs: setting(
    "Sender",
    "SENDER_DEFAULT_BACKOFF_MS",
    whole(1, 3_600_000, "milliseconds"),
    1000,
    "Wait before the first retry; it doubles with every further one. An endpoint may have its own.",
    { legacy: true },
  ),
  pauseMaxMs: setting(
    "Sender",
    "SENDER_PAUSE_MAX_SECONDS",
    whole(1, 3600, "seconds", 1000),
    60_000,
    "Longest pause between two probes of an endpoint that does not answer.",
  ),
  stuckTimeoutMs: setting(
    "Sender",
    "SENDER_STUCK_TIMEOUT_SECONDS",
    whole(10, 86_400, "seconds", 1000),
    300_000,
    "A message in SENDING for longer than this and its endpoint's timeout belongs to a dead sender: it is sent again. " +
      "Not below MOSSOS_TIMEOUT.",
    { legacy: true },
  ),
  deadRetentionMs: setting(
    "Sender",
    "SENDER_DEAD_RETENTION_MINUTES",
    whole(1, 5_256_000, "minutes", 60_000),
    3 * 24 * 60 * 60_000,
    "How long DEAD messages are kept before they are erased with their images. " +
      "Three days, so that a weekend passes; the replaced system erased after ten minutes.",
    { legacy: true },
  ),
  quarantineMaxCount: setting(
    "Quarantine and disk",
    "QUARANTINE_MAX_COUNT",
    whole(0, 10_000_000, "messages"),
    10_000,
    "Most messages held (malformed, or from a camera that is not registered). Beyond it the oldest go, malformed ones first.",
  ),
  quarantineMaxBytes: setting(
    "Quarantine and disk",
    "QUARANTINE_MAX_BYTES",
    size(0, 1024 * GIB),
    2 * GIB,
    "Most bytes held in quarantine. Beyond it the oldest go, malformed ones first.",
  ),
  quarantineMaxDays: setting(
    "Quarantine and disk",
    "QUARANTINE_MAX_DAYS",
    whole(1, 3650, "days"),
    30,
    "Longest time a message is held in quarantine.",
  ),
  diskMinFreeBytes: setting(
    "Quarantine and disk",
    "DISK_MIN_FREE_BYTES",
    size(0, 1024 * GIB),
    256 * MIB,
    "Below this much free space no reading is taken in: the cameras keep them. Delivery goes on and makes room.",
  ),
  apiHost: setting(
    "API",
    "API_HOST",
    listenAddress,
    "127.0.0.1",
    "Address on which the API listens. Not set: this machine only. Opening it is a matter for your firewall too.",
  ),
  apiPort: setting("API", "API_PORT", whole(0, 65_535), 8000, "TCP port of the API. 0 takes a free one."),
  tlsCertPath: setting(
    "API",
    "API_TLS_CERT",
    filePath,
    null,
    "PEM file with the certificate for HTTPS, its chain behind it. With API_TLS_KEY the API speaks HTTPS only. A renewed one is taken up by itself.",
    { defaultText: "none" },
  ),
  tlsKeyPath: setting(
    "API",
    "API_TLS_KEY",
    filePath,
    null,
    "PEM file with its key, readable by the service's user only.",
    {
      defaultText: "none",
    },
  ),
  sessionMs: setting(
    "API",
    "API_SESSION_HOURS",
    whole(1, 8760, "hours", 3_600_000),
    12 * 3_600_000,
    "How long a login of the dashboard lasts.",
  ),
  lectorVisionPort: setting(
    "Lector Vision",
    "LECTORVISION_PORT",
    port,
    null,
    "TCP port of a listener for Lector Vision alone, besides `POST /ingest/lectorvision` on the API's port; usually 33335. 0 takes a free one.",
    { defaultText: "none", legacy: true },
  ),
  lectorVisionHost: setting(
    "Lector Vision",
    "LECTORVISION_HOST",
    listenAddress,
    "0.0.0.0",
    "Address of that listener.",
  ),
  lectorVisionAllow: setting(
    "Lector Vision",
    "LECTORVISION_ALLOW",
    networks,
    [],
    "Who may send readings over HTTP; anyone else is told to keep them (429). Not set: everyone.",
    { defaultText: "everyone" },
  ),
  lectorVisionToken: setting(
    "Lector Vision",
    "LECTORVISION_TOKEN",
    secret,
    null,
    "What a sender must give, as `Authorization: Bearer …` or `X-Api-Key`. Not set: nothing.",
    { defaultText: "none" },
  ),
  logLevel: setting(
    "Log",
    "LOG_LEVEL",
    level,
    "info",
    "Least severity that is logged. `WARNING` and `CRITICAL`, as the replaced system wrote them, are understood.",
    { legacy: true },
  ),
  auditMaxDays: setting(
    "Log",
    "AUDIT_MAX_DAYS",
    whole(1, 36_500, "days"),
    730,
    "How long the audit log (who looked at plates, erased, sent again, changed certificates) remembers.",
  ),
  auditMaxCount: setting(
    "Log",
    "AUDIT_MAX_COUNT",
    whole(100, 10_000_000, "entries"),
    100_000,
    "Most entries of the audit log; beyond it the oldest go.",
  ),
  soapDebug: setting(
    "Log",
    "SOAP_DEBUG",
    flag,
    false,
    "Logs the outcome of every POST in detail; never plates, images or keys.",
    { legacy: true },
  ),
  appEnv: setting(
    "Log",
    "APP_ENV",
    word,
    "",
    "Taken from the replaced system's file without complaint; it changes nothing.",
    { defaultText: "none", legacy: true },
  ),
  language: setting(
    "Menu",
    "TATTILE_LANG",
    language,
    null,
    "What `tattile setup` speaks: `ca`, `es` or `en`. Not set: the language of the system (`LANG`), else English.",
    { defaultText: "the language of the system" },
  ),
};

export type SettingKey = keyof typeof SETTINGS;
/** The validated value of each setting. */
export type SettingValues = { [K in SettingKey]: (typeof SETTINGS)[K] extends Setting<infer T> ? T : never };

/** Every setting, as the documents need it, whatever the type of its value. */
export function listSettings(): readonly Setting<unknown>[] {
  return Object.values(SETTINGS);
}
